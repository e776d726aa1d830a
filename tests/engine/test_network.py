"""The network: layers as views, predictions in chunks, dropout's expectation."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp

from skbackprop._engine import prediction
from skbackprop._engine.network import Network, Propagation
from skbackprop._engine.prediction import hidden_activations, input_gradient, raw_scores
from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import INITIALIZERS


def make(sizes, activation="logistic", dtype=float, fit_intercept=True):
    """A network with random weights."""
    network = Network(sizes, [ACTIVATIONS[activation]] * (len(sizes) - 2), fit_intercept, np.dtype(dtype))
    network.initialize(INITIALIZERS["uniform"], np.random.RandomState(0))
    return network


def test_layers_are_views_on_one_vector():
    network = make([3, 4, 2])
    assert [coef.shape for coef in network.coefs] == [(3, 4), (4, 2)]
    network.theta[:] = np.arange(network.theta.size)
    np.testing.assert_array_equal(np.concatenate([c.ravel() for c in network.coefs] + network.intercepts), network.theta)
    assert all(np.shares_memory(part, network.theta) for part in network.coefs + network.intercepts)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(5, 2), (5, 4, 2), (5, 4, 3, 1)])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_training_and_prediction_compute_the_same_scores(activation, sizes, container):
    network, X = make(sizes, activation), container(np.random.RandomState(1).randn(9, 5))
    propagation = Propagation(network, np.empty_like(network.theta), 9)
    expected = raw_scores(network.coefs, network.intercepts, network.activations, X)
    np.testing.assert_allclose(propagation.forward(X), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("n_features", [5, 500])
@pytest.mark.parametrize("sizes", [(2,), (4, 2)])
def test_sparse_and_dense_batches_have_the_same_gradient(n_features, sizes):
    network = make((n_features, *sizes))
    X = sp.random(9, n_features, 0.02 if n_features > 5 else 0.9, format="csr", random_state=0)
    gradients = []
    for inputs in (X, X.toarray()):
        gradient = np.full_like(network.theta, np.nan)
        propagation = Propagation(network, gradient, 9)
        propagation.forward(inputs)
        propagation.delta[:] = 0.5
        propagation.backward(inputs)
        gradients.append(gradient)
    np.testing.assert_allclose(*gradients, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("n_features", [5, 500])
@pytest.mark.parametrize("sizes", [(2,), (4, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_inputs_that_the_network_shifts_are_dense_ones_that_were_shifted(n_features, sizes, dtype):
    network = make((n_features, *sizes), dtype=dtype)
    X = sp.random(9, n_features, 0.02 if n_features > 5 else 0.9, format="csr", random_state=0, dtype=dtype)
    shift = np.random.RandomState(1).randn(n_features).astype(dtype)
    found = []
    for inputs, of_network in ((X, shift), (X.toarray() - shift, None)):
        network.shift = of_network
        gradient = np.full_like(network.theta, np.nan)
        propagation = Propagation(network, gradient, 9)
        scores = propagation.forward(inputs).copy()
        propagation.delta[:] = np.random.RandomState(2).randn(*scores.shape)
        propagation.backward(inputs)
        found.append(np.concatenate([scores.ravel(), gradient]))
    tolerance = 1e4 * np.finfo(dtype).eps
    np.testing.assert_allclose(*found, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("n_rows", [0, 1, 7, 8, 50])
def test_chunks_do_not_change_predictions(monkeypatch, n_rows):
    network, X = make((5, 4, 2), "silu"), np.random.RandomState(1).randn(n_rows, 5)
    whole = raw_scores(network.coefs, network.intercepts, network.activations, X)
    monkeypatch.setattr(prediction, "PREDICTION_BYTES", 8 * 4 * 8)
    chunked = raw_scores(network.coefs, network.intercepts, network.activations, X)
    assert chunked.shape == (n_rows, 2)
    np.testing.assert_allclose(chunked, whole, rtol=1e-13)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("n_rows", [1, 7, 50])
def test_hidden_activations_are_what_training_computes_in_chunks_or_not(monkeypatch, activation, n_rows):
    network, X = make((5, 4, 3, 2), activation), np.random.RandomState(1).randn(n_rows, 5)
    propagation = Propagation(network, np.empty_like(network.theta), n_rows)
    propagation.forward(X)
    for chunk_bytes in (prediction.PREDICTION_BYTES, 8 * 4 * 8):
        monkeypatch.setattr(prediction, "PREDICTION_BYTES", chunk_bytes)
        for layer in range(2):
            A = hidden_activations(network.coefs, network.intercepts, network.activations, X, layer)
            np.testing.assert_allclose(A, propagation.hidden[layer].output, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_the_input_gradient_of_a_network_without_hidden_layers_is_its_weights(dtype, container):
    network, X = make((5, 3), dtype=dtype), container(np.ones((4, 5), dtype))
    gradient = input_gradient(network.coefs, network.intercepts, network.activations, X, np.array([2, 0, 1, 2]))
    np.testing.assert_array_equal(gradient, network.coefs[0].T[[2, 0, 1, 2]])
    assert gradient.dtype == dtype
    gradient[:] = 0
    assert network.coefs[0].all()


def test_the_input_gradient_is_the_chain_of_layer_jacobians():
    network, x = make((3, 4, 2), "tanh"), np.array([[0.2, -0.5, 0.9]])
    slope = 1 - np.tanh(x @ network.coefs[0] + network.intercepts[0]) ** 2
    for output in range(2):
        expected = (network.coefs[0] * slope) @ network.coefs[1][:, output]
        gradient = input_gradient(network.coefs, network.intercepts, network.activations, x, np.array([output]))
        np.testing.assert_allclose(gradient[0], expected)


def test_dropout_keeps_the_expected_input_of_the_next_layer():
    network, X = make((5, 2000, 1), "identity"), np.ones((1, 5))
    propagation = Propagation(network, np.empty_like(network.theta), 1, 0.3, np.random.default_rng(0))
    exact = raw_scores(network.coefs, network.intercepts, network.activations, X)[0, 0]
    dropped = [propagation.forward(X)[0, 0] for _ in range(300)]
    assert np.mean(dropped) == pytest.approx(exact, abs=4 * np.std(dropped) / np.sqrt(300))
    mask = propagation.hidden[0].mask
    assert set(np.unique(mask)) == {0, 1 / 0.7}
    assert np.mean(mask == 0) == pytest.approx(0.3, abs=0.05)


def test_a_step_allocates_nothing():
    network = make((50, 100, 10), dtype=np.float32)
    X = np.zeros((200, 50), np.float32)
    propagation = Propagation(network, np.empty_like(network.theta), 200)
    propagation.delta[:] = 0.1
    tracemalloc.start()
    for _ in range(3):
        propagation.forward(X)
        propagation.backward(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000
