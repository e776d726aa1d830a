"""Weights set by hand on an unfitted object, as public code does with scikit-learn's networks: these are the oracle."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn import neural_network
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop.neural_network import MLPClassifier, MLPRegressor

X, y = load_iris(return_X_y=True)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
PUBLIC = ["coefs_", "intercepts_", "out_activation_", "classes_"]
MORE = [*PUBLIC, "n_layers_", "n_outputs_", "n_features_in_", "n_iter_", "t_", "loss_"]
LABELS = {
    "binary": y > 0,
    "words": np.array(["no", "yes"])[(y == 1).astype(int)],
    "multiclass": np.array([-7, 40, 1000])[y],
    "multilabel": np.column_stack([y > 0, X[:, 1] > 3]).astype(int),
}
ACTIVATIONS = ["logistic", "tanh", "relu", "identity"]
SIZES = [(), (5,), (5, 4)]


def set_by_hand(estimator, source, names):
    """Set attributes of one estimator on another, as copies."""
    for name in names:
        if hasattr(source, name):
            setattr(estimator, name, pickle.loads(pickle.dumps(getattr(source, name))))
    return estimator


@pytest.mark.parametrize("names", [PUBLIC, MORE], ids=["few", "many"])
@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("estimator", [SigmoidBackpropClassifier, MLPClassifier])
def test_a_classifier_predicts_as_scikit_learns_with_the_same_attributes(estimator, activation, sizes, kind, names):
    labels = LABELS[kind]
    theirs = neural_network.MLPClassifier(sizes, activation, max_iter=20, random_state=0).fit(X, labels)
    ours = set_by_hand(estimator(sizes, activation), theirs, names)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-9, atol=1e-12)
    if estimator is SigmoidBackpropClassifier:
        np.testing.assert_allclose(np.exp(ours.predict_log_proba(X)), theirs.predict_proba(X), atol=1e-9)
        assert len(ours.decision_function(X)) == len(X)
    assert ours.score(X, labels) == theirs.score(X, labels)
    # It is a pickle like any other, and has no more attributes than it was given.
    assert vars(ours).keys() == vars(estimator()).keys() | {*names}
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(ours)).predict(X), ours.predict(X))


@pytest.mark.parametrize("names", [PUBLIC, MORE], ids=["few", "many"])
@pytest.mark.parametrize("target", [X[:, 0], X[:, :2]], ids=["one output", "two outputs"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("estimator", [SigmoidBackpropRegressor, MLPRegressor])
def test_a_regressor_predicts_as_scikit_learns_with_the_same_attributes(estimator, activation, sizes, target, names):
    settings = {"hidden_layer_sizes": sizes, "activation": activation}
    theirs = neural_network.MLPRegressor(**settings, max_iter=20, random_state=0).fit(X, target)
    ours = set_by_hand(estimator(**settings), theirs, names)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-9, atol=1e-12)
    assert ours.score(X, target) == pytest.approx(theirs.score(X, target))
    assert ours.input_gradient(X[:3], output=0).shape == (3, 4)
    if sizes:
        assert ours.transform(X).shape == (150, sizes[-1])


def test_our_own_attributes_make_the_same_estimator():
    """Those of a fitted one of ours, of links that scikit-learn's classes do not have, too."""
    for fitted in (
        SigmoidBackpropRegressor("poisson", (4,), max_iter=5, random_state=0).fit(X, y + 1.0),
        SigmoidBackpropClassifier((4,), loss="squared_error", max_iter=5, random_state=0).fit(X, y > 0),
    ):
        bare = set_by_hand(type(fitted)(**fitted.get_params()), fitted, PUBLIC)
        np.testing.assert_allclose(bare.predict(X), fitted.predict(X), rtol=1e-12)
    autoencoder = SigmoidBackpropAutoencoder((4, 2, 4), max_iter=5, random_state=0, standardize=False).fit(X)
    bare = set_by_hand(SigmoidBackpropAutoencoder((4, 2, 4)), autoencoder, PUBLIC)
    code = autoencoder.transform(X)
    np.testing.assert_array_equal(bare.transform(X), code)
    np.testing.assert_array_equal(bare.inverse_transform(code), autoencoder.inverse_transform(code))
    np.testing.assert_allclose(bare.score_samples(X), autoencoder.score_samples(X))


def exclusive_or():
    """The textbook's network, in whole numbers, whose classes are a list."""
    network = SigmoidBackpropClassifier(activation="relu")
    network.coefs_ = [np.array([[1, 1], [1, 1]]), np.array([[2], [-4]])]
    network.intercepts_ = [np.array([0, -1]), np.array([-1])]
    network.out_activation_ = "logistic"
    network.classes_ = ["even", "odd"]
    return network


CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_whole_numbers_and_lists():
    network = exclusive_or()
    assert network.predict(CORNERS).tolist() == ["even", "odd", "odd", "even"]
    np.testing.assert_array_equal(network.decision_function(CORNERS), [-1, 1, 1, -1])
    assert network.predict(np.tile(CORNERS, (50_000, 1))).tolist() == ["even", "odd", "odd", "even"] * 50_000
    assert network.predict(np.array(CORNERS, np.float32)).tolist() == ["even", "odd", "odd", "even"]


def test_other_weights_count_at_once():
    """Nothing of the first ones is kept: neither the number of layers nor the classes."""
    network = exclusive_or()
    network.predict(CORNERS)
    network.coefs_, network.intercepts_ = [np.array([[1, -1, 0], [0, 0, 2]])], [np.array([0, 0, 0.5])]
    network.out_activation_, network.classes_ = "softmax", np.array([3, 2, 1])
    np.testing.assert_array_equal(network.predict([[9, 0], [-9, 0], [0, 9]]), [3, 2, 1])


def test_training_goes_on_from_them():
    network = exclusive_or().set_params(hidden_layer_sizes=(2,), warm_start=True, max_iter=1, learning_rate_init=1e-9)
    before = [coef.copy() for coef in network.coefs_]
    with pytest.raises(ValueError, match="same classes as in the previous call"):
        network.fit(CORNERS, [0, 1, 1, 0])
    network.fit(CORNERS, network.predict(CORNERS))
    for one, other in zip(network.coefs_, before, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("lacking", PUBLIC)
@pytest.mark.parametrize("estimator", [SigmoidBackpropClassifier, MLPClassifier, SigmoidBackpropRegressor, MLPRegressor])
def test_where_some_lack_it_is_not_fitted(estimator, lacking):
    source = exclusive_or()
    if estimator in {SigmoidBackpropRegressor, MLPRegressor}:
        source.out_activation_ = "identity"
        if lacking == "classes_":
            lacking = "coefs_"
    ours = set_by_hand(estimator(activation="relu"), source, [name for name in PUBLIC if name != lacking])
    words = f"This {estimator.__name__} instance is not fitted yet"
    with pytest.raises(NotFittedError, match=words):
        ours.predict(CORNERS)
    with pytest.raises(NotFittedError, match=words):
        estimator().predict(CORNERS)
    set_by_hand(ours, source, [lacking]).predict(CORNERS)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        (
            {"coefs_": [np.ones(2), np.ones((2, 1))]},
            r"Got coefs_\[0\] of shape \(2,\): set an array of shape \(fan_in, fan_out",
        ),
        ({"coefs_": []}, r"Got coefs_=\[\]: set a list of arrays"),
        ({"coefs_": [[[1, 2], [3]], [[1], [2]]]}, r"Got coefs_\[0\] of type list: set an array of numbers"),
        (
            {"coefs_": [np.ones((2, 1), np.longdouble)]},
            r"Got coefs_\[0\] of type .*: set an array of numbers, float64 at most",
        ),
        ({"coefs_": [np.array([["a"], ["b"]])]}, r"Got coefs_\[0\] of type <U1: set an array of numbers"),
        ({"intercepts_": [np.ones(2)]}, "Got coefs_ of 2 and intercepts_ of 1 layers"),
        (
            {"intercepts_": [np.ones(2), np.ones(2)]},
            r"Got intercepts_\[1\] of shape \(2,\) with coefs_\[1\] of shape \(2, 1\)",
        ),
        (
            {"intercepts_": [np.array([0, -np.inf]), np.zeros(1)]},
            r"Got NaN or infinity in intercepts_\[0\]: set finite weights",
        ),
        ({"classes_": [0, 1, 2]}, "Got 3 classes_ with coefs_ of 1 output units"),
        ({"out_activation_": "softmax"}, "Got out_activation_='softmax' with loss='log_loss', whose .* is 'logistic'"),
        ({"activation": ["relu", "tanh"]}, "Got activation=.* for 1 hidden layer"),
    ],
)
def test_what_does_not_fit_together_is_refused(attributes, words):
    network = exclusive_or()
    vars(network).update(attributes)
    with pytest.raises(ValueError, match=words):
        network.predict_proba(CORNERS)


def test_another_number_of_features_is_refused():
    for inputs in ([[1.0]], np.ones((3, 3))):
        with pytest.raises(ValueError, match=f"X has {np.shape(inputs)[1]} features, but .* is expecting 2 features"):
            exclusive_or().predict(inputs)


SETTINGS = {"max_iter": 2, "random_state": 0, "warm_start": True}
KINDS = {
    "classifier": (SigmoidBackpropClassifier((5, 4), **SETTINGS), X),
    "regressor": (SigmoidBackpropRegressor(hidden_layer_sizes=(5, 4), **SETTINGS), X.astype(np.float32)),
    "autoencoder": (SigmoidBackpropAutoencoder((5, 2, 5), **SETTINGS), X),
}


def fitted(kind):
    """A fitted network."""
    estimator, inputs = KINDS[kind]
    return clone(estimator).fit(inputs, y)


METHODS = ["predict", "predict_proba", "decision_function", "transform", "score_samples", "input_gradient", "fit"]


def answers(network):
    """Functions of no arguments, each of which asks the network for something."""
    names = [
        name for name in METHODS if hasattr(network, name) and (name, hasattr(network, "score_samples")) != ("predict", 1)
    ]
    return [lambda name=name: getattr(network, name)(*((X, y) if name == "fit" else (X,))) for name in names]


def changed(name, layer, value, in_place):
    """Return a function that gives a fitted network other weights in one layer."""

    def change(network):
        layers = getattr(network, name)
        new = value(layers[layer]) if callable(value) else value
        if in_place:
            layers[layer] = new
        else:
            setattr(network, name, [*layers[:layer], new, *layers[layer + 1 :]])

    return change


@pytest.mark.parametrize("in_place", [False, True], ids=["set", "in place"])
@pytest.mark.parametrize(
    ("name", "layer", "value", "words"),
    [
        ("coefs_", 1, lambda coef: coef * np.nan, r"Got NaN or infinity in coefs_\[1\]: set finite weights"),
        ("intercepts_", 0, lambda intercept: intercept * np.nan, r"Got NaN or infinity in intercepts_\[0\]: set finite"),
        ("coefs_", 1, np.ones((3, 2)), r"Got coefs_\[1\] of shape \(3, 2\) above coefs_\[0\] of shape \(4, 5\): set"),
        ("intercepts_", 0, np.ones(7), r"Got intercepts_\[0\] of shape \(7,\) with coefs_\[0\] of shape \(4, 5\): set"),
        (
            "coefs_",
            0,
            np.ones((6, 5)),
            r"Got coefs_\[0\] of shape \(6, 5\): set 4 rows|X has 4 features|Got coefs_ of shapes|Training cannot",
        ),
        ("coefs_", 1, [[1, 2], [3]], r"Got coefs_\[1\] of type list: set an array of numbers"),
        ("intercepts_", 0, np.array(list("abcde")), r"Got intercepts_\[0\] of type <U1: set an array of numbers"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_other_weights_of_a_fitted_network_are_named(kind, name, layer, value, words, in_place):
    network = fitted(kind)
    changed(name, layer, value, in_place)(network)
    for ask in answers(network):
        with pytest.raises(ValueError, match=words) as caught:
            ask()
        assert ". " not in str(caught.value)


@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
def test_without_its_weights_a_network_that_has_predicted_is_not_fitted(name):
    network = fitted("classifier")
    network.predict(X)
    delattr(network, name)
    for method in ("predict", "predict_proba"):
        with pytest.raises(NotFittedError):
            getattr(network, method)(X)


@pytest.mark.parametrize("value", [None, "text", [[1.0]]], ids=repr)
@pytest.mark.parametrize("convert", [np.asarray, np.ndarray.tolist, csr_array, np.asfortranarray])
def test_what_is_no_weight_is_named_for_inputs_of_any_kind(convert, value):
    network = fitted("classifier")
    network.coefs_[0] = value
    with pytest.raises(ValueError, match=r"Got coefs_\[0\] of type \w+: set an array of numbers"):
        network.predict(convert(X))


def test_a_fitted_classifier_has_an_output_for_each_class_and_an_autoencoder_for_each_feature():
    network = fitted("classifier")
    network.coefs_, network.intercepts_ = (
        [np.ones((4, 5)), np.ones((5, 2)), np.ones((2, 7))],
        [np.ones(n) for n in (5, 2, 7)],
    )
    with pytest.raises(ValueError, match="Got 3 classes_ with coefs_ of 7 output units"):
        network.predict(X)
    autoencoder = fitted("autoencoder")
    autoencoder.coefs_, autoencoder.intercepts_ = network.coefs_, network.intercepts_
    for method in (autoencoder.transform, autoencoder.inverse_transform, autoencoder.score_samples):
        with pytest.raises(ValueError, match=r"Got coefs_ of shapes \[\(4, 5\), \(5, 2\), \(2, 7\)\]: set a hidden layer"):
            method(X)


# As arrays of one type, of several, or as no arrays at all.
FORMS = {
    "lists": lambda layers: [part.tolist() for part in layers],
    "whole numbers": lambda layers: [np.round(10 * part).astype(int) for part in layers],
    "nested lists of whole numbers": lambda layers: [np.round(10 * part).astype(int).tolist() for part in layers],
    "mixed": lambda layers: [part.astype([np.float32, np.float64, int][layer % 3]) for layer, part in enumerate(layers)],
    "mixed otherwise": lambda layers: [
        part.astype([np.float32, np.float16][layer % 2]) for layer, part in enumerate(layers)
    ],
    "a tuple": tuple,
}


@pytest.mark.parametrize("first", ["set", "fit"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_weights_in_other_forms_predict_as_scikit_learns_and_are_trained_on(activation, form, first):
    theirs = neural_network.MLPClassifier((5, 4), activation, max_iter=20, random_state=0).fit(X, y)
    ours = SigmoidBackpropClassifier((5, 4), activation, max_iter=1, warm_start=True)
    if first == "fit":
        ours.fit(X.astype(np.float32), y)
    set_by_hand(ours, theirs, ["classes_", "out_activation_"])
    coefs, intercepts = FORMS[form](theirs.coefs_), FORMS[form](theirs.intercepts_)
    ours.coefs_, ours.intercepts_ = coefs, intercepts
    # (scikit-learn's takes no lists.)
    theirs.coefs_, theirs.intercepts_ = list(map(np.asarray, coefs)), list(map(np.asarray, intercepts))
    many = np.tile(X, (40, 1))
    for inputs in (X, many):
        np.testing.assert_allclose(ours.predict_proba(inputs), theirs.predict_proba(inputs), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(
        ours.predict_proba(many.astype(np.float32))[:150], ours.predict_proba(X.astype(np.float32))
    )
    assert np.isfinite(ours.input_gradient(X[:5])).all()
    before = [np.asarray(coef, float) for coef in ours.coefs_]
    ours.set_params(learning_rate_init=1e-9).fit(X, y)
    for one, other in zip(ours.coefs_, before, strict=True):
        assert one.dtype == (np.float32 if form == "mixed otherwise" else np.float64)
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("solver", ["adam", "sgd", "rprop", "lbfgs"])
@pytest.mark.parametrize("kind", KINDS)
def test_training_goes_on_in_the_type_that_all_weights_promote_to(kind, solver):
    network = fitted(kind).set_params(solver=solver)
    network.fit(X, y)
    network.coefs_[-1] = np.ones(network.coefs_[-1].shape, int)
    network.intercepts_[0] = network.intercepts_[0].astype(np.float64)
    network.fit(X, y)
    assert {part.dtype for part in (*network.coefs_, *network.intercepts_)} == {np.dtype(np.float64)}
