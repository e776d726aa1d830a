"""The weights are those of one machine."""

import pickle

import numpy as np
import pytest
from dask_helpers import KINDS, PARTITIONS, assert_same_weights, collections, data

from skbackprop._engine.network import Network
from skbackprop.activations import Logistic
from skbackprop.dask._order import order_of_epoch
from skbackprop.initializers import INITIALIZERS

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
wait = pytest.importorskip("distributed").wait


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
    # The initial weights are drawn before the orders.
    source, sizes = np.random.RandomState(0), collected[0].chunks[0]
    Network((6, 8, found.n_outputs_), (Logistic(),), True, float).initialize(INITIALIZERS["auto"], source)
    orders = [order_of_epoch(source.randint(np.iinfo(np.int32).max), sizes, 32) for _ in range(5)]
    expected = plain(max_iter=1, shuffle=False, warm_start=True, **settings)
    for order in orders:
        expected.fit(X[order], y[order])
    assert len({tuple(order) for order in orders}) == 5
    assert_same_weights(found, expected)


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1, 1: 2, 2: 0.5}])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_weights_of_samples_and_classes(class_weight, client):
    plain, remote = KINDS["classifier"]
    X, y = data("classifier")
    weight = np.random.RandomState(1).randint(0, 4, len(y)) * 0.7
    settings = {"solver": "lbfgs", "max_iter": 30, "tol": 0, "random_state": 0, "class_weight": class_weight}
    expected = plain(**settings).fit(X, y, weight)
    assert_same_weights(remote(**settings).fit(*collections(3, X, y, weight)), expected)


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile", "poisson", "gamma"])
@pytest.mark.parametrize("constant", [False, True], ids=["spread", "mostly constant"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scaling_of_targets(loss, constant, client):
    plain, remote = KINDS["regressor"]
    X, y = data("regressor")
    y = np.abs(y) + 0.5
    if constant:
        y[: len(y) * 9 // 10] = 2.0
    weight = np.random.RandomState(1).randint(0, 4, len(y)) * 0.7
    settings = {"loss": loss, "max_iter": 3, "shuffle": False, "random_state": 0}
    expected = plain(**settings).fit(X, y, weight)
    found = remote(**settings).fit(*collections(3, X, y, weight))
    for own, theirs in zip(found._target_scaling, expected._target_scaling, strict=True):
        np.testing.assert_allclose(own, theirs, rtol=1e-12, atol=1e-15)
    assert_same_weights(found, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("several", [1, 3], ids=["one output", "three outputs"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_types_and_several_outputs(dtype, several, client):
    plain, remote = KINDS["regressor"]
    X, y = data("regressor")
    X = X.astype(dtype)
    y = y if several == 1 else np.column_stack([y, y**2, X[:, 0]])
    settings = {"max_iter": 3, "shuffle": False, "random_state": 0}
    expected = plain(**settings).fit(X, y)
    found = remote(**settings).fit(*collections(3, X, y))
    assert found.coefs_[0].dtype == dtype
    assert_same_weights(found, expected, 1e-8 if dtype == np.float64 else 1e-4)
    predicted = found.predict(collections(2, X)[0])
    assert predicted.dtype == dtype
    tolerance = 1e-12 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(predicted.compute(), found.to_local().predict(X), rtol=tolerance, atol=tolerance)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_several_labels_a_sample(client):
    plain, remote = KINDS["classifier"]
    X, y = data("classifier")
    labels = np.column_stack([y > 0, y > 1, X[:, 0] > 0]).astype(int)
    settings = {"max_iter": 3, "shuffle": False, "random_state": 0}
    expected = plain(**settings).fit(X, labels)
    found = remote(**settings).fit(*collections(3, X, labels))
    assert_same_weights(found, expected)
    np.testing.assert_array_equal(found.predict(collections(2, X)[0]).compute(), expected.predict(X))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", [{"solver": "lbfgs"}, {"early_stopping": True, "n_iter_no_change": 3}], ids=str)
@pytest.mark.parametrize("where", ["workers", "memory"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_validation_samples(kind, settings, where, client):
    (plain, remote), (X, y) = KINDS[kind], data(kind)
    settings = {"shuffle": False, "random_state": 0, "max_iter": 20, "tol": 0.01, **settings}
    weight = np.random.RandomState(1).uniform(size=120)
    validation = {"X_val": X[300:], "y_val": y[300:], "sample_weight_val": weight}
    expected = plain(**settings).fit(X[:300], y[:300], **validation)
    if where == "workers":
        validation = dict(zip(validation, collections(2, *validation.values()), strict=True))
    found = remote(**settings).fit(*collections(3, X[:300], y[:300]), **validation)
    assert found.n_iter_ == expected.n_iter_
    np.testing.assert_allclose(found.validation_scores_, expected.validation_scores_, rtol=1e-8)
    assert_same_weights(found, expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_share_is_held_out_of_each_partition(kind, client):
    """A separate network is trained on the others, so the best weights are those for the share."""
    _, remote = KINDS[kind]
    X, y = collections(3, *data(kind))
    found = remote(early_stopping=True, random_state=0, max_iter=10, validation_fraction=0.25).fit(X, y)
    assert len(found.validation_scores_) == found.n_iter_
    assert found.best_validation_score_ == max(found.validation_scores_)
    # Samples held out are not seen: an epoch goes twice through the others.
    assert abs(found.t_ / found.n_iter_ / 2 - 420 * 3 / 4) <= 2
    again = remote(early_stopping=True, random_state=0, max_iter=10, validation_fraction=0.25).fit(X, y)
    assert_same_weights(found, again, 0)


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.2}, {"early_stopping": True}, {"solver": "rprop"}], ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_ten_epochs_are_five_and_five_again(settings, client):
    _, remote = KINDS["classifier"]
    X, y = collections(3, *data("classifier"))
    settings = {"random_state": 0, "tol": 0, "learning_rate": "constant", **settings}
    whole = remote(max_iter=10, **settings).fit(X, y)
    halves = remote(max_iter=5, warm_start=True, **settings).fit(X, y)
    halves = pickle.loads(pickle.dumps(halves)).fit(X, y)
    assert_same_weights(whole, halves, 0)


def test_max_time(client):
    X, y = collections(3, *data("classifier"))
    with pytest.warns(match="max_time=0.1"):
        KINDS["classifier"][1](max_time=0.1, random_state=0).fit(X, y)


@pytest.mark.parametrize("one", [{"solver": "lbfgs"}, {}, {"dropout": 0.3}], ids=str)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_bits_do_not_depend_on_who_holds_what(one, client):
    """A partition on one worker or on the other: what they add up is the same."""
    _, remote = KINDS["classifier"]
    found = []
    for places in ([0] * 7, [0, 1] * 3 + [1], [1, 0, 0, 1, 1, 0, 0]):
        workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
        X, y = collections(7, *data("classifier"))
        blocks = []
        for table in (X, y):
            parts = zip(table.to_delayed().ravel(), table.chunks[0], places, strict=True)
            futures = [(client.compute(part, workers=workers[place]), size) for part, size, place in parts]
            blocks.append(da.concatenate([
                da.from_delayed(dask.delayed(future), (size, *table.shape[1:]), table.dtype) for future, size in futures
            ]))  # fmt: skip
            wait([future for future, _ in futures])
        found.append(remote(max_iter=5, random_state=0, **one).fit(*blocks))
    assert_same_weights(found[0], found[1], 0)
    assert_same_weights(found[0], found[2], 0)
