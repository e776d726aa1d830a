"""Data in memory and on Dask, and whether two estimators have the same weights."""

import numpy as np
import pytest

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop.dask import DaskSigmoidBackpropClassifier, DaskSigmoidBackpropRegressor

pytest.importorskip("distributed")
da = pytest.importorskip("dask.array")

KINDS = {
    "classifier": (SigmoidBackpropClassifier, DaskSigmoidBackpropClassifier),
    "regressor": (SigmoidBackpropRegressor, DaskSigmoidBackpropRegressor),
}
PARTITIONS = [1, 2, 3, 7]


def data(kind, n_samples=420):
    rng = np.random.RandomState(0)
    X = rng.randn(n_samples, 6) * [1, 10, 0.1, 1, 1, 1] + [0, 5, 0, -1, 0, 0]
    scores = X[:, 0] + (X[:, 1] - 5) / 10 * X[:, 3] + 0.3 * rng.randn(n_samples)
    return X, np.digitize(scores, [-0.7, 0.7]) if kind == "classifier" else 5 + 3 * scores


def collections(n_partitions, *arrays):
    """Dask arrays of so many partitions, of uneven sizes."""
    n_samples = len(arrays[0])
    ends = np.unique(np.r_[0, (n_samples * np.linspace(0, 1, n_partitions + 1)[1:-1] ** 1.3).astype(int), n_samples])
    chunks = tuple(np.diff(ends).tolist())
    return [da.from_array(array, chunks=(chunks, *map(int, array.shape[1:]))) for array in arrays]


def assert_same_weights(one, other, tolerance=1e-8):
    for a, b in zip([*one.coefs_, *one.intercepts_], [*other.coefs_, *other.intercepts_], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1, np.abs(b).max()))
