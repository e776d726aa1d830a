"""Rules for first weights: their distributions, and what near-identity promises."""

import numpy as np
import pytest

from skbackprop._network import Network, raw_scores
from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import INITIALIZERS, Initializer


def filled(rule, fed_by, activation, shape=(400, 300)):
    """Weights and biases of one layer."""
    coef, intercept = np.empty(shape), np.empty(shape[1])
    INITIALIZERS[rule].fill(coef, intercept, ACTIVATIONS.get(fed_by), ACTIVATIONS.get(activation), np.random.RandomState(0))
    return coef, intercept


@pytest.mark.parametrize(
    ("rule", "fed_by", "activation", "bound"),
    [
        ("uniform", None, "tanh", 1.0),
        ("glorot", None, "logistic", np.sqrt(2 / 700)),
        ("glorot", "relu", "relu", np.sqrt(6 / 700)),
        ("auto", None, "logistic", np.sqrt(48 / 400)),
        ("auto", None, "tanh", np.sqrt(3 / 400)),
        ("auto", "logistic", "logistic", np.sqrt(48 / 400)),
        ("auto", "relu", "relu", np.sqrt(6 / 400)),
        ("auto", "tanh", "tanh", np.sqrt(3 / 400)),
    ],
)
def test_weights_are_uniform_within_the_rules_bound(rule, fed_by, activation, bound):
    coef, _ = filled(rule, fed_by, activation)
    assert np.abs(coef).max() <= bound
    assert coef.std() == pytest.approx(bound / np.sqrt(3), rel=0.01)
    assert abs(coef.mean()) < 0.01 * bound


def test_a_network_without_hidden_layers_starts_at_zero():
    coef, intercept = filled("auto", None, None)
    assert not coef.any()
    assert not intercept.any()


@pytest.mark.parametrize(("activation", "low", "high"), [("logistic", 0.3, 3), ("tanh", 0.02, 1), ("relu", 0.3, 3)])
def test_near_identity_keeps_the_signal_through_twenty_layers(activation, low, high):
    network = Network([30, *[100] * 20, 10], [ACTIVATIONS[activation]] * 20, True, np.dtype(float))
    network.initialize(INITIALIZERS["auto"], np.random.RandomState(0))
    Z = raw_scores(network.coefs, network.intercepts, network.activations, np.random.RandomState(1).randn(500, 30))
    assert low < Z.std() < high


def test_without_biases_none_are_filled():
    network = Network([3, 2], [], False, np.dtype(float))
    network.initialize(INITIALIZERS["uniform"], np.random.RandomState(0))
    assert network.theta.size == 6
    assert not network.intercepts[0].any()


def test_the_base_class_fills_nothing():
    with pytest.raises(NotImplementedError):
        Initializer().fill(None, None, None, None, None)
