"""Graphs in onnxruntime against the estimators that they are made from: equal labels, and numbers equal to rounding."""

import sys
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop.activations import ACTIVATIONS, Activation
from skbackprop.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES, BinaryLogLoss, HuberLoss, SquaredError
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.preprocessing import PiecewiseLinearEncoder

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
from skbackprop.onnx import CONVERTERS, to_onnx

# Few epochs are enough here.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, y = load_iris(return_X_y=True)
# Samples far from those of training, where activations saturate and exponentials overflow.
FAR = np.vstack([X, 1e3 * X, -1e3 * X, 1e15 * X[:2], -1e15 * X[:2]])
LABELS = {
    "two": (y == 1).astype(int),
    "booleans": y == 1,
    "three": y,
    "int64": np.array([10**12, -3, 7])[y],
    "whole floats": y.astype(float),
    "bytes": y.astype(np.uint8),
    "text": np.array(["setosa", "ä", "日本"])[y],
    "objects": np.array(["b", "no"], dtype=object)[y % 2],
    "several a sample": np.column_stack([y > 0, y > 1, X[:, 0] > 6]).astype(int),
}
DTYPES = [np.float32, np.float64]


def classifier(**parameters):
    return SigmoidBackpropClassifier(**{"hidden_layer_sizes": (6,), "max_iter": 10, "random_state": 0, **parameters})


def regressor(kind=SigmoidBackpropRegressor, **parameters):
    return kind(**{"hidden_layer_sizes": (6,), "max_iter": 10, "random_state": 0, **parameters})


def detector(**parameters):
    settings = {"hidden_layer_sizes": (8,), "max_iter": 5, "n_estimators": 3, "random_state": 0}
    return SigmoidBackpropOutlierDetector(**{**settings, **parameters})


def run(model, X):
    """What a graph puts out for a table; one of several inputs gets a column each."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    columns = np.split(X, X.shape[1], axis=1) if len(names) > 1 else [X]
    return session.run(None, dict(zip(names, columns, strict=True)))


def assert_close(found, expected, rounding=0.0):
    """Assert that numbers agree, to rounding in the type of those that a graph puts out, or to up to ten times that."""
    expected = np.asarray(expected).reshape(found.shape)
    largest = np.maximum(1, np.abs(expected).max(axis=0))
    bound = {np.float32: 1e-5, np.float64: 1e-12}[found.dtype.type]
    assert np.all(np.abs(found - expected) / largest < np.clip(rounding, bound, 10 * bound))


def assert_same_classifier(model, estimator, X, rounding=0.0):
    labels, probabilities = run(model, X)
    assert_array_equal(labels, estimator.predict(X))
    assert_close(probabilities, estimator.predict_proba(X), rounding)
    assert probabilities.dtype == X.dtype


# Estimators --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trained_in", DTYPES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_far_from_the_data_too(activation, dtype, trained_in):
    estimator = classifier(hidden_layer_sizes=(6, 5), activation=activation).fit(X.astype(trained_in), y)
    given = FAR.astype(dtype)
    # Of large terms whose sum is small the last digits are lost, in whatever order they are added up.
    terms = np.abs(given)
    for coef in estimator.coefs_:
        terms = terms @ np.abs(coef)
    # (In float64 they are too small to be seen.)
    rounding = np.finfo(np.float32).eps * terms.max(axis=1, keepdims=True) if terms.dtype == np.float32 else 0.0
    assert_same_classifier(to_onnx(estimator, given), estimator, given, rounding)


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("loss", CLASSIFICATION_LOSSES)
def test_every_kind_of_labels_with_every_loss(loss, labels):
    estimator = classifier(loss=loss, activation=["tanh"]).fit(X, LABELS[labels])
    assert_same_classifier(to_onnx(estimator), estimator, FAR)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("labels", ["two", "text", "several a sample"])
def test_options_of_classifiers_are_those_of_skl2onnx(labels, dtype):
    estimator, given = classifier().fit(X, LABELS[labels]), X.astype(dtype)
    names = estimator.classes_.tolist()
    expected, probabilities = estimator.predict(given), estimator.predict_proba(given)

    # Of skl2onnx itself dicts are what comes without options.
    for model in (to_onnx(estimator, given, options={"zipmap": True}), skl2onnx.to_onnx(estimator, given)):
        found, dicts = run(model, given)
        assert_array_equal(found, expected)
        assert [list(one) for one in dicts] == [names] * len(X)
        assert_allclose([list(one.values()) for one in dicts], probabilities, atol=1e-6)
    _, *columns = run(to_onnx(estimator, given, options={"zipmap": "columns"}), given)
    assert_close(np.column_stack(columns), probabilities)
    *_, class_labels = run(to_onnx(estimator, given, options={"output_class_labels": True}), given)
    assert_array_equal(class_labels, names)
    positions, _ = run(to_onnx(estimator, given, options={"nocl": True}), given)
    assert_array_equal(positions if expected.ndim == 2 else estimator.classes_[positions], expected)

    Z = estimator.decision_function(given)
    # As of skl2onnx's own classifiers, a column for each of two classes.
    Z = np.column_stack([-Z, Z]) if Z.ndim == 1 else Z
    found, scores = run(to_onnx(estimator, given, options={"raw_scores": True}), given)
    assert_array_equal(found, expected)
    assert_close(scores, Z)
    (features,) = run(to_onnx(estimator, given, options={SigmoidBackpropClassifier: {"transform": True}}), given)
    assert_close(features, estimator.transform(given))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
@pytest.mark.parametrize("kind", [SigmoidBackpropRegressor, MLPRegressor])
def test_regressors_with_every_loss_and_several_outputs(kind, loss, n_outputs, dtype):
    table, target = load_diabetes(return_X_y=True)
    estimator = regressor(kind, loss=loss).fit(table, np.column_stack([target, 2 * target + 1])[:, :n_outputs].squeeze())
    given = table.astype(dtype)
    (found,) = run(to_onnx(estimator, given), given)
    assert found.shape == (len(table), n_outputs)
    assert_close(found, estimator.predict(given))


@pytest.mark.parametrize("labels", [y, y == 1, np.zeros(len(y), int)], ids=["three", "two", "one"])
def test_mlp_classifiers_also_of_one_class(labels):
    estimator = MLPClassifier((6,), max_iter=10, random_state=0).fit(X, labels)
    assert_same_classifier(to_onnx(estimator), estimator, X)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("loss", "sizes"), [("squared_error", (5, 2, 5)), ("squared_error", (3, 3)), ("poisson", (2,)), ("gamma", (4, 2, 2, 4))]
)
def test_autoencoders_have_a_code_and_a_reconstruction(loss, sizes, dtype):
    autoencoder = SigmoidBackpropAutoencoder(sizes, activation="elu", loss=loss, max_iter=10, random_state=0).fit(X)
    given = X.astype(dtype)
    code, reconstruction = run(to_onnx(autoencoder, given), given)
    assert_close(code, autoencoder.transform(given))
    assert_close(reconstruction, autoencoder.inverse_transform(autoencoder.transform(given)))
    # As a step of a pipeline it is what `transform` returns.
    assert len(run(skl2onnx.to_onnx(autoencoder, given), given)) == 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ["logistic", "gelu"])
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", HuberLoss(delta=0.3)], ids=str)
def test_outlier_detectors(loss, activation, dtype):
    fitted, given = detector(loss=loss, activation=activation).fit(X), FAR.astype(dtype)
    labels, scores, score_samples = run(to_onnx(fitted, given, options={"score_samples": True}), given)
    assert_array_equal(labels.ravel(), fitted.predict(given))
    assert set(labels.ravel()) == {-1, 1}
    assert_close(scores, fitted.decision_function(given))
    assert_close(score_samples, fitted.score_samples(given))
    assert len(run(to_onnx(fitted, given), given)) == 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_encoder_of_numbers(dtype):
    table = np.column_stack([X, y, y == 1, np.full(len(X), 7.0)])
    encoder, given = PiecewiseLinearEncoder(4).fit(table), (3 * table - 5).astype(dtype)
    (found,) = run(to_onnx(encoder, given), given)
    assert_close(found, encoder.transform(given))


# Within scikit-learn's ---------------------------------------------------------------------------------------------------


def mlp():
    return MLPClassifier((6,), max_iter=10, random_state=0)


def search(estimator, name):
    return GridSearchCV(estimator, {name: [1e-4, 1e-2]}, cv=2)


columns = ColumnTransformer([("a", StandardScaler(), [0, 2]), ("b", MinMaxScaler(), [1, 3])])
HOLDERS = {
    "pipeline": make_pipeline(StandardScaler(), PiecewiseLinearEncoder(4), classifier()),
    "columns": make_pipeline(columns, classifier()),
    "search": search(classifier(), "alpha"),
    "search of a pipeline": search(make_pipeline(StandardScaler(), mlp()), "mlpclassifier__alpha"),
    "calibrated": CalibratedClassifierCV(classifier(), cv=2),
    "calibrated probabilities": CalibratedClassifierCV(mlp(), cv=2),
    "calibrated pipeline": CalibratedClassifierCV(make_pipeline(StandardScaler(), classifier()), cv=2),
    "calibrated search": CalibratedClassifierCV(search(classifier(), "alpha"), cv=2),
    "pipeline of calibrated": make_pipeline(StandardScaler(), CalibratedClassifierCV(classifier(), cv=2)),
    "stacked": StackingClassifier([("a", classifier()), ("b", LogisticRegression())], classifier(), cv=2),
    "stacked pipelines": StackingClassifier([("a", make_pipeline(StandardScaler(), classifier()))], cv=2),
    "voting": VotingClassifier([("a", classifier()), ("b", mlp())], voting="soft", flatten_transform=False),
    "code": make_pipeline(SigmoidBackpropAutoencoder((5, 2, 5), max_iter=10, random_state=0), classifier()),
}


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("holder", HOLDERS)
def test_estimators_that_hold_ours(holder, n_classes):
    labels = np.array(["a", "b", "c"])[np.minimum(y, n_classes - 1)]
    estimator = HOLDERS[holder].fit(X, labels)
    for dtype in DTYPES:
        given = X.astype(dtype)
        assert_same_classifier(to_onnx(estimator, given), estimator, given)
        assert_same_classifier(skl2onnx.to_onnx(estimator, given, options={"zipmap": False}), estimator, given)


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), classifier(), LogisticRegression()),
        make_pipeline(FeatureUnion([("a", classifier()), ("b", make_pipeline(MinMaxScaler(), regressor()))]), classifier()),
        make_pipeline(ColumnTransformer([("a", regressor(), [0, 1]), ("b", StandardScaler(), [2])]), classifier()),
        search(make_pipeline(classifier(), LogisticRegression()), "logisticregression__C"),
    ],
    ids=["pipeline", "union", "columns", "search"],
)
def test_networks_before_the_last_step_give_their_features(estimator):
    assert_same_classifier(to_onnx(estimator.fit(X, y)), estimator, X)


def test_stacked_regressors():
    stacked = StackingRegressor([("a", regressor()), ("b", Ridge())], regressor(), cv=2).fit(X[:, :3], X[:, 3])
    (found,) = run(to_onnx(stacked), X[:, :3])
    assert_close(found, stacked.predict(X[:, :3]))


# What goes in -------------------------------------------------------------------------------------------------------------


def test_the_number_of_samples_is_not_fixed():
    estimator = classifier().fit(X, y)
    model = to_onnx(estimator, X[:3])
    assert [size.dim_param or size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim][1] == 4
    for n_samples in (1, 2, 150):
        assert_same_classifier(model, estimator, X[:n_samples])


def test_frames_have_an_input_for_each_column():
    frame = pd.DataFrame(X, columns=["sepal length", "sepal width", "c", "d"]).astype({"c": np.float32})
    estimator = classifier().fit(frame, y)
    labels, probabilities = run(to_onnx(estimator), frame.to_numpy(np.float64))
    assert_array_equal(labels, estimator.predict(frame))
    assert_close(probabilities, estimator.predict_proba(frame))
    model = to_onnx(estimator, frame)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    given = zip(session.get_inputs(), frame, strict=True)
    labels, probabilities = session.run(None, {one.name: frame[[name]].to_numpy() for one, name in given})
    assert_array_equal(labels, estimator.predict(frame))
    assert_close(probabilities, estimator.predict_proba(frame))


def test_whole_numbers_are_predicted_for_in_float64():
    table = load_breast_cancer().data.astype(np.int64)
    estimator = classifier().fit(table, table[:, 0] > 13)
    labels, probabilities = run(to_onnx(estimator, table), table)
    assert_array_equal(labels, estimator.predict(table))
    assert_close(probabilities, estimator.predict_proba(table))


def test_large_terms_that_cancel_do_so_in_the_graph_too():
    """Standardisation is folded into the first weights: in float32 a feature of mean 1e6 would drown what it says."""
    table = X + 1e6
    estimator = classifier(max_iter=100).fit(table, y)
    model = to_onnx(estimator, table.astype(np.float32))
    assert estimator.score(table.astype(np.float32), y) > 0.9
    assert_same_classifier(model, estimator, table.astype(np.float32))


def test_what_is_trained_in_float32_is_a_graph_of_float32():
    onnx = import_module("onnx")
    estimator = classifier(activation="gelu").fit(X.astype(np.float32), y)
    for model in (to_onnx(estimator), to_onnx(estimator, X.astype(np.float32))):
        assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        assert onnx.TensorProto.DOUBLE not in {constant.data_type for constant in model.graph.initializer}


# Public attributes, parts of one's own, errors ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator",
    [
        classifier(),
        regressor(loss="poisson"),
        SigmoidBackpropAutoencoder((5, 2, 5), max_iter=10),
        detector(),
        PiecewiseLinearEncoder(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_graphs_are_made_from_public_attributes_alone(estimator):
    def public(fitted):
        bare = type(fitted)(**fitted.get_params())
        vars(bare).update({name: value for name, value in vars(fitted).items() if not name.startswith("_")})
        for name in ("estimators_",) if hasattr(bare, "estimators_") else ():
            setattr(bare, name, [public(part) for part in getattr(bare, name)])
        return bare

    estimator.fit(X, y)
    for found, expected in zip(run(to_onnx(public(estimator)), X), run(to_onnx(estimator), X), strict=True):
        assert_array_equal(found, expected)


class Twist(Activation):
    """The activation z tanh(z)."""

    needs_cache = True

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, A, cache):
        np.copyto(cache, A)
        A *= np.tanh(self.factor * A)

    def backward(self, A, cache, delta):
        tanh = np.tanh(self.factor * cache)
        delta *= tanh + self.factor * cache * (1 - tanh**2)


class LinkOfError(SquaredError):
    """A loss of a link of its own."""

    output_activation = "square"

    def predict(self, Z):
        return Z**2


class Hinged:
    """A loss that has only what it must have, and a link of its own."""

    output_activation = "hinged"

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        BinaryLogLoss().loss_gradient(Y, Z, values, gradient, scratch)

    def predict(self, Z):
        return np.clip(Z / 20 + 0.5, 0.05, 0.95)

    def constant_scores(self, Y, sample_weight):
        return BinaryLogLoss().constant_scores(Y, sample_weight)


class AnotherError(SquaredError):
    """A loss with nothing new but its gradient."""

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        super().loss_gradient(Y, Z, values, gradient, scratch)


def _twist(part, graph, Z):
    return graph.node("Mul", Z, graph.node("Tanh", graph.node("Mul", Z, part.factor)))


def _hinged(part, graph, Z):
    return graph.node("Min", graph.node("Max", graph.node("Add", graph.node("Div", Z, 20), 0.5), 0.05), 0.95)


def _squared(part, graph, Y, Z):
    return CONVERTERS[SquaredError.loss_gradient](part, graph, Y, Z)


OWN = {
    "activation": (regressor(activation=Twist(0.5)), Twist.forward, _twist, "predict"),
    "link": (regressor(loss=LinkOfError()), LinkOfError.predict, lambda part, graph, Z: graph.node("Mul", Z, Z), "predict"),
    "probabilities": (classifier(loss=Hinged()), Hinged.predict, _hinged, "predict_proba"),
    "errors": (detector(loss=AnotherError()), AnotherError.loss_gradient, _squared, "decision_function"),
}


@pytest.mark.parametrize("labels", [y, y > 0], ids=["three", "two"])
@pytest.mark.parametrize("name", OWN)
def test_parts_of_ones_own_are_converted_once_they_are_registered(name, labels, monkeypatch):
    estimator, method, convert, predict = OWN[name]
    estimator.fit(X, labels)
    kind, _, called = method.__qualname__.partition(".")
    with pytest.raises(ValueError, match=rf"^Got .*{kind}.* for whose {called} .*CONVERTERS\[{kind}\.{called}\] = convert"):
        to_onnx(estimator)
    monkeypatch.setitem(CONVERTERS, method, convert)
    assert_close(run(to_onnx(estimator), X)[-1], getattr(estimator, predict)(X))


def test_a_loss_of_ones_own_with_nothing_new_in_prediction_needs_no_converter():
    estimator = regressor(loss=AnotherError()).fit(X, y)
    assert_close(run(to_onnx(estimator), X)[0], estimator.predict(X))


def test_errors_say_what_to_do():
    with pytest.raises(NotFittedError):
        to_onnx(classifier(), X)
    with pytest.raises(ValueError, match=r"^Got target_opset=12: pass 13 or more"):
        to_onnx(classifier().fit(X, y), target_opset=12)
    changed = regressor().fit(X, y).set_params(loss="poisson")
    with pytest.raises(ValueError, match="out_activation_='identity': fit anew"):
        to_onnx(changed)
    dates = classifier().fit(X, np.array(["2020", "2021", "2022"], "M8[Y]")[y])
    with pytest.raises(ValueError, match=r"^Got classes_=.*: labels in ONNX are whole numbers or strings"):
        to_onnx(dates)
    assert_array_equal(dates.classes_[run(to_onnx(dates, options={"nocl": True}), X)[0]], dates.predict(X))


def test_every_version_of_the_operators_from_the_least_on():
    fitted = detector(activation="silu").fit(X)
    for target_opset in (13, 17, 21):
        assert_close(run(to_onnx(fitted, target_opset=target_opset), X)[1], fitted.decision_function(X))


@pytest.mark.parametrize("missing", ["onnx", "skl2onnx"])
def test_without_the_libraries_the_error_says_what_to_install(missing, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("skbackprop.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"^skbackprop\.onnx needs {missing}: pip install 'skbackprop\[onnx\]'\.$"):
        import_module("skbackprop.onnx")
