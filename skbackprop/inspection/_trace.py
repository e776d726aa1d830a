"""One step of backpropagation, array by array."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._estimators.annotations import Data, Weights
from ._report import Named, Paragraph, Report, Section, number
from ._step import Step, record


class LayerTrace(NamedTuple):
    """What one layer computes in a step.

    One for each layer is in the `layers` of a `BackpropagationTrace`.

    Parameters
    ----------
    name : str
        The layer's activation; for the last layer the link from raw scores (logits) to predictions.
    inputs : ndarray or CSR of shape (n_samples, fan_in)
        The network's inputs, or the outputs of the layer below.
    shift : ndarray of shape (fan_in,) or None
        What the first layer takes off each row of sparse inputs, which stay sparse; None elsewhere.
    weights : ndarray of shape (fan_in, fan_out)
        Before the step.
    biases : ndarray of shape (fan_out,) or None
        Before the step; None without `fit_intercept`, here and below.
    raw_scores : ndarray of shape (n_samples, fan_out)
        (inputs - shift) @ weights + biases.
    activations : ndarray of shape (n_samples, fan_out)
        What f makes of the raw scores; for the last layer the predictions.
    mask : ndarray of shape (n_samples, fan_out) or None
        What dropout multiplies the activations by, 0 or 1 / (1 - dropout); None without dropout.
    received : ndarray of shape (n_samples, fan_out), for the last layer (n_samples, 1)
        The error that comes from above: delta @ weights.T of the layer above (times the mask); for the last layer how much
        each sample counts, its weight / n_samples.
    derivative : ndarray of shape (n_samples, fan_out)
        That of f at the raw scores, f'; for the last layer that of each sample's loss by its raw scores.
    delta : ndarray of shape (n_samples, fan_out)
        The derivative of the loss by the raw scores, received * derivative (the chain rule).
    weights_gradient : ndarray of shape (fan_in, fan_out)
        (inputs - shift).T @ delta + penalty * weights.
    biases_gradient : ndarray of shape (fan_out,) or None
        The sum of delta over the samples.
    weights_update : ndarray of shape (fan_in, fan_out)
        What the step adds to the weights.
    biases_update : ndarray of shape (fan_out,) or None
        What the step adds to the biases.
    penalty : float
        Factor on the weights in their gradient: the L2 penalty's.

    See Also
    --------
    trace_backpropagation : Shows every array of a training step.
    BackpropagationTrace : Its result.

    Examples
    --------
    >>> from skbackprop import SigmoidBackpropRegressor
    >>> from skbackprop.inspection import trace_backpropagation
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]
    >>> hidden, output = trace_backpropagation(SigmoidBackpropRegressor(hidden_layer_sizes=2, random_state=0), X, y).layers
    >>> hidden.weights.shape, output.inputs.shape
    ((1, 2), (3, 2))
    """

    name: str
    inputs: np.ndarray
    shift: np.ndarray | None
    weights: np.ndarray
    biases: np.ndarray | None
    raw_scores: np.ndarray
    activations: np.ndarray
    mask: np.ndarray | None
    received: np.ndarray
    derivative: np.ndarray
    delta: np.ndarray
    weights_gradient: np.ndarray
    biases_gradient: np.ndarray | None
    weights_update: np.ndarray
    biases_update: np.ndarray | None
    penalty: float

    def __repr__(self):
        shown = [Named(name, "", value).text() for name, value in self._asdict().items() if np.ndim(value)]
        return "\n".join([self.name, *shown])


@dataclass(eq=False, repr=False)
class BackpropagationTrace(Report):
    """Result of `trace_backpropagation`.

    It prints as text. In a notebook it shows as tables side by side, each pass through a layer to be folded away, with the
    names of samples, inputs, units and outputs, and values above zero in red, below zero in blue.

    Parameters
    ----------
    layers : list of LayerTrace
        From the inputs up.
    targets : ndarray of shape (n_samples, n_outputs)
        What the last layer's activations should be: the targets, encoded.
    loss : float
        Mean loss of a sample before the step, with the penalty.
    optimizer : str
        The update rule.
    learning_rate : float or None
        Learning rate of this step; None for a rule without one.
    standardized : bool
        Whether the first layer's inputs are standardised.
    about : list of str
        The formulas of the activations and of the loss.
    input_names, output_names : list of str or None
        Names of the network's inputs and outputs; None for x1, x2, ... and for output 1, output 2, ...

    See Also
    --------
    trace_backpropagation : Shows every array of a training step.

    Examples
    --------
    >>> from skbackprop import SigmoidBackpropRegressor
    >>> from skbackprop.inspection import trace_backpropagation
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]
    >>> trace = trace_backpropagation(SigmoidBackpropRegressor(hidden_layer_sizes=2, random_state=0), X, y)
    >>> trace.targets.ravel().round(3), len(trace.layers)
    (array([-0.981, -0.392,  1.373]), 2)
    """

    layers: list[LayerTrace]
    targets: np.ndarray
    loss: float
    optimizer: str
    learning_rate: float | None
    standardized: bool
    about: list[str]
    input_names: list[str] | None = None
    output_names: list[str] | None = None

    def _parts(self):
        layers = self.layers
        sizes = [layers[0].weights.shape[0], *(layer.weights.shape[1] for layer in layers)]
        what = f"One step of backpropagation: {len(self.targets)} samples, layers of {' -> '.join(map(str, sizes))} units."
        at = "" if self.learning_rate is None else f", learning rate {number(self.learning_rate)}"
        step = f"Loss before the step: {number(self.loss)}. Update rule: {self.optimizer}{at}."
        legend = "@ is the matrix product, * that of entries; the chain rule is the line delta = received * derivative."
        parts = [Paragraph(words) for words in (what, step, *self.about, legend)]
        numbered = list(enumerate(layers, 1))
        for k, layer in numbered:
            parts.append(Section(f"Forward, {self._title(k)}", self._forward(k, layer)))
        for k, layer in reversed(numbered):
            parts.append(Section(f"Backward, {self._title(k)}", self._backward(k, layer)))
        return parts

    def _title(self, k):
        return f"layer {k} ({'output, ' if k == len(self.layers) else ''}f = {self.layers[k - 1].name})"

    def _units(self, k):
        """Return the names of the units of layer k; those of the inputs, if it is 0."""
        if k == 0:
            return self.input_names or _numbered("x", self.layers[0].weights.shape[0])
        fan_out = self.layers[k - 1].weights.shape[1]
        if k < len(self.layers):
            return _numbered("unit ", fan_out)
        return self.output_names or _numbered("output ", fan_out)

    def _forward(self, k, layer):
        """Return the arrays of the forward pass through layer k."""
        below = "X, standardised" if self.standardized else "X"
        if k > 1:
            below = f"activations of layer {k - 1}" + ("" if self.layers[k - 2].mask is None else " * mask")
        inputs = "inputs" if layer.shift is None else "(inputs - shift)"
        biases = "" if layer.biases is None else " + biases"
        samples, fan_in, fan_out = _numbered("sample ", len(self.targets)), self._units(k - 1), self._units(k)
        arrays = [
            Named("inputs", below, layer.inputs, samples, fan_in),
            Named("shift", "means of the inputs", layer.shift, (), fan_in),
            Named("weights", "", layer.weights, fan_in, fan_out),
            Named("biases", "", layer.biases, (), fan_out),
            Named("raw scores", f"{inputs} @ weights{biases}", layer.raw_scores, samples, fan_out),
            Named("activations", "f(raw scores)", layer.activations, samples, fan_out),
            Named("mask", "dropout: 0 for a unit that is silent", layer.mask, samples, fan_out),
            Named("targets", "y, encoded", self.targets if k == len(self.layers) else None, samples, fan_out),
        ]
        return [named for named in arrays if named.array is not None]

    def _backward(self, k, layer):
        """Return the arrays of the backward pass through layer k."""
        samples, fan_in, fan_out = _numbered("sample ", len(self.targets)), self._units(k - 1), self._units(k)
        if k == len(self.layers):
            weighted = np.ptp(layer.received) > 0
            received = f"what a sample counts: {'its weight, of mean 1,' if weighted else '1'} / {len(self.targets)}"
            derivative = "derivative of a sample's loss by its raw scores"
            if np.allclose(layer.derivative, layer.activations - self.targets):
                derivative += ", here activations - targets"
        else:
            received = f"delta @ weights.T of layer {k + 1}" + ("" if layer.mask is None else ", times mask")
            derivative = "f'(raw scores)"
        inputs = "inputs" if layer.shift is None else "(inputs - shift)"
        penalty = f" + {number(layer.penalty)} * weights" if layer.penalty else ""
        arrays = [
            Named("received", received, layer.received, samples, fan_out if k < len(self.layers) else [""]),
            Named("derivative", derivative, layer.derivative, samples, fan_out),
            Named("delta", "received * derivative", layer.delta, samples, fan_out),
            Named("gradient of weights", f"{inputs}.T @ delta{penalty}", layer.weights_gradient, fan_in, fan_out),
            Named("gradient of biases", "delta summed over the samples", layer.biases_gradient, (), fan_out),
            Named("update of weights", "what the update rule adds", layer.weights_update, fan_in, fan_out),
            Named("update of biases", "what the update rule adds", layer.biases_update, (), fan_out),
        ]
        return [named for named in arrays if named.array is not None]


def trace_backpropagation(
    estimator: Any, X: Data, y: Data | None = None, sample_weight: Weights = None
) -> BackpropagationTrace:
    """Show every array of one training step, from the inputs to the update of the weights.

    The values are those of training, from the same code and in the same dtype. The samples given are the only batch, in the
    order given: nothing is held out or shuffled, whatever `batch_size`, `shuffle` and `early_stopping` say.

    Parameters
    ----------
    estimator : estimator
        If it is not fitted, the step is the first of `fit`. If it is fitted, the step is the next one from its weights; the
        optimizer and the learning rate go on from the state that `warm_start=True` or `partial_fit` kept, or else begin
        anew.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Inputs; a handful of samples reads best.
    y : array-like, default=None
        Targets, as for `fit`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.

    Returns
    -------
    trace : BackpropagationTrace
        Its `layers` hold the arrays by name. Printed, the forward pass goes up through the layers and the backward pass
        down, with the formula of each array; arrays of more than 10 rows or columns are summarised.

    Raises
    ------
    TypeError
        If `estimator` is not a network of this package.
    ValueError
        If the data or the parameters are not valid for training.

    Notes
    -----
    With A the inputs of a layer, Z = A W + b its raw scores (logits) and f its activation, the chain rule gives
    delta = (delta W^T of the layer above) f'(Z), and from it the gradients: A^T delta for the weights, and the sum of delta
    for the biases (Rumelhart, Hinton and Williams, 1986). The gradient is that before `clip_norm`; the update includes
    `clip_norm`, `weight_decay`, momentum and the learning rate. With `solver="lbfgs"` it is the update of the first
    iteration.

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
    return trace_of(Step(estimator, X, y, sample_weight))


def trace_of(step):
    """Return the `BackpropagationTrace` of a step."""
    functions = [*step.network.activations, step.objective.loss]
    names = [*map(repr, functions[:-1]), step.objective.loss.output_activation]
    about = list(dict.fromkeys(map(_about, functions)))
    layers, loss, learning_rate = record(step)
    layers = [LayerTrace(name=name, **arrays) for name, arrays in zip(names, layers, strict=True)]
    rule = repr(step.optimizer)
    names = step.input_names, step.output_names
    return BackpropagationTrace(layers, step.Y.copy(), loss, rule, learning_rate, step.standardized, about, *names)


def _numbered(word, size):
    """Return names that end in 1, 2, 3 and so on."""
    return [f"{word}{number}" for number in range(1, size + 1)]


def _about(function):
    """Return the name of an activation or a loss with the first line of its class's docstring, which is its formula."""
    lines = (function.__doc__ or "").strip().splitlines()
    return f"{function!r}: {lines[0]}" if lines else repr(function)
