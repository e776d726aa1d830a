"""The objective: gradients against finite differences, losses of predictions and of constants."""

import numpy as np
import pytest

from skbackprop._engine.network import Network
from skbackprop._engine.objective import Objective, base_rate_loss, mean_loss
from skbackprop._engine.penalty import Penalty
from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import INITIALIZERS
from skbackprop.losses import (
    REGRESSION_LOSSES,
    BinaryLogLoss,
    CategoricalLogLoss,
    HuberLoss,
    SigmoidSquaredError,
    SquaredError,
)

rng = np.random.RandomState(0)
X = rng.randn(12, 4)
Y = np.eye(3)[rng.randint(3, size=12)]
weight = rng.uniform(0.5, 2, (12, 1))
# Targets that every regression loss takes.
positive = rng.uniform(0.2, 1.5, (12, 3))
LOSSES = [BinaryLogLoss(), CategoricalLogLoss(), SigmoidSquaredError(), *(kind() for kind in REGRESSION_LOSSES.values())]


def make(hidden=(5,), activation="tanh", fit_intercept=True):
    """A network for X and Y."""
    network = Network((4, *hidden, 3), [ACTIVATIONS[activation]] * len(hidden), fit_intercept, np.dtype(float))
    network.initialize(INITIALIZERS["auto"], np.random.RandomState(1))
    network.theta += 0.1 * np.random.RandomState(2).randn(network.theta.size)
    return network


def assert_slope(value, gradient, theta):
    """The gradient is that of the value, by central differences.

    Their error is about the square of the step, 4e-11, times a third derivative, and the rounding of the value, about
    1e-16, divided by the step.
    """
    step = np.cbrt(np.finfo(float).eps)
    differences = [(value(theta + move) - value(theta - move)) / (2 * step) for move in step * np.eye(theta.size)]
    np.testing.assert_allclose(gradient(theta), differences, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(5, 4, 3), *(pytest.param(sizes, marks=pytest.mark.slow) for sizes in ((), (5,)))])
@pytest.mark.parametrize("weights", [None, weight], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_gradient_is_that_of_the_loss_reported(loss, activation, hidden, weights, fit_intercept):
    network = make(hidden, activation, fit_intercept)
    objective = Objective(network, loss, Penalty(network, 0.3))
    theta, targets = objective.network.theta.copy(), positive if hasattr(loss, "log_link") else Y

    def value(x):
        objective.network.theta[:] = x
        return objective(X, targets, weights)

    def gradient(x):
        value(x)
        return objective.gradient.copy()

    assert_slope(value, gradient, theta)


@pytest.mark.parametrize("strengths", [[0.3, 0.0, 0.0, 0.7], [0.1, 0.2, 0.3, 0.4], [0.0, 0.0, 0.0, 0.0]])
def test_a_penalty_has_a_strength_for_each_layer(strengths):
    network = make((5, 4, 3))
    penalty = Penalty(network, strengths)
    assert penalty.strengths == strengths
    gradient = np.zeros_like(network.theta)
    assert penalty.attach(gradient) == any(strengths)
    by_hand = sum(strength * np.sum(coef**2) / 2 for strength, coef in zip(strengths, network.coefs, strict=True))
    assert penalty.value() == pytest.approx(by_hand)
    penalty.add_gradient(0.5)
    coefs, intercepts = network.layer_views(gradient)
    for strength, coef, slope in zip(strengths, network.coefs, coefs, strict=True):
        np.testing.assert_allclose(slope, 0.5 * strength * coef)
    assert not np.concatenate(intercepts).any()


def test_one_strength_is_that_of_all_layers():
    network = make((5, 4))
    one, each = Penalty(network, 0.3), Penalty(network, [0.3, 0.3, 0.3])
    assert one.strengths == each.strengths == [0.3, 0.3, 0.3]
    gradient = np.zeros_like(network.theta)
    assert one.attach(gradient)
    assert each.attach(gradient)
    assert one.value() == pytest.approx(each.value())
    assert one.value() > 0
    assert not Penalty(network).attach(gradient)


def test_dropouts_gradient_is_that_of_the_thinned_network():
    network = make((6, 5))

    def objective():
        return Objective(network, CategoricalLogLoss(), dropout=0.4, generator=np.random.default_rng(3))

    theta = network.theta.copy()

    def value(x):
        network.theta[:] = x
        return objective()(X, Y)

    def gradient(x):
        network.theta[:] = x
        thinned = objective()
        thinned(X, Y)
        return thinned.gradient

    assert_slope(value, gradient, theta)


def test_mean_loss_is_weighted_and_without_penalty():
    network = make()
    objective = Objective(network, CategoricalLogLoss())
    mean = weight / weight.mean()
    assert mean_loss(CategoricalLogLoss(), network, X, Y, weight[:, 0]) == pytest.approx(objective(X, Y, mean))


def test_the_base_rate_is_the_entropy_of_the_classes():
    many = np.repeat(np.eye(3, dtype=np.uint8), [20_000, 10_000, 10_000], axis=0)
    share = np.array([0.5, 0.25, 0.25])
    assert base_rate_loss(CategoricalLogLoss(), many) == pytest.approx(-(share * np.log(share)).sum())
    assert base_rate_loss(CategoricalLogLoss(), np.eye(3), np.array([2.0, 1, 1])) == pytest.approx(1.5 * np.log(2))


def test_the_base_rate_of_regression_is_the_loss_of_its_statistic():
    many = np.random.RandomState(0).randn(25_000, 2).astype(np.float32)
    assert base_rate_loss(SquaredError(), many) == pytest.approx(many.var(axis=0, dtype=float).sum() / 2, rel=1e-6)
    assert base_rate_loss(SquaredError(), np.full((9, 2), 4.0)) == 0
    weight = np.array([1.0, 2.0, 0.0])
    repeated = np.array([[1.0], [4.0], [4.0]])
    for kind in REGRESSION_LOSSES.values():
        expected = base_rate_loss(kind(), repeated)
        assert base_rate_loss(kind(), np.array([[1.0], [4.0], [9.0]]), weight) == pytest.approx(expected, rel=1e-6)
    assert base_rate_loss(HuberLoss(delta=1e9), repeated) == pytest.approx(1)
