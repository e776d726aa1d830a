"""What is saved of a fitted estimator is plain data and public classes, and is made again of it."""

import copy
import importlib
import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

import skbackprop
from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop._estimators.plain import FIELDS, KIND, as_plain, from_plain
from skbackprop.activations import Tanh
from skbackprop.losses import SquaredError
from skbackprop.neural_network import MLPClassifier, MLPRegressor

X, y = load_iris(return_X_y=True)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Bent:
    """An activation of the user's own, of no class of this package."""

    def forward(self, A, cache):
        """As Tanh does."""
        Tanh().forward(A, cache)

    def backward(self, A, cache, delta):
        """As Tanh does."""
        Tanh().backward(A, cache, delta)


class Doubled:
    """A loss of the user's own, of no class of this package."""

    def __getattr__(self, name):
        if name in {"loss_gradient", "predict", "constant_scores", "location_scale"}:
            return getattr(SquaredError(), name)
        raise AttributeError(name)


SETTINGS = {"hidden_layer_sizes": (4, 3), "max_iter": 3, "random_state": 0}
WARM = {**SETTINGS, "warm_start": True}
ESTIMATORS = {
    "classifier": SigmoidBackpropClassifier(**WARM, early_stopping=True, dropout=0.2),
    "rprop": SigmoidBackpropClassifier(**{**WARM, "random_state": np.random.RandomState(3)}, solver="rprop"),
    "regressor": SigmoidBackpropRegressor(**WARM, loss="poisson"),
    "autoencoder": SigmoidBackpropAutoencoder(**WARM, noise=0.1, tied=False),
    "detector": SigmoidBackpropOutlierDetector(**SETTINGS),
    "MLPClassifier": MLPClassifier(**WARM),
    "MLPRegressor": MLPRegressor(**WARM),
    "own activation": SigmoidBackpropClassifier(**WARM, activation=["tanh", Bent()]),
    "own loss": SigmoidBackpropRegressor(**WARM, loss=Doubled()),
}


def fitted(name):
    target = np.c_[y, 2.0 * y] if name == "MLPRegressor" else y
    return clone(ESTIMATORS[name]).fit(X, target)


def kinds_in(value):
    """The types of all values in nested lists, tuples and dicts, and in the states of our own objects."""
    yield type(value)
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    elif type(value).__module__.startswith("skbackprop."):
        value = [value.__getstate__() if hasattr(value, "__getstate__") else vars(value)]
    if isinstance(value, list | tuple):
        for part in value:
            yield from kinds_in(part)


def same(one, other):
    """Whether nested values are equal, bit for bit, and of the same types."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.random.RandomState):
        return same(one.get_state(), other.get_state())
    if isinstance(one, np.random.Generator):
        return same(one.bit_generator.state, other.bit_generator.state)
    one, other = as_plain(one), as_plain(other)
    if isinstance(one, dict) or type(one).__module__.startswith("skbackprop"):
        one, other = (part if isinstance(part, dict) else vars(part) for part in (one, other))
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return one == other or one != one or type(one) in {Bent, Doubled}


NUMPY = np.ndarray, np.number, np.random.RandomState, np.random.Generator
PLAIN = dict, list, tuple, str, int, float, bool, type(None), *NUMPY


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_state_is_plain_data_and_public_classes(name):
    estimator = fitted(name)
    if hasattr(estimator, "partial_fit"):
        # The second call leaves the parts of its run.
        estimator.partial_fit(X, np.c_[y, y] if name == "MLPRegressor" else y)
        estimator.partial_fit(X, np.c_[y, y] if name == "MLPRegressor" else y)
    others = {kind for kind in kinds_in(estimator) if not issubclass(kind, (*PLAIN, type, Bent, Doubled))}
    assert {f"{kind.__module__}.{kind.__qualname__}" for kind in others} <= set(skbackprop.TRUSTED_TYPES)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda estimator: pickle.loads(pickle.dumps(estimator))])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_copy_has_what_the_original_has(name, copied):
    estimator = fitted(name)
    other = copied(estimator)
    assert vars(other).keys() == vars(estimator).keys()
    for attribute, value in vars(estimator).items():
        assert same(vars(other)[attribute], value), attribute
    for method in {"predict", "transform", "score_samples"} & set(dir(estimator)):
        np.testing.assert_array_equal(getattr(other, method)(X), getattr(estimator, method)(X))


@pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)
def test_each_kind_is_known_by_its_name_alone(kind):
    assert [other for other in FIELDS if other.__name__ == kind.__name__] == [kind]


def test_what_is_no_kind_is_left_as_it_is():
    for value in ({"kind": 1}, (1, "two"), [{}], ({}, {"a": 1}), None, "Labels", object()):
        assert as_plain(value) is value
        assert from_plain(value) is value or from_plain(value) == value


@pytest.mark.parametrize("name", ["SigmoidBackpropClassifier", "object", "", None, ["Labels"]])
def test_a_file_can_name_no_other_kind(name):
    state = {**SigmoidBackpropClassifier().__getstate__(), "_labels": {KIND: name, "classes": [0, 1]}}
    with pytest.raises(
        ValueError, match=r"^Got an estimator that was saved with .* does not know: load it with the version"
    ):
        SigmoidBackpropClassifier().__setstate__(state)


def test_the_trusted_types_are_the_public_classes_of_the_parts_and_estimators():
    for path in skbackprop.TRUSTED_TYPES:
        module, _, name = path.rpartition(".")
        value = getattr(importlib.import_module(module), name)
        assert module.split(".")[0] == "skbackprop"
        assert (value.__module__, value.__qualname__) == (module, name)
        assert inspect.isclass(value) or module == "skbackprop.preprocessing"
        assert inspect.isfunction(value) or not name.startswith("_")
    names = {path.rpartition(".")[2] for path in skbackprop.TRUSTED_TYPES}
    assert {"SigmoidBackpropClassifier", "MLPRegressor", "PiecewiseLinearEncoder", "GELU", "HuberLoss", "Adam"} <= names
    # What writes files must not come out of one.
    assert "Checkpoint" not in names
    assert "TRUSTED_TYPES" in dir(skbackprop)
