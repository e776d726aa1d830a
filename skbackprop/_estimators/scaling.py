"""Standardisation inside `fit`, folded into the outer layers afterwards: predictions see the user's units, at no cost."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches

# Up to this size a standardised copy of the inputs is made once; larger ones are standardised batch by batch.
COPY_BYTES = 128 * 2**20
CHUNK_BYTES = 8 * 2**20
# A column is rare if it is not zero in less than this share of the rows: it is scaled as if it were so in this share.
COMMON = 0.1


class Scaling(NamedTuple):
    """The affine map (x - mean) / scale of each feature.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
        `mean` is zero for networks without biases, which cannot undo a shift.
    n_features : float
        Number of features that count: the mean squared norm of a scaled row.
    """

    mean: np.ndarray
    scale: np.ndarray
    n_features: float

    @classmethod
    def of(cls, X, sample_weight, center, common=COMMON):
        """Return the (weighted) means and standard deviations of the features, 1 for a feature that is constant.

        Rare features get larger scales, for one that is hardly ever seen should not decide alone where it is; 0 for
        `common` spares them.
        """
        scaler = StandardScaler(with_mean=center and not issparse(X))
        # Only `partial_fit` takes weights of any sign, and those may all be zero.
        weight = np.ones(X.shape[0]) if sample_weight is None or not np.any(sample_weight) else np.abs(sample_weight)
        chunk = X.shape[0] if issparse(X) else max(1, CHUNK_BYTES // (X.shape[1] * X.dtype.itemsize))
        seen = np.zeros(X.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in gen_batches(X.shape[0], chunk):
                scaler.partial_fit(X[rows], sample_weight=None if sample_weight is None else weight[rows])
                seen += weight[rows] @ (X[rows] != 0)
        scale = scaler.scale_
        if not np.isfinite(scale).all():
            raise ValueError("Got X with a standard deviation that overflows: pass smaller values.")
        # What is never seen is not rare: it is a constant.
        share = np.where(seen > 0, seen / weight.sum(), 1.0)
        scale = scale * np.sqrt(np.maximum(1.0, common / share))
        mean = scaler.mean_ if center else np.zeros(X.shape[1])
        n_features = float((scaler.var_ / scale**2).sum())
        return cls(mean.astype(X.dtype), scale.astype(X.dtype), n_features)

    def apply(self, X):
        """Return scaled inputs, and the scaling that is left to do batch by batch: itself, or None.

        Sparse inputs are not shifted: the network does that, by `shift`.
        """
        if issparse(X):
            return csr_array((X.data / self.scale[X.indices], X.indices, X.indptr), shape=X.shape), None
        if X.nbytes > COPY_BYTES:
            return X, self
        X = X - self.mean
        X /= self.scale
        return X, None

    @property
    def shift(self):
        """What is to be taken off each scaled row."""
        return self.mean / self.scale

    def apply_in_place(self, X):
        """Standardise a batch."""
        np.subtract(X, self.mean, X)
        np.divide(X, self.scale, X)

    def fold(self, network):
        """Change the first layer's parameters so that raw inputs get the scores that standardised ones had."""
        network.coefs[0] /= self.scale[:, np.newaxis]
        network.intercepts[0] -= self.mean @ network.coefs[0]

    def unfold(self, network):
        """Undo `fold`."""
        network.intercepts[0] += self.mean @ network.coefs[0]
        network.coefs[0] *= self.scale[:, np.newaxis]


class TargetScaling(NamedTuple):
    """The affine map (y - mean) / scale of each target, and its inverse on the raw scores, z score_scale + score_shift.

    Attributes
    ----------
    mean, scale, score_scale, score_shift : ndarray of shape (n_outputs,)
        With a log link a factor on the targets is a shift of the raw scores, by its logarithm.
    """

    mean: np.ndarray
    scale: np.ndarray
    score_scale: np.ndarray
    score_shift: np.ndarray

    @classmethod
    def of(cls, loss, Y, sample_weight, shift):
        """Return the scaling that a `RegressionLoss` asks for; without `shift` the raw scores are not shifted."""
        if sample_weight is None or not np.any(sample_weight):
            sample_weight = np.ones(len(Y))
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = loss.location_scale(Y, np.abs(sample_weight))
            extent = np.array([scale, Y.max(axis=0) - mean, Y.min(axis=0) - mean]).astype(Y.dtype)
        if not np.isfinite(extent).all():
            raise ValueError(f"Got targets whose spread overflows in {Y.dtype}: pass smaller ones.")
        none, one = np.zeros_like(scale), np.ones_like(scale)
        # The bound is that of rounding: what lies below it is a constant.
        scale = np.where(scale > 10 * np.finfo(Y.dtype).eps * np.abs(mean), scale, one)
        if loss.log_link:
            parts = (none, scale, one, np.log(scale)) if shift else (none, one, one, none)
        else:
            mean = mean if shift else none
            parts = (mean, scale, scale, mean)
        return cls(*(part.astype(Y.dtype) for part in parts))

    def apply(self, Y):
        """Return standardised targets."""
        return (Y - self.mean) / self.scale

    def fold(self, network):
        """Change the last layer's parameters so that the raw scores are those of targets in the user's units."""
        network.coefs[-1] *= self.score_scale
        network.intercepts[-1] *= self.score_scale
        network.intercepts[-1] += self.score_shift

    def unfold(self, network):
        """Undo `fold`."""
        network.intercepts[-1] -= self.score_shift
        network.intercepts[-1] /= self.score_scale
        network.coefs[-1] /= self.score_scale
