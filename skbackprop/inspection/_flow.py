"""Whether the error reaches every layer: norms, shares and a verdict in words."""

import math
from typing import Any, NamedTuple

import numpy as np

from .._estimators.annotations import Data, Weights
from ._report import Paragraph, Report, Table, number
from ._step import Step
from ._trace import trace_of

# With one learning rate for all, a layer that receives less than a thousandth of the error at the output needs a thousand
# steps for what the output layer learns in one; a thousandfold growth is the same the other way round.
VANISHED = 1e-3
EXPLODED = 1e3
# A step usually changes weights by about 0.001 of their size. The second step away from zero weights is about as long as
# the weights are: ten leaves room for that.
LONGEST_UPDATE = 10.0
# A unit whose derivative is under a twentieth of the largest passes on next to nothing: a sigmoid beyond 0.013 or 0.987.
SATURATED = 0.05
# About half of all rectified units are saturated at any time; a sigmoid layer of which nine tenths are is nearly constant.
MOSTLY = 0.9
# A layer of which more than half is dead is less than half as wide as it was meant to be.
DEAD = 0.5

ENLIVEN = "Try standardize=True, init='auto', fewer layers, or activation='silu'."
TAME = "Try standardize=True, init='auto', a lower learning_rate_init or a lower clip_norm."
REVIVE = "Try standardize=True, init='auto', a lower learning_rate_init, or activation='silu'."


class LayerFlow(NamedTuple):
    """The numbers of one layer in a step.

    One for each layer is in the `layers` of a `GradientFlow`.

    Parameters
    ----------
    error_norm : float
        Euclidean norm of its delta, the derivative of the loss by its raw scores.
    gradient_norm : float
        Euclidean norm of the gradient of its weights, without the penalty.
    saturated : float
        Share of the pairs of a sample and a unit whose derivative is under 0.05 of the activation's largest; NaN for the
        output layer.
    dead : float
        Share of units with a derivative of exactly 0 for every sample, so that their weights stay as they are; NaN for the
        output layer.
    update_ratio : float
        Norm of the step's change of its weights, divided by the norm of the weights; NaN for weights that are all zero.

    See Also
    --------
    gradient_flow : Follows the gradient through the layers.
    GradientFlow : Its result.

    Examples
    --------
    >>> from skbackprop import SigmoidBackpropRegressor
    >>> from skbackprop.inspection import gradient_flow
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]
    >>> layer = gradient_flow(SigmoidBackpropRegressor(hidden_layer_sizes=2, random_state=0), X, y).layers[0]
    >>> layer.dead, layer.error_norm > 0
    (0.0, True)
    """

    error_norm: float
    gradient_norm: float
    saturated: float
    dead: float
    update_ratio: float


class GradientFlow(Report):
    """Result of `gradient_flow`.

    It prints as a table, and shows as one in a notebook.

    Parameters
    ----------
    layers : list of LayerFlow
        From the inputs up.
    names : list of str
        Activation of each hidden layer.

    Attributes
    ----------
    layers : list of LayerFlow
        The parameter.
    diagnosis : {"healthy", "vanishing", "exploding", "dead", "no error"}
        The first of these that holds: exploding, no error, dead, vanishing, healthy.
    layer : int or None
        Topmost layer that has the problem; None if there is none.
    verdict : str
        The diagnosis in words.

    See Also
    --------
    gradient_flow : Follows the gradient through the layers.
    skbackprop.display.GradientFlowDisplay : The same in a picture.

    Examples
    --------
    >>> from skbackprop import SigmoidBackpropRegressor
    >>> from skbackprop.inspection import gradient_flow
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]
    >>> gradient_flow(SigmoidBackpropRegressor(hidden_layer_sizes=2, random_state=0), X, y).diagnosis
    'healthy'
    """

    layers: list[LayerFlow]
    diagnosis: str
    layer: int | None
    verdict: str

    def __init__(self, layers: list[LayerFlow], names: list[str]) -> None:
        self.layers = layers
        self._names = names
        self.diagnosis, self.layer, self.verdict = next(self._diagnoses())

    def _diagnoses(self):
        """Yield diagnosis, layer and verdict of all that holds, the first being the one that counts."""
        output = self.layers[-1].error_norm
        downwards = list(enumerate(self.layers, 1))[::-1]
        for k, layer in downwards:
            if not math.isfinite(layer.error_norm + layer.gradient_norm):
                yield "exploding", k, f"Exploding: the gradient of layer {k} is not finite. {TAME}"
            if layer.error_norm > EXPLODED * output > 0:
                words = f"Exploding from layer {k} down: its error is {number(layer.error_norm / output)} times that at the"
                yield "exploding", k, f"{words} output. {TAME}"
            if layer.update_ratio > LONGEST_UPDATE:
                words = f"Exploding: the step changes the weights of layer {k} by {number(layer.update_ratio)} times their"
                yield "exploding", k, f"{words} size. Lower learning_rate_init, or set a lower clip_norm."
        if output == 0:
            words = "No error: the loss has no slope at the output, so no layer learns from these samples"
            yield "no error", None, f"{words}. Either all is learnt, or the outputs are saturated. {ENLIVEN}"
        for k, layer in downwards:
            if layer.dead > DEAD:
                words = f"Dead units: {layer.dead:.0%} of the units of layer {k}, {self._names[k - 1]}, pass on nothing for"
                yield "dead", k, f"{words} any sample, so their weights stay as they are. {REVIVE}"
        shares = [layer.error_norm / output for layer in self.layers]
        if shares[0] < VANISHED:
            k = next(i for i, share in enumerate(shares) if share >= VANISHED)
            words = f"Vanishing from layer {k} down: its error is {number(shares[k - 1])} of that at the output"
            lowest = f", and that of layer 1 {number(shares[0])}" if k > 1 else ""
            saturated = f"{self.layers[k - 1].saturated:.0%} of the derivatives in layer {k} are saturated"
            yield "vanishing", k, f"{words}{lowest}; {saturated}. {ENLIVEN}"
        words = f"at {number(min(shares))} to {number(max(shares))} of its size at the output"
        for k, layer in downwards:
            if layer.saturated > MOSTLY:
                words += f"; but {layer.saturated:.0%} of the derivatives in layer {k} are saturated"
        yield "healthy", None, f"Healthy: the error reaches every layer, {words}."

    def _parts(self):
        header = ["layer", "activation", "error", "gradient", "saturated", "dead", "update / weights"]
        rows = []
        for k, (layer, name) in enumerate(zip(self.layers, [*self._names, "output"], strict=True), 1):
            shares = ["-" if math.isnan(share) else f"{share:.0%}" for share in (layer.saturated, layer.dead)]
            ratio = "-" if math.isnan(layer.update_ratio) else number(layer.update_ratio)
            rows.append([str(k), name, number(layer.error_norm), number(layer.gradient_norm), *shares, ratio])
        return [Paragraph("Gradient flow, layer 1 being fed by the inputs"), Table(header, rows), Paragraph(self.verdict)]


def gradient_flow(estimator: Any, X: Data, y: Data | None = None, sample_weight: Weights = None) -> GradientFlow:
    """Tell whether the error reaches every layer: whether it vanishes or explodes, and whether units are dead.

    Parameters
    ----------
    estimator : estimator
        Judged at its fitted weights or, if it is not fitted, at the initial weights that `fit` would draw; for the step see
        `trace_backpropagation`.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Inputs; a few hundred samples are enough. With a handful, many rectified units are 0 for all of them by chance.
    y : array-like, default=None
        Targets, as for `fit`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    flow : GradientFlow
        The numbers of each layer, a `diagnosis`, and a `verdict` in words.

    Raises
    ------
    TypeError
        If `estimator` is not a network of this package.
    ValueError
        If the data or the parameters are not valid for training.

    Notes
    -----
    The error of a layer is the norm of its delta, the derivative of the loss by its raw scores (logits): this is what each
    layer passes on to the one below, whatever the size of weights and inputs. The diagnosis is the first of these that
    holds:

    - exploding: the error of a layer is over 1,000 times that at the output, or is not finite, or the step changes weights
      by over 10 times their size. (About 0.001 of their size is usual; the second step away from zero weights is about as
      long as they are.)
    - no error: the error at the output is zero.
    - dead: over half of a layer's units have a derivative of zero for every sample. No step on these samples changes them,
      and the layer is less than half as wide as it was meant to be.
    - vanishing: the error of the lowest layers is under 0.001 of that at the output. With one learning rate for all layers,
      the lowest need a thousand steps for what the output layer learns in one (Hochreiter, 1991; Glorot and Bengio, 2010).
    - healthy: none of these.

    A unit counts as saturated for a sample if its derivative is under 0.05 of the largest that its activation has: a
    sigmoid beyond 0.013 or 0.987. About half of all rectified units are saturated at any time, which is as it should be.

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
    # Tracing replaces the network's activations by others that record.
    activations = step.network.activations
    layers = []
    for layer, activation in zip(trace_of(step).layers, [*activations, None], strict=True):
        saturated = dead = math.nan
        if activation is not None:
            slopes = np.abs(layer.derivative)
            saturated = float(np.mean(slopes < SATURATED * _largest_derivative(activation, slopes.dtype)))
            dead = float(np.mean(np.all(slopes == 0, axis=0)))
        size = _norm(layer.weights)
        ratio = _norm(layer.weights_update) / size if size else math.nan
        with np.errstate(over="ignore", invalid="ignore"):
            gradient = layer.inputs.T @ layer.delta
            if layer.shift is not None:
                gradient = gradient - np.outer(layer.shift, layer.delta.sum(axis=0))
            layers.append(LayerFlow(_norm(layer.delta), _norm(gradient), saturated, dead, ratio))
    return GradientFlow(layers, [repr(activation) for activation in activations])


def _norm(array):
    """Return the Euclidean norm, in float64 so that small float32 values do not underflow."""
    return float(np.linalg.norm(array.astype(np.float64)))


def _largest_derivative(activation, dtype):
    """Return the largest slope of an activation on [-10, 10]."""
    A = np.linspace(-10, 10, 2001, dtype=dtype)[:, np.newaxis]
    cache = np.empty_like(A) if activation.needs_cache else None
    slopes = np.ones_like(A)
    activation.forward(A, cache)
    activation.backward(A, cache, slopes)
    return np.max(np.abs(slopes))
