"""The weights are those of one machine."""

import numpy as np
import pytest

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._engine.network import Network
from skbackprop.activations import Logistic
from skbackprop.dask import DaskSigmoidBackpropClassifier, DaskSigmoidBackpropRegressor
from skbackprop.dask._order import order_of_epoch
from skbackprop.initializers import INITIALIZERS

da = pytest.importorskip("dask.array")
pytest.importorskip("distributed")

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


@pytest.mark.parametrize("n_partitions", PARTITIONS)
@pytest.mark.parametrize("solver", ["lbfgs", "rprop"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_full_batches(kind, solver, n_partitions, client):
    (plain, remote), (X, y) = KINDS[kind], data(kind)
    settings = {"solver": solver, "max_iter": 50, "tol": 0, "random_state": 0, "hidden_layer_sizes": (8,)}
    expected = plain(**settings).fit(X, y)
    found = remote(**settings).fit(*collections(n_partitions, X, y))
    assert found.n_iter_ == expected.n_iter_ == 50
    assert_same_weights(found, expected)
    np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_, rtol=1e-8)


@pytest.mark.parametrize("n_partitions", PARTITIONS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("kind", KINDS)
def test_batches_of_samples_as_they_stand(kind, solver, n_partitions, client):
    (plain, remote), (X, y) = KINDS[kind], data(kind)
    settings = {"solver": solver, "max_iter": 5, "random_state": 0, "hidden_layer_sizes": (8, 4), "shuffle": False}
    with pytest.warns(match="max_iter"):
        expected = plain(**settings).fit(X, y)
    with pytest.warns(match="max_iter"):
        found = remote(**settings).fit(*collections(n_partitions, X, y))
    assert_same_weights(found, expected)
    np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_, rtol=1e-8)
    assert found.t_ == expected.t_


@pytest.mark.parametrize("n_partitions", PARTITIONS)
@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_shuffled_batches(kind, solver, n_partitions, client):
    """The plain estimator gets the samples in the order of each epoch, one epoch a call."""
    (plain, remote), (X, y) = KINDS[kind], data(kind)
    # One pass an epoch, whatever the recipe makes of so few samples.
    settings = {
        "solver": solver,
        "batch_size": 32,
        "random_state": 0,
        "hidden_layer_sizes": (8,),
        "learning_rate": "constant",
    }
    collected = collections(n_partitions, X, y)
    found = remote(max_iter=5, **settings).fit(*collected)
    source, sizes = np.random.RandomState(0), collected[0].chunks[0]
    expected = plain(max_iter=1, shuffle=False, warm_start=True, **settings)
    orders = []
    for _ in range(5):
        if orders:
            order = order_of_epoch(source.randint(np.iinfo(np.int32).max), sizes, 32)
        else:
            # The initial weights are drawn before the first order.
            network = Network((6, 8, found.n_outputs_), (Logistic(),), True, float)
            network.initialize(INITIALIZERS["auto"], source)
            order = order_of_epoch(source.randint(np.iinfo(np.int32).max), sizes, 32)
        orders.append(order)
        expected.fit(X[order], y[order])
    assert len({tuple(order) for order in orders}) == 5
    assert_same_weights(found, expected)
