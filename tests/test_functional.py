"""The notebook's functions, against the notebook's own lines."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skbackprop import SigmoidBackpropClassifier
from skbackprop.functional import backpropagation, sigmoid, sigmoid_derivative

X = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]])
y = np.array([[0, 1, 1, 0]]).T


def notebook(X, y, learning_rate, num_iterations):
    """The notebook's loop, as taught; the oracle."""
    np.random.seed(0)  # noqa: NPY002
    weights = np.random.uniform(-1, 1, (X.shape[1], y.shape[1]))  # noqa: NPY002
    for _ in range(num_iterations):
        a = 1 / (1 + np.exp(-(X @ weights)))
        error = y - a
        weights += learning_rate * X.T @ (error * a * (1 - a))
    return weights


def test_the_notebooks_result():
    weights = backpropagation(X, y, 1, 10_000)
    np.testing.assert_array_equal(weights.ravel().round(8), [9.67279647, -0.20825529, -4.62929265])
    assert float(sigmoid([1, 0, 0] @ weights)[0]).__round__(8) == 0.99993703


@pytest.mark.parametrize(
    "dtype", [int, pytest.param(float, marks=pytest.mark.slow), pytest.param(bool, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("learning_rate", [1, *(pytest.param(rate, marks=pytest.mark.slow) for rate in (0.5, 0.1, 3.7))])
def test_weights_equal_the_notebooks_bit_for_bit(dtype, learning_rate, monkeypatch):
    """So they do where NumPy trains; the compiled engine rounds otherwise."""
    expected = notebook(X.astype(float), y, learning_rate, 10_000)
    np.testing.assert_allclose(backpropagation(X.astype(dtype), y, learning_rate, 10_000), expected, rtol=1e-12)
    monkeypatch.setenv("SKBACKPROP_ENGINE", "numpy")
    assert backpropagation(X.astype(dtype), y, learning_rate, 10_000).tobytes() == expected.tobytes()


@pytest.mark.parametrize(("n_features", "n_outputs"), [(1, 1), (5, 1), (3, 4), (7, 2)])
def test_any_number_of_features_and_outputs(n_features, n_outputs):
    rng = np.random.RandomState(1)
    inputs, targets = rng.randn(20, n_features), rng.uniform(size=(20, n_outputs))
    ours = backpropagation(inputs, targets, 0.1, 200)
    assert ours.shape == (n_features, n_outputs)
    np.testing.assert_allclose(ours, notebook(inputs, targets, 0.1, 200), rtol=1e-10)


def test_the_classifier_with_documented_parameters_is_the_notebooks_model():
    classifier = SigmoidBackpropClassifier(
        hidden_layer_sizes=(), loss="squared_error", init="uniform", fit_intercept=False, solver="sgd", momentum=0, alpha=0,
        learning_rate_init=4, batch_size=4, shuffle=False, max_iter=10_000, tol=0, n_iter_no_change=np.inf, random_state=0,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match="max_iter=10000"):
        classifier.fit(X, y.ravel())
    assert classifier.coefs_[0].tobytes() == notebook(X, y, 1, 10_000).tobytes()


def test_no_iterations_give_the_first_weights():
    np.testing.assert_array_equal(backpropagation(X, y, 1, 0), notebook(X, y, 1, 0))


def test_the_seed_decides_and_the_global_state_stays():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert not np.array_equal(backpropagation(X, y, 1, 5, random_state=1), backpropagation(X, y, 1, 5))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_sigmoid_is_exact_in_the_limits_without_a_warning():
    np.testing.assert_array_equal(sigmoid([-1e308, -800.0, 0, 800.0, 1e308]), [0, 0, 0.5, 1, 1])
    assert sigmoid(np.float32([3])).dtype == np.float32
    assert sigmoid(0) == 0.5


def test_sigmoid_leaves_its_input():
    x = np.array([1.0, 2.0])
    sigmoid(x)
    np.testing.assert_array_equal(x, [1.0, 2.0])


def test_sigmoid_derivative_is_of_the_output():
    x, step = np.linspace(-4, 4, 9), 1e-6
    numeric = (sigmoid(x + step) - sigmoid(x - step)) / (2 * step)
    np.testing.assert_allclose(sigmoid_derivative(sigmoid(x)), numeric, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, y[:3], 1, 1), "X of shape"),
        ((X[0], y, 1, 1), "X of shape"),
        ((X * np.nan, y, 1, 1), "NaN or infinity"),
        ((X, y, np.inf, 1), "finite learning rate"),
        ((X, y, 1, -1), "number of iterations"),
        ((np.ones((100, 1)), np.zeros(100), 1e308, 3), "overflowed"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        backpropagation(*arguments)
