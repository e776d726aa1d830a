"""How a run ends: whatever ends it, the weights it leaves are finite, those of the last whole epoch if need be."""

import math
import warnings
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.optimize import OptimizeResult
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._engine import descent
from skbackprop._estimators import run
from skbackprop.losses import CategoricalLogLoss
from skbackprop.neural_network import MLPRegressor
from skbackprop.optimizers import SGD, Minimizer

X, y = load_iris(return_X_y=True)
# Parts that misbehave are compared with those of the package.
pytestmark = pytest.mark.usefixtures("numpy_engine")

SETTINGS = {"hidden_layer_sizes": (4,), "batch_size": 50, "random_state": 0}
ESTIMATORS = [SigmoidBackpropClassifier, SigmoidBackpropRegressor, SigmoidBackpropAutoencoder]
# What may become of a parameter: the square of the last is infinite, and so are soon the predictions.
BROKEN = [np.nan, np.inf, -1e300]


class Exploding(SGD):
    """Breaks the weights in a step of the third epoch, and then does something."""

    def __init__(self, value, act=lambda: None, epochs=2):
        super().__init__()
        self.value, self.act, self.epochs, self.calls = value, act, epochs, 0

    def update(self, theta, *arguments):
        super().update(theta, *arguments)
        self.calls += 1
        if self.calls == self.epochs * 3 + 1:
            theta[-1] = self.value
            self.act()


class ExplodingMinimizer(Minimizer):
    """Descends twice, tells of it, and then breaks the weights."""

    def __init__(self, value, act=lambda: None):
        self.value, self.act = value, act

    def minimize(self, function, theta, max_iter, after_iteration):
        for _ in range(min(max_iter, 2)):
            loss, gradient = function(theta)
            theta = theta - 0.1 * gradient
            after_iteration(theta, loss)
        if max_iter > 2:
            theta = np.full_like(theta, self.value)
            function(theta)
            self.act()
        return OptimizeResult(x=theta, fun=loss, nit=max_iter, status=1)


def interrupt():
    raise KeyboardInterrupt


def fitted(kind, **settings):
    """A fitted network, of samples in one order."""
    return kind(**{**SETTINGS, "shuffle": False, **settings}).fit(X, y)


def assert_same_weights(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_array_equal(a, b)


def two_epochs(kind, **settings):
    """What is to be kept."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fitted(kind, max_iter=2, **settings)


@pytest.fixture
def clock(monkeypatch):
    """A function by which time runs out."""
    now = [0.0]
    for module in (descent, run):
        monkeypatch.setattr(module, "perf_counter", lambda: now[0])
    return lambda: now.__setitem__(0, 1e9)


# With "auto" the running mean of the weights is kept, with "constant" the latest.
@pytest.mark.parametrize("learning_rate", ["auto", "constant"])
@pytest.mark.parametrize("value", BROKEN)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_an_epoch_that_diverges_leaves_the_weights_before_it(kind, value, learning_rate, clock):
    settings = {"learning_rate": learning_rate}
    expected = two_epochs(kind, solver=SGD(), **settings)
    with pytest.warns(UserWarning, match="interrupted by user after 2 epochs, whose weights are kept"):
        found = fitted(kind, solver=Exploding(value, interrupt), **settings)
    assert_same_weights(found, expected)
    # Within an epoch the time limit is looked at before a step.
    for act, max_time in ((clock, 1.0), (lambda: None, None)):
        with pytest.warns(ConvergenceWarning, match="not finite in epoch 3"):
            found = fitted(kind, solver=Exploding(value, act), max_time=max_time, **settings)
        assert_same_weights(found, expected)


@pytest.mark.parametrize("value", BROKEN)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_with_validation_samples_too(value, early_stopping):
    def fit(solver, **settings):
        settings = {**SETTINGS, "shuffle": False, "early_stopping": early_stopping, **settings}
        return SigmoidBackpropRegressor(solver=solver, **settings).fit(X, y, X_val=X, y_val=y)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = fit(SGD(), max_iter=2)
    with pytest.warns(UserWarning, match="interrupted"):
        assert_same_weights(fit(Exploding(value, interrupt)), expected)
    with pytest.warns(ConvergenceWarning, match="not finite"):
        found = fit(Exploding(value))
    assert_same_weights(found, expected)
    assert found.validation_scores_[:2] == expected.validation_scores_
    assert np.isnan(found.validation_scores_[2:]).all()
    assert len(found.validation_scores_) == len(found.loss_curve_) == 3


@pytest.mark.parametrize("act", [interrupt, lambda: None], ids=["interrupted", "returns"])
@pytest.mark.parametrize("value", BROKEN)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_minimizer_that_diverges_leaves_the_weights_before_it(kind, value, act):
    expected = two_epochs(kind, solver=ExplodingMinimizer(value))
    with pytest.warns(UserWarning, match="interrupted|not finite"):
        found = fitted(kind, solver=ExplodingMinimizer(value, act), max_iter=5)
    assert_same_weights(found, expected)


@pytest.mark.skipif(not find_spec("sklearn.callback"), reason="scikit-learn has had callbacks since 1.9")
@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("value", BROKEN)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_callback_that_stops_an_epoch_that_diverges(kind, value, raises):
    class Stop:
        """Stops when the weights are broken."""

        def setup(self, estimator, context):
            """Do nothing."""

        teardown = on_fit_task_begin = setup

        def on_fit_task_end(self, estimator, context):
            if context.task_name == "epoch" and raises and context.task_id == 1:
                raise KeyboardInterrupt
            return context.task_name == "epoch" and context.task_id == 2

    expected = two_epochs(kind, solver=SGD())
    network = kind(**SETTINGS, shuffle=False, solver=Exploding(value)).set_callbacks(Stop())
    with pytest.warns(UserWarning, match="interrupted" if raises else "not finite"):
        assert_same_weights(network.fit(X, y), expected)


def test_what_is_finite_is_kept_at_an_interruption():
    with pytest.warns(UserWarning, match="interrupted"):
        found = fitted(SigmoidBackpropClassifier, learning_rate="constant", solver=Exploding(0.125, interrupt))
    assert found.intercepts_[-1][-1] == 0.125


# partial_fit -----------------------------------------------------------------------------------------------------------


def first_epochs(kind, **settings):
    """A network that has seen two epochs of `partial_fit`."""
    network = kind(**{**SETTINGS, "shuffle": False, **settings})
    return epoch_of(epoch_of(network))


def epoch_of(network):
    classes = {"classes": [0, 1, 2]} if isinstance(network, SigmoidBackpropClassifier) else {}
    return network.partial_fit(X, y, **classes)


@pytest.mark.parametrize("value", BROKEN)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_partial_fit_that_diverges_warns_and_keeps_the_weights_before_it(kind, value):
    expected = first_epochs(kind, solver=SGD())
    network = first_epochs(kind, solver=Exploding(value))
    with pytest.warns(ConvergenceWarning, match="not finite in epoch 1.*learning_rate_init"):
        epoch_of(network)
    assert_same_weights(network, expected)
    network = first_epochs(kind, solver=Exploding(value, interrupt))
    with pytest.warns(UserWarning, match="interrupted by user"):
        epoch_of(network)
    assert_same_weights(network, expected)


@pytest.mark.parametrize("solver", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_training_can_go_on_after_it_diverged(call, solver):
    """What the optimizer remembered on the way to infinity is forgotten."""
    settings = {"clip_norm": None, "standardize": False, "standardize_targets": False, "activation": "relu"}
    network = SigmoidBackpropRegressor(**SETTINGS, solver=solver, warm_start=True, max_iter=3, **settings)
    learn = getattr(network, call)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        learn(X, y)
        learn(X, 1e300 * y)
        assert not math.isfinite(network.loss_)
        learn(X, y)
    assert math.isfinite(network.loss_)
    assert np.isfinite(network.predict(X)).all()


# A plateau -------------------------------------------------------------------------------------------------------------


def of_many_columns(n_rows, n_columns, function, seed):
    """Return rows to train on and to test on, with targets that few columns decide."""
    X = np.random.RandomState(seed).uniform(-1.7, 1.7, (n_rows + 500, n_columns))
    y = function(*X.T)
    return (X[:n_rows], y[:n_rows]), (X[n_rows:], y[n_rows:])


LATE = {"hidden_layer_sizes": (50,), "activation": "silu", "alpha": 0, "early_stopping": True, "random_state": 0}


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "function", "seed"),
    [
        (1000, 24, lambda first, second, *others: first * np.cos(2 * second), 0),
        (1000, 24, lambda first, second, *others: first * np.cos(2 * second), 4),
        (600, 10, lambda first, *others: np.sin(3 * first), 3),
    ],
)
def test_a_network_is_not_stopped_before_it_has_found_what_it_is_about_to_learn(n_rows, n_columns, function, seed):
    """It learns single samples first: for some 20 epochs the validation loss is above that of the first."""
    train, test = of_many_columns(n_rows, n_columns, function, seed)
    settings = {**LATE, "random_state": seed}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        network = SigmoidBackpropRegressor(**settings, max_iter=50).fit(*train)
        # What was seen of the training loss is part of the state.
        halves = SigmoidBackpropRegressor(**settings, max_iter=25, warm_start=True).fit(*train).fit(*train)
    scores = network.validation_scores_
    assert max(scores[5:21]) < max(scores[:5])
    assert network.score(*test) > 0.5
    assert halves.validation_scores_ == scores


def test_a_network_that_finds_nothing_is_stopped_soon():
    X = np.random.RandomState(0).standard_normal((1000, 24))
    network = SigmoidBackpropRegressor(**LATE).fit(X, np.random.RandomState(1).standard_normal(1000))
    assert network.n_iter_ < 40


# Scores ----------------------------------------------------------------------------------------------------------------

# As in scikit-learn's test_mlp_diverging_loss.
DIVERGING = {
    "hidden_layer_sizes": 100,
    "activation": "identity",
    "solver": "sgd",
    "alpha": 0.0001,
    "learning_rate": "constant",
    "learning_rate_init": 1,
    "max_iter": 20,
    "n_iter_no_change": 10,
    "random_state": 0,
}
WITHOUT_GUARDS = {"init": "glorot", "standardize": False, "batch_size": "auto"}
OURS = {**WITHOUT_GUARDS, "standardize_targets": False}


HELD_OUT = {"X_val": X, "y_val": y}


@pytest.mark.parametrize(("early_stopping", "held_out"), [(True, {}), (True, HELD_OUT), (False, HELD_OUT)])
@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error", None, "loss"])
def test_the_score_of_a_regressor_that_diverged_is_not_a_number(scoring, early_stopping, held_out):
    regressor = SigmoidBackpropRegressor(**DIVERGING, **OURS, scoring=scoring, early_stopping=early_stopping)
    with pytest.warns(ConvergenceWarning, match="not finite"):
        regressor.fit(X, y, **held_out)
    assert regressor.n_iter_ < 20
    assert len(regressor.validation_scores_) == regressor.n_iter_
    assert str(regressor.validation_scores_[-1]) == "nan"
    assert isinstance(regressor.validation_scores_[-1], float)
    assert np.isfinite(regressor.predict(X)).all()


@pytest.mark.parametrize("held_out", [{}, HELD_OUT], ids=["split", "X_val"])
@pytest.mark.parametrize("scoring", ["accuracy", "neg_log_loss", None, "loss"])
@pytest.mark.parametrize("labels", [y, y > 0], ids=["multiclass", "binary"])
def test_the_score_of_a_classifier_that_diverged_is_not_a_number(labels, scoring, held_out):
    if held_out:
        held_out = {"X_val": X, "y_val": labels}
    settings = {**DIVERGING, **WITHOUT_GUARDS, "learning_rate_init": 1e150, "hidden_layer_sizes": (5, 5)}
    classifier = SigmoidBackpropClassifier(**settings, scoring=scoring, early_stopping=True)
    with pytest.warns(ConvergenceWarning, match="not finite"):
        classifier.fit(X, labels, **held_out)
    assert len(classifier.validation_scores_) == classifier.n_iter_ < 20
    assert str(classifier.validation_scores_[-1]) == "nan"


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_predictions_that_overflow_have_no_score(loss):
    """The raw scores are finite, but exp of them is not: of the two samples that lie far out, of one at least."""
    far = [[1e7, 0, 0, 0], [-1e7, 0, 0, 0]]
    regressor = SigmoidBackpropRegressor(loss, (), scoring="r2", max_iter=3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_iter"):
        regressor.fit(X, y + 1.0, X_val=far, y_val=[1.0, 2.0])
    np.testing.assert_array_equal(regressor.validation_scores_, [np.nan] * 3)


def test_a_scorer_that_fails_for_another_reason_is_heard():
    def fails(estimator, X, y):
        raise ValueError("no such metric")

    with pytest.raises(ValueError, match="no such metric"):
        SigmoidBackpropRegressor(**SETTINGS, scoring=fails).fit(X, y, X_val=X, y_val=y)


@pytest.mark.parametrize("held_out", [{}, HELD_OUT], ids=["split", "X_val"])
def test_scikit_learns_own_regressor_here(held_out):
    regressor = MLPRegressor(**DIVERGING, early_stopping=True)
    with pytest.warns(ConvergenceWarning, match="not finite"):
        regressor.fit(X, y, **held_out)
    assert str(regressor.validation_scores_[-1]) == "nan"


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_loss_of_what_computes_is_an_error_that_keeps_the_weights(solver):
    class Lost(CategoricalLogLoss):
        calls = 0

        def loss_gradient(self, *arguments):
            self.calls += 1
            if self.calls > 10:
                raise run.ComputeLostError("gone")
            super().loss_gradient(*arguments)

    settings = {"solver": solver, "batch_size": len(X), "random_state": 0, "tol": 0}
    lost = SigmoidBackpropClassifier(loss=Lost(), **settings)
    with pytest.raises(run.ComputeLostError, match="gone"):
        lost.fit(X, y)
    assert len(lost.loss_curve_) == lost.n_iter_ > 1
    expected = SigmoidBackpropClassifier(max_iter=lost.n_iter_, **settings).fit(X, y)
    np.testing.assert_allclose(lost.coefs_[0], expected.coefs_[0], rtol=1e-8)
