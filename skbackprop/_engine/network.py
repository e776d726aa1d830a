"""A feed-forward network: layers as views on one flat parameter vector, forward and backward in preallocated buffers."""

from itertools import accumulate, pairwise

import numpy as np
from scipy.sparse import csr_array

from .._blas import add_outer


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
    largest : int
        Weights of the layer that has most.
    weights : ndarray of shape (n_weights,)
        The part of `theta` that holds weights.
    coefs, intercepts : list of ndarray
        Views on `theta`, of shapes (fan_in, fan_out) and (fan_out,).
    shift : ndarray of shape (n_features,) or None
        What is to be taken off each row of sparse inputs: the first layer does so, and they stay sparse.
    """

    def __init__(self, layer_sizes, activations, fit_intercept, dtype):
        self.layer_sizes = tuple(layer_sizes)
        self.activations = tuple(activations)
        self.fit_intercept = fit_intercept
        shapes, sizes = list(pairwise(self.layer_sizes)), self.layer_sizes[1:]
        ends = list(accumulate([fan_in * fan_out for fan_in, fan_out in shapes] + list(sizes), initial=0))
        # Where in `theta` the weights and the biases of each layer are.
        places = list(map(slice, ends[:-1], ends[1:]))
        self._weights_at, self._biases_at = list(zip(places, shapes, strict=False)), places[len(shapes) :]
        self.n_weights = ends[len(shapes)]
        self.largest = max([fan_in * fan_out for fan_in, fan_out in shapes])
        self.shift = None
        self._hold(np.zeros(ends[-1] if fit_intercept else self.n_weights, dtype))

    def _hold(self, theta):
        """Have these parameters."""
        self.theta = theta
        self.weights = theta[: self.n_weights]
        self.coefs, self.intercepts = self.layer_views(theta)

    def layer_views(self, vector):
        """Return the parts of a vector laid out like `theta`: weight matrices and bias vectors, layer by layer."""
        coefs = [vector[place].reshape(shape) for place, shape in self._weights_at]
        if self.fit_intercept:
            return coefs, [vector[place] for place in self._biases_at]
        return coefs, [np.zeros(size, vector.dtype) for size in self.layer_sizes[1:]]

    def twin(self):
        """Return a network of the same shape, with parameters of its own."""
        twin = object.__new__(Network)
        twin.__dict__.update(self.__dict__, shift=None)
        twin._hold(np.zeros(self.theta.size, self.theta.dtype))
        return twin

    def initialize(self, initializer, random_state):
        """Fill all parameters, layer by layer, by an initializer's rule."""
        fed_by = (None, *self.activations)
        own = (*self.activations, self.activations[-1] if self.activations else None)
        for coef, intercept, below, activation in zip(self.coefs, self.intercepts, fed_by, own, strict=True):
            initializer.fill(coef, intercept if self.fit_intercept else None, below, activation, random_state)
        self.coefs[-1] *= initializer.output_scale
        self.intercepts[-1] *= initializer.output_scale


def _sparse_product(A, delta, out):
    """Write the product of the transposed CSR batch `A` and `delta` into `out`."""
    if A.nnz > A.shape[1]:
        np.copyto(out, A.T @ delta)
        return
    # Most columns of a wide batch are empty: the product of the others is small, and no second `out` is made for it.
    columns, positions = np.unique(A.indices, return_inverse=True)
    compact = csr_array((A.data, positions, A.indptr), shape=(A.shape[0], len(columns)))
    out.fill(0)
    out[columns] = compact.T @ delta


class Layer:
    """One layer's share of the forward and the backward pass over batches of one size.

    Parameters
    ----------
    coef, intercept : ndarray of shapes (fan_in, fan_out) and (fan_out,)
        Parameters; `intercept` may be None.
    coef_gradient, intercept_gradient : ndarray
        Receive their gradients.
    n_rows : int
        Number of samples in a batch.
    order : {"C", "F"}
        Memory layout of what the layer computes.

    Attributes
    ----------
    output, delta : ndarray of shape (n_rows, fan_out)
        What the layer computes, and the derivative of the loss with respect to its raw scores.
    shift : ndarray of shape (fan_in,) or None
        What is taken off each row of sparse inputs; it needs biases.
    """

    shift = None

    def __init__(self, coef, intercept, coef_gradient, intercept_gradient, n_rows, order):
        self.coef, self.coef_t, self.intercept = coef, coef.T, intercept
        self.coef_gradient, self.intercept_gradient = coef_gradient, intercept_gradient
        self.ones = np.ones(n_rows, coef.dtype)
        self.output, self.delta = (np.empty((n_rows, coef.shape[1]), coef.dtype, order) for _ in range(2))
        self.output_t = self.output.T

    def forward(self, A):
        """Compute and return the output for the inputs `A` of shape (n_rows, fan_in)."""
        raise NotImplementedError

    def backward(self, A):
        """Compute the gradients from `delta` and the inputs `A`."""
        if self.intercept is not None:
            self.ones.dot(self.delta, self.intercept_gradient)
        if type(A) is np.ndarray:
            A.T.dot(self.delta, self.coef_gradient)
            return
        _sparse_product(A, self.delta, self.coef_gradient)
        if self.shift is not None:
            add_outer(-self.intercept_gradient, self.shift, self.coef_gradient.T)

    def _sparse_forward(self, A):
        """Compute the product of sparse inputs, shifted, and the weights."""
        np.copyto(self.output, A @ self.coef)
        if self.shift is not None:
            np.subtract(self.output, self.shift @ self.coef, self.output)


class OutputLayer(Layer):
    """The raw scores.

    Outputs are few: in Fortran order a loss reduces over them along the samples, several times faster.
    """

    def __init__(self, *parameters):
        super().__init__(*parameters, order="F")

    def forward(self, A):
        """Compute and return the raw scores for the inputs `A`."""
        if type(A) is np.ndarray:
            self.coef_t.dot(A.T, self.output_t)
        else:
            self._sparse_forward(A)
        if self.intercept is not None:
            add_outer(self.ones, self.intercept, self.output)
        return self.output


class HiddenLayer(Layer):
    """An affine map and an activation, perhaps with dropout.

    Parameters
    ----------
    activation : Activation
    dropout : float
        Probability that a unit is silent in a step.
    generator : numpy.random.Generator or None
        Decides which.
    *parameters
        Those of `Layer`.
    """

    def __init__(self, activation, dropout, generator, *parameters):
        super().__init__(*parameters, order="C")
        self.activation = activation
        self.cache = np.empty_like(self.output) if activation.needs_cache else None
        self.keep, self.generator = 1.0 - dropout, generator
        self.mask, self.dropped = (np.empty_like(self.output) for _ in range(2)) if dropout else (None, None)

    def forward(self, A):
        """Compute and return the activations for the inputs `A`."""
        output = self.output
        if type(A) is np.ndarray:
            A.dot(self.coef, output)
        else:
            self._sparse_forward(A)
        if self.intercept is not None:
            add_outer(self.intercept, self.ones, self.output_t)
        self.activation.forward(output, self.cache)
        return output if self.mask is None else self._drop_out()

    def _drop_out(self):
        """Silence units at random and scale the rest up, so that the expected input of the next layer stays."""
        self.generator.random(dtype=self.mask.dtype, out=self.mask)
        np.less(self.mask, self.keep, out=self.mask)
        np.divide(self.mask, self.keep, self.mask)
        return np.multiply(self.output, self.mask, self.dropped)

    def receive(self, above):
        """Compute `delta` from that of the layer above: the chain rule."""
        delta = above.delta.dot(above.coef_t, self.delta)
        if self.mask is not None:
            np.multiply(delta, self.mask, delta)
        self.activation.backward(self.output, self.cache, delta)


class Propagation:
    """The forward and the backward pass over batches of one size, in buffers made once.

    Parameters
    ----------
    network : Network
    gradient : ndarray of shape (n_parameters,)
        Receives the gradient, laid out like `network.theta`.
    n_rows : int
        Number of samples in a batch.
    dropout, generator
        See `HiddenLayer`.
    """

    def __init__(self, network, gradient, n_rows, dropout=0.0, generator=None):
        intercepts = network.intercepts if network.fit_intercept else [None] * len(network.coefs)
        parts = list(zip(network.coefs, intercepts, *network.layer_views(gradient), strict=True))
        self.hidden = [
            HiddenLayer(activation, dropout, generator, *part, n_rows)
            for activation, part in zip(network.activations, parts[:-1], strict=True)
        ]
        self.last = OutputLayer(*parts[-1], n_rows)
        (self.hidden or [self.last])[0].shift = network.shift
        self.delta = self.last.delta
        self.scratch, self.values = np.empty_like(self.delta), np.empty(n_rows, self.delta.dtype)
        self._downward = list(pairwise([self.last, *reversed(self.hidden)]))

    def forward(self, X):
        """Compute and return the raw scores of a batch `X` of shape (n_rows, n_features)."""
        A = X
        for layer in self.hidden:
            A = layer.forward(A)
        return self.last.forward(A)

    def backward(self, X):
        """Fill the gradient from `delta`, the derivative of the loss with respect to the raw scores of the batch `X`."""
        lowest = self.last
        for above, layer in self._downward:
            above.backward(layer.output if layer.dropped is None else layer.dropped)
            layer.receive(above)
            lowest = layer
        lowest.backward(X)
