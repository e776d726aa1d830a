"""The check of gradients: right ones pass, planted errors are found and located."""

import warnings
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from inspection_helpers import fit, make
from sklearn.exceptions import ConvergenceWarning

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropRegressor
from skbackprop._engine import network as _network
from skbackprop.activations import ACTIVATIONS, Logistic, ReLU, Tanh
from skbackprop.initializers import Glorot, Initializer
from skbackprop.inspection import check_gradients, gradient_flow
from skbackprop.losses import REGRESSION_LOSSES, CategoricalLogLoss


@pytest.mark.parametrize("hidden", [(), pytest.param((5,), marks=pytest.mark.slow), (5, 4, 3)])
@pytest.mark.parametrize(("loss", "activation"), list(product(["log_loss", "squared_error"], ACTIVATIONS)))
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_the_gradient_is_right_for_every_loss_and_activation(targets, kind, loss, activation, hidden):
    X, y = targets[0], targets[1][kind]
    check = check_gradients(make(hidden_layer_sizes=hidden, loss=loss, activation=activation), X, y)
    assert check.passed, check
    assert check.max_error < 1e-6
    assert [layer.n_checked + layer.n_at_kink for layer in check.layers] == [layer.n_entries for layer in check.layers]


OPTIONS = {
    "penalty": {"alpha": 3.0},
    "no biases": {"fit_intercept": False},
    "dropout": {"dropout": 0.4},
    "balanced": {"class_weight": "balanced"},
    "as they are": {"standardize": False},
    "full batch": {"solver": "lbfgs"},
}


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("activation", ["logistic", "relu", pytest.param("silu", marks=pytest.mark.slow)])
@pytest.mark.parametrize("container", [np.asarray, pytest.param(sp.csr_array, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fitted", [False, True])
def test_the_gradient_is_right_with_every_option(targets, weight, option, activation, container, fitted):
    X, y = container(targets[0]), targets[1]["multiclass"]
    classifier = make(activation=activation, **OPTIONS[option])
    if fitted:
        fit(classifier, X, y, weight)
    check = check_gradients(classifier, X, y, weight)
    assert check.max_error < 1e-6, check


@pytest.mark.parametrize("fitted", [False, True])
def test_float32_is_checked_in_float64(targets, fitted):
    X, y = targets[0].astype(np.float32), targets[1]["multiclass"]
    classifier = make()
    if fitted:
        fit(classifier, X, y)
        assert classifier.coefs_[0].dtype == np.float32
    # In float32 a central difference has hardly three digits.
    assert check_gradients(classifier, X, y).max_error < 1e-6


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_the_unit_of_the_inputs_does_not_matter(targets, factor):
    X, y = targets[0], targets[1]["binary"]
    assert check_gradients(make(activation="tanh", standardize=False), X * factor, y).max_error < 1e-6


class NoBiases(Initializer):
    """Glorot's weights; biases of zero."""

    def fill(self, coef, intercept, *rest):
        Glorot().fill(coef, intercept, *rest)
        intercept[:] = 0


def test_a_kink_is_no_error_of_the_gradient(targets):
    # A row of zeros meets rectified units without biases exactly at their kink, where there is no derivative by the biases.
    X, y = targets[0] * (np.arange(150) % 3 > 0)[:, np.newaxis], targets[1]["binary"]
    check = check_gradients(make(activation="relu", init=NoBiases()), X, y)
    assert check.passed, check
    assert sum(layer.n_at_kink for layer in check.layers) > 0
    # The same with a wrong derivative elsewhere is not taken for a kink.
    assert check_gradients(make(activation=["relu", WrongTanh()], init=NoBiases()), X, y).topmost_wrong_layer == 2


def test_a_step_across_a_kink_is_no_error_of_the_gradient():
    # 2,000 samples: a unit's kink lies between almost any two points a step of 1e-4 apart.
    rng = np.random.RandomState(0)
    X, y = rng.randn(2000, 3), rng.randint(2, size=2000)
    check = check_gradients(make(hidden_layer_sizes=(20, 20), activation="relu"), X, y, max_entries=20)
    assert check.passed, check
    assert sum(layer.n_at_kink for layer in check.layers) == 0


def test_of_a_large_network_a_subset_is_compared_with_the_largest_derivatives_in_it(targets):
    X, y = targets[0], targets[1]["binary"]
    wide = np.zeros((150, 5000))
    wide[:, [17, 4000]] = X[:, :2]
    wide = sp.csr_array(wide)
    classifier = make(hidden_layer_sizes=(4,), standardize=False, alpha=0)
    check = check_gradients(classifier, wide, y, max_entries=10)
    assert [layer.n_checked for layer in check.layers] == [10 + 4, 4 + 1]
    assert check.layers[0].n_entries == 5000 * 4 + 4
    # Only 8 of 20,000 derivatives are not zero; a wrong one is found all the same.
    wrong = check_gradients(classifier.set_params(activation=WrongTanh()), wide, y, max_entries=10)
    assert wrong.worst.part == "biases" or wrong.worst.index[0] in {17, 4000}
    assert wrong.layers[0].weights_error > 1e-3


class WrongTanh(Tanh):
    """Tanh with a derivative one per cent too large."""

    def backward(self, A, cache, delta):
        super().backward(A, cache, delta)
        np.multiply(delta, 1.01, delta)


class WrongLogistic(Logistic):
    """The sigmoid with the derivative of the hyperbolic tangent: a common slip."""

    def backward(self, A, cache, delta):
        delta *= 1 - A**2


class LeakyAtHeart(ReLU):
    """ReLU whose derivative forgets that it is zero below 0."""

    def backward(self, A, cache, delta):
        pass


class WrongLoss(CategoricalLogLoss):
    """Log-loss with a gradient that is a thousandth too large for the first class."""

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        super().loss_gradient(Y, Z, values, gradient, scratch)
        gradient[:, 0] *= 1.001


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [WrongTanh, WrongLogistic, LeakyAtHeart])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_wrong_derivative_is_located_in_its_layer(targets, wrong, k):
    activations = ["tanh", "logistic", "silu"]
    activations[k - 1] = wrong()
    check = check_gradients(
        make(hidden_layer_sizes=(6, 5, 4), activation=activations), targets[0], targets[1]["multiclass"]
    )
    assert not check.passed
    assert check.wrong_layers == list(range(1, k + 1))
    assert check.topmost_wrong_layer == k
    assert f"Layer {k}" in check.verdict
    assert f"{wrong.__name__}()" in check.verdict
    assert str(check).count("WRONG") == k + 1


@pytest.mark.parametrize("hidden", [(), (5, 4)])
def test_a_wrong_loss_is_located_at_the_output(targets, hidden):
    check = check_gradients(make(hidden_layer_sizes=hidden, loss=WrongLoss()), targets[0], targets[1]["multiclass"])
    assert check.wrong_layers == list(range(1, len(hidden) + 2))
    assert "derivative of the loss, WrongLoss()" in check.verdict


@pytest.mark.parametrize("part", ["coef_gradient", "intercept_gradient"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_a_wrong_gradient_of_one_layer_is_located_there_alone(targets, monkeypatch, k, part):
    backward = _network.Layer.backward

    def wrong_backward(layer, A):
        backward(layer, A)
        if layer.coef.shape == [(6, 5), (5, 4), (4, 3)][k - 1]:
            getattr(layer, part).flat[1] *= 1.001

    monkeypatch.setattr(_network.Layer, "backward", wrong_backward)
    # Weights so large that no derivative drowns in the error of a finite difference.
    classifier = make(hidden_layer_sizes=(5, 4), init="glorot")
    check = check_gradients(classifier, targets[0], targets[1]["multiclass"])
    assert check.wrong_layers == [k]
    assert check.worst.layer == k
    name, index = ("weights", (0, 1)) if part == "coef_gradient" else ("biases", (1,))
    assert (check.worst.part, check.worst.index) == (name, index)
    assert check.worst.analytic == pytest.approx(1.001 * check.worst.numeric, rel=1e-5)
    assert "own gradient" in check.verdict


def test_a_loss_that_overflows_is_reported_not_raised(targets):
    class Huge(Initializer):
        def fill(self, coef, intercept, *rest):
            coef[:], intercept[:] = 1e200, 0

    check = check_gradients(make(init=Huge(), activation="identity"), targets[0], targets[1]["binary"])
    assert not check.passed
    assert "not finite" in check.verdict


@pytest.mark.parametrize("bad", [{"max_entries": 0}, {"max_entries": 2.5}, {"tol": 0}, {"tol": "small"}])
def test_bad_settings_of_the_check(targets, bad):
    with pytest.raises(ValueError, match=f"Got {next(iter(bad))}="):
        check_gradients(make(), targets[0], targets[1]["binary"], **bad)


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "activation"), list(product(REGRESSION_LOSSES, ACTIVATIONS)))
@pytest.mark.parametrize("hidden", [pytest.param((), marks=pytest.mark.slow), (5, 4)])
def test_the_gradient_is_right_for_every_loss_of_numbers(targets, loss, activation, hidden):
    X, y = targets[0], np.exp(targets[0][:, :2] + 0.5 * targets[0][:, 2:3] ** 2)
    regressor = SigmoidBackpropRegressor(loss, hidden, activation, quantile=0.3, alpha=0.3, random_state=0)
    check = check_gradients(regressor, X, y)
    assert check.passed, check
    assert check.max_error < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"tied": True}, {"noise": 0.2}, {"loss": "huber", "dropout": 0.2}], ids=str)
def test_the_gradient_of_an_autoencoder_is_right(targets, settings):
    autoencoder = SigmoidBackpropAutoencoder((5, 3, 5), random_state=0, **settings)
    assert check_gradients(autoencoder, targets[0]).max_error < 1e-6
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        autoencoder.fit(targets[0])
    assert check_gradients(autoencoder, targets[0]).max_error < 1e-6
    assert gradient_flow(autoencoder, targets[0]).diagnosis == "healthy"
