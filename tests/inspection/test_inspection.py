"""Inspection: gradients checked and errors located, a step that is training's own, verdicts on constructed networks."""

import copy
import pickle
import warnings
from html.parser import HTMLParser
from itertools import pairwise, product

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import expit, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop._engine import network as _network
from skbackprop.activations import ACTIVATIONS, Logistic, ReLU, Tanh
from skbackprop.initializers import Glorot, Initializer
from skbackprop.inspection import check_gradients, gradient_flow, trace_backpropagation
from skbackprop.losses import REGRESSION_LOSSES, BinaryLogLoss, CategoricalLogLoss


def make(**parameters):
    """A classifier of a small network, trained for one step on all samples as they stand."""
    settings = {"hidden_layer_sizes": (6, 5), "random_state": 0, "max_iter": 1, "shuffle": False, "batch_size": 150}
    return SigmoidBackpropClassifier(**{**settings, **parameters})


def fit(classifier, *arguments):
    """Fit without the warning that one epoch is few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(*arguments)


@pytest.fixture(scope="module")
def weight():
    return np.random.RandomState(1).uniform(0, 3, 150)


# The gradient is right ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [(), (5,), (5, 4, 3)])
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


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("activation", ["logistic", "relu", "silu"])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
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


# Planted errors ----------------------------------------------------------------------------------------------------------


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


# One step ----------------------------------------------------------------------------------------------------------------


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


STEPS = {
    "sgd": {"solver": "sgd"},
    "adam": {"solver": "adam"},
    "rprop": {"solver": "rprop"},
    "lbfgs": {"solver": "lbfgs"},
    "clipped and decayed": {"solver": "sgd", "clip_norm": 1e-3, "weight_decay": 0.1},
    "dropout": {"dropout": 0.3},
    "one cycle": {"learning_rate": "one_cycle", "max_iter": 1},
    "inverse scaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "no biases": {"fit_intercept": False},
    "no hidden layers": {"hidden_layer_sizes": ()},
    "balanced": {"class_weight": "balanced"},
}


@pytest.mark.parametrize("settings", STEPS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
def test_the_update_is_what_one_epoch_of_fit_adds_bit_for_bit(targets, weight, settings, dtype, container):
    X, y = container(targets[0].astype(dtype)), targets[1]["multiclass"]
    classifier = make(standardize=False, **STEPS[settings])
    trace = trace_backpropagation(classifier, X, y, weight)
    fit(classifier, X, y, weight)
    for layer, coef, intercept in zip(trace.layers, classifier.coefs_, classifier.intercepts_, strict=True):
        assert layer.weights_update.dtype == dtype
        np.testing.assert_array_equal(layer.weights_update, coef - layer.weights)
        assert np.any(layer.weights_update)
        if classifier.fit_intercept:
            np.testing.assert_array_equal(layer.biases_update, intercept - layer.biases)
    assert trace.loss == pytest.approx(classifier.loss_curve_[0], rel=1e-6) or settings == "lbfgs"


@pytest.mark.parametrize("solver", ["sgd", "adam", "rprop", "lbfgs"])
def test_of_a_warm_start_the_trace_is_the_next_step(targets, weight, solver):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = make(solver=solver, warm_start=True, standardize=False, dropout=0.2 if solver in {"sgd", "adam"} else 0)
    for _ in range(2):
        fit(classifier, X, y, weight)
    before = copy.deepcopy(classifier.coefs_)
    trace = trace_backpropagation(classifier, X, y, weight)
    fit(classifier, X, y, weight)
    for layer, old, new in zip(trace.layers, before, classifier.coefs_, strict=True):
        np.testing.assert_array_equal(layer.weights, old)
        np.testing.assert_array_equal(layer.weights_update, new - old)


@pytest.mark.parametrize("learning_rate", ["auto", "one_cycle", "invscaling"])
def test_after_partial_fit_the_trace_is_its_next_step(targets, learning_rate):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = make(learning_rate=learning_rate, solver="sgd", standardize=False)
    for _ in range(2):
        classifier.partial_fit(X, y, classes=[0, 1, 2])
    before = copy.deepcopy(classifier.coefs_)
    trace = trace_backpropagation(classifier, X, y)
    classifier.partial_fit(X, y)
    for layer, old, new in zip(trace.layers, before, classifier.coefs_, strict=True):
        np.testing.assert_array_equal(layer.weights_update, new - old)


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
        expected = layer.inputs.T @ layer.delta + trace.penalty * layer.weights
        np.testing.assert_allclose(layer.weights_gradient, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(layers[-1].received[:, 0], weight / weight.sum(), rtol=1e-12)


# Nothing changes, and clear errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("inspect", [check_gradients, trace_backpropagation, gradient_flow])
@pytest.mark.parametrize("settings", [{}, {"warm_start": True, "early_stopping": True, "shuffle": True, "dropout": 0.3}])
def test_looking_changes_nothing(targets, inspect, settings):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = make(random_state=np.random.RandomState(3), batch_size=32, verbose=False, **settings)
    for _ in range(2):
        before = pickle.dumps(classifier)
        inspect(classifier, X, y)
        assert pickle.dumps(classifier) == before
        fit(classifier, X, y)
    shared = check_random_state(None)
    before = pickle.dumps(shared.get_state())
    inspect(make(random_state=None), X, y)
    assert pickle.dumps(shared.get_state()) == before


@pytest.mark.parametrize("inspect", [check_gradients, trace_backpropagation, gradient_flow])
def test_fitted_classifiers_take_batches_without_every_class_and_training_goes_on_from_saved_state(targets, inspect):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = fit(make(warm_start=True, early_stopping=True, shuffle=True, batch_size=20), X, y)
    rows = np.flatnonzero(y == 1)[:3]
    inspect(classifier, X[rows], y[rows])
    # As many rows as in training: no memory of which were held out.
    assert len(inspect(classifier, X, y).layers) == 3
    assert len(trace_backpropagation(classifier, X, y).layers[0].inputs) == 150


@pytest.mark.parametrize("inspect", [check_gradients, trace_backpropagation, gradient_flow])
def test_bad_input_gives_the_usual_errors(targets, inspect):
    X, y = targets[0], targets[1]["binary"]
    with pytest.raises(TypeError, match=r"Got Pipeline as the estimator: pass .*last step"):
        inspect(make_pipeline(StandardScaler(), make()), X, y)
    with pytest.raises(TypeError, match=r"Got the class SigmoidBackpropClassifier as the estimator: pass a network"):
        inspect(SigmoidBackpropClassifier, X, y)
    with pytest.raises(
        TypeError, match=r"Got SigmoidBackpropOutlierDetector as .* outlier detector one of its estimators_"
    ):
        inspect(SigmoidBackpropOutlierDetector(), X)
    with pytest.raises(ValueError, match="requires y"):
        inspect(make(), X)
    with pytest.raises(ValueError, match="NaN"):
        inspect(make(), np.full_like(X, np.nan), y)
    with pytest.raises(ValueError, match="'alpha' parameter"):
        inspect(make(alpha=-1), X, y)
    with pytest.raises(ValueError, match="dropout"):
        inspect(make(dropout=0.5, solver="rprop"), X, y)
    with pytest.raises(ValueError, match="6 features"):
        inspect(fit(make(), X, y), X[:, :5], y)


@pytest.mark.parametrize("bad", [{"max_entries": 0}, {"max_entries": 2.5}, {"tol": 0}, {"tol": "small"}])
def test_bad_settings_of_the_check(targets, bad):
    with pytest.raises(ValueError, match=f"Got {next(iter(bad))}="):
        check_gradients(make(), targets[0], targets[1]["binary"], **bad)


# Flow --------------------------------------------------------------------------------------------------------------------


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
            np.linalg.norm(layer.weights_gradient - trace.penalty * layer.weights), rel=1e-6
        )
        assert numbers.update_ratio == pytest.approx(np.linalg.norm(layer.weights_update) / np.linalg.norm(layer.weights))
    saturated = [np.mean((layer.activations * (1 - layer.activations)) < 0.05 * 0.25) for layer in trace.layers[:-1]]
    assert [layer.saturated for layer in found.layers[:-1]] == pytest.approx(saturated)
    assert 0 < saturated[0] < 1
    assert np.isnan(found.layers[-1].saturated)


# What is shown -----------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects the text of the cells."""

    def __init__(self, html):
        super().__init__()
        self.open, self.cells, self.tags = [], [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells.append(data)


def test_small_arrays_are_shown_in_full_as_text_and_as_tables(targets):
    X, y = targets[0][:4], targets[1]["binary"][:4]
    y = np.array([0, 1, 1, 0])
    trace = trace_backpropagation(make(hidden_layer_sizes=(3,), batch_size=4), X, y)
    page = Page(trace._repr_html_())
    for layer in trace.layers:
        for value in np.concatenate([np.ravel(array) for array in layer[1:] if array is not None]):
            assert f"{value + 0.0:.4g}" in page.cells
            assert f"{value + 0.0:.4g}" in str(trace).split()
    assert page.tags.count("h4") == 4
    headings = [line for line in str(trace).splitlines() if line.startswith(("Forward", "Backward"))]
    assert [heading.split(" (")[0] for heading in headings] == [
        "Forward, layer 1",
        "Forward, layer 2",
        "Backward, layer 2",
        "Backward, layer 1",
    ]


def test_large_arrays_are_summed_up(targets):
    trace = trace_backpropagation(make(hidden_layer_sizes=(30,)), sp.csr_array(targets[0]), targets[1]["binary"])
    text = str(trace)
    assert len(text) < 4000
    assert "delta (150 x 30)" in text
    assert "900 values stored" in text
    assert f"from {trace.layers[0].delta.min():.4g} to {trace.layers[0].delta.max():.4g}" in text
    assert "150 x 30" in Page(trace._repr_html_()).cells


@pytest.mark.parametrize("inspect", [check_gradients, gradient_flow])
def test_reports_hold_a_row_a_layer_and_the_verdict(targets, inspect):
    class Markup(Tanh):
        def __repr__(self):
            return "<b>&"

    report = inspect(make(activation=Markup()), targets[0], targets[1]["binary"])
    assert repr(report) == str(report)
    assert report.verdict in str(report).splitlines()
    page = Page(report._repr_html_())
    assert page.tags.count("tr") == 4
    assert "b" not in page.tags
    assert report.verdict in page.cells


def test_formulas_are_those_of_the_loss(targets):
    X, y = targets[0], targets[1]["binary"]
    assert "here activations - targets" in str(trace_backpropagation(make(), X, y))
    squared = trace_backpropagation(make(loss="squared_error"), X, y)
    assert "here activations - targets" not in str(squared)
    assert "Half the squared error" in str(squared)
    assert repr(BinaryLogLoss()) in str(trace_backpropagation(make(), X, y))


@pytest.mark.parametrize(("loss", "activation"), list(product(REGRESSION_LOSSES, ACTIVATIONS)))
@pytest.mark.parametrize("hidden", [(), (5, 4)])
def test_the_gradient_is_right_for_every_loss_of_numbers(targets, loss, activation, hidden):
    X, y = targets[0], np.exp(targets[0][:, :2] + 0.5 * targets[0][:, 2:3] ** 2)
    regressor = SigmoidBackpropRegressor(loss, hidden, activation, quantile=0.3, alpha=0.3, random_state=0)
    check = check_gradients(regressor, X, y)
    assert check.passed, check
    assert check.max_error < 1e-6


@pytest.mark.parametrize("settings", [{}, {"tied": True}, {"noise": 0.2}, {"loss": "huber", "dropout": 0.2}], ids=str)
def test_the_gradient_of_an_autoencoder_is_right(targets, settings):
    autoencoder = SigmoidBackpropAutoencoder((5, 3, 5), random_state=0, **settings)
    assert check_gradients(autoencoder, targets[0]).max_error < 1e-6
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        autoencoder.fit(targets[0])
    assert check_gradients(autoencoder, targets[0]).max_error < 1e-6
    assert gradient_flow(autoencoder, targets[0]).diagnosis == "healthy"
