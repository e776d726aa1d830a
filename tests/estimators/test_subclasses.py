"""Subclasses with a constructor of their own: fewer parameters, one more, and other names for them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)

X, y = load_iris(return_X_y=True)
PARENTS = [
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Fewer:
    """Fixes the hidden layers and the number of epochs."""

    def __init__(self, alpha=0.1, random_state=0):
        super().__init__(hidden_layer_sizes=(4,), max_iter=3, alpha=alpha, random_state=random_state)


class More:
    """Has a parameter more, which training knows nothing of."""

    def __init__(self, alpha=0.1, max_iter=3, random_state=0, note="plain"):
        super().__init__(hidden_layer_sizes=(4,), max_iter=max_iter, alpha=alpha, random_state=random_state)
        self.note = note


class Renamed:
    """Calls the number of epochs by its name."""

    def __init__(self, epochs=3, *, alpha=0.1, random_state=0):
        super().__init__(hidden_layer_sizes=(4,), max_iter=epochs, alpha=alpha, random_state=random_state)

    @property
    def max_iter(self):
        return self.epochs

    @max_iter.setter
    def max_iter(self, value):
        self.epochs = value


class FewerAutoencoder(Fewer, SigmoidBackpropAutoencoder): ...


class FewerClassifier(Fewer, SigmoidBackpropClassifier): ...


class FewerDetector(Fewer, SigmoidBackpropOutlierDetector): ...


class FewerRegressor(Fewer, SigmoidBackpropRegressor): ...


class MoreAutoencoder(More, SigmoidBackpropAutoencoder): ...


class MoreClassifier(More, SigmoidBackpropClassifier): ...


class MoreDetector(More, SigmoidBackpropOutlierDetector): ...


class MoreRegressor(More, SigmoidBackpropRegressor): ...


class RenamedAutoencoder(Renamed, SigmoidBackpropAutoencoder): ...


class RenamedClassifier(Renamed, SigmoidBackpropClassifier): ...


class RenamedDetector(Renamed, SigmoidBackpropOutlierDetector): ...


class RenamedRegressor(Renamed, SigmoidBackpropRegressor): ...


class FewerStill(FewerClassifier):
    """A subclass of a subclass, whose fixed value is that of a word in between."""

    def __init__(self, strength="weak"):
        super().__init__(alpha={"weak": 0.01, "strong": 10.0}[strength])
        self.strength = strength


ALL = [kind for base in (Fewer, More, Renamed) for kind in base.__subclasses__()]
OWN = {Fewer: {"alpha": 1.0}, More: {"note": "other"}, Renamed: {"epochs": 2}}


def family(kind):
    """The mixin and the class of this package that a class is made of."""
    return kind.__bases__


def outputs(estimator):
    """All that a fitted estimator says of the samples."""
    methods = ("predict", "predict_proba", "transform", "score_samples", "decision_function")
    values = [getattr(estimator, name)(X) for name in methods if hasattr(estimator, name)]
    return values + ([[estimator.score(X, y)]] if hasattr(estimator, "score") else [])


def assert_same(one, other):
    for a, b in zip(outputs(one), outputs(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_estimator_has_a_subclass_of_every_sort():
    assert {family(kind) for kind in ALL} == {(base, parent) for base in (Fewer, More, Renamed) for parent in PARENTS}


@pytest.mark.parametrize("kind", ALL)
def test_it_trains_as_its_parent_does_with_the_values_that_it_fixes(kind):
    ours = kind(alpha=0.3).fit(X, y)
    parent = family(kind)[1](hidden_layer_sizes=(4,), max_iter=3, alpha=0.3, random_state=0).fit(X, y)
    assert_same(ours, parent)
    assert ours.n_iter_ == parent.n_iter_ == 3
    for part in getattr(ours, "estimators_", []):
        assert (part.max_iter, part.hidden_layer_sizes, part.alpha) == (3, (4,), 0.3)


@pytest.mark.parametrize("kind", ALL)
def test_its_parameters_are_those_of_its_own_constructor(kind):
    estimator = kind(alpha=0.3).set_params(random_state=7, **OWN[family(kind)[0]])
    expected = {"alpha": 0.3, "random_state": 7, **OWN[family(kind)[0]]}
    assert {**estimator.get_params(), **expected} == estimator.get_params() == clone(estimator).get_params()
    assert repr(estimator).startswith(f"{kind.__name__}(")
    assert all(f"{name}={value!r}" in repr(estimator) for name, value in expected.items())
    for name in ("hidden_layer_sizes", "solver"):
        assert name not in estimator.get_params()
        with pytest.raises(ValueError, match=f"Invalid parameter '{name}'"):
            estimator.set_params(**{name: None})
    assert_same(clone(estimator).fit(X, y), estimator.fit(X, y))
    with pytest.raises(ValueError, match="'alpha' parameter"):
        estimator.set_params(alpha=-1.0).fit(X, y)


@pytest.mark.parametrize("kind", ALL)
def test_a_parameter_that_is_set_is_heeded(kind):
    before = kind().fit(X, y)
    after = kind().set_params(alpha=50.0).fit(X, y)
    assert any(np.any(a != b) for a, b in zip(outputs(before), outputs(after), strict=True))
    if family(kind)[0] is not Fewer:
        name = "epochs" if family(kind)[0] is Renamed else "max_iter"
        assert kind().set_params(**{name: 2}).fit(X, y).n_iter_ == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ALL)
def test_a_grid_search_tries_its_own_parameters_and_those_of_its_parent(kind):
    def judge(estimator, samples, targets):
        return -estimator.n_iter_ - estimator.alpha

    grid = {"alpha": [0.2, 0.1], **{name: [getattr(kind(), name), value] for name, value in OWN[family(kind)[0]].items()}}
    search = GridSearchCV(kind(), grid, scoring=judge, cv=2, error_score="raise").fit(X, y)
    best = search.best_estimator_
    assert type(best) is kind
    assert best.alpha == 0.1
    assert best.n_iter_ == (2 if family(kind)[0] is Renamed else 3)


@pytest.mark.parametrize("kind", ALL)
def test_it_is_pickled_fitted_or_not(kind):
    estimator = kind(alpha=0.3)
    again = pickle.loads(pickle.dumps(estimator))
    assert again.get_params() == estimator.get_params()
    assert_same(pickle.loads(pickle.dumps(estimator.fit(X, y))), again.fit(X, y))


def test_a_subclass_of_a_subclass():
    strong = clone(FewerStill("strong")).fit(X, y)
    assert strong.get_params() == {"strength": "strong"}
    assert_same(strong, FewerClassifier(alpha=10.0).fit(X, y))
