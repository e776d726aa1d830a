"""Verdicts on the gradient's flow through constructed networks."""

import numpy as np
import pytest
import scipy.sparse as sp
from inspection_helpers import make

from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import Glorot, Initializer
from skbackprop.inspection import gradient_flow, trace_backpropagation


class Shifted(Initializer):
    """Glorot's rule with weights multiplied and biases set."""

    def __init__(self, factor=1.0, bias=0.0):
        self.factor, self.bias = factor, bias

    def fill(self, coef, intercept, fed_by, activation, random_state):
        Glorot().fill(coef, intercept, fed_by, activation, random_state)
        coef *= self.factor
        # Not the output layer, which is the one with three units.
        intercept[:] = self.bias if len(intercept) > 3 else 0


def flow(targets, **parameters):
    """Gradient flow with three classes."""
    return gradient_flow(make(**parameters), targets[0], targets[1]["multiclass"])


def test_twenty_sigmoid_layers_vanish_from_glorots_start_and_not_from_ours(targets):
    deep = (20,) * 20
    vanishing = flow(targets, hidden_layer_sizes=deep, init="glorot")
    assert vanishing.diagnosis == "vanishing"
    assert 10 < vanishing.layer < 20
    assert f"Vanishing from layer {vanishing.layer} down" in vanishing.verdict
    shares = np.array([layer.error_norm for layer in vanishing.layers]) / vanishing.layers[-1].error_norm
    assert np.all(shares[: vanishing.layer] < 1e-3)
    assert shares[vanishing.layer] >= 1e-3
    assert flow(targets, hidden_layer_sizes=deep).diagnosis == "healthy"


def test_norms_do_not_underflow_in_float32(targets):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = make(hidden_layer_sizes=(20,) * 30, init="glorot")
    single, double = (gradient_flow(classifier, X.astype(dtype), y).layers for dtype in (np.float32, np.float64))
    assert double[0].error_norm < 1e-23
    for one, other in zip(single, double, strict=True):
        assert one.error_norm == pytest.approx(other.error_norm, rel=1e-3, abs=0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (100,), (50, 50, 50)])
def test_the_default_start_is_healthy(targets, activation, hidden):
    found = flow(targets, hidden_layer_sizes=hidden, activation=activation)
    assert found.diagnosis == "healthy", found
    assert found.layer is None


def test_rectified_units_with_very_negative_biases_are_dead(targets):
    found = flow(targets, hidden_layer_sizes=(20, 10), activation=["tanh", "relu"], init=Shifted(bias=-50.0))
    assert (found.diagnosis, found.layer) == ("dead", 2)
    assert found.layers[1].dead == found.layers[1].saturated == 1
    assert "100% of the units of layer 2" in found.verdict


@pytest.mark.parametrize("activation", ["relu", "identity", "silu"])
def test_huge_weights_explode(targets, activation):
    found = flow(targets, hidden_layer_sizes=(20,) * 5, activation=activation, init=Shifted(factor=30.0))
    assert found.diagnosis == "exploding"
    assert found.layer is not None
    # The error falls thousandfold on the way up, so the topmost layer with such an error is not the output.
    assert found.layers[found.layer - 1].error_norm > 1e3 * found.layers[-1].error_norm


def test_huge_weights_saturate_sigmoids(targets):
    # The few units that are not saturated hand on an error that huge weights have multiplied: it arrives all the same.
    found = flow(targets, hidden_layer_sizes=(20,) * 5, init=Shifted(factor=300.0))
    assert found.diagnosis == "healthy"
    assert f"but {found.layers[0].saturated:.0%} of the derivatives in layer 1 are saturated" in found.verdict
    assert flow(targets, hidden_layer_sizes=(20,) * 5, init=Shifted(factor=1e6)).diagnosis == "dead"


def test_steps_far_longer_than_the_weights_explode(targets):
    found = flow(targets, solver="sgd", learning_rate="constant", learning_rate_init=1e5)
    assert found.diagnosis == "exploding"
    assert "the step changes the weights" in found.verdict


def test_where_all_is_learnt_there_is_no_error(targets):
    # Sigmoids that are exactly 1, as they should be.
    classifier = make(hidden_layer_sizes=(), standardize=False, loss="squared_error", init=Uniformly(1e4))
    found = gradient_flow(classifier, np.ones_like(targets[0]), np.ones((150, 2), int))
    assert found.diagnosis == "no error"
    assert found.verdict.startswith("No error")


class Uniformly(Initializer):
    """All weights the same."""

    def __init__(self, value):
        self.value = value

    def fill(self, coef, intercept, *rest):
        coef[:], intercept[:] = self.value, 0


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_the_numbers_of_a_layer_are_those_of_the_trace(targets, container):
    X, y = container(targets[0]), targets[1]["multiclass"]
    classifier = make(activation="logistic", alpha=100.0, init=Shifted(factor=8.0))
    found, trace = gradient_flow(classifier, X, y), trace_backpropagation(classifier, X, y)
    for numbers, layer in zip(found.layers, trace.layers, strict=True):
        assert numbers.error_norm == pytest.approx(np.sqrt(np.sum(layer.delta**2)))
        # The penalty's share would hide that nothing arrives.
        assert numbers.gradient_norm == pytest.approx(
            np.linalg.norm(layer.weights_gradient - layer.penalty * layer.weights), rel=1e-6
        )
        assert numbers.update_ratio == pytest.approx(np.linalg.norm(layer.weights_update) / np.linalg.norm(layer.weights))
    saturated = [np.mean((layer.activations * (1 - layer.activations)) < 0.05 * 0.25) for layer in trace.layers[:-1]]
    assert [layer.saturated for layer in found.layers[:-1]] == pytest.approx(saturated)
    assert 0 < saturated[0] < 1
    assert np.isnan(found.layers[-1].saturated)
