"""Checkpoints resume bit for bit, whenever the process dies; monitors record what plain fits report."""

import multiprocessing
import os
import tempfile
import time
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop.inspection import gradient_flow

pytest.importorskip("sklearn.callback", reason="scikit-learn has had callbacks since 1.9")

from skbackprop.callbacks import Checkpoint, GradientMonitor, ValidationMonitor, resume

X, y = load_iris(return_X_y=True)
X, y = X[np.random.RandomState(0).permutation(150)], y[np.random.RandomState(0).permutation(150)]
NETWORK = {"hidden_layer_sizes": (6, 5), "max_iter": 12, "random_state": 0}


class CrashError(Exception):
    """The power fails."""


class Crash:
    """Stops the fit by an exception at the end of an epoch; the checkpoint before it has been written."""

    def __init__(self, epoch):
        self.epoch = epoch

    def setup(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context):
        """Crash."""
        if context.task_name == "epoch" and context.task_id + 1 == self.epoch:
            raise CrashError


def quietly(method, *arguments, **keywords):
    """Call without the warning that twelve epochs are few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return method(*arguments, **keywords)


def assert_same(one, other):
    """Weights and the record of training agree, bit for bit."""
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    for name in ("loss_curve_", "validation_scores_", "best_validation_score_", "best_loss_", "n_iter_", "t_", "loss_"):
        assert getattr(one, name) == getattr(other, name), name


SETTINGS = [
    {"solver": "sgd"},
    {"solver": "adam"},
    {"solver": "rprop"},
    {"solver": "sgd", "early_stopping": True, "batch_size": 16},
    {"solver": "adam", "early_stopping": True, "n_iter_no_change": 2, "learning_rate_init": 0.3},
    {"solver": "rprop", "early_stopping": True, "scoring": "accuracy", "n_iter_no_change": 3},
    {"learning_rate": "cosine", "dropout": 0.2},
    {"learning_rate": "one_cycle", "init": "glorot"},
    {"solver": "sgd", "learning_rate": "invscaling", "shuffle": False},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1},
    {"tol": 1.0, "n_iter_no_change": 4, "standardize": False},
]


@pytest.mark.parametrize("epoch", [1, 5, 12])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_resumed_fit_ends_with_the_weights_of_the_uninterrupted_one(tmp_path, settings, epoch):
    straight = quietly(SigmoidBackpropClassifier(**NETWORK, **settings).fit, X, y)
    path, epoch = tmp_path / "checkpoint", min(epoch, straight.n_iter_)
    crashing = SigmoidBackpropClassifier(**NETWORK, **settings).set_callbacks(Checkpoint(path), Crash(epoch))
    with pytest.raises(CrashError):
        quietly(crashing.fit, X, y)
    resumed = quietly(resume, path, X, y)
    assert_same(resumed, straight)
    assert resumed.get_params() == straight.get_params()
    # Fitting it once more begins anew.
    assert_same(quietly(resumed.fit, X, y), straight)


@pytest.mark.parametrize(
    ("estimator", "target"),
    [
        (SigmoidBackpropRegressor(**NETWORK, loss="huber", early_stopping=True), y.astype(float)),
        (SigmoidBackpropAutoencoder((6, 2, 6), max_iter=12, random_state=0, noise=0.3, tied=True), None),
        (SigmoidBackpropClassifier(**{**NETWORK, "random_state": np.random.RandomState(3)}), y),
    ],
    ids=["regressor", "autoencoder", "random state"],
)
def test_every_estimator_resumes(tmp_path, estimator, target):
    from sklearn.base import clone  # noqa: PLC0415

    straight = quietly(clone(estimator).fit, X, target)
    crashing = clone(estimator).set_callbacks(Checkpoint(tmp_path / "c", every=3), Crash(8))
    with pytest.raises(CrashError):
        quietly(crashing.fit, X, target)
    assert_same(quietly(resume, tmp_path / "c", X, target), straight)


def test_a_warm_start_and_validation_data_resume(tmp_path):
    parts = {"X_val": X[100:], "y_val": y[100:], "sample_weight": np.linspace(1, 2, 100)}
    settings = {**NETWORK, "warm_start": True, "early_stopping": True}
    straight = quietly(SigmoidBackpropClassifier(**settings).fit, X[:100], y[:100], **parts)
    quietly(straight.fit, X[:100], y[:100], **parts)
    crashing = quietly(SigmoidBackpropClassifier(**settings).fit, X[:100], y[:100], **parts)
    crashing.set_callbacks(Checkpoint(tmp_path / "c"), Crash(4))
    with pytest.raises(CrashError):
        quietly(crashing.fit, X[:100], y[:100], **parts)
    resumed = quietly(resume, tmp_path / "c", X[:100], y[:100], **parts)
    assert_same(resumed, straight)
    assert_same(quietly(resumed.fit, X[:100], y[:100], **parts), quietly(straight.fit, X[:100], y[:100], **parts))


def test_callbacks_go_on_after_a_crash(tmp_path):
    path = tmp_path / "c"
    crashing = SigmoidBackpropClassifier(**NETWORK)
    crashing.set_callbacks(Checkpoint(path), Crash(3))
    with pytest.raises(CrashError):
        quietly(crashing.fit, X, y)
    with pytest.raises(CrashError):
        quietly(resume, path, X, y, callbacks=[Checkpoint(path), Crash(4)])
    monitor = ValidationMonitor(X, y)
    resumed = quietly(resume, path, X, y, callbacks=[monitor])
    assert len(monitor.get_logs().data) == 12 - 3 - 4
    assert_same(resumed, quietly(SigmoidBackpropClassifier(**NETWORK).fit, X, y))


LONG = {"hidden_layer_sizes": (60, 50), "max_iter": 150, "n_iter_no_change": np.inf, "random_state": 0}
KILLED = [{"solver": solver, "early_stopping": stop} for solver in ("sgd", "adam", "rprop") for stop in (False, True)]


def fit_until_killed(path, settings):
    """Fit with a checkpoint an epoch, so that about half of the time is spent writing."""
    warnings.simplefilter("ignore")
    SigmoidBackpropClassifier(**LONG, **settings).set_callbacks(Checkpoint(path)).fit(X, y)


@pytest.mark.parametrize("settings", KILLED, ids=str)
def test_a_process_killed_at_any_moment_resumes(tmp_path, settings):
    context = multiprocessing.get_context("spawn")
    straight = quietly(SigmoidBackpropClassifier(**LONG, **settings).fit, X, y)
    for number, delay in enumerate(np.random.RandomState(0).uniform(0, 0.4, int(os.environ.get("KILLS", "1")))):
        path = tmp_path / str(number)
        process = context.Process(target=fit_until_killed, args=(path, settings))
        process.start()
        while not path.exists():
            assert process.exitcode in {None, 0}
            time.sleep(0.001)
        time.sleep(delay)
        process.kill()
        process.join()
        assert_same(quietly(resume, path, X, y), straight)


def test_a_checkpoint_is_written_every_so_many_epochs_and_at_the_end(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(Checkpoint, "_write", lambda self, estimator: written.append(estimator.n_iter_))
    quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(tmp_path / "c", every=5)).fit, X, y)
    assert written == [5, 10, 12]


def test_a_failing_write_leaves_the_checkpoint_before_and_no_other_file(tmp_path, monkeypatch):
    path = tmp_path / "c"
    quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(path)).fit, X, y)
    before = path.read_bytes()

    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(path)).fit, X, y)
    assert [file.name for file in tmp_path.iterdir()] == ["c"]
    assert path.read_bytes() == before


def test_what_is_no_whole_checkpoint_is_refused(tmp_path):
    path = tmp_path / "c"
    quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(path)).fit, X, y)
    content = path.read_bytes()
    for length in (30, 40, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="cut short or damaged: pass a file"):
            resume(path, X, y)
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    with pytest.raises(ValueError, match="cut short or damaged"):
        resume(path, X, y)
    for foreign in (b"", b"PK\x03\x04 something else\n\n", b"skbackprop"):
        path.write_bytes(foreign)
        with pytest.raises(ValueError, match="not a checkpoint"):
            resume(path, X, y)
    path.write_bytes(content)
    with pytest.raises(ValueError, match="Got 149 samples to resume a fit of 150"):
        resume(path, X[:-1], y[:-1])
    with pytest.raises(FileNotFoundError):
        resume(tmp_path / "none", X, y)


def test_impossible_checkpoints_are_refused(tmp_path):
    with pytest.raises(ValueError, match="every=0"):
        Checkpoint(tmp_path / "c", every=0)
    classifier = SigmoidBackpropClassifier(solver="lbfgs").set_callbacks(Checkpoint(tmp_path / "c"))
    with pytest.raises(ValueError, match="Got a Checkpoint with solver='lbfgs'"):
        classifier.fit(X, y)


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


def test_the_gradient_monitor_records_the_gradient_flow_of_each_epoch():
    monitor = GradientMonitor()
    classifier = SigmoidBackpropClassifier(**NETWORK).set_callbacks(monitor)
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


def test_a_fit_of_very_many_epochs_has_a_checkpoint_as_soon_as_it_is_due(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(Checkpoint, "_write", lambda self, estimator: written.append(estimator.n_iter_))
    settings = {"hidden_layer_sizes": (), "max_iter": 2500, "n_iter_no_change": np.inf, "random_state": 0}
    classifier = SigmoidBackpropClassifier(**settings).set_callbacks(Checkpoint(tmp_path / "c", every=500))
    quietly(classifier.fit, X[:10], y[:10])
    # Callbacks are told of every third epoch, and of the last.
    told = [*range(3, 2500, 3), 2500]
    assert written == [next(epoch for epoch in told if epoch >= due) for due in range(500, 2501, 500)]


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


def test_a_checkpoint_that_cannot_be_written_is_refused_before_the_first_epoch(tmp_path):
    for path, error, words in (
        (tmp_path / "none" / "c", FileNotFoundError, "in a folder that does not exist: make the folder first"),
        (tmp_path, IsADirectoryError, "which is a folder: pass the path of a file"),
    ):
        classifier = SigmoidBackpropClassifier(**NETWORK).set_callbacks(Crash(1), Checkpoint(path))
        with pytest.raises(error, match=words):
            classifier.fit(X, y)
    for every in (0, 1.5, "5", None):
        with pytest.raises(ValueError, match=f"every={every!r}: pass a whole number of at least 1"):
            Checkpoint(tmp_path / "c", every=every)


def test_the_file_is_closed_before_it_is_moved(tmp_path, monkeypatch):
    # As Windows demands.
    opened, closed = [], []
    make_file, replace = tempfile.mkstemp, os.replace

    def move(old, new):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(opened[-1])
        closed.append(old)
        replace(old, new)

    monkeypatch.setattr(tempfile, "mkstemp", lambda **where: opened.append((made := make_file(**where))[0]) or made)
    monkeypatch.setattr(os, "replace", move)
    quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(tmp_path / "c", every=6)).fit, X, y)
    assert len(closed) == 2


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


def test_of_a_search_the_gradient_monitor_shows_the_refit():
    monitor = GradientMonitor()
    pipeline = make_pipeline(StandardScaler(), SigmoidBackpropClassifier(**NETWORK).set_callbacks(monitor))
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
