"""Checkpoints resume bit for bit, whenever the process dies."""

import multiprocessing
import os
import tempfile
import time
import warnings

import numpy as np
import pytest
from callbacks_helpers import NETWORK, Crash, CrashError, X, assert_same, quietly, y

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropClassifier, SigmoidBackpropRegressor

pytest.importorskip("sklearn.callback", reason="scikit-learn has had callbacks since 1.9")

from skbackprop.callbacks import Checkpoint, ValidationMonitor, resume

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


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [pytest.param(1, marks=pytest.mark.slow), 5, pytest.param(12, marks=pytest.mark.slow)])
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_fit_of_very_many_epochs_has_a_checkpoint_as_soon_as_it_is_due(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(Checkpoint, "_write", lambda self, estimator: written.append(estimator.n_iter_))
    settings = {"hidden_layer_sizes": (), "max_iter": 2500, "n_iter_no_change": np.inf, "random_state": 0}
    classifier = SigmoidBackpropClassifier(**settings).set_callbacks(Checkpoint(tmp_path / "c", every=500))
    quietly(classifier.fit, X[:10], y[:10])
    # Callbacks are told of every third epoch, and of the last.
    told = [*range(3, 2500, 3), 2500]
    assert written == [next(epoch for epoch in told if epoch >= due) for due in range(500, 2501, 500)]


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
