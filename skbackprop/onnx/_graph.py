"""The graph that converters add nodes to, and the converters of what networks are made of: activations and losses."""

import math
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from onnx import TensorProto, numpy_helper
from scipy.special import erfcx

from .._estimators.words import shown
from ..activations import ELU, GELU, Identity, Logistic, ReLU, SiLU, Tanh
from ..losses import (
    AbsoluteError,
    BinaryLogLoss,
    CategoricalLogLoss,
    HuberLoss,
    Loss,
    PoissonDeviance,
    RegressionLoss,
    SquaredError,
)


class Graph:
    """The graph that a converter adds nodes to.

    What a node computes goes by a name, which the nodes that need it are given. What each does is in the list of operators
    of ONNX, https://onnx.ai/onnx/operators; those of float64 are not all in onnxruntime.

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
    # Not as z sigmoid(z), of which old releases of onnxruntime make one node, and have none for float64.
    return graph.node("Div", Z, graph.node("Add", graph.node("Exp", graph.node("Neg", Z)), 1))


# Phi(-x) / exp(-x^2 / 2), for x in [0, inf), is a polynomial in t = (x - c) / (x + c) to 1e-15.
_CENTER = 4.5
_TAIL = chebyshev.cheb2poly(chebyshev.chebinterpolate(lambda t: erfcx(_CENTER * (1 + t) / (1 - t) / math.sqrt(2)) / 2, 20))


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


def row_sums(graph, A):
    """Add the sum of each row, and return its name."""
    return graph.node("ReduceSum", A, graph.constant([1], np.int64))


def _squared_error(part, graph, Y, Z):
    error = graph.node("Sub", Z, Y)
    return graph.node("Mul", row_sums(graph, graph.node("Mul", error, error)), 0.5)


def _absolute_error(part, graph, Y, Z):
    return row_sums(graph, graph.node("Abs", graph.node("Sub", Z, Y)))


def _huber(part, graph, Y, Z):
    error = graph.node("Sub", Z, Y)
    clipped = graph.node("Max", graph.node("Min", error, part.delta), -part.delta)
    # As in `HuberLoss`, both branches in one.
    rest = graph.node("Sub", error, graph.node("Mul", clipped, 0.5))
    return row_sums(graph, graph.node("Mul", clipped, rest))


#: A converter for each method that graphs need: `forward` of an activation, `predict` of a loss and, in outlier detectors,
#: `loss_gradient` (the losses alone). It is called with the part, the `Graph` and the name of the raw scores `Z`, for
#: `loss_gradient` with those of the targets `Y` and of `Z`, and returns the name of the result. One for a part of your own
#: is added by ``CONVERTERS[MyActivation.forward] = convert``.
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
