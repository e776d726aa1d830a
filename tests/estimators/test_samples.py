"""Samples as they come: weights of any size, sparse tables in any form, inputs that no training has seen."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from estimators_helpers import DTYPES, ESTIMATORS, PREDICTIONS, finite_floats, fit, tiny
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skbackprop import SigmoidBackpropRegressor

X = np.random.RandomState(0).randn(40, 3)
y = (X[:, 0] > 0).astype(int)


# Weights -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_validation_samples_without_weight_are_refused_at_the_start(kind):
    for method in ("fit", "partial_fit"):
        with pytest.raises(
            ValueError, match="Got sample_weight_val that is all zero: at least one weight must be positive"
        ):
            fit(tiny(kind), X, y, method=method, X_val=X, y_val=y, sample_weight_val=np.zeros(40))


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_validation_weights_are_checked_as_those_of_training(kind, weight):
    with pytest.raises(ValueError, match="sample_weight_val"):
        fit(tiny(kind), X, y, X_val=X, y_val=y, sample_weight_val=np.full(40, weight))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ("balanced", """Got sample_weight='balanced': .* as class_weight="balanced" or class_weight={label: weight}"""),
        ({0: 1, 1: 2}, "Got sample_weight={0: 1, 1: 2}: pass one weight a sample; a classifier's parameter class_weight"),
        (np.full(40, 1e-320), "Got sample_weight whose sum is 4e-319, too small to divide by: multiply all weights by one"),
        (["a"] * 40, "Got 'a' in sample_weight: could not convert string to float: 'a'; pass numbers"),
        (np.array([1, pd.NA] * 20), "Got pandas.NA in sample_weight: fill in"),
        (np.ones(40, "M8[s]"), "Got dates or times in sample_weight"),
        (np.ones(40) * 1j, r"Complex data not supported: got \(?1j|\(0\+1j\) in sample_weight; pass real numbers\.$"),
    ],
    ids=["balanced", "dict", "tiny", "text", "NA", "dates", "complex"],
)
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_weights_that_are_no_weights_are_refused_with_what_helps(kind, weight, message):
    with pytest.raises(ValueError, match=message):
        fit(tiny(kind), X, y, weight)


@pytest.mark.slow
@given(DTYPES, st.sampled_from(["classifier", "regressor"]), st.integers(-900, 900), st.booleans())
def test_a_common_factor_on_all_weights_changes_nothing(dtype, kind, exponent, early_stopping):
    """A power of two, which rounds nothing; in float32 beyond its range, too."""
    inputs, weight = X.astype(dtype), np.random.RandomState(1).rand(40)
    data = {"X_val": inputs, "y_val": y}
    plain, scaled = (
        fit(tiny(kind, early_stopping=early_stopping), inputs, y, w, **data, sample_weight_val=w)
        for w in (weight, np.exp2(exponent) * weight)
    )
    np.testing.assert_array_equal(scaled.coefs_[0], plain.coefs_[0])
    np.testing.assert_allclose(scaled.validation_scores_, plain.validation_scores_)


# Sparse tables -------------------------------------------------------------------------------------------------------

FORMS = ("duplicates", "unsorted", "int64", "zeros", "surplus")


def in_other_form(dense, forms, seed=0):
    """The table in CSR, but not as one would write it."""
    generator = np.random.RandomState(seed)
    stored = (dense != 0) | ("zeros" in forms) & (generator.rand(*dense.shape) < 0.5)
    rows, columns = np.nonzero(stored)
    values = dense[rows, columns]
    if "duplicates" in forms:
        # Halves round nothing.
        rows, columns, values = np.tile(rows, 2), np.tile(columns, 2), np.tile(values / 2, 2)
    by = generator.permutation(len(rows)) if "unsorted" in forms else columns
    order = np.lexsort((by, rows))
    ends = np.searchsorted(rows[order], np.arange(len(dense) + 1))
    index = np.int64 if "int64" in forms else np.int32
    table = sp.csr_matrix((values[order], columns[order].astype(index), ends.astype(index)), shape=dense.shape)
    if "surplus" in forms:
        # More memory than entries, as after the removal of rows in place.
        table.data = np.append(table.data, dense.dtype.type(9))
        table.indices = np.append(table.indices, np.zeros(1, index))
    table.indices, table.indptr = table.indices.astype(index), table.indptr.astype(index)
    return table


def predictions(estimator, table):
    """What there is to compare."""
    return (estimator.predict_proba if hasattr(estimator, "predict_proba") else estimator.predict)(table)


@st.composite
def sparse_tables(draw, dtype):
    """Dense tables of many zeros, perhaps with a column whose mean is far from zero."""
    # In halves and quarters, whose sums are not rounded.
    values = st.one_of(st.just(0.0), st.just(0.0), st.integers(-40, 40).map(lambda value: value / 4))
    dense = draw(arrays(dtype, st.tuples(st.integers(6, 12), st.integers(1, 5)), elements=values))
    dense[:, 0] += draw(st.sampled_from([0, 0, 2000]))
    return dense


SETTINGS = {
    "warm start": {"warm_start": True},
    "lbfgs": {"solver": "lbfgs"},
    "glorot": {"init": "glorot"},
    "early stopping": {"early_stopping": True},
    "folds": {"early_stopping": "cv", "n_folds": 2},
}
WAYS = ("fit", "partial_fit", "warm start", "lbfgs", "glorot")


def assert_the_form_makes_no_difference(dense, forms, kind, way, weight=None):
    """The same model, bit for bit, as from the canonical form; to rounding, as from the dense table."""
    canonical, odd = sp.csr_matrix(dense), in_other_form(dense, forms)
    before = [part.copy() for part in (odd.data, odd.indices, odd.indptr)]
    targets = np.arange(len(dense)) % 2 if kind == "classifier" else np.random.RandomState(0).randn(len(dense))
    settings = SETTINGS.get(way, {})
    fitted = []
    for table in (odd, canonical, dense):
        estimator = tiny(kind, **settings)
        for _ in range(2 if way in {"partial_fit", "warm start"} else 1):
            fit(estimator, table, targets, weight, method="partial_fit" if way == "partial_fit" else "fit")
        fitted.append(estimator)
    for one, other in zip(fitted[0].coefs_ + fitted[0].intercepts_, fitted[1].coefs_ + fitted[1].intercepts_, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(predictions(fitted[0], odd), predictions(fitted[1], canonical))
    tolerance = {"rtol": 1e-6, "atol": 1e-6} if dense.dtype == np.float64 else {"rtol": 0.02, "atol": 0.02}
    np.testing.assert_allclose(predictions(fitted[1], canonical), predictions(fitted[2], dense), **tolerance)
    np.testing.assert_allclose(predictions(fitted[2], odd), predictions(fitted[2], dense), **tolerance)
    # The user's table is as it was.
    for part, copied in zip((odd.data, odd.indices, odd.indptr), before, strict=True):
        np.testing.assert_array_equal(part, copied)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize("way", ["fit", "partial_fit", *SETTINGS])
@pytest.mark.parametrize("forms", [*FORMS, FORMS], ids=str)
def test_a_sparse_table_may_have_any_form(kind, way, forms):
    dense = np.round(4 * X) / 4 * (np.abs(X) > 0.8) + [0, 0, 2000]
    assert_the_form_makes_no_difference(dense, forms, kind, way)


@pytest.mark.slow
@given(
    st.data(),
    DTYPES,
    st.sampled_from(["classifier", "regressor"]),
    st.sets(st.sampled_from(FORMS)),
    st.sampled_from(WAYS),
    st.booleans(),
)
def test_any_sparse_table_may_have_any_form(data, dtype, kind, forms, way, weighted):
    dense = data.draw(sparse_tables(dtype))
    weight = np.random.RandomState(1).rand(len(dense)) if weighted else None
    assert_the_form_makes_no_difference(dense, forms, kind, way, weight)


BROKEN = {
    "an index too large": lambda table: table.indices.__setitem__(3, 10_000),
    "an index far too large": lambda table: table.indices.__setitem__(3, 2_000_000_000),
    "a negative index": lambda table: table.indices.__setitem__(3, -1),
    "rows that overlap": lambda table: table.indptr.__setitem__(1, 10_000),
    "rows that end late": lambda table: table.indptr.__setitem__(-1, 10_000),
    "rows that end nowhere": lambda table: table.indptr.__setitem__(-1, 0),
    "rows too few": lambda table: setattr(table, "indptr", table.indptr[:-1]),
    "indices too few": lambda table: setattr(table, "indices", table.indices[:-1]),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("container", [sp.csr_matrix, sp.csc_matrix, sp.csr_array, sp.csc_array])
def test_broken_sparse_tables_are_refused(container, damage):
    """In compiled code, to which they go next, they would be reads and writes outside the arrays."""
    table, labels = container(X), container(np.column_stack([y, 1 - y]))
    damage(table)
    damage(labels)
    estimator = fit(tiny("classifier"), X, y)
    for call in (lambda: fit(tiny("regressor"), table, y), lambda: estimator.predict(table)):
        with pytest.raises(ValueError, match="Got sparse X whose parts do not fit together"):
            call()
    with pytest.raises(ValueError, match="Got sparse y whose parts do not fit together"):
        fit(tiny("classifier"), X, labels)


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("dtype", [">f8", ">f4", "<f8", "<f4"])
def test_the_order_of_bytes_changes_nothing(dtype, kind):
    inputs, targets = np.random.RandomState(0).randn(30, 3).astype(np.float32), np.arange(30) % 2
    given = inputs.astype(dtype)
    native, swapped = given.astype(given.dtype.newbyteorder("=")), not given.dtype.isnative
    for method in ("fit", "partial_fit"):
        if not hasattr(tiny(kind), method):
            continue
        # scikit-learn, too, makes float64 of the one and keeps the other.
        expected = fit(tiny(kind), inputs.astype(np.float64) if swapped else given, targets, method=method)
        found = fit(tiny(kind), given, targets.astype(">i8" if swapped else "<i8"), method=method)
        for name in PREDICTIONS:
            if hasattr(found, name):
                np.testing.assert_allclose(
                    getattr(found, name)(given), getattr(expected, name)(native), rtol=1e-5, atol=1e-6
                )


def test_duplicates_that_overflow_are_refused():
    table = sp.csr_matrix((np.full(6, 1e308), [0, 0, 0, 0, 1, 0], [0, 2, 4, 5, 6]), shape=(4, 2))
    with pytest.raises(ValueError, match="Got sparse X with duplicate entries whose sum overflows in float64"):
        fit(tiny("regressor"), table, np.arange(4.0))
    regressor = fit(tiny("regressor"), np.eye(4, 2), np.arange(4.0))
    with pytest.raises(ValueError, match="duplicate entries"):
        regressor.predict(table)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_year_and_town_through_a_default_column_transformer_are_learnt_sparse_as_dense(dtype):
    """Thirty towns make the transformer's output sparse, and the year is far from zero."""
    pd = pytest.importorskip("pandas")
    generator = np.random.RandomState(0)
    effects = generator.randn(30)
    codes, years = generator.randint(30, size=600), generator.randint(1950, 2025, size=600)
    table = pd.DataFrame({"year": years, "town": [f"town {code}" for code in codes]})
    targets = 0.05 * (years - 1990) + effects[codes]
    models = []
    for threshold in (0.3, 0.0):
        encoder = ColumnTransformer(
            [("town", OneHotEncoder(dtype=dtype), ["town"])], remainder="passthrough", sparse_threshold=threshold
        )
        network = SigmoidBackpropRegressor(random_state=0)
        models.append(make_pipeline(encoder, network).fit(table.astype({"year": dtype}), targets))
        assert sp.issparse(models[-1][0].transform(table)) == (threshold > 0)
    scores = [model.score(table.astype({"year": dtype}), targets) for model in models]
    assert min(scores) > 0.999
    sparse, dense = (model.predict(table.astype({"year": dtype})) for model in models)
    np.testing.assert_allclose(sparse, dense, atol=1e-6 if dtype == np.float64 else 1e-2)


# Predictions ---------------------------------------------------------------------------------------------------------

FITTED = {}


def fitted(kind, activation, dtype):
    """A fitted estimator, made when it is first asked for."""
    key = kind, activation, dtype
    if key not in FITTED:
        loss = {} if kind != "regressor" else {"loss": "poisson"} if activation == "identity" else {}
        FITTED[key] = fit(tiny(kind, activation=activation, **loss), X.astype(dtype), y)
    return FITTED[key]


@given(
    st.data(), DTYPES, DTYPES, st.sampled_from(list(ESTIMATORS)), st.sampled_from(["logistic", "tanh", "relu", "identity"])
)
def test_predictions_for_any_finite_inputs_are_finite_or_an_error(data, dtype, fitted_in, kind, activation):
    estimator = fitted(kind, activation, fitted_in)
    inputs = data.draw(arrays(dtype, (2, 3), elements=finite_floats(dtype)))
    for name in PREDICTIONS:
        if hasattr(estimator, name):
            _assert_finite_or_refused(getattr(estimator, name), inputs)
    if kind == "autoencoder":
        _assert_finite_or_refused(estimator.inverse_transform, inputs)
        _assert_finite_or_refused(estimator.score, inputs)


def _assert_finite_or_refused(method, inputs):
    try:
        result = method(inputs)
    except ValueError as error:
        # (scikit-learn's own message is about X, and never right here.)
        refusal = str(error)
    else:
        refusal = None
        assert np.isfinite(result).all()
    assert refusal is None or "so large that the result overflows in float" in refusal


@pytest.mark.parametrize("kind", ["classifier", "regressor", "autoencoder"])
def test_an_overflow_says_what_helps(kind):
    estimator = fitted(kind, "relu", np.float32)
    name = "score_samples" if kind == "autoencoder" else "predict"
    with pytest.raises(ValueError, match="the result overflows in float32: pass smaller values, or float64 ones"):
        getattr(estimator, name)(np.array([[3e38, -3e38, 3e38]], np.float32))
    assert np.isfinite(getattr(estimator, name)(np.array([[3e38, -3e38, 3e38]]))).all()


def test_an_outlier_however_far_has_a_score():
    detector = fitted("outlier detector", "relu", np.float64)
    with np.errstate(all="ignore"):
        scores = detector.score_samples([[1e308, -1e308, 1e308], [0.0, 0.0, 0.0]])
    assert np.isfinite(scores).all()
    assert scores[0] < scores[1]
