"""Standardisation inside `fit`, folded into the first layer afterwards: predictions see the user's units, at no cost."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches

# Up to this size a standardised copy of the inputs is made once; larger ones are standardised batch by batch.
COPY_BYTES = 128 * 2**20
CHUNK_BYTES = 8 * 2**20


class Scaling(NamedTuple):
    """The affine map (x - mean) / scale of each feature.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
        `mean` is zero for sparse inputs, which stay sparse, and for networks without biases, which cannot undo a shift.
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, X, sample_weight, center):
        """Return the (weighted) means and standard deviations of the features, 1 for a feature that is constant."""
        center = center and not issparse(X)
        scaler = StandardScaler(with_mean=center)
        if sample_weight is not None:
            # Only `partial_fit` takes weights of any sign, and those may all be zero.
            sample_weight = np.abs(sample_weight) if np.any(sample_weight) else None
        chunk = max(1, CHUNK_BYTES // (X.shape[1] * X.dtype.itemsize))
        for rows in gen_batches(X.shape[0], X.shape[0] if issparse(X) else chunk):
            scaler.partial_fit(X[rows], sample_weight=None if sample_weight is None else sample_weight[rows])
        mean = scaler.mean_ if center else np.zeros(X.shape[1])
        return cls(mean.astype(X.dtype), scaler.scale_.astype(X.dtype))

    def apply(self, X):
        """Return standardised inputs, and the scaling that is left to do batch by batch: itself, or None."""
        if issparse(X):
            return csr_array((X.data / self.scale[X.indices], X.indices, X.indptr), shape=X.shape), None
        if X.nbytes > COPY_BYTES:
            return X, self
        X = X - self.mean
        X /= self.scale
        return X, None

    def apply_in_place(self, X):
        """Standardise a batch."""
        np.subtract(X, self.mean, X)
        np.divide(X, self.scale, X)

    def fold(self, network, folded):
        """Give `folded` the parameters with which raw inputs get the scores that `network` gives standardised ones."""
        np.copyto(folded.theta, network.theta)
        np.divide(network.coefs[0], self.scale[:, np.newaxis], folded.coefs[0])
        folded.intercepts[0] -= self.mean @ folded.coefs[0]

    def unfold(self, folded, network):
        """Undo `fold`."""
        np.copyto(network.theta, folded.theta)
        network.intercepts[0] += self.mean @ folded.coefs[0]
        np.multiply(folded.coefs[0], self.scale[:, np.newaxis], network.coefs[0])
