"""Names made into parts, and parts of the user's own that are no children of the base classes."""

import copy
import numbers
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.utils._param_validation import Interval

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop._estimators.parameters import check_parameter, make_part
from skbackprop._part import Completed
from skbackprop.activations import Activation, Tanh
from skbackprop.initializers import Initializer, Uniform
from skbackprop.losses import CLASSIFICATION_LOSSES, CategoricalLogLoss, Loss, SquaredError
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.optimizers import LBFGS, OPTIMIZERS, SGD, Adam, Optimizer
from skbackprop.schedules import Constant

X, y = load_iris(return_X_y=True)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Wrapped:
    """Forwards some methods to a part, and is otherwise no part at all."""

    def __init__(self, inner, *names):
        self.inner = inner
        for name in names:
            setattr(self, name, getattr(inner, name))

    def __repr__(self):
        return f"Wrapped({self.inner!r})"


# Each has what validation asks for, and what it does not share with the base class; beside it the part that it stands for.
OWN = {
    "activation": (Wrapped(Tanh(), "forward", "backward"), Tanh()),
    "init": (Wrapped(Uniform(), "fill"), Uniform()),
    "solver": (Wrapped(SGD(0.5), "initial_state", "update"), SGD(0.5)),
    "learning_rate": (Wrapped(Constant(), "next_rate", "after_plateau"), Constant()),
    "loss": (
        Wrapped(CategoricalLogLoss(), "loss_gradient", "predict", "constant_scores", "normalized"),
        CategoricalLogLoss(),
    ),
}
SETTINGS = {"hidden_layer_sizes": (5,), "max_iter": 5, "random_state": 0}
ONE_OR_TWO = Interval(numbers.Integral, 1, 2, closed="both")
EVERY = [
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
    MLPClassifier,
    MLPRegressor,
]


def assert_same_weights(one, other):
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.usefixtures("numpy_engine")
@pytest.mark.parametrize("name", OWN)
def test_what_a_part_of_ones_own_lacks_is_taken_from_its_base_class(name):
    own, plain = OWN[name]
    fitted = SigmoidBackpropClassifier(**SETTINGS, **{name: own}).fit(X, y)
    assert_same_weights(fitted, SigmoidBackpropClassifier(**SETTINGS, **{name: plain}).fit(X, y))
    assert getattr(fitted, name) is own
    assert np.isfinite(fitted.predict_log_proba(X)).sum() > 0


def test_a_minimiser_of_ones_own_is_given_all_samples_at_once():
    own = Wrapped(LBFGS(), "minimize")
    fitted = SigmoidBackpropClassifier(**SETTINGS, solver=own).fit(X, y)
    assert_same_weights(fitted, SigmoidBackpropClassifier(**SETTINGS, solver=LBFGS()).fit(X, y))
    assert not hasattr(fitted, "partial_fit")


@pytest.mark.usefixtures("numpy_engine")
def test_a_loss_of_numbers_of_ones_own():
    own = Wrapped(SquaredError(), "loss_gradient", "predict", "constant_scores", "location_scale")
    fitted = SigmoidBackpropRegressor(own, **SETTINGS).fit(X[:, :3], X[:, 3])
    assert_same_weights(fitted, SigmoidBackpropRegressor(SquaredError(), **SETTINGS).fit(X[:, :3], X[:, 3]))


class Doubled:
    """An activation that knows nothing of this package."""

    def forward(self, A, cache):
        np.multiply(A, 2, A)

    def backward(self, A, cache, delta):
        np.multiply(delta, 2, delta)

    def __repr__(self):
        return "Doubled()"


def test_a_completed_part_is_copied_pickled_and_shown_as_the_users():
    completed = make_part({}, Doubled(), Activation, None)
    assert isinstance(completed, Completed)
    for one in (completed, copy.deepcopy(completed), pickle.loads(pickle.dumps(completed))):
        assert repr(one) == "Doubled()"
        assert (one.needs_cache, one.gain, one.mean) == (False, Activation.gain, Activation.mean)
        with pytest.raises(AttributeError, match="nothing"):
            _ = one.nothing
    fitted = SigmoidBackpropClassifier(**SETTINGS, activation=Doubled()).fit(X, y)
    again = pickle.loads(pickle.dumps(clone(fitted).fit(X, y)))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_a_part_asked_for_by_name_has_those_settings_that_it_shares(monkeypatch):
    class Lion(Optimizer):
        shared = ("beta_1",)

        def __init__(self, beta_1=0.9, beta_2=0.99):
            self.beta_1 = beta_1
            self.beta_2 = beta_2

    class Focal(CategoricalLogLoss):
        def __init__(self, alpha=0.25):
            self.alpha = alpha

    estimator = SigmoidBackpropClassifier(alpha=0.5, beta_1=0.7, beta_2=0.8)
    lion = make_part({"lion": Lion}, "lion", Optimizer, estimator)
    assert (lion.beta_1, lion.beta_2) == (0.7, 0.99)
    assert make_part({"focal": Focal}, "focal", Loss, estimator).alpha == 0.25
    adam = make_part(OPTIMIZERS, "adam", Optimizer, estimator)
    assert (adam.beta_1, adam.beta_2) == (0.7, 0.8)


@pytest.mark.parametrize(("table", "value"), [(OPTIMIZERS, Adam), (CLASSIFICATION_LOSSES, CategoricalLogLoss)])
def test_a_class_in_place_of_an_instance_is_refused(table, value):
    with pytest.raises(ValueError, match=rf"Got the class {value.__name__}: pass an instance of it"):
        make_part(table, value, Initializer, None)


def test_adamw_decays_weights_by_its_own_share_unless_the_estimator_has_one():
    def fit(**parameters):
        return SigmoidBackpropClassifier(**SETTINGS, **parameters).fit(X, y)

    assert_same_weights(fit(solver="adamw"), fit(solver="adam", weight_decay=0.01))
    assert_same_weights(fit(solver="adamw", weight_decay=0.3), fit(solver="adam", weight_decay=0.3))


# Those that are numbers, and no booleans.
NUMBERS = {
    kind: [
        name
        for name, allowed in kind._parameter_constraints.items()
        if not {"boolean", "verbose"} & {one for one in allowed if isinstance(one, str)}
        and isinstance(getattr(kind(), name), numbers.Number | tuple | None)
    ]
    for kind in (SigmoidBackpropClassifier, SigmoidBackpropRegressor, SigmoidBackpropOutlierDetector, MLPClassifier)
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NUMBERS.items() for name in names])
def test_a_boolean_is_no_number(kind, name):
    for value in (True, False):
        words = rf"^The '{name}' parameter of {kind.__name__} must be .* Got {value} instead\.$"
        with pytest.raises(ValueError, match=words):
            kind(**{name: value}).fit(X, y)


def test_the_numbers_are_all_there():
    assert {"hidden_layer_sizes", "max_iter", "n_folds", "n_jobs", "tol"} <= {*NUMBERS[SigmoidBackpropClassifier]}
    assert {"batch_size", "n_estimators"} <= {*NUMBERS[SigmoidBackpropOutlierDetector]}


@pytest.mark.parametrize("sizes", [(3, True), [True], np.array([True, True])], ids=str)
def test_a_boolean_is_no_size(sizes):
    with pytest.raises(ValueError, match=r"must be a whole number of at least 1, .* Got .*True.* instead\.$"):
        SigmoidBackpropClassifier(sizes).fit(X, y)


@pytest.mark.parametrize("estimator", EVERY)
def test_defaults_are_valid_and_those_of_a_subclass_are_looked_at(estimator):
    """The package's own are not validated in `fit`: this is where they are."""
    for name in estimator().get_params():
        check_parameter(estimator(), name)

    class Child(estimator):
        def __init__(self, alpha=-1.0, hidden_layer_sizes=(3,)):
            super().__init__(alpha=alpha, hidden_layer_sizes=hidden_layer_sizes)

    class Stricter(estimator):
        _parameter_constraints = {
            **estimator._parameter_constraints,
            "max_iter": [Interval(numbers.Integral, 1, 2, closed="both")],
        }

    for child, refused in ((Child, "alpha"), (Stricter, "max_iter")):
        for method in ("fit", "partial_fit"):
            if hasattr(child(), method):
                with pytest.raises(ValueError, match=f"'{refused}' parameter of {child.__name__}"):
                    getattr(child(), method)(X, y)
