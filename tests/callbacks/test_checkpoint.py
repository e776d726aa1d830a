"""Checkpoints resume bit for bit, whenever the process dies."""

import io
import json
import multiprocessing
import os
import pickle
import sys
import tempfile
import time
import warnings
from functools import cache
from importlib.util import find_spec

import joblib
import numpy as np
import pytest
import sklearn
from callbacks_helpers import NETWORK, Crash, CrashError, X, assert_same, quietly, y
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LinearRegression

import skbackprop
from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._estimators import samples
from skbackprop.losses import HuberLoss

pytest.importorskip("sklearn.callback", reason="scikit-learn has had callbacks since 1.9")

from skbackprop.callbacks import Checkpoint, ValidationMonitor, resume

no_skops = pytest.mark.skipif(find_spec("skops") is None, reason="skops is not installed")
by_format = pytest.mark.parametrize("kind", ["pickle", pytest.param("skops", marks=no_skops)])

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
@by_format
def test_a_resumed_fit_ends_with_the_weights_of_the_uninterrupted_one(tmp_path, settings, epoch, kind):
    straight = quietly(SigmoidBackpropClassifier(**NETWORK, **settings).fit, X, y)
    path, epoch = tmp_path / "checkpoint", min(epoch, straight.n_iter_)
    crashing = SigmoidBackpropClassifier(**NETWORK, **settings)
    crashing.set_callbacks(Checkpoint(path, format=kind), Crash(epoch))
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
@by_format
def test_every_estimator_resumes(tmp_path, estimator, target, kind):
    straight = quietly(clone(estimator).fit, X, target)
    crashing = clone(estimator).set_callbacks(Checkpoint(tmp_path / "c", every=3, format=kind), Crash(8))
    with pytest.raises(CrashError):
        quietly(crashing.fit, X, target)
    assert_same(quietly(resume, tmp_path / "c", X, target), straight)


@by_format
def test_a_warm_start_and_validation_data_resume(tmp_path, kind):
    parts = {"X_val": X[100:], "y_val": y[100:], "sample_weight": np.linspace(1, 2, 100)}
    settings = {**NETWORK, "warm_start": True, "early_stopping": True}
    straight = quietly(SigmoidBackpropClassifier(**settings).fit, X[:100], y[:100], **parts)
    quietly(straight.fit, X[:100], y[:100], **parts)
    crashing = quietly(SigmoidBackpropClassifier(**settings).fit, X[:100], y[:100], **parts)
    crashing.set_callbacks(Checkpoint(tmp_path / "c", format=kind), Crash(4))
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
KILLS = 20


def fit_until_killed(path, settings):
    """Fit with a checkpoint an epoch, so that about half of the time is spent writing."""
    warnings.simplefilter("ignore")
    SigmoidBackpropClassifier(**LONG, **settings).set_callbacks(Checkpoint(path)).fit(X, y)


@pytest.fixture(scope="module")
def straight():
    """A function that returns the uninterrupted fit with some of the settings."""
    return cache(lambda number: quietly(SigmoidBackpropClassifier(**LONG, **KILLED[number]).fit, X, y))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(KILLS))
def test_a_process_killed_at_any_moment_resumes(tmp_path, number, straight):
    """SIGKILL at a random moment after the first checkpoint."""
    path, kind = tmp_path / "c", number % len(KILLED)
    delay = np.random.RandomState(number).uniform(0, 0.4)
    process = multiprocessing.get_context("spawn").Process(target=fit_until_killed, args=(path, KILLED[kind]))
    process.start()
    while not path.exists():
        assert process.exitcode in {None, 0}
        time.sleep(0.001)
    time.sleep(delay)
    process.kill()
    process.join()
    assert_same(quietly(resume, path, X, y), straight(kind))


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


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint of a small network."""
    return small(tmp_path / "c", "pickle")


def small(path, kind):
    """A checkpoint of a small network in that format."""
    network = SigmoidBackpropClassifier((2,), max_iter=2, random_state=0)
    quietly(network.set_callbacks(Checkpoint(path, format=kind)).fit, X, y)
    return path


KINDS = "a checkpoint that is cut short or damaged|not a checkpoint that this version reads"
CLEAR = rf"^Got '.*', which is ({KINDS}): pass a file that skbackprop\.callbacks\.Checkpoint wrote\.$"


def assert_refused(path, words):
    """Exactly one sentence, before anything is unpickled."""
    with pytest.raises(ValueError, match=words):
        resume(path, X, y)


@pytest.mark.parametrize("count", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_a_truncated_checkpoint_is_refused(checkpoint, count):
    content = checkpoint.read_bytes()
    for length in np.unique(np.geomspace(1, len(content) - 1, count).astype(int)):
        checkpoint.write_bytes(content[:length])
        assert_refused(checkpoint, CLEAR)
    for length in np.random.RandomState(0).randint(len(content), size=count):
        checkpoint.write_bytes(content[:length])
        assert_refused(checkpoint, CLEAR)
    checkpoint.write_bytes(content + b"\0")
    assert_refused(checkpoint, "cut short or damaged")


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.slow)])
@by_format
def test_a_flipped_bit_is_noticed(tmp_path, count, kind, monkeypatch):
    checkpoint = small(tmp_path / "c", kind)
    monkeypatch.setattr(joblib, "load", lambda file: pytest.fail("it was unpickled"))
    content = checkpoint.read_bytes()
    random_state, header = np.random.RandomState(0), content.index(b"}\n") + 2
    # Those of the whole file, and of the few bytes of its header.
    positions = [*random_state.randint(8 * len(content), size=count), *random_state.randint(8 * header, size=count)]
    for position in positions:
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        checkpoint.write_bytes(damaged)
        assert_refused(checkpoint, CLEAR)


@pytest.mark.parametrize("foreign", [b"", b"PK\x03\x04 something else\n\n", b"skbackprop", b"skbackprop checkpoint 1\n"])
def test_another_file_is_no_checkpoint(tmp_path, foreign):
    path = tmp_path / "foreign"
    path.write_bytes(foreign)
    assert_refused(path, "which is not a checkpoint that this version reads: pass a file")


def test_of_a_large_file_of_another_kind_no_more_is_read_than_its_first_line(tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        # It takes no room on the disk, but would not fit in memory.
        file.truncate(2**40)
    assert_refused(path, "not a checkpoint")
    with path.open("r+b") as file:
        file.write(b"skbackprop checkpoint 3\n")
    assert_refused(path, "cut short or damaged")


def test_what_is_no_plain_file_is_refused(tmp_path):
    assert_refused(tmp_path, "which is no plain file: pass a file")
    with pytest.raises(FileNotFoundError):
        resume(tmp_path / "none", X, y)
    pipe = tmp_path / "pipe"
    if hasattr(os, "mkfifo"):
        # To open it would wait for ever for someone who writes.
        os.mkfifo(pipe)
        assert_refused(pipe, "which is no plain file: pass a file")
        with pytest.raises(ValueError, match="which is no plain file: pass the path of a file"):
            SigmoidBackpropClassifier().set_callbacks(Checkpoint(pipe)).fit(X, y)


class Unreadable:
    """A pickle that cannot be loaded."""

    def __reduce__(self):
        return os.stat, ("no such file",)


def without_a_parameter():
    """As what another version wrote, which did not know it yet."""
    network = SigmoidBackpropClassifier((2,), max_iter=1, warm_start=True)
    quietly(network.fit, X, y)
    del network.n_folds
    return network


@pytest.mark.parametrize(
    "content",
    [{"coefs_": []}, None, LinearRegression(), SigmoidBackpropClassifier(), Unreadable(), without_a_parameter],
    ids=["a dict", "None", "another estimator", "one that is not fitted", "an error", "a parameter lacks"],
)
def test_a_whole_file_of_another_content_is_refused(tmp_path, content):
    path = tmp_path / "c"
    Checkpoint(path)._write(content() if callable(content) else content)
    assert_refused(path, r"^Got '.*', which is a checkpoint .*: pass a file that skbackprop.callbacks.Checkpoint wrote\.$")


# What a file may run ---------------------------------------------------------------------------------------------------


class OwnLoss(HuberLoss):
    """A loss of the user's own."""


def crashed(path, **settings):
    """The checkpoint of a fit that went on for three epochs."""
    crashing = SigmoidBackpropRegressor(**NETWORK, **settings)
    with pytest.raises(CrashError):
        crashing.set_callbacks(Checkpoint(path, format="skops"), Crash(3)).fit(X, y)


@no_skops
def test_nothing_is_unpickled_of_a_file_of_format_skops(tmp_path, monkeypatch):
    crashed(tmp_path / "c")
    monkeypatch.setattr(pickle, "Unpickler", lambda *_: pytest.fail("it was unpickled"))
    monkeypatch.setattr(joblib, "load", lambda file: pytest.fail("it was unpickled"))
    straight = quietly(SigmoidBackpropRegressor(**NETWORK).fit, X, y)
    for trusted in ({}, {"trusted": []}):
        assert_same(quietly(resume, tmp_path / "c", X, y, **trusted), straight)


def test_a_pickle_is_refused_where_types_are_to_be_trusted(checkpoint, monkeypatch):
    monkeypatch.setattr(joblib, "load", lambda file: pytest.fail("it was unpickled"))
    for trusted in ([], (OwnLoss,)):
        with pytest.raises(ValueError, match=r"^Got '.*', which is a pickle, with trusted=.*: pass a checkpoint of format"):
            resume(checkpoint, X, y, trusted=trusted)


@no_skops
def test_a_checkpoint_with_types_that_are_not_trusted_is_refused_by_skops(tmp_path):
    crashed(tmp_path / "c", loss=OwnLoss())
    for trusted in (None, [], [Crash]):
        with pytest.raises(TypeError, match=r"^Untrusted types found in the file: \['test_checkpoint\.OwnLoss'\]"):
            resume(tmp_path / "c", X, y, trusted=trusted)
    straight = quietly(SigmoidBackpropRegressor(**NETWORK, loss=OwnLoss()).fit, X, y)
    assert_same(quietly(resume, tmp_path / "c", X, y, trusted=["test_checkpoint.OwnLoss"]), straight)


@no_skops
@pytest.mark.parametrize(
    "settings", [{"scoring": lambda *_: 0.0}, {"random_state": np.random.RandomState(np.random.PCG64(0))}]
)
def test_what_skops_cannot_read_again_is_refused_before_the_first_epoch(tmp_path, settings):
    classifier = SigmoidBackpropClassifier(**{**NETWORK, **settings})
    classifier.set_callbacks(Crash(1), Checkpoint(tmp_path / "c", format="skops"))
    with pytest.raises(ValueError, match=r"^Got a Checkpoint of format 'skops' with parameters that skops cannot save "):
        classifier.fit(X, y)


@no_skops
@pytest.mark.parametrize("content", [{"coefs_": []}, SigmoidBackpropClassifier(), LinearRegression()], ids=str)
def test_a_whole_file_of_another_content_is_refused_in_format_skops(tmp_path, content):
    Checkpoint(tmp_path / "c", format="skops")._write(content)
    assert_refused(tmp_path / "c", r"^Got '.*', which is a checkpoint .*: pass a file that .*Checkpoint wrote\.$")


def test_a_format_of_a_later_version_is_refused(tmp_path):
    later = Checkpoint(tmp_path / "c")
    later.format = "later"
    later._write(None)
    assert_refused(tmp_path / "c", "which is not a checkpoint that this version reads: pass a file")


def test_a_wrong_format_and_wrong_types_to_trust_are_refused(tmp_path, checkpoint, monkeypatch):
    for wrong in ("joblib", None, "SKOPS"):
        with pytest.raises(ValueError, match=rf"^Got format={wrong!r}: pass one of 'pickle', 'skops'"):
            Checkpoint(tmp_path / "c", format=wrong)
    for wrong in (True, "skops", OwnLoss):
        with pytest.raises(TypeError, match=r"^Got trusted=.*: pass a list of types, or of their names\.$"):
            resume(checkpoint, X, y, trusted=wrong)
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(ImportError, match=r'run pip install "skbackprop\[skops\]"'):
        Checkpoint(tmp_path / "c", format="skops")


# Other data ------------------------------------------------------------------------------------------------------------

weight = np.linspace(1, 2, 150)
PARTS = {"X": X, "y": y, "sample_weight": weight, "X_val": X[:20], "y_val": y[:20], "sample_weight_val": weight[:20]}
SWAPPED = np.r_[1, 0, 2:150]
CHANGED = {
    "X": {"X": X + np.eye(150, 4) * 1e-12},
    "y": {"y": np.where(np.arange(150) == 7, (y + 1) % 3, y)},
    "sample_weight": {"sample_weight": weight * np.linspace(1, 1.001, 150)},
    "X_val": {"X_val": X[1:21]},
    "y_val": {"y_val": y[1:21]},
    "sample_weight_val": {"sample_weight_val": weight[1:21]},
    "X and sample_weight": {"X": X[SWAPPED], "y": y[SWAPPED], "sample_weight": weight[SWAPPED]},
    "sample_weight ": {"sample_weight": None},
    "X_val and sample_weight_val and y_val": {"X_val": None, "y_val": None, "sample_weight_val": None},
}


@pytest.mark.parametrize("make", [np.asarray, csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("changed", CHANGED)
def test_other_samples_than_those_of_the_interrupted_fit_are_refused(tmp_path, changed, make):
    def given(parts):
        return {**parts, "X": make(parts["X"]), "X_val": None if parts["X_val"] is None else make(parts["X_val"])}

    path = tmp_path / "c"
    crashing = SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(path), Crash(3))
    with pytest.raises(CrashError):
        quietly(crashing.fit, **given(PARTS))
    words = rf"^Got .*\b{changed.strip()}\b.* other than in the interrupted fit: pass the same, in the same order\.$"
    with pytest.raises(ValueError, match=words):
        resume(path, **given({**PARTS, **CHANGED[changed]}))
    assert_same(quietly(resume, path, **given(PARTS)), quietly(SigmoidBackpropClassifier(**NETWORK).fit, **given(PARTS)))


def test_the_same_samples_in_another_form_are_the_same(tmp_path):
    path = tmp_path / "c"
    crashing = SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(path), Crash(3))
    with pytest.raises(CrashError):
        quietly(crashing.fit, X, y)
    straight = quietly(SigmoidBackpropClassifier(**NETWORK).fit, X, y)
    for form in (X.tolist(), np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2]):
        assert_same(quietly(resume, path, form, y.tolist()), straight)


def test_other_inputs_of_an_autoencoder_are_refused(tmp_path):
    path = tmp_path / "c"
    crashing = SigmoidBackpropAutoencoder((6, 2, 6), max_iter=5).set_callbacks(Checkpoint(path), Crash(3))
    with pytest.raises(CrashError):
        crashing.fit(X)
    with pytest.raises(ValueError, match=r"^Got X other than in the interrupted fit"):
        resume(path, X[::-1])
    with pytest.raises(ValueError, match="other than in the interrupted fit"):
        resume(path, X[:-1])


@pytest.mark.parametrize("n_rows", [30, 150], ids=["few rows", "many rows"])
@pytest.mark.parametrize("validated", [False, True], ids=["", "validated"])
def test_an_autoencoder_whose_inputs_are_too_coarse_for_their_type_is_resumed(tmp_path, n_rows, validated):
    # Time stamps: float32 rounds them to minutes, and training is in float64.
    inputs = (X[:n_rows] * 1000 + 1.7e9).astype(np.float32)
    more = {"X_val": inputs[:9]} if validated else {}
    autoencoder = SigmoidBackpropAutoencoder((6, 2, 6), max_iter=6, random_state=0)
    straight = quietly(clone(autoencoder).fit, inputs, **more)
    assert straight.coefs_[0].dtype == np.float64
    crashing = clone(autoencoder).set_callbacks(Checkpoint(tmp_path / "c"), Crash(3))
    with pytest.raises(CrashError):
        crashing.fit(inputs, **more)
    with pytest.raises(ValueError, match=r"^Got X other than in the interrupted fit"):
        resume(tmp_path / "c", 2 * inputs, **more)
    if validated:
        with pytest.raises(ValueError, match=r"^Got X_val other than in the interrupted fit"):
            resume(tmp_path / "c", inputs, X_val=inputs[1:10])
    assert_same(quietly(resume, tmp_path / "c", inputs, **more), straight)


def test_samples_are_summed_up_only_for_a_checkpoint(tmp_path, monkeypatch):
    counted = []
    monkeypatch.setattr(samples, "fingerprint", lambda array: counted.append(array) or 0)
    quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(ValidationMonitor(X, y)).fit, X, y)
    assert not counted
    quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(tmp_path / "c")).fit, X, y)
    # Once for the inputs, the targets and the weights.
    assert len(counted) == 3


class PathLike:
    """What os.PathLike asks for, and no more."""

    def __init__(self, path):
        self.path = str(path)

    def __fspath__(self):
        return self.path


def test_any_kind_of_path_is_taken_and_anything_else_refused(tmp_path):
    path = tmp_path / "c"
    straight = quietly(SigmoidBackpropClassifier(**NETWORK).fit, X, y)
    for kind in (str, PathLike, os.fsencode):
        quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(kind(path))).fit, X, y)
        assert_same(quietly(resume, kind(path), X, y), straight)
        path.unlink()
    path.write_bytes(b"")
    with path.open("rb") as file:
        for wrong in (None, 3, file, ["c"]):
            for call in (Checkpoint, lambda wrong: resume(wrong, X, y)):
                with pytest.raises(TypeError, match=r"^Got path=.*: pass a str, or a path-like object such as .*$"):
                    call(wrong)


def test_other_parameters_are_refused(checkpoint):
    network = joblib.load(io.BytesIO(checkpoint.read_bytes().split(b"\n", 3)[3]))
    Checkpoint(checkpoint)._write(network.set_params(alpha=0.5))
    assert_refused(checkpoint, "^Got parameters other than in the interrupted fit")


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_is_followed(tmp_path, exists):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "c", tmp_path / "link"
    if exists:
        target.write_bytes(b"an older one")
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("no symbolic links on this system")
    straight = quietly(SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(link)).fit, X, y)
    assert link.is_symlink()
    assert not target.is_symlink()
    assert_same(quietly(resume, link, X, y), straight)
    assert [file.name for file in target.parent.iterdir()] == ["c"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["elsewhere", "link"]
    link.unlink()
    link.symlink_to(tmp_path / "none" / "c")
    with pytest.raises(FileNotFoundError, match="in a folder that does not exist"):
        SigmoidBackpropClassifier(**NETWORK).set_callbacks(Checkpoint(link)).fit(X, y)


def test_a_checkpoint_says_what_wrote_it_and_another_version_is_warned_of_once(checkpoint, monkeypatch):
    about = json.loads(checkpoint.read_bytes().split(b"\n")[2])
    assert about["versions"] == {
        "skbackprop": skbackprop.__version__,
        "scikit-learn": sklearn.__version__,
        "NumPy": np.__version__,
    }
    monkeypatch.setattr(skbackprop, "__version__", "0.0.1")
    with pytest.warns(InconsistentVersionWarning, match="saved by skbackprop .* loaded by skbackprop 0.0.1") as caught:
        quietly(resume, checkpoint, X, y)
    assert len(caught) == 1


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
    for every in (0, 1.5, "5", None, True):
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


@pytest.mark.parametrize("weight", [None, np.r_[0.0, np.ones(49)]], ids=["repeats", "zero weight"])
def test_few_rows_of_which_some_count_together_or_not_are_resumed(tmp_path, weight):
    inputs = np.random.RandomState(0).randn(40, 3)
    inputs = np.vstack([inputs, inputs[:10]])
    labels = (inputs[:, 0] > 0).astype(int)
    fit = quietly(SigmoidBackpropClassifier((4,), max_iter=5, random_state=0).fit, inputs, labels, weight)
    saving = SigmoidBackpropClassifier((4,), max_iter=5, random_state=0).set_callbacks(Checkpoint(tmp_path / "c", every=2))
    quietly(saving.fit, inputs, labels, weight)
    assert_same(quietly(resume, tmp_path / "c", inputs, labels, sample_weight=weight), fit)
