"""Class weights: checked as the weights of samples are, and worth the same."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimators_helpers import fit, tiny
from hypothesis import given
from hypothesis import strategies as st

X = np.random.RandomState(0).randn(30, 2)
y = np.arange(30) % 3
INDICATORS = np.column_stack([y == 0, y == 1]).astype(int)
ONES = np.ones(30)


def weighted(class_weight, labels=y, sample_weight=None, method="fit", **keywords):
    """A classifier of weighted classes."""
    return fit(tiny("classifier", class_weight=class_weight), X, labels, sample_weight, method, **keywords)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("weight", [-1, -1e-300, np.nan, np.inf, -np.inf, "1", None])
def test_a_class_weight_that_is_no_weight_is_refused(method, weight):
    for class_weight in ({0: 1, 1: weight, 2: 1}, {0: 1, 1: weight}):
        with pytest.raises(
            ValueError, match=r"Got class_weight with .* for the class 1: pass finite weights of 0 or larger"
        ):
            weighted(class_weight, method=method)
    with pytest.raises(ValueError, match=r"Got class_weight with .* for the class 0"):
        weighted([{0: 1, 1: 1}, {0: weight, 1: 1}], INDICATORS)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("class_weight", [{0: 0, 1: 0, 2: 0}, {0: 0, 1: 0, 2: 5}, {0: 0.0, 1: 1e-3, 2: 0.0}], ids=str)
def test_class_weights_must_leave_two_classes(method, class_weight):
    with pytest.raises(ValueError, match="Got class_weight that is zero for all classes, or all but one"):
        weighted(class_weight, method=method)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        (
            ({0: 0, 1: 1, 2: 1}, y, ONES * (y != 1)),
            {},
            "Got sample_weight times class_weight that is zero but for one class",
        ),
        (({0: 0, 1: 1, 2: 1}, y, ONES * (y == 0)), {}, "Got sample_weight times class_weight that is all zero"),
        (([{0: 0, 1: 0}, {0: 1, 1: 1}], INDICATORS), {}, "Got class_weight that is all zero"),
        (({0: 1e308, 1: 1e308, 2: 1},), {}, "Got class_weight whose sum overflows"),
        (([1, 2], INDICATORS), {}, "Got class_weight with 1 in a list: pass a list of dicts"),
        (([1, 2, 3],), {}, r'Got class_weight=\[1, 2, 3\]: pass class_weight="balanced", or class_weight={label: weight}'),
        (([{0: 1, 1: 2, 2: 1}],), {}, r"Got class_weight=\[{0: 1, 1: 2, 2: 1}\]: pass class_weight="),
        (([],), {}, r"Got class_weight=\[\]: pass class_weight="),
        (({0: 1e-320, 1: 1e-320, 2: 0},), {}, "Got class_weight whose sum is 2e-319, too small to divide by: multiply all"),
        (
            ({0: 0, 1: 1, 2: 1},),
            {"X_val": X[y == 0], "y_val": y[y == 0]},
            r"Got class_weight \(of y_val\) that is all zero",
        ),
    ],
)
def test_weights_that_leave_nothing_to_learn_or_to_score_are_refused_at_the_start(arguments, keywords, message):
    with pytest.raises(ValueError, match=message):
        weighted(*arguments, **keywords)


MISSING = {
    "None": ["a", None] * 15,
    "NaN in a list": ["a", np.nan] * 15,
    "an array": np.array(["a", np.nan] * 15, dtype=object),
    "NumPy's NaN": np.array(["a", np.float32("nan")] * 15, dtype=object),
    "numbers": [1, None] * 15,
    "truths": [True, None] * 15,
    "pandas": pd.Series(["a", None] * 15),
    "pandas' strings": pd.Series(["a", pd.NA] * 15, dtype="string"),
    "pandas' objects": pd.Series([1, pd.NA] * 15, dtype=object),
    "pandas' categories": pd.Series(["a", None] * 15, dtype="category"),
    "dates": np.array(["2020", "NaT"] * 15, dtype="M8[s]"),
    "polars": pl.Series(["a", None] * 15),
    "two columns": [["a", None]] * 30,
}


@pytest.mark.parametrize("labels", MISSING.values(), ids=MISSING)
def test_missing_labels_are_refused(labels):
    with pytest.raises(ValueError, match=r"Got .* in y, where a label is missing: leave those rows out"):
        fit(tiny("classifier"), X, labels)
    with pytest.raises(ValueError, match=r"Got .* in y, where a label is missing"):
        fit(tiny("classifier"), X, y, X_val=X, y_val=labels)


def test_classes_that_are_missing_or_of_several_types_are_refused():
    with pytest.raises(ValueError, match="Got None in classes, where a label is missing"):
        tiny("classifier").partial_fit(X, ["a", "b"] * 15, classes=["a", "b", None])
    with pytest.raises(ValueError, match="Got labels of the types 'int', 'str' in y: pass labels of one type"):
        fit(tiny("classifier"), X, np.array(["a", 1] * 15, dtype=object))


WEIGHTS = st.one_of(st.floats(), st.sampled_from([0, 1, 2.5]))


@given(st.lists(WEIGHTS, min_size=3, max_size=3), st.sampled_from(["fit", "partial_fit"]))
def test_class_weights_are_sample_weights_or_an_error(weights, method):
    """Whatever the numbers: valid are those that would be as weights of samples, and they do the same."""
    usable = all(0 <= weight < np.inf for weight in weights) and np.count_nonzero(weights) >= 2
    with np.errstate(over="ignore"):
        total = np.sum(np.array(weights)[y])
    class_weight = dict(enumerate(weights))
    # A batch of `partial_fit` may have no weight.
    least = np.finfo(float).tiny if method == "fit" else 0.0
    if not usable or not least <= total < np.inf:
        with pytest.raises(ValueError, match="Got class_weight"):
            weighted(class_weight, method=method)
        return
    by_class = weighted(class_weight, method=method)
    by_sample = weighted(None, sample_weight=np.array(weights)[y], method=method)
    for one, other in zip(by_class.coefs_, by_sample.coefs_, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.isfinite(one).all()
