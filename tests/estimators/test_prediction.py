"""Prediction: one BLAS thread, rows shared among threads of our own, the same numbers and little memory in any case."""

import gc
import tracemalloc
from threading import Barrier, Event, Thread, get_ident

import numpy as np
import pytest
from scipy.sparse import random
from test_threads import blas_threads, two_threads

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._estimators import prediction
from skbackprop.activations import Tanh

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.RandomState(0).randn(20_000, 20)


def fitted(n_classes=10, kind=SigmoidBackpropClassifier, inputs=X, **parameters):
    """An estimator that has seen little."""
    few = inputs[:100]
    targets = np.arange(100) % n_classes
    return kind(**{"hidden_layer_sizes": (50,), "max_iter": 1, "random_state": 0, **parameters}).fit(few, targets)


class Spy(Tanh):
    """Does something at each call of a prediction."""

    def __init__(self, act=lambda: None):
        self.act = act

    def forward(self, A, cache):
        self.act()
        super().forward(A, cache)


def spied(act):
    """A classifier that does something whenever it computes hidden activations to predict."""
    classifier = fitted(activation=Spy())
    classifier._activations[0].act = act
    return classifier


# Threads -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared_from", [prediction.ROWS_SHARED_FROM, 0], ids=["in one thread", "shared"])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"])
def test_products_that_a_blas_would_share_have_one_blas_thread(method, shared_from, monkeypatch):
    monkeypatch.setattr(prediction, "ROWS_SHARED_FROM", shared_from)
    seen = []
    classifier = spied(lambda: seen.append(set(blas_threads().values()) - {2}))
    with two_threads():
        getattr(classifier, method)(X)
        assert set(blas_threads().values()) == {2}
    assert seen
    assert all(numbers == {1} for numbers in seen)


@pytest.mark.parametrize(("n_rows", "units"), [(1, 50), (100, 50), (1, 16_384)])
def test_small_products_do_not_pay_for_a_limit(n_rows, units, monkeypatch):
    network = fitted(hidden_layer_sizes=(units,))
    monkeypatch.delattr(prediction, "one_thread")
    monkeypatch.delattr(prediction, "blas_threads")
    with two_threads():
        assert network.predict(X[:n_rows]).shape == (n_rows,)


def test_the_limit_ends_with_an_error():
    def fail():
        raise RuntimeError("planted")

    with two_threads():
        with pytest.raises(RuntimeError, match="planted"):
            spied(fail).predict(X)
        assert set(blas_threads().values()) == {2}


@pytest.mark.parametrize("first_to_end", [0, 1])
def test_of_predictions_that_overlap_the_last_to_end_restores(first_to_end):
    may_end = [Event(), Event()]
    with two_threads():
        threads = []
        for event in may_end:
            within = Event()

            def wait(within=within, event=event):
                within.set()
                assert event.wait(60)

            threads.append(Thread(target=spied(wait).predict, args=(X,)))
            threads[-1].start()
            assert within.wait(60)
        for number in (first_to_end, 1 - first_to_end):
            may_end[number].set()
            threads[number].join()
        assert set(blas_threads().values()) == {2}


# Rows shared among threads -------------------------------------------------------------------------------------------


@pytest.fixture
def shared(monkeypatch):
    """Two threads share the rows of any prediction that a BLAS would share."""
    monkeypatch.setattr(prediction, "ROWS_SHARED_FROM", 0)
    with two_threads():
        yield


@pytest.mark.usefixtures("shared")
def test_two_threads_share_the_rows():
    identities, both = set(), Barrier(2)

    def meet():
        if get_ident() not in identities:
            identities.add(get_ident())
            both.wait(60)

    spied(meet).predict(X)
    assert len(identities) == 2
    assert get_ident() not in identities


@pytest.mark.parametrize("inputs", [X, X.astype(np.float32), np.asfortranarray(X), X[::-1]], ids=lambda A: A.dtype.name)
@pytest.mark.parametrize("activation", ["logistic", "relu", "gelu"])
def test_shared_rows_get_the_same_bits(inputs, activation, monkeypatch):
    classifier = fitted(activation=activation, hidden_layer_sizes=(50, 30), inputs=inputs)
    names = ("decision_function", "predict_proba", "predict_log_proba", "transform")
    with two_threads():
        alone = [getattr(classifier, name)(inputs) for name in names]
        monkeypatch.setattr(prediction, "ROWS_SHARED_FROM", 0)
        for name, expected in zip(names, alone, strict=True):
            np.testing.assert_array_equal(getattr(classifier, name)(inputs), expected)


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("row", [0, 64, 19_999])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_one_value_of_many_that_is_none_is_an_error(row, value):
    inputs, classifier = X.copy(), fitted()
    inputs[row, 3] = value
    for method in ("predict", "predict_proba"):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            getattr(classifier, method)(inputs)


def test_columns_with_names_get_the_bits_of_an_array_without():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[f"column {number}" for number in range(X.shape[1])])
    named, plain = fitted(inputs=frame), fitted()
    np.testing.assert_array_equal(named.decision_function(frame), plain.decision_function(X))
    np.testing.assert_allclose(named.predict_proba(frame), plain.predict_proba(X), rtol=1e-12)


@pytest.mark.usefixtures("shared")
def test_shared_rows_of_sparse_inputs_and_of_another_dtype():
    classifier = fitted(inputs=X.astype(np.float32))
    sparse = random(20_000, 20, density=0.3, random_state=0, format="csr")
    assert classifier.decision_function(X).dtype == np.float64
    np.testing.assert_allclose(classifier.decision_function(sparse), classifier.decision_function(sparse.toarray()))


@pytest.mark.usefixtures("shared")
def test_an_error_in_a_thread_is_raised_and_overflow_is_silent_there():
    def fail():
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        spied(fail).predict(X)
    assert np.isfinite(fitted().predict_proba(1e6 * X)).all()


# Memory --------------------------------------------------------------------------------------------------------------


def peak(function, *arguments):
    """Bytes allocated at most at a time during a call, and its result."""
    function(*arguments)
    tracemalloc.start()
    result = function(*arguments)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most, result


TALL = np.random.RandomState(1).randn(200_000, 4)
SPARSE = random(200_000, 500, density=0.004, random_state=0, format="csr")


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("method", ["predict_log_proba", "predict_proba"])
@pytest.mark.parametrize("inputs", [TALL, TALL.astype(np.float32), SPARSE], ids=["float64", "float32", "sparse"])
def test_probabilities_take_at_most_twice_their_own_memory(inputs, method, n_classes, loss):
    classifier = fitted(n_classes, inputs=inputs, loss=loss, hidden_layer_sizes=(10,))
    most, result = peak(getattr(classifier, method), inputs)
    # A buffer of activations besides.
    assert most < 2.05 * result.nbytes + 2**20


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inputs_of_another_dtype_are_not_copied_as_a_whole(dtype):
    wide = np.random.RandomState(0).randn(60_000, 100)
    classifier = fitted(3, inputs=wide.astype(dtype), hidden_layer_sizes=(10,))
    other = np.float64 if dtype == np.float32 else np.float32
    most, _ = peak(classifier.decision_function, wide.astype(other))
    assert most < 0.3 * wide.astype(other).nbytes


def test_labels_take_the_memory_of_the_raw_scores_and_their_own():
    classifier = fitted(hidden_layer_sizes=(10,), inputs=TALL)
    most, result = peak(classifier.predict, TALL)
    assert most < 1.05 * (10 * TALL.itemsize * len(TALL) + 2 * result.nbytes) + 2**20


def test_targets_take_their_own_memory():
    most, result = peak(fitted(kind=SigmoidBackpropRegressor, inputs=TALL, hidden_layer_sizes=(10,)).predict, TALL)
    assert most < 1.05 * result.nbytes + 2**20


def test_reconstruction_errors_take_the_memory_of_the_reconstructions():
    autoencoder = SigmoidBackpropAutoencoder((10,), max_iter=1, random_state=0).fit(TALL[:100])
    most, result = peak(autoencoder.score_samples, TALL)
    assert most < 1.3 * TALL.nbytes + 2 * result.nbytes


def test_what_is_kept_for_predictions_goes_with_the_estimator():
    # Whoever else is to go is gone.
    gc.collect()
    before = len(prediction._PREDICTORS)
    networks = [fitted() for _ in range(3)]
    for network in networks:
        network.predict_proba(X[:1])
    assert len(prediction._PREDICTORS) == before + 3
    del network, networks
    gc.collect()
    assert len(prediction._PREDICTORS) <= before
