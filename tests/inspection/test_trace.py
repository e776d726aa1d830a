"""A traced step is the textbook's: each array by its formula."""

from itertools import pairwise

import numpy as np
import pytest
from inspection_helpers import fit, make
from scipy.special import expit, softmax
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropClassifier
from skbackprop.inspection import trace_backpropagation


def test_a_trace_is_the_textbook(targets):
    # The formulas as written on a blackboard, in plain NumPy and scipy, for standardised inputs.
    X, y = targets[0], targets[1]["multiclass"]
    trace = trace_backpropagation(make(activation=["logistic", "tanh"], alpha=0.3), X, y)
    one, two, three = trace.layers
    A0, Y = StandardScaler().fit_transform(X), np.eye(3)[y]
    A1 = expit(A0 @ one.weights + one.biases)
    A2 = np.tanh(A1 @ two.weights + two.biases)
    P = softmax(A2 @ three.weights + three.biases, axis=1)
    delta3 = (P - Y) / 150
    delta2 = delta3 @ three.weights.T * (1 - A2**2)
    delta1 = delta2 @ two.weights.T * A1 * (1 - A1)
    close = {"rtol": 1e-10, "atol": 1e-13}
    for layer, A, below, delta in [(one, A1, A0, delta1), (two, A2, A1, delta2), (three, P, A2, delta3)]:
        np.testing.assert_allclose(layer.inputs, below, **close)
        np.testing.assert_allclose(layer.raw_scores, below @ layer.weights + layer.biases, **close)
        np.testing.assert_allclose(layer.activations, A, **close)
        np.testing.assert_allclose(layer.delta, delta, **close)
        np.testing.assert_allclose(layer.weights_gradient, below.T @ delta + 0.3 / 150 * layer.weights, **close)
        np.testing.assert_allclose(layer.biases_gradient, delta.sum(axis=0), **close)
    np.testing.assert_array_equal(trace.targets, Y)
    weights = sum(np.sum(layer.weights**2) for layer in trace.layers)
    assert trace.loss == pytest.approx(-np.mean(np.log(P[np.arange(150), y])) + 0.5 * 0.3 / 150 * weights)


def test_the_notebooks_single_layer():
    # weights += X.T @ ((y - a) * a * (1 - a)), the notebook's one line.
    X, y = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1.0]]), np.array([[0], [1], [1], [0]])
    notebook = SigmoidBackpropClassifier(
        (), loss="squared_error", init="uniform", fit_intercept=False, solver="sgd", momentum=0, alpha=0,
        learning_rate_init=4, random_state=0,
    )  # fmt: skip
    (layer,) = trace_backpropagation(notebook, X, y[:, 0]).layers
    a = expit(X @ layer.weights)
    np.testing.assert_allclose(layer.weights_update, X.T @ ((y - a) * a * (1 - a)), rtol=1e-12)
    assert layer.biases is layer.biases_gradient is layer.biases_update is None


def test_with_standardised_inputs_the_trace_is_that_of_the_network_trained(targets):
    X, y = 5 + 3 * targets[0], targets[1]["binary"]
    classifier = make()
    first = trace_backpropagation(classifier, X, y).layers[0]
    np.testing.assert_allclose(first.inputs, StandardScaler().fit_transform(X), rtol=1e-12, atol=1e-13)
    fit(classifier, X, y)
    weights, biases = first.weights + first.weights_update, first.biases + first.biases_update
    raw = first.inputs @ weights + biases
    np.testing.assert_allclose(X @ classifier.coefs_[0] + classifier.intercepts_[0], raw, rtol=1e-12, atol=1e-12)


def test_the_chain_rule_can_be_followed_with_dropout_weights_and_penalty(targets, weight):
    trace = trace_backpropagation(make(dropout=0.5, alpha=2.0), targets[0], targets[1]["multiclass"], weight)
    layers = trace.layers
    for layer, above in pairwise(layers):
        assert set(np.unique(layer.mask)) == {0, 2}
        np.testing.assert_array_equal(above.inputs, layer.activations * layer.mask)
        np.testing.assert_allclose(layer.received, above.delta @ above.weights.T * layer.mask, rtol=1e-13, atol=1e-16)
    for layer in layers:
        np.testing.assert_allclose(layer.delta, layer.received * layer.derivative, rtol=1e-14)
        expected = layer.inputs.T @ layer.delta + layer.penalty * layer.weights
        np.testing.assert_allclose(layer.weights_gradient, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(layers[-1].received[:, 0], weight / weight.sum(), rtol=1e-12)
