"""Activation functions: value and derivative side by side.

An activation is a small stateless object with two methods that work in place, so that the training loop allocates
nothing. To use one of your own, pass an instance of a class with the same two methods to an estimator.
"""

import numpy as np

__all__ = ["ACTIVATIONS", "Activation", "Identity", "Logistic", "ReLU", "SiLU", "Tanh", "sigmoid_"]

_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
# Arrays of the right type in place of literals spare NumPy a conversion at each call.
_ZERO, _ONE, _INFINITY = ({dtype: np.array(value, dtype) for dtype in _FLOATS} for value in (0, 1, np.inf))


def sigmoid_(Z):
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


class Activation:
    """What the network asks of an activation function.

    Attributes
    ----------
    needs_cache : bool, default=False
        Whether the derivative cannot be had from the output alone. Then `forward` gets a second array, of the shape of
        the first, and `backward` gets it back.

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

    needs_cache = False

    def forward(self, A, cache):
        """Overwrite the raw scores in `A` with activations; `cache` is None unless `needs_cache`."""
        raise NotImplementedError

    def backward(self, A, cache, delta):
        """Multiply `delta` in place by the derivative at the activations `A`, which may be overwritten."""
        raise NotImplementedError

    def __repr__(self):
        return f"{type(self).__name__}()"


class Identity(Activation):
    """f(z) = z, with derivative 1: a linear bottleneck."""

    def forward(self, A, cache):
        """Leave `A` as it is."""

    def backward(self, A, cache, delta):
        """Leave `delta` as it is."""


class Logistic(Activation):
    """The logistic sigmoid f(z) = 1 / (1 + exp(-z)), with derivative f (1 - f) (Rumelhart, Hinton and Williams, 1986)."""

    def forward(self, A, cache):
        """Overwrite `A` with its sigmoid."""
        sigmoid_(A)

    def backward(self, A, cache, delta):
        """Multiply `delta` by A (1 - A)."""
        np.multiply(delta, A, delta)
        np.subtract(_ONE[A.dtype], A, A)
        np.multiply(delta, A, delta)


class Tanh(Activation):
    """The hyperbolic tangent f(z) = tanh(z), with derivative 1 - f^2 (LeCun et al., 1998)."""

    def forward(self, A, cache):
        """Overwrite `A` with its hyperbolic tangent."""
        np.tanh(A, A)

    def backward(self, A, cache, delta):
        """Multiply `delta` by 1 - A^2."""
        np.multiply(A, A, A)
        np.subtract(_ONE[A.dtype], A, A)
        np.multiply(delta, A, delta)


class ReLU(Activation):
    """The rectified linear unit f(z) = max(z, 0), with derivative 1 where f > 0, else 0 (Nair and Hinton, 2010)."""

    def forward(self, A, cache):
        """Overwrite negative values of `A` with 0."""
        # Three times as fast as np.maximum.
        A.clip(_ZERO[A.dtype], _INFINITY[A.dtype], A)

    def backward(self, A, cache, delta):
        """Multiply `delta` by 1 where `A` is positive, else by 0."""
        np.greater(A, _ZERO[A.dtype], out=A)
        np.multiply(delta, A, delta)


class SiLU(Activation):
    """The sigmoid linear unit f(z) = z s(z), s the sigmoid, with derivative s + f (1 - s) (Elfwing et al., 2018)."""

    needs_cache = True

    def forward(self, A, cache):
        """Overwrite `A` with A times its sigmoid, which stays in `cache`."""
        np.copyto(cache, A)
        sigmoid_(cache)
        np.multiply(A, cache, A)

    def backward(self, A, cache, delta):
        """Multiply `delta` by s + A (1 - s), where s is in `cache`."""
        # s + A (1 - s) = 1 - (1 - s) (1 - A), which needs no third array.
        one = _ONE[A.dtype]
        np.subtract(one, cache, cache)
        np.subtract(one, A, A)
        np.multiply(A, cache, A)
        np.subtract(one, A, A)
        np.multiply(delta, A, delta)


ACTIVATIONS = {
    "identity": Identity(),
    "logistic": Logistic(),
    "tanh": Tanh(),
    "relu": ReLU(),
    "silu": SiLU(),
}
