"""ONNX: estimators as graphs that onnxruntime and others predict with, without Python (the extra `onnx`).

To import this module is to register the estimators with skl2onnx, so that `skl2onnx.to_onnx` converts pipelines, searches,
calibrated and stacked estimators that hold them. A graph computes in the types in which the estimator predicts: in float32
throughout if it was trained on float32 and gets float32, else in float64; what goes in and out has the type of the inputs.
"""

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from scipy.special import erfcx
from sklearn.base import BaseEstimator, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from ._estimators.annotations import Data
from ._estimators.autoencoder import SigmoidBackpropAutoencoder
from ._estimators.classifier import SigmoidBackpropClassifier
from ._estimators.outlier import CLIPPED_AT, PREFERENCE, SigmoidBackpropOutlierDetector
from ._estimators.regressor import SigmoidBackpropRegressor
from ._estimators.words import shown
from .activations import ACTIVATIONS, ELU, GELU, Identity, Logistic, ReLU, SiLU, Tanh
from .losses import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    AbsoluteError,
    BinaryLogLoss,
    CategoricalLogLoss,
    HuberLoss,
    Loss,
    PoissonDeviance,
    RegressionLoss,
    SquaredError,
)
from .neural_network import MLPClassifier, MLPRegressor

try:
    import skl2onnx
    from onnx import ModelProto, TensorProto, helper, numpy_helper
    from skl2onnx._parse import _parse_sklearn_classifier, _parse_sklearn_simple_model
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType, guess_tensor_type
    from skl2onnx.common.utils_classifier import get_label_classes
    from skl2onnx.common.utils_sklearn import _process_options
except ImportError as error:
    raise ImportError("skbackprop.onnx needs skl2onnx and onnx: pip install 'skbackprop[onnx]'.") from error

__all__ = ["CONVERTERS", "Graph", "to_onnx"]

# From there on the axes of a sum are an input.
LEAST_OPSET = 13


def to_onnx(estimator: BaseEstimator, X: Data | None = None, *, options: dict | None = None, **keywords: Any) -> ModelProto:
    """Convert a fitted estimator, alone or within a pipeline or another of scikit-learn's estimators.

    Probabilities come as an array, from an autoencoder the code and the reconstruction, and from networks within a pipeline,
    before its last step, the features that their `transform` returns: `skl2onnx.to_onnx` does so only if the options ask.

    Parameters
    ----------
    estimator : estimator
        A fitted one.
    X : {array-like, dataframe} of shape (n_samples, n_features), default=None
        Samples, of which the types and the number of columns count. Without, the inputs are `n_features_in_` columns of the
        type of the weights; for other estimators than those of this package, of float64.
    options : dict, default=None
        The options of skl2onnx: ``{"zipmap": True}`` for a dict of probabilities a sample, ``{"raw_scores": True}`` for what
        comes before the link, ``{"nocl": True}`` for positions in `classes_` in place of labels, ``{"score_samples": True}``
        of an outlier detector, ``{"transform": True}`` for the activations of the last hidden layer.
    **keywords
        Other parameters of `skl2onnx.to_onnx`, such as ``target_opset=17``.

    Returns
    -------
    model : onnx.ModelProto
        The graph; the number of samples is not fixed.

    Raises
    ------
    ValueError
        If a part of the user's own has no converter; see `CONVERTERS`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.onnx import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = SigmoidBackpropClassifier(max_iter=10, random_state=0).fit(X, y)
    >>> [output.name for output in to_onnx(classifier).graph.output]
    ['label', 'probabilities']
    """
    check_is_fitted(estimator)
    if X is None and "initial_types" not in keywords:
        X = np.empty((1, estimator.n_features_in_), getattr(estimator, "coefs_", [np.empty(0)])[0].dtype)
    given = _process_options(estimator, options or {})
    given = {key: dict(values) for key, values in given.items() if not isinstance(key, str)}
    named = {name for values in given.values() for name in values}
    chosen = [(part, "transform", True) for part in _transformers(estimator)]
    if is_classifier(estimator):
        chosen.append((estimator, "zipmap", False))
    if isinstance(estimator, SigmoidBackpropAutoencoder):
        chosen.append((estimator, "reconstruction", True))
    for part, name, value in chosen:
        if name not in named:
            given.setdefault(id(part), {})[name] = value
    return skl2onnx.to_onnx(estimator, X, options=given, **keywords)


def _transformers(estimator, transforms=False):
    """Yield the networks within an estimator of which it uses `transform`, as the estimator itself does if told so."""
    if isinstance(estimator, Pipeline):
        parts = [step for _, step in estimator.steps]
        for part in parts[:-1]:
            yield from _transformers(part, True)
        yield from _transformers(parts[-1], transforms)
    elif isinstance(estimator, FeatureUnion | ColumnTransformer):
        for _, part, *_ in getattr(estimator, "transformers_", None) or estimator.transformer_list:
            yield from _transformers(part, True)
    elif hasattr(estimator, "best_estimator_"):
        yield from _transformers(estimator.best_estimator_, transforms)
    elif transforms and isinstance(estimator, SigmoidBackpropClassifier | SigmoidBackpropRegressor):
        yield estimator


class Graph:
    """The graph that a converter adds nodes to.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        Gives out names.
    container : skl2onnx.common._container.ModelComponentContainer
        Holds the nodes.
    dtype : numpy.dtype
        What is computed in: float32 or float64.

    See Also
    --------
    CONVERTERS : The converters that are given one.

    Examples
    --------
    The activation z tanh(z), and its converter:

    >>> import numpy as np
    >>> from skbackprop import onnx
    >>> from skbackprop.activations import Activation
    >>> class Twist(Activation):
    ...     def forward(self, A, cache):
    ...         A *= np.tanh(A)
    >>> onnx.CONVERTERS[Twist.forward] = lambda part, graph, Z: graph.node("Mul", Z, graph.node("Tanh", Z))
    """

    def __init__(self, scope: Any, container: Any, dtype: np.dtype) -> None:
        self.dtype = np.dtype(dtype)
        self._scope = scope
        self._container = container

    def node(self, op_type: str, *inputs: Any, out: str | None = None, **attributes: Any) -> str:
        """Add a node.

        Parameters
        ----------
        op_type : str
            What it does: the name of an ONNX operator, such as "Tanh".
        *inputs : str, float or array-like
            Names of results, or constants.
        out : str, default=None
            Name of the result; by default a new one.
        **attributes
            Attributes of the operator, such as ``axis=1``.

        Returns
        -------
        name : str
            The name of the result.
        """
        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        out = self._scope.get_unique_variable_name(op_type.lower()) if out is None else out
        self._container.add_node(op_type, names, out, name=self._scope.get_unique_operator_name(op_type), **attributes)
        return out

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add a constant.

        Parameters
        ----------
        value : float or array-like
            Its value.
        dtype : dtype, default=None
            Its type; by default that of the graph.

        Returns
        -------
        name : str
            The name of the constant.
        """
        name = self._scope.get_unique_variable_name("constant")
        value = np.asarray(value, self.dtype if dtype is None else dtype)
        if value.dtype == object:
            self._container.add_initializer(name, TensorProto.STRING, value.shape, [text.encode() for text in value.flat])
        else:
            self._container.add_initializer(name, None, None, numpy_helper.from_array(value))
        return name

    def convert(self, part: Any, method: str, *inputs: str) -> str:
        """Add what a method of a part computes.

        Parameters
        ----------
        part : object
            An activation or a loss.
        method : str
            Name of the method.
        *inputs : str
            Names of what it is given.

        Returns
        -------
        name : str
            The name of the result.

        Raises
        ------
        ValueError
            If `CONVERTERS` has no converter of the method.
        """
        # What a loss of the user's own lacks is taken from `Loss`.
        function = getattr(type(part), method, getattr(Loss, method, None))
        if function not in CONVERTERS:
            name = f"{type(part).__name__}.{method}"
            arguments = "Y, Z" if method == "loss_gradient" else "Z"
            raise ValueError(
                f"Got {shown(part)}, for whose {method} there is no ONNX converter: register one, "
                f"skbackprop.onnx.CONVERTERS[{name}] = convert, where convert(part, graph, {arguments}) adds nodes, as by "
                "graph.node('Tanh', Z), and returns the name of the last."
            )
        return CONVERTERS[function](part, self, *inputs)


def _node(op_type, **attributes):
    """Return the converter of a method that is an operator of ONNX."""
    return lambda part, graph, Z: graph.node(op_type, Z, **attributes)


def _elu(part, graph, Z):
    # (There is no Elu of float64 in onnxruntime.)
    exponential = graph.node("Exp", graph.node("Min", Z, 0))
    return graph.node("Max", Z, graph.node("Sub", exponential, 1))


def _silu(part, graph, Z):
    return graph.node("Mul", Z, graph.node("Sigmoid", Z))


# Phi(-x) / exp(-x^2 / 2), for x in [0, inf), is a polynomial in t = (x - c) / (x + c) to 1e-15.
_CENTER = 4.5
_TAIL = chebyshev.cheb2poly(
    chebyshev.chebinterpolate(lambda t: erfcx(_CENTER * (1 + t) / (1 - t) / math.sqrt(2)) / 2, 20)
)


def _gelu(part, graph, Z):
    if graph.dtype == np.float32:
        error = graph.node("Erf", graph.node("Mul", Z, 1 / math.sqrt(2)))
        return graph.node("Mul", graph.node("Mul", Z, 0.5), graph.node("Add", error, 1))
    # There is no Erf of float64 in onnxruntime. z Phi(z) = max(z, 0) - x Phi(-x), with x = |z|.
    x = graph.node("Abs", Z)
    t = graph.node("Div", graph.node("Sub", x, _CENTER), graph.node("Add", x, _CENTER))
    polynomial = graph.constant(_TAIL[-1])
    for coefficient in _TAIL[-2::-1]:
        polynomial = graph.node("Add", graph.node("Mul", polynomial, t), coefficient)
    density = graph.node("Exp", graph.node("Mul", graph.node("Mul", x, x), -0.5))
    below = graph.node("Mul", graph.node("Mul", x, density), polynomial)
    return graph.node("Sub", graph.node("Relu", Z), below)


def _log_sigmoid(part, graph, Z):
    # min(z, 0) - log(1 + exp(-|z|))
    exponential = graph.node("Exp", graph.node("Neg", graph.node("Abs", Z)))
    return graph.node("Sub", graph.node("Min", Z, 0), graph.node("Log", graph.node("Add", exponential, 1)))


def _complement(part, graph, Z):
    return graph.node("Sub", 1, graph.convert(part, "predict", Z))


def _log_prediction(part, graph, Z):
    least = np.finfo(graph.dtype).tiny
    return graph.node("Log", graph.node("Max", graph.convert(part, "predict", Z), least))


def _sum(graph, A):
    return graph.node("ReduceSum", A, graph.constant([1], np.int64))


def _squared_error(part, graph, Y, Z):
    error = graph.node("Sub", Z, Y)
    return graph.node("Mul", _sum(graph, graph.node("Mul", error, error)), 0.5)


def _absolute_error(part, graph, Y, Z):
    return _sum(graph, graph.node("Abs", graph.node("Sub", Z, Y)))


def _huber(part, graph, Y, Z):
    error = graph.node("Sub", Z, Y)
    clipped = graph.node("Max", graph.node("Min", error, part.delta), -part.delta)
    # As in `HuberLoss`, both branches in one.
    rest = graph.node("Sub", error, graph.node("Mul", clipped, 0.5))
    return _sum(graph, graph.node("Mul", clipped, rest))


#: A converter for each method of a part that a graph needs: of an activation `forward`; of a loss `predict`, and for outlier
#: detectors `loss_gradient`, of which the losses alone. It is called with the part, the `Graph` and the names of what the
#: method is given: of the raw scores `Z`, for `loss_gradient` of `Y` and `Z`; it returns the name of the result. One of your
#: own is ``CONVERTERS[MyActivation.forward] = convert``.
CONVERTERS: dict[Any, Any] = {
    Identity.forward: lambda part, graph, Z: Z,
    Logistic.forward: _node("Sigmoid"),
    Tanh.forward: _node("Tanh"),
    ReLU.forward: _node("Relu"),
    SiLU.forward: _silu,
    GELU.forward: _gelu,
    ELU.forward: _elu,
    RegressionLoss.predict: lambda part, graph, Z: Z,
    PoissonDeviance.predict: _node("Exp"),
    BinaryLogLoss.predict: _node("Sigmoid"),
    CategoricalLogLoss.predict: _node("Softmax", axis=1),
    Loss.predict_complement: _complement,
    BinaryLogLoss.predict_complement: lambda part, graph, Z: graph.node("Sigmoid", graph.node("Neg", Z)),
    Loss.log_predict: _log_prediction,
    BinaryLogLoss.log_predict: _log_sigmoid,
    SquaredError.loss_gradient: _squared_error,
    AbsoluteError.loss_gradient: _absolute_error,
    HuberLoss.loss_gradient: _huber,
}


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
    return _parse_sklearn_classifier(scope, model, inputs, custom_parsers=custom_parsers)


def _parse_regressor(scope, model, inputs, custom_parsers=None):
    return _parse(scope, model, inputs, ["features" if _wants(scope, model, "transform") else "variable"])


def _parse_autoencoder(scope, model, inputs, custom_parsers=None):
    return _parse(scope, model, inputs, ["code"] + ["reconstruction"] * _wants(scope, model, "reconstruction"))


def _parse_detector(scope, model, inputs, custom_parsers=None):
    return _parse(scope, model, inputs, ["label", "scores"] + ["score_samples"] * _wants(scope, model, "score_samples"))


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


def _convert_classifier(scope, operator, container):
    estimator = operator.raw_operator
    graph, X = _begin(scope, operator, container)
    layers = _layers(graph, estimator, X)
    if len(operator.outputs) == 1:
        _end(graph, operator.outputs[0], layers[-2])
        return
    Z, (label, scores) = layers[-1], operator.outputs
    # What is no option is none that could be switched on.
    raw = container.has_options(estimator, "raw_scores") and _wants(container, estimator, "raw_scores")
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
    errors = [
        graph.convert(_loss_of(part, REGRESSION_LOSSES), "loss_gradient", standardized, _layers(graph, part, standardized)[-1])
        for part in detector.estimators_
    ]
    errors = graph.node("Max", graph.node("Concat", *errors, axis=1), np.finfo(np.float32).tiny)
    errors = graph.node("Sub", graph.node("Log", errors), detector.error_mean_)
    errors = graph.node("Div", errors, detector.error_scale_)
    weights = graph.node("Softmax", graph.node("Mul", errors, PREFERENCE), axis=1)
    score = graph.node("Neg", _sum(graph, graph.node("Mul", errors, weights)))
    decision = graph.node("Sub", score, detector.offset_)
    signs = (graph.constant(sign, np.int64) for sign in (1, -1))
    graph.node("Where", graph.node("GreaterOrEqual", decision, 0), *signs, out=operator.outputs[0].full_name)
    for variable, result in zip(operator.outputs[1:], (decision, score), strict=False):
        _end(graph, variable, result)


_CLASSIFIER = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]}
_TRANSFORM, _RAW_SCORES = {"transform": [False, True]}, {"raw_scores": [True, False]}
_of_classifier = _parse_classifier, _classifier_shapes, _convert_classifier
_of_regressor = _parse_regressor, _network_shapes, _convert_network
for kind, (parse, shapes, convert), options in (
    (SigmoidBackpropClassifier, _of_classifier, {**_CLASSIFIER, **_RAW_SCORES, **_TRANSFORM}),
    # It has no decision_function, so that scikit-learn, too, calibrates its probabilities.
    (MLPClassifier, _of_classifier, {**_CLASSIFIER, **_TRANSFORM}),
    (SigmoidBackpropRegressor, _of_regressor, _TRANSFORM),
    (MLPRegressor, _of_regressor, _TRANSFORM),
    (
        SigmoidBackpropAutoencoder,
        (_parse_autoencoder, _network_shapes, _convert_network),
        {"reconstruction": [False, True]},
    ),
    (
        SigmoidBackpropOutlierDetector,
        (_parse_detector, _detector_shapes, _convert_detector),
        {"score_samples": [False, True]},
    ),
):
    skl2onnx.update_registered_converter(kind, f"Skbackprop{kind.__name__}", shapes, convert, parser=parse, options=options)
