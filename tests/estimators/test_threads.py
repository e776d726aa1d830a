"""The thread guard: one BLAS thread for small networks, the user's number for large ones, and afterwards."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skbackprop import SigmoidBackpropClassifier
from skbackprop._engine.network import Network
from skbackprop._estimators.threads import CROSSOVER, limit_threads


def blas_threads():
    """Threads of each BLAS, by file."""
    return {info["filepath"]: info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_limit_holds_within_and_ends_with_the_block(dtype):
    network = Network([100, 50, 2], [], True, np.dtype(dtype))
    with threadpool_limits(2):
        with limit_threads(network, 10):
            assert set(blas_threads().values()) == {1}
        assert set(blas_threads().values()) == {2}
        with limit_threads(network, CROSSOVER[np.dtype(dtype)]):
            numpys = [count for file, count in blas_threads().items() if "scipy.libs" not in file]
            assert set(numpys) == {2}
        assert set(blas_threads().values()) == {2}


def test_training_leaves_the_users_setting():
    X = np.random.RandomState(0).randn(50, 3)
    with threadpool_limits(2):
        SigmoidBackpropClassifier(tol=0.01, random_state=0).fit(X, X[:, 0] > 0)
        with pytest.raises(ValueError, match="NaN"):
            SigmoidBackpropClassifier().fit(np.full((50, 3), np.nan), X[:, 0] > 0)
        assert set(blas_threads().values()) == {2}
