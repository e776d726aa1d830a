"""The regressor's behaviour: targets of every kind, errors that leave the last fit alone, scikit-learn's company."""

import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, train_test_split
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropRegressor
from skbackprop.initializers import NearIdentity
from skbackprop.losses import (
    REGRESSION_LOSSES,
    BinaryLogLoss,
    HuberLoss,
    PoissonDeviance,
    Quantile,
    RegressionLoss,
    SquaredError,
)

X, y = load_diabetes(return_X_y=True)
two = np.column_stack([y, y[::-1]])


# Few epochs are enough here; what the warnings say is tested where they are raised.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(**parameters):
    """A small network with a constant learning rate, so that few epochs do something."""
    settings = {"hidden_layer_sizes": (8,), "max_iter": 15, "random_state": 0, "learning_rate": "constant"}
    return SigmoidBackpropRegressor(**settings | parameters)


# Inputs and targets --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "container",
    [sp.csr_matrix, sp.csr_array, sp.csc_array, pd.DataFrame, pl.DataFrame, np.asfortranarray, list],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_every_container_gives_the_same_predictions(container):
    # Sparse features are not centred.
    settings = {"standardize": False} if "cs" in container.__name__ else {}
    expected = make(**settings).fit(X, y).predict(X)
    inputs = container(X) if container is not pd.DataFrame else pd.DataFrame(X, columns=list("abcdefghij"))
    regressor = make(**settings).fit(inputs, y)
    np.testing.assert_allclose(regressor.predict(inputs), expected, rtol=1e-9)
    np.testing.assert_allclose(regressor.predict(X), expected, rtol=1e-9)


@pytest.mark.parametrize(
    "container",
    [pd.Series, pl.Series, list, lambda y: y.astype(object), lambda y: pd.Series(y.astype(int)).astype("Int64")],
)
def test_targets_in_every_container(container):
    np.testing.assert_array_equal(make().fit(X, container(y)).predict(X), make().fit(X, y).predict(X))


@pytest.mark.parametrize("container", [pd.DataFrame, lambda y: pl.DataFrame(y, schema=["a", "b"]), np.ndarray.tolist])
def test_several_targets_in_every_container(container):
    regressor = make().fit(X, container(two))
    assert regressor.n_outputs_ == 2
    np.testing.assert_allclose(regressor.predict(X), make().fit(X, two).predict(X), rtol=1e-9)


def test_a_column_of_targets_is_one_target_with_a_warning():
    with pytest.warns(DataConversionWarning, match="column-vector"):
        regressor = make().fit(X, y[:, np.newaxis])
    np.testing.assert_array_equal(regressor.predict(X), make().fit(X, y).predict(X))


def test_memory_mapped_arrays_are_trained_on(tmp_path):
    joblib.dump((X, y), tmp_path / "data")
    mapped = joblib.load(tmp_path / "data", mmap_mode="r")
    np.testing.assert_allclose(make().fit(*mapped).predict(mapped[0]), make().fit(X, y).predict(X), rtol=1e-12)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_float32_is_trained_in_float32_and_integers_in_float64(loss):
    for inputs, dtype in [(X.astype(np.float32), np.float32), ((1000 * X).astype(int), np.float64)]:
        regressor = make(loss=loss).fit(inputs, y)
        assert {part.dtype for part in regressor.coefs_ + regressor.intercepts_} == {np.dtype(dtype)}
        assert regressor.predict(inputs).dtype == dtype


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_float32_learns_what_float64_does(loss):
    expected = make(loss=loss).fit(X, y).predict(X)
    np.testing.assert_allclose(make(loss=loss).fit(X.astype(np.float32), y).predict(X), expected, rtol=1e-2)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_the_users_arrays_are_not_changed(loss):
    inputs, targets, weight = X.copy(), two.copy(), np.ones(len(X))
    regressor = make(loss=loss, warm_start=True).fit(inputs, targets, weight, X_val=inputs, y_val=targets)
    regressor.fit(inputs, targets, weight)
    for method in ("predict", "transform", "input_gradient"):
        getattr(regressor, method)(inputs)
    for now, before in [(inputs, X), (targets, two), (weight, np.ones(len(X)))]:
        np.testing.assert_array_equal(now, before)


@pytest.mark.slow
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_constant_targets_are_predicted(loss, solver):
    settings = {"learning_rate": "one_cycle", "learning_rate_init": 0.02, "batch_size": 8, "alpha": 0, "tol": 1e-6}
    prediction = make(loss=loss, solver=solver, max_iter=200, **settings).fit(X, np.full(len(X), 5.0))
    np.testing.assert_allclose(prediction.predict(X), 5, atol=0.1)


def test_counts_that_are_all_zero_are_predicted_near_zero():
    prediction = make(loss="poisson", max_iter=100).fit(X, np.zeros(len(X))).predict(X)
    assert 0 < prediction.max() < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_one_row_is_learnt(loss):
    np.testing.assert_allclose(make(loss=loss, max_iter=200).fit(X[:1], y[:1]).predict(X[:1]), y[:1], rtol=0.02)


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_robust_losses_do_not_heed_an_outlier(loss):
    spoilt = np.where(np.arange(len(y)) == 7, 1e9, y)
    score = make(loss=loss, max_iter=50).fit(X, spoilt).score(np.delete(X, 7, axis=0), np.delete(y, 7))
    assert score > 0.4
    assert make(max_iter=50).fit(X, spoilt).score(np.delete(X, 7, axis=0), np.delete(y, 7)) < 0


# Predictions ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
@pytest.mark.parametrize("hidden_layer_sizes", [(), pytest.param((8,), marks=pytest.mark.slow), (8, 5)])
def test_every_loss_learns(loss, hidden_layer_sizes):
    regressor = SigmoidBackpropRegressor(loss, hidden_layer_sizes, random_state=0, max_iter=60).fit(X, two)
    assert regressor.score(X, two) > (0.15 if hidden_layer_sizes == () else 0.2)
    prediction = regressor.predict(X)
    assert prediction.shape == two.shape
    assert regressor.out_activation_ == ("exp" if loss in {"poisson", "gamma"} else "identity")
    assert (prediction > 0).all() or loss not in {"poisson", "gamma"}


def coverage(quantile, seed, **parameters):
    """Share of held-out targets below the predicted quantile."""
    inputs, held_out, targets, aside = train_test_split(X, y, random_state=seed)
    regressor = SigmoidBackpropRegressor("quantile", quantile=quantile, random_state=seed, **parameters)
    return np.mean(aside <= regressor.fit(inputs, targets).predict(held_out))


@pytest.mark.slow
@pytest.mark.parametrize("quantile", [0.1, 0.9])
def test_quantiles_cover_their_share_of_held_out_targets(quantile):
    covered = np.mean([coverage(quantile, seed, hidden_layer_sizes=(20,)) for seed in range(10)])
    assert covered == pytest.approx(quantile, abs=0.08)


def test_the_quantile_parameter_is_that_of_the_loss():
    by_name = make(loss="quantile", quantile=0.8).fit(X, y)
    np.testing.assert_array_equal(make(loss=Quantile(0.8)).fit(X, y).predict(X), by_name.predict(X))
    np.testing.assert_allclose(
        make(loss="quantile", alpha=0, clip_norm=None).fit(X, y).predict(X),
        make(loss="absolute_error", alpha=0, clip_norm=None).fit(X, y).predict(X),
        rtol=1e-2,
    )


def test_a_loss_of_ones_own():
    class LogCosh(RegressionLoss):
        def loss_gradient(self, Y, Z, values, gradient, scratch):
            values[:] = np.log(np.cosh(Z - Y)).sum(axis=1)
            gradient[:] = np.tanh(Z - Y)

        def constant_scores(self, Y, sample_weight):
            return np.median(Y, axis=0)

    assert clone(make(loss=LogCosh(), max_iter=60)).fit(X, y).score(X, y) > 0.4
    np.testing.assert_array_equal(make(loss=HuberLoss()).fit(X, y).predict(X), make(loss="huber").fit(X, y).predict(X))


def test_unfitted_or_no_rows_is_an_error():
    for method in ("predict", "transform", "input_gradient"):
        with pytest.raises(NotFittedError):
            getattr(make(), method)(X)
        with pytest.raises(ValueError, match="0 sample"):
            getattr(make().fit(X, y), method)(X[:0])


# Validation samples --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["sgd", "adam", "rprop", "lbfgs"])
@pytest.mark.parametrize("scoring", ["loss", "r2", "neg_mean_absolute_error", None])
def test_early_stopping_keeps_the_weights_of_the_best_score(solver, scoring):
    regressor = make(solver=solver, early_stopping=True, scoring=scoring, max_iter=80, n_iter_no_change=5)
    regressor.fit(X[:300], y[:300], X_val=X[300:], y_val=y[300:])
    prediction = regressor.predict(X[300:])
    deviation = y[:300].std()
    score = {
        "loss": -np.mean((prediction - y[300:]) ** 2) / 2 / deviation**2,
        "neg_mean_absolute_error": -mean_absolute_error(y[300:], prediction),
    }.get(scoring, r2_score(y[300:], prediction))
    assert score == pytest.approx(max(regressor.validation_scores_))
    assert regressor.best_validation_score_ == max(regressor.validation_scores_)
    assert regressor.best_loss_ is None


def test_validation_weights_are_heeded():
    weight = np.arange(100.0)
    regressor = make(scoring="r2").fit(X[:300], y[:300], X_val=X[300:400], y_val=y[300:400], sample_weight_val=weight)
    expected = r2_score(y[300:400], regressor.predict(X[300:400]), sample_weight=weight)
    assert regressor.validation_scores_[-1] == pytest.approx(expected)


# Parameters and data that cannot be ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"loss": "hinge"}, "'loss' parameter"),
        ({"loss": SquaredError}, r"pass an instance of it, such as SquaredError\(\)"),
        ({"loss": BinaryLogLoss()}, "'loss' parameter"),
        ({"quantile": 0.0}, "'quantile' parameter"),
        ({"quantile": 1.0}, "'quantile' parameter"),
        ({"standardize_targets": "yes"}, "'standardize_targets' parameter"),
        ({"solver": "lbfgs", "dropout": 0.5}, "Got dropout=0.5 with solver='lbfgs'"),
        ({"early_stopping": True, "scoring": "f3"}, "f3"),
        ({"early_stopping": True, "validation_fraction": 0}, "validation_fraction=0"),
    ],
)
def test_bad_parameters_are_named_and_leave_the_last_fit(parameters, message):
    regressor = make().fit(X, y)
    expected = regressor.predict(X)
    with pytest.raises(ValueError, match=message):
        regressor.set_params(**parameters).fit(X, y)
    np.testing.assert_array_equal(regressor.predict(X), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((np.where(X > 0.1, np.nan, X), y), {}, "NaN"),
        ((1e200 * X, y), {}, "Got X with a standard deviation that overflows"),
        ((X, np.where(y > 100, np.nan, y)), {}, "y contains NaN"),
        ((X, np.where(y > 100, np.inf, y)), {}, "y contains infinity"),
        ((X, y + 1j), {}, "Complex"),
        ((X, np.char.add(y.astype("U3"), "x")), {}, "Got text in y, such as"),
        ((X, y[:, np.newaxis, np.newaxis]), {}, "dim 3"),
        ((X, np.empty((len(X), 0))), {}, "0 feature"),
        ((X, 1e200 * y), {}, "Got targets whose spread overflows"),
        ((X.astype(np.float32), 1e39 * y), {}, "Got targets that are infinite in float32"),
        ((X, y[:-1]), {}, "inconsistent numbers of samples"),
        ((X, y, np.zeros(len(X))), {}, "all zero"),
        ((X, y, -np.ones(len(X))), {}, "negative"),
        ((X, y, np.ones(3)), {}, "shape"),
        ((X.astype(np.float32), y, np.full(len(X), 1e307)), {}, "Got sample_weight whose sum overflows"),
        ((X, y), {"X_val": X}, "Got X_val alone"),
        ((X, y), {"y_val": y}, "Got y_val alone"),
        ((X, y), {"X_val": X[:, :3], "y_val": y}, "3 features"),
        ((X, y), {"X_val": X, "y_val": two}, "Got y_val with 2 outputs where y has 1"),
        ((X, two), {"X_val": X, "y_val": y}, "Got y_val with 1 outputs where y has 2"),
        ((X, y), {"X_val": X, "y_val": y, "sample_weight_val": 0 * y}, "all zero"),
    ],
)
def test_bad_data_are_named_and_leave_the_last_fit(arguments, keywords, message):
    regressor = make().fit(pd.DataFrame(X, columns=list("abcdefghij")), y)
    before = pickle.dumps(regressor)
    with pytest.raises(ValueError, match=message):
        regressor.fit(*arguments, **keywords)
    assert pickle.dumps(regressor) == before


@pytest.mark.parametrize("targets", [y[:, np.newaxis], two])
def test_sparse_targets_are_refused(targets):
    with pytest.raises(TypeError, match=r"Got sparse targets: pass a dense array, such as y.toarray\(\)\."):
        make().fit(X, sp.csr_array(targets))


@pytest.mark.parametrize(
    ("loss", "bound"), [("poisson", "at least 0"), ("gamma", "larger than 0"), (PoissonDeviance(), "at least 0")]
)
def test_deviances_refuse_targets_that_they_do_not_have(loss, bound):
    bad = np.where(np.arange(len(y)) == 3, 0.0 if loss == "gamma" else -1.0, y)
    for arguments, keywords in [((X, bad), {}), ((X, y), {"X_val": X, "y_val": bad})]:
        with pytest.raises(ValueError, match=f"Got targets down to .* must be {bound}"):
            make(loss=loss).fit(*arguments, **keywords)
    assert make(loss=loss).__sklearn_tags__().target_tags.positive_only
    assert not make(loss="huber").__sklearn_tags__().target_tags.positive_only


@pytest.mark.parametrize("part", ["held out", "trained on"])
def test_a_split_that_leaves_one_side_without_weight_is_an_error(part):
    rows = make(early_stopping=True, warm_start=True).fit(X, y)._training_state.held_out
    weight = np.ones(len(X))
    weight[rows] = 0
    with pytest.raises(ValueError, match="all zero on the samples held out"):
        make(early_stopping=True).fit(X, y, weight if part == "held out" else 1 - weight)


@pytest.mark.parametrize(("first", "second"), [("squared_error", "poisson"), ("gamma", "absolute_error")])
def test_training_goes_on_with_another_loss_only_if_it_reads_the_scores_alike(first, second):
    regressor = make(loss=first, warm_start=True).fit(X, y)
    expected = regressor.predict(X)
    with pytest.raises(ValueError, match=f"Got loss='{second}', whose output activation is"):
        regressor.set_params(loss=second).fit(X, y)
    np.testing.assert_array_equal(regressor.predict(X), expected)
    other = {"squared_error": "huber", "gamma": "poisson"}[first]
    assert regressor.set_params(loss=other, max_iter=40).fit(X, y).score(X, y) > 0.4


@pytest.mark.parametrize("keeps_state", [True, False])
def test_training_does_not_go_on_without_biases_that_it_had(keeps_state):
    regressor = make(warm_start=keeps_state).fit(X, y).set_params(warm_start=True, fit_intercept=False)
    expected = regressor.predict(X)
    with pytest.raises(ValueError, match="Training cannot go on with fit_intercept=False"):
        regressor.fit(X, y)
    np.testing.assert_array_equal(regressor.predict(X), expected)


def test_as_many_targets_as_before_are_asked_for():
    regressor = make().partial_fit(X, y)
    with pytest.raises(ValueError, match="Got y with 2 outputs where an earlier call had 1"):
        regressor.partial_fit(X, two)
    assert make().fit(X, y).fit(X, two).n_outputs_ == 2


@pytest.mark.parametrize("solver", ["rprop", "lbfgs"])
def test_partial_fit_is_hidden_where_it_has_no_meaning(solver):
    assert not hasattr(make(solver=solver), "partial_fit")


def test_a_first_call_of_partial_fit_may_have_zero_or_negative_weights():
    for weight in (np.zeros(len(X)), -np.ones(len(X))):
        assert np.isfinite(make().partial_fit(X, y, weight).partial_fit(X, y).predict(X)).all()


# In the company of scikit-learn --------------------------------------------------------------------------------------


def test_pipeline_grid_search_and_joblib(tmp_path):
    pipeline = make_pipeline(StandardScaler(), make(max_iter=40))
    grid = {"sigmoidbackpropregressor__loss": ["squared_error", "huber"]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_score_ > 0.35
    joblib.dump(search, tmp_path / "model")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model").predict(X), search.predict(X))


def test_meta_estimators_of_regression():
    assert cross_val_predict(make(), X, two, cv=2).shape == two.shape
    logarithmic = TransformedTargetRegressor(make(max_iter=40), func=np.log, inverse_func=np.exp)
    assert logarithmic.fit(X, y).score(X, y) > 0.4
    separate = MultiOutputRegressor(make()).fit(X, two)
    np.testing.assert_array_equal(separate.predict(X)[:, 0], make().fit(X, y).predict(X))


def test_a_pickle_predicts_the_same_and_is_hardly_larger_than_the_weights():
    regressor = make(hidden_layer_sizes=(256, 128), max_iter=2).fit(np.random.RandomState(0).randn(100, 300), y[:100])
    dumped = pickle.dumps(regressor)
    n_parameters = sum(part.size for part in regressor.coefs_ + regressor.intercepts_)
    assert len(dumped) < 1.1 * 8 * n_parameters
    np.testing.assert_array_equal(pickle.loads(dumped).coefs_[0], regressor.coefs_[0])
    assert not hasattr(clone(regressor), "coefs_")


def test_early_stopping_judges_weights_set_by_hand_afresh():
    regressor = make(early_stopping=True, warm_start=True, batch_size=50, max_iter=30).fit(X, y)
    learnt = np.abs(regressor.coefs_[0]).max()
    for coef in regressor.coefs_:
        coef[...] = 0
    # Neither the best weights of before nor their running mean come back.
    assert np.abs(regressor.set_params(max_iter=1).fit(X, y).coefs_[0]).max() < 0.2 * learnt


def test_gradients_are_clipped_at_1_by_default_but_not_with_another_rule_for_first_weights():
    for init, limit in [("auto", 1.0), (NearIdentity(sharpness=4.0), 1.0), ("glorot", None)]:
        settings = {"init": init, "solver": "sgd", "standardize_targets": False, "learning_rate_init": 1e-3}
        automatic, by_hand = make(**settings).fit(X, y), make(clip_norm=limit, **settings).fit(X, y)
        assert_same_weights(automatic, by_hand)
    assert not np.allclose(automatic.coefs_[0], make(clip_norm=1.0, **settings).fit(X, y).coefs_[0])


def assert_same_weights(one, other):
    """Weights agree."""
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_two_samples_at_least_are_held_out():
    with pytest.raises(ValueError, match="The validation set is too small"):
        make(early_stopping=True).fit(X[:2], y[:2])
    regressor = make(early_stopping=True, scoring="r2").fit(X[:4], y[:4])
    assert np.isfinite(regressor.validation_scores_).all()


def test_training_goes_on_from_weights_that_were_set_by_hand():
    trained = make().fit(X, y)
    by_hand = make(solver="sgd", learning_rate_init=1e-15)
    by_hand.coefs_, by_hand.intercepts_ = trained.coefs_, trained.intercepts_
    by_hand.partial_fit(X, y)
    np.testing.assert_allclose(by_hand.predict(X), trained.predict(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([1.0, None] * 10, "Input y contains NaN"),
        (np.array([1.0, np.inf] * 10, dtype=object), "Input y contains infinity"),
    ],
    ids=["None", "infinity"],
)
def test_missing_and_infinite_objects_are_refused_in_y_and_in_y_val(targets, message):
    inputs, numbers = np.random.RandomState(0).randn(20, 2), np.arange(20.0)
    with pytest.raises(ValueError, match=message):
        SigmoidBackpropRegressor().fit(inputs, targets)
    with pytest.raises(ValueError, match=message):
        SigmoidBackpropRegressor().partial_fit(inputs, targets)
    with pytest.raises(ValueError, match=message):
        SigmoidBackpropRegressor().fit(inputs, numbers, X_val=inputs, y_val=targets)
