"""What is kept of training, and where pickles say that it lives: those paths stay."""

import copy
import pickle
import pickletools
from dataclasses import fields

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop._engine.descent import DescentState
from skbackprop._engine.patience import Patience
from skbackprop._estimators.state import TrainingState

X, y = load_iris(return_X_y=True)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SETTINGS = {"hidden_layer_sizes": (4, 4), "max_iter": 3, "random_state": 0}
KEPT = {"warm_start": True, "early_stopping": True, **SETTINGS}
# A pickle of an earlier version must find its classes here: what moves or is renamed breaks the files of users.
EVERY = {
    "skbackprop._engine.descent.DescentState",
    "skbackprop._engine.patience.Patience",
    "skbackprop._estimators.scaling.Scaling",
    "skbackprop._estimators.state.TrainingState",
    "skbackprop.activations.Logistic",
}
PATHS = {
    SigmoidBackpropClassifier: {
        "skbackprop._estimators.classifier.SigmoidBackpropClassifier",
        "skbackprop._estimators.labels.Labels",
        "skbackprop.losses._classification.CategoricalLogLoss",
    },
    SigmoidBackpropRegressor: {
        "skbackprop._estimators.regressor.SigmoidBackpropRegressor",
        "skbackprop._estimators.scaling.TargetScaling",
        "skbackprop.losses._regression.SquaredError",
    },
    SigmoidBackpropAutoencoder: {
        "skbackprop._estimators.autoencoder.SigmoidBackpropAutoencoder",
        "skbackprop._estimators.scaling.TargetScaling",
        "skbackprop.losses._regression.SquaredError",
    },
}


def named_by(estimator):
    """The classes of this package that an estimator's pickle names, as module.name."""
    # Protocol 3 names a class in one opcode.
    opcodes = pickletools.genops(pickle.dumps(estimator, protocol=3))
    names = {argument.replace(" ", ".") for opcode, argument, _ in opcodes if opcode.name == "GLOBAL"}
    return {name for name in names if name.startswith("skbackprop.")}


@pytest.mark.parametrize("estimator", PATHS)
def test_a_pickle_names_paths_that_stay(estimator):
    assert named_by(estimator(**KEPT).fit(X, y)) == EVERY | PATHS[estimator]


def test_a_pickled_detector_names_paths_that_stay():
    assert named_by(SigmoidBackpropOutlierDetector((4,), max_iter=3, random_state=0).fit(X)) == {
        "skbackprop._estimators.autoencoder.SigmoidBackpropAutoencoder",
        "skbackprop._estimators.outlier.SigmoidBackpropOutlierDetector",
        "skbackprop.activations.Logistic",
        "skbackprop.initializers.NearIdentity",
        "skbackprop.losses._regression.SquaredError",
    }


def test_a_fitted_estimator_is_slim_unless_training_can_go_on():
    assert SigmoidBackpropClassifier(**SETTINGS).fit(X, y)._training_state is None
    for fitted in (
        SigmoidBackpropClassifier(**KEPT).fit(X, y),
        SigmoidBackpropClassifier(**SETTINGS).partial_fit(X, y, classes=[0, 1, 2]),
    ):
        assert isinstance(fitted._training_state, TrainingState)


def test_a_state_is_what_its_fields_say():
    state = SigmoidBackpropClassifier(**KEPT, dropout=0.2).fit(X, y)._training_state
    assert vars(state).keys() == {field.name for field in fields(TrainingState)}
    assert isinstance(state.descent, DescentState)
    assert isinstance(state.patience, Patience)
    assert state.descent.epochs == 3
    # Three passes of seven batches of 20.
    assert state.descent.steps == 3 * 3 * 7
    assert state.descent.mean.shape == state.theta.shape
    assert state.rows_seen == 135
    assert state.n_samples == len(state.rows) + len(state.held_out) == 150
    assert state.generator is not None


@pytest.mark.parametrize("call", ["fit", "partial_fit"])
def test_going_on_leaves_an_earlier_state_as_it_was(call):
    fitted = SigmoidBackpropClassifier(**SETTINGS, warm_start=True).fit(X, y)
    before = fitted._training_state
    kept = copy.deepcopy(before)
    getattr(fitted, call)(X, y)
    assert fitted._training_state is not before
    np.testing.assert_array_equal(before.theta, kept.theta)
    assert before.descent.epochs == kept.descent.epochs
    for name, value in kept.descent.memory.items():
        np.testing.assert_array_equal(before.descent.memory[name], value)
    assert before.random_state.get_state()[2] == kept.random_state.get_state()[2]


def test_rows_of_another_run_are_kept_only_where_they_fit():
    def state():
        rows, held_out = np.arange(8), np.arange(8, 10)
        return TrainingState(np.random.RandomState(0), n_samples=10, rows=rows, held_out=held_out)

    kept = state()
    kept.match(10, splits=True, in_order=False)
    assert len(kept.rows) == 8
    for n_samples, splits, in_order in ((10, False, False), (11, True, False), (10, True, True)):
        other = state()
        other.match(n_samples, splits, in_order)
        assert other.rows is other.held_out is None
        assert other.n_samples == n_samples
