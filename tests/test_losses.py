"""Losses on raw scores: against scikit-learn's metrics, finite differences, and exact limits."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.metrics import log_loss

from skbackprop.losses import BinaryLogLoss, CategoricalLogLoss, Loss, SigmoidSquaredError

LOSSES = [BinaryLogLoss(), CategoricalLogLoss(), SigmoidSquaredError()]
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


def test_log_losses_equal_scikit_learns():
    codes, Z = rng.randint(3, size=50), rng.randn(50, 3)
    loss = CategoricalLogLoss()
    assert evaluate(loss, np.eye(3)[codes], Z)[0].mean() == pytest.approx(log_loss(codes, loss.predict(Z.copy())))
    y, z, loss = rng.randint(2, size=50), rng.randn(50, 1), BinaryLogLoss()
    assert evaluate(loss, y[:, None].astype(float), z)[0].mean() == pytest.approx(log_loss(y, loss.predict(z.copy())))


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


def test_the_base_class_computes_nothing():
    for method, arguments in [("loss_gradient", (None,) * 5), ("predict", (None,)), ("constant_scores", (None, None))]:
        with pytest.raises(NotImplementedError):
            getattr(Loss(), method)(*arguments)
