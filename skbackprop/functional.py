"""The teaching notebook's three functions, on the package's own gradient loop."""

import numpy as np
from numpy.typing import ArrayLike

from ._engine.batches import Batches
from ._engine.descent import DescentState, StepRule, gradient_descent
from ._engine.network import Network
from ._engine.objective import QUIET, Objective
from .activations import sigmoid_
from .initializers import Uniform
from .losses import SigmoidSquaredError
from .optimizers import SGD
from .schedules import Constant

__all__ = ["backpropagation", "sigmoid", "sigmoid_derivative"]


def sigmoid(x: ArrayLike) -> np.ndarray | np.float64:
    """Return the logistic sigmoid, 1 / (1 + exp(-x)).

    Parameters
    ----------
    x : array-like or float
        Raw scores (logits), of any shape and size; +-1e308 gives exactly 1.0 or 0.0, without a warning.

    Returns
    -------
    a : ndarray or numpy.float64
        Values in [0, 1], of the shape of `x`; float32 stays float32, everything else becomes float64.

    Examples
    --------
    >>> from skbackprop.functional import sigmoid
    >>> sigmoid([-1e308, 0, 1e308])
    array([0. , 0.5, 1. ])
    """
    x = np.array(x, copy=True)
    if x.dtype != np.float32:
        x = x.astype(np.float64)
    with np.errstate(over="ignore"):
        return sigmoid_(x)[()]


def sigmoid_derivative(a: ArrayLike) -> np.ndarray | np.float64:
    """Return the derivative of the sigmoid as a function of its OUTPUT, a (1 - a).

    Parameters
    ----------
    a : array-like or float
        Outputs of `sigmoid`, in [0, 1].

    Returns
    -------
    derivative : ndarray or numpy.float64
        Values in [0, 0.25], of the shape of `a`.

    Examples
    --------
    >>> from skbackprop.functional import sigmoid, sigmoid_derivative
    >>> float(sigmoid_derivative(sigmoid(0)))
    0.25
    """
    a = np.asarray(a)
    return a * (1 - a)


def backpropagation(
    X: ArrayLike, y: ArrayLike, learning_rate: float, num_iterations: int, *, random_state: int | None = 0
) -> np.ndarray:
    """Train one layer of sigmoid units, without bias, on the squared error.

    Each iteration adds ``learning_rate * X.T @ (error * a * (1 - a))`` to the weights, with ``a = sigmoid(X @ weights)``
    and ``error = y - a`` (Rumelhart, Hinton and Williams, 1986). It runs on the loop that trains every network of this
    package.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Inputs, trained in float64.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets in [0, 1].
    learning_rate : float
        Factor on the sum of the samples' gradients.
    num_iterations : int
        Number of steps, each on all samples.
    random_state : int, default=0
        Seed of the initial weights, which are drawn from U(-1, 1).

    Returns
    -------
    weights : ndarray of shape (n_features, n_outputs)
        The trained weights.

    Raises
    ------
    ValueError
        If the shapes do not fit together, a value is not finite, or the weights overflow.

    Examples
    --------
    >>> from skbackprop.functional import backpropagation, sigmoid
    >>> X = [[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]]
    >>> weights = backpropagation(X, [0, 1, 1, 0], learning_rate=1, num_iterations=10_000)
    >>> weights.ravel()
    array([ 9.67279647, -0.20825529, -4.62929265])
    >>> round(float(sigmoid([1, 0, 0] @ weights)[0]), 8)
    0.99993703
    """
    X, Y = _checked(X, y)
    if not (np.isfinite(learning_rate) and num_iterations >= 0):
        raise ValueError(
            f"Got learning_rate={learning_rate} and num_iterations={num_iterations}; pass a finite learning rate and a "
            "number of iterations that is 0 or larger."
        )
    random_state = np.random.RandomState(random_state)
    network = Network((X.shape[1], Y.shape[1]), (), fit_intercept=False, dtype=X.dtype)
    network.initialize(Uniform(), random_state)
    objective = Objective(network, SigmoidSquaredError())
    batches = Batches(X, Y, None, len(X), shuffle=False, random_state=random_state, passes=max(1, int(num_iterations)))
    # The notebook sums over the samples: its learning rate scales that sum, and the learning rate of the loop is 1.
    rules = SGD(momentum=0.0), Constant(), StepRule(1.0)
    epochs = gradient_descent(objective, batches, *rules, DescentState(), scale=float(learning_rate), with_loss=False)
    with np.errstate(**QUIET):
        if num_iterations >= 1:
            next(epochs)
    if not np.isfinite(network.theta).all():
        raise ValueError(f"The weights overflowed with learning_rate={learning_rate}; pass a smaller one.")
    return network.coefs[0]


def _checked(X, y):
    """Return inputs and targets as two-dimensional float64 arrays, or raise."""
    X = np.ascontiguousarray(X, np.float64)
    Y = np.asarray(y, np.float64)
    if Y.ndim == 1:
        Y = Y[:, np.newaxis]
    if X.ndim != 2 or Y.ndim != 2 or len(X) != len(Y) or not X.size:
        raise ValueError(
            f"Got X of shape {X.shape} and y of shape {np.shape(y)}; pass X of shape (n_samples, n_features) and y of "
            "shape (n_samples,) or (n_samples, n_outputs), with at least one sample and one feature."
        )
    if not (np.isfinite(X).all() and np.isfinite(Y).all()):
        raise ValueError("Got NaN or infinity in X or y; every value must be finite: impute or drop such rows first.")
    return X, Y
