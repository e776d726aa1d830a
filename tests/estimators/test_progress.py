"""What `verbose` prints: on terminals, in notebooks, in files, and where there is hardly a stdout."""

import io
import re
import sys

import pytest
from sklearn.datasets import load_iris

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop._estimators.progress import ProgressLine
from skbackprop.neural_network import MLPClassifier, MLPRegressor

X, y = load_iris(return_X_y=True)
SETTINGS = {"hidden_layer_sizes": (5,), "max_iter": 3, "random_state": 0, "verbose": True}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Bare:
    """No more than what `print` asks of a file."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text


def printed(monkeypatch, stdout, estimator=SigmoidBackpropClassifier, columns=80, fit=None, **parameters):
    """What a fit writes to this stdout."""
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setenv("COLUMNS", str(columns))
    estimator(**{**SETTINGS, **parameters}).fit(X, y, **(fit or {}))
    return stdout.text if isinstance(stdout, Bare) else stdout.getvalue()


@pytest.mark.parametrize(
    "estimator",
    [SigmoidBackpropClassifier, SigmoidBackpropRegressor, SigmoidBackpropAutoencoder, MLPClassifier, MLPRegressor],
)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_file_gets_a_line_an_epoch_one_below_the_other(monkeypatch, estimator, solver):
    text = printed(monkeypatch, io.StringIO(), estimator, solver=solver)
    lines = text.splitlines()
    assert len(lines) == 3
    assert all(re.fullmatch(r"Epoch [123]/3, loss = [-\d.e]+, \d+\.\d s, \d+\.\d s left", line) for line in lines)
    assert "\r" not in text
    assert "teration" not in text


@pytest.mark.parametrize(("early_stopping", "fit"), [(True, {}), (False, {"X_val": X, "y_val": y}), ("cv", {})])
@pytest.mark.parametrize("scoring", ["loss", "accuracy", None])
def test_a_validation_loss_is_a_positive_number_called_so(monkeypatch, early_stopping, fit, scoring):
    settings = {"early_stopping": early_stopping, "scoring": scoring, "n_folds": 3}
    lines = printed(monkeypatch, io.StringIO(), fit=fit, **settings).splitlines()
    name = "loss" if scoring == "loss" else "score"
    assert len(lines) == 3
    assert all(re.search(rf", validation {name} = \d[\d.]*, ", line) for line in lines)
    if early_stopping == "cv":
        assert re.match(r"Network 2/3, epochs = 3, ", lines[1])


def test_the_validation_loss_is_that_of_the_attributes(monkeypatch):
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    model = SigmoidBackpropClassifier(**SETTINGS).fit(X, y, X_val=X, y_val=y)
    found = [float(value) for value in re.findall(r"validation loss = ([\d.]+)", stdout.getvalue())]
    assert found == pytest.approx([-score for score in model.validation_scores_], rel=1e-5)


def test_an_epoch_of_partial_fit_is_numbered_without_an_end(monkeypatch):
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    SigmoidBackpropClassifier(**SETTINGS).partial_fit(X, y, classes=[0, 1, 2])
    assert re.fullmatch(r"Epoch 1, loss = [\d.]+, \d+\.\d s\n", stdout.getvalue())


# One updating line -----------------------------------------------------------------------------------------------------

# What stands for stdout in a notebook: it says that it is no terminal, and honours a carriage return all the same.
Notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})


@pytest.mark.parametrize("kind", [Terminal, Notebook])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_terminal_and_a_notebook_get_one_updating_line(monkeypatch, kind, solver):
    text = printed(monkeypatch, kind(), solver=solver)
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert [line.split(",")[0] for line in text.split("\r")] == ["", "Epoch 1/3", "Epoch 2/3", "Epoch 3/3"]


def test_a_shorter_line_leaves_nothing_of_a_longer_one(monkeypatch):
    stdout = Terminal()
    monkeypatch.setattr(sys, "stdout", stdout)
    line = ProgressLine(None)
    line.print(1, 1.23456e-12, -1.23456e-12)
    line.print(2, 1.0, None)
    line.finish()
    first, second = stdout.getvalue().removesuffix("\n").split("\r")[1:]
    assert len(second) >= len(first)
    assert second.rstrip().startswith("Epoch 2, loss = 1, 0.0 s")


def test_no_line_is_ended_that_was_not_begun(monkeypatch):
    stdout = Terminal()
    monkeypatch.setattr(sys, "stdout", stdout)
    ProgressLine(5).finish()
    assert stdout.getvalue() == ""


# Room ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [io.StringIO, Terminal, Bare])
@pytest.mark.parametrize("columns", [1, 5, 20, 40, 60, 80, 300])
def test_a_line_is_cut_to_the_terminals_width_and_to_80_columns(monkeypatch, kind, columns):
    text = printed(monkeypatch, kind(), columns=columns, early_stopping=True)
    lines = re.split(r"[\r\n]+", text.strip("\r\n"))
    assert len(lines) == 3
    assert all(0 < len(line) <= min(columns, 80) for line in lines)
    if columns >= 20:
        # Whole parts are left out: half a number would be another number.
        last = lines[-1].rstrip()
        assert re.fullmatch(
            r"Epoch 3/3(, loss = \d\.\d+)?(, validation loss = \d\.\d+)?(, \d+\.\d s)?(, 0\.0 s left)?", last
        )
    if columns >= 80:
        assert lines[-1].rstrip().endswith(" s left")


@pytest.mark.parametrize("loss", [1e-300, 1e300, -1.23456789e-100, float("nan"), float("inf"), 123456789.0])
@pytest.mark.parametrize("max_iter", [1, 1000, 10**9, None])
def test_no_number_makes_a_line_too_long(monkeypatch, loss, max_iter):
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    line = ProgressLine(max_iter, scoring="loss")
    line.start -= 1e7
    line.print(1, loss, -loss)
    assert len(stdout.getvalue()) <= 81
    assert re.match(r"Epoch +1(/\d+)?, loss = ", stdout.getvalue())


# Hardly a stdout -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("early_stopping", [False, True, "cv"])
def test_stdout_needs_no_more_than_write(monkeypatch, early_stopping):
    text = printed(monkeypatch, Bare(), early_stopping=early_stopping)
    assert text.count("\n") == (5 if early_stopping == "cv" else 3)


@pytest.mark.parametrize("early_stopping", [False, True, "cv"])
@pytest.mark.parametrize("estimator", [SigmoidBackpropClassifier, SigmoidBackpropRegressor])
def test_without_stdout_training_goes_on_in_silence(monkeypatch, estimator, early_stopping):
    silent = estimator(**{**SETTINGS, "verbose": False}, early_stopping=early_stopping).fit(X, y)
    monkeypatch.setattr(sys, "stdout", None)
    model = estimator(**SETTINGS, early_stopping=early_stopping).fit(X, y)
    assert model.loss_curve_ == silent.loss_curve_


def test_a_detector_prints_the_epochs_of_each_autoencoder(monkeypatch):
    monkeypatch.setattr(sys, "stdout", stdout := io.StringIO())
    SigmoidBackpropOutlierDetector(**SETTINGS, n_estimators=2).fit(X)
    assert [line.split(",")[0] for line in stdout.getvalue().splitlines()] == ["Epoch 1/3", "Epoch 2/3", "Epoch 3/3"] * 2
