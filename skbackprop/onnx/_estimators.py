"""The estimators in skl2onnx: what they put out, of which types, and the nodes that compute it."""

import numpy as np
import skl2onnx
from onnx import helper
from skl2onnx._parse import _parse_sklearn_classifier
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType, guess_tensor_type
from skl2onnx.common.utils_classifier import get_label_classes
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._estimators.autoencoder import SigmoidBackpropAutoencoder
from .._estimators.classifier import SigmoidBackpropClassifier
from .._estimators.outlier import CLIPPED_AT, PREFERENCE, SigmoidBackpropOutlierDetector
from .._estimators.regressor import SigmoidBackpropRegressor
from .._estimators.words import shown
from ..activations import ACTIVATIONS
from ..losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES, Loss
from ..neural_network import MLPClassifier, MLPRegressor
from ..preprocessing import PiecewiseLinearEncoder, _ramps
from ._graph import Graph, row_sums

# From there on the axes of a sum are an input.
LEAST_OPSET = 13


def _loss_of(estimator, table):
    """Return the loss of a fitted estimator; the table is that of the losses that have a name."""
    loss = table[estimator.loss]() if isinstance(estimator.loss, str) else estimator.loss
    link = getattr(loss, "output_activation", Loss.output_activation)
    if link != estimator.out_activation_:
        raise ValueError(
            f"Got loss={estimator.loss!r}, whose output activation is {link!r}, with out_activation_="
            f"{estimator.out_activation_!r}: fit anew with that loss."
        )
    return loss


def _begin(scope, operator, container, dtype=None):
    """Return a graph in the type in which an estimator predicts, and the name of its inputs, as one array."""
    estimator = operator.raw_operator
    check_is_fitted(estimator)
    if container.target_opset < LEAST_OPSET:
        raise ValueError(f"Got target_opset={container.target_opset}: pass {LEAST_OPSET} or more.")
    if dtype is None:
        narrow = all(isinstance(variable.type, FloatTensorType) for variable in operator.inputs)
        weights = (part.dtype for part in (*estimator.coefs_, *estimator.intercepts_))
        dtype = np.result_type(np.float32 if narrow else np.float64, *weights)
    graph = Graph(scope, container, dtype)
    # Of a frame each column is an input.
    columns = [_cast(graph, variable.full_name, graph.dtype) for variable in operator.inputs]
    return graph, columns[0] if len(columns) == 1 else graph.node("Concat", *columns, axis=1)


def _cast(graph, name, dtype, out=None):
    """Return the name of the same in another type."""
    return graph.node("Cast", name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), out=out)


def _end(graph, variable, name):
    """Make a result an output, of the type that it is declared with."""
    double = not isinstance(variable.type, FloatTensorType)
    _cast(graph, name, np.float64 if double else np.float32, out=variable.full_name)


def _layers(graph, estimator, A):
    """Return the names of the activations of each hidden layer and, last, of the raw scores."""
    given, layers = estimator.activation, []
    for layer, (coef, intercept) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        Z = graph.node("Add", graph.node("MatMul", A, coef), intercept)
        if layer == len(estimator.coefs_) - 1:
            return [*layers, Z]
        activation = given[layer] if isinstance(given, list | tuple) else given
        A = graph.convert(ACTIVATIONS[activation] if isinstance(activation, str) else activation, "forward", Z)
        layers.append(A)
    return layers


def _parse(scope, model, inputs, names):
    """Declare an operator, and return its outputs, of those names."""
    operator = scope.declare_local_operator(skl2onnx.get_model_alias(type(model)), model)
    operator.inputs = inputs
    for name in names:
        kind = Int64TensorType() if name == "label" else guess_tensor_type(inputs[0].type)
        operator.outputs.append(scope.declare_local_variable(name, kind))
    return operator.outputs


def _parse_classifier(scope, model, inputs, custom_parsers=None):
    if _wants(scope, model, "transform"):
        return _parse(scope, model, inputs, ["features"])
    outputs = _parse_sklearn_classifier(scope, model, inputs, custom_parsers=custom_parsers)
    if scope.get_options(model, {"zipmap": True})["zipmap"] is True:
        # What ONNX makes dicts of is float32.
        operator = next(operator for operator in scope.operators.values() if operator.raw_operator is model)
        operator.outputs[1].set_type(FloatTensorType())
    return outputs


def _parse_regressor(scope, model, inputs, custom_parsers=None):
    return _parse(scope, model, inputs, ["features" if _wants(scope, model, "transform") else "variable"])


def _parse_autoencoder(scope, model, inputs, custom_parsers=None):
    return _parse(scope, model, inputs, ["code"] + ["reconstruction"] * _wants(scope, model, "reconstruction"))


def _parse_detector(scope, model, inputs, custom_parsers=None):
    return _parse(scope, model, inputs, ["label", "scores"] + ["score_samples"] * _wants(scope, model, "score_samples"))


def _parse_encoder(scope, model, inputs, custom_parsers=None):
    return _parse(scope, model, inputs, ["encoded"])


def _wants(scope, model, option):
    """Return whether the user has switched on an option."""
    return bool(scope.get_options(model, {option: False}).get(option))


def _labels(scope, classifier):
    """Return the classes as an array of int64 or of strings."""
    classes = np.asarray(get_label_classes(scope, classifier))
    if all(isinstance(label, str) for label in classes.tolist()):
        return classes.astype(object)
    whole = classes.dtype.kind in "iubf" and np.array_equal(classes, classes.astype(np.int64))
    if not whole:
        raise ValueError(
            f"Got classes_={shown(classes.tolist())}: labels in ONNX are whole numbers or strings; fit to such labels, or "
            "pass the option nocl=True, with which positions in classes_ are predicted."
        )
    return classes.astype(np.int64)


def _network_shapes(operator):
    """Set the types of what a regressor or an autoencoder puts out."""
    estimator, n_rows = operator.raw_operator, operator.inputs[0].get_first_dimension()
    layers = _output_layers(operator.scope_inst, estimator)
    for variable, layer in zip(operator.outputs, layers, strict=False):
        variable.type.shape = [n_rows, len(estimator.intercepts_[layer])]


def _classifier_shapes(operator):
    estimator, n_rows = operator.raw_operator, operator.inputs[0].get_first_dimension()
    if len(operator.outputs) == 1:
        operator.outputs[0].type.shape = [n_rows, len(estimator.intercepts_[-2])]
        return
    classes = _labels(operator.scope_inst, estimator)
    kind = StringTensorType if classes.dtype == object else Int64TensorType
    label, scores = operator.outputs
    label.set_type(kind([n_rows, len(classes)] if estimator.multilabel_ else [n_rows]))
    scores.type.shape = [n_rows, max(len(estimator.intercepts_[-1]), 2)]


def _detector_shapes(operator):
    for variable in operator.outputs:
        variable.type.shape = [operator.inputs[0].get_first_dimension(), 1]


def _output_layers(scope, estimator):
    """Return the numbers of the layers that a regressor or an autoencoder puts out."""
    if isinstance(estimator, SigmoidBackpropAutoencoder):
        # The code is the narrowest hidden layer.
        code = int(np.argmin([len(intercept) for intercept in estimator.intercepts_[:-1]]))
        return [code - len(estimator.intercepts_), -1]
    return [-2 if _wants(scope, estimator, "transform") else -1]


def _encoder_shapes(operator):
    n_outputs = len(_ramps(operator.raw_operator.edges_).T)
    operator.outputs[0].type.shape = [operator.inputs[0].get_first_dimension(), n_outputs]


def _convert_classifier(scope, operator, container):
    estimator = operator.raw_operator
    graph, X = _begin(scope, operator, container)
    layers = _layers(graph, estimator, X)
    if len(operator.outputs) == 1:
        _end(graph, operator.outputs[0], layers[-2])
        return
    Z, (label, scores) = layers[-1], operator.outputs
    raw = container.has_options(estimator, "raw_scores") and (
        _wants(container, estimator, "raw_scores") or _is_calibrated(scope, estimator)
    )
    _end(graph, scores, _raw_scores(graph, estimator, Z) if raw else _probabilities(graph, estimator, Z))
    if estimator.multilabel_:
        _cast(graph, graph.node("Greater", Z, 0), np.int64, out=label.full_name)
        return
    classes = _labels(scope, estimator)
    if len(estimator.intercepts_[-1]) == 1:
        # With one class every sample is of it.
        classes = classes.take([0, 1], mode="clip")
        positive = _cast(graph, graph.node("Greater", Z, 0), np.int64)
        codes = graph.node("Reshape", positive, graph.constant([-1], np.int64))
    else:
        codes = graph.node("ArgMax", Z, axis=1, keepdims=0)
    graph.node("Gather", graph.constant(classes, classes.dtype), codes, out=label.full_name)


def _is_calibrated(scope, classifier):
    """Return whether raw scores are calibrated: skl2onnx does not ask pipelines and searches for them."""
    found = [operator.raw_operator for operator in scope.operators.values()]
    held = [part for one in found if isinstance(one, CalibratedClassifierCV) for part in one.calibrated_classifiers_]
    return any(_last(part.estimator) is classifier for part in held)


def _last(estimator):
    """Return what predicts in the end, within pipelines and searches."""
    while isinstance(estimator, Pipeline) or hasattr(estimator, "best_estimator_"):
        estimator = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator.best_estimator_
    return estimator


def _raw_scores(graph, classifier, Z):
    # As skl2onnx does, and as its calibrated classifiers ask for, a column for each of two classes.
    two = len(classifier.intercepts_[-1]) == 1
    return graph.node("Concat", graph.node("Neg", Z), Z, axis=1) if two else Z


def _probabilities(graph, classifier, Z):
    two = len(classifier.intercepts_[-1]) == 1
    kind = "binary" if two else "multilabel-indicator" if classifier.multilabel_ else "multiclass"
    loss = _loss_of(classifier, {name: kinds[kind] for name, kinds in CLASSIFICATION_LOSSES.items()})
    if two:
        parts = [graph.convert(loss, method, Z) for method in ("predict_complement", "predict")]
        return graph.node("Concat", *parts, axis=1)
    if kind == "multiclass" and not getattr(loss, "normalized", Loss.normalized):
        return graph.node("Softmax", graph.convert(loss, "log_predict", Z), axis=1)
    return graph.convert(loss, "predict", Z)


def _convert_network(scope, operator, container):
    """Convert a regressor or an autoencoder."""
    estimator = operator.raw_operator
    graph, X = _begin(scope, operator, container)
    layers = _layers(graph, estimator, X)
    for variable, layer in zip(operator.outputs, _output_layers(scope, estimator), strict=False):
        result = layers[layer]
        if layer == -1:
            result = graph.convert(_loss_of(estimator, REGRESSION_LOSSES), "predict", result)
        _end(graph, variable, result)


def _convert_detector(scope, operator, container):
    detector = operator.raw_operator
    graph, X = _begin(scope, operator, container, np.float64)
    standardized = graph.node("Div", graph.node("Sub", X, detector.mean_), detector.scale_)
    standardized = graph.node("Max", graph.node("Min", standardized, CLIPPED_AT), -CLIPPED_AT)
    errors = []
    for part in detector.estimators_:
        Z = _layers(graph, part, standardized)[-1]
        errors.append(graph.convert(_loss_of(part, REGRESSION_LOSSES), "loss_gradient", standardized, Z))
    errors = graph.node("Max", graph.node("Concat", *errors, axis=1), np.finfo(np.float32).tiny)
    errors = graph.node("Sub", graph.node("Log", errors), detector.error_mean_)
    errors = graph.node("Div", errors, detector.error_scale_)
    weights = graph.node("Softmax", graph.node("Mul", errors, PREFERENCE), axis=1)
    score = graph.node("Neg", row_sums(graph, graph.node("Mul", errors, weights)))
    decision = graph.node("Sub", score, detector.offset_)
    signs = (graph.constant(sign, np.int64) for sign in (1, -1))
    graph.node("Where", graph.node("GreaterOrEqual", decision, 0), *signs, out=operator.outputs[0].full_name)
    for variable, result in zip(operator.outputs[1:], (decision, score), strict=False):
        _end(graph, variable, result)


def _convert_encoder(scope, operator, container):
    graph, X = _begin(scope, operator, container, np.float64)
    column, lower, width, least, most = _ramps(operator.raw_operator.edges_)
    encoded = graph.node("Gather", X, graph.constant(column, np.int64), axis=1)
    encoded = graph.node("Div", graph.node("Sub", encoded, lower), width)
    _end(graph, operator.outputs[0], graph.node("Min", graph.node("Max", encoded, least), most))


_SWITCH = [False, True]
_OF_CLASSIFIERS = {
    "zipmap": [True, False, "columns"],
    "output_class_labels": _SWITCH,
    "nocl": _SWITCH,
    "transform": _SWITCH,
}
# Of each class what declares its outputs, sets their types and converts it, and its options. (`MLPClassifier` has no
# `decision_function`, so that scikit-learn, too, calibrates its probabilities.)
_CLASSIFIER = _parse_classifier, _classifier_shapes, _convert_classifier
_REGRESSOR = _parse_regressor, _network_shapes, _convert_network
ESTIMATORS = {
    SigmoidBackpropClassifier: (*_CLASSIFIER, {**_OF_CLASSIFIERS, "raw_scores": _SWITCH}),
    MLPClassifier: (*_CLASSIFIER, _OF_CLASSIFIERS),
    SigmoidBackpropRegressor: (*_REGRESSOR, {"transform": _SWITCH}),
    MLPRegressor: (*_REGRESSOR, {"transform": _SWITCH}),
    SigmoidBackpropAutoencoder: (_parse_autoencoder, _network_shapes, _convert_network, {"reconstruction": _SWITCH}),
    SigmoidBackpropOutlierDetector: (_parse_detector, _detector_shapes, _convert_detector, {"score_samples": _SWITCH}),
    PiecewiseLinearEncoder: (_parse_encoder, _encoder_shapes, _convert_encoder, None),
}


def register():
    """Register the estimators with skl2onnx."""
    for kind, (parse, shapes, convert, options) in ESTIMATORS.items():
        name = f"Skbackprop{kind.__name__}"
        skl2onnx.update_registered_converter(kind, name, shapes, convert, parser=parse, options=options)
