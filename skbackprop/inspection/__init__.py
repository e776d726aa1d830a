"""Looking inside training: whether the gradient is right, what a step computes, and whether the error reaches every layer.

All three functions look at one step on all the samples given, in the order given: pass a batch. They never change the
estimator. Layers are numbered from 1, which is fed by the inputs. What they return prints as text in a terminal and shows
as tables in a notebook.

Inputs are standardised inside `fit` (parameter `standardize`), and the network that is really trained sees standardised
ones. Inputs, weights, gradients and updates here are those of that network; `coefs_` and `intercepts_` are in the units of
`X`, and so differ in the first layer.
"""

import numbers

import numpy as np
from sklearn.utils import check_random_state

from ._check import GradientCheck, LayerCheck, WorstEntry, check_step
from ._flow import GradientFlow, LayerFlow, flow_of
from ._step import Step, record
from ._trace import BackpropagationTrace, LayerTrace

__all__ = [
    "BackpropagationTrace",
    "GradientCheck",
    "GradientFlow",
    "LayerCheck",
    "LayerFlow",
    "LayerTrace",
    "WorstEntry",
    "check_gradients",
    "gradient_flow",
    "trace_backpropagation",
]


def check_gradients(estimator, X, y=None, sample_weight=None, *, max_entries=30, tol=1e-6, random_state=0):
    """Compare backpropagation's gradient with central differences of the loss.

    The loss is the estimator's own, with its data, sample weights and penalty (`alpha`; `weight_decay` and `clip_norm` act
    on the step, not on the loss). With dropout it is that of one thinned network: the same units are silent throughout.
    Everything is computed in float64, whatever the dtype of `X`.

    Parameters
    ----------
    estimator : estimator
        Compared at the fitted weights or, if it is not fitted, at the first weights that `fit` would draw.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Inputs. A few hundred samples are enough: each entry compared costs at least two forward passes.
    y : array-like, default=None
        Targets, as for `fit`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.
    max_entries : int or None, default=30
        Most weights, and most biases, that are compared in each layer: half those with the largest derivatives, half drawn
        at random. None is all.
    tol : float, default=1e-6
        Largest relative error of a gradient that is right.
    random_state : int, RandomState instance or None, default=0
        Draws the entries.

    Returns
    -------
    check : GradientCheck
        Relative errors of each layer, the worst entry, and, where they are too large, what the pattern points to: a wrong
        derivative of an activation spoils its layer and all below. A wrong gradient is reported, never raised.

    Raises
    ------
    TypeError
        If `estimator` is not one of this package.
    ValueError
        If the data or the parameters cannot be trained with, or `max_entries` or `tol` are out of range.

    Notes
    -----
    A relative error is the largest difference between the two derivatives in a layer's weights (or biases), divided by the
    largest of these derivatives, or by 1e-5 of the loss where all are smaller: below that, rounding hides them. Each
    difference is tried with steps of 1e-4, 1e-5, 1e-6 and 1e-7 until one agrees, for a step across the kink of a rectified
    unit is no fault of the gradient; a unit exactly at its kink has no derivative and is left out, and counted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.inspection import check_gradients
    >>> X, y = load_iris(return_X_y=True)
    >>> check = check_gradients(SigmoidBackpropClassifier((4, 3), random_state=0), X, y)
    >>> check.passed, check.max_error < 1e-6, len(check.layers)
    (True, True, 3)
    """
    if max_entries is not None and not (isinstance(max_entries, numbers.Integral) and max_entries >= 1):
        raise ValueError(f"Got max_entries={max_entries!r}: pass a whole number of at least 1, or None for all entries.")
    if not (isinstance(tol, numbers.Real) and tol > 0):
        raise ValueError(f"Got tol={tol!r}: pass a number above 0, such as 1e-6.")
    step = Step(estimator, X, y, sample_weight, np.float64)
    return check_step(step, max_entries, float(tol), check_random_state(random_state))


def trace_backpropagation(estimator, X, y=None, sample_weight=None):
    """Lay one training step open: every array from the inputs to the update of the weights.

    The values are training's own, from the same code and in the same dtype. The samples given are the only batch, in the
    order given: nothing is held out or shuffled, whatever `batch_size`, `shuffle` and `early_stopping` say.

    Parameters
    ----------
    estimator : estimator
        Not fitted: the first step of `fit`. Fitted: the step after, from the state of optimizer and learning rate that
        `warm_start=True` or `partial_fit` kept, or else from their first; always at the latest weights.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Inputs; a handful of samples is best to read.
    y : array-like, default=None
        Targets, as for `fit`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    trace : BackpropagationTrace
        Its `layers` hold the arrays by name. Printed, the forward pass goes up through the layers, the backward pass down,
        each array with the formula it comes from; arrays of more than 10 rows or columns are summed up.

    Raises
    ------
    TypeError
        If `estimator` is not one of this package.
    ValueError
        If the data or the parameters cannot be trained with.

    Notes
    -----
    With A the inputs of a layer, Z = A W + b its raw scores and f its activation, the chain rule gives
    delta = (delta W^T of the layer above) f'(Z), and then the gradients A^T delta and sum of delta (Rumelhart, Hinton and
    Williams, 1986). The gradient is that before `clip_norm`; the update contains `clip_norm`, `weight_decay`, momentum and
    learning rate. With `solver="lbfgs"` it is that of its first iteration.

    Examples
    --------
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.inspection import trace_backpropagation
    >>> X, y = [[0.0, 0.0, 1.0], [1.0, 1.0, 1.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0]], [0, 1, 1, 0]
    >>> trace = trace_backpropagation(SigmoidBackpropClassifier((2,), random_state=0), X, y)
    >>> hidden, output = trace.layers
    >>> bool(abs(hidden.delta - output.delta @ output.weights.T * hidden.derivative).max() < 1e-15)
    True
    """
    return _trace(Step(estimator, X, y, sample_weight))


def gradient_flow(estimator, X, y=None, sample_weight=None):
    """Tell whether the error reaches every layer: vanishing, exploding, dead units, or healthy.

    Parameters
    ----------
    estimator : estimator
        Judged at the fitted weights or, if it is not fitted, at the first weights that `fit` would draw; for the step see
        `trace_backpropagation`.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Inputs; a few hundred samples are enough, while of a handful many rectified units see none by chance.
    y : array-like, default=None
        Targets, as for `fit`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    flow : GradientFlow
        Numbers of each layer, `diagnosis`, and `verdict` in words.

    Raises
    ------
    TypeError
        If `estimator` is not one of this package.
    ValueError
        If the data or the parameters cannot be trained with.

    Notes
    -----
    The error of a layer is the norm of its delta, the derivative of the loss by its raw scores; it is what the layers hand
    down, whatever the size of their weights and inputs. The verdict is the first of these that holds:

    - exploding: the error of a layer is over 1,000 times that at the output, or not finite, or the step changes weights by
      over 10 times their size. (About 0.001 is usual; the second step away from zero weights is about as long as they are.)
    - no error: that at the output is zero.
    - dead: over half of a layer's units have a derivative of zero for every sample. No step on these samples changes them,
      and the layer is less than half as wide as it was meant to be.
    - vanishing: the error of the lowest layers is under 0.001 of that at the output. With one learning rate for all they
      need a thousand steps for what the output layer learns in one (Hochreiter, 1991; Glorot and Bengio, 2010).
    - healthy: none of these.

    A unit counts as saturated where its derivative is under 0.05 of the largest that its activation has: a sigmoid beyond
    0.013 or 0.987. Of rectified units about half are, at any time, which is as it should be.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.inspection import gradient_flow
    >>> X, y = load_iris(return_X_y=True)
    >>> gradient_flow(SigmoidBackpropClassifier((10,) * 20, init="glorot", random_state=0), X, y).diagnosis
    'vanishing'
    >>> gradient_flow(SigmoidBackpropClassifier((10,) * 20, random_state=0), X, y).diagnosis
    'healthy'
    """
    step = Step(estimator, X, y, sample_weight)
    activations = step.network.activations
    return flow_of(_trace(step), activations)


def _trace(step):
    """Return the `BackpropagationTrace` of a step."""
    functions = [*step.network.activations, step.objective.loss]
    names = [*map(repr, functions[:-1]), step.objective.loss.output_activation]
    about = list(dict.fromkeys(map(_about, functions)))
    layers, loss, learning_rate = record(step)
    return BackpropagationTrace(
        [LayerTrace(name=name, **arrays) for name, arrays in zip(names, layers, strict=True)],
        step.Y.copy(),
        loss,
        step.objective.penalty.strength / len(step.Y),
        repr(step.optimizer),
        learning_rate,
        step.standardized,
        about,
    )


def _about(function):
    """Return the name of an activation or a loss, and what its class says of itself, which is its formula."""
    lines = (type(function).__doc__ or "").strip().splitlines()
    return f"{function!r}: {lines[0]}" if lines else repr(function)
