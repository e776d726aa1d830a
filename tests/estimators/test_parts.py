"""What calls of `partial_fit` leave for the next is never seen in what is learnt: it is as if each made all anew."""

import copy
import pickle

import numpy as np
import pytest

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._estimators.parts import MOST_SHUFFLES
from skbackprop.activations import Tanh
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.optimizers import SGD

RANDOM = np.random.RandomState(0)
X = RANDOM.randn(100, 4)
LABELS = np.arange(100) % 3
SETTINGS = {"hidden_layer_sizes": (3,), "random_state": 0}
AS_THERE = {"init": "glorot", "standardize": False, "clip_norm": None, "batch_size": "auto", "activation": "relu"}
NETWORKS = {
    "classifier": SigmoidBackpropClassifier(**SETTINGS),
    "regressor": SigmoidBackpropRegressor(**SETTINGS, scoring=None),
    "autoencoder": SigmoidBackpropAutoencoder(**SETTINGS, tied=True, noise=0.1),
    "as in scikit-learn": SigmoidBackpropClassifier(**SETTINGS, **AS_THERE),
    "momentum": SigmoidBackpropRegressor(**SETTINGS, solver="sgd", learning_rate="invscaling", init="glorot"),
    "no biases": SigmoidBackpropRegressor(**SETTINGS, fit_intercept=False),
    "several layers": SigmoidBackpropClassifier([4, 3], ["tanh", "relu"], random_state=0, warm_start=True),
    "early stopping": SigmoidBackpropClassifier(**SETTINGS, early_stopping=True, batch_size=7),
    "dropout": SigmoidBackpropClassifier(**SETTINGS, dropout=0.3),
    "optimizer of one's own": SigmoidBackpropRegressor(**SETTINGS, solver=SGD()),
    "MLPClassifier": MLPClassifier(**SETTINGS),
    "MLPRegressor": MLPRegressor(**SETTINGS),
}
LEAVE_NONE = {"dropout", "optimizer of one's own"}
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
by_network = pytest.mark.parametrize("name", NETWORKS)


def epoch(network, rows, **keywords):
    """Train on some rows of the table."""
    if isinstance(network, SigmoidBackpropAutoencoder):
        return network.partial_fit(X[rows])
    if hasattr(network, "classes_"):
        return network.partial_fit(X[rows], LABELS[rows], **keywords)
    first = {"classes": [0, 1, 2]} if hasattr(type(network), "predict_proba") else {}
    return network.partial_fit(X[rows], LABELS[rows], **first, **keywords)


def begun(name, calls=3):
    """A network that has seen some calls."""
    network = copy.deepcopy(NETWORKS[name])
    for _ in range(calls):
        epoch(network, slice(0, 100))
    return network


def anew(network):
    """The same network, whose next call finds nothing of the last."""
    return pickle.loads(pickle.dumps(network))


def parts_of(network):
    return network._training_state.parts


def assert_same(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.loss_curve_ == other.loss_curve_
    assert one.best_loss_ == other.best_loss_


@by_network
def test_calls_with_parts_equal_calls_without(name):
    """In any order of numbers of rows, more often than shuffles are noted, and then in `fit`."""
    network, other = begun(name), begun(name)
    sizes = [1, 32, 32, 5, 100] * (1 + MOST_SHUFFLES // 5)
    for size in sizes:
        start = int(RANDOM.randint(0, 101 - size))
        weight = (
            {"sample_weight": np.arange(size) - 1.0} if size == 5 and "MLP" not in name and name != "autoencoder" else {}
        )
        epoch(network, slice(start, start + size), **weight)
        other = epoch(anew(other), slice(start, start + size), **weight)
        assert (parts_of(network) is None) == (name in LEAVE_NONE)
        assert_same(network, other)
    for model in (network, other):
        model.set_params(warm_start=True, max_iter=2) if name != "autoencoder" else model.set_params(max_iter=2)
        model.fit(X, LABELS)
    assert_same(network, other)


def change_weights(network):
    network.coefs_[0][0, 0] += 1


def replace_weights(network):
    network.coefs_[0] = network.coefs_[0] + 1


def change_list(network):
    network.activation[0] = "sigmoid"


CHANGES = {
    "learning rate": lambda network: network.set_params(learning_rate_init=0.1),
    "an equal number of another type": lambda network: network.set_params(batch_size=np.int64(10)),
    "solver": lambda network: network.set_params(solver="adamw"),
    "penalty": lambda network: network.set_params(alpha=1.0),
    "activation of one's own": lambda network: network.set_params(activation=Tanh()),
    "order": lambda network: network.set_params(shuffle=False),
    "weights": change_weights,
    "other weights": replace_weights,
    "a list": change_list,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_changed_between_calls_counts(change):
    network = begun("several layers")
    other = anew(network)
    unchanged = anew(network)
    change(network), change(other)
    for model in (network, other, unchanged):
        epoch(model, slice(0, 50))
    assert_same(network, other)
    assert not np.array_equal(network.coefs_[0], unchanged.coefs_[0])


@by_network
def test_a_failed_call_changes_nothing(name):
    network = begun(name)
    before = vars(network).copy()
    other = anew(network)
    with pytest.raises(ValueError, match="NaN"):
        network.partial_fit(np.full((5, 4), np.nan), LABELS[:5])
    assert vars(network) == before
    assert_same(epoch(network, slice(0, 32)), epoch(other, slice(0, 32)))


@by_network
def test_neither_copies_nor_pickles_have_parts_and_arrays_are_new_at_each_call(name):
    network = begun(name, calls=4)
    assert all(parts_of(other) is None for other in (anew(network), copy.deepcopy(network)))
    assert b"Objective" not in pickle.dumps(network)
    before = [network.coefs_[0], network._training_state.theta]
    values = [array.copy() for array in before]
    epoch(network, slice(0, 32))
    epoch(network, slice(0, 32))
    for array, value in zip(before, values, strict=True):
        np.testing.assert_array_equal(array, value)
    assert not np.shares_memory(before[0], network.coefs_[0])


def test_shallow_copies_go_on_apart_also_one_amid_the_other():
    network = begun("regressor", calls=4)
    networks = [network, copy.copy(network)]
    others = [anew(network) for _ in networks]

    def scorer(model, inputs, targets):
        epoch(networks[1], slice(60, 100))
        return 0.0

    for _ in range(3):
        networks[0].scoring = scorer
        epoch(networks[0], slice(0, 40), X_val=X, y_val=LABELS)
        epoch(others[0], slice(0, 40))
        # A scorer is tried out before it is asked for the score.
        for _ in range(2):
            epoch(others[1], slice(60, 100))
        for one, other in zip(networks, others, strict=True):
            assert_same(one, other)


def test_a_new_seed_counts_where_each_call_begins_with_it():
    network = begun("MLPClassifier", calls=4)
    epoch(network, slice(0, 1))
    other = anew(network)
    for model in (network, other):
        epoch(model.set_params(random_state=1), slice(0, 32))
    assert_same(network, other)
    np.testing.assert_array_equal(network._training_state.rows, np.random.RandomState(1).permutation(32))


def test_a_seed_counts_after_a_generator_of_another_kind():
    network = copy.deepcopy(NETWORKS["MLPClassifier"]).set_params(random_state=np.random.RandomState(np.random.PCG64(0)))
    for _ in range(4):
        epoch(network, slice(0, 32))
    for seed in (3, 4):
        epoch(network.set_params(random_state=seed), slice(0, 32))
        np.testing.assert_array_equal(network._training_state.rows, np.random.RandomState(seed).permutation(32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@by_network
def test_weights_that_are_no_numbers_any_more_are_refused(name, value):
    network = begun(name)
    network.coefs_[-1][0, 0] = value
    before = vars(network).copy()
    with pytest.raises(ValueError, match=r"Got NaN or infinity in coefs_\[\d\]: set finite weights, or fit anew"):
        epoch(network, slice(0, 32))
    assert vars(network) == before


class Scaled(SigmoidBackpropClassifier):
    """Computes a parameter of training from one of its own."""

    def __init__(self, tenths=1, random_state=0):
        super().__init__((3,), random_state=random_state)
        self.tenths = tenths

    @property
    def learning_rate_init(self):
        return self.tenths / 10

    @learning_rate_init.setter
    def learning_rate_init(self, value):
        """The constructor's is not heeded."""


def test_a_subclass_that_computes_parameters_is_heeded():
    network = Scaled()
    for _ in range(4):
        epoch(network, slice(0, 32))
    other = anew(network)
    for model in (network, other):
        epoch(model.set_params(tenths=5), slice(0, 32))
    assert_same(network, other)
    assert network._training_state.descent.learning_rate_init == 0.5


@by_network
def test_lists_of_many_calls_grow_in_place_and_only_by_calls_that_succeed(name):
    """To copy them at each call would take longer than to train, once there are thousands."""
    network = begun(name)
    curve, before = network.loss_curve_, [*network.loss_curve_]
    copied = copy.copy(network)
    with pytest.raises(ValueError, match="NaN"):
        network.partial_fit(np.full((1, X.shape[1]), np.nan), LABELS[:1])
    assert network.loss_curve_ == before
    epoch(network, slice(0, 10))
    assert network.loss_curve_ is curve
    assert len(curve) == len(before) + 1
    assert copied.loss_curve_ == before
