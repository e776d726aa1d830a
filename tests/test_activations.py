"""Each activation against its definition and against finite differences."""

import numpy as np
import pytest
from scipy.special import expit

from skbackprop.activations import ACTIVATIONS, Activation

DEFINITIONS = {
    "identity": lambda z: z,
    "logistic": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "silu": lambda z: z * expit(z),
}


def forward(name, z):
    """Value and cache at `z`."""
    A, cache = z.copy(), np.empty_like(z)
    ACTIVATIONS[name].forward(A, cache)
    return A, cache


def test_every_activation_has_a_definition_here():
    assert DEFINITIONS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value(name, dtype):
    z = np.linspace(-30, 30, 121).astype(dtype)
    A, _ = forward(name, z)
    assert A.dtype == dtype
    np.testing.assert_allclose(A, DEFINITIONS[name](z.astype(np.float64)), rtol=20 * np.finfo(dtype).eps, atol=1e-13)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative(name):
    z, step = np.linspace(-5.05, 5.05, 102), 1e-6
    A, cache = forward(name, z)
    delta = np.full_like(z, 2.0)
    ACTIVATIONS[name].backward(A, cache, delta)
    numeric = (DEFINITIONS[name](z + step) - DEFINITIONS[name](z - step)) / (2 * step)
    np.testing.assert_allclose(delta, 2 * numeric, atol=1e-8)


def test_the_base_class_computes_nothing():
    with pytest.raises(NotImplementedError):
        Activation().forward(np.zeros(1), None)
    with pytest.raises(NotImplementedError):
        Activation().backward(np.zeros(1), None, np.zeros(1))
