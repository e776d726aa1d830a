"""Activation functions: value and derivative side by side.

An activation is a small stateless object with two methods that work in place, so that the training loop allocates
nothing. To use one of your own, pass an instance of a class with the same two methods to an estimator.
"""

import math

import numpy as np
from scipy.special import ndtr

from ._part import Array, Part

__all__ = ["ACTIVATIONS", "ELU", "GELU", "Activation", "Identity", "Logistic", "ReLU", "SiLU", "Tanh", "sigmoid_"]

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
# Arrays of the right type in place of literals spare NumPy a conversion at each call.
_ZERO, _ONE, _INFINITY = ({dtype: np.array(value, dtype) for dtype in _FLOATS} for value in (0, 1, np.inf))


def sigmoid_(Z: Array) -> Array:
    """Replace raw scores by their logistic sigmoid, 1 / (1 + exp(-Z)), in place.

    NumPy's `exp` is vectorised where `scipy.special.expit` is not. Its overflow to infinity gives exactly 0.0, which is
    right, so the caller silences it (`np.errstate`) once, around the loop.

    Parameters
    ----------
    Z : ndarray of float32 or float64
        Raw scores of any shape; overwritten.

    Returns
    -------
    Z : ndarray
        The same array, with values in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import sigmoid_
    >>> sigmoid_(np.array([0.0, 800.0]))
    array([0.5, 1. ])
    """
    one = _ONE[Z.dtype]
    np.negative(Z, Z)
    np.exp(Z, Z)
    np.add(Z, one, Z)
    return np.divide(one, Z, Z)


class Activation(Part):
    """What the network asks of an activation function and, from `gain` on, what initializers ask of it.

    One of your own is a class with the two methods; what else is asked for is taken from here.

    Attributes
    ----------
    needs_cache : bool, default=False
        Whether the derivative cannot be had from the output alone. Then `forward` gets a second array, of the shape of
        the first, and `backward` gets it back.
    gain : float, default=1.0
        Factor on the variance, 1 / fan_in, of the weights fed by such units, so that the variance of the signal stays: to
        first order near 0, which makes it 1 / slope^2 there, or for standard normal raw scores z, 1 / E[f(z)^2].
    mean : float, default=0.0
        What a unit puts out at a raw score of 0.
    divides_inputs : bool, default=False
        Whether units fed by the inputs divide these among them, each with a threshold of its own.
    glorot_factor : float, default=6.0
        In Glorot's rule, what is divided by fan_in + fan_out.

    See Also
    --------
    ACTIVATIONS : The activations that have a name.
    skbackprop.inspection.check_gradients : Whether the derivative of one of your own is right.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import ACTIVATIONS
    >>> A, delta = np.array([-1.0, 2.0]), np.ones(2)
    >>> ACTIVATIONS["relu"].forward(A, None)
    >>> ACTIVATIONS["relu"].backward(A, None, delta)
    >>> delta
    array([0., 1.])
    """

    needs_cache: bool = False
    gain: float = 1.0
    mean: float = 0.0
    divides_inputs: bool = False
    glorot_factor: float = 6.0

    def forward(self, A: Array, cache: Array | None) -> None:
        """Overwrite raw scores with activations.

        Parameters
        ----------
        A : ndarray of shape (n_samples, n_units)
            Raw scores; become the activations.
        cache : ndarray of shape (n_samples, n_units) or None
            Room for what `backward` will ask for; None unless `needs_cache`.
        """
        raise NotImplementedError

    def backward(self, A: Array, cache: Array | None, delta: Array) -> None:
        """Multiply an error by the derivative of the activations.

        Parameters
        ----------
        A : ndarray of shape (n_samples, n_units)
            Activations; may be overwritten.
        cache : ndarray of shape (n_samples, n_units) or None
            What `forward` left there; may be overwritten.
        delta : ndarray of shape (n_samples, n_units)
            Derivative of the loss by the activations; becomes that by the raw scores.
        """
        raise NotImplementedError


class Identity(Activation):
    """The identity f(z) = z, with derivative 1: a linear bottleneck.

    A narrow layer of such units is a linear code, as in principal component analysis.

    See Also
    --------
    Activation : What the network asks of an activation function.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import Identity
    >>> A = np.array([-1.0, 2.0])
    >>> Identity().forward(A, None)
    >>> A.round(3)
    array([-1.,  2.])
    """

    def forward(self, A: Array, cache: Array | None) -> None:
        """Leave `A` as it is."""

    def backward(self, A: Array, cache: Array | None, delta: Array) -> None:
        """Leave `delta` as it is."""


class Logistic(Activation):
    """The logistic sigmoid f(z) = 1 / (1 + exp(-z)), with derivative f (1 - f) (Rumelhart, Hinton and Williams, 1986).

    The activation of the teaching notebook, and of `SigmoidBackpropClassifier` by default.

    See Also
    --------
    Activation : What the network asks of an activation function.
    Tanh : The same curve, between -1 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import Logistic
    >>> A = np.array([-1.0, 2.0])
    >>> Logistic().forward(A, None)
    >>> A.round(3)
    array([0.269, 0.881])
    """

    gain = 16.0
    mean = 0.5
    divides_inputs = True
    glorot_factor = 2.0

    def forward(self, A: Array, cache: Array | None) -> None:
        """Overwrite `A` with its sigmoid."""
        sigmoid_(A)

    def backward(self, A: Array, cache: Array | None, delta: Array) -> None:
        """Multiply `delta` by A (1 - A)."""
        np.multiply(delta, A, delta)
        np.subtract(_ONE[A.dtype], A, A)
        np.multiply(delta, A, delta)


class Tanh(Activation):
    """The hyperbolic tangent f(z) = tanh(z), with derivative 1 - f^2 (LeCun et al., 1998).

    A sigmoid whose mean is 0, which suits the layer above.

    See Also
    --------
    Activation : What the network asks of an activation function.
    Logistic : The same curve, between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import Tanh
    >>> A = np.array([-1.0, 2.0])
    >>> Tanh().forward(A, None)
    >>> A.round(3)
    array([-0.762,  0.964])
    """

    def forward(self, A: Array, cache: Array | None) -> None:
        """Overwrite `A` with its hyperbolic tangent."""
        np.tanh(A, A)

    def backward(self, A: Array, cache: Array | None, delta: Array) -> None:
        """Multiply `delta` by 1 - A^2."""
        np.multiply(A, A, A)
        np.subtract(_ONE[A.dtype], A, A)
        np.multiply(delta, A, delta)


class ReLU(Activation):
    """The rectified linear unit f(z) = max(z, 0), with derivative 1 where f > 0, else 0 (Nair and Hinton, 2010).

    The fastest one; a unit that is 0 for every sample has stopped to learn.

    See Also
    --------
    Activation : What the network asks of an activation function.
    SiLU : A smooth one that does not go silent.
    skbackprop.inspection.gradient_flow : Tells how many units are silent for good.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import ReLU
    >>> A = np.array([-1.0, 2.0])
    >>> ReLU().forward(A, None)
    >>> A.round(3)
    array([0., 2.])
    """

    gain = 2.0

    def forward(self, A: Array, cache: Array | None) -> None:
        """Overwrite negative values of `A` with 0."""
        # Three times as fast as np.maximum.
        A.clip(_ZERO[A.dtype], _INFINITY[A.dtype], A)

    def backward(self, A: Array, cache: Array | None, delta: Array) -> None:
        """Multiply `delta` by 1 where `A` is positive, else by 0."""
        np.greater(A, _ZERO[A.dtype], out=A)
        np.multiply(delta, A, delta)


class SiLU(Activation):
    """The sigmoid linear unit f(z) = z s(z), s the sigmoid, with derivative s + f (1 - s) (Elfwing et al., 2018).

    `gain` is 1 / E[f(z)^2] for a standard normal z, by quadrature. Near 0 the unit is almost straight, so that
    inputs have to make it bend, as they do the sigmoid. It is also known as swish.

    See Also
    --------
    Activation : What the network asks of an activation function.
    GELU : Nearly the same curve.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import SiLU
    >>> A = np.array([-1.0, 2.0])
    >>> SiLU().forward(A, np.empty(2))
    >>> A.round(3)
    array([-0.269,  1.762])
    """

    needs_cache = True
    gain = 2.8107611240744714
    divides_inputs = True

    def forward(self, A: Array, cache: Array | None) -> None:
        """Overwrite `A` with A times its sigmoid, which stays in `cache`."""
        np.copyto(cache, A)
        sigmoid_(cache)
        np.multiply(A, cache, A)

    def backward(self, A: Array, cache: Array | None, delta: Array) -> None:
        """Multiply `delta` by s + A (1 - s), where s is in `cache`."""
        # s + A (1 - s) = 1 - (1 - s) (1 - A), which needs no third array.
        one = _ONE[A.dtype]
        np.subtract(one, cache, cache)
        np.subtract(one, A, A)
        np.multiply(A, cache, A)
        np.subtract(one, A, A)
        np.multiply(delta, A, delta)


class GELU(Activation):
    """The Gaussian error linear unit f(z) = z Phi(z), with derivative Phi + z phi (Hendrycks and Gimpel, 2016).

    Phi and phi are distribution function and density of the standard normal distribution. Like a rectified unit it has no
    slope that would do for raw scores on both sides of 0, so `gain` is 1 / E[f(z)^2], about 2.35.

    See Also
    --------
    Activation : What the network asks of an activation function.
    SiLU : Nearly the same curve, and faster.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import GELU
    >>> A = np.array([-1.0, 2.0])
    >>> GELU().forward(A, np.empty(2))
    >>> A.round(3)
    array([-0.159,  1.954])
    """

    needs_cache = True
    gain = 1 / (1 / 3 + 1 / (2 * math.pi * math.sqrt(3)))

    def forward(self, A: Array, cache: Array | None) -> None:
        """Overwrite `A` with A Phi(A), and leave the raw scores in `cache`."""
        np.copyto(cache, A)
        ndtr(A, A)
        np.multiply(A, cache, A)

    def backward(self, A: Array, cache: Array | None, delta: Array) -> None:
        """Multiply `delta` by Phi(z) + z phi(z), where z is in `cache`."""
        np.multiply(cache, cache, A)
        np.multiply(A, -0.5, A)
        np.exp(A, A)
        np.multiply(A, 1 / math.sqrt(2 * math.pi), A)
        np.multiply(A, cache, A)
        ndtr(cache, cache)
        np.add(A, cache, A)
        np.multiply(delta, A, delta)


class ELU(Activation):
    """The exponential linear unit f(z) = max(z, e) with e = exp(min(z, 0)) - 1; derivative 1 + e (Clevert et al., 2016).

    Like a rectified unit for positive raw scores; negative ones saturate at -1.

    See Also
    --------
    Activation : What the network asks of an activation function.
    ReLU : The one without the negative part.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import ELU
    >>> A = np.array([-1.0, 2.0])
    >>> ELU().forward(A, np.empty(2))
    >>> A.round(3)
    array([-0.632,  2.   ])
    """

    needs_cache = True

    def forward(self, A: Array, cache: Array | None) -> None:
        """Overwrite `A` with the larger of A and e, which stays in `cache`."""
        np.minimum(A, _ZERO[A.dtype], out=cache)
        np.expm1(cache, cache)
        np.maximum(A, cache, out=A)

    def backward(self, A: Array, cache: Array | None, delta: Array) -> None:
        """Multiply `delta` by 1 + e, where e is in `cache`."""
        np.add(cache, _ONE[A.dtype], cache)
        np.multiply(delta, cache, delta)


ACTIVATIONS: dict[str, Activation] = {
    "identity": Identity(),
    "logistic": Logistic(),
    # The same, by the name that it has elsewhere.
    "sigmoid": Logistic(),
    "tanh": Tanh(),
    "relu": ReLU(),
    "silu": SiLU(),
    "gelu": GELU(),
    "elu": ELU(),
}
