"""Rules for first weights: their distributions, and what near-identity promises."""

import numpy as np
import pytest

from skbackprop._engine.network import Network
from skbackprop._engine.prediction import raw_scores
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
        ("auto", None, "logistic", np.sqrt(4.5 * 300 ** (2 / 400) / 400)),
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


def test_a_network_without_hidden_layers_starts_at_zero_weights():
    coef, intercept = filled("auto", None, None)
    assert not coef.any()
    # A derivative that is rounding alone would be a step of "adam".
    assert 0 < np.abs(intercept).max() <= 0.1


@pytest.mark.parametrize(("activation", "low", "high"), [("logistic", 0.3, 3), ("tanh", 0.02, 1), ("relu", 0.3, 3)])
def test_near_identity_keeps_the_signal_through_twenty_layers(activation, low, high):
    network = Network([30, *[100] * 20, 10], [ACTIVATIONS[activation]] * 20, True, np.dtype(float))
    network.initialize(INITIALIZERS["auto"], np.random.RandomState(0))
    Z = raw_scores(network.coefs, network.intercepts, network.activations, np.random.RandomState(1).randn(500, 30))
    assert low < Z.std() / INITIALIZERS["auto"].output_scale < high


@pytest.mark.parametrize("rule", INITIALIZERS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_output_layer_is_what_the_rule_fills_times_its_output_scale(rule, fit_intercept):
    initializer, activations = INITIALIZERS[rule], [ACTIVATIONS["logistic"], ACTIVATIONS["tanh"]]
    network = Network([5, 7, 4, 3], activations, fit_intercept, np.dtype(float))
    network.initialize(initializer, np.random.RandomState(3))
    random_state = np.random.RandomState(3)
    layers = zip(network.coefs, network.intercepts, [None, *activations], [*activations, activations[-1]], strict=True)
    for number, (coef, intercept, fed_by, activation) in enumerate(layers):
        weights, biases = np.empty_like(coef), np.zeros_like(intercept)
        initializer.fill(weights, biases if fit_intercept else None, fed_by, activation, random_state)
        factor = initializer.output_scale if number == 2 else 1.0
        np.testing.assert_array_equal(coef, factor * weights)
        np.testing.assert_array_equal(intercept, factor * biases)
    assert initializer.output_scale == (0.25 if rule == "auto" else 1.0)


def test_the_recipe_starts_near_a_constant_prediction():
    inputs = np.random.RandomState(1).randn(500, 30)
    for activation in ACTIVATIONS:
        network = Network([30, 100, 2], [ACTIVATIONS[activation]], True, np.dtype(float))
        network.initialize(INITIALIZERS["auto"], np.random.RandomState(0))
        assert 0.001 < raw_scores(network.coefs, network.intercepts, network.activations, inputs).std() < 0.6


def test_a_rule_of_ones_own_needs_no_output_scale():
    class Ones:
        def fill(self, coef, intercept, fed_by, activation, random_state):
            coef[...] = 1
            intercept[...] = 2

    network = Network([3, 2], [], True, np.dtype(float))
    network.initialize(Ones(), None)
    np.testing.assert_array_equal(network.theta, [1] * 6 + [2] * 2)


def test_without_biases_none_are_filled():
    network = Network([3, 2], [], False, np.dtype(float))
    network.initialize(INITIALIZERS["uniform"], np.random.RandomState(0))
    assert network.theta.size == 6
    assert not network.intercepts[0].any()


def test_the_base_class_fills_nothing():
    with pytest.raises(NotImplementedError):
        Initializer().fill(None, None, None, None, None)
