"""Monitors record what plain fits report, and change nothing."""

import numpy as np
import pytest
from callbacks_helpers import NETWORK, Crash, CrashError, X, assert_same, quietly, y
from sklearn.datasets import load_diabetes
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropOutlierDetector, SigmoidBackpropRegressor

pytest.importorskip("sklearn.callback", reason="scikit-learn has had callbacks since 1.9")

from skbackprop.callbacks import Checkpoint, GradientMonitor, ValidationMonitor, resume
from skbackprop.inspection import gradient_flow


def test_the_validation_monitor_records_what_fit_reports():
    weight = np.linspace(1, 2, 50)
    data = {"X_val": X[100:], "y_val": y[100:], "sample_weight_val": weight}
    monitor = ValidationMonitor(X[100:], y[100:], sample_weight=weight, scoring=["neg_log_loss", "accuracy"])
    classifier = SigmoidBackpropClassifier(**NETWORK).set_callbacks(monitor)
    quietly(classifier.fit, X[:100], y[:100], **data)
    rows = monitor.get_logs().data
    np.testing.assert_allclose([-row["loss"] for row in rows], classifier.validation_scores_, rtol=1e-12)
    last = -log_loss(y[100:], classifier.predict_proba(X[100:]), sample_weight=weight)
    assert rows[-1]["neg_log_loss"] == pytest.approx(last)
    assert rows[-1]["accuracy"] == classifier.score(X[100:], y[100:], weight)


def test_the_validation_loss_of_scaled_targets_is_in_the_units_of_the_training_loss():
    inputs, target = load_diabetes(return_X_y=True)
    monitor = ValidationMonitor(inputs, target)
    regressor = SigmoidBackpropRegressor(**NETWORK).set_callbacks(monitor)
    quietly(regressor.fit, inputs, target, X_val=inputs, y_val=target)
    losses = [row["loss"] for row in monitor.get_logs().data]
    np.testing.assert_allclose(losses, np.negative(regressor.validation_scores_), rtol=1e-9)
    # A hand-made one: half the squared error over the variance.
    expected = 0.5 * np.mean((target - regressor.predict(inputs)) ** 2) / target.var()
    assert losses[-1] == pytest.approx(expected)


def test_each_run_has_its_own_record():
    monitor = GradientMonitor()
    for hidden, n_epochs in (((6, 5), 12), ((4,), 7)):
        classifier = SigmoidBackpropClassifier(hidden, max_iter=n_epochs, random_state=0).set_callbacks(monitor)
        quietly(classifier.fit, X, y)
        assert monitor.gradient_norms_.shape == (n_epochs, len(hidden) + 1)
        assert monitor.saturated_fractions_.shape == (n_epochs, len(hidden))
    assert len(monitor.get_logs(select="all")) == 2


# What is recorded is the gradient at the weights that training goes on from: those that are published, or that are kept.
@pytest.mark.parametrize("settings", [{"learning_rate": "constant"}, {"warm_start": True}], ids=str)
def test_the_gradient_monitor_records_the_gradient_flow_of_each_epoch(settings):
    monitor = GradientMonitor()
    classifier = SigmoidBackpropClassifier(**NETWORK, **settings).set_callbacks(monitor)
    quietly(classifier.fit, X, y)
    layers = gradient_flow(classifier.set_callbacks(), X, y).layers
    np.testing.assert_allclose(monitor.gradient_norms_[-1], [layer.gradient_norm for layer in layers])
    np.testing.assert_allclose(monitor.saturated_fractions_[-1], [layer.saturated for layer in layers[:-1]])


def test_the_gradient_monitor_looks_at_some_samples_of_many():
    weight = np.linspace(1, 2, 150)
    monitor, whole = GradientMonitor(max_samples=20), GradientMonitor(max_samples=10_000)
    quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(monitor, whole).fit, X, y, weight)
    assert monitor.gradient_norms_.shape == whole.gradient_norms_.shape
    assert not np.allclose(monitor.gradient_norms_, whole.gradient_norms_)
    with pytest.raises(ValueError, match="max_samples=0"):
        GradientMonitor(max_samples=0)


def test_monitors_change_nothing():
    watched = SigmoidBackpropClassifier(**NETWORK, early_stopping=True)
    watched.set_callbacks(ValidationMonitor(X, y), GradientMonitor())
    quietly(watched.fit, X, y)
    assert_same(watched, quietly(SigmoidBackpropClassifier(**NETWORK, early_stopping=True).fit, X, y))


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), SigmoidBackpropClassifier(**NETWORK)),
        GridSearchCV(SigmoidBackpropClassifier(**NETWORK), {"alpha": [0.1, 1.0]}),
        SigmoidBackpropOutlierDetector((3,), n_estimators=2, max_iter=2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_callbacks_of_networks_are_refused_on_what_has_no_epochs(tmp_path, estimator):
    for callback in (Checkpoint(tmp_path / "c"), ValidationMonitor(X, y), GradientMonitor()):
        names = rf"{type(callback).__name__} on {type(estimator).__name__}, .* such as pipeline\[-1\]"
        with pytest.raises(TypeError, match=names):
            estimator.set_callbacks(callback).fit(X, y)


@pytest.mark.slow
def test_records_are_numbered_by_epoch(tmp_path):
    gradients, validation = GradientMonitor(), ValidationMonitor(X, y)
    settings = {"hidden_layer_sizes": (), "max_iter": 2500, "n_iter_no_change": np.inf, "random_state": 0}
    quietly(SigmoidBackpropClassifier(**settings).set_callbacks(gradients, validation).fit, X[:10], y[:10])
    np.testing.assert_array_equal(gradients.epochs_, [*range(3, 2500, 3), 2500])
    np.testing.assert_array_equal([row["epoch"] for row in validation.get_logs().data], gradients.epochs_)
    # A resumed fit goes on counting.
    crashing = SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(tmp_path / "c"), Crash(5))
    with pytest.raises(CrashError):
        quietly(crashing.fit, X, y)
    quietly(resume, tmp_path / "c", X, y, callbacks=[gradients])
    np.testing.assert_array_equal(gradients.epochs_, range(6, 13))


@pytest.mark.slow
def test_of_a_search_the_gradient_monitor_shows_the_refit():
    monitor = GradientMonitor()
    # At a constant rate the weights that are published are those that the gradients were recorded at.
    network = SigmoidBackpropClassifier(**NETWORK, learning_rate="constant").set_callbacks(monitor)
    pipeline = make_pipeline(StandardScaler(), network)
    search = GridSearchCV(pipeline, {"sigmoidbackpropclassifier__hidden_layer_sizes": [(5,), (4, 3, 2)]}, cv=2, n_jobs=2)
    quietly(search.fit, X, y)
    best, scaler = search.best_estimator_[-1].set_callbacks(), search.best_estimator_[0]
    norms = [layer.gradient_norm for layer in gradient_flow(best, scaler.transform(X), y).layers]
    np.testing.assert_allclose(monitor.gradient_norms_[-1], norms)


def test_a_gradient_monitor_without_a_fit_says_so():
    monitor = GradientMonitor()
    for name in ("epochs_", "gradient_norms_", "saturated_fractions_"):
        assert not hasattr(monitor, name)
    with pytest.raises(NotFittedError, match="recorded nothing yet: fit a network that it is set on"):
        monitor.gradient_norms_  # noqa: B018
    for max_samples in (1.5, "many", None):
        with pytest.raises(ValueError, match=f"Got max_samples={max_samples!r}: pass a whole number of at least 1"):
            GradientMonitor(max_samples)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((X[:, :2], y), "samples of the ValidationMonitor cannot be judged: X has 2 features"),
        ((X, y[:3]), "samples of the ValidationMonitor cannot be judged: Found input variables with inconsistent"),
        ((X, y + 5), r"samples of the ValidationMonitor cannot be judged: Got y with the classes \[5, 6, 7\]"),
        ((X,), "Got y=None in a ValidationMonitor on SigmoidBackpropClassifier: pass labels"),
    ],
    ids=["width", "lengths", "classes", "no labels"],
)
def test_validation_samples_that_cannot_be_judged(arguments, words):
    classifier = SigmoidBackpropClassifier(**NETWORK).set_callbacks(ValidationMonitor(*arguments))
    with pytest.raises(ValueError, match=words):
        classifier.fit(X, y)


def test_scores_are_names_or_scorers():
    named = ValidationMonitor(X, y, scoring={"right": "accuracy", "own": lambda estimator, X, y: estimator.score(X, y)})
    quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(named).fit, X, y)
    last = named.get_logs().data[-1]
    assert last["right"] == last["own"]
    for scoring in (None, max):
        with pytest.raises(ValueError, match="pass the name of a score, a list of names, or a dict"):
            ValidationMonitor(X, y, scoring=scoring)


@pytest.mark.parametrize(
    ("scoring", "meant"), [("acuracy", "accuracy"), (["accuracy", "f1-macro"], "f1_macro"), ({"own": "R2"}, "r2")]
)
def test_a_near_miss_of_a_score_gets_what_was_meant(scoring, meant):
    with pytest.raises(ValueError, match=rf"Got scoring=.*: pass one of .* and \d+ more; did you mean '{meant}'\?"):
        ValidationMonitor(X, y, scoring=scoring)


def test_a_scorer_without_weights_is_refused_with_weights_at_the_start():
    def own(estimator, X, y):
        return 0.0

    ValidationMonitor(X, y, scoring={"own": own})
    with pytest.raises(ValueError, match="Got sample weights with scoring='own', which does not take any"):
        ValidationMonitor(X, y, sample_weight=np.ones(len(y)), scoring={"right": "accuracy", "own": own})
