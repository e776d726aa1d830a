"""Prediction from weights alone: raw scores in chunks of rows, hidden activations, gradients with respect to the inputs."""

from itertools import accumulate

import numpy as np

# Rows predicted at a time are as many as keep the widest layer's activations within a core's own cache.
PREDICTION_BYTES = 256 * 1024
# Of several threads, each takes so many chunks at a time.
CHUNKS_AT_A_TIME = 4


def raw_scores(coefs, intercepts, activations, X, share=None):
    """Return the raw scores for `X`, computed in chunks of rows whose activations fit in cache.

    Parameters
    ----------
    coefs, intercepts : list of ndarray
        Parameters, layer by layer, of shapes (fan_in, fan_out) and (fan_out,).
    activations : sequence of Activation
        One for each hidden layer.
    X : ndarray or CSR of shape (n_samples, n_features)
    share : callable, default=None
        Called with a function and a list of arguments for it, one at a time, in place of a loop: the work, for several
        threads to share. The scores are the same, bit for bit.

    Returns
    -------
    Z : ndarray of shape (n_samples, n_outputs)
        In the dtype that `X` and the weights promote to.

    Notes
    -----
    An overflow in exp gives inf and then exactly 0 or 1, which is right: the caller silences it (`np.errstate`).
    """
    dtype = coefs[0].dtype
    if X.dtype != dtype:
        dtype = np.result_type(X.dtype, dtype)
        coefs, intercepts = ([part.astype(dtype, copy=False) for part in parts] for parts in (coefs, intercepts))
    n_rows = X.shape[0]
    widest = max(coef.shape[1] for coef in coefs)
    chunk = max(1, PREDICTION_BYTES // (widest * dtype.itemsize))
    if n_rows <= chunk:
        return _forward(coefs, intercepts, activations, X.astype(dtype, copy=False), [None] * len(coefs))
    # Of several types only where weights were set by hand; each product has the type that all before it promote to.
    dtypes = list(accumulate((coef.dtype for coef in coefs), np.result_type))
    Z = np.empty((n_rows, coefs[-1].shape[1]), dtypes[-1])

    def predict(starts):
        buffers = [np.empty((chunk, coef.shape[1]), of) for coef, of in zip(coefs[:-1], dtypes, strict=False)]
        for start in starts:
            rows = slice(start, min(start + chunk, n_rows))
            outs = [buffer[: rows.stop - start] for buffer in buffers]
            _forward(coefs, intercepts, activations, X[rows].astype(dtype, copy=False), [*outs, Z[rows]])

    starts = range(0, n_rows, chunk)
    if share is None:
        predict(starts)
    else:
        share(predict, [starts[i : i + CHUNKS_AT_A_TIME] for i in range(0, len(starts), CHUNKS_AT_A_TIME)])
    return Z


def hidden_activations(coefs, intercepts, activations, X, layer, share=None):
    """Return the activations of the hidden layer of that number, of shape (n_samples, n_units); see `raw_scores`."""
    # Up to there the network is one whose last layer has an activation.
    stop = layer + 1
    A = raw_scores(coefs[:stop], intercepts[:stop], activations[:layer], X, share)
    activations[layer].forward(A, np.empty_like(A) if activations[layer].needs_cache else None)
    return A


def input_gradient(coefs, intercepts, activations, X, outputs):
    """Return the gradient of one raw score of each sample with respect to its inputs: backpropagation down to them.

    Parameters
    ----------
    coefs, intercepts, activations, X
        See `raw_scores`.
    outputs : ndarray of int of shape (n_samples,)
        Number of the output unit whose raw score is meant.

    Returns
    -------
    gradient : ndarray of shape (n_samples, n_features)
    """
    A, below = X, []
    for coef, intercept, activation in zip(coefs, intercepts, activations, strict=False):
        A = _affine(A, coef, intercept, None)
        cache = np.empty_like(A) if activation.needs_cache else None
        activation.forward(A, cache)
        below.append((activation, A, cache))
    delta = coefs[-1].T[outputs].astype(np.result_type(A, coefs[-1]), copy=False)
    for coef, (activation, A, cache) in zip(reversed(coefs[:-1]), reversed(below), strict=True):
        activation.backward(A, cache, delta)
        delta = delta @ coef.T
    return delta


def _forward(coefs, intercepts, activations, A, outs):
    """Return the raw scores for the inputs `A`, computed in the arrays `outs`, or in new ones where these are None."""
    for coef, intercept, activation, out in zip(coefs, intercepts, activations, outs, strict=False):
        A = _affine(A, coef, intercept, out)
        activation.forward(A, np.empty_like(A) if activation.needs_cache else None)
    return _affine(A, coefs[-1], intercepts[-1], outs[-1])


def _affine(A, coef, intercept, out):
    """Return A W + b, in `out` if that is an array."""
    Z = A.dot(coef, out) if type(A) is np.ndarray else A @ coef
    return np.add(Z, intercept, Z if out is None else out)
