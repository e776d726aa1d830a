"""Losses on raw scores: against scikit-learn's metrics, finite differences, and exact limits."""

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import check_grad
from scipy.special import huber
from sklearn.metrics import (
    log_loss,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)

from skbackprop.losses import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    AbsoluteError,
    BinaryLogLoss,
    CategoricalLogLoss,
    GammaDeviance,
    HuberLoss,
    Loss,
    PoissonDeviance,
    Quantile,
    RegressionLoss,
    SquaredError,
)

# An oracle outside the package for each row of the tables: what scikit-learn or scipy says of targets and predictions.
CLASSIFICATION_ORACLES = {
    ("log_loss", "binary"): lambda Y, P: log_loss(Y[:, 0], P[:, 0]),
    ("log_loss", "multiclass"): log_loss,
    ("log_loss", "multilabel-indicator"): lambda Y, P: sum(log_loss(y, p) for y, p in zip(Y.T, P.T, strict=True)),
    **{
        ("squared_error", kind): lambda Y, P: Y.shape[1] * mean_squared_error(Y, P) / 2
        for kind in ("binary", "multiclass", "multilabel-indicator")
    },
}
# Of one output's.
REGRESSION_ORACLES = {
    "squared_error": lambda y, p: mean_squared_error(y, p) / 2,
    "absolute_error": mean_absolute_error,
    "huber": lambda y, p, delta=1.35: huber(delta, y - p).mean(),
    "poisson": lambda y, p: mean_poisson_deviance(y, p) / 2,
    "quantile": lambda y, p, quantile=0.5: mean_pinball_loss(y, p, alpha=quantile),
    "gamma": lambda y, p: mean_gamma_deviance(y, p) / 2,
}
KINDS = {(name, target): kind for name, kinds in CLASSIFICATION_LOSSES.items() for target, kind in kinds.items()}
LOSSES = [kind() for kind in dict.fromkeys(KINDS.values())]
# With other settings than the default ones, too.
ORACLES = {
    **{kind(): REGRESSION_ORACLES[name] for name, kind in REGRESSION_LOSSES.items()},
    **{Quantile(q): partial(REGRESSION_ORACLES["quantile"], quantile=q) for q in (0.1, 0.9)},
    HuberLoss(delta=0.2): partial(REGRESSION_ORACLES["huber"], delta=0.2),
}
rng = np.random.RandomState(0)


def evaluate(loss, Y, Z):
    """Losses and gradients of samples, the arguments left as they are."""
    values, gradient = np.empty(len(Z), Z.dtype), np.empty_like(Z)
    loss.loss_gradient(Y, Z.copy(), values, gradient, np.empty_like(Z))
    return values, gradient


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_gradient(loss):
    Y, Z = np.eye(4)[rng.randint(4, size=6)], rng.randn(6, 4)
    error = check_grad(
        lambda z: evaluate(loss, Y, z.reshape(Z.shape))[0].mean(),
        lambda z: evaluate(loss, Y, z.reshape(Z.shape))[1].ravel() / len(Z),
        Z.ravel(),
    )
    assert error < 1e-6


def test_every_loss_has_an_oracle_here():
    assert CLASSIFICATION_ORACLES.keys() == KINDS.keys()
    assert REGRESSION_ORACLES.keys() == REGRESSION_LOSSES.keys()


@pytest.mark.parametrize("row", KINDS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_loss_of_labels_is_its_oracles(row, dtype):
    n_outputs = 1 if row[1] == "binary" else 3
    Z = rng.randn(50, n_outputs)
    Y = np.eye(3)[rng.randint(3, size=50)] if row[1] == "multiclass" else rng.randint(2, size=Z.shape).astype(float)
    loss = KINDS[row]()
    values, gradient = evaluate(loss, Y.astype(dtype), Z.astype(dtype))
    assert values.dtype == gradient.dtype == dtype
    expected = CLASSIFICATION_ORACLES[row](Y, loss.predict(Z.copy()))
    assert values.mean() == pytest.approx(expected, rel=1e-9 if dtype is np.float64 else 1e-5)


def test_the_log_loss_of_a_saturated_unit_is_exact():
    values, gradient = evaluate(BinaryLogLoss(), np.array([[0.0], [1.0]]), np.array([[1e4], [1e4]]))
    np.testing.assert_array_equal(values, [1e4, 0])
    np.testing.assert_array_equal(gradient, [[1], [0]])
    values, _ = evaluate(CategoricalLogLoss(), np.eye(2), np.array([[-1e4, 0.0], [1e4, 0.0]]))
    np.testing.assert_array_equal(values, [1e4, 1e4])


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_log_predictions_are_finite_and_consistent(loss):
    Z = np.array([[-300.0, 0.0, 5.0], [1e300, -1e300, 0.0]])
    assert np.isfinite(loss.log_predict(Z)).all()
    Z = rng.randn(5, 3)
    np.testing.assert_allclose(np.exp(loss.log_predict(Z)), loss.predict(Z.copy()))
    np.testing.assert_allclose(np.exp(loss.log_predict(Z, complement=True)), 1 - loss.predict(Z.copy()))
    np.testing.assert_allclose(loss.predict_complement(Z.copy()), 1 - loss.predict(Z.copy()))


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_no_constant_beats_the_constant_scores(loss):
    Y = np.eye(3)[rng.randint(3, size=40)]
    best = np.array(loss.constant_scores(Y, np.ones(40)))
    least = evaluate(loss, Y, np.tile(best, (40, 1)))[0].mean()
    for _ in range(20):
        other = evaluate(loss, Y, np.tile(best + 0.1 * rng.randn(3), (40, 1)))[0].mean()
        assert other >= least - 1e-12


@pytest.mark.parametrize("loss", ORACLES, ids=repr)
def test_gradient_of_a_regression_loss(loss):
    Y, Z = rng.gamma(2.0, size=(6, 4)), rng.randn(6, 4)
    # Away from kinks: at the target, and where Huber's loss becomes linear.
    for kink in (0, *([loss.delta, -loss.delta] if isinstance(loss, HuberLoss) else [])):
        Z += np.where(np.abs(Z - Y - kink) < 0.01, 0.02, 0)
    error = check_grad(
        lambda z: evaluate(loss, Y, z.reshape(Z.shape))[0].mean(),
        lambda z: evaluate(loss, Y, z.reshape(Z.shape))[1].ravel() / len(Z),
        Z.ravel(),
    )
    assert error < 1e-6


def halved(kind):
    """A loss of a user's own by inheritance: half of another one, and nothing more."""

    class Halved(kind):
        def loss_gradient(self, Y, Z, values, gradient, scratch):
            super().loss_gradient(Y, Z, values, gradient, scratch)
            values *= 0.5
            gradient *= 0.5

    return Halved()


# The notebook's loss has a gradient of its own, which a subclass replaces too.
HALVED = [halved(kind) for kind in (BinaryLogLoss, CategoricalLogLoss, *REGRESSION_LOSSES.values())]


@pytest.mark.parametrize("loss", [*LOSSES, *ORACLES, *HALVED], ids=lambda loss: f"{type(loss).__base__.__name__}-{loss!r}")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_alone_is_the_same_in_the_same_dtype(loss, dtype):
    Y, Z = rng.gamma(2.0, size=(6, 4)).astype(dtype), rng.randn(6, 4).astype(dtype)
    expected, alone, before = evaluate(loss, Y, Z)[1], np.full_like(Z, np.nan), Y.copy()
    loss.gradient(Y, Z.copy(), alone, np.empty_like(Z))
    np.testing.assert_array_equal(alone, expected)
    np.testing.assert_array_equal(Y, before)
    assert expected.dtype == dtype


@pytest.mark.parametrize("loss", ORACLES, ids=repr)
def test_a_regression_loss_is_the_sum_of_scikit_learns_over_the_outputs(loss):
    Y, Z = rng.gamma(2.0, size=(50, 3)), rng.randn(50, 3)
    if isinstance(loss, PoissonDeviance) and not isinstance(loss, GammaDeviance):
        Y[::3] = 0
    prediction = loss.predict(Z.copy())
    expected = sum(ORACLES[loss](Y[:, output], prediction[:, output]) for output in range(3))
    assert evaluate(loss, Y, Z)[0].mean() == pytest.approx(expected)


@pytest.mark.parametrize("loss", ORACLES, ids=repr)
def test_a_perfect_prediction_costs_nothing(loss):
    Y = rng.gamma(2.0, size=(20, 2)) + 0.1
    values, gradient = evaluate(loss, Y, np.log(Y) if loss.log_link else Y)
    np.testing.assert_allclose(values, 0, atol=1e-12)
    if not isinstance(loss, Quantile) or isinstance(loss, AbsoluteError):
        np.testing.assert_allclose(gradient, 0, atol=1e-12)


def test_deviances_are_exact_far_out():
    values, gradient = evaluate(PoissonDeviance(), np.array([[0.0], [2.0]]), np.array([[-1e4], [-1e4]]))
    np.testing.assert_allclose(values, [0, 2e4 + 2 * np.log(2) - 2])
    np.testing.assert_array_equal(gradient, [[0], [-2]])
    values, gradient = evaluate(GammaDeviance(), np.array([[3.0]]), np.array([[1e4]]))
    np.testing.assert_allclose(values, 1e4 - np.log(3) - 1)
    np.testing.assert_array_equal(gradient, [[1]])


def test_huber_is_linear_beyond_delta_however_far():
    values, gradient = evaluate(HuberLoss(delta=2.0), np.zeros((2, 1)), np.array([[1e200], [-3.0]]))
    np.testing.assert_allclose(values, [2e200, 4.0])
    np.testing.assert_array_equal(gradient, [[2], [-2]])


@pytest.mark.parametrize("loss", ORACLES, ids=repr)
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_no_constant_beats_a_regressions_constant_scores(loss, scale):
    Y, weight = scale * rng.gamma(2.0, size=(41, 3)), rng.randint(0, 4, size=41).astype(float)
    best = np.array(loss.constant_scores(Y, weight))
    assert best.shape == (3,)

    def mean_loss(scores):
        return np.average(evaluate(loss, Y, np.tile(scores, (41, 1)))[0], weights=weight)

    least, unit = mean_loss(best), 1.0 if loss.log_link else scale
    for size in (1.0, 0.1, 1e-3):
        for _ in range(20):
            assert mean_loss(best + size * unit * rng.randn(3)) >= least * (1 - 1e-12)
    rows = np.repeat(np.arange(41), weight.astype(int))
    # Perhaps others, where several are best.
    assert mean_loss(loss.constant_scores(Y[rows], np.ones(len(rows)))) == pytest.approx(least, rel=1e-9)


def test_constant_scores_are_the_statistics_that_the_losses_are_named_for():
    Y, weight = rng.gamma(2.0, size=(41, 1)), np.ones(41)
    expected = {
        SquaredError(): Y.mean(),
        AbsoluteError(): np.median(Y),
        Quantile(0.9): np.quantile(Y, 0.9, method="inverted_cdf"),
        HuberLoss(delta=1e-6): np.median(Y),
        HuberLoss(delta=1e6): Y.mean(),
        PoissonDeviance(): np.log(Y.mean()),
        GammaDeviance(): np.log(Y.mean()),
    }
    for loss, score in expected.items():
        np.testing.assert_allclose(loss.constant_scores(Y, weight), score, rtol=1e-5)
    assert np.isfinite(PoissonDeviance().constant_scores(np.zeros((3, 1)), np.ones(3))).all()
    np.testing.assert_allclose(HuberLoss().constant_scores(np.full((5, 1), 3.0), np.ones(5)), 3, rtol=1e-12)
    huge = np.r_[np.full(40, 1e17), np.zeros(10)][:, np.newaxis]
    np.testing.assert_allclose(HuberLoss().constant_scores(huge, np.ones(50)), 1e17)
    # 50 s = 2 delta: the outliers pull with delta each, however far they are.
    outliers = np.r_[np.zeros(50), 1e12, 1e15][:, np.newaxis]
    np.testing.assert_allclose(HuberLoss(delta=1.35).constant_scores(outliers, np.ones(52)), 2 * 1.35 / 50)


@given(st.data(), st.integers(1, 8), st.sampled_from([1e-6, 1.35, 1e6]))
def test_hubers_start_is_the_minimum_for_any_finite_targets(data, size, delta):
    """The derivative of the loss, in fractions, which round nothing, changes its sign where it says."""
    Y = data.draw(arrays(np.float64, (size, 1), elements=st.floats(allow_nan=False, allow_infinity=False)))
    weight = data.draw(arrays(np.float64, size, elements=st.floats(1e-3, 1e3)))
    (score,) = HuberLoss(delta).constant_scores(Y, weight)
    assert np.isfinite(score)

    def pull(at):
        parts = zip(map(Fraction, Y[:, 0].tolist()), map(Fraction, weight.tolist()), strict=True)
        return sum(w * min(max(y - at, -Fraction(delta)), Fraction(delta)) for y, w in parts)

    # To rounding of the score and of the weights.
    step = Fraction(4 * math.ulp(score)) + Fraction(1e-12) * Fraction(delta)
    rounding = Fraction(1e-12) * Fraction(delta) * Fraction(float(weight.sum()))
    assert pull(Fraction(float(score)) - step) >= -rounding
    assert pull(Fraction(float(score)) + step) <= rounding


@pytest.mark.parametrize("loss", ORACLES, ids=repr)
def test_location_and_scale_are_weighted_and_follow_the_targets(loss):
    Y, weight = rng.gamma(2.0, size=(60, 2)), rng.randint(0, 4, size=60)
    location, scale = loss.location_scale(Y, weight.astype(float))
    repeated = loss.location_scale(np.repeat(Y, weight, axis=0), np.ones(weight.sum()))
    np.testing.assert_allclose((location, scale), repeated)
    shift = 0 if loss.log_link else 5
    moved = loss.location_scale(3 * Y + shift, weight.astype(float))
    np.testing.assert_allclose(moved, (3 * location + shift, 3 * scale))
    assert loss.log_link == (not location.any()) == (loss.output_activation == "exp")


def test_location_and_scale_of_normal_targets_are_mean_and_deviation():
    Y = 7 + 3 * np.random.RandomState(0).randn(100_000, 1)
    for loss in (SquaredError(), AbsoluteError(), HuberLoss(), Quantile(0.1)):
        np.testing.assert_allclose(loss.location_scale(Y, np.ones(len(Y))), [[7], [3]], rtol=0.01)
    spoilt = np.concatenate([Y, np.full((100, 1), 1e9)])
    np.testing.assert_allclose(AbsoluteError().location_scale(spoilt, np.ones(len(spoilt))), [[7], [3]], rtol=0.01)
    np.testing.assert_allclose(PoissonDeviance().location_scale(Y, np.ones(len(Y))), [[0], [7]], rtol=0.01)


def test_where_most_targets_are_the_same_the_deviation_is_the_scale():
    Y = np.r_[np.zeros(90), np.ones(10)][:, np.newaxis]
    np.testing.assert_allclose(AbsoluteError().location_scale(Y, np.ones(100)), [[0], [np.sqrt(0.1)]])


def test_weighted_quantiles_of_many_float32_targets_do_not_drift():
    Y, weight = np.arange(200_000, dtype=np.float32)[:, np.newaxis], np.full(200_000, 1e3, np.float32)
    np.testing.assert_allclose(Quantile(0.9).constant_scores(Y, weight), 180_000, atol=1)


def test_names_and_representations():
    assert {name: repr(kind()) for name, kind in REGRESSION_LOSSES.items()} == {
        "squared_error": "SquaredError()",
        "absolute_error": "AbsoluteError()",
        "huber": "HuberLoss(delta=1.35)",
        "poisson": "PoissonDeviance()",
        "quantile": "Quantile(quantile=0.5)",
        "gamma": "GammaDeviance()",
    }
    units = {name: kind.unit for name, kind in REGRESSION_LOSSES.items()}
    assert units["poisson"] == units["gamma"] == "nats"
    assert units["squared_error"] is None


def test_the_base_class_computes_nothing():
    assert RegressionLoss().least_target == -np.inf
    for method, arguments in [("loss_gradient", (None,) * 5), ("predict", (None,)), ("constant_scores", (None, None))]:
        with pytest.raises(NotImplementedError):
            getattr(Loss(), method)(*arguments)
