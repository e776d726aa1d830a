"""`early_stopping="cv"`: a network for each fold, and all of them folded into one."""

import copy
import pickle
import re
import warnings
from itertools import pairwise

import numpy as np
import pytest
from joblib import parallel_config
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._engine.network import Network
from skbackprop._engine.prediction import hidden_activations, raw_scores
from skbackprop._estimators.folds import FoldedTraining, folded
from skbackprop._estimators.recipe import Recipe
from skbackprop.activations import Tanh
from skbackprop.callbacks import Checkpoint, GradientMonitor, ValidationMonitor
from skbackprop.display import LossCurveDisplay, NetworkDisplay
from skbackprop.inspection import check_gradients, gradient_flow, trace_backpropagation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_layer_sizes": (6,), "max_iter": 12, "random_state": 3}
# With a number for alpha each network is that of a fit of its own; what "auto" makes of it has a test below.
FOLDED = {**SMALL, "early_stopping": "cv", "n_folds": 3, "alpha": 0.01}
IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)


def classifier(**settings):
    return SigmoidBackpropClassifier(**{**FOLDED, **settings})


def regressor(**settings):
    return SigmoidBackpropRegressor(**{**FOLDED, **settings})


def assert_same(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


def by_hand(estimator, X, y, weight=None):
    """The networks of the folds, fitted one by one on their own samples and stopped on those of the fold."""
    strata = not isinstance(estimator, SigmoidBackpropRegressor) and y.ndim == 1
    random_state = np.random.RandomState(estimator.random_state)
    splitter = (StratifiedKFold if strata else KFold)(estimator.n_folds, shuffle=True, random_state=random_state)
    splits = list(splitter.split(X, y))
    seeds = random_state.randint(np.iinfo(np.int32).max, size=estimator.n_folds)
    networks = []
    for (rows, fold), seed in zip(splits, seeds, strict=True):
        network = clone(estimator).set_params(early_stopping=True, random_state=seed)
        own = {} if weight is None else {"sample_weight": weight[rows], "sample_weight_val": weight[fold]}
        networks.append(network.fit(X[rows], y[rows], X_val=X[fold], y_val=y[fold], **own))
    return networks, [fold for _, fold in splits]


X, Y = DIABETES[0], np.column_stack([DIABETES[1], DIABETES[0][:, 2] * 100])
LABELS = np.column_stack([DIABETES[1] > 120, DIABETES[0][:, 2] > 0]).astype(int)
CASES = {
    "classes": (classifier(), *IRIS),
    "two classes": (classifier(), X, DIABETES[1] > 140),
    "several labels": (classifier(), X, LABELS),
    "weighted classes": (classifier(class_weight={0: 1, 1: 3, 2: 0.5}, scoring="accuracy"), *IRIS),
    "squared outputs": (classifier(loss="squared_error"), *IRIS),
    "sparse": (classifier(), csr_array(np.where(X > 0, X, 0)), DIABETES[1] > 140),
    "numbers": (regressor(), *DIABETES),
    "several targets": (regressor(), X, Y),
    "deep": (regressor(hidden_layer_sizes=(6, 5, 4), activation=["relu", "silu", "tanh"]), *DIABETES),
    "linear": (regressor(hidden_layer_sizes=()), *DIABETES),
    "linear, without biases": (regressor(hidden_layer_sizes=(), fit_intercept=False), *DIABETES),
    "without biases": (regressor(hidden_layer_sizes=(6, 5), fit_intercept=False), *DIABETES),
    "raw": (regressor(standardize=False, standardize_targets=False, init="glorot"), *DIABETES),
    "lbfgs": (regressor(solver="lbfgs"), *DIABETES),
    "rprop": (classifier(solver="rprop"), *IRIS),
    "sgd, dropout": (classifier(solver="sgd", dropout=0.1), *IRIS),
    **{loss: (regressor(loss=loss), *DIABETES) for loss in ("poisson", "gamma", "quantile", "huber", "absolute_error")},
    "r2": (regressor(scoring="r2"), *DIABETES),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_raw_scores_are_the_mean_of_the_networks_and_out_of_fold_scores_those_of_one(case):
    estimator, X, y = CASES[case]
    fitted = clone(estimator).fit(X, y)
    networks, folds = by_hand(estimator, X, y)
    Z = np.mean([network._raw_scores(X) for network in networks], axis=0)
    np.testing.assert_allclose(fitted._raw_scores(X), Z, rtol=1e-10, atol=1e-10 * np.abs(Z).max())
    assert len(np.unique(np.concatenate(folds))) == X.shape[0]
    is_classifier = isinstance(estimator, SigmoidBackpropClassifier)
    name, method = ("oof_decision_function_", "decision_function") if is_classifier else ("oof_prediction_", "predict")
    out_of_fold = getattr(fitted, name)
    assert out_of_fold.shape == getattr(fitted, method)(X).shape
    for network, fold in zip(networks, folds, strict=True):
        np.testing.assert_allclose(out_of_fold[fold], getattr(network, method)(X[fold]), rtol=1e-10, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_the_units_of_the_networks_stand_side_by_side(case):
    estimator, X, y = CASES[case]
    fitted = clone(estimator).fit(X, y)
    hidden = estimator.hidden_layer_sizes
    sizes = [X.shape[1], *(3 * size for size in hidden), fitted.n_outputs_]
    assert [coef.shape for coef in fitted.coefs_] == list(pairwise(sizes))
    assert fitted.n_layers_ == len(sizes)
    if not estimator.fit_intercept:
        assert not any(intercept.any() for intercept in fitted.intercepts_)
    if not hidden:
        return
    networks, _ = by_hand(estimator, X, y)
    features = [hidden_activations(n.coefs_, n.intercepts_, n._activations, X, len(hidden) - 1) for n in networks]
    np.testing.assert_allclose(fitted.transform(X), np.hstack(features), rtol=1e-9, atol=1e-9)
    for coef, size, below in zip(fitted.coefs_[1:-1], hidden, hidden[1:], strict=False):
        mask = np.kron(np.eye(3), np.ones((size, below))).astype(bool)
        assert (coef[mask] != 0).all()
        assert not coef[~mask].any()


def test_what_is_noted_of_the_networks():
    fitted = regressor(max_iter=60, n_iter_no_change=3).fit(*DIABETES)
    networks, _ = by_hand(fitted, *DIABETES)
    n_iter = [network.n_iter_ for network in networks]
    assert fitted.n_iter_ == max(n_iter) > min(n_iter)
    assert fitted.t_ == sum(network.t_ for network in networks)
    for name in ("loss_curve_", "validation_scores_"):
        curves = [getattr(network, name) for network in networks]
        assert len(getattr(fitted, name)) == max(n_iter)
        for epoch, value in enumerate(getattr(fitted, name)):
            # One that has stopped counts with its last value.
            assert value == pytest.approx(np.mean([curve[min(epoch, len(curve) - 1)] for curve in curves]))
    assert fitted.loss_ == fitted.loss_curve_[-1] == pytest.approx(np.mean([network.loss_ for network in networks]))
    best = [network.best_validation_score_ for network in networks]
    assert fitted.best_validation_score_ == pytest.approx(np.mean(best))
    assert fitted.best_loss_ is None


@pytest.mark.slow
def test_out_of_fold_scores_are_of_samples_never_trained_on():
    # Labels are noise: they can be learnt by heart, and not be foretold.
    rng = np.random.RandomState(0)
    X, y = rng.randn(240, 30), rng.randint(2, size=240)
    settings = {"hidden_layer_sizes": (50,), "max_iter": 100, "alpha": 0, "tol": 0, "n_folds": 5}
    # What early stopping watches here rises to the end, so that it keeps what was learnt by heart.
    fitted = classifier(**settings, scoring=_number_of_calls()).fit(X, y)
    assert fitted.score(X, y) > 0.95
    assert abs(np.mean((fitted.oof_decision_function_ > 0) == y) - 0.5) < 0.1


def _number_of_calls():
    calls = []

    def score(estimator, X, y):
        calls.append(0)
        return len(calls)

    return score


@pytest.mark.slow
@pytest.mark.parametrize("kind", [classifier, regressor])
def test_the_number_of_processes_changes_no_bit(kind):
    rng = np.random.RandomState(0)
    # Large enough for joblib to share it between processes, read-only.
    X = rng.randn(2500, 70)
    y = (X[:, 0] > 0).astype(int) if kind is classifier else X[:, 0] + rng.randn(2500)
    one, two = (kind(max_iter=3, n_jobs=n_jobs).fit(X, y) for n_jobs in (1, 2))
    assert_same(one, two)
    name = "oof_decision_function_" if kind is classifier else "oof_prediction_"
    np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.loss_curve_ == two.loss_curve_
    sparse = csr_matrix(np.where(X > 1, X, 0))
    assert_same(kind(max_iter=2).fit(sparse, y), kind(max_iter=2, n_jobs=2).fit(sparse, y))


@pytest.mark.slow
@pytest.mark.parametrize("backend", [None, "loky", "threading"])
def test_warnings_of_all_networks_reach_the_user_once_from_any_process(backend):
    for _ in range(3):
        with warnings.catch_warnings(record=True) as caught, parallel_config(backend or "loky"):
            warnings.simplefilter("always")
            classifier(max_iter=2, n_jobs=2 if backend else 1).fit(*IRIS)
        texts = [str(warning.message) for warning in caught if warning.category is ConvergenceWarning]
        assert texts == ["In 3 of 3 networks: Training stopped at max_iter=2 before it converged: raise max_iter, or tol."]
        assert caught[0].filename == __file__


def test_an_int_gives_the_same_weights_and_a_clone_and_a_pickle_the_same_predictions():
    fitted = classifier().fit(*IRIS)
    assert_same(fitted, clone(fitted).fit(*IRIS))
    X = IRIS[0]
    for again in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
        np.testing.assert_array_equal(again.oof_decision_function_, fitted.oof_decision_function_)
    assert not np.array_equal(fitted.coefs_[0], classifier(random_state=4).fit(*IRIS).coefs_[0])
    first, second, third = np.split(fitted.coefs_[0], 3, axis=1)
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


@pytest.mark.slow
def test_in_a_search_and_in_a_pipeline():
    X, y = IRIS
    grid = {"early_stopping": [False, True, "cv"], "n_folds": [2, 3]}
    search = GridSearchCV(classifier(max_iter=40), grid, cv=2, n_jobs=2, error_score="raise").fit(X, y)
    assert search.cv_results_["mean_test_score"].min() > 0.6
    model = make_pipeline(StandardScaler(), classifier(max_iter=40, n_jobs=2))
    assert cross_val_score(model, X, y, cv=2, error_score="raise").min() > 0.6


def test_a_dataframe_keeps_its_names():
    pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True, as_frame=True)
    names = np.array(["setosa", "versicolor", "virginica"])
    fitted = classifier().fit(X, names[y])
    assert list(fitted.feature_names_in_) == list(X.columns)
    assert set(fitted.predict(X)) <= set(names)
    assert_same(fitted, classifier().fit(X.to_numpy(), y))
    frame = fitted.set_output(transform="pandas").transform(X)
    assert frame.shape == (150, 18)
    assert list(frame.columns) == list(fitted.get_feature_names_out())


@pytest.mark.parametrize("make", [classifier, regressor])
def test_float32_stays(make):
    X, y = DIABETES
    y = y > 140 if make is classifier else y
    fitted = make().fit(X.astype(np.float32), y)
    assert {part.dtype for part in fitted.coefs_ + fitted.intercepts_} == {np.dtype(np.float32)}
    out_of_fold = fitted.oof_decision_function_ if make is classifier else fitted.oof_prediction_
    assert out_of_fold.dtype == np.float32


# Weights --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [classifier, regressor])
def test_weights_count_in_training_and_in_validation(make):
    X, y = DIABETES
    y = (y > 140).astype(int) if make is classifier else y
    weight = np.random.RandomState(0).uniform(0.1, 3, len(y))
    fitted = make().fit(X, y, sample_weight=weight)
    networks, _ = by_hand(make(), X, y, weight)
    Z = np.mean([network._raw_scores(X) for network in networks], axis=0)
    np.testing.assert_allclose(fitted._raw_scores(X), Z, rtol=1e-10)


@pytest.mark.parametrize("make", [classifier, regressor])
def test_rows_of_zero_weight_change_no_bit_and_are_scored_by_all(make):
    X, y = DIABETES
    y = y > 140 if make is classifier else y
    weight = np.random.RandomState(0).randint(0, 3, len(y)).astype(float)
    some = weight > 0
    fitted, without = make().fit(X, y, sample_weight=weight), make().fit(X[some], y[some], sample_weight=weight[some])
    assert_same(fitted, without)
    name, method = ("decision_function", "decision_function") if make is classifier else ("prediction", "predict")
    out_of_fold = getattr(fitted, f"oof_{name}_")
    np.testing.assert_array_equal(out_of_fold[some], getattr(without, f"oof_{name}_"))
    np.testing.assert_allclose(out_of_fold[~some], getattr(fitted, method)(X[~some]), rtol=1e-10)


# Rare classes, few samples --------------------------------------------------------------------------------------------


def test_every_class_is_in_the_training_of_every_network():
    X, y = IRIS[0][:61], np.repeat(["a", "b", "c", "d"], [50, 1, 7, 3])
    estimator = classifier(n_folds=5)
    training = FoldedTraining(estimator, estimator._encode(X, y, None, resume=False, incremental=False))
    np.testing.assert_array_equal(training.rows, np.arange(61))
    for fold in training.folds:
        rows = np.setdiff1d(training.rows, fold)
        assert set(y[rows]) == {"a", "b", "c", "d"}
        assert np.count_nonzero(y[fold] == "a") == 10
    # A class may be missing where networks are stopped; all samples but an only one are in one fold each.
    assert sorted(np.count_nonzero(y[fold] == "d") for fold in training.folds) == [0, 0, 1, 1, 1]
    assert sorted(np.concatenate(training.folds)) == [row for row in range(61) if y[row] != "b"]


def test_an_only_sample_of_a_class_has_no_score_out_of_fold_and_rare_classes_no_warning():
    X, y = IRIS[0][:61], np.repeat(["a", "b", "c", "d"], [50, 1, 7, 3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = classifier(n_folds=5).fit(X, y)
    assert list(fitted.classes_) == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(np.isnan(fitted.oof_decision_function_).all(axis=1), y == "b")
    assert np.isfinite(fitted.oof_decision_function_[y != "b"]).all()


@pytest.mark.parametrize(("make", "n_samples"), [(regressor, 5), (classifier, 3), (lambda: classifier(n_folds=60), 150)])
def test_too_few_samples_are_refused(make, n_samples):
    X, y = IRIS[0][::-1][:n_samples], np.arange(n_samples) % 3
    with pytest.raises(ValueError, match=rf"Got n_samples={n_samples}, too few for early_stopping='cv' with n_folds="):
        make().fit(X, y)


def test_a_few_samples_are_enough():
    X = IRIS[0][::25]
    assert np.isfinite(regressor().fit(X, X[:, 0]).oof_prediction_).all()
    assert np.isfinite(classifier().fit(X, [0, 0, 0, 1, 1, 1]).oof_decision_function_).all()


# What does not go together --------------------------------------------------------------------------------------------


def failures():
    X, y = IRIS
    yield "warm_start=True", {"warm_start": True}, {}
    yield "validation samples", {}, {"X_val": X, "y_val": y}
    yield "validation samples", {}, {"sample_weight_val": y}
    yield "hidden_layer_sizes", {"hidden_layer_sizes": (0,)}, {}
    yield "n_folds", {"n_folds": 1}, {}
    yield "early_stopping", {"early_stopping": "folds"}, {}
    yield "negative values in sample_weight", {}, {"sample_weight": -np.ones(150)}


@pytest.mark.slow
@pytest.mark.parametrize(("message", "settings", "arguments"), list(failures()))
def test_a_failed_fit_leaves_the_estimator_as_it_was(message, settings, arguments):
    X, y = IRIS
    fitted = classifier().fit(X, y)
    before = pickle.dumps(vars(fitted.set_params(**settings)))
    with pytest.raises(ValueError, match=message):
        fitted.fit(X, y, **arguments)
    assert pickle.dumps(vars(fitted)) == before


@pytest.mark.parametrize("estimator", [classifier(), regressor()])
def test_there_is_no_partial_fit(estimator):
    assert not hasattr(estimator, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'") as raised:
        estimator.partial_fit(*IRIS)
    assert "not available with early_stopping='cv'" in str(raised.value.__cause__)


def test_autoencoders_do_not_take_it():
    with pytest.raises(ValueError, match="'early_stopping' parameter"):
        SigmoidBackpropAutoencoder(early_stopping="cv").fit(IRIS[0])


def test_another_fit_forgets_what_was_out_of_fold():
    for estimator, name in ((classifier(), "oof_decision_function_"), (regressor(), "oof_prediction_")):
        fitted = estimator.fit(*IRIS)
        assert getattr(fitted, name) is not None
        assert getattr(fitted.set_params(early_stopping=True).fit(*IRIS), name) is None
        assert len(fitted.intercepts_[0]) == 6


def test_training_goes_on_with_no_folded_network():
    fitted = classifier().fit(*IRIS).set_params(early_stopping=False)
    with pytest.raises(ValueError, match="Training cannot go on with hidden_layer_sizes"):
        fitted.partial_fit(*IRIS)


# Looking on -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("case", ["classes", "deep", "several labels", "linear", "poisson"])
def test_inspection_and_display_take_the_folded_network(case):
    estimator, X, y = CASES[case]
    fitted = clone(estimator).fit(X, y)
    assert check_gradients(fitted, X, y).passed
    assert len(gradient_flow(fitted, X, y).layers) == len(fitted.coefs_)
    trace = trace_backpropagation(fitted, X, y)
    np.testing.assert_allclose(trace.layers[-1].raw_scores, fitted._raw_scores(X), rtol=1e-10)
    pytest.importorskip("matplotlib")
    LossCurveDisplay.from_estimator(fitted)
    NetworkDisplay.from_estimator(fitted)


def test_the_gradient_by_the_inputs_is_the_mean_of_the_networks():
    estimator, X, y = CASES["deep"]
    fitted, (networks, _) = clone(estimator).fit(X, y), by_hand(estimator, X, y)
    mean = np.mean([network.input_gradient(X) for network in networks], axis=0)
    np.testing.assert_allclose(fitted.input_gradient(X), mean, rtol=1e-9, atol=1e-9)


def test_a_line_a_network_is_printed(capsys):
    classifier(verbose=True).fit(*IRIS)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"Network {number}/3" for number in (1, 2, 3)]
    assert all(re.search(r", epochs = \d+, validation loss = \d", line) for line in lines)


def test_networks_share_the_time():
    shares = []

    def score(estimator, X, y):
        shares.append(estimator.max_time)
        return 0.0

    classifier(max_time=60.0, scoring=score).fit(*IRIS)
    assert set(shares) == {20.0}


def test_an_interruption_ends_the_whole_fit():
    fitted = classifier().fit(*IRIS)
    before = pickle.dumps(fitted)

    def score(estimator, X, y):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fitted.set_params(scoring=score).fit(*IRIS)
    fitted.set_params(scoring="loss")
    assert pickle.dumps(fitted) == before


class Recorder:
    """Notes which tasks end, and the fitted estimators of epochs."""

    def __init__(self, stop_after=None):
        self.stop_after, self.begun, self.ended, self.fitted = stop_after, [], [], []

    def setup(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Take note."""
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Take note, and perhaps stop."""
        self.ended.append(context.task_name)
        self.fitted.append(fitted_estimator)
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after


def test_callbacks_are_told_of_each_network_and_its_epochs():
    pytest.importorskip("sklearn.callback", reason="scikit-learn has had callbacks since 1.9")
    recorder = Recorder(stop_after=4)
    fitted = classifier().set_callbacks(recorder).fit(*IRIS)
    assert recorder.begun == ["fit", *["network", *["epoch"] * 4] * 3]
    assert recorder.ended == [*[*["epoch"] * 4, "network"] * 3, "fit"]
    assert fitted.n_iter_ == 4
    epochs = [one for one, name in zip(recorder.fitted, recorder.ended, strict=True) if name == "epoch"]
    assert [one.n_iter_ for one in epochs] == [1, 2, 3, 4] * 3
    assert all(one.predict_proba(IRIS[0]).shape == (150, 3) for one in epochs)


@pytest.mark.slow
def test_monitors_record_and_checkpoints_are_refused(tmp_path):
    pytest.importorskip("sklearn.callback", reason="scikit-learn has had callbacks since 1.9")
    X, y = IRIS
    for n_jobs in (1, 2):
        validation, gradients = ValidationMonitor(X, y), GradientMonitor()
        fitted = classifier(n_jobs=n_jobs).set_callbacks(validation, gradients).fit(X, y)
        rows = validation.get_logs().data
        assert [row["epoch"] for row in rows] == [*range(1, 13)] * 3
        assert gradients.gradient_norms_.shape == (12, 2)
        assert_same(fitted, classifier().fit(X, y))
    with pytest.raises(ValueError, match="Got a Checkpoint with early_stopping='cv'"):
        classifier().set_callbacks(Checkpoint(tmp_path / "a")).fit(X, y)


def test_networks_that_are_averaged_have_a_tenth_of_the_prior():
    alone, averaged = (
        Recipe(estimator, problem._replace(averaged=share), 150, incremental=False)
        for estimator in [classifier(alpha="auto")]
        for problem in [estimator._encode(*IRIS, None, resume=False, incremental=False)]
        for share in (False, True)
    )
    assert averaged.prior == pytest.approx(alone.prior / 10)


@pytest.mark.parametrize("dtypes", [("f", "d", "f"), ("d", "f", "f"), ("f", "f", "d")], ids="".join)
def test_networks_of_several_types_are_folded_into_one_of_the_finest(dtypes):
    """Only some folds may hold what float32 is too coarse for."""
    networks = [Network((4, 3, 2), (Tanh(),), True, np.dtype(dtype)) for dtype in dtypes]
    for seed, network in enumerate(networks):
        network.theta[:] = np.random.RandomState(seed).randn(network.theta.size)
    X = np.random.RandomState(9).randn(7, 4)
    one, *each = ([network.coefs, network.intercepts, network.activations] for network in (folded(networks), *networks))
    assert {part.dtype for part in one[0]} == {np.dtype(np.float64)}
    np.testing.assert_allclose(
        raw_scores(*one, X), np.mean([raw_scores(*network, X) for network in each], axis=0), atol=1e-15
    )
