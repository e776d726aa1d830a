"""What must hold whatever the data: each test is a law in one sentence."""

import copy
import io
import warnings

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import (
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop.initializers import NearIdentity
from skbackprop.losses import REGRESSION_LOSSES

STOCHASTIC = ["sgd", "adam"]
STEPWISE = [*STOCHASTIC, "rprop"]
ALL = [*STEPWISE, "lbfgs"]


def fit(X, y, sample_weight=None, **parameters):
    """A fitted classifier of a small network, silent about having been stopped early."""
    return refit(make(**parameters), X, y, sample_weight)


def make(**parameters):
    """A classifier of a small network."""
    return SigmoidBackpropClassifier(**{"hidden_layer_sizes": (6, 5), "max_iter": 10, "random_state": 0, **parameters})


def make_regressor(**parameters):
    """A regressor of a small network."""
    return SigmoidBackpropRegressor(**{"hidden_layer_sizes": (6, 5), "max_iter": 10, "random_state": 0, **parameters})


@pytest.fixture(scope="module")
def numbers(targets):
    """Two positive targets a sample."""
    X = targets[0]
    return np.exp(0.5 * X[:, :2] + 0.3 * np.random.RandomState(5).randn(150, 2)) * [3.0, 200.0]


def refit(classifier, *arguments, **keywords):
    """Fit without the warning that ten epochs are few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(*arguments, **keywords)


def round_trip(classifier):
    """The classifier, dumped and loaded."""
    file = io.BytesIO()
    joblib.dump(classifier, file)
    file.seek(0)
    return joblib.load(file)


def assert_same_weights(one, other, **tolerance):
    """Weights agree, bit for bit unless a tolerance is given."""
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, **tolerance) if tolerance else np.testing.assert_array_equal(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ALL)
# (scikit-learn's balanced weights of several labels do not know sample weights.)
@pytest.mark.parametrize(
    ("kind", "class_weight"),
    [("binary", None), ("multiclass", None), ("multilabel", None), ("binary", "balanced"), ("multiclass", "balanced")],
)
def test_an_integer_weight_equals_repeated_rows_in_full_batch(targets, solver, kind, class_weight):
    X, y = targets[0], targets[1][kind]
    weight = np.random.RandomState(0).randint(0, 4, len(X))
    settings = {"solver": solver, "class_weight": class_weight, "shuffle": False, "alpha": 0.1}
    weighted = fit(X, y, weight, batch_size=len(X), **settings)
    rows = np.repeat(np.arange(len(X)), weight)
    repeated = fit(X[rows], y[rows], batch_size=len(rows), **settings)
    assert_same_weights(weighted, repeated, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("maker", [make, make_regressor])
@pytest.mark.parametrize("solver", ALL)
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_of_few_rows_an_integer_weight_equals_repeated_ones_and_their_order_is_all_one(maker, solver, container):
    rng = np.random.RandomState(0)
    X = rng.randn(20, 4) * (rng.rand(20, 4) < 0.7)
    y = rng.randint(3, size=20)
    weight = np.append(rng.randint(0, 4, 18), [1, 2])
    rows = rng.permutation(np.repeat(np.arange(20), weight))
    settings = {"solver": solver, "max_iter": 30, "random_state": 0}
    weighted = refit(maker(**settings), container(X), y, sample_weight=weight)
    repeated = refit(maker(**settings), container(X[rows]), y[rows])
    assert_same_weights(weighted, repeated)
    assert weighted.loss_curve_ == repeated.loss_curve_


@pytest.mark.parametrize("solver", ALL)
def test_class_weight_equals_the_matching_sample_weight(targets, solver):
    X, y = targets[0], targets[1]["multiclass"]
    by_class = fit(X, y, solver=solver, class_weight={0: 1.0, 1: 3.0, 2: 0.5})
    by_sample = fit(X, y, np.array([1.0, 3.0, 0.5])[y], solver=solver)
    assert_same_weights(by_class, by_sample)


def test_balanced_classes_weigh_the_same(targets):
    X, y = targets[0], targets[1]["binary"]
    weight = np.where(y == 1, len(y) / (2 * y.sum()), len(y) / (2 * (len(y) - y.sum())))
    assert_same_weights(fit(X, y, class_weight="balanced"), fit(X, y, weight), rtol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ALL)
@pytest.mark.parametrize("settings", [{}, {"alpha": 0}, {"early_stopping": True}], ids=str)
def test_a_common_factor_on_the_weights_changes_nothing(targets, solver, settings):
    X, y = targets[0], targets[1]["binary"]
    weight = np.random.RandomState(0).uniform(1, 2, len(X))
    plain = fit(X, y, weight, solver=solver, **settings)
    for exponent in (-20, 3, 20):
        assert_same_weights(fit(X, y, 2.0**exponent * weight, solver=solver, **settings), plain)
    for factor in (1 / len(X), 1e-6, 3.0, 1e6):
        scaled = fit(X, y, factor * weight, solver=solver, **settings)
        np.testing.assert_allclose(scaled.predict_proba(X), plain.predict_proba(X), atol=1e-3)


def test_equal_weights_are_no_weights(targets):
    X, y = targets[0], targets[1]["binary"]
    assert_same_weights(fit(X, y, np.full(len(X), 0.25)), fit(X, y), rtol=1e-9)


class SameForAnyInputs(NearIdentity):
    """The recipe's initial weights, but each array has draws of its own: those of more inputs begin with those of fewer."""

    def fill(self, coef, intercept, fed_by, activation, random_state):
        super().fill(coef, intercept, fed_by, activation, self)

    def uniform(self, low, high, shape):
        return np.random.RandomState(100 * len(shape) + shape[-1]).uniform(low, high, shape)


def with_zeros(X):
    """Inputs with fifty more columns, all zero."""
    return np.c_[X, np.zeros((len(X), 50))]


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("solver", ALL)
def test_columns_of_zeros_cost_nothing(targets, solver, container):
    X, y = targets[0], targets[1]["multiclass"]
    # A gradient is clipped by its norm, and to that the penalty on the idle weights adds a little.
    settings = {"solver": solver, "init": SameForAnyInputs(), "clip_norm": None}
    if solver == "lbfgs":
        # Its steps go by the norm, too: without hidden layers all weights start at zero, and the idle ones stay there.
        settings["hidden_layer_sizes"] = ()
    plain, more = fit(X, y, **settings), fit(container(with_zeros(X)), y, **settings)
    np.testing.assert_allclose(more.predict_proba(container(with_zeros(X))), plain.predict_proba(X), rtol=1e-6)


@pytest.mark.slow
def test_columns_of_zeros_cost_nothing_in_partial_fit_and_by_default(targets):
    X, y = targets[0], targets[1]["multiclass"]
    plain, more = (make(init=SameForAnyInputs(), clip_norm=None) for _ in range(2))
    for _ in range(5):
        plain.partial_fit(X, y, classes=[0, 1, 2])
        more.partial_fit(with_zeros(X), y, classes=[0, 1, 2])
    np.testing.assert_allclose(more.predict_proba(with_zeros(X)), plain.predict_proba(X), rtol=1e-6)
    # By default the initial weights are other draws from the same distribution: log-losses of twenty seeds have one mean.
    losses = [[fit(inputs, y, random_state=seed, max_iter=20).loss_ for seed in range(20)] for inputs in (X, with_zeros(X))]
    standard_error = np.std(losses, axis=1).mean() * (2 / 20) ** 0.5
    assert abs(np.subtract(*np.mean(losses, axis=1))) < 4 * standard_error + 0.001


@pytest.fixture(scope="module")
def sparse(targets):
    """A table of which most entries are zero: some columns are rare, and one is never seen."""
    X = targets[0] * (targets[0] > 0.3)
    towns = np.eye(40)[np.random.RandomState(2).randint(40, size=150)]
    return np.c_[X + (X != 0), towns, np.zeros(150)]


def both(X):
    """A table, dense and sparse."""
    return X, sp.csr_array(X)


@pytest.mark.parametrize("solver", ALL)
@pytest.mark.parametrize(
    "settings",
    [{}, {"fit_intercept": False}, {"hidden_layer_sizes": ()}, {"early_stopping": True}, {"sample_weight": True}],
    ids=str,
)
def test_sparse_and_dense_are_one_table(targets, sparse, weight, solver, settings):
    y = targets[1]["multiclass"]
    settings = dict(settings)
    weights = weight if settings.pop("sample_weight", False) else None
    dense, other = (fit(X, y, weights, solver=solver, **settings) for X in both(sparse))
    assert_same_weights(other, dense, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(other.loss_curve_, dense.loss_curve_, rtol=1e-9)
    for judge in (dense, other):
        np.testing.assert_allclose(*(judge.predict_proba(X) for X in both(sparse)), rtol=1e-12)


def test_sparse_and_dense_are_one_table_for_numbers_in_parts_and_when_training_goes_on(targets, sparse, numbers):
    y = targets[1]["multiclass"]
    dense, other = (refit(make_regressor(), X, numbers) for X in both(sparse))
    assert_same_weights(other, dense, rtol=1e-6, atol=1e-9)
    dense, other = (make(), make())
    for rows in (slice(0, 50), slice(50, 120), slice(120, 150), slice(0, 50)):
        for classifier, X in zip((dense, other), both(sparse), strict=True):
            classifier.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    assert_same_weights(other, dense, rtol=1e-6, atol=1e-9)
    # A warm start goes on with either.
    dense, other, mixed = (make(warm_start=True, max_iter=4) for _ in range(3))
    for number in range(3):
        for classifier, X in zip((dense, other), both(sparse), strict=True):
            refit(classifier, X, y)
        refit(mixed, both(sparse)[number % 2], y)
    assert_same_weights(other, dense, rtol=1e-6, atol=1e-9)
    assert_same_weights(mixed, dense, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("solver", ALL)
def test_the_order_of_rows_does_not_matter_in_full_batch(targets, solver):
    X, y = targets[0], targets[1]["multiclass"]
    order = np.random.RandomState(1).permutation(len(X))
    settings = {"solver": solver, "batch_size": len(X), "shuffle": False}
    assert_same_weights(fit(X, y, **settings), fit(X[order], y[order], **settings), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("names", [["a", "b", "c"], [-1, 7, 30], [0.5, 1.0, 2.0]])
def test_renaming_labels_renames_predictions(targets, names):
    X, codes = targets[0], targets[1]["multiclass"]
    # Whole floats are labels, others are not: scikit-learn takes 0.5 for a measurement.
    names = np.array(names) * (2 if names[0] == 0.5 else 1) if not isinstance(names[0], str) else np.array(names)
    renamed = fit(X, names[codes])
    np.testing.assert_array_equal(renamed.predict(X), names[fit(X, codes).predict(X)])
    np.testing.assert_array_equal(renamed.classes_, names)


@pytest.mark.parametrize(
    "between", [lambda c: c, pytest.param(round_trip, marks=pytest.mark.slow)], ids=["direct", "dumped"]
)
@pytest.mark.parametrize(
    "settings",
    [
        *({"solver": solver} for solver in STEPWISE),
        *({"solver": solver, "early_stopping": True} for solver in STEPWISE),
        {"solver": "sgd", "shuffle": False},
        {"solver": "sgd", "learning_rate": "invscaling", "batch_size": 16},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1},
        {"dropout": 0.2},
        {"early_stopping": True, "scoring": "accuracy", "batch_size": 20},
        {"random_state": np.random.RandomState(4)},
    ],
    ids=lambda settings: "RandomState" if "random_state" in settings else str(settings),
)
def test_ten_epochs_equal_five_and_a_warm_start_of_five(targets, between, settings):
    X, y = targets[0], targets[1]["multiclass"]
    straight = refit(make(**fresh(settings)), X, y)
    warm = refit(make(max_iter=5, warm_start=True, **fresh(settings)), X, y)
    resumed = refit(between(warm), X, y)
    assert_same_weights(resumed, straight)
    assert resumed.loss_curve_ == straight.loss_curve_
    assert resumed.validation_scores_ == straight.validation_scores_
    assert resumed.t_ == straight.t_


def fresh(settings):
    """The settings, with a random state of their own."""
    return {name: copy.deepcopy(value) for name, value in settings.items()}


@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("settings", [{}, {"shuffle": False, "batch_size": 32}, {"dropout": 0.3}], ids=str)
def test_partial_fits_on_the_same_batches_equal_epochs_of_fit(targets, solver, settings):
    X, y = targets[0], targets[1]["binary"]
    # "auto" counts the rows seen, and an epoch of `fit` with batches of the recipe's own may be several passes.
    settings = {"solver": solver, "alpha": 0.01, "batch_size": 20, **settings}
    straight = fit(X, y, **settings)
    steps = make(**settings)
    for _ in range(10):
        steps.partial_fit(X, y, classes=[0, 1])
    assert_same_weights(steps, straight)
    assert steps.loss_curve_ == straight.loss_curve_


def test_early_stopping_by_partial_fit_equals_that_of_fit(targets):
    X, y = targets[0], targets[1]["binary"]
    data = {"X_val": X[100:], "y_val": y[100:]}
    settings = {"early_stopping": True, "learning_rate_init": 0.5, "alpha": 0.01, "batch_size": 20}
    straight = refit(make(**settings), X[:100], y[:100], **data)
    steps = make(**settings)
    for _ in range(straight.n_iter_):
        steps.partial_fit(X[:100], y[:100], classes=[0, 1], **data)
    assert_same_weights(steps, straight)
    assert steps.validation_scores_ == straight.validation_scores_


@pytest.mark.parametrize("solver", ALL)
def test_the_same_seed_gives_the_same_weights(targets, solver):
    X, y = targets[0], targets[1]["binary"]
    settings = {"solver": solver, "early_stopping": True}
    assert_same_weights(fit(X, y, **settings), fit(X, y, **settings))
    assert not np.array_equal(fit(X, y, **settings).coefs_[0], fit(X, y, random_state=1, **settings).coefs_[0])


@pytest.mark.parametrize("scoring", ["loss", "accuracy", "neg_log_loss", None])
def test_early_stopping_keeps_the_weights_of_the_best_score(targets, scoring):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = make(early_stopping=True, scoring=scoring, max_iter=300, learning_rate_init=0.05, n_iter_no_change=5)
    refit(classifier, X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    if scoring in {"accuracy", None}:
        score = classifier.score(X[100:], y[100:])
    else:
        score = np.take_along_axis(classifier.predict_log_proba(X[100:]), y[100:, None], axis=1).mean()
    assert score == pytest.approx(max(classifier.validation_scores_))
    assert classifier.best_validation_score_ == max(classifier.validation_scores_)
    assert classifier.n_iter_ < 300


def test_validation_data_without_early_stopping_change_nothing(targets):
    X, y = targets[0], targets[1]["binary"]
    plain = fit(X[:100], y[:100])
    watched = refit(make(), X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert_same_weights(watched, plain)
    assert len(watched.validation_scores_) == watched.n_iter_


def test_a_negative_weight_pushes_a_probability_down(targets):
    X, y = targets[0][:1], targets[1]["binary"][:1]
    classifier = make(solver="sgd", momentum=0, learning_rate_init=0.1).partial_fit(X, y, classes=[0, 1])
    before = classifier.predict_proba(X)[0, y[0]]
    classifier.partial_fit(X, y, sample_weight=[-3.0])
    assert classifier.predict_proba(X)[0, y[0]] < before


def test_a_batch_of_zero_weights_does_no_harm(targets):
    X, y = targets[0], targets[1]["binary"]
    weight = np.where(np.arange(len(X)) < 50, 0.0, 1.0)
    with_zeros = fit(X, y, weight, batch_size=50, shuffle=False, solver="sgd", momentum=0, alpha=0, max_iter=3)
    assert np.isfinite(with_zeros.loss_)
    # (A running mean of the weights would go on towards them.)
    classifier = make(solver="sgd", alpha=0, momentum=0, learning_rate="constant").partial_fit(X, y, classes=[0, 1])
    before = [coef.copy() for coef in classifier.coefs_]
    classifier.partial_fit(X, y, sample_weight=np.zeros(len(X)))
    for a, b in zip(before, classifier.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


# Regression ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("solver", ALL)
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
@pytest.mark.parametrize(
    "settings",
    [{"standardize_targets": True}, pytest.param({"standardize_targets": False}, marks=pytest.mark.slow)],
    ids=str,
)
def test_an_integer_weight_equals_repeated_rows_for_every_regression_loss(targets, numbers, solver, loss, settings):
    X, weight = targets[0], np.random.RandomState(0).randint(0, 4, 150)
    # An odd number of rows: as many errors above as below give a derivative of 0 or of a rounding error, and "rprop" steps
    # by its sign.
    weight[0] += 1 - weight.sum() % 2
    settings = {"solver": solver, "loss": loss, "shuffle": False, "alpha": 0.1, "quantile": 0.3, **settings}
    weighted = refit(make_regressor(batch_size=150, **settings), X, numbers, weight)
    rows = np.repeat(np.arange(150), weight)
    repeated = refit(make_regressor(batch_size=len(rows), **settings), X[rows], numbers[rows])
    assert_same_weights(weighted, repeated, rtol=1e-6, atol=1e-9)
    assert weighted.loss_ == pytest.approx(repeated.loss_)


@pytest.mark.slow
@pytest.mark.parametrize(
    "between", [lambda c: c, pytest.param(round_trip, marks=pytest.mark.slow)], ids=["direct", "dumped"]
)
@pytest.mark.parametrize(
    "standardize_targets", ["auto", pytest.param(True, marks=pytest.mark.slow), pytest.param(False, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "settings",
    [
        *({"loss": loss} for loss in REGRESSION_LOSSES),
        *({"solver": solver, "early_stopping": True} for solver in STEPWISE),
        {"solver": "sgd", "learning_rate_init": 1e-3, "loss": "poisson", "early_stopping": True},
        {"early_stopping": True, "scoring": "r2", "loss": "gamma", "learning_rate_init": 0.05},
        {"early_stopping": True, "scoring": "neg_mean_absolute_error", "fit_intercept": False},
        {"loss": "poisson", "fit_intercept": False, "dropout": 0.2},
        {"loss": "huber", "hidden_layer_sizes": (), "init": "glorot"},
    ],
    ids=str,
)
def test_ten_epochs_of_regression_equal_five_and_a_warm_start_of_five(
    targets, numbers, between, settings, standardize_targets
):
    X, settings = targets[0], {**settings, "standardize_targets": standardize_targets}
    straight = refit(make_regressor(**settings), X, numbers)
    resumed = refit(between(refit(make_regressor(max_iter=5, warm_start=True, **settings), X, numbers)), X, numbers)
    assert_same_weights(resumed, straight)
    assert resumed.loss_curve_ == straight.loss_curve_
    assert resumed.validation_scores_ == straight.validation_scores_


@pytest.mark.slow
@pytest.mark.parametrize("solver", STOCHASTIC)
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_partial_fits_equal_epochs_of_fit_with_scaled_targets(targets, numbers, solver, loss):
    settings = {"solver": solver, "loss": loss, "standardize_targets": True, "alpha": 0.01, "batch_size": 20}
    data = {"X_val": targets[0][:50], "y_val": numbers[:50]}
    for early_stopping in (False, True):
        straight = refit(make_regressor(early_stopping=early_stopping, **settings), targets[0], numbers, **data)
        steps = make_regressor(early_stopping=early_stopping, **settings)
        for _ in range(straight.n_iter_):
            steps.partial_fit(targets[0], numbers, **data)
        assert_same_weights(steps, straight)
        assert steps.loss_curve_ == straight.loss_curve_
        assert steps.validation_scores_ == straight.validation_scores_


@pytest.mark.slow
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_the_loss_of_several_targets_is_the_sum_of_scikit_learns_on_the_final_weights(targets, numbers, loss):
    X, settings = targets[0], {"loss": loss, "solver": "lbfgs", "alpha": 0, "quantile": 0.3, "max_iter": 30}
    regressor = refit(make_regressor(standardize_targets=False, **settings), X, numbers / [3.0, 200.0])
    y, prediction = numbers / [3.0, 200.0], regressor.predict(X)
    metric = {
        "squared_error": lambda a, b: mean_squared_error(a, b) / 2,
        "absolute_error": mean_absolute_error,
        "huber": lambda a, b: np.where(np.abs(a - b) < 1.35, (a - b) ** 2 / 2, 1.35 * (np.abs(a - b) - 0.675)).mean(),
        "poisson": lambda a, b: mean_poisson_deviance(a, b) / 2,
        "quantile": lambda a, b: mean_pinball_loss(a, b, alpha=0.3),
        "gamma": lambda a, b: mean_gamma_deviance(a, b) / 2,
    }[loss]
    assert regressor.loss_ == pytest.approx(sum(metric(y[:, k], prediction[:, k]) for k in range(2)))
    # With scaled targets, and weights, it is the same sum over these.
    weight = np.random.RandomState(0).uniform(0.5, 2, 150)
    for scaled in (True, "auto"):
        regressor = refit(make_regressor(standardize_targets=scaled, **settings), X, numbers, weight)
        held = refit(make_regressor(standardize_targets=scaled, **settings), X, numbers, weight, X_val=X, y_val=numbers,
                     sample_weight_val=weight)  # fmt: skip
        assert_same_weights(regressor, held)
        assert regressor.loss_ == pytest.approx(-held.validation_scores_[-1])


@pytest.mark.slow
@pytest.mark.parametrize("solver", ALL)
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"loss": "quantile", "quantile": 0.2}], ids=str)
def test_the_same_seed_gives_the_same_regressor(targets, numbers, solver, settings):
    one, other = (refit(make_regressor(solver=solver, **settings), targets[0], numbers) for _ in range(2))
    assert_same_weights(one, other)
    third = refit(make_regressor(solver=solver, random_state=1, **settings), targets[0], numbers)
    assert not np.array_equal(one.coefs_[0], third.coefs_[0])
