"""A feed-forward network: layers as views on one flat parameter vector, forward and backward in preallocated buffers."""

from itertools import pairwise

import numpy as np
from scipy.sparse import issparse

from ._blas import add_outer

# Rows predicted at a time are as many as keep the widest layer's activations within a core's own cache.
PREDICTION_BYTES = 256 * 1024


class Network:
    """Layer sizes, activations, and all parameters in one vector.

    Parameters
    ----------
    layer_sizes : sequence of int
        Number of inputs, of units in each hidden layer, of outputs.
    activations : sequence of Activation
        One for each hidden layer.
    fit_intercept : bool
        Whether the layers have biases; without them `intercepts` stay zero and outside `theta`.
    dtype : numpy.dtype
        float32 or float64.

    Attributes
    ----------
    theta : ndarray of shape (n_parameters,)
        All weights, layer after layer, then all biases.
    weights : ndarray of shape (n_weights,)
        The part of `theta` that holds weights.
    coefs, intercepts : list of ndarray
        Views on `theta`, of shapes (fan_in, fan_out) and (fan_out,).
    """

    def __init__(self, layer_sizes, activations, fit_intercept, dtype):
        self.layer_sizes = tuple(layer_sizes)
        self.activations = tuple(activations)
        self.fit_intercept = fit_intercept
        self.n_weights = sum(fan_in * fan_out for fan_in, fan_out in pairwise(self.layer_sizes))
        n_biases = sum(self.layer_sizes[1:]) if fit_intercept else 0
        self.theta = np.zeros(self.n_weights + n_biases, dtype)
        self.weights = self.theta[: self.n_weights]
        self.coefs, self.intercepts = self.layer_views(self.theta)

    def layer_views(self, vector):
        """Return the parts of a vector laid out like `theta`: weight matrices and bias vectors, layer by layer."""
        coefs, intercepts, start = [], [], 0
        for fan_in, fan_out in pairwise(self.layer_sizes):
            coefs.append(vector[start : start + fan_in * fan_out].reshape(fan_in, fan_out))
            start += fan_in * fan_out
        for fan_out in self.layer_sizes[1:]:
            intercepts.append(vector[start : start + fan_out] if self.fit_intercept else np.zeros(fan_out, vector.dtype))
            start += fan_out
        return coefs, intercepts

    def initialize(self, initializer, random_state):
        """Fill all parameters, layer by layer, by an initializer's rule."""
        fed_by = (None, *self.activations)
        own = (*self.activations, self.activations[-1] if self.activations else None)
        for coef, intercept, below, activation in zip(self.coefs, self.intercepts, fed_by, own, strict=True):
            initializer.fill(coef, intercept if self.fit_intercept else None, below, activation, random_state)


class Propagation:
    """The buffers for batches of one size, with the forward and the backward pass through them.

    Parameters
    ----------
    network : Network
    gradient : ndarray of shape (n_parameters,)
        Receives the gradient, laid out like `network.theta`.
    n_rows : int
        Number of samples in a batch.
    dropout : float, default=0.0
        Probability that a hidden unit is silent in a step.
    generator : numpy.random.Generator, default=None
        Decides which; needed for dropout alone.
    """

    def __init__(self, network, gradient, n_rows, dropout=0.0, generator=None):
        dtype = network.theta.dtype
        self.coefs, self.intercepts = network.coefs, network.intercepts
        self.activations = network.activations
        self.fit_intercept = network.fit_intercept
        self.coef_gradients, self.intercept_gradients = network.layer_views(gradient)
        self.ones = np.ones(n_rows, dtype)
        hidden = [(n_rows, size) for size in network.layer_sizes[1:-1]]
        self.outputs = [np.empty(shape, dtype) for shape in hidden]
        self.deltas = [np.empty(shape, dtype) for shape in hidden]
        self.caches = [
            np.empty(shape, dtype) if activation.needs_cache else None
            for shape, activation in zip(hidden, self.activations, strict=True)
        ]
        self.keep, self.generator = 1.0 - dropout, generator
        self.masks = [np.empty(shape, dtype) if dropout else None for shape in hidden]
        # What the next layer sees: the outputs themselves, unless dropout silences some.
        self.inputs = [np.empty(shape, dtype) for shape in hidden] if dropout else self.outputs
        # Outputs are few: in Fortran order a loss reduces over them along the samples, several times faster.
        self.raw_scores, self.delta, self.scratch = (
            np.empty((n_rows, network.layer_sizes[-1]), dtype, order="F") for _ in range(3)
        )
        self.values = np.empty(n_rows, dtype)
        self._raw_scores_t = self.raw_scores.T

    def forward(self, X):
        """Compute and return the raw scores of a batch `X` of shape (n_rows, n_features)."""
        A = X
        for layer, activation in enumerate(self.activations):
            Z = self.outputs[layer]
            if issparse(A):
                np.add(A @ self.coefs[layer], self.intercepts[layer], Z)
            else:
                A.dot(self.coefs[layer], Z)
                if self.fit_intercept:
                    add_outer(self.intercepts[layer], self.ones, Z.T)
            activation.forward(Z, self.caches[layer])
            A = self.inputs[layer]
            if A is not Z:
                self._drop_out(layer)
        if issparse(A):
            np.copyto(self.raw_scores, A @ self.coefs[-1])
        else:
            self.coefs[-1].T.dot(A.T, self._raw_scores_t)
        if self.fit_intercept:
            add_outer(self.ones, self.intercepts[-1], self.raw_scores)
        return self.raw_scores

    def _drop_out(self, layer):
        """Silence units at random and scale the rest up, so that the expected input of the next layer stays."""
        mask = self.masks[layer]
        self.generator.random(dtype=mask.dtype, out=mask)
        np.less(mask, self.keep, out=mask)
        np.divide(mask, self.keep, mask)
        np.multiply(self.outputs[layer], mask, self.inputs[layer])

    def backward(self, X):
        """Fill the gradient from `delta`, the derivative of the loss with respect to the raw scores of the batch `X`."""
        delta = self.delta
        for layer in range(len(self.coefs) - 1, -1, -1):
            A = self.inputs[layer - 1] if layer else X
            if issparse(A):
                np.copyto(self.coef_gradients[layer], A.T @ delta)
            else:
                A.T.dot(delta, self.coef_gradients[layer])
            if self.fit_intercept:
                self.ones.dot(delta, self.intercept_gradients[layer])
            if layer:
                below = self.deltas[layer - 1]
                delta = delta.dot(self.coefs[layer].T, below)
                if self.masks[layer - 1] is not None:
                    np.multiply(delta, self.masks[layer - 1], delta)
                self.activations[layer - 1].backward(self.outputs[layer - 1], self.caches[layer - 1], delta)


def raw_scores(coefs, intercepts, activations, X):
    """Return the raw scores for `X`, computed in chunks of rows whose activations fit in cache.

    Parameters
    ----------
    coefs, intercepts : list of ndarray
        Parameters, layer by layer, of shapes (fan_in, fan_out) and (fan_out,).
    activations : sequence of Activation
        One for each hidden layer.
    X : ndarray or CSR of shape (n_samples, n_features)

    Returns
    -------
    Z : ndarray of shape (n_samples, n_outputs)
        In the dtype that `X` and the parameters promote to.
    """
    n_rows, dtype = X.shape[0], np.result_type(X.dtype, coefs[0].dtype)
    Z = np.empty((n_rows, coefs[-1].shape[1]), dtype)
    widest = max(coef.shape[1] for coef in coefs)
    chunk = min(n_rows, max(1, PREDICTION_BYTES // (widest * dtype.itemsize)))
    buffers = [np.empty((chunk, coef.shape[1]), dtype) for coef in coefs[:-1]]
    caches = [
        np.empty_like(buffer) if activation.needs_cache else None
        for buffer, activation in zip(buffers, activations, strict=True)
    ]
    # Overflow in exp gives inf and then exactly 0 or 1, which is right.
    with np.errstate(over="ignore"):
        for start in range(0, n_rows, max(1, chunk)):
            A = X[start : start + chunk]
            n_chunk = A.shape[0]
            for layer, activation in enumerate(activations):
                A = _affine(A, coefs[layer], intercepts[layer], buffers[layer][:n_chunk])
                cache = caches[layer]
                activation.forward(A, None if cache is None else cache[:n_chunk])
            _affine(A, coefs[-1], intercepts[-1], Z[start : start + n_chunk])
    return Z


def _affine(A, coef, intercept, out):
    """Write A W + b into `out` and return it."""
    if issparse(A):
        return np.add(A @ coef, intercept, out)
    np.matmul(A, coef, out=out)
    return np.add(out, intercept, out)
