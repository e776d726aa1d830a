"""The attribute of scikit-learn's classifier that converters and public code read: its name, and what it holds."""

import copy
import pickle

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.preprocessing import LabelBinarizer

from skbackprop import SigmoidBackpropClassifier
from skbackprop.neural_network import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
KINDS = ["binary", "words", "truths", "multiclass", "many words", "numbers far apart", "multilabel", "two labels"]


@pytest.fixture(scope="module")
def data(targets):
    """Inputs, and labels of each kind by name."""
    X, labels = targets
    others = {
        "words": np.array(["no", "yes"])[labels["binary"]],
        "truths": labels["binary"].astype(bool),
        "many words": np.array(["a", "b", "c"], object)[labels["multiclass"]],
        "numbers far apart": np.array([-7, 40, 1000])[labels["multiclass"]],
        "two labels": labels["multilabel"][:, :2],
    }
    return X, {**labels, **others}


@pytest.mark.parametrize("estimator", [SigmoidBackpropClassifier, MLPClassifier])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_that_of_the_labels(data, estimator, kind):
    X, y = data[0], data[1][kind]
    model = estimator((4,), max_iter=2, random_state=0).fit(X, y)
    expected = LabelBinarizer().fit(y)
    for one in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        found = one._label_binarizer
        assert found.y_type_ == expected.y_type_
        np.testing.assert_array_equal(found.classes_, expected.classes_)
        assert found.classes_.dtype.kind == expected.classes_.dtype.kind
        np.testing.assert_array_equal(found.transform(y), expected.transform(y))


@pytest.mark.parametrize("estimator", [SigmoidBackpropClassifier, MLPClassifier])
@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_what_it_makes_of_probabilities(data, estimator, kind):
    """As scikit-learn's own `predict` has them, and converters' graphs."""
    X, y = data[0], data[1][kind]
    model = estimator((4,), max_iter=20, random_state=0).fit(X, y)
    outputs = model.predict_proba(X)
    outputs = outputs[:, 1] if model.n_outputs_ == 1 else outputs
    np.testing.assert_array_equal(model._label_binarizer.inverse_transform(outputs), model.predict(X))


def converted(model, X):
    """Predictions by no more than what converters of scikit-learn's classifier read of it."""
    functions = {
        "logistic": lambda Z: 1 / (1 + np.exp(-Z)),
        "relu": lambda Z: np.maximum(Z, 0),
        "softmax": lambda Z: np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True),
    }
    A = X
    for layer in range(model.n_layers_ - 1):
        last = layer == model.n_layers_ - 2
        name = model.out_activation_ if last else model.activation
        A = functions[name](A @ model.coefs_[layer] + model.intercepts_[layer])
    if len(model.classes_) == 2:
        A = np.concatenate([1 - A, A], axis=1) if A.shape[1] == 1 else A
    if model._label_binarizer.y_type_ == "multilabel-indicator":
        return (A > 0.5).astype(int)
    return model.classes_[A.argmax(axis=1)]


@pytest.mark.parametrize("estimator", [neural_network.MLPClassifier, MLPClassifier, SigmoidBackpropClassifier])
@pytest.mark.parametrize("kind", KINDS)
def test_a_converter_of_scikit_learns_classifier_can_read_ours(data, estimator, kind):
    X, y = data[0], data[1][kind]
    model = estimator((4,), "relu", max_iter=20, random_state=0).fit(X, y)
    np.testing.assert_array_equal(converted(model, X), model.predict(X))


# Hand-set attributes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", [SigmoidBackpropClassifier, MLPClassifier])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_there_for_attributes_set_by_hand(data, estimator, kind):
    theirs = neural_network.MLPClassifier((4,), max_iter=2).fit(data[0], data[1][kind])
    ours = estimator((4,))
    assert not hasattr(ours, "_label_binarizer")
    for name in ("coefs_", "intercepts_", "out_activation_", "classes_", "n_layers_", "n_outputs_"):
        setattr(ours, name, getattr(theirs, name))
    found, expected = ours._label_binarizer, theirs._label_binarizer
    assert found.y_type_ == expected.y_type_
    np.testing.assert_array_equal(found.classes_, expected.classes_)


@pytest.mark.parametrize("estimator", [SigmoidBackpropClassifier, MLPClassifier])
@pytest.mark.parametrize("kind", KINDS)
def test_it_can_be_set_as_public_code_does(data, estimator, kind):
    model, labels = estimator((4,)), data[1][kind]
    binarizer = LabelBinarizer().fit(labels)
    model._label_binarizer = binarizer
    np.testing.assert_array_equal(model.classes_, binarizer.classes_)
    assert model._label_binarizer.y_type_ == binarizer.y_type_


@pytest.mark.parametrize("estimator", [SigmoidBackpropClassifier, MLPClassifier])
def test_labels_may_be_renamed_on_a_fitted_classifier(data, estimator):
    """Public code trains on numbers and then puts words in their place."""
    X, y = data[0], data[1]["multiclass"]
    model = estimator((4,), max_iter=20, random_state=0).fit(X, y)
    words = np.array(["low", "middle", "high"])
    before = model.predict(X)
    model.classes_ = words
    np.testing.assert_array_equal(model.predict(X), words[before])
    np.testing.assert_array_equal(converted(model, X), words[before])


def test_with_one_class_it_is_scikit_learns():
    X = np.arange(12.0).reshape(6, 2)
    theirs, ours = (kind((2,), max_iter=1).fit(X, ["only"] * 6) for kind in (neural_network.MLPClassifier, MLPClassifier))
    assert ours._label_binarizer.y_type_ == theirs._label_binarizer.y_type_
    np.testing.assert_array_equal(ours._label_binarizer.classes_, theirs._label_binarizer.classes_)
