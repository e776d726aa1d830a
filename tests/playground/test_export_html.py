"""The page that is written, as far as Python sees it: what it holds, how large it is, and what is refused."""

import base64
import html
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playground_helpers import FOLDER, data_of
from sklearn.base import clone
from sklearn.datasets import load_digits, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor, neural_network
from skbackprop.activations import Tanh
from skbackprop.losses import BinaryLogLoss
from skbackprop.playground import export_html
from skbackprop.playground._export import SCRIPTS
from skbackprop.playground._packing import packed

X, y = make_moons(80, noise=0.2, random_state=0)
NASTY = "</script><b>&"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "page.html"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "estimator",
    [
        SigmoidBackpropClassifier((4,), random_state=0),
        SigmoidBackpropClassifier((4,), random_state=np.random.RandomState(3), early_stopping=True, dropout=0.2),
        SigmoidBackpropClassifier((4,), random_state=0, solver="lbfgs"),
        SigmoidBackpropRegressor(hidden_layer_sizes=(3,), random_state=0),
    ],
    ids=["classifier", "early stopping", "lbfgs", "regressor"],
)
def test_the_run_is_the_very_one_of_fit(estimator, path):
    """Bit for bit; and the estimator itself is not touched."""
    state = estimator.get_params()["random_state"]
    before = state.get_state()[1].copy() if hasattr(state, "get_state") else None
    page = export_html(estimator, X, y, path, epochs=8)
    assert not hasattr(estimator, "coefs_")
    assert before is None or (state.get_state()[1] == before).all()
    fitted = clone(estimator).set_params(max_iter=8).fit(X, y)
    for ours, expected in zip(page.estimators[0].coefs_, fitted.coefs_, strict=True):
        np.testing.assert_array_equal(ours, expected)
    (film,) = data_of(page)["films"]
    assert film["losses"] == pytest.approx(fitted.loss_curve_, rel=1e-5)
    assert film["nEpochs"] == fitted.n_iter_


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("theirs", [MLPClassifier, MLPRegressor])
def test_networks_of_scikit_learn_are_trained_by_ours(theirs, path):
    theirs = theirs(hidden_layer_sizes=(4,), random_state=0)
    (ours,) = export_html(theirs, X, y, path, epochs=3).estimators
    assert type(ours) is getattr(neural_network, type(theirs).__name__)
    fitted = clone(theirs).set_params(max_iter=3).fit(X, y)
    np.testing.assert_allclose(ours.coefs_[0], fitted.coefs_[0], atol=1e-9)


def test_no_text_of_the_user_is_markup(path):
    frame = pd.DataFrame(X, columns=["a", NASTY])
    page = export_html(network(), frame, np.where(y, NASTY, "b"), path, epochs=1, title=NASTY)
    assert page.html.count("</script>") == page.html.count("<script") == 2
    assert f"<title>{html.escape(NASTY)}</title>" in page.html
    data = data_of(page)
    assert (data["features"], data["classes"], data["title"]) == (["a", NASTY], [NASTY, "b"], NASTY)


def test_a_page_needs_nothing_else_and_every_script_is_on_it(path):
    page = export_html(SigmoidBackpropClassifier((2,), random_state=0), X, y, path, epochs=1)
    assert path.read_text(encoding="utf-8") == page.html
    outside = r"(src|href)=\"(?!data:)|https?://(?!www\.w3\.org/2000/svg)|@import|^import "
    assert not re.search(outside, page.html, re.MULTILINE)
    assert {file.stem for file in FOLDER.glob("*.js")} == set(SCRIPTS)
    assert "{{" not in page.html.replace("${{", "")
    assert repr(page).startswith("Page('")
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', page._repr_html_())[1]) == page.html


def test_pages_stay_below_a_megabyte(path):
    X, y = make_moons(500, noise=0.2, random_state=0)
    page = export_html(SigmoidBackpropClassifier((12, 8), random_state=0, tol=0), X, y, path, epochs=150)
    assert path.stat().st_size < 1_000_000
    (film,) = data_of(page)["films"]
    assert film["epochs"] == list(range(151))
    assert film["rule"]["exact"]


def test_larger_ones_show_some_of_the_epochs_and_samples(path):
    X, y = load_digits(return_X_y=True)
    X = np.vstack([X, X + 0.5])
    estimator = SigmoidBackpropClassifier((30,), random_state=0, early_stopping=True)
    page = export_html(estimator, X, np.r_[y, y], path, epochs=25)
    data = data_of(page)
    (film,) = data["films"]
    assert path.stat().st_size < 1_000_000
    assert data["imageShape"] == [8, 8]
    assert len(data["numbers"]) == data["X"]["shape"][0] < data["samples"] == len(X)
    assert not film["rule"]["exact"]
    assert {0, film["keptEpoch"], film["nEpochs"]} <= set(film["epochs"])
    assert len(film["epochs"]) < film["nEpochs"]
    assert film["keptEpoch"] == np.argmax(page.estimators[0].validation_scores_) + 1


def test_two_trainings_are_named_by_what_sets_them_apart(path):
    pair = [SigmoidBackpropClassifier((3,), init=init, random_state=0) for init in ("glorot", "auto")]
    page = export_html(pair, X, y, path, epochs=2)
    assert [film["label"] for film in data_of(page)["films"]] == ["init='glorot'", "init='auto'"]


@pytest.mark.parametrize(
    "values", [np.arange(6.0), np.array([0.5, 1e9]), 2000 + 1e-6 * np.arange(5.0), np.array([[-1.0, 0.1]])], ids=str
)
def test_packed_arrays_lose_nothing_that_counts(values):
    stored = packed(values)
    dtype = {"Uint8Array": "u1", "Float32Array": "<f4", "Float64Array": "<f8"}[stored["type"]]
    found = np.frombuffer(base64.b64decode(stored["data"]), dtype).reshape(stored["shape"])
    np.testing.assert_allclose(found, values, atol=1e-6 * max(values.std(), 0.1 if values.size < 3 else 0))


class OwnActivation(Tanh):
    """One of the user's own."""


class OwnLoss(BinaryLogLoss):
    """One of the user's own."""


def network(**parameters):
    return SigmoidBackpropClassifier((2,), random_state=0, **parameters)


@pytest.mark.parametrize(
    ("estimator", "options", "error", "words"),
    [
        (LogisticRegression(), {}, TypeError, "Got LogisticRegression as the estimator"),
        (SigmoidBackpropClassifier, {}, TypeError, "Got the class SigmoidBackpropClassifier"),
        ([], {}, ValueError, "Got a list of 0 estimators"),
        ([network()] * 3, {}, ValueError, "Got a list of 3 estimators"),
        (network(activation=OwnActivation()), {}, ValueError, "Got activation=OwnActivation"),
        (network(loss=OwnLoss()), {}, ValueError, "Got loss=OwnLoss"),
        (network(early_stopping="cv"), {}, ValueError, 'Got early_stopping="cv"'),
        (network().set_params(hidden_layer_sizes=(300, 300)), {}, ValueError, "Got a network of 9"),
        (network(), {"epochs": 0}, ValueError, "Got epochs=0"),
        (network(), {"feature_names": ["a"]}, ValueError, "Got 1 feature_names: pass 2"),
        (network(), {"class_names": ["a"]}, ValueError, "Got 1 class_names: pass 2"),
        (network(), {"image_shape": (3, 3)}, ValueError, r"Got image_shape=\(3, 3\) for 2 features"),
    ],
)
def test_what_no_page_can_show_is_refused_before_a_file_is_written(estimator, options, error, words, path):
    with pytest.raises(error, match=words):
        export_html(estimator, X, y, path, **{"epochs": 1, **options})
    assert not path.exists()


def test_estimators_that_learn_other_targets_are_refused(path):
    pair = [network(), SigmoidBackpropRegressor(random_state=0)]
    with pytest.raises(ValueError, match="do not learn the same of y"):
        export_html(pair, X, 3.0 * y + 1, path, epochs=1)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="whose folder does not exist"):
        export_html(network(), X, y, tmp_path / "none" / "page.html")


@pytest.mark.checkout
@pytest.mark.parametrize("name", ["moons", "digits", "vanishing_gradient", "notebook"])
def test_examples_write_their_pages(name, path, monkeypatch, capsys):
    file = Path(__file__).parents[2] / "examples" / f"playground_{name}.py"
    monkeypatch.setattr(sys, "argv", [str(file), str(path)])
    runpy.run_path(str(file))
    assert 100_000 < path.stat().st_size < 1_000_000
    assert f"Page: {path}" in capsys.readouterr().out
