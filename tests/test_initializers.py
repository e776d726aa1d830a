"""Rules for initial weights: their distributions, and what near-identity promises."""

import numpy as np
import pytest

from skbackprop._engine.network import Network
from skbackprop._engine.prediction import raw_scores
from skbackprop.activations import ACTIVATIONS, Activation
from skbackprop.initializers import INITIALIZERS, Glorot, Initializer, NearIdentity


def filled(rule, fed_by, activation, shape=(400, 300)):
    """Weights and biases of one layer."""
    coef, intercept = np.empty(shape), np.empty(shape[1])
    INITIALIZERS[rule].fill(coef, intercept, ACTIVATIONS.get(fed_by), ACTIVATIONS.get(activation), np.random.RandomState(0))
    return coef, intercept


def near_identity_bound(fed_by, activation):
    """That of 400 weights into each of 300 units."""
    gains = {"logistic": 16, "sigmoid": 16, "relu": 2, "silu": 1 / 0.355776, "gelu": 1 / 0.42522}
    bends = fed_by is None and activation in {"logistic", "sigmoid", "silu"}
    gain = 1.5 * 300 ** (2 / 400) if bends else gains.get(fed_by, 1)
    return np.sqrt(3 * gain / 400)


# The published bound of each rule of the table.
BOUNDS = {
    "auto": near_identity_bound,
    "glorot": lambda fed_by, activation: np.sqrt((2 if activation in {"logistic", "sigmoid"} else 6) / 700),
    "uniform": lambda fed_by, activation: 1.0,
}


def test_every_rule_has_its_bound_here():
    assert BOUNDS.keys() == INITIALIZERS.keys()


@pytest.mark.parametrize("rule", INITIALIZERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [False, True])
def test_weights_are_uniform_within_the_rules_bound(rule, activation, hidden):
    fed_by = activation if hidden else None
    coef, intercept = filled(rule, fed_by, activation)
    bound = BOUNDS[rule](fed_by, activation)
    assert np.abs(coef).max() <= 1.0001 * bound
    assert coef.std() == pytest.approx(bound / np.sqrt(3), rel=0.01)
    assert abs(coef.mean()) < 0.01 * bound
    if rule == "auto" and fed_by is not None:
        np.testing.assert_allclose(intercept, -ACTIVATIONS[fed_by].mean * coef.sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("rule", INITIALIZERS)
def test_a_layer_keeps_its_dtype(rule):
    coef, intercept = np.empty((4, 3), np.float32), np.empty(3, np.float32)
    INITIALIZERS[rule].fill(coef, intercept, None, ACTIVATIONS["logistic"], np.random.RandomState(0))
    double, biases = filled(rule, None, "logistic", (4, 3))
    np.testing.assert_array_equal(coef, double.astype(np.float32))
    np.testing.assert_array_equal(intercept, biases.astype(np.float32))


def test_rules_ask_a_units_activation_and_not_its_class():
    class Soft(Activation):
        gain = 4.0
        mean = 0.25
        divides_inputs = True
        glorot_factor = 3.0

    coef, intercept = np.empty((400, 300)), np.empty(300)
    NearIdentity().fill(coef, intercept, Soft(), Soft(), np.random.RandomState(0))
    assert np.abs(coef).max() == pytest.approx(np.sqrt(3 * 4 / 400), rel=1e-3)
    np.testing.assert_array_equal(intercept, -0.25 * coef.sum(axis=0))
    NearIdentity().fill(coef, intercept, None, Soft(), np.random.RandomState(0))
    assert np.abs(intercept).max() == pytest.approx(np.sqrt(1.5 * 300 ** (2 / 400)), rel=0.02)
    Glorot().fill(coef, intercept, None, Soft(), np.random.RandomState(0))
    assert np.abs(coef).max() == pytest.approx(np.sqrt(3 / 700), rel=1e-3)


def test_a_network_without_hidden_layers_starts_at_zero_weights():
    coef, intercept = filled("auto", None, None)
    assert not coef.any()
    # A derivative that is rounding alone would be a step of "adam".
    assert 0 < np.abs(intercept).max() <= 0.1


@pytest.mark.parametrize(
    ("activation", "low", "high"),
    [("logistic", 0.3, 3), ("tanh", 0.02, 1), ("relu", 0.3, 3), ("gelu", 0.1, 10), ("elu", 0.02, 1)],
)
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


def test_without_biases_none_are_filled():
    network = Network([3, 2], [], False, np.dtype(float))
    network.initialize(INITIALIZERS["uniform"], np.random.RandomState(0))
    assert network.theta.size == 6
    assert not network.intercepts[0].any()


def test_the_base_class_fills_nothing():
    with pytest.raises(NotImplementedError):
        Initializer().fill(None, None, None, None, None)


@pytest.mark.parametrize("n_features", [4.0, 0.2])
def test_the_number_of_features_that_count_is_the_fan_in_of_the_first_layer_alone(n_features):
    rule, count = NearIdentity().for_inputs(n_features), max(n_features, 1.0)
    for activation, gain in [("logistic", min(1.5 * 300 ** (2 / count), 64)), ("tanh", 1.0)]:
        coef, intercept = np.empty((400, 300)), np.empty(300)
        rule.fill(coef, intercept, None, ACTIVATIONS[activation], np.random.RandomState(0))
        assert coef.std() == pytest.approx(np.sqrt(gain / count), rel=0.01)
        assert rule.variance(coef, None, ACTIVATIONS[activation]) == pytest.approx(gain / count)
        # Thresholds lie where the raw scores do, of variance `gain` on inputs of that squared norm.
        assert np.abs(intercept).max() <= (np.sqrt(gain) if activation == "logistic" else 0)
        assert np.abs(intercept).max() > (0.9 * np.sqrt(gain) if activation == "logistic" else -1)
        assert rule.variance(coef, ACTIVATIONS["logistic"], ACTIVATIONS[activation]) == pytest.approx(16 / 400)


def test_a_rule_for_inputs_is_of_the_same_kind_and_keeps_what_it_was_told():
    class Sharp(NearIdentity):
        """A rule of one's own."""

    own = Sharp(sharpness=4.0)
    found = own.for_inputs(7.0)
    assert (type(found), found.sharpness, found.n_features, own.n_features) == (Sharp, 4.0, 7.0, None)
    assert NearIdentity(n_features=3).for_inputs(7.0).n_features == 3
    assert Glorot().for_inputs(7.0).fill.__func__ is Glorot.fill


def test_the_variance_is_what_is_filled():
    for fed_by in (None, "logistic", "relu", "gelu", "tanh"):
        coef, _ = filled("auto", fed_by, "logistic")
        variance = NearIdentity().variance(coef, ACTIVATIONS.get(fed_by), ACTIVATIONS["logistic"])
        assert variance == pytest.approx(coef.var(), rel=0.01)
    # Without hidden layers the weights start at zero, and the variance is that of a layer that keeps the signal.
    assert NearIdentity().variance(np.empty((4, 3)), None, None) == 1 / 4
