"""Standardisation inside `fit`, folded into the outer layers afterwards: predictions see the user's units, at no cost."""

import math
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse
from sklearn.utils import gen_batches
from sklearn.utils.extmath import _incremental_mean_and_var
from sklearn.utils.sparsefuncs import mean_variance_axis

# Up to this size a standardised copy of the inputs is made once; larger ones are standardised batch by batch.
COPY_BYTES = 128 * 2**20
CHUNK_BYTES = 8 * 2**20
# A column is rare if it is not zero in less than this share of the rows: it is scaled as if it were so in this share.
COMMON = 0.1
# A dtype is too coarse for a feature or a target whose values it rounds by more than this share of their scale, and too
# narrow for values above this share of its largest number: others are to be predicted for, and predicted.
PRECISION = 1e-3
DOUBLE = np.finfo(np.float64)
# The squares of smaller deviations underflow, unless they are enlarged; those of numbers that are not small are rounding.
LEAST_DEVIATION = math.sqrt(DOUBLE.tiny / DOUBLE.eps)
ENLARGED = 2.0**600
SMALL = 1e-130


def _too_coarse(dtype, mean, scale, largest):
    """Return for which columns, of these means, scales and largest values, a dtype is too coarse or too narrow."""
    limits = np.finfo(dtype)
    coarse = (limits.eps * np.abs(mean) > PRECISION * scale) | (scale < limits.tiny / limits.eps)
    return coarse | (largest > PRECISION * limits.max)


def _is_constant(mean, scale, least=LEAST_DEVIATION):
    """Return which columns, of a mean and a standard deviation in float64, hold one number, to rounding."""
    return scale <= np.maximum(10 * DOUBLE.eps * np.abs(mean), least)


def _mean_one(sample_weight, n_samples):
    """Return weights of a mean of 1, without their signs; all are 1 if none is given or all are zero."""
    # Only `partial_fit` takes weights of any sign, and those may all be zero.
    if sample_weight is None or not np.any(sample_weight):
        return np.ones(n_samples)
    weight = np.abs(sample_weight)
    return weight / weight.mean()


def moments_of(X, sample_weight):
    """Return the weighted means and standard deviations of the columns, in float64, and what weight of each is not zero.

    The moments are scikit-learn's, without the time that its `StandardScaler` takes to look at a table.
    """
    n_samples, n_features = X.shape
    weight = _mean_one(sample_weight, n_samples)
    chunk = n_samples if issparse(X) else max(1, CHUNK_BYTES // (n_features * DOUBLE.dtype.itemsize))
    seen = np.zeros(n_features)
    moments = 0.0, 0.0, np.zeros(n_features, np.int64 if sample_weight is None else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in gen_batches(n_samples, chunk):
            # Of no weight there is no mean.
            if weight[rows].any():
                part, part_weight = X[rows].astype(np.float64, copy=False), None if sample_weight is None else weight[rows]
                if issparse(part):
                    moments = mean_variance_axis(part, axis=0, weights=part_weight, return_sum_weights=True)
                else:
                    moments = _incremental_mean_and_var(part, *moments, sample_weight=part_weight)
                seen += weight[rows] @ (part != 0)
        mean, variance, _ = moments
        # The variance of a constant may be less than zero, by rounding.
        return mean, np.sqrt(np.maximum(variance, 0.0)), seen / weight.sum()


class Scaling(NamedTuple):
    """The affine map (x - mean) / scale of each feature.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_features,)
        `mean` is zero for networks without biases, which cannot undo a shift. Their dtype is what training is to compute
        in: that of the inputs or, if it is too coarse for them, float64.
    n_features : float
        Number of features that count: the mean squared norm of a scaled row.
    """

    mean: np.ndarray
    scale: np.ndarray
    n_features: float

    @classmethod
    def of(cls, X, sample_weight, center, common=COMMON):
        """Return the (weighted) means and standard deviations of the features, 1 for a feature that is constant.

        They are computed in float64. Rare features get larger scales, for one that is hardly ever seen should not decide
        alone where it is; 0 for `common` spares them.
        """

        def moments(columns=None, factor=1.0):
            return moments_of(X if columns is None else X[:, columns].astype(np.float64) * factor, sample_weight)

        return cls.of_moments(moments, X.shape, X.dtype, center, common)

    @classmethod
    def of_moments(cls, moments, shape, dtype, center, common=COMMON):
        """Return the scaling for inputs of such a shape and dtype, given a function that returns their moments.

        It takes the numbers of some columns, by default all, and a factor on these, and returns what `moments_of` does.
        """
        n_samples, n_features = shape
        mean, deviation, share = moments()
        if not np.isfinite(deviation).all():
            raise ValueError("Got X with a standard deviation that overflows: pass smaller values.")
        constant = _is_constant(mean, deviation)
        small = np.flatnonzero(constant & (share > 0) & (np.abs(mean) < SMALL))
        if len(small):
            means, deviations, _ = moments(small, ENLARGED)
            mean[small], deviation[small] = means / ENLARGED, deviations / ENLARGED
            # What cannot be divided by is none.
            constant[small] = _is_constant(means, deviations, least=DOUBLE.tiny * ENLARGED)
        # The size of a constant would drown the others where it is added and taken off again.
        rounding = np.finfo(dtype).eps * np.abs(mean)
        scale = np.where(constant, np.maximum(1.0, rounding / PRECISION), deviation)
        # What is never seen is not rare: it is a constant.
        scale = scale * np.sqrt(np.maximum(1.0, common / np.where(share > 0, share, 1.0)))
        mean = mean if center else np.zeros(n_features)
        # No value can be larger.
        largest = np.abs(mean) + math.sqrt(n_samples) * scale
        dtype = np.float64 if np.any(_too_coarse(dtype, mean, scale, largest) & ~constant) else dtype
        return cls(mean.astype(dtype), scale.astype(dtype), float(((deviation / scale) ** 2).sum()))

    def apply(self, X, once=False):
        """Return scaled inputs, and the scaling that is left to do batch by batch: itself, or None.

        It is left if each batch is asked for but `once`, or where another array would be large. Sparse inputs are not
        shifted: the network does that, by `shift`.
        """
        if issparse(X):
            return csr_array((X.data / self.scale[X.indices], X.indices, X.indptr), shape=X.shape), None
        if once or X.nbytes > COPY_BYTES:
            # Training may be in float64 for the sake of the targets alone.
            known = self.mean.dtype == X.dtype
            return X, self if known else self._replace(mean=self.mean.astype(X.dtype), scale=self.scale.astype(X.dtype))
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
        # In float64, for large terms may cancel.
        network.intercepts[0] -= self.mean.astype(np.float64).dot(network.coefs[0])

    def unfold(self, network):
        """Undo `fold`."""
        network.intercepts[0] += self.mean.astype(np.float64).dot(network.coefs[0])
        network.coefs[0] *= self.scale[:, np.newaxis]


class TargetScaling(NamedTuple):
    """The affine map (y - mean) / scale of each target, and its inverse on the raw scores, z score_scale + score_shift.

    Attributes
    ----------
    mean, scale, score_scale, score_shift : ndarray of shape (n_outputs,)
        With a log link a factor on the targets is a shift of the raw scores, by its logarithm. Of their dtype is to be
        said what `Scaling` says of its own.
    """

    mean: np.ndarray
    scale: np.ndarray
    score_scale: np.ndarray
    score_shift: np.ndarray

    @classmethod
    def of(cls, loss, Y, sample_weight, shift, dtype=np.float64):
        """Return the scaling that a `RegressionLoss` asks for; without `shift` the raw scores are not shifted.

        It is computed in float64. `dtype` is that of the inputs.
        """
        Y = Y.astype(np.float64, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            weight, ends = _mean_one(sample_weight, len(Y)), np.array([Y.max(axis=0), Y.min(axis=0)])
            mean, scale = loss.location_scale(Y, weight)
            factor = np.where(_is_constant(mean, scale) & np.all(np.abs(ends) < SMALL, axis=0), ENLARGED, 1.0)
            if np.any(factor > 1):
                mean, scale = loss.location_scale(Y * factor, weight)
            constant = _is_constant(mean, scale)
            mean, scale = mean / factor, np.where(constant, 1.0, scale / factor)
            extent = np.abs(ends - mean)
            largest = np.maximum(extent + np.abs(mean), extent / scale).max(axis=0)
        if not np.isfinite([largest, scale]).all():
            raise ValueError("Got targets whose spread overflows: pass smaller ones.")
        if np.any(scale < DOUBLE.tiny):
            raise ValueError(
                f"Got targets whose spread, {scale.min():.1g}, is too small to divide by: multiply them by a large number."
            )
        none, one = np.zeros_like(scale), np.ones_like(scale)
        if loss.log_link:
            parts = (none, scale, one, np.log(scale)) if shift else (none, one, one, none)
        else:
            mean = mean if shift else none
            parts = (mean, scale, scale, mean)
        # With a log link, too, what is predicted is of the targets' size.
        coarse = _too_coarse(dtype, parts[3], parts[2], largest) | _too_coarse(dtype, none, scale, none)
        dtype = np.float64 if np.any(coarse & ~constant) else dtype
        return cls(*(part.astype(dtype) for part in parts))

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
