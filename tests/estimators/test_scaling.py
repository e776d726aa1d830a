"""Standardisation inside fit: an affine map that nobody notices but the optimizer."""

import numpy as np
import pytest
import scipy.sparse as sp
from estimators_helpers import DTYPES, ESTIMATORS, PREDICTIONS, columns, fit, tables, tiny, weights_of
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes, load_wine
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._engine.network import Network
from skbackprop._engine.prediction import raw_scores
from skbackprop._estimators import scaling as scaling_module
from skbackprop._estimators.scaling import Scaling, TargetScaling
from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import INITIALIZERS, Initializer
from skbackprop.losses import REGRESSION_LOSSES

X, y = load_wine(return_X_y=True)
features, numbers = load_diabetes(return_X_y=True)
LINEAR, LOGARITHMIC = ["squared_error", "absolute_error", "huber", "quantile"], ["poisson", "gamma"]


# Few epochs are enough here; what the warnings say is tested where they are raised.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(**parameters):
    return SigmoidBackpropClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0, **parameters})


@pytest.mark.parametrize("weight", [None, np.random.RandomState(0).randint(0, 3, len(X)).astype(float)])
def test_means_and_deviations_are_weighted_and_constants_stay(monkeypatch, weight):
    monkeypatch.setattr(scaling_module, "CHUNK_BYTES", 5000)
    inputs = np.column_stack([X, np.full(len(X), 7.0)])
    scaling = Scaling.of(inputs, weight, center=True)
    rows = np.arange(len(X)) if weight is None else np.repeat(np.arange(len(X)), weight.astype(int))
    np.testing.assert_allclose(scaling.mean, inputs[rows].mean(axis=0))
    np.testing.assert_allclose(scaling.scale[:-1], X[rows].std(axis=0))
    assert scaling.scale[-1] == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_folding_gives_raw_inputs_the_scores_of_standardised_ones_and_unfolding_undoes_it(dtype):
    inputs = X.astype(dtype)
    scaling = Scaling.of(inputs, None, center=True)
    network = Network((13, 5, 3), [ACTIVATIONS["tanh"]], True, np.dtype(dtype))
    network.initialize(INITIALIZERS["uniform"], np.random.RandomState(0))
    folded = network.twin()
    np.copyto(folded.theta, network.theta)
    scaling.fold(folded)
    tolerance = {"rtol": 1e3 * np.finfo(dtype).eps, "atol": 1e3 * np.finfo(dtype).eps}
    scores = [
        raw_scores(n.coefs, n.intercepts, n.activations, inputs_)
        for n, inputs_ in [(network, scaling.apply(inputs)[0]), (folded, inputs)]
    ]
    np.testing.assert_allclose(*scores, **tolerance)
    scaling.unfold(folded)
    np.testing.assert_allclose(folded.theta, network.theta, **tolerance)


@pytest.mark.parametrize("solver", ["sgd", "adam", "rprop", "lbfgs"])
def test_raw_inputs_are_learnt_as_standardised_ones(solver):
    scaled = StandardScaler().fit_transform(X)
    settings = {"solver": solver, "learning_rate_init": 0.1 if solver == "sgd" else 0.01}
    raw = make(**settings).fit(X, y)
    standardised = make(**settings, standardize=False).fit(scaled, y)
    np.testing.assert_allclose(raw.predict_proba(X), standardised.predict_proba(scaled), atol=1e-6)
    assert raw.score(X, y) > 0.8


def test_batch_by_batch_is_the_same_as_all_at_once(monkeypatch):
    at_once = make().fit(X, y)
    monkeypatch.setattr(scaling_module, "COPY_BYTES", 0)
    for shuffle in (True, False):
        np.testing.assert_allclose(
            make(shuffle=shuffle).fit(X, y).predict_proba(X),
            (at_once if shuffle else make(shuffle=False).fit(X, y)).predict_proba(X),
            atol=1e-9,
        )


@pytest.mark.parametrize("shuffle", [True, False])
def test_float32_inputs_are_scaled_batch_by_batch_where_the_targets_need_float64(shuffle, monkeypatch):
    inputs, targets = SIGNAL.astype(np.float32), 1.7e9 + 600 * TREND
    at_once = fit(tiny("regressor", shuffle=shuffle), inputs, targets)
    assert at_once.coefs_[0].dtype == np.float64
    monkeypatch.setattr(scaling_module, "COPY_BYTES", 0)
    fitted = fit(tiny("regressor", shuffle=shuffle), inputs, targets)
    np.testing.assert_allclose(fitted.predict(inputs), at_once.predict(inputs), rtol=1e-12)


@pytest.mark.slow
def test_sparse_inputs_are_scaled_and_stay_sparse():
    sparse = sp.csr_matrix(X * (np.median(X, axis=0) < X))
    scaling = Scaling.of(sparse, None, center=True)
    np.testing.assert_allclose(scaling.mean, sparse.toarray().mean(axis=0))
    scaled, left = scaling.apply(sparse)
    assert sp.issparse(scaled)
    assert left is None
    np.testing.assert_allclose(scaled.toarray(), sparse.toarray() / sparse.toarray().std(axis=0))
    # What the network takes off centres them.
    np.testing.assert_allclose(
        scaled.toarray() - scaling.shift, StandardScaler().fit_transform(sparse.toarray()), atol=1e-12
    )
    before = sparse.copy()
    classifier = make(max_iter=100).fit(sparse, y)
    assert classifier.score(sparse, y) > 0.9
    assert (before != sparse).nnz == 0
    np.testing.assert_allclose(classifier.predict_proba(sparse), classifier.predict_proba(sparse.toarray()))


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("weight", [None, np.random.RandomState(0).randint(1, 3, 200).astype(float)])
@pytest.mark.parametrize("center", [True, False])
def test_rare_columns_are_scaled_as_if_they_were_seen_in_a_tenth_of_the_rows(container, weight, center):
    counts = [200, 100, 20, 19, 10, 1, 0]
    inputs = np.where(np.arange(200)[:, np.newaxis] < counts, 1.0 + np.random.RandomState(0).rand(200, 7), 0.0)
    scaling = Scaling.of(container(inputs), weight, center)
    rows = np.arange(200) if weight is None else np.repeat(np.arange(200), weight.astype(int))
    share = (inputs[rows] != 0).mean(axis=0)
    deviation = np.where(share, inputs[rows].std(axis=0), 1.0)
    factor = np.array([max(1.0, 0.1 / s) ** 0.5 if s else 1.0 for s in share])
    np.testing.assert_allclose(scaling.scale, deviation * factor)
    assert (factor > 1).sum() >= 3
    np.testing.assert_allclose(scaling.mean, inputs[rows].mean(axis=0) if center else 0)
    # A column counts by its variance after scaling: one that is common as one, one that is never seen as none.
    assert scaling.n_features == pytest.approx((1 / factor[:-1] ** 2).sum())
    if weight is None and center:
        centred = (inputs - scaling.mean) / scaling.scale
        assert scaling.n_features == pytest.approx((centred**2).sum(axis=1).mean())
    np.testing.assert_allclose(Scaling.of(container(inputs), weight, center, common=0.0).scale, deviation)


def test_without_biases_nothing_is_centred():
    classifier = make(fit_intercept=False).fit(X, y)
    assert not classifier._scaling.mean.any()
    assert not any(intercept.any() for intercept in classifier.intercepts_)


def test_auto_belongs_to_the_recipe():
    assert make().fit(X, y)._scaling is not None
    for parameters in ({"init": "glorot"}, {"init": "uniform"}, {"standardize": False}):
        assert make(**parameters).fit(X, y)._scaling is None
    assert make(init="glorot", standardize=True).fit(X, y)._scaling is not None


def test_training_goes_on_from_weights_that_the_user_changed():
    classifier = make(warm_start=True, learning_rate_init=1e-12).fit(X, y)
    classifier.coefs_[0][:] = 0
    classifier.intercepts_[0][:] = 0
    before = classifier.predict_proba(X)
    np.testing.assert_allclose(classifier.fit(X, y).predict_proba(X), before, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_no_scale_is_too_wild(scale):
    inputs = X * np.logspace(-6, 6, 13) * scale
    assert make(max_iter=100).fit(inputs, y).score(inputs, y) > 0.97


# Targets -------------------------------------------------------------------------------------------------------------


def regress(X, y, *arguments, **parameters):
    """A fitted regressor of a small network."""
    settings = {"hidden_layer_sizes": (8,), "max_iter": 15, "random_state": 0, "quantile": 0.8}
    return SigmoidBackpropRegressor(**{**settings, **parameters}).fit(X, y, *arguments)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
@pytest.mark.parametrize("shift", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_folding_gives_predictions_in_the_targets_units_and_unfolding_undoes_it(loss, shift, dtype):
    targets = np.random.RandomState(1).gamma(2.0, size=(50, 3)).astype(dtype) * np.array([1e-6, 1, 1e6], dtype)
    criterion = REGRESSION_LOSSES[loss]()
    scaling = TargetScaling.of(criterion, targets, None, shift, dtype)
    assert {part.dtype for part in scaling} == {np.dtype(dtype)}
    network = Network((13, 5, 3), [ACTIVATIONS["tanh"]], True, np.dtype(dtype))
    network.initialize(INITIALIZERS["uniform"], np.random.RandomState(0))
    folded = network.twin()
    np.copyto(folded.theta, network.theta)
    scaling.fold(folded)
    standardised = StandardScaler().fit_transform(X).astype(dtype)
    scaled, raw = (
        criterion.predict(raw_scores(n.coefs, n.intercepts, n.activations, standardised)) for n in (network, folded)
    )
    tolerance = 1e3 * np.finfo(dtype).eps
    # The inverse of what is applied to the targets.
    np.testing.assert_allclose((raw - scaling.mean) / scaling.scale, scaled, rtol=tolerance, atol=tolerance)
    scaling.unfold(folded)
    np.testing.assert_allclose(folded.theta, network.theta, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("loss", LINEAR)
def test_standardised_targets_have_the_losss_location_and_scale(loss):
    targets = np.random.RandomState(1).gamma(2.0, size=(50, 2)) * [1e-9, 1e9]
    criterion = REGRESSION_LOSSES[loss]()
    scaled = TargetScaling.of(criterion, targets, None, shift=True).apply(targets)
    np.testing.assert_allclose(criterion.location_scale(scaled, np.ones(50)), [[0, 0], [1, 1]], atol=1e-9)
    unshifted = TargetScaling.of(criterion, targets, None, shift=False)
    assert not unshifted.mean.any()
    assert not unshifted.score_shift.any()


@pytest.mark.parametrize("loss", LOGARITHMIC)
def test_with_a_log_link_targets_have_a_mean_of_one_and_stay_positive(loss):
    targets = np.random.RandomState(1).gamma(2.0, size=(50, 2)) * [1e-9, 1e9]
    scaling = TargetScaling.of(REGRESSION_LOSSES[loss](), targets, None, shift=True)
    np.testing.assert_allclose(scaling.apply(targets).mean(axis=0), 1)
    assert not scaling.mean.any()
    # A factor needs a bias: without, targets are left alone.
    np.testing.assert_array_equal(
        TargetScaling.of(REGRESSION_LOSSES[loss](), targets, None, shift=False).apply(targets), targets
    )


@pytest.mark.parametrize("value", [0.0, 5.0, 1e12, 0.1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_targets_keep_their_unit(value, dtype):
    for loss in LINEAR:
        scaling = TargetScaling.of(REGRESSION_LOSSES[loss](), np.full((999, 1), value, dtype), None, shift=True)
        assert scaling.scale == 1
        np.testing.assert_allclose(scaling.mean, value, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "solver", ["adam", "lbfgs", pytest.param("sgd", marks=pytest.mark.slow), pytest.param("rprop", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("loss", LINEAR)
@pytest.mark.parametrize(
    ("factor", "shift"),
    [
        (1e-12, 0.0),
        (4.0, -300.0),
        pytest.param(1e12, 0.0, marks=pytest.mark.slow),
        pytest.param(1e-3, 5.0, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("settings", [{}, pytest.param({"early_stopping": True}, marks=pytest.mark.slow)], ids=str)
def test_an_affine_map_of_the_targets_is_one_of_the_predictions(solver, loss, factor, shift, settings):
    plain = regress(features, numbers, loss=loss, solver=solver, **settings)
    mapped = regress(features, factor * numbers + shift, loss=loss, solver=solver, **settings)
    np.testing.assert_allclose((mapped.predict(features) - shift) / factor, plain.predict(features), rtol=1e-4)
    np.testing.assert_allclose(mapped.loss_curve_, plain.loss_curve_, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["sgd", "adam", "rprop", "lbfgs"])
@pytest.mark.parametrize("loss", LOGARITHMIC)
@pytest.mark.parametrize("factor", [1e-12, 1e12, 7.0])
def test_a_factor_on_positive_targets_is_one_on_the_predictions(solver, loss, factor):
    plain = regress(features, numbers, loss=loss, solver=solver)
    mapped = regress(features, factor * numbers, loss=loss, solver=solver)
    np.testing.assert_allclose(mapped.predict(features) / factor, plain.predict(features), rtol=1e-4)


@pytest.mark.parametrize("loss", LINEAR)
def test_without_biases_a_factor_is_one_on_the_predictions_all_the_same(loss):
    plain = regress(features, numbers, loss=loss, fit_intercept=False)
    mapped = regress(features, 1e9 * numbers, loss=loss, fit_intercept=False)
    np.testing.assert_allclose(mapped.predict(features) / 1e9, plain.predict(features), rtol=1e-4)
    assert not any(intercept.any() for intercept in plain.intercepts_)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_scaled_targets_are_learnt_as_targets_scaled_by_hand(loss):
    criterion = REGRESSION_LOSSES[loss](**({"quantile": 0.8} if loss == "quantile" else {}))
    location, scale = criterion.location_scale(numbers[:, np.newaxis], np.ones(len(numbers)))
    by_hand = regress(features, (numbers - location) / scale, loss=loss, standardize_targets=False)
    inside = regress(features, numbers, loss=loss, standardize_targets=True)
    np.testing.assert_allclose(inside.predict(features), scale * by_hand.predict(features) + location, rtol=1e-6)
    np.testing.assert_allclose(inside.loss_curve_, by_hand.loss_curve_)


def test_scaling_of_targets_belongs_to_the_recipe_and_to_the_first_call():
    assert regress(features, numbers)._target_scaling is not None
    for parameters in ({"init": "glorot"}, {"standardize_targets": False}, {"standardize_targets": np.False_}):
        assert regress(features, numbers, **parameters)._target_scaling is None
    for yes in (True, np.True_):
        assert regress(features, numbers, init="glorot", standardize_targets=yes)._target_scaling is not None
        assert make(init="glorot", standardize=yes).fit(X, y)._scaling is not None
    regressor = SigmoidBackpropRegressor(random_state=0).partial_fit(features, numbers)
    first = regressor._target_scaling
    for now, before in zip(regressor.partial_fit(features, 100 * numbers)._target_scaling, first, strict=True):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_regression_goes_on_from_weights_that_the_user_changed(loss):
    regressor = regress(features, numbers, loss=loss, warm_start=True, learning_rate_init=1e-12)
    regressor.coefs_[-1][:] = 0
    before = regressor.predict(features)
    assert np.ptp(before) < 1e-9 * before.max()
    np.testing.assert_allclose(regressor.fit(features, numbers).predict(features), before, rtol=1e-6)


def test_features_whose_deviation_overflows_are_refused():
    with pytest.raises(ValueError, match="Got X with a standard deviation that overflows"):
        make().fit(1e200 * X, y)


# Numbers of any size -------------------------------------------------------------------------------------------------

SIGNAL = np.random.RandomState(0).randn(200, 3)
TREND = SIGNAL @ [1.0, -2.0, 0.5]


def r2(X, y, dtype):
    """The R^2 on the training samples, which are easy, in a dtype."""
    regressor = SigmoidBackpropRegressor(hidden_layer_sizes=(8,), random_state=0).fit(X.astype(dtype), y)
    return regressor, regressor.score(X.astype(dtype), y)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shift", "scale"),
    [(1.7e9, 1.0), (1.7e9, 60.0), (1.7e9, 1e6), (2e-38, 1e-39), (0.0, 1e-44), (-3e37, 1e37), (20_240_101.0, 3.0)],
)
def test_targets_of_any_size_are_learnt_in_both_dtypes(dtype, shift, scale):
    """Time stamps, for one: float32 knows them to two minutes."""
    _, score = r2(SIGNAL, shift + scale * TREND, dtype)
    assert score > 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shift", "scale"),
    [(1.7e9, 600.0), (1.7e9, 1e6), (0.0, 1e-39), (0.0, 1e-42), (3e38, 1e37), (0.0, 1e36), (2000.0, 20.0)],
)
def test_features_of_any_size_are_learnt_in_float32(shift, scale):
    inputs = (shift + scale * SIGNAL).astype(np.float32)
    _, score = r2(inputs, TREND, np.float32)
    assert score > 0.98


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constant", [0.0, -7.0, 20_240_101.0, 1e20, 3e38, -3e38, 1e-45])
def test_a_constant_column_of_any_size_does_no_harm(dtype, constant):
    inputs = np.column_stack([SIGNAL, np.full(200, constant)])
    regressor, score = r2(inputs, TREND, dtype)
    assert score > 0.99
    # It is no reason to train in another dtype.
    assert regressor.coefs_[0].dtype == dtype


@pytest.mark.parametrize("weight", [None, np.random.RandomState(1).randint(0, 3, 200).astype(float)])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("factor", [2.0**-500, 2.0**-980])
def test_features_whose_squares_underflow_are_scaled_as_their_multiples(factor, container, weight):
    inputs = SIGNAL * (np.arange(200) % 3 > 0)[:, np.newaxis]
    expected = Scaling.of(container(inputs), weight, center=True)
    mixed = np.column_stack([factor * inputs, np.full(200, 7.0), np.full(200, 1e-200), np.zeros(200), inputs])
    scaling = Scaling.of(container(mixed), weight, center=True)
    np.testing.assert_allclose(scaling.scale / [*3 * [factor], *6 * [1]], [*expected.scale, 1, 1, 1, *expected.scale])
    np.testing.assert_allclose(scaling.mean[:3] / factor, expected.mean)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("factor", [2.0**-500, 2.0**-995])
def test_targets_whose_squares_underflow_are_learnt_as_their_multiples(factor, dtype, loss):
    settings = {"hidden_layer_sizes": (4,), "loss": loss, "max_iter": 2}
    factors, inputs = np.array([factor, 1, factor]), SIGNAL.astype(dtype)
    targets = np.column_stack([np.exp(TREND), np.full(200, 7.0), 1 + SIGNAL[:, 0] ** 2])
    plain, small = (fit(tiny("regressor", **settings), inputs, targets * factor) for factor in (1, factors))
    # In float32 the network of the large ones is trained in float32.
    tolerance = 1e-6 if dtype == np.float64 else 1e-3
    np.testing.assert_allclose(small.predict(inputs) / factors, plain.predict(inputs), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
def test_targets_too_small_to_divide_by_are_refused(loss):
    with pytest.raises(ValueError, match=r"Got targets whose spread, .*, is too small to divide by: multiply them"):
        fit(tiny("regressor", loss=loss), SIGNAL, 1e-318 * np.exp(TREND))


@pytest.mark.parametrize("zeros", [slice(0, 60), slice(50, 120), slice(140, 200)])
def test_rows_without_weight_may_be_many(monkeypatch, zeros):
    """A chunk of them alone has no mean."""
    weight = np.ones(200)
    weight[zeros] = 0
    expected = StandardScaler().fit(SIGNAL[weight > 0])
    monkeypatch.setattr(scaling_module, "CHUNK_BYTES", 20 * 3 * 8)
    scaling = Scaling.of(SIGNAL, weight, center=True)
    np.testing.assert_allclose(scaling.mean, expected.mean_)
    np.testing.assert_allclose(scaling.scale, expected.scale_)


def test_float32_stays_unless_it_is_too_coarse():
    for shift, scale, dtype in [
        (0, 1, np.float32),
        (2000, 20, np.float32),
        (1.7e9, 1e6, np.float32),
        (1.7e9, 600, np.float64),
    ]:
        inputs = (shift + scale * SIGNAL).astype(np.float32)
        assert Scaling.of(inputs, None, center=True).mean.dtype == dtype
        regressor = fit(tiny("regressor"), SIGNAL.astype(np.float32), shift + scale * TREND)
        assert {part.dtype for part in weights_of(regressor)} == {np.dtype(dtype)}
        assert regressor.predict(SIGNAL.astype(np.float32)).dtype == dtype
        # Training goes on in it.
        fit(regressor, SIGNAL.astype(np.float32), shift + scale * TREND, method="partial_fit")
        assert {part.dtype for part in weights_of(regressor)} == {np.dtype(dtype)}
        for kind in ("classifier", "autoencoder"):
            fitted = fit(
                tiny(kind),
                inputs,
                np.arange(200) % 2,
                X_val=inputs,
                **{"y_val": np.arange(200) % 2} if kind == "classifier" else {},
            )
            assert {part.dtype for part in weights_of(fitted)} == {np.dtype(dtype)}


@pytest.mark.parametrize("factor", [1e-300, 1e-20, 1e20, 1e300])
def test_a_common_factor_on_weights_changes_no_scale_whatever_its_size(factor):
    inputs, weight = np.column_stack([X, np.full(len(X), 7.0)]), np.random.RandomState(0).rand(len(X))
    expected, scaled = (Scaling.of(inputs, w, center=True) for w in (weight, factor * weight))
    for one, other in zip(scaled, expected, strict=True):
        np.testing.assert_allclose(one, other)
    assert scaled.scale[-1] == 1


class LargeWeights(Initializer):
    """Weights that are very large, and of which nothing is learnt."""

    def fill(self, coef, intercept, below, activation, random_state):
        coef.fill(1e200)
        intercept.fill(0.0)


def test_weights_that_overflow_in_the_users_units_are_refused():
    """In float64 alone: what float32 cannot hold is trained in float64."""
    inputs = np.column_stack([SIGNAL[:, 0], 1e-140 * SIGNAL[:, 1]])
    with pytest.raises(ValueError, match="Got features or targets whose units make weights that overflow in float64"):
        SigmoidBackpropAutoencoder((3,), init=LargeWeights(), standardize=True, max_iter=1).fit(inputs)


@given(st.data(), DTYPES, st.sampled_from(list(ESTIMATORS)), st.sampled_from(["fit", "partial_fit"]))
def test_whatever_the_numbers_what_is_published_is_finite_or_the_fit_an_error(data, dtype, kind, method):
    inputs = data.draw(tables(dtype))
    numbers = data.draw(columns(len(inputs), np.float64))
    y_ = np.arange(len(inputs)) % 3 if kind == "classifier" else numbers
    settings = data.draw(st.sampled_from([{}, {"activation": "relu"}, {"fit_intercept": False}, {"solver": "sgd"}]))
    if kind != "classifier":
        settings = {**settings, "loss": data.draw(st.sampled_from(["squared_error", "huber", "absolute_error"]))}
    estimator = tiny(kind, **settings)
    try:
        fit(estimator, inputs, y_, method="fit" if kind == "outlier detector" else method)
    except ValueError:
        assert not hasattr(estimator, "n_iter_")
        return
    for part in weights_of(estimator):
        assert np.isfinite(part).all()
    for name in PREDICTIONS:
        if hasattr(estimator, name):
            assert finite_or_refused(getattr(estimator, name), inputs)


def finite_or_refused(method, inputs):
    """Whether a prediction is finite or an error that says why; no warning of NumPy's, either."""
    try:
        return np.isfinite(method(inputs)).all()
    except ValueError as error:
        return "overflows in float" in str(error)


@pytest.mark.slow
@given(DTYPES, st.sampled_from(list(ESTIMATORS)), st.lists(st.integers(-100, 100), min_size=3, max_size=3))
def test_a_power_of_two_is_a_unit_like_any_other(dtype, kind, exponents):
    """It rounds nothing, so the same is learnt; in float32 beyond its range, too, where training is in float64."""
    factors = np.exp2(exponents).astype(dtype)
    inputs = SIGNAL[:20].astype(dtype)
    y_ = (TREND[:20] > 0).astype(int) if kind == "classifier" else TREND[:20]
    plain = fit(tiny(kind), inputs, y_)
    mapped = fit(tiny(kind), inputs * factors, y_)
    name = {"classifier": "predict_proba", "regressor": "predict"}.get(kind, "score_samples")
    expected, found = getattr(plain, name)(inputs), getattr(mapped, name)(inputs * factors)
    np.testing.assert_allclose(found, expected, **({"rtol": 1e-9} if dtype == np.float64 else {"rtol": 1e-3, "atol": 1e-4}))


@pytest.mark.slow
@given(columns(20, np.float64), st.sampled_from(["squared_error", "absolute_error", "huber"]))
def test_float32_inputs_learn_what_float64_ones_do_whatever_the_targets(numbers, loss):
    inputs = SIGNAL[:20].astype(np.float32)
    try:
        single = fit(tiny("regressor", loss=loss), inputs, numbers)
    except ValueError:
        # Beyond the range of float32, and where a deviation overflows.
        assume(False)
    double = fit(tiny("regressor", loss=loss), inputs.astype(np.float64), numbers)
    spread = double._target_scaling.scale[0]
    spread = max(1.0, abs(numbers[0])) if spread == 1 else spread
    difference = single.predict(inputs) / spread - double.predict(inputs.astype(np.float64)) / spread
    assert np.abs(difference).max() < 0.01
