"""Does the error reach every layer? Norms, shares and a verdict in words."""

import math
from typing import NamedTuple

import numpy as np

from ._report import Paragraph, Report, Table, number

# A layer that hears less than a thousandth of the error at the output needs, with one learning rate for all, a thousand
# steps for what the output layer learns in one; a thousandfold growth is the same the other way round.
VANISHED, EXPLODED = 1e-3, 1e3
# About 0.001 is usual. The second step away from zero weights is about as long as they are, so ten leaves room for that.
LONGEST_UPDATE = 10.0
# A unit whose derivative is under a twentieth of the largest passes on next to nothing: a sigmoid beyond 0.013 or 0.987.
SATURATED = 0.05
# Of rectified units half are saturated at any time; a sigmoid layer with nine tenths of them hardly bends any more.
MOSTLY = 0.9
# A layer of which more than half is dead is less than half as wide as it was meant to be.
DEAD = 0.5

ENLIVEN = "Try standardize=True, init='auto', fewer layers, or activation='silu'."
TAME = "Try standardize=True, init='auto', a lower learning_rate_init or a lower clip_norm."


class LayerFlow(NamedTuple):
    """How one layer fares in a step.

    Attributes
    ----------
    error_norm : float
        Euclidean norm of its delta, the derivative of the loss by its raw scores.
    gradient_norm : float
        Euclidean norm of the gradient of its weights, without penalty.
    saturated : float
        Share of (sample, unit) pairs with a derivative under 0.05 of the activation's largest; NaN for the output layer.
    dead : float
        Share of units with a derivative of exactly 0 for every sample, so that their weights stay as they are; NaN for the
        output layer.
    update_ratio : float
        Norm of the step's change of its weights, divided by the norm of the weights; NaN for weights that are all zero.
    """

    error_norm: float
    gradient_norm: float
    saturated: float
    dead: float
    update_ratio: float


class GradientFlow(Report):
    """Result of `gradient_flow`.

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
        The first that holds of: exploding, no error, dead, vanishing, healthy.
    layer : int or None
        Topmost layer that has the problem.
    verdict : str
        The diagnosis in words.
    """

    def __init__(self, layers, names):
        self.layers, self._names = layers, names
        self.diagnosis, self.layer, self.verdict = self._diagnose()

    def _diagnose(self):
        """Return diagnosis, layer and verdict."""
        for problem in (self._exploding, self._no_error, self._dead, self._vanishing):
            found = problem()
            if found is not None:
                return found
        shares = [layer.error_norm / self.layers[-1].error_norm for layer in self.layers]
        reach = f"at {number(min(shares))} to {number(max(shares))} of its size at the output"
        words = f"Healthy: the error reaches every layer, {reach}"
        for k, layer in self._downwards():
            if layer.saturated > MOSTLY:
                words += f"; but {layer.saturated:.0%} of the derivatives in layer {k} are saturated"
        return "healthy", None, f"{words}."

    def _downwards(self):
        """Return the numbered layers, the output first."""
        return reversed(list(enumerate(self.layers, 1)))

    def _exploding(self):
        output = self.layers[-1].error_norm
        for k, layer in self._downwards():
            if not math.isfinite(layer.error_norm + layer.gradient_norm):
                return "exploding", k, f"Exploding: the gradient of layer {k} is not finite. {TAME}"
            if layer.error_norm > EXPLODED * output > 0:
                words = f"Exploding from layer {k} down: its error is {number(layer.error_norm / output)} times that at the"
                return "exploding", k, f"{words} output. {TAME}"
            if layer.update_ratio > LONGEST_UPDATE:
                words = f"Exploding: the step changes the weights of layer {k} by {number(layer.update_ratio)} times their"
                return "exploding", k, f"{words} size. Lower learning_rate_init, or set a lower clip_norm."
        return None

    def _no_error(self):
        if self.layers[-1].error_norm > 0:
            return None
        words = "No error: the loss has no slope at the output, so no layer learns from these samples"
        return "no error", None, f"{words}. Either all is learnt, or the outputs are saturated. {ENLIVEN}"

    def _dead(self):
        for k, layer in self._downwards():
            if layer.dead > DEAD:
                words = f"Dead units: {layer.dead:.0%} of the units of layer {k}, {self._names[k - 1]}, pass on nothing for"
                cure = "Try standardize=True, init='auto', a lower learning_rate_init, or activation='silu'."
                return "dead", k, f"{words} any sample, so their weights stay as they are. {cure}"
        return None

    def _vanishing(self):
        shares = [layer.error_norm / self.layers[-1].error_norm for layer in self.layers]
        k = next(i for i, share in enumerate(shares) if share >= VANISHED)
        if not k:
            return None
        words = f"Vanishing from layer {k} down: its error is {number(shares[k - 1])} of that at the output"
        lowest = f", and that of layer 1 {number(shares[0])}" if k > 1 else ""
        saturated = f"{self.layers[k - 1].saturated:.0%} of the derivatives in layer {k} are saturated"
        return "vanishing", k, f"{words}{lowest}; {saturated}. {ENLIVEN}"

    def _parts(self):
        header = ["layer", "activation", "error", "gradient", "saturated", "dead", "update / weights"]
        rows = []
        for k, (layer, name) in enumerate(zip(self.layers, [*self._names, "output"], strict=True), 1):
            shares = ["-" if math.isnan(share) else f"{share:.0%}" for share in (layer.saturated, layer.dead)]
            ratio = "-" if math.isnan(layer.update_ratio) else number(layer.update_ratio)
            rows.append([str(k), name, number(layer.error_norm), number(layer.gradient_norm), *shares, ratio])
        return [Paragraph("Gradient flow, layer 1 being fed by the inputs"), Table(header, rows), Paragraph(self.verdict)]


def flow_of(trace, activations):
    """Return the `GradientFlow` of a `BackpropagationTrace`."""
    layers = []
    for layer, activation in zip(trace.layers, [*activations, None], strict=True):
        saturated = dead = math.nan
        if activation is not None:
            slopes = np.abs(layer.derivative)
            saturated = float(np.mean(slopes < SATURATED * _largest_derivative(activation, slopes.dtype)))
            dead = float(np.mean(np.all(slopes == 0, axis=0)))
        size = _norm(layer.weights)
        ratio = _norm(layer.weights_update) / size if size else math.nan
        with np.errstate(over="ignore", invalid="ignore"):
            norms = _norm(layer.delta), _norm(layer.inputs.T @ layer.delta)
        layers.append(LayerFlow(*norms, saturated, dead, ratio))
    return GradientFlow(layers, [repr(activation) for activation in activations])


def _norm(array):
    """Return the Euclidean norm, in float64 so that small float32 values do not underflow."""
    return float(np.linalg.norm(array.astype(np.float64)))


def _largest_derivative(activation, dtype):
    """Return the largest slope of an activation on [-10, 10]."""
    A = np.linspace(-10, 10, 2001, dtype=dtype)[:, np.newaxis]
    cache, slopes = np.empty_like(A) if activation.needs_cache else None, np.ones_like(A)
    activation.forward(A, cache)
    activation.backward(A, cache, slopes)
    return np.max(np.abs(slopes))
