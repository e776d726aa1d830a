"""The same parameters and the same seed give scikit-learn's weights: the oracle for the whole loop."""

import warnings
from inspect import signature
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor

SOLVERS = {
    "momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd"},
    "plain": {"solver": "sgd", "momentum": 0},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    # With such a tol every second epoch is a plateau, so that the rate really falls.
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.1,
        "tol": 1.0,
        "n_iter_no_change": 1,
    },
    "adam": {"solver": "adam"},
    "lbfgs": {"solver": "lbfgs"},
}


OURS = {MLPClassifier: SigmoidBackpropClassifier, MLPRegressor: SigmoidBackpropRegressor}
needs_weights = pytest.mark.skipif(
    "sample_weight" not in signature(MLPClassifier.fit).parameters,
    reason="scikit-learn's networks, the oracle here, have taken sample weights since 1.7",
)
# For a first look some of the rules, one activation and one kind of labels are enough.
slow = pytest.mark.slow
RULES = [pytest.param(name, marks=slow) if name in {"momentum", "plain", "invscaling"} else name for name in SOLVERS]
ACTIVATIONS = ["logistic", *(pytest.param(name, marks=slow) for name in ("identity", "tanh", "relu"))]
KINDS = ["multiclass", *(pytest.param(name, marks=slow) for name in ("binary", "multilabel"))]
# scikit-learn's regressor has had a choice of losses since 1.7.
LOSSES = ["squared_error", "poisson"] if "loss" in signature(MLPRegressor).parameters else ["squared_error"]


def both(X, y, sample_weight=None, kind=MLPClassifier, **parameters):
    """The two estimators, fitted with the same parameters."""
    theirs = kind(**{"max_iter": 5, "random_state": 3, **parameters})
    ours = OURS[kind](**theirs.get_params(), init="glorot")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        # (Before scikit-learn 1.7 its networks take no weights.)
        weights = () if sample_weight is None else (sample_weight,)
        return theirs.fit(X, y, *weights), ours.fit(X, y, *weights)


def assert_same(theirs, ours):
    """Weights, losses and counts agree."""
    for name in ("coefs_", "intercepts_"):
        for expected, actual in zip(getattr(theirs, name), getattr(ours, name), strict=True):
            np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-9)
    assert ours.loss_ == pytest.approx(theirs.loss_, abs=1e-9)
    for name in ("n_iter_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize("solver", RULES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_weights_agree(targets, solver, activation, kind):
    X, y = targets[0], targets[1][kind]
    sparse = sp.csr_matrix(X * (np.abs(X) > 0.3))
    for batch_size, inputs, shuffle, alpha in product([7, 32, 200], [X, sparse], [True, False], [0, 1e-2]):
        if batch_size == 200 and solver != "lbfgs":
            # Larger than the data: both clip it with a warning; 150 is what is left.
            batch_size = 150  # noqa: PLW2901
        parameters = {"hidden_layer_sizes": (5,), "batch_size": batch_size, "shuffle": shuffle, "alpha": alpha}
        assert_same(*both(inputs, y, activation=activation, **parameters, **SOLVERS[solver]))


@pytest.mark.slow
@needs_weights
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_full_batch_weights_agree(targets, solver, kind):
    X, y = targets[0], targets[1][kind]
    weight = np.random.RandomState(1).randint(0, 4, len(X))
    assert_same(*both(X, y, weight, hidden_layer_sizes=(4, 3), batch_size=150, alpha=1e-2, **SOLVERS[solver]))


def test_loss_curve_counts_and_predictions_agree(targets):
    X, y = targets[0], targets[1]["multiclass"]
    theirs, ours = both(X, y, hidden_layer_sizes=(8,), max_iter=30)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, atol=1e-9)
    assert (ours.t_, ours.best_loss_) == (theirs.t_, pytest.approx(theirs.best_loss_))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_early_stopping_by_accuracy_agrees_for_two_classes(targets, solver):
    X, y = targets[0], targets[1]["binary"]
    parameters = {"early_stopping": True, "solver": solver, "max_iter": 200, "learning_rate_init": 0.01, "random_state": 3}
    theirs = MLPClassifier((5,), **parameters)
    ours = SigmoidBackpropClassifier(**theirs.get_params(), init="glorot", scoring="accuracy")
    with warnings.catch_warnings():
        # They may say that little was learnt: accuracy stops early.
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert_same(theirs.fit(X, y), ours.fit(X, y))
    assert ours.validation_scores_ == theirs.validation_scores_
    assert len(set(ours.validation_scores_)) < len(ours.validation_scores_)


def test_float32_agrees_to_its_precision(targets):
    X, y = targets[0].astype(np.float32), targets[1]["multiclass"]
    theirs, ours = both(X, y, hidden_layer_sizes=(8,))
    assert {part.dtype for part in ours.coefs_ + ours.intercepts_} == {np.dtype(np.float32)}
    for expected, actual in zip(theirs.coefs_, ours.coefs_, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-6)


@pytest.fixture(scope="module")
def counts(targets):
    """Positive numbers that depend on X, and some zeros."""
    X = targets[0]
    return np.random.RandomState(2).poisson(np.exp(0.5 * X[:, 0] - 0.3 * X[:, 1])).astype(float)


def regression(solver, loss):
    """The parameters: the loss where scikit-learn has it, and rates at which an unbounded gradient does no harm."""
    settings = {"kind": MLPRegressor, **SOLVERS[solver]}
    if "learning_rate_init" in settings:
        settings["learning_rate_init"] = 0.01
    return settings if len(LOSSES) == 1 else {**settings, "loss": loss}


@pytest.mark.parametrize("loss", [LOSSES[0], *(pytest.param(name, marks=slow) for name in LOSSES[1:])])
@pytest.mark.parametrize("solver", RULES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_regressors_weights_agree(targets, counts, solver, activation, loss):
    X, y = targets[0][:45], counts[:45]
    sparse = sp.csr_matrix(X * (np.abs(X) > 0.3))
    for batch_size, inputs, shuffle, alpha in product([7, 32, 45], [X, sparse], [True, False], [0, 1e-2]):
        parameters = {"hidden_layer_sizes": (5,), "batch_size": batch_size, "shuffle": shuffle, "alpha": alpha}
        assert_same(*both(inputs, y, activation=activation, **parameters, **regression(solver, loss)))


@needs_weights
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_regressors_weights_agree_in_full_batch_with_sample_weights(targets, counts, solver, loss):
    weight = np.random.RandomState(1).randint(0, 4, len(counts))
    settings = {"hidden_layer_sizes": (4, 3), "batch_size": 150, "alpha": 1e-2, **regression(solver, loss)}
    assert_same(*both(targets[0], counts, weight, **settings))


@pytest.mark.parametrize("loss", LOSSES)
def test_a_regressors_loss_curve_and_predictions_agree(targets, counts, loss):
    theirs, ours = both(targets[0], counts, hidden_layer_sizes=(8,), max_iter=30, **regression("adam", loss))
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, atol=1e-9)
    assert (ours.t_, ours.best_loss_) == (theirs.t_, pytest.approx(theirs.best_loss_))
    np.testing.assert_allclose(ours.predict(targets[0]), theirs.predict(targets[0]), atol=1e-9)
    assert ours.score(targets[0], counts) == pytest.approx(theirs.score(targets[0], counts))


def test_a_regressor_in_float32_agrees_to_its_precision(targets, counts):
    theirs, ours = both(targets[0].astype(np.float32), counts.astype(np.float32), kind=MLPRegressor)
    assert {part.dtype for part in ours.coefs_ + ours.intercepts_} == {np.dtype(np.float32)}
    for expected, actual in zip(theirs.coefs_, ours.coefs_, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-6)


@pytest.mark.parametrize("kind", OURS)
def test_every_parameter_of_scikit_learns_is_here_in_its_order(kind):
    assert set(kind().get_params(deep=False)) <= set(OURS[kind]().get_params(deep=False))
    # Older versions of the regressor do not begin with the loss.
    order = [name for name in signature(kind).parameters if name != "loss"]
    ours = [name for name in signature(OURS[kind]).parameters if name != "loss"]
    assert ours[: len(order)] == order
    if "loss" in signature(kind).parameters:
        assert next(iter(signature(OURS[kind]).parameters)) == "loss"
