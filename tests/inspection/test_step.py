"""The step that is looked at is training's own, bit for bit, and looking changes nothing."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from inspection_helpers import fit, make
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropOutlierDetector
from skbackprop._engine.network import Network
from skbackprop.inspection import check_gradients, gradient_flow, trace_backpropagation

STEPS = {
    "sgd": {"solver": "sgd"},
    "adam": {"solver": "adam"},
    "rprop": {"solver": "rprop"},
    "lbfgs": {"solver": "lbfgs"},
    "clipped and decayed": {"solver": "sgd", "clip_norm": 1e-3, "weight_decay": 0.1},
    "dropout": {"dropout": 0.3},
    "one cycle": {"learning_rate": "one_cycle", "max_iter": 1},
    "inverse scaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "no biases": {"fit_intercept": False},
    "no hidden layers": {"hidden_layer_sizes": ()},
    "balanced": {"class_weight": "balanced"},
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", STEPS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array])
@pytest.mark.usefixtures("numpy_engine")
def test_the_update_is_what_one_epoch_of_fit_adds_bit_for_bit(targets, weight, settings, dtype, container):
    X, y = container(targets[0].astype(dtype)), targets[1]["multiclass"]
    classifier = make(standardize=False, **STEPS[settings])
    trace = trace_backpropagation(classifier, X, y, weight)
    fit(classifier, X, y, weight)
    for layer, coef, intercept in zip(trace.layers, classifier.coefs_, classifier.intercepts_, strict=True):
        assert layer.weights_update.dtype == dtype
        np.testing.assert_array_equal(layer.weights_update, coef - layer.weights)
        assert np.any(layer.weights_update)
        if classifier.fit_intercept:
            np.testing.assert_array_equal(layer.biases_update, intercept - layer.biases)
    assert trace.loss == pytest.approx(classifier.loss_curve_[0], rel=1e-6) or settings == "lbfgs"


def training_weights(classifier):
    """The weights that training goes on from, which may not be those that are published."""
    sizes = [classifier.coefs_[0].shape[0], *(coef.shape[1] for coef in classifier.coefs_)]
    network = Network(sizes, classifier._activations, classifier.fit_intercept, np.dtype(float))
    coefs, _ = network.layer_views(classifier._training_state.theta)
    return copy.deepcopy(coefs)


@pytest.mark.usefixtures("numpy_engine")
@pytest.mark.parametrize("solver", ["sgd", "adam", "rprop", "lbfgs"])
def test_of_a_warm_start_the_trace_is_the_next_step(targets, weight, solver):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = make(solver=solver, warm_start=True, standardize=False, dropout=0.2 if solver in {"sgd", "adam"} else 0)
    for _ in range(2):
        fit(classifier, X, y, weight)
    before = training_weights(classifier)
    trace = trace_backpropagation(classifier, X, y, weight)
    fit(classifier, X, y, weight)
    for layer, old, new in zip(trace.layers, before, training_weights(classifier), strict=True):
        np.testing.assert_array_equal(layer.weights, old)
        np.testing.assert_array_equal(layer.weights_update, new - old)


@pytest.mark.usefixtures("numpy_engine")
@pytest.mark.parametrize("learning_rate", ["auto", "one_cycle", "invscaling"])
def test_after_partial_fit_the_trace_is_its_next_step(targets, learning_rate):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = make(learning_rate=learning_rate, solver="sgd", standardize=False)
    for _ in range(2):
        classifier.partial_fit(X, y, classes=[0, 1, 2])
    before = training_weights(classifier)
    trace = trace_backpropagation(classifier, X, y)
    classifier.partial_fit(X, y)
    for layer, old, new in zip(trace.layers, before, training_weights(classifier), strict=True):
        np.testing.assert_array_equal(layer.weights_update, new - old)


@pytest.mark.parametrize("inspect", [check_gradients, trace_backpropagation, gradient_flow])
@pytest.mark.parametrize("settings", [{}, {"warm_start": True, "early_stopping": True, "shuffle": True, "dropout": 0.3}])
def test_looking_changes_nothing(targets, inspect, settings):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = make(random_state=np.random.RandomState(3), batch_size=32, verbose=False, **settings)
    for _ in range(2):
        before = pickle.dumps(classifier)
        inspect(classifier, X, y)
        assert pickle.dumps(classifier) == before
        fit(classifier, X, y)
    shared = check_random_state(None)
    before = pickle.dumps(shared.get_state())
    inspect(make(random_state=None), X, y)
    assert pickle.dumps(shared.get_state()) == before


@pytest.mark.parametrize("inspect", [check_gradients, trace_backpropagation, gradient_flow])
def test_fitted_classifiers_take_batches_without_every_class_and_training_goes_on_from_saved_state(targets, inspect):
    X, y = targets[0], targets[1]["multiclass"]
    classifier = fit(make(warm_start=True, early_stopping=True, shuffle=True, batch_size=20), X, y)
    rows = np.flatnonzero(y == 1)[:3]
    inspect(classifier, X[rows], y[rows])
    # As many rows as in training: no memory of which were held out.
    assert len(inspect(classifier, X, y).layers) == 3
    assert len(trace_backpropagation(classifier, X, y).layers[0].inputs) == 150


@pytest.mark.parametrize("inspect", [check_gradients, trace_backpropagation, gradient_flow])
def test_bad_input_gives_the_usual_errors(targets, inspect):
    X, y = targets[0], targets[1]["binary"]
    with pytest.raises(TypeError, match=r"Got Pipeline as the estimator: pass .*last step"):
        inspect(make_pipeline(StandardScaler(), make()), X, y)
    with pytest.raises(TypeError, match=r"Got the class SigmoidBackpropClassifier as the estimator: pass a network"):
        inspect(SigmoidBackpropClassifier, X, y)
    with pytest.raises(
        TypeError, match=r"Got SigmoidBackpropOutlierDetector as .* outlier detector one of its estimators_"
    ):
        inspect(SigmoidBackpropOutlierDetector(), X)
    with pytest.raises(ValueError, match="requires y"):
        inspect(make(), X)
    with pytest.raises(ValueError, match="NaN"):
        inspect(make(), np.full_like(X, np.nan), y)
    with pytest.raises(ValueError, match="'alpha' parameter"):
        inspect(make(alpha=-1), X, y)
    with pytest.raises(ValueError, match="dropout"):
        inspect(make(dropout=0.5, solver="rprop"), X, y)
    with pytest.raises(ValueError, match="6 features"):
        inspect(fit(make(), X, y), X[:, :5], y)
