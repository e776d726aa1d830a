"""The thread guard: one BLAS thread for small networks, the user's number for large ones, and afterwards."""

import multiprocessing
from contextlib import ExitStack, contextmanager, suppress
from threading import Event, Thread

import numpy as np
import pytest
from joblib import Parallel, delayed
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._engine.compiled import CROSSOVER
from skbackprop._engine.network import Network
from skbackprop._estimators.threads import Asking, _limits, limit_threads
from skbackprop.losses import HuberLoss

SMALL = Network([100, 50, 2], [], True, np.dtype(np.float64))
# Large for whatever makes the products.
LARGE_BATCH = max(number for of_types in CROSSOVER.values() for number in of_types.values())
X = np.random.RandomState(0).randn(50, 3)
# For the whole of a test: to change the filters in threads that overlap would leave them changed.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def blas_threads():
    """Threads of each BLAS, by file."""
    return {info["filepath"]: info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


@contextmanager
def two_threads():
    """Two BLAS threads, which any thread may change: threadpoolctl 3.8 reserves them for the one that set them."""
    with threadpool_limits(2):
        for library in ThreadpoolController().select(user_api="blas").lib_controllers:
            getattr(library, "clear_controlling_thread", lambda: None)()
        yield


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_limit_holds_within_and_ends_with_the_block(dtype, compiled):
    network = Network([100, 50, 2], [], True, np.dtype(dtype))
    with threadpool_limits(2):
        with limit_threads(network, 10, compiled):
            assert set(blas_threads().values()) == {1}
        assert set(blas_threads().values()) == {2}
        with limit_threads(network, LARGE_BATCH, compiled):
            # Those of the library that computes the products.
            computing = [count for file, count in blas_threads().items() if ("scipy.libs" in file) is compiled]
            assert set(computing) <= {2}
        assert set(blas_threads().values()) == {2}


def test_training_leaves_the_users_setting():
    with threadpool_limits(2):
        SigmoidBackpropClassifier(tol=0.01, random_state=0).fit(X, X[:, 0] > 0)
        with pytest.raises(ValueError, match="NaN"):
            SigmoidBackpropClassifier().fit(np.full((50, 3), np.nan), X[:, 0] > 0)
        assert set(blas_threads().values()) == {2}


class LossThatActs(HuberLoss):
    """Does what it is told amid the fit."""

    def __init__(self, act):
        super().__init__()
        self.act = act

    def loss_gradient(self, *arguments):
        self.act()
        super().loss_gradient(*arguments)


def fit(act):
    """A fit that does something within, whatever comes of it."""
    regressor = SigmoidBackpropRegressor(hidden_layer_sizes=(2,), max_iter=1, loss=LossThatActs(act), random_state=0)
    with suppress(RuntimeError):
        regressor.fit(X, X[:, 0])


def fail():
    raise RuntimeError


@pytest.mark.parametrize("way_out", [lambda: None, fail], ids=["returns", "raises"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1)], ids=str)
def test_of_fits_that_overlap_in_threads_the_last_to_end_restores(order, way_out):
    """Three fits begin one after the other, and end in any order."""
    may_end = [Event() for _ in range(3)]
    with two_threads():
        threads = []
        for event in may_end:
            within = Event()

            def wait(within=within, event=event):
                within.set()
                assert event.wait(20)
                way_out()

            threads.append(Thread(target=fit, args=(wait,)))
            threads[-1].start()
            assert within.wait(20)
        limited = []
        for number in order:
            limited.append(set(blas_threads().values()))
            may_end[number].set()
            threads[number].join()
        assert limited == [{1}] * 3
        assert set(blas_threads().values()) == {2}


def test_a_fit_interrupted_before_it_could_end_counts_no_longer():
    with two_threads():
        for limit in _limits()[:2]:
            limit.begin(Asking())
        with limit_threads(SMALL, 10, False):
            assert set(blas_threads().values()) == {1}
        assert set(blas_threads().values()) == {2}


def test_large_and_small_products_overlap():
    """Large products have all of NumPy's threads, but for as long as small ones ask for one."""
    with two_threads(), ExitStack() as large:
        large.enter_context(limit_threads(SMALL, LARGE_BATCH, False))
        before = blas_threads()
        with limit_threads(SMALL, 10, False):
            assert set(blas_threads().values()) == {1}
        assert blas_threads() == before
        large.close()
        assert set(blas_threads().values()) == {2}


def test_a_fit_within_a_fit():
    with two_threads():
        fit(lambda: fit(lambda: None))
        assert set(blas_threads().values()) == {2}


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_fits_under_joblib(backend, n_jobs):
    settings = {"early_stopping": "cv", "n_folds": 2, "max_iter": 2, "random_state": 0}
    fits = (delayed(SigmoidBackpropRegressor(hidden_layer_sizes=(2,), **settings).fit)(X, X[:, 0]) for _ in range(4))
    with two_threads():
        Parallel(n_jobs, backend=backend)(fits)
        assert set(blas_threads().values()) == {2}


def threads_after_a_fit(queue):
    """In another process: the numbers while it begins, and after a fit."""
    begun = set(blas_threads().values())
    fit(lambda: None)
    queue.put((begun, set(blas_threads().values())))


@pytest.mark.slow
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_process_forked_amid_a_fit_restores_what_was_before_it():
    context = multiprocessing.get_context("fork")
    queue = context.Queue()

    def fork():
        process = context.Process(target=threads_after_a_fit, args=(queue,))
        process.start()
        numbers.append(queue.get(timeout=60))
        process.join()

    numbers = []
    with two_threads(), limit_threads(SMALL, 10, False):
        fork()
    assert numbers == [({1}, {2})]
