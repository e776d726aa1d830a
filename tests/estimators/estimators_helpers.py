"""What the properties of the estimators share: tiny networks, and tables of any finite numbers."""

import warnings

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)

ESTIMATORS = {
    "classifier": SigmoidBackpropClassifier,
    "regressor": SigmoidBackpropRegressor,
    "autoencoder": SigmoidBackpropAutoencoder,
    "outlier detector": SigmoidBackpropOutlierDetector,
}
DTYPES = st.sampled_from([np.float32, np.float64])
PREDICTIONS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "input_gradient",
    "score_samples",
)


def tiny(kind, **parameters):
    """A network of three units, for two epochs."""
    parameters = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0, **parameters}
    return ESTIMATORS[kind](**parameters, **({"n_estimators": 1} if kind == "outlier detector" else {}))


def fit(estimator, X, y=None, sample_weight=None, method="fit", **keywords):
    """Fit with as much of the arguments as the estimator takes; what they are to be is not the point of a property."""
    takes_targets = isinstance(estimator, SigmoidBackpropClassifier | SigmoidBackpropRegressor)
    if method == "partial_fit" and isinstance(estimator, SigmoidBackpropClassifier):
        keywords["classes"] = np.unique(y)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return getattr(estimator, method)(X, *((y, sample_weight) if takes_targets else ()), **keywords)


def weights_of(estimator):
    """All published arrays."""
    return [
        part for network in getattr(estimator, "estimators_", [estimator]) for part in network.coefs_ + network.intercepts_
    ]


def finite_floats(dtype, **limits):
    """Any finite number of a dtype: zeros, subnormal, huge."""
    return st.floats(width=8 * np.dtype(dtype).itemsize, allow_nan=False, allow_infinity=False, **limits)


@st.composite
def columns(draw, n_rows, dtype):
    """A column of any finite numbers: arbitrary, constant, or normal ones of any mean and deviation."""
    numbers = finite_floats(dtype)
    kind = draw(st.sampled_from(["arbitrary", "constant", "normal"]))
    if kind == "arbitrary":
        return draw(arrays(dtype, n_rows, elements=numbers))
    mean, scale = draw(numbers), 0.0 if kind == "constant" else draw(numbers)
    with np.errstate(all="ignore"):
        column = (mean + scale * np.random.RandomState(0).randn(n_rows)).astype(dtype)
    return np.where(np.isfinite(column), column, dtype(1))


@st.composite
def tables(draw, dtype, n_rows=None):
    """Inputs of a dtype, of a few rows and columns."""
    n_rows = n_rows or draw(st.integers(4, 12))
    return np.column_stack([draw(columns(n_rows, dtype)) for _ in range(draw(st.integers(1, 4)))])
