"""The classifier's behaviour: inputs of every kind, errors that leave the last fit alone, warnings, persistence."""

import pickle
import re

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropClassifier
from skbackprop.activations import Activation, Tanh
from skbackprop.initializers import Glorot
from skbackprop.losses import BinaryLogLoss, CategoricalLogLoss
from skbackprop.optimizers import SGD, Optimizer
from skbackprop.schedules import InverseScaling

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)


# Few epochs are enough here; what the warnings say is tested where they are raised.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(**parameters):
    """A small network with a constant learning rate, so that few epochs do something."""
    settings = {"hidden_layer_sizes": (10,), "max_iter": 30, "random_state": 0, "learning_rate": "constant"}
    return SigmoidBackpropClassifier(**settings | parameters)


# Inputs --------------------------------------------------------------------------------------------------------------


def read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


def memory_mapped(array, folder):
    joblib.dump(array, folder / "array")
    return joblib.load(folder / "array", mmap_mode="r")


@pytest.mark.slow
@pytest.mark.parametrize(
    "container",
    [
        sp.csr_matrix,
        sp.csr_array,
        sp.csc_matrix,
        sp.csc_array,
        pd.DataFrame,
        pl.DataFrame,
        np.asfortranarray,
        read_only,
        list,
    ],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_every_container_gives_the_same_predictions(container):
    expected = make().fit(X, y).predict_proba(X)
    inputs = container(X) if container is not pd.DataFrame else pd.DataFrame(X, columns=list("abcd"))
    classifier = make().fit(inputs, y)
    np.testing.assert_allclose(classifier.predict_proba(inputs), expected, rtol=1e-9)
    np.testing.assert_allclose(classifier.predict_proba(X), expected, rtol=1e-9)


def test_memory_mapped_arrays_are_trained_on(tmp_path):
    np.testing.assert_array_equal(make().fit(memory_mapped(X, tmp_path), y).coefs_[0], make().fit(X, y).coefs_[0])


@pytest.mark.parametrize("labels", [pd.Series, pl.Series, list])
def test_labels_in_every_container(labels):
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    classifier = make(solver="rprop").fit(X, labels(names))
    assert (classifier.predict(X) == names).mean() > 0.9


def test_float32_is_trained_in_float32_and_integers_in_float64():
    for inputs, dtype in [(X.astype(np.float32), np.float32), ((10 * X).astype(int), np.float64)]:
        classifier = make().fit(inputs, y)
        assert {part.dtype for part in classifier.coefs_ + classifier.intercepts_} == {np.dtype(dtype)}
        assert classifier.predict_proba(inputs).dtype == dtype


def test_the_users_arrays_are_not_changed():
    inputs, labels, weight = X.copy(), y.copy(), np.ones(len(X))
    classifier = make(class_weight="balanced").fit(inputs, labels, weight)
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        getattr(classifier, method)(inputs)
    for now, before in [(inputs, X), (labels, y), (weight, np.ones(len(X)))]:
        np.testing.assert_array_equal(now, before)


def test_feature_names_are_kept_and_checked():
    frame = pd.DataFrame(X, columns=list("abcd"))
    classifier = make().fit(frame, y)
    np.testing.assert_array_equal(classifier.feature_names_in_, list("abcd"))
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame[list("dcba")])
    with pytest.warns(UserWarning, match="valid feature names"):
        classifier.predict(X)


# Predictions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("target", ["binary", "multiclass", "multilabel"])
def test_predictions_agree_with_each_other(targets, loss, target):
    inputs, labels = targets[0], targets[1][target]
    classifier = make(loss=loss, solver="rprop", alpha=0.01).fit(inputs, labels)
    scores, probabilities = classifier.decision_function(inputs), classifier.predict_proba(inputs)
    logarithms = classifier.predict_log_proba(inputs)
    np.testing.assert_allclose(np.exp(logarithms), probabilities, rtol=1e-9)
    assert classifier.multilabel_ == (target == "multilabel")
    if target == "multilabel":
        np.testing.assert_array_equal(classifier.predict(inputs), scores > 0)
    else:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        np.testing.assert_array_equal(classifier.predict(inputs), probabilities.argmax(axis=1))
        assert scores.ndim == (1 if target == "binary" else 2)
    assert (classifier.predict(inputs) == labels).mean() > 0.75


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["log_loss", "squared_error"])
@pytest.mark.parametrize("target", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_probabilities_are_finite_whatever_the_input(targets, loss, target, dtype):
    classifier = make(loss=loss, activation="identity").fit(targets[0].astype(dtype), targets[1][target])
    huge = np.full((2, 6), np.finfo(dtype).max / 100, dtype)
    huge[1] *= -1
    assert np.isfinite(classifier.predict_log_proba(huge)).all()
    assert not np.isnan(classifier.predict_proba(huge)).any()


def test_no_rows_or_unfitted_is_an_error():
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        with pytest.raises(NotFittedError):
            getattr(make(), method)(X)
    with pytest.raises(ValueError, match="0 sample"):
        make().fit(X, y).predict(X[:0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n_rows", [1, 5000])
def test_prediction_refuses_what_is_not_finite(bad, n_rows):
    classifier, inputs = make().fit(X, y), np.ones((n_rows, 4))
    inputs[-1, 2] = bad
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        classifier.predict_proba(inputs)
    with pytest.raises(ValueError, match="features"):
        classifier.predict_proba(np.ones((n_rows, 3)))
    with pytest.raises(ValueError, match=r"1D array|2D array"):
        classifier.predict_proba(np.ones(4))


# Parameters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shapes"),
    [((), [(4, 3)]), (5, [(4, 5), (5, 3)]), ("7-5", [(4, 7), (7, 5), (5, 3)]), ([6], [(4, 6), (6, 3)]),
     (np.array([2, 2]), [(4, 2), (2, 2), (2, 3)]), ("", [(4, 3)])],
)  # fmt: skip
def test_hidden_layer_sizes(given, shapes):
    assert [coef.shape for coef in make(hidden_layer_sizes=given).fit(X, y).coefs_] == shapes


def test_an_activation_for_each_layer_and_instances_of_ones_own():
    class Square(Activation):
        needs_cache = True

        def forward(self, A, cache):
            np.copyto(cache, A)
            np.multiply(A, A, A)

        def backward(self, A, cache, delta):
            delta *= 2 * cache

    class SignDescent(Optimizer):
        def update(self, theta, gradient, state, learning_rate, loss):
            theta -= learning_rate * np.sign(gradient)

    classifier = make(
        hidden_layer_sizes=(8, 8), activation=["tanh", Square()], solver=SignDescent(), loss=BinaryLogLoss(), max_iter=100
    )
    assert clone(classifier).fit(X, y).score(X, y) > 0.9
    np.testing.assert_allclose(make(solver=SGD(momentum=0.5)).fit(X, y).coefs_[0],
                               make(solver="sgd", momentum=0.5).fit(X, y).coefs_[0])  # fmt: skip


def test_without_intercepts_there_are_none():
    classifier = make(fit_intercept=False).fit(X, y)
    assert not any(intercept.any() for intercept in classifier.intercepts_)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": "100-x"}, "'hidden_layer_sizes' parameter"),
        ({"hidden_layer_sizes": (5, 0)}, "'hidden_layer_sizes' parameter"),
        ({"hidden_layer_sizes": (5.5,)}, "'hidden_layer_sizes' parameter"),
        ({"activation": ["relu", "tanh"]}, "for 1 hidden layers"),
        ({"activation": ["reul"]}, "reul"),
        ({"activation": "reul"}, "'activation' parameter"),
        ({"solver": "newton"}, "'solver' parameter"),
        ({"loss": "hinge"}, "'loss' parameter"),
        ({"init": "he"}, "'init' parameter"),
        ({"scoring": "f3"}, "f3"),
        ({"solver": "lbfgs", "dropout": 0.5}, "Got dropout=0.5 with solver='lbfgs'"),
        ({"solver": "rprop", "weight_decay": 0.5}, "Got weight_decay=0.5 with solver='rprop'"),
        ({"solver": "lbfgs", "clip_norm": 1.0}, "Got clip_norm=1.0 with solver='lbfgs'"),
        ({"class_weight": {5: 1.0}}, "not in class_weight"),
        ({"dropout": 1.0}, "'dropout' parameter"),
        ({"loss": BinaryLogLoss}, r"Got the class BinaryLogLoss: pass an instance"),
        ({"solver": SGD}, r"such as SGD\(\)"),
        ({"init": Glorot}, r"such as Glorot\(\)"),
        ({"activation": Tanh}, r"such as Tanh\(\)"),
        ({"max_time": 0}, "'max_time' parameter"),
    ],
)
def test_bad_parameters_are_named_and_leave_the_last_fit(parameters, message):
    classifier = make().fit(X, y)
    expected = classifier.predict_proba(X)
    classifier.set_params(**{"early_stopping": "scoring" in parameters, **parameters})
    with pytest.raises(ValueError, match=message):
        classifier.fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)


# Bad data ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((np.where(X > 2, np.nan, X), y), {}, "NaN"),
        ((np.where(X > 2, np.inf, X), y), {}, "infinity"),
        ((X, y[:-1]), {}, "inconsistent numbers of samples"),
        ((X[0], y), {}, "2D array"),
        ((X, X[:, 0]), {}, "Unknown label type"),
        ((X, np.column_stack([y, y])), {}, "several classes in a column"),
        ((X, np.zeros(len(X))), {}, "one class"),
        ((X, y, np.zeros(len(X))), {}, "all zero"),
        ((X, y, (y == 1).astype(float)), {}, "one class"),
        ((X, y, -np.ones(len(X))), {}, "negative"),
        ((X, y, np.ones(3)), {}, "shape"),
        ((X, y, np.full(len(X), np.nan)), {}, "NaN"),
        ((X, y), {"X_val": X}, "Got X_val alone"),
        ((X, y), {"y_val": y}, "Got y_val alone"),
        ((X, y), {"sample_weight_val": y, "X_val": X}, "Got X_val and sample_weight_val alone"),
        ((X, y), {"X_val": X[:, :3], "y_val": y}, "3 features"),
        ((X, y), {"X_val": X, "y_val": y + 1}, "not among"),
        ((X, y), {"X_val": X, "y_val": y, "sample_weight_val": -y}, "negative"),
    ],
)
def test_bad_data_are_named_and_leave_the_last_fit(arguments, keywords, message):
    frame = pd.DataFrame(X, columns=list("abcd"))
    classifier = make().fit(frame, y)
    before = pickle.dumps(classifier)
    with pytest.raises(ValueError, match=message):
        classifier.fit(*arguments, **keywords)
    assert pickle.dumps(classifier) == before


def test_partial_fit_needs_to_know_all_classes_and_keeps_to_them():
    with pytest.raises(ValueError, match="pass classes"):
        make().partial_fit(X, y)
    classifier = make().partial_fit(X[:100], y[:100], classes=[0, 1, 2])
    before = classifier.predict_proba(X)
    with pytest.raises(ValueError, match=r"\[7\], which are not among \[0, 1, 2\]"):
        classifier.partial_fit(X, np.full(len(X), 7))
    with pytest.raises(ValueError, match="an earlier call set"):
        classifier.partial_fit(X, y, classes=[0, 1])
    np.testing.assert_array_equal(classifier.predict_proba(X), before)
    assert classifier.predict_proba(X).shape == (150, 3)


@pytest.mark.parametrize("parameters", [{"solver": "lbfgs"}, {"solver": "rprop"}, {"class_weight": "balanced"}], ids=str)
def test_partial_fit_is_hidden_where_it_has_no_meaning(parameters):
    classifier = make(**parameters)
    assert not hasattr(classifier, "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        classifier.partial_fit(X, y)


def test_a_warm_start_refuses_other_layers_and_other_classes():
    classifier = make(warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="same classes"):
        classifier.fit(X[:100], y[:100])
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        classifier.set_params(hidden_layer_sizes=(3,)).fit(X, y)


def test_a_tiny_set_cannot_be_split():
    with pytest.raises(ValueError, match="validation set is too small"):
        make(early_stopping=True).fit(X[::50], y[::50])
    with pytest.raises(ValueError, match="validation_fraction=0"):
        make(early_stopping=True, validation_fraction=0).fit(X, y)


def test_the_only_sample_of_a_class_is_trained_on():
    classifier = make(early_stopping=True, warm_start=True).fit(X[:101], y[:101])
    assert 100 not in classifier._training_state.held_out
    assert 100 in classifier._training_state.rows
    assert len(classifier._training_state.rows) + len(classifier._training_state.held_out) == 101


def test_the_hold_out_has_every_class():
    labels = np.repeat([0, 1, 2], [130, 10, 10])
    classifier = make(early_stopping=True, warm_start=True).fit(X, labels)
    held_out = classifier._training_state.held_out
    assert np.bincount(labels[held_out]).tolist() == [13, 1, 1]


def test_a_softmax_needs_exclusive_classes():
    for labels in (y > 0, np.column_stack([y > 0, y > 1]).astype(int)):
        with pytest.raises(ValueError, match="sum to one"):
            make(loss=CategoricalLogLoss()).fit(X, labels)
    assert make(loss=CategoricalLogLoss(), solver="rprop").fit(X, y).score(X, y) > 0.9


# Warnings ------------------------------------------------------------------------------------------------------------


def test_a_batch_larger_than_the_data_holds_them_all_with_a_warning():
    with pytest.warns(UserWarning, match="Got batch_size=1000 for 150 training samples"):
        classifier = make(batch_size=1000).fit(X, y)
    np.testing.assert_array_equal(classifier.coefs_[0], make(batch_size=150).fit(X, y).coefs_[0])


def test_reaching_the_limit_warns():
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        make(max_iter=2).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        make(max_iter=2, solver="lbfgs").fit(X, y)
    with pytest.warns(ConvergenceWarning, match="max_iter=100"):
        make(max_iter=100, solver="rprop", learning_rate="auto", tol=0).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="max_fun"):
        make(max_fun=2, solver="lbfgs").fit(X, y)


@pytest.mark.parametrize("early_stopping", [True, False])
def test_divergence_stops_with_the_last_finite_weights(early_stopping):
    classifier = make(solver="sgd", activation="relu", hidden_layer_sizes=(10, 10, 10), learning_rate_init=1e6,
                      early_stopping=early_stopping, loss="log_loss", batch_size=10, scoring="loss",
                      clip_norm=None)  # fmt: skip
    with pytest.warns(ConvergenceWarning, match=r"not finite in epoch \d+.*learning_rate_init \(now 1000000.0\)"):
        classifier.fit(1e20 * X, y)
    assert all(np.isfinite(part).all() for part in classifier.coefs_ + classifier.intercepts_)
    assert classifier.n_iter_ < 30


def test_a_loss_that_grows_is_called_diverging():
    with pytest.warns(ConvergenceWarning, match=r"diverged: .* grew from .* lower learning_rate_init \(now 3\)"):
        make(solver="sgd", activation="identity", learning_rate_init=3, alpha=10, batch_size=10, max_iter=6,
             hidden_layer_sizes=(), momentum=0, clip_norm=None).fit(X, y)  # fmt: skip


def test_schedules_of_sgd_do_not_touch_adam_unless_asked_for():
    plain = make().fit(X, y).coefs_[0]
    for name in ("invscaling", "adaptive"):
        np.testing.assert_array_equal(make(learning_rate=name).fit(X, y).coefs_[0], plain)
    assert not np.array_equal(make(learning_rate=InverseScaling()).fit(X, y).coefs_[0], plain)


def test_a_network_that_does_not_learn_says_so():
    labels = np.random.RandomState(0).randint(2, size=150)
    with pytest.warns(ConvergenceWarning, match="has not learnt"):
        make(solver="sgd", learning_rate_init=1e-6, init="glorot").fit(X, labels)


def test_a_time_limit_ends_training():
    with pytest.warns(ConvergenceWarning, match="max_time=0.001"):
        classifier = make(max_iter=100_000, tol=0, n_iter_no_change=np.inf, max_time=0.001).fit(X, y)
    assert 1 <= classifier.n_iter_ < 100_000


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_interrupt_keeps_the_weights_so_far(solver):
    class Interrupting(BinaryLogLoss):
        calls = 0

        def loss_gradient(self, *arguments):
            self.calls += 1
            if self.calls == 60:
                raise KeyboardInterrupt
            super().loss_gradient(*arguments)

    with pytest.warns(UserWarning, match="interrupted"):
        classifier = make(loss=Interrupting(), solver=solver, tol=0, max_iter=1000).fit(X, y)
    assert 0 < classifier.n_iter_ < 60
    assert classifier.predict(X).shape == (150,)


def test_verbose_prints_a_line_an_epoch(capsys):
    make(verbose=True, max_iter=3).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(r"Epoch 1/3, loss = \d\.\d+, \d+\.\d s, \d+\.\d s left", lines[0])


# In the company of scikit-learn --------------------------------------------------------------------------------------


def test_pipeline_grid_search_and_joblib(tmp_path):
    digits = load_digits(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), make(max_iter=15))
    search = GridSearchCV(pipeline, {"sigmoidbackpropclassifier__hidden_layer_sizes": [(), (30,)]}, cv=2).fit(*digits)
    assert search.best_score_ > 0.85
    joblib.dump(search, tmp_path / "model")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model").predict(digits[0]), search.predict(digits[0]))


@pytest.mark.slow
def test_the_number_of_processes_does_not_matter():
    one, two = (cross_val_score(make(), X, y, cv=3, n_jobs=n_jobs) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_a_pickle_is_hardly_larger_than_the_weights():
    inputs = np.random.RandomState(0).randn(300, 784)
    classifier = SigmoidBackpropClassifier((256, 128), max_iter=5).fit(inputs, np.arange(300) % 10)
    n_parameters = sum(part.size for part in classifier.coefs_ + classifier.intercepts_)
    assert len(pickle.dumps(classifier)) < 1.1 * 8 * n_parameters
    assert not hasattr(classifier, "_optimizer")


def test_the_loss_curve_and_counts():
    for solver in ("sgd", "adam", "rprop", "lbfgs"):
        classifier = make(solver=solver, max_iter=7).fit(X, y)
        assert len(classifier.loss_curve_) == classifier.n_iter_ <= 7
        assert classifier.loss_ == classifier.loss_curve_[-1]
        assert classifier.best_loss_ == min(classifier.loss_curve_)
        # Eight batches of 20 at most: an epoch of 20 steps or more is three passes.
        assert classifier.t_ == classifier.n_iter_ * 150 * (3 if solver in {"sgd", "adam"} else 1)
        assert (classifier.n_layers_, classifier.n_outputs_, classifier.out_activation_) == (3, 3, "softmax")
        assert classifier.validation_scores_ is None
        assert classifier.best_validation_score_ is None


def test_training_goes_on_from_weights_that_were_set_by_hand():
    trained = make().fit(X, y)
    by_hand = make(solver="sgd", learning_rate_init=1e-12)
    by_hand.coefs_, by_hand.intercepts_ = trained.coefs_, trained.intercepts_
    by_hand.partial_fit(X, y, classes=np.unique(y))
    np.testing.assert_allclose(by_hand.predict_proba(X), trained.predict_proba(X), rtol=1e-6)
