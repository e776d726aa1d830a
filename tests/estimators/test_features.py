"""What a network knows inside: activations against their formulas, input gradients against central differences."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.special import expit
from scipy.stats import norm
from sklearn import config_context
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._estimators import features
from skbackprop.activations import ACTIVATIONS

FUNCTIONS = {
    "identity": lambda Z: Z,
    "logistic": expit,
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda Z: np.maximum(Z, 0),
    "silu": lambda Z: Z * expit(Z),
    "gelu": lambda Z: Z * norm.cdf(Z),
    "elu": lambda Z: np.where(Z > 0, Z, np.expm1(np.minimum(Z, 0))),
}


# Few epochs are enough here; what the warnings say is tested where they are raised.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def fit(X, y, estimator=SigmoidBackpropClassifier, **parameters):
    """A fitted small network, standardised inside unless told otherwise."""
    return estimator(**{"hidden_layer_sizes": (6, 5, 4), "max_iter": 5, "random_state": 0, **parameters}).fit(X, y)


def spread(X):
    """Inputs in unlike units, so that a gradient in the wrong ones is seen."""
    return X * np.logspace(-2, 2, X.shape[1]) + 3


# transform -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array, pd.DataFrame])
def test_a_layers_activations_are_those_of_the_formula(targets, activation, container):
    assert FUNCTIONS.keys() == ACTIVATIONS.keys()
    X, function = spread(targets[0]), FUNCTIONS[activation]
    classifier = fit(container(X), targets[1]["multiclass"], activation=activation)
    A = X
    for layer, (coef, intercept) in enumerate(zip(classifier.coefs_[:-1], classifier.intercepts_[:-1], strict=True)):
        A = function(A @ coef + intercept)
        for number in (layer, layer - 3):
            np.testing.assert_allclose(classifier.transform(container(X), layer=number), A, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(classifier.transform(container(X)), A, rtol=1e-9, atol=1e-12)


def test_activations_have_the_dtype_of_inputs_and_weights(targets):
    X, y = targets[0], targets[1]["binary"]
    single = fit(X.astype(np.float32), y)
    assert single.transform(X.astype(np.float32)).dtype == np.float32
    assert fit(X, y).transform(X.astype(np.float32)).dtype == np.float64


@pytest.mark.parametrize("layer", [3, -4, 1.0, "last", None])
def test_a_layer_that_is_not_there_is_an_error(targets, layer):
    with pytest.raises(ValueError, match="for a network of 3 hidden layers: pass a whole number from -3 to 2"):
        fit(targets[0], targets[1]["binary"]).transform(targets[0], layer=layer)


def test_without_hidden_layers_there_is_no_transform(targets):
    classifier = fit(targets[0], targets[1]["binary"], hidden_layer_sizes=())
    assert not hasattr(classifier, "transform")
    assert not hasattr(classifier, "fit_transform")
    with pytest.raises(AttributeError, match="transform"):
        classifier.transform(targets[0])


def test_set_output_names_the_units_of_the_last_layer(targets):
    X, y = targets[0], targets[1]["binary"]
    classifier = fit(X, y)
    plain = classifier.transform(X)
    frame = classifier.set_output(transform="pandas").transform(X)
    assert list(frame) == list(classifier.get_feature_names_out()) == [f"sigmoidbackpropclassifier{i}" for i in range(4)]
    np.testing.assert_array_equal(frame, plain)
    with pytest.raises(ValueError, match="Got layer=0 with set_output"):
        classifier.transform(X, layer=0)
    assert classifier.set_output(transform="default").transform(X, layer=0).shape == (150, 6)
    with config_context(transform_output="polars"):
        assert fit(X, y).transform(X).columns == list(classifier.get_feature_names_out())


def test_hidden_activations_are_features_for_another_estimator():
    X, y = load_diabetes(return_X_y=True)
    network = SigmoidBackpropRegressor(hidden_layer_sizes=(20, 10), random_state=0)
    assert make_pipeline(network, Ridge()).fit(X, y).score(X, y) > 0.5
    np.testing.assert_array_equal(network.fit_transform(X, y), network.transform(X))


# input_gradient ------------------------------------------------------------------------------------------------------


def central_differences(score, X, scale):
    """Derivatives of a function of X, of shape (n_samples,), with respect to each feature."""
    columns = []
    for feature in range(X.shape[1]):
        step = np.zeros(X.shape[1])
        step[feature] = 1e-5 * scale[feature]
        columns.append((score(X + step) - score(X - step)) / (2 * step[feature]))
    return np.column_stack(columns)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden_layer_sizes", [(), pytest.param((5,), marks=pytest.mark.slow), (6, 5, 4)])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("standardize", [True, False])
def test_a_classifiers_gradients_are_central_differences(targets, kind, hidden_layer_sizes, activation, standardize):
    X = spread(targets[0]) if standardize else targets[0]
    y = targets[1][kind]
    classifier = fit(X, y, hidden_layer_sizes=hidden_layer_sizes, activation=activation, standardize=standardize)
    scale = X.std(axis=0)

    def scores(inputs):
        return classifier.decision_function(inputs).reshape(len(inputs), -1)

    largest = scores(X).argmax(axis=1)
    gradients = []
    for output in range(classifier.n_outputs_):
        gradients.append(classifier.input_gradient(X, output=output))
        expected = central_differences(lambda inputs, output=output: scores(inputs)[:, output], X, scale)
        np.testing.assert_allclose(gradients[-1] * scale, expected * scale, atol=1e-7)
    chosen = np.take_along_axis(np.array(gradients), largest[np.newaxis, :, np.newaxis], axis=0)[0]
    np.testing.assert_array_equal(classifier.input_gradient(X), chosen)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("container", [np.asarray, sp.csr_array, pd.DataFrame])
def test_a_regressors_gradients_are_in_the_units_of_inputs_and_targets(loss, container):
    X, y = load_diabetes(return_X_y=True)
    X = spread(X)
    regressor = fit(container(X), y, SigmoidBackpropRegressor, loss=loss, activation="tanh")
    # Before the link: the logarithm of a Poisson mean.
    link = np.log if loss == "poisson" else np.asarray
    plain = SigmoidBackpropRegressor(**regressor.get_params())
    plain.__dict__.update({name: value for name, value in vars(regressor).items() if name != "feature_names_in_"})
    expected = central_differences(lambda inputs: link(plain.predict(inputs)), X, X.std(axis=0))
    gradient = regressor.input_gradient(container(X))
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


def test_gradients_in_chunks_are_the_same(targets, monkeypatch):
    X = targets[0]
    classifier = fit(X, targets[1]["multiclass"])
    whole = classifier.input_gradient(X)
    monkeypatch.setattr(features, "ROWS_AT_A_TIME", 7)
    np.testing.assert_allclose(classifier.input_gradient(X), whole, rtol=1e-12)


@pytest.mark.parametrize("output", [3, -1, 0.0, "a"])
def test_an_output_that_is_not_there_is_an_error(targets, output):
    with pytest.raises(ValueError, match="for a network of 3 outputs: pass a whole number from 0 to 2, or None"):
        fit(targets[0], targets[1]["multiclass"]).input_gradient(targets[0], output=output)


def test_a_feature_that_plays_no_part_has_no_gradient(targets):
    X = targets[0].copy()
    X[:, 2] = 7
    classifier = fit(X, targets[1]["binary"], hidden_layer_sizes=(), init="auto", max_iter=50)
    gradient = classifier.input_gradient(X)
    assert not gradient[:, 2].any()
    assert (np.abs(gradient[:, 0]) > 0.1).all()


@pytest.mark.parametrize("inputs", [True, np.int64(1)])
def test_outputs_are_numbers_of_any_integral_type(targets, inputs):
    classifier = fit(targets[0], targets[1]["multiclass"])
    np.testing.assert_array_equal(
        classifier.input_gradient(targets[0], output=inputs), classifier.input_gradient(targets[0], output=1)
    )
