"""Update rules on one flat parameter vector.

An optimizer holds its settings; what it remembers from step to step is a dict that the caller keeps, so that it can be
saved and training can go on from it. To use a rule of your own, pass an instance of a class with the methods of
`Optimizer` to an estimator.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from ._blas import add_multiple
from ._part import Array, Part

__all__ = ["LBFGS", "OPTIMIZERS", "SGD", "Adam", "AdamW", "Minimizer", "Optimizer", "Rprop"]

# Values of each vector that are updated at a time: several such pieces fit in a core's own cache.
BLOCK = 32_768


def _in_blocks(*vectors):
    """Return the vectors in pieces, so that the passes of an update over one piece find it in cache."""
    size = vectors[0].size
    if size <= BLOCK:
        return [vectors]
    return [tuple(vector[start : start + BLOCK] for vector in vectors) for start in range(0, size, BLOCK)]


class Optimizer(Part):
    """What the training loop asks of an update rule.

    One of your own is a class with the two methods; what else is asked for is taken from here.

    Attributes
    ----------
    full_batch : bool, default=False
        Whether each step needs the gradient over all samples.
    uses_learning_rate : bool, default=True
        Whether `update` heeds its learning rate.
    minimizes : bool, default=False
        Whether it runs a whole minimisation at a time; then it is a `Minimizer`.
    decoupled_decay : float, default=0.0
        Share of each weight, times the learning rate, that the training loop takes off after a step, where the estimator's
        own `weight_decay` is 0.

    See Also
    --------
    Minimizer : One that runs a whole minimisation at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.optimizers import SGD
    >>> theta, optimizer = np.array([1.0]), SGD(momentum=0.0)
    >>> optimizer.update(theta, 2 * theta, optimizer.initial_state(theta), 0.25, 1.0)
    >>> theta
    array([0.5])
    """

    full_batch: bool = False
    uses_learning_rate: bool = True
    minimizes: bool = False
    decoupled_decay: float = 0.0

    def initial_state(self, theta: Array) -> dict:
        """Return what `update` will keep for the parameters.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            Parameters; not changed.

        Returns
        -------
        state : dict of str to ndarray or number
            For `update`, which changes it.
        """
        return {}

    def update(self, theta: Array, gradient: Array, state: dict, learning_rate: float, loss: float) -> None:
        """Take one step.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
            Parameters; updated in place.
        gradient : ndarray of shape (n_parameters,)
            Gradient of the loss at `theta`; may be overwritten.
        state : dict
            As returned by `initial_state`; updated in place.
        learning_rate : float
            The current learning rate.
        loss : float
            The loss at `theta`, in the unit of the loss.
        """
        raise NotImplementedError


class SGD(Optimizer):
    """Gradient descent with momentum, Nesterov's by default (Sutskever et al., 2013).

    It keeps one vector of the size of the weights, where `Adam` keeps two.

    Parameters
    ----------
    momentum : float, default=0.9
        Share of the last step that the next one keeps, in [0, 1].
    nesterovs_momentum : bool, default=True
        Whether to step from the point that momentum would lead to.

    See Also
    --------
    Adam : Steps scaled by running moments of the gradient.

    Examples
    --------
    >>> from skbackprop.optimizers import SGD
    >>> SGD(momentum=0.5)
    SGD(momentum=0.5, nesterovs_momentum=True)
    """

    shared = ("momentum", "nesterovs_momentum")

    def __init__(self, momentum: float = 0.9, nesterovs_momentum: bool = True) -> None:
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum

    def initial_state(self, theta: Array) -> dict:
        """Return the velocity, zero at first, unless there is no momentum."""
        return {"velocity": np.zeros(theta.shape, theta.dtype)} if self.momentum else {}

    def update(self, theta: Array, gradient: Array, state: dict, learning_rate: float, loss: float) -> None:
        """Take one step; see `Optimizer.update`."""
        if not self.momentum:
            add_multiple(gradient, theta, -learning_rate)
            return
        for point, slope, velocity in _in_blocks(theta, gradient, state["velocity"]):
            np.multiply(velocity, self.momentum, velocity)
            add_multiple(slope, velocity, -learning_rate)
            if self.nesterovs_momentum:
                add_multiple(velocity, point, self.momentum)
                add_multiple(slope, point, -learning_rate)
            else:
                np.add(point, velocity, point)


class Adam(Optimizer):
    """Steps scaled by running moments of the gradient (Kingma and Ba, 2015).

    The default of classifier and regressor.

    Parameters
    ----------
    beta_1 : float, default=0.9
        Decay of the running mean of the gradient, in [0, 1).
    beta_2 : float, default=0.999
        Decay of the running mean of its square, in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator, against division by zero.

    See Also
    --------
    AdamW : The same with decoupled weight decay.

    Examples
    --------
    >>> from skbackprop.optimizers import Adam
    >>> Adam(beta_1=0.8)
    Adam(beta_1=0.8, beta_2=0.999, epsilon=1e-08)
    """

    shared = ("beta_1", "beta_2", "epsilon")

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def initial_state(self, theta: Array) -> dict:
        """Return both moments, zero at first, and the number of steps."""
        return {"first_moment": np.zeros_like(theta), "second_moment": np.zeros_like(theta), "steps": 0}

    def update(self, theta: Array, gradient: Array, state: dict, learning_rate: float, loss: float) -> None:
        """Take one step; see `Optimizer.update`."""
        state["steps"] = steps = state["steps"] + 1
        # The moments are kept as sums, without their factors 1 - beta, which then enter two scalars instead of two passes.
        scale = math.sqrt(1 - self.beta_2)
        rate = learning_rate * math.sqrt(1 - self.beta_2**steps) / (1 - self.beta_1**steps)
        for point, slope, first, second in _in_blocks(theta, gradient, state["first_moment"], state["second_moment"]):
            np.multiply(first, self.beta_1, first)
            np.add(first, slope, first)
            np.multiply(slope, slope, slope)
            np.multiply(second, self.beta_2, second)
            np.add(second, slope, second)
            np.sqrt(second, slope)
            np.add(slope, self.epsilon / scale, slope)
            np.divide(first, slope, slope)
            add_multiple(slope, point, -rate * (1 - self.beta_1) / scale)


class AdamW(Adam):
    """`Adam` with decoupled weight decay (Loshchilov and Hutter, 2019).

    A step is that of `Adam`. The training loop then shrinks the weights, not the biases, by the factor 1 - learning rate *
    `weight_decay`; where the estimator's own `weight_decay` is not 0, it counts instead.

    Parameters
    ----------
    beta_1 : float, default=0.9
        That of `Adam`.
    beta_2 : float, default=0.999
        That of `Adam`.
    epsilon : float, default=1e-8
        That of `Adam`.
    weight_decay : float, default=0.01
        Share of each weight that a step takes off, times the learning rate.

    See Also
    --------
    Adam : The same without weight decay.

    Examples
    --------
    >>> from skbackprop.optimizers import AdamW
    >>> AdamW(weight_decay=0.1)
    AdamW(beta_1=0.9, beta_2=0.999, epsilon=1e-08, weight_decay=0.1)
    """

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8,
                 weight_decay: float = 0.01) -> None:  # fmt: skip
        super().__init__(beta_1, beta_2, epsilon)
        self.weight_decay = weight_decay

    @property
    def decoupled_decay(self) -> float:
        """The `weight_decay`, which the training loop applies."""
        return self.weight_decay


class Rprop(Optimizer):
    """Steps that heed the sign of the gradient alone, by iRprop+ (Igel and Huesken, 2003; Riedmiller and Braun, 1993).

    For small data: each step goes through all samples.

    Parameters
    ----------
    initial_step : float, default=0.0125
        Initial step size of every parameter.
    increase : float, default=1.2
        Factor on the step size while the sign of a derivative stays.
    decrease : float, default=0.5
        Factor on the step size when it changes.
    smallest_step : float, default=1e-6
        Lower bound on the step size.
    largest_step : float, default=50.0
        Upper bound on the step size.

    See Also
    --------
    LBFGS : Another rule that goes through all samples.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.optimizers import Rprop
    >>> theta, rprop = np.array([3.0, -1.0]), Rprop()
    >>> state = rprop.initial_state(theta)
    >>> for _ in range(100):
    ...     rprop.update(theta, 2 * theta, state, None, float(theta @ theta))
    >>> bool(np.all(np.abs(theta) < 1e-4))
    True
    """

    full_batch = True
    uses_learning_rate = False

    def __init__(self, initial_step: float = 0.0125, increase: float = 1.2, decrease: float = 0.5,
                 smallest_step: float = 1e-6, largest_step: float = 50.0) -> None:  # fmt: skip
        self.initial_step = initial_step
        self.increase = increase
        self.decrease = decrease
        self.smallest_step = smallest_step
        self.largest_step = largest_step

    def initial_state(self, theta: Array) -> dict:
        """Return step sizes, last gradient, last change and last loss."""
        return {
            "step": np.full_like(theta, self.initial_step),
            "gradient": np.zeros(theta.shape, theta.dtype),
            "change": np.zeros(theta.shape, theta.dtype),
            "loss": math.inf,
        }

    def update(self, theta: Array, gradient: Array, state: dict, learning_rate: float, loss: float) -> None:
        """Take one step; see `Optimizer.update`."""
        step, change = state["step"], state["change"]
        agreement = np.sign(gradient * state["gradient"])
        turned = agreement < 0
        step *= np.where(turned, self.decrease, np.where(agreement > 0, self.increase, 1.0)).astype(step.dtype)
        np.clip(step, self.smallest_step, self.largest_step, step)
        # A parameter whose derivative changed sign goes back where it came from, if the loss grew, and else stays.
        retreat = -change if loss > state["loss"] else 0.0
        np.copyto(change, np.where(turned, retreat, -np.sign(gradient) * step))
        np.add(theta, change, theta)
        np.copyto(state["gradient"], np.where(turned, 0.0, gradient))
        state["loss"] = loss


class Minimizer(Optimizer):
    """What training asks of a rule that runs a whole minimisation at a time, in place of single steps.

    One of your own is a class with the method `minimize`.

    See Also
    --------
    LBFGS : One of scipy's.

    Examples
    --------
    >>> from skbackprop.optimizers import LBFGS, Minimizer
    >>> isinstance(LBFGS(), Minimizer)
    True
    """

    full_batch = True
    uses_learning_rate = False
    minimizes = True

    def minimize(self, function: Callable, theta: Array, max_iter: int, after_iteration: Callable) -> OptimizeResult:
        """Minimise a function from `theta`.

        Parameters
        ----------
        function : callable
            Takes parameters, returns the loss and its gradient.
        theta : ndarray of shape (n_parameters,)
            Where to start; not changed.
        max_iter : int
            Most iterations.
        after_iteration : callable
            Called with the parameters and the loss after each iteration; a true return value ends the run.

        Returns
        -------
        result : scipy.optimize.OptimizeResult
            Its `x` are the parameters reached, `status` is 0 at convergence.
        """
        raise NotImplementedError


class LBFGS(Minimizer):
    """Limited-memory quasi-Newton descent by `scipy.optimize` (Liu and Nocedal, 1989; Byrd et al., 1995).

    Its curvature memory lives inside scipy, so a warm start begins a new one at the weights reached.

    Parameters
    ----------
    max_fun : int, default=15000
        Most evaluations of the loss.
    tol : float, default=1e-4
        Stop when the largest component of the gradient is smaller.
    least_decrease : float, default=2.2204460492503131e-09
        Stop when the loss falls by a smaller share of itself; the default is scipy's.

    See Also
    --------
    Rprop : Another rule that goes through all samples.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.optimizers import LBFGS
    >>> result = LBFGS().minimize(lambda x: ((x**2).sum(), 2 * x), np.ones(2), 10, lambda theta, loss: False)
    >>> bool(np.all(np.abs(result.x) < 1e-4))
    True
    """

    shared = ("max_fun", "tol")

    def __init__(self, max_fun: int = 15000, tol: float = 1e-4, least_decrease: float = 2.2204460492503131e-09) -> None:
        self.max_fun = max_fun
        self.tol = tol
        self.least_decrease = least_decrease

    def minimize(self, function: Callable, theta: Array, max_iter: int, after_iteration: Callable) -> OptimizeResult:
        """Minimise a function from `theta`; see `Minimizer.minimize`."""

        # scipy passes the result only to a callback whose parameter has this name.
        def callback(intermediate_result):
            if after_iteration(intermediate_result.x, float(intermediate_result.fun)):
                raise StopIteration

        options = {"maxfun": self.max_fun, "maxiter": max_iter, "gtol": self.tol, "ftol": self.least_decrease}
        return minimize(function, theta, method="L-BFGS-B", jac=True, callback=callback, options=options)


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rprop": Rprop, "lbfgs": LBFGS}
