"""The default recipe: prior, steps, running mean and patience, each against what its formula says."""

import numpy as np
import pytest
from estimators_helpers import ESTIMATORS, fit, tiny
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop.inspection import trace_backpropagation
from skbackprop.optimizers import SGD
from skbackprop.schedules import SCHEDULES, WarmUp

rng = np.random.RandomState(0)
X = rng.randn(150, 6)
LABELS = {
    "two classes": (X[:, 0] + 0.5 * rng.randn(150) > 0).astype(int),
    "three classes": np.digitize(X[:, 0] + 0.5 * rng.randn(150), [-0.5, 0.5]),
    "three labels": (X[:, :3] + 0.5 * rng.randn(150, 3) > 0).astype(int),
}
y = LABELS["three classes"]
numbers = X[:, 0] + X[:, 1] ** 2

# Few epochs are enough for most; of the warnings those are tested that are asked for.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(**parameters):
    """A small network of a few epochs."""
    settings = {"hidden_layer_sizes": (6, 5), "max_iter": 3, "random_state": 0}
    return SigmoidBackpropClassifier(**{**settings, **parameters})


def penalties(estimator, *data):
    """The factor on the weights in the gradient of each layer, all samples being one batch."""
    return [layer.penalty for layer in trace_backpropagation(estimator, *data).layers]


# The penalty ---------------------------------------------------------------------------------------------------------

# Inverse variances of the initial weights of the first and the last layer, for inputs of six features.
INVERSE_VARIANCES = {
    "logistic": ((6, 5), 6 / (1.5 * 6 ** (2 / 6)), 5 / 16),
    "relu": ((6, 5), 6, 5 / 2),
    "tanh": ((6, 5), 6, 5),
    "silu": ((9, 5, 4), 6 / (1.5 * 9 ** (2 / 6)), 4 * 0.3557755),
}


@pytest.mark.parametrize("activation", INVERSE_VARIANCES)
@pytest.mark.parametrize(("kind", "bits"), [("two classes", 1), ("three classes", np.log2(3)), ("three labels", 1)])
def test_the_prior_is_that_of_the_initial_weights_on_the_outer_layers(activation, kind, bits):
    sizes, first, last = INVERSE_VARIANCES[activation]
    found = penalties(make(activation=activation, hidden_layer_sizes=sizes), X, LABELS[kind])
    between = [0] * (len(sizes) - 1)
    # 150 samples are penalised as 256 are, and the weights of logits may be twice as large.
    assert found == pytest.approx([0.12 * first / bits / 256, *between, 0.03 * last / bits / 256])


@pytest.mark.parametrize("solver", ["adam", "adamw", "sgd", "rprop", "lbfgs"])
def test_the_prior_is_the_same_for_every_solver_and_for_numbers(solver):
    regressor = SigmoidBackpropRegressor(hidden_layer_sizes=(8,), activation="tanh", solver=solver, random_state=0)
    assert penalties(regressor, X, numbers) == pytest.approx([0.12 * 6 / 256, 0.12 * 8 / 256])


def test_the_prior_is_spread_over_rows_not_over_their_weight():
    expected = [0.12 * 6 / np.log2(3) / 600, 0.03 * 5 / np.log2(3) / 600]
    inputs, labels = np.tile(X, (4, 1)), np.tile(y, 4)
    for weight in (None, np.full(600, 1e-3), np.linspace(0, 5, 600)):
        network = make(activation="tanh", hidden_layer_sizes=(5,))
        assert penalties(network, inputs, labels, weight) == pytest.approx(expected)


def test_the_sharpest_first_layer_and_no_hidden_layer():
    # A hundred units on one feature would bend with a variance of 1.5 100^2: 64 is the most.
    assert penalties(make(hidden_layer_sizes=(100,)), X[:, :1], y)[0] == pytest.approx(0.12 / 64 / np.log2(3) / 256)
    # Without hidden layers the weights start at zero, and the prior is that of a layer fed by the inputs.
    assert penalties(make(hidden_layer_sizes=()), X, y) == pytest.approx([0.03 * 6 / np.log2(3) / 256])


@pytest.mark.parametrize("batch_size", [30, 100, 442])
def test_the_prior_is_the_same_whatever_the_batch(batch_size):
    inputs, targets = np.tile(X, (3, 1))[:442], np.tile(numbers, 3)[:442]
    weight = np.linspace(1, 3, 442)
    # A tanh layer of ten: both layers have ten features, of variance 1 / 10.
    inputs = np.c_[inputs, np.random.RandomState(1).randn(442, 4)]
    settings = {"hidden_layer_sizes": (10,), "activation": "tanh", "batch_size": batch_size, "max_iter": 1}
    automatic = SigmoidBackpropRegressor(**settings, random_state=0).fit(inputs, targets, weight)
    # Given by hand, a penalty is divided by the total weight of a batch: weights have a mean of 2.
    alpha = 2 * 0.12 * 10 * batch_size / 442
    by_hand = SigmoidBackpropRegressor(**settings, random_state=0, alpha=alpha).fit(inputs, targets, weight)
    for one, other in zip(automatic.coefs_, by_hand.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_in_partial_fit_all_rows_seen_so_far_count():
    network = make(activation="tanh", hidden_layer_sizes=(5,))
    strength = 0.12 * 6 / np.log2(3)
    for seen in (150, 300, 450):
        network.partial_fit(X, y, classes=[0, 1, 2])
        # What is looked at is the step of the next call.
        assert penalties(network, X, y)[0] == pytest.approx(strength / max(seen + 150, 256))
    network.partial_fit(X[:50], y[:50])
    assert network._training_state.rows_seen == 500
    # Each call of `fit` is on rows of its own.
    assert make(warm_start=True).fit(X, y).fit(X, y)._training_state.rows_seen == 150


def test_columns_that_hardly_vary_hardly_count():
    few = np.zeros((150, 40))
    few[0] = 1.0
    # A column that is 1 in one of 150 rows has the variance 149 / 150^2 and a scale larger by the root of 0.1 x 150.
    count = 6 + 40 / 15
    network = make(activation="tanh", hidden_layer_sizes=(5,))
    assert penalties(network, np.c_[X, few, np.zeros((150, 9))], y)[0] == pytest.approx(0.12 * count / np.log2(3) / 256)


def test_with_another_rule_for_the_initial_weights_the_penalty_is_scikit_learns():
    for parameters in ({"init": "glorot"}, {"init": "uniform", "solver": "lbfgs"}):
        one, other = make(**parameters).fit(X, y), make(alpha=0.0001, **parameters).fit(X, y)
        np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])


# Steps ---------------------------------------------------------------------------------------------------------------


class Counting(SGD):
    """Gradient descent that counts its steps and notes what it leads to."""

    def __init__(self):
        super().__init__()
        self.path = []

    def update(self, theta, gradient, state, learning_rate, loss):
        super().update(theta, gradient, state, learning_rate, loss)
        self.path.append(theta.copy())


# Rows, and the samples in a step: all of up to 64, then a 64th, within 20 and 256.
@pytest.mark.parametrize(
    ("n_rows", "batch_size", "n_steps"),
    [(10, 10, 20), (64, 64, 20), (65, 20, 20), (150, 20, 24), (380, 20, 38), (400, 20, 20), (2000, 31, 65)],
)
def test_an_epoch_is_so_many_passes_as_make_twenty_steps(n_rows, batch_size, n_steps):
    n_batches = -(-n_rows // batch_size)
    inputs, labels = rng.randn(n_rows, 2), np.arange(n_rows) % 2
    for parameters, expected in [
        ({}, n_steps),
        ({"batch_size": batch_size}, n_batches),
        ({"batch_size": "auto"}, -(-n_rows // 200)),
        ({"init": "glorot"}, -(-n_rows // 200)),
    ]:
        counting = Counting()
        network = make(max_iter=1, solver=counting, **parameters).fit(inputs, labels)
        assert len(counting.path) == expected
        passes = n_steps // n_batches if parameters == {} else 1
        assert network.t_ == passes * n_rows
    counting = Counting()
    make(solver=counting).partial_fit(inputs, labels, classes=[0, 1])
    # A part of the data is no whole: more than 20 rows are several batches.
    assert len(counting.path) == -(-n_rows // max(20, n_rows // 64))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("parameters", [{}, {"batch_size": 20}, {"solver": "sgd", "dropout": 0.3}], ids=repr)
def test_the_samples_of_a_single_batch_are_in_one_order(parameters, method):
    """Which of a full batch's samples comes first means nothing, so that none is drawn, and any gives the same bits."""
    networks = [make(shuffle=shuffle, max_iter=20, **parameters) for shuffle in (True, False)]
    for network in networks:
        fit(network, X[:20], y[:20], method=method)
        # The next is another matter.
        fit(network, X[:20], y[:20], method="partial_fit")
    for ours, theirs in zip(*(network.coefs_ for network in networks), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_solvers_that_take_all_samples_take_them_once():
    for solver in ("rprop", "lbfgs"):
        network = make(solver=solver, max_iter=4).fit(X, y)
        assert network.t_ == 4 * 150


def test_samples_held_out_are_no_reason_for_fewer_steps():
    counting = Counting()
    make(solver=counting, early_stopping=True, max_iter=1).fit(X, y)
    # 135 rows are seven batches of 20, so three passes.
    assert len(counting.path) == 21


# The running mean ----------------------------------------------------------------------------------------------------


def test_what_is_published_is_the_running_mean():
    counting = Counting()
    network = make(solver=counting, standardize=False, max_iter=2).fit(X, y)
    mean = counting.path[0]
    for t, theta in enumerate(counting.path[1:], start=2):
        mean = mean + 6 / (t + 5) * (theta - mean)
    published = np.concatenate([np.ravel(part) for part in network.coefs_ + network.intercepts_])
    assert len(counting.path) == 48
    np.testing.assert_allclose(np.sort(published), np.sort(mean), rtol=1e-12)


def test_training_goes_on_from_the_weights_and_not_from_their_mean():
    averaged, plain = make(learning_rate=WarmUp(n_steps=1)).fit(X, y), make(learning_rate="constant").fit(X, y)
    assert averaged.loss_curve_ == plain.loss_curve_
    assert not np.allclose(averaged.coefs_[0], plain.coefs_[0], rtol=1e-3)


def test_the_mean_is_what_is_scored_and_kept():
    watched = make(scoring="loss").fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    losses = -np.log(watched.predict_proba(X[100:])[np.arange(50), y[100:]])
    assert watched.validation_scores_[-1] == pytest.approx(-losses.mean())
    kept = make(early_stopping=True, max_iter=5).fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    losses = -np.log(kept.predict_proba(X[100:])[np.arange(50), y[100:]])
    assert kept.best_validation_score_ == pytest.approx(-losses.mean())


@pytest.mark.parametrize("settings", [{"solver": "rprop"}, {"solver": "lbfgs"}, {"init": "glorot"}], ids=str)
def test_no_mean_without_learning_rate_or_with_another_rule_for_the_initial_weights(settings):
    automatic, constant = make(**settings).fit(X, y), make(learning_rate="constant", **settings).fit(X, y)
    for one, other in zip(automatic.coefs_, constant.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_mean_of_other_weights_is_forgotten():
    network = make(warm_start=True, standardize=False, learning_rate_init=1e-12).fit(X, y)
    network.coefs_[0][:] = 1.0
    np.testing.assert_allclose(network.fit(X, y).coefs_[0], 1.0, rtol=1e-6)


# When training stops -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "n_epochs"),
    [
        # No epoch improves by so much but the first: the second is the first that counts.
        ({"learning_rate": "constant"}, 1 + 2),
        # Of one step an epoch the first hundred rise.
        ({"learning_rate": "auto"}, 14 + 2),
        ({"learning_rate": WarmUp(n_steps=10)}, 9 + 2),
        # After the 59th of 200 epochs less than three tenths lie behind.
        ({"learning_rate": "one_cycle"}, 59 + 2),
        # Without batches no rate rises.
        ({"solver": "rprop", "learning_rate": "constant"}, 1 + 2),
    ],
    ids=str,
)
def test_while_the_rate_rises_there_is_no_plateau(settings, n_epochs):
    network = make(batch_size=150, tol=100.0, n_iter_no_change=1, max_iter=200, **settings).fit(X, y)
    assert network.n_iter_ == n_epochs


@pytest.mark.slow
def test_more_epochs_train_longer_until_a_plateau():
    few, many = (make(max_iter=max_iter, n_iter_no_change=np.inf).fit(X, y) for max_iter in (10, 150))
    assert (few.n_iter_, many.n_iter_) == (10, 150)
    assert many.loss_ < few.loss_
    assert make(max_iter=10_000, tol=1e-3).fit(X, y).n_iter_ < 10_000


@pytest.mark.filterwarnings("error")
def test_the_end_of_the_epochs_is_worth_a_warning_only_if_the_loss_still_falls():
    settings = {"max_iter": 40, "n_iter_no_change": np.inf, "learning_rate": "constant"}
    # By how much an epoch the loss has fallen from the ten epochs before the last ten to these.
    curve = np.array(make(**settings, tol=1.0).fit(X, y).loss_curve_)
    fall = (curve[20:30].mean() - curve[30:].mean()) / 10
    assert fall > 1e-4
    make(**settings, tol=1.01 * fall).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="max_iter=40 before it converged: raise max_iter, or tol"):
        make(**settings, tol=0.99 * fall).fit(X, y)


@pytest.mark.filterwarnings("error")
def test_with_early_stopping_the_validation_loss_is_what_may_still_fall():
    settings = {"max_iter": 20, "n_iter_no_change": np.inf, "early_stopping": True}
    data = {"X_val": X[100:], "y_val": y[100:]}
    scores = np.array(make(**settings, tol=1.0).fit(X[:100], y[:100], **data).validation_scores_)
    rise = (scores[10:].mean() - scores[:10].mean()) / 10
    assert rise > 1e-4
    make(**settings, tol=1.01 * rise).fit(X[:100], y[:100], **data)
    with pytest.warns(ConvergenceWarning, match="max_iter=20"):
        make(**settings, tol=0.99 * rise).fit(X[:100], y[:100], **data)
    # Judged by these data it gets worse, whatever the training loss does.
    make(**settings, tol=0.0).fit(X[:100], y[:100], X_val=X[100:], y_val=2 - y[100:])


@pytest.mark.filterwarnings("error")
def test_a_single_epoch_cannot_tell():
    with pytest.warns(ConvergenceWarning, match="max_iter=1 "):
        make(max_iter=1, tol=100.0).fit(X, y)


# Weight decay --------------------------------------------------------------------------------------------------------


@given(
    st.floats(1e-6, 1e6),
    st.floats(0, 1e9),
    st.sampled_from(list(ESTIMATORS)),
    st.sampled_from(["sgd", "adam", "adamw"]),
    st.sampled_from(sorted(SCHEDULES)),
)
def test_weight_decay_that_overshoots_zero_is_refused_at_the_start(rate, decay, kind, solver, schedule):
    settings = {"learning_rate_init": rate, "weight_decay": decay, "solver": solver, "learning_rate": schedule}
    estimator = tiny(kind, **settings)
    # (0 is the solver's own.)
    if rate * (decay or 0.01 * (solver == "adamw")) > 1:
        with pytest.raises(ValueError, match="Got weight_decay="):
            fit(estimator, X[:20], y[:20])
        assert not hasattr(estimator, "n_iter_")
    else:
        fit(estimator, X[:20], y[:20])
