"""Each activation against its definition, finite differences, and what it says of itself to initializers."""

import tracemalloc

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import norm

from skbackprop._engine.objective import QUIET
from skbackprop.activations import ACTIVATIONS, Activation

# An oracle outside the package for each row of the table.
DEFINITIONS = {
    "identity": lambda z: z,
    "logistic": expit,
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "silu": lambda z: z * expit(z),
    "gelu": lambda z: z * norm.cdf(z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
}
BY_SLOPE = {"identity", "logistic", "sigmoid", "tanh", "elu"}


def forward(name, z):
    """Value and cache at `z`."""
    A, cache = z.copy(), np.full_like(z, np.nan) if ACTIVATIONS[name].needs_cache else None
    with np.errstate(**QUIET):
        assert ACTIVATIONS[name].forward(A, cache) is None
    return A, cache


def derivative(name, z):
    """The derivative at `z`."""
    A, cache = forward(name, z)
    delta = np.full_like(z, 2.0)
    with np.errstate(**QUIET):
        assert ACTIVATIONS[name].backward(A, cache, delta) is None
    return delta / 2


def test_every_activation_has_a_definition_here():
    assert DEFINITIONS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value(name, dtype):
    z = np.r_[np.linspace(-30, 30, 121), -1e30, -1e4, 1e4, 1e30].astype(dtype)
    A, _ = forward(name, z)
    assert A.dtype == dtype
    np.testing.assert_allclose(A, DEFINITIONS[name](z.astype(np.float64)), rtol=20 * np.finfo(dtype).eps, atol=1e-13)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_derivative(name, dtype):
    z = np.r_[np.linspace(-5.05, 5.05, 102), -1e30, -1e4, -40, 40, 1e4, 1e30].astype(dtype)
    delta = derivative(name, z)
    assert delta.dtype == dtype
    z = z.astype(np.float64)
    step = 1e-6 * np.maximum(np.abs(z), 1)
    numeric = (DEFINITIONS[name](z + step) - DEFINITIONS[name](z - step)) / (2 * step)
    np.testing.assert_allclose(delta, numeric, atol=1e-8 if dtype is np.float64 else 1e-6)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS.keys() - {"relu"}))
def test_the_derivative_at_zero_is_the_limit_from_both_sides(name):
    at, below, above = derivative(name, np.array([0.0, -1e-9, 1e-9]))
    assert below == pytest.approx(at, abs=1e-8)
    assert above == pytest.approx(at, abs=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_is_allocated(name, dtype):
    activation = ACTIVATIONS[name]
    A, cache, delta = (np.ones((1000, 100), dtype) for _ in range(3))
    tracemalloc.start()
    try:
        activation.forward(A, cache if activation.needs_cache else None)
        activation.backward(A, cache if activation.needs_cache else None, delta)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < A.size


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_its_mean_is_its_value_at_zero(name):
    assert ACTIVATIONS[name].mean == DEFINITIONS[name](0.0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_its_gain_makes_up_for_its_slope_at_zero_or_for_its_power(name):
    slope = derivative(name, np.zeros(1))[0]
    power, _ = quad(lambda z: DEFINITIONS[name](z) ** 2 * norm.pdf(z), -12, 12, points=[0])
    expected = 1 / slope**2 if name in BY_SLOPE else 1 / power
    assert ACTIVATIONS[name].gain == pytest.approx(expected, rel=1e-12)


def test_the_base_class_computes_nothing():
    with pytest.raises(NotImplementedError):
        Activation().forward(np.zeros(1), None)
    with pytest.raises(NotImplementedError):
        Activation().backward(np.zeros(1), None, np.zeros(1))
