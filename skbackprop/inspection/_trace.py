"""One step of backpropagation, array by array."""

from typing import NamedTuple

import numpy as np

from ._report import Arrays, Heading, Paragraph, Report, number


class LayerTrace(NamedTuple):
    """What one layer computes in a step; n_samples rows each where it is by sample.

    Attributes
    ----------
    name : str
        The layer's activation; of the last layer the link from raw scores to predictions.
    inputs : ndarray or CSR of shape (n_samples, fan_in)
        The network's inputs, or what the layer below puts out.
    weights, biases : ndarray of shapes (fan_in, fan_out) and (fan_out,)
        Before the step; biases are None without `fit_intercept`, here and below.
    raw_scores : ndarray of shape (n_samples, fan_out)
        inputs @ weights + biases.
    activations : ndarray of shape (n_samples, fan_out)
        f(raw_scores); of the last layer the predictions.
    mask : ndarray of shape (n_samples, fan_out) or None
        What dropout multiplies the activations by, 0 or 1 / (1 - dropout); None without.
    received : ndarray of shape (n_samples, fan_out), of the last layer (n_samples, 1)
        The error that comes from above: delta @ weights.T of the layer above (times the mask); at the last layer what each
        sample counts, its weight / n_samples.
    derivative : ndarray of shape (n_samples, fan_out)
        f'(raw_scores); of the last layer that of each sample's loss by its raw scores.
    delta : ndarray of shape (n_samples, fan_out)
        received * derivative: the derivative of the loss by the raw scores (the chain rule).
    weights_gradient, biases_gradient : ndarray of the shapes of weights and biases
        inputs.T @ delta, plus the penalty's share, and the sum of delta over the samples.
    weights_update, biases_update : ndarray of the shapes of weights and biases
        What the step adds.
    """

    name: str
    inputs: np.ndarray
    weights: np.ndarray
    biases: np.ndarray
    raw_scores: np.ndarray
    activations: np.ndarray
    mask: np.ndarray
    received: np.ndarray
    derivative: np.ndarray
    delta: np.ndarray
    weights_gradient: np.ndarray
    biases_gradient: np.ndarray
    weights_update: np.ndarray
    biases_update: np.ndarray

    def __repr__(self):
        shown = [(name, "", value) for name, value in self._asdict().items() if name != "name" and value is not None]
        return f"{self.name}\n{Arrays(shown).text()}"


class BackpropagationTrace(Report):
    """Result of `trace_backpropagation`.

    Parameters
    ----------
    layers : list of LayerTrace
        From the inputs up.
    targets : ndarray of shape (n_samples, n_outputs)
        What the last layer's activations should be, encoded.
    loss : float
        Before the step, penalty included, in the unit of the loss a sample.
    penalty : float
        Factor on the weights in their gradient: alpha / (total weight of the samples).
    optimizer : str
        The update rule.
    learning_rate : float or None
        Of this step; None for a rule without.
    standardized : bool
        Whether the first layer's inputs are standardised.
    about : list of str
        The formulas of the activations and of the loss.

    Attributes
    ----------
    layers, targets, loss, penalty, optimizer, learning_rate, standardized, about
        The parameters.
    """

    def __init__(self, layers, targets, loss, penalty, optimizer, learning_rate, standardized, about):
        self.layers, self.targets, self.loss = layers, targets, loss
        self.penalty, self.optimizer, self.learning_rate = penalty, optimizer, learning_rate
        self.standardized, self.about = standardized, about

    def _parts(self):
        layers, rate = self.layers, self.learning_rate
        sizes = [layers[0].weights.shape[0], *(layer.weights.shape[1] for layer in layers)]
        what = f"One step of backpropagation: {len(self.targets)} samples, layers of {' -> '.join(map(str, sizes))} units."
        at = "" if rate is None else f", learning rate {number(rate)}"
        step = f"Loss before the step: {number(self.loss)}. Update rule: {self.optimizer}{at}."
        legend = "@ is the matrix product, * that of entries; the chain rule is the line delta = received * derivative."
        parts = [Paragraph(words) for words in (what, step, *self.about, legend)]
        numbered = list(enumerate(layers, 1))
        for k, layer in numbered:
            parts += [Heading(f"Forward, {self._title(k)}"), Arrays(self._forward(k, layer))]
        for k, layer in reversed(numbered):
            parts += [Heading(f"Backward, {self._title(k)}"), Arrays(self._backward(k, layer))]
        return parts

    def _title(self, k):
        last = k == len(self.layers)
        return f"layer {k} ({'output, ' if last else ''}f = {self.layers[k - 1].name})"

    def _forward(self, k, layer):
        """Return names, formulas and arrays of the forward pass through layer k."""
        below = "X, standardised" if self.standardized else "X"
        if k > 1:
            below = f"activations of layer {k - 1}" + ("" if self.layers[k - 2].mask is None else " * mask")
        rows = [("inputs", below, layer.inputs), ("weights", "", layer.weights)]
        if layer.biases is not None:
            rows.append(("biases", "", layer.biases))
        plus = "" if layer.biases is None else " + biases"
        rows.append(("raw scores", f"inputs @ weights{plus}", layer.raw_scores))
        rows.append(("activations", "f(raw scores)", layer.activations))
        if layer.mask is not None:
            rows.append(("mask", "dropout: 0 for a unit that is silent", layer.mask))
        if k == len(self.layers):
            rows.append(("targets", "y, encoded", self.targets))
        return rows

    def _backward(self, k, layer):
        """Return names, formulas and arrays of the backward pass through layer k."""
        if k == len(self.layers):
            weighted = np.ptp(layer.received) > 0
            received = f"what a sample counts: {'its weight, of mean 1,' if weighted else '1'} / {len(self.targets)}"
            derivative = "derivative of a sample's loss by its raw scores"
            if np.allclose(layer.derivative, layer.activations - self.targets):
                derivative += ", here activations - targets"
        else:
            received = f"delta @ weights.T of layer {k + 1}" + ("" if layer.mask is None else ", times mask")
            derivative = "f'(raw scores)"
        penalty = f" + {number(self.penalty)} * weights" if self.penalty else ""
        rows = [
            ("received", received, layer.received),
            ("derivative", derivative, layer.derivative),
            ("delta", "received * derivative", layer.delta),
            ("gradient of weights", f"inputs.T @ delta{penalty}", layer.weights_gradient),
            ("gradient of biases", "delta summed over the samples", layer.biases_gradient),
            ("update of weights", "what the update rule adds", layer.weights_update),
            ("update of biases", "what the update rule adds", layer.biases_update),
        ]
        return [row for row in rows if row[2] is not None]
