"""scikit-learn's callbacks: alone, in a pipeline, in a grid search over processes; told of every epoch."""

import re
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop._estimators.callback_bridge import MOST_TASKS
from skbackprop.neural_network import MLPClassifier


@pytest.mark.slow
def test_without_scikit_learns_callbacks_the_rest_works_and_set_callbacks_says_what_is_missing(run_python):
    script = (
        "import sys, warnings; warnings.simplefilter('ignore'); sys.modules['sklearn.callback'] = None\n"
        "import skbackprop\n"
        "X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]\n"
        "classifier = skbackprop.SigmoidBackpropClassifier().fit(X, y)\n"
        "from skbackprop.callbacks import GradientMonitor\n"
        "for call in (lambda: classifier.set_callbacks(), lambda: GradientMonitor()):\n"
        "    try:\n        call()\n"
        "    except ImportError as error:\n        print(error)\n"
    )
    # scikit-learn 1.9 itself imports its callbacks: without them, as before 1.9, it is imported first.
    script = "import sklearn.linear_model, sklearn.pipeline, sklearn.model_selection, sklearn.preprocessing\n" + script
    assert run_python(script).stdout.splitlines() == [
        "set_callbacks needs scikit-learn 1.9 or later, which has callbacks: upgrade scikit-learn.",
        "GradientMonitor needs scikit-learn 1.9 or later, which has callbacks: upgrade scikit-learn.",
    ]


callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has had callbacks since 1.9")
X, y = load_iris(return_X_y=True, as_frame=True)


def quietly(method, *arguments, **keywords):
    """Call without the warning that a few epochs are few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return method(*arguments, **keywords)


def make(kind=SigmoidBackpropClassifier, **settings):
    """A small network."""
    return kind(**{"hidden_layer_sizes": (6,), "max_iter": 8, "random_state": 0, **settings})


class Recorder:
    """Notes what the hooks are given."""

    def __init__(self, stop_after=None, look=True):
        self.stop_after, self.look = stop_after, look
        self.begun, self.ended, self.events = [], [], []

    def setup(self, estimator, context):
        """Take note."""
        self.events.append("setup")

    def teardown(self, estimator, context):
        """Take note."""
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        """Take note."""
        self.begun.append((context.task_name, X, y, metadata))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        """Take note, and perhaps stop."""
        self.ended.append((context.task_name, X, y, metadata, fitted_estimator))
        return self.stop_after is not None and context.task_id + 1 == self.stop_after

    @property
    def epochs(self):
        """What was given at the end of each epoch."""
        return [end for end in self.ended if end[0] == "epoch"]


SOLVERS = ["sgd", "adam", "rprop", "lbfgs"]


@pytest.mark.parametrize("solver", SOLVERS)
def test_hooks_are_called_for_the_fit_and_each_epoch_with_what_the_user_passed(solver):
    recorder, weight = Recorder(), np.linspace(1, 2, 150)
    classifier = make(solver=solver).set_callbacks(recorder)
    quietly(classifier.fit, X, y, sample_weight=weight)
    n_epochs = classifier.n_iter_
    assert [begin[0] for begin in recorder.begun] == ["fit", *["epoch"] * n_epochs]
    assert [end[0] for end in recorder.ended] == [*["epoch"] * n_epochs, "fit"]
    assert recorder.events == ["setup", "teardown"]
    for call in (*recorder.begun, *recorder.ended):
        assert call[1] is X
        assert call[2] is y
        assert call[3]["sample_weight"] is weight


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"standardize": False}], ids=str)
def test_the_fitted_estimator_of_an_epoch_is_what_a_fit_of_so_many_epochs_gives(solver, settings):
    recorder = Recorder()
    quietly(make(solver=solver, **settings).set_callbacks(recorder).fit, X, y)
    for number, (*_, fitted) in enumerate(recorder.epochs, 1):
        assert fitted.n_iter_ == number
        assert len(fitted.loss_curve_) == number
        if not settings.get("early_stopping"):
            # (Early stopping ends a fit with the best weights, not the last.)
            alone = quietly(make(solver=solver, max_iter=number, **settings).fit, X, y)
            np.testing.assert_allclose(fitted.predict_proba(X), alone.predict_proba(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (SigmoidBackpropClassifier, {"solver": "sgd"}),
        (SigmoidBackpropClassifier, {"solver": "lbfgs"}),
        (SigmoidBackpropRegressor, {}),
        (SigmoidBackpropRegressor, {"early_stopping": True, "solver": "rprop"}),
        (SigmoidBackpropAutoencoder, {"noise": 0.1}),
    ],
)
def test_a_callback_can_stop_any_fit(kind, settings):
    stopped = make(kind, **settings).set_callbacks(Recorder(stop_after=3))
    # To be stopped is no reason for a warning.
    stopped.fit(X, y)
    assert stopped.n_iter_ == len(stopped.loss_curve_) == 3


def test_callbacks_change_nothing_and_a_fit_without_them_keeps_nothing_of_them():
    watched, plain = make(early_stopping=True).set_callbacks(Recorder()), make(early_stopping=True)
    quietly(watched.fit, X, y)
    quietly(plain.fit, X, y)
    for a, b in zip(watched.coefs_ + watched.intercepts_, plain.coefs_ + plain.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert vars(watched).keys() - vars(plain).keys() == {"_skl_callbacks"}


def test_what_a_callback_keeps_is_not_changed_by_training():
    recorder = Recorder()
    quietly(make().set_callbacks(recorder).fit, X, y)
    norms = [float(np.linalg.norm(end[-1].coefs_[0])) for end in recorder.epochs]
    assert len(set(norms)) == 8


@pytest.mark.parametrize("kind", [SigmoidBackpropClassifier, MLPClassifier])
def test_an_error_in_a_fit_or_a_callback_tears_down_and_leaves_the_earlier_fit(kind):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("oh")

    classifier = quietly(make(kind).fit, X, y)
    before, recorder = [coef.copy() for coef in classifier.coefs_], Failing()
    classifier.set_callbacks(recorder)
    attributes = set(vars(classifier))
    with pytest.raises(RuntimeError, match="oh"):
        classifier.fit(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        classifier.fit(X, y[:-1])
    # Data are validated before callbacks are told of anything.
    assert recorder.events == ["setup", "teardown"]
    assert set(vars(classifier)) == attributes
    for a, b in zip(before, classifier.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_long_fits_have_a_thousand_tasks_at_most():
    recorder = Recorder(look=False)
    inputs, target = X[:10].to_numpy(), [0, 1] * 5
    classifier = make(max_iter=2 * MOST_TASKS + 500, n_iter_no_change=np.inf, hidden_layer_sizes=())
    classifier.set_callbacks(recorder).fit(inputs, target)
    assert [end[-1].n_iter_ for end in recorder.epochs] == [*range(3, 2500, 3), 2500]


def test_partial_fit_has_no_callbacks():
    recorder = Recorder()
    make().set_callbacks(recorder).partial_fit(X, y, classes=[0, 1, 2])
    assert recorder.events == recorder.ended == []


@pytest.mark.slow
def test_a_scoring_monitor_alone_sees_the_curve_of_a_plain_fit():
    monitor = callback.ScoringMonitor(scoring=["neg_log_loss", "accuracy"])
    classifier = make(alpha=0, solver="rprop").set_callbacks(monitor)
    quietly(classifier.fit, X, y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    # A full-batch loss is that before the step: the score after it is the next one's.
    np.testing.assert_allclose([-row["neg_log_loss"] for row in rows[:-1]], classifier.loss_curve_[1:])
    assert rows[-1]["neg_log_loss"] == pytest.approx(-log_loss(y, classifier.predict_proba(X)))


@pytest.mark.slow
def test_a_grid_search_over_a_pipeline_in_two_processes_has_a_row_an_epoch_of_each_fit(capsys):
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    pipeline = make_pipeline(StandardScaler(), make().set_callbacks(monitor))
    grid, folds = {"sigmoidbackpropclassifier__alpha": [0.001, 0.1]}, KFold(2, shuffle=True, random_state=0)
    search = GridSearchCV(pipeline, grid, cv=folds, n_jobs=2).set_callbacks(callback.ProgressBar())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    curves = {}
    for row in rows:
        curves.setdefault(row["parent_task_id_path"], []).append((row["task_id"], row["neg_log_loss"]))
    assert sorted(len(curve) for curve in curves.values()) == [8] * (2 * 2 + 1)
    expected = []
    for alpha in grid["sigmoidbackpropclassifier__alpha"]:
        for train, _ in folds.split(X):
            scaled = StandardScaler().fit_transform(X.iloc[train])
            alone = callback.ScoringMonitor(scoring="neg_log_loss")
            quietly(make(alpha=alpha).set_callbacks(alone).fit, scaled, y.iloc[train])
            expected.append([row["neg_log_loss"] for row in alone.get_logs().data if row["task_name"] == "epoch"])
    found = sorted([value for _, value in sorted(curve)] for curve in curves.values())
    for curve in expected:
        assert any(np.allclose(curve, other) for other in found)


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_detector_shows_the_epochs_of_its_autoencoders(n_jobs, capsys):
    detector = SigmoidBackpropOutlierDetector((5,), n_estimators=2, max_iter=4, n_jobs=n_jobs, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector.set_callbacks(callback.ProgressBar()).fit(X)
    out = capsys.readouterr().out
    assert out.count("| SigmoidBackpropAutoencoder") == 2
    assert "SigmoidBackpropOutlierDetector - fit" in out


def test_a_detectors_own_callbacks_are_told_of_its_autoencoders():
    recorder = Recorder()
    detector = SigmoidBackpropOutlierDetector((5,), n_estimators=2, max_iter=4, random_state=0).set_callbacks(recorder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector.fit(X)
    assert [end[0] for end in recorder.ended] == ["autoencoder", "autoencoder", "fit"]
    np.testing.assert_array_equal(recorder.ended[-1][-1].score_samples(X), detector.score_samples(X))


@pytest.mark.slow
def test_a_detector_may_have_more_autoencoders_than_a_fit_has_tasks():
    recorder, n_estimators = Recorder(), MOST_TASKS + 1
    settings = {"hidden_layer_sizes": (1,), "n_estimators": n_estimators, "max_iter": 1, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        SigmoidBackpropOutlierDetector(**settings).set_callbacks(recorder).fit(X[:5])
    assert len(recorder.ended) == n_estimators + 1


def test_the_verbose_line_of_a_fit_with_validation_data(capsys):
    inputs, target = load_diabetes(return_X_y=True)
    quietly(make(SigmoidBackpropRegressor, verbose=1).fit, inputs, target, X_val=inputs, y_val=target)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert re.match(r"Epoch 3/8, loss = [\d.]+, validation loss = \d", lines[2])
    assert lines[2].endswith(" s left")
