"""What early stopping watches: scorers of the user's own, with weights and without."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import accuracy_score, get_scorer, make_scorer, max_error, mean_absolute_error

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop.initializers import NearIdentity
from skbackprop.optimizers import SGD

X, y = load_iris(return_X_y=True)
INPUTS, TARGET = load_diabetes(return_X_y=True)
WEIGHT = np.where(y == 1, 3.0, 1.0)
SETTINGS = {"hidden_layer_sizes": (5,), "max_iter": 4, "n_folds": 3, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def alone(estimator, X, y):
    """A scorer that takes no weights."""
    return accuracy_score(y, estimator.predict(X))


class Alone:
    """Such a scorer as an object."""

    def __call__(self, estimator, X, y):
        return alone(estimator, X, y)


def share_right(y, prediction):
    """A metric that takes no weights."""
    return np.mean(y == prediction)


WITHOUT = {"a function": alone, "an object": Alone(), "a metric": make_scorer(share_right)}
without = pytest.mark.parametrize("scoring", WITHOUT.values(), ids=WITHOUT)
# The validation of each way of early stopping, and of none.
WAYS = {
    "a share": ({"early_stopping": True}, {}),
    "folds": ({"early_stopping": "cv"}, {}),
    "samples of the user's own": ({"early_stopping": True}, {"X_val": X, "y_val": y}),
    "samples that are but scored": ({}, {"X_val": X, "y_val": y}),
}
ways = pytest.mark.parametrize(("parameters", "validation"), WAYS.values(), ids=WAYS)


@without
@ways
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1, 1: 5, 2: 0.5}])
def test_a_scorer_without_weights_works_whatever_the_weights_of_classes(scoring, parameters, validation, class_weight):
    model = SigmoidBackpropClassifier(**SETTINGS, **parameters, scoring=scoring, class_weight=class_weight)
    scores = model.fit(X, y, **validation).validation_scores_
    assert len(scores) == 4
    assert all(0 <= score <= 1 for score in scores)


def test_it_is_called_as_accuracy_is_without_weights():
    one, other = (
        SigmoidBackpropClassifier(**SETTINGS, scoring=scoring).fit(X, y, X_val=X, y_val=y)
        for scoring in (alone, "accuracy")
    )
    assert one.validation_scores_ == other.validation_scores_


def test_weights_of_classes_still_reach_a_scorer_that_takes_them():
    seen = []

    def score(estimator, X, y, sample_weight=None):
        seen.append(sample_weight)
        return alone(estimator, X, y)

    SigmoidBackpropClassifier(**SETTINGS, scoring=score, class_weight={0: 1, 1: 5, 2: 0.5}).fit(X, y, X_val=X, y_val=y)
    np.testing.assert_array_equal(seen[0], np.array([1, 5, 0.5])[y])


@without
@ways
def test_with_weights_of_samples_it_is_refused_at_the_start(scoring, parameters, validation):
    model = SigmoidBackpropClassifier(**SETTINGS, scoring=scoring).fit(X, y)
    coefs = model.coefs_[0]
    weights = {"sample_weight_val" if validation else "sample_weight": WEIGHT}
    with pytest.raises(ValueError, match=r"Got sample weights with scoring=.*, which does not take any.*make_scorer"):
        model.set_params(**parameters).fit(X, y, **validation, **weights)
    assert model.coefs_[0] is coefs


@without
def test_weights_of_samples_that_are_not_scored_are_no_obstacle(scoring):
    model = SigmoidBackpropClassifier(**SETTINGS, scoring=scoring)
    model.fit(X, y, WEIGHT)
    model.set_params(early_stopping=True).fit(X, y, WEIGHT, X_val=X, y_val=y)
    model.partial_fit(X, y, WEIGHT)


@pytest.mark.parametrize("scoring", ["neg_max_error", make_scorer(max_error, greater_is_better=False)])
def test_scikit_learns_own_metrics_that_take_no_weights_are_told_apart(scoring):
    model = SigmoidBackpropRegressor(**SETTINGS, scoring=scoring, early_stopping=True)
    assert len(model.fit(INPUTS, TARGET).validation_scores_) == 4
    with pytest.raises(ValueError, match="which does not take any"):
        model.fit(INPUTS, TARGET, np.ones(len(TARGET)))


def any_weights(estimator, X, y, **weights):
    """A scorer that hands on what it is given."""
    return -mean_absolute_error(y, estimator.predict(X), **weights)


@pytest.mark.parametrize("scoring", ["r2", "neg_mean_absolute_error", None, "loss", any_weights])
def test_scorers_that_take_weights_are_given_those_of_the_samples(scoring):
    weight = np.arange(len(TARGET)) + 1.0
    model = SigmoidBackpropRegressor(**SETTINGS, scoring=scoring)
    validation = {"X_val": INPUTS, "y_val": TARGET}
    plain = model.fit(INPUTS, TARGET, **validation).validation_scores_
    weighted = model.fit(INPUTS, TARGET, **validation, sample_weight_val=weight).validation_scores_
    assert not np.allclose(plain, weighted)


# Scorers that are none -------------------------------------------------------------------------------------------------


def fails(estimator, X, y):
    """A scorer that does not work."""
    raise RuntimeError("no such metric")


WAYS_OF_NUMBERS = [({"early_stopping": True}, {}), ({"early_stopping": "cv"}, {}), ({}, {"X_val": INPUTS, "y_val": TARGET})]
# What is passed as `scoring`, and what is said of it.
NO_SCORERS = {
    "a dict": (lambda estimator, X, y: {"r2": 1.0}, "returned {'r2': 1.0} for"),
    "None": (lambda estimator, X, y: None, "returned None for"),
    "text": (lambda estimator, X, y: "0.5", "returned '0.5' for"),
    "an array": (lambda estimator, X, y: np.ones(3), "returned array([1.0, 1.0, 1.0]) for"),
    "a complex number": (lambda estimator, X, y: 1j, "returned 1j for"),
    "not a number": (lambda estimator, X, y: np.nan, "returned nan for"),
    "another signature": (lambda estimator, X: 1.0, "raised TypeError (<lambda>() takes 2"),
    "an error": (fails, "raised RuntimeError (no such metric) for"),
    "a loss of probabilities": ("neg_log_loss", "raised AttributeError ("),
    "ranks of probabilities": ("roc_auc", "raised AttributeError ("),
    "a score of classes": ("accuracy", "raised ValueError (Classification metrics"),
}


@pytest.mark.parametrize(("parameters", "validation"), WAYS_OF_NUMBERS)
@pytest.mark.parametrize(("scoring", "words"), NO_SCORERS.values(), ids=NO_SCORERS)
def test_what_is_no_scorer_is_refused_before_training(scoring, words, parameters, validation):
    model = SigmoidBackpropRegressor(**{**SETTINGS, "max_iter": 1}).fit(INPUTS, TARGET)
    coefs = model.coefs_[0]
    model.set_params(scoring=scoring, **parameters, solver=Untouched())
    with pytest.raises(ValueError, match=r"^Got scoring=.*pass 'loss', .*one real number\.$") as caught:
        model.fit(INPUTS, TARGET, **validation)
    assert words in str(caught.value)
    if "raised" in words:
        assert type(caught.value.__cause__).__name__ in words
    assert model.coefs_[0] is coefs


class Untouched(SGD):
    """Takes no step."""

    def update(self, *arguments):
        raise AssertionError("Training has begun.")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize(
    ("scoring", "kind", "n_rows"), [("r2", SigmoidBackpropRegressor, 1), ("roc_auc", SigmoidBackpropClassifier, 3)]
)
def test_so_are_samples_for_which_a_score_is_not_defined(scoring, kind, n_rows):
    model = kind(**SETTINGS, scoring=scoring)
    with pytest.raises(ValueError, match=f"Got scoring='{scoring}', which returned nan"):
        model.fit(X, y > 0, X_val=X[:n_rows], y_val=y[:n_rows] > 0)


@pytest.mark.parametrize("value", [1, True, np.float32(0.5), np.array([0.5]), np.array(0.5), np.bool_(False), -np.inf])
def test_any_real_number_is_a_score(value):
    model = SigmoidBackpropClassifier(**SETTINGS, scoring=lambda estimator, X, y: value).fit(X, y, X_val=X, y_val=y)
    assert model.validation_scores_ == [float(np.ravel(value)[0])] * 4
    assert all(isinstance(score, float) for score in model.validation_scores_)


@pytest.mark.parametrize("scoring", ["neg_mean_poisson_deviance", "neg_mean_squared_log_error"])
def test_a_score_that_refuses_the_predictions_of_random_weights_may_take_those_of_trained_ones(scoring):
    y = TARGET - TARGET.min() + 1
    wild = NearIdentity()
    wild.output_scale = 30.0
    model = SigmoidBackpropRegressor(hidden_layer_sizes=(5,), init=wild, random_state=0, max_iter=1, scoring="loss")
    score = get_scorer(scoring)
    seen = []

    def spied(estimator, X, y):
        seen.append(estimator.predict(X).min() > 0)
        return score(estimator, X, y) if len(seen) < 3 else 0.0

    model.set_params(scoring=spied).fit(INPUTS, y, X_val=INPUTS, y_val=y)
    assert seen[:2] == [False, True]


def test_a_score_that_is_not_a_number_later_is_no_improvement():
    scores = iter([0.5, 0.6, np.nan, 0.4, 0.3])
    model = SigmoidBackpropClassifier(**SETTINGS, scoring=lambda estimator, X, y: next(scores))
    model.fit(X, y, X_val=X, y_val=y)
    np.testing.assert_array_equal(model.validation_scores_, [0.6, np.nan, 0.4, 0.3])
    assert model.best_validation_score_ == 0.6
