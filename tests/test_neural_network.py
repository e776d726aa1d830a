"""The networks that stand in for scikit-learn's: same results, rules and surroundings, by the import alone."""

import os
import pickle
import re
import subprocess
import sys
from importlib.util import find_spec
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_param_validation, estimator_checks_generator

import skbackprop
import skbackprop.neural_network as ours
from skbackprop.callbacks import Checkpoint, resume

slow = pytest.mark.slow
NAMES = ["MLPClassifier", "MLPRegressor"]
HAS_LOSS = "loss" in signature(theirs.MLPRegressor).parameters
needs_1_7 = pytest.mark.skipif(not HAS_LOSS, reason="scikit-learn's networks have a choice of losses and weights since 1.7")
SOLVERS = {
    "adam": {},
    "nesterov": {"solver": "sgd"},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.01},
    # With such a tol every second epoch is a plateau, so that the rate really falls.
    "adaptive": {
        "solver": "sgd",
        "learning_rate": "adaptive",
        "learning_rate_init": 0.01,
        "tol": 0.1,
        "n_iter_no_change": 1,
    },
    "lbfgs": {"solver": "lbfgs"},
}
OTHERS = ["tanh", "logistic", "identity"]
KINDS = ["binary", "text", "multiclass", "multilabel", "one class", "number", "numbers"]
# Early stopping with labels that are words is an error in some older versions of scikit-learn.
NUMERIC = [kind for kind in KINDS if kind != "text"]
ATTRIBUTES = [
    "n_iter_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "_no_improvement_count", "best_loss_",
    "loss_", "loss_curve_", "validation_scores_", "best_validation_score_",
]  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def data(targets):
    """Inputs, and targets of each kind by name."""
    X, labels = targets
    number = 2 * X[:, 0] + np.sin(X[:, 1])
    counts = np.random.RandomState(2).poisson(np.exp(0.5 * X[:, 0])).astype(float)
    others = {
        "text": np.array(["no", "yes"])[labels["binary"]],
        "one class": np.ones(len(X), int),
        "number": number,
        "numbers": np.column_stack([number, X[:, 2] ** 2]),
        "counts": counts,
        "two counts": np.column_stack([counts, counts[::-1]]),
    }
    return X, {**labels, **others}


def name_for(kind):
    return "MLPRegressor" if "number" in kind or "count" in kind else "MLPClassifier"


def both(kind, **parameters):
    """Theirs and ours, unfitted; small networks, and batches that do not divide the samples."""
    settings = {"hidden_layer_sizes": (7, 5), "batch_size": 32, "max_iter": 20, "random_state": 3, **parameters}
    return [getattr(module, name_for(kind))(**settings) for module in (theirs, ours)]


def assert_same(there, here, X):
    """All that training leaves agrees."""
    for expected, actual in zip(there.coefs_ + there.intercepts_, here.coefs_ + here.intercepts_, strict=True):
        # The curvature that "lbfgs" remembers multiplies what is rounded.
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-7 if here.solver == "lbfgs" else 1e-9)
    # scikit-learn has no curves with "lbfgs", and counts no samples.
    for name in ATTRIBUTES + ["t_"] * (here.solver != "lbfgs"):
        if hasattr(there, name):
            expected, actual = getattr(there, name), getattr(here, name)
            if name.endswith(("loss_", "curve_", "scores_", "score_")):
                expected, actual = np.array([expected], float), np.array([actual], float)
                np.testing.assert_allclose(actual, expected, atol=1e-9, err_msg=name)
            else:
                assert actual == expected, name
    if hasattr(there, "predict_proba"):
        np.testing.assert_array_equal(here.classes_, there.classes_)
        np.testing.assert_array_equal(here.predict(X), there.predict(X))
        np.testing.assert_allclose(here.predict_proba(X), there.predict_proba(X), atol=1e-7)
    else:
        np.testing.assert_allclose(here.predict(X), there.predict(X), atol=1e-6)


def test_the_package_reaches_them():
    assert skbackprop.neural_network is ours


@pytest.mark.parametrize("name", NAMES)
def test_parameters_order_and_defaults_are_scikit_learns(name):
    expected, actual = signature(getattr(theirs, name)).parameters, signature(getattr(ours, name)).parameters
    if not HAS_LOSS:
        actual = {key: parameter for key, parameter in actual.items() if key != "loss"}
    assert list(actual) == list(expected)
    for key, parameter in expected.items():
        assert (actual[key].default, actual[key].kind) == (parameter.default, parameter.kind), key
    own = signature(getattr(ours, name)).parameters
    assert getattr(ours, name)().get_params() == {key: parameter.default for key, parameter in own.items()}
    assert repr(getattr(ours, name)(alpha=0.1, tol=0)) == f"{name}(alpha=0.1, tol=0)"


@pytest.mark.parametrize("name", NAMES)
def test_what_scikit_learn_says_of_parameters_and_attributes_is_in_the_docstring(name):
    text = getattr(ours, name).__doc__
    assert "AS_THERE" not in text
    for entry in [*signature(getattr(theirs, name)).parameters, "coefs_", "validation_scores_"]:
        assert re.search(rf"^{entry} : ", text, re.MULTILINE), entry


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ["relu", *(pytest.param(name, marks=slow) for name in OTHERS)])
@pytest.mark.parametrize("kind", NUMERIC)
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_agrees(data, solver, activation, kind, early_stopping):
    X, y = data[0], data[1][kind]
    there, here = both(kind, activation=activation, early_stopping=early_stopping, **SOLVERS[solver])
    assert_same(there.fit(X, y), here.fit(X, y), X)


@slow
@needs_1_7
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", [*NUMERIC, "counts", "two counts"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_weighted_fit_agrees(data, weight, solver, kind, early_stopping):
    X, y = data[0], data[1][kind]
    parameters = {**SOLVERS[solver], **({"loss": "poisson"} if "count" in kind else {})}
    there, here = both(kind, early_stopping=early_stopping, **parameters)
    assert_same(there.fit(X, y, weight), here.fit(X, y, weight), X)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_words_as_labels_change_nothing(data, early_stopping):
    X, targets = data
    numbers, words = (both("binary", early_stopping=early_stopping)[1].fit(X, targets[kind]) for kind in ("binary", "text"))
    np.testing.assert_array_equal(words.predict(X), np.array(["no", "yes"])[numbers.predict(X)])
    np.testing.assert_array_equal(words.coefs_[0], numbers.coefs_[0])


@pytest.mark.parametrize("seed", range(6))
def test_lbfgs_agrees_where_its_line_search_meets_samples_that_are_confidently_wrong(data, seed):
    X, y = data[0], data[1]["binary"]
    there, here = both("binary", solver="lbfgs", max_iter=25, random_state=seed)
    assert_same(there.fit(X, y), here.fit(X, y), X)


@pytest.mark.parametrize("name", NAMES)
def test_default_fits_agree(name):
    X, y = load_iris(return_X_y=True)
    assert_same(getattr(theirs, name)(random_state=0).fit(X, y), getattr(ours, name)(random_state=0).fit(X, y), X)


@pytest.mark.slow
@pytest.mark.parametrize("random_state", [3, "instance"])
@pytest.mark.parametrize("solver", ["adam", "nesterov", "invscaling", "adaptive"])
@pytest.mark.parametrize("kind", KINDS)
def test_calls_of_partial_fit_agree(data, solver, kind, random_state):
    X, y = data[0], data[1][kind]
    there, here = both(kind, **SOLVERS[solver])
    for model in (there, here):
        model.set_params(random_state=np.random.RandomState(3) if random_state == "instance" else random_state)
        announced = {"classes": np.unique(y) if y.ndim == 1 else np.arange(3)} if name_for(kind) == "MLPClassifier" else {}
        for rows in (slice(0, 80), slice(80, 150), slice(0, 150), slice(0, 80)):
            model.partial_fit(X[rows], y[rows], **announced)
            announced = {}
    assert_same(there, here, X)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["adam", "nesterov", "adaptive", "lbfgs"])
@pytest.mark.parametrize("kind", KINDS)
def test_warm_starts_agree(data, solver, kind):
    X, y = data[0], data[1][kind]
    there, here = both(kind, **{**SOLVERS[solver], "max_iter": 6, "warm_start": True, "n_iter_no_change": 3})
    for _ in range(3):
        there.fit(X, y)
        here.fit(X, y)
        if kind != "one class" or solver != "lbfgs":
            # There the next fit has nothing to do: no iteration by their count, one by ours.
            assert_same(there, here, X)


def test_a_warm_start_with_early_stopping_keeps_the_best_weights_of_all_calls(data):
    X, y = data[0], data[1]["binary"]
    model = both("binary", warm_start=True, early_stopping=True, max_iter=5, learning_rate_init=0.05)[1]
    for _ in range(4):
        model.fit(X, y)
        best = model.best_validation_score_
    assert best == max(model.validation_scores_)
    # The best weights are what the next call begins with: a step that changes nothing shows them.
    coefs = [coef.copy() for coef in model.coefs_]
    model.set_params(learning_rate_init=1e-300, max_iter=1).fit(X, y)
    assert all(np.array_equal(one, other) for one, other in zip(model.coefs_, coefs, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_they_live_in_scikit_learns_surroundings(name):
    X, y = load_iris(return_X_y=True)
    step = name.lower()
    pipeline = make_pipeline(StandardScaler(), getattr(ours, name)(max_iter=5))
    search = GridSearchCV(pipeline, {f"{step}__alpha": [0, 1], f"{step}__hidden_layer_sizes": [(), (5,)]}, cv=2).fit(X, y)
    model = search.best_estimator_[-1]
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert repr(clone(model)) == repr(model)
    assert not hasattr(clone(model), "coefs_")


def cases():
    """Each check of scikit-learn with both classes; its own classes fail none with their defaults."""
    for name in NAMES:
        for estimator, check in estimator_checks_generator(getattr(ours, name)()):
            label = f"{name}-{check.func.__name__}({check.keywords or ''})"
            # These two skip themselves: without the switch of the array API, and where there is no decision function.
            if "array_api" not in label and "format_decision_function" not in label:
                yield pytest.param(estimator, check, id=label)


@slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), list(cases()))
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_validated(name):
    check_param_validation(name, getattr(ours, name)())


# What the migration page says of them ----------------------------------------------------------------------------------


def test_raw_scores_are_not_offered_since_others_would_prefer_them_to_probabilities():
    X, y = load_iris(return_X_y=True)
    model = ours.MLPClassifier(max_iter=2).fit(X, y)
    assert not hasattr(model, "decision_function")
    with pytest.raises(AttributeError, match="SigmoidBackpropClassifier"):
        _ = model.decision_function


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_weights_that_are_not_finite_are_an_error_and_leave_the_earlier_fit(method, solver):
    rng = np.random.RandomState(0)
    X, y = rng.standard_normal((10, 2)), rng.standard_normal(10)
    model = ours.MLPRegressor(max_iter=3, random_state=0, solver=solver, early_stopping=False).fit(X, y)
    before, coefs = model.predict(X), model.coefs_[0].copy()
    if solver == "lbfgs":
        model.set_params(early_stopping=True)
        method = "fit"
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        getattr(model, method)(np.finfo(float).max * rng.uniform(size=(10, 2)), y)
    np.testing.assert_array_equal(model.predict(X), before)
    np.testing.assert_array_equal(model.coefs_[0], coefs)


def test_a_diverged_fit_with_early_stopping_has_a_score_that_is_not_a_number_for_its_last_epoch():
    X, y = load_iris(return_X_y=True)
    parameters = {
        "activation": "identity",
        "solver": "sgd",
        "learning_rate_init": 1,
        "early_stopping": True,
        "random_state": 0,
    }
    with pytest.warns(ConvergenceWarning, match="not finite"):
        model = ours.MLPRegressor(max_iter=20, **parameters).fit(X, y)
    assert np.isnan(model.validation_scores_[-1])
    assert len(model.validation_scores_) == model.n_iter_ < 20
    assert np.isfinite(model.predict(X)).all()


def test_partial_fit_refuses_early_stopping_but_with_validation_data():
    X, y = load_iris(return_X_y=True)
    model = ours.MLPClassifier(early_stopping=True)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        model.partial_fit(X, y, classes=[0, 1, 2])
    assert not hasattr(model, "coefs_")
    assert len(model.partial_fit(X, y, classes=[0, 1, 2], X_val=X, y_val=y).validation_scores_) == 1


def test_a_class_with_one_sample_is_trained_on_where_scikit_learn_cannot_split():
    X, y = [[1, 2], [2, 3], [3, 4], [4, 5]], [0, 0, 0, 1]
    model = ours.MLPClassifier(early_stopping=True, max_iter=2).fit(X, y)
    assert model.t_ == 2 * 3


def test_two_samples_at_least_are_held_out_where_scikit_learn_finds_one_too_few():
    X = np.arange(10.0).reshape(5, 2)
    assert ours.MLPRegressor(early_stopping=True, max_iter=1).fit(X, X[:, 0]).t_ == 3


def test_a_batch_whose_weights_are_all_zero_is_no_error():
    X, y = load_iris(return_X_y=True)
    weight = np.r_[np.ones(100), np.zeros(50)]
    model = ours.MLPClassifier(batch_size=10, shuffle=False, max_iter=2).fit(X, y, weight)
    assert np.isfinite(model.loss_curve_).all()


def test_one_class_is_always_predicted():
    X = np.random.RandomState(0).standard_normal((20, 3))
    model = ours.MLPClassifier(max_iter=1, random_state=0).fit(X, ["only"] * 20)
    assert set(model.predict(100 * X)) == {"only"}
    assert model.predict_proba(X).shape == (20, 2)


def test_log_probabilities_are_finite():
    X, y = load_iris(return_X_y=True)
    model = ours.MLPClassifier((), learning_rate_init=0.1, alpha=0, max_iter=500, random_state=0).fit(X, y == 0)
    assert np.isfinite(model.predict_log_proba([[1000.0, 0, 0, 0]])).all()


@pytest.mark.skipif(not find_spec("sklearn.callback"), reason="scikit-learn has callbacks since 1.9")
@pytest.mark.filterwarnings("ignore")
def test_a_fit_that_was_interrupted_goes_on_exactly(tmp_path):
    X, y = load_iris(return_X_y=True)
    path = tmp_path / "iris.checkpoint"

    class Stopping(Checkpoint):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
            if path.exists():
                raise RuntimeError("a crash")

    model = ours.MLPClassifier(max_iter=8, random_state=0).set_callbacks(Stopping(path, every=3))
    with pytest.raises(RuntimeError, match="a crash"):
        model.fit(X, y)
    again = resume(path, X, y)
    whole = ours.MLPClassifier(max_iter=8, random_state=0).fit(X, y)
    assert again.loss_curve_ == whole.loss_curve_
    np.testing.assert_array_equal(again.coefs_[0], whole.coefs_[0])


# scikit-learn's own tests ----------------------------------------------------------------------------------------------

# Those that fail with our classes, and why.
DIFFERENT = {
    "test_gradient": "calls the private method _loss_grad_lbfgs",
    "test_learning_rate_warmstart": "reads the private attribute _optimizer",
    "test_adaptive_learning_rate": "reads the private attribute _optimizer",
    "test_predict_proba_multilabel": "wants log-probabilities to be equal where probabilities are rounded to 1",
    "test_early_stopping_stratified": "wants an error for a class with one sample, which is trained on here",
    "test_verbose_sgd": "wants the printed line to say iteration, where it says epoch here",
}


@slow
@pytest.mark.skipif(not find_spec("sklearn.neural_network.tests"), reason="scikit-learn was installed without its tests")
def test_scikit_learns_own_tests_pass_but_for_the_differences_that_the_migration_page_names(tmp_path):
    source = Path(theirs.__file__).with_name("tests").joinpath("test_mlp.py").read_text(encoding="utf-8")
    line = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
    assert source.count(line) == 1
    copy = tmp_path / "test_mlp.py"
    copy.write_text(source.replace(line, line.replace("sklearn", "skbackprop")), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider", "-p", "sklearn.conftest"]
    path = os.pathsep.join([str(Path(skbackprop.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command += ["-c", os.devnull, "--rootdir", tmp_path, copy]
    surroundings = {"env": {**os.environ, "PYTHONPATH": path}, "cwd": tmp_path}
    result = subprocess.run(command, capture_output=True, text=True, check=False, **surroundings)
    failed = set(re.findall(r"^FAILED .*?::(\w+)", result.stdout, re.MULTILINE))
    assert int(re.search(r"(\d+) passed", result.stdout).group(1)) > 40, result.stdout + result.stderr
    assert failed == {name for name in DIFFERENT if f"def {name}(" in source}
    assert " error" not in result.stdout.splitlines()[-1]
