"""Ramps over quantiles against NumPy and scikit-learn; and the pipeline for mixed tables on what real tables hold."""

import datetime
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_inplace_ensure_writeable,
    check_param_validation,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    estimator_checks_generator,
)

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor, preprocessing, tabular_network
from skbackprop.preprocessing import PiecewiseLinearEncoder

# The encoder -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def X(rng):
    """Columns that are normal, skewed, of five values, of two, and constant."""
    return np.column_stack(
        [rng.randn(300), rng.exponential(size=300), rng.randint(5, size=300), np.arange(300) % 2, np.full(300, 7.0)]
    )


@pytest.fixture
def rng():
    return np.random.RandomState(0)


CHECKS = [check for n_bins in (8, 1) for check in estimator_checks_generator(PiecewiseLinearEncoder(n_bins))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=[check.func.__name__ for _, check in CHECKS])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "check",
    [
        check_dataframe_column_names_consistency,
        check_inplace_ensure_writeable,
        check_param_validation,
        check_set_output_transform,
        check_set_output_transform_pandas,
        check_set_output_transform_polars,
        check_transformer_get_feature_names_out,
        check_transformer_get_feature_names_out_pandas,
    ],
    ids=lambda check: check.__name__,
)
def test_checks_that_scikit_learn_runs_on_itself(check):
    check("PiecewiseLinearEncoder", PiecewiseLinearEncoder())


def test_a_ramp_is_numpys_interpolation_from_0_to_1_between_two_edges(X, rng):
    encoder = PiecewiseLinearEncoder(5).fit(X)
    new = np.vstack([X, 3 * rng.randn(200, 5)])
    expected = []
    for x, edges in zip(new.T, encoder.edges_, strict=True):
        ramps = [np.interp(x, edges[i : i + 2], (0, 1)) for i in range(len(edges) - 1)]
        expected += [x, *(ramps if len(ramps) > 1 else [])]
    assert_allclose(encoder.transform(new), np.transpose(expected), rtol=0, atol=1e-14)


@pytest.mark.parametrize("n_bins", [2, 4, 8, 64])
def test_edges_are_the_quantiles_of_numpy_and_of_scikit_learns_bins(n_bins, X):
    edges = PiecewiseLinearEncoder(n_bins).fit(X[:, :2]).edges_
    quantiles = np.quantile(X[:, :2], np.arange(n_bins + 1) / n_bins, axis=0, method="inverted_cdf")
    assert_array_equal(edges, quantiles.T)
    bins = KBinsDiscretizer(n_bins, encode="ordinal", strategy="quantile", subsample=None)
    if "quantile_method" in bins.get_params():
        bins.set_params(quantile_method="inverted_cdf").fit(X[:, :2])
        assert_array_equal(edges, np.stack(bins.bin_edges_))
        # As many ramps are full as bins lie below.
        full = [(PiecewiseLinearEncoder(n_bins).fit_transform(x[:, None])[:, 1:] == 1).sum(axis=1) for x in X[:, :2].T]
        assert_array_equal(np.minimum(np.transpose(full), n_bins - 1), bins.transform(X[:, :2]))


@pytest.mark.parametrize("n_bins", [3, 7, 10, 49])
def test_a_quantile_has_just_enough_samples_up_to_it(n_bins, rng):
    # In whole numbers, without the rounding of shares.
    for n_samples in range(n_bins, 120):
        x = rng.randn(n_samples)
        expected = [np.sort(x)[max(0, -(-i * n_samples // n_bins) - 1)] for i in range(n_bins + 1)]
        assert_array_equal(PiecewiseLinearEncoder(n_bins).fit(x[:, np.newaxis]).edges_[0], np.unique(expected))


def test_the_ramps_times_their_widths_add_up_to_the_column(X):
    encoder = PiecewiseLinearEncoder().fit(X)
    edges = encoder.edges_[1]
    ramps = PiecewiseLinearEncoder().fit_transform(X[:, [1]])[:, 1:]
    assert_allclose(edges[0] + ramps @ np.diff(edges), X[:, 1])
    beyond = encoder.transform(X + np.ptp(X, axis=0))[:, 10:18]
    assert_array_equal(beyond, np.ones_like(beyond))


def test_ramps_rise_with_their_column_one_after_the_other(rng):
    x = np.sort(rng.standard_cauchy(400))[:, np.newaxis]
    ramps = PiecewiseLinearEncoder(10).fit_transform(x)[:, 1:]
    assert ramps.shape == (400, 10)
    assert (np.diff(ramps, axis=0) >= 0).all()
    assert ((ramps[:, 1:] == 0) | (ramps[:, :-1] == 1)).all()
    assert_array_equal(ramps[[0, -1]], [[0] * 10, [1] * 10])


def test_columns_of_few_values_have_fewer_ramps_and_those_of_one_or_two_have_none(X):
    encoder = PiecewiseLinearEncoder().fit(X)
    names = encoder.get_feature_names_out(["a", "b", "five", "two", "one"])
    counts = {stem: sum(name.startswith(f"{stem}_ramp") for name in names) for stem in ("a", "b", "five", "two", "one")}
    assert counts == {"a": 8, "b": 8, "five": 4, "two": 0, "one": 0}
    assert_array_equal(encoder.edges_[2], range(5))
    encoded = encoder.transform(X)
    assert_array_equal(encoded[:, [0, 9, 18, 23, 24]], X)
    # Among five values, the ramps are a code that counts: as many ones as values are passed.
    assert_array_equal(encoded[:, 19:23].sum(axis=1), X[:, 2])


def test_one_bin_and_one_row_have_no_ramps(X):
    assert_array_equal(PiecewiseLinearEncoder(1).fit_transform(X), X)
    assert_array_equal(PiecewiseLinearEncoder().fit_transform(X[:1]), X[:1])


@pytest.mark.parametrize("n_bins", [3, 7, 8])
def test_whole_weights_equal_repeated_rows(n_bins, X, rng):
    weight = rng.randint(4, size=len(X))
    weighted = PiecewiseLinearEncoder(n_bins).fit(X, sample_weight=weight)
    repeated = PiecewiseLinearEncoder(n_bins).fit(np.repeat(X, weight, axis=0))
    assert_array_equal(weighted.transform(X), repeated.transform(X))


@pytest.mark.parametrize("factor", [2.0**-20, 1000, 2.0**20])
def test_a_common_factor_on_the_weights_changes_nothing(factor, X, rng):
    weight = rng.randint(4, size=len(X)).astype(float)
    once, again = (PiecewiseLinearEncoder(5).fit(X, sample_weight=w).transform(X) for w in (weight, factor * weight))
    assert_array_equal(once, again)


def test_any_weights_keep_the_extremes_as_the_outer_edges(rng):
    for _ in range(50):
        x, weight = rng.randn(30, 1), rng.exponential(size=30)
        edges = PiecewiseLinearEncoder(7).fit(x, sample_weight=weight).edges_[0]
        assert edges[0] == x.min()
        assert edges[-1] == x.max()


def test_units_and_order_of_the_columns_do_not_matter(X):
    encoded = PiecewiseLinearEncoder().fit_transform(X)
    small = PiecewiseLinearEncoder().fit_transform(1e-12 * X)
    assert_allclose(small[:, 1:9], encoded[:, 1:9], atol=1e-9)
    assert small.shape == encoded.shape
    turned = PiecewiseLinearEncoder().fit(X[:, ::-1]).transform(X[:, ::-1])
    assert_array_equal(turned[:, -9:], encoded[:, :9])


def test_float32_stays_float32_and_nothing_is_changed_in_place(X):
    given = X.astype(np.float32)
    kept = given.copy()
    encoder = PiecewiseLinearEncoder().fit(given)
    assert encoder.transform(given).dtype == np.float32
    assert get_tags(encoder).transformer_tags.preserves_dtype == ["float64", "float32"]
    assert_array_equal(given, kept)
    assert_allclose(encoder.transform(given), PiecewiseLinearEncoder().fit_transform(X), atol=1e-5)
    assert PiecewiseLinearEncoder().fit(X).transform(given).dtype == np.float32
    assert PiecewiseLinearEncoder().fit_transform(X.astype(int)).dtype == np.float64


def test_narrow_bins_beside_large_values_overflow_to_one_without_a_word():
    x = np.array([[0.0], [1e-35], [2e-35], [1e10]], dtype=np.float32)
    assert_array_equal(PiecewiseLinearEncoder().fit_transform(x)[:, 1:], np.tri(4, 3, -1))


def test_the_output_is_in_c_order_as_the_networks_read_it(X):
    for order in "CF":
        assert PiecewiseLinearEncoder().fit_transform(np.asarray(X, order=order)).flags.c_contiguous


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_have_names_in_and_out(frame):
    table = frame({"age": [20, 30, 40, 50], "member": [0, 1, 1, 0]})
    kind = "pandas" if frame is pd.DataFrame else "polars"
    encoded = PiecewiseLinearEncoder(3).set_output(transform=kind).fit_transform(table)
    assert type(encoded) is frame
    # The names that scikit-learn finds: old versions of it find none in new ones of polars.
    age, member = StandardScaler().fit(table).get_feature_names_out()
    assert list(encoded.columns) == [age, f"{age}_ramp_1", f"{age}_ramp_2", f"{age}_ramp_3", member]
    assert_array_equal(encoded.to_numpy(), PiecewiseLinearEncoder(3).fit_transform(table.to_numpy()))


def test_names_without_a_frame_are_numbered():
    encoder = PiecewiseLinearEncoder(2).fit([[1.0], [2.0], [3.0]])
    assert_array_equal(encoder.get_feature_names_out(), ["x0", "x0_ramp_1", "x0_ramp_2"])


def test_missing_values_and_sparse_columns_are_refused_in_plain_words(X):
    encoder = PiecewiseLinearEncoder()
    with pytest.raises(ValueError, match="PiecewiseLinearEncoder does not accept missing values"):
        encoder.fit(np.where(X > 6, np.nan, X))
    with pytest.raises(TypeError, match="Sparse data was passed for X, but dense data is required"):
        encoder.fit(scipy.sparse.csr_array(X))
    with pytest.raises(ValueError, match="down to -1"):
        encoder.fit(X, sample_weight=np.full(len(X), -1))


@pytest.mark.parametrize("n_bins", [0, 2.5, "auto"])
def test_the_number_of_bins_is_checked(n_bins, X):
    with pytest.raises(ValueError, match="The 'n_bins' parameter of PiecewiseLinearEncoder must be an int in the range"):
        PiecewiseLinearEncoder(n_bins).fit(X)


def test_a_linear_model_on_the_encoded_column_learns_a_curve():
    x = np.linspace(0, 1, 400)[:, np.newaxis]
    encoded = PiecewiseLinearEncoder(16).fit_transform(x)
    y = np.sin(2 * np.pi * x[:, 0])
    weights = np.linalg.lstsq(encoded, y, rcond=None)[0]
    assert np.abs(encoded @ weights - y).max() < 0.02


# The pipeline ------------------------------------------------------------------------------------------------------------

QUICK = {"max_iter": 30, "tol": 1.0, "n_iter_no_change": 2, "random_state": 0}


def mixed(rng, n=120):
    """A frame with every kind of column, and a target that depends on two of them."""
    town = rng.choice(["Bern", "Oslo", "Rome"], n)
    age = rng.uniform(20, 80, n)
    frame = pd.DataFrame(
        {
            "age": np.where(rng.uniform(size=n) < 0.2, np.nan, age),
            "town": pd.Series(town).where(rng.uniform(size=n) < 0.9, None),
            "colour": pd.Categorical(rng.choice(["red", "blue"], n)),
            "member": rng.uniform(size=n) < 0.5,
            "size": pd.array(rng.randint(1, 6, n), dtype="Int64"),
            "word": pd.array(rng.choice(["a", "b"], n), dtype="string"),
            "maybe": pd.array(rng.uniform(size=n) < 0.5, dtype="boolean"),
            "grade": pd.Categorical(rng.randint(3, size=n)),
            "nothing": np.full(n, np.nan),
            "none": [None] * n,
            "numbers": np.array([1, 2.5] * (n // 2), dtype=object),
        }
    )
    frame.loc[5, ["size", "word", "maybe"]] = pd.NA
    return frame, np.where((town == "Oslo") | (age > 60), "yes", "no")


def in_polars(frame):
    """The same in polars, where it has such types."""
    columns = {
        name: pl.Series(name, [None if pd.isna(value) else value for value in frame[name].astype(object)], strict=False)
        for name in frame
    }
    return pl.DataFrame(columns).with_columns(
        pl.col("nothing").cast(pl.Float64),
        pl.col("colour").cast(pl.Categorical),
        pl.col("town").cast(pl.Enum(["Bern", "Oslo", "Rome"])),
    )


def can_be_stacked(frame):
    """Whether scikit-learn's `ColumnTransformer` puts such frames together: old versions do not know new ones of polars."""
    columns = ColumnTransformer([("all", "passthrough", [0])]).set_output(transform=type(frame).__module__.split(".")[0])
    try:
        return type(columns.fit_transform(frame)) is type(frame)
    except ValueError:
        return False


def names_of(model):
    return set(model.named_steps["columns"].get_feature_names_out())


CATEGORIES = {"town", "colour", "member", "word", "maybe", "grade"}
NUMBERS = {"age", "size", "nothing", "none", "numbers"}


def test_each_column_of_a_mixed_frame_is_encoded_by_its_kind(rng):
    frame, y = mixed(rng)
    model = tabular_network("classifier", **QUICK).fit(frame, y)
    fitted = {name: list(frame.columns[columns]) for name, _, columns in model.named_steps["columns"].transformers_}
    assert set(fitted["categories"]) == CATEGORIES
    assert set(fitted["numbers"]) == NUMBERS
    names = names_of(model)
    assert {"categories__town_Oslo", "categories__town_None", "categories__grade_2", "categories__member_True"} <= names
    assert {"numbers__age", "numbers__age_ramp_8", "numbers__missingindicator_age", "numbers__nothing"} <= names
    assert "numbers__nothing_ramp_1" not in names
    # The values seen once are rare: those of "maybe" and "word" that are missing.
    assert {"categories__word_infrequent_sklearn", "categories__maybe_infrequent_sklearn"} <= names
    assert np.isfinite(model.predict_proba(frame)).all()


def test_polars_is_encoded_like_pandas(rng):
    frame, y = mixed(rng)
    frame = frame.drop(columns=["none", "numbers", "grade"])
    encoded = [
        tabular_network("classifier", **QUICK).fit(table, y)[:-1].transform(table) for table in (frame, in_polars(frame))
    ]
    assert_array_equal(*encoded)


def test_a_polars_column_of_nulls_is_no_obstacle(rng):
    frame = pl.DataFrame({"null": [None] * 40, "x": range(40)})
    model = tabular_network("regressor", **QUICK).fit(frame, np.arange(40.0))
    assert np.isfinite(model.predict(frame[:1])).all()


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_set_output(kind, rng):
    frame, y = mixed(rng)
    table = frame if kind == "pandas" else in_polars(frame)
    if not can_be_stacked(table):
        pytest.skip("this scikit-learn's ColumnTransformer takes no frames of this polars")
    model = tabular_network("classifier", **QUICK).set_output(transform=kind).fit(table, y)
    encoded = model[:-1].transform(table[:3])
    assert type(encoded) is type(table)
    assert set(encoded.columns) == names_of(model)


def test_what_was_never_seen_is_one_with_what_is_rare(rng):
    frame, y = mixed(rng)
    rare = frame.assign(town=["Nuuk", "Suva"] * 2 + list(frame["town"][4:]))
    model = tabular_network("classifier", **QUICK).fit(rare, y)
    assert "categories__town_infrequent_sklearn" in names_of(model)
    row = frame[10:11]
    answers = [model.predict_proba(row.assign(town=town)) for town in ("Nuuk", "Suva", "Paris", 3)]
    for answer in answers[1:]:
        assert_array_equal(answer, answers[0])
    assert not np.array_equal(model.predict_proba(row.assign(town="Oslo")), answers[0])


# There is nothing to be learnt.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_more_than_a_hundred_categories_a_column():
    frame = pd.DataFrame({"code": [f"c{i}" for i in range(200)] * 5})
    model = tabular_network("regressor", **QUICK).fit(frame, np.arange(1000.0))
    assert len(names_of(model)) == 100


def test_a_value_missing_for_the_first_time_is_predicted(rng):
    frame, y = mixed(rng)
    model = tabular_network("classifier", **QUICK).fit(frame, y)
    row = frame[10:11].astype({"numbers": float}).assign(numbers=np.nan, colour=None, member=None)
    assert model.predict(row)[0] in {"yes", "no"}


def test_all_that_pandas_takes_for_missing_is_one_category(rng):
    frame, y = mixed(rng)
    model = tabular_network("classifier", **QUICK).fit(frame, y)
    row = frame[10:11]
    answers = [model.predict_proba(row.assign(town=pd.Series([m], row.index, object))) for m in (None, np.nan, pd.NA)]
    assert_array_equal(answers[1], answers[0])
    assert_array_equal(answers[2], answers[0])


def test_columns_may_come_in_another_order(rng):
    frame, y = mixed(rng)
    model = tabular_network("classifier", **QUICK).fit(frame, y)
    assert_array_equal(model.predict_proba(frame[frame.columns[::-1]]), model.predict_proba(frame))


@pytest.mark.slow
def test_arrays_of_numbers_are_the_encoder_and_the_network_alone():
    X, y = load_diabetes(return_X_y=True)
    model = tabular_network("regressor", **QUICK).fit(X, y)
    encoded = PiecewiseLinearEncoder().fit_transform(X)
    network = clone(model.named_steps["network"]).fit(encoded, y)
    assert_array_equal(model.predict(X), network.predict(encoded))
    assert_array_equal(
        tabular_network("regressor", **QUICK).fit(X.tolist(), y).predict(X[:1].tolist()), model.predict(X[:1])
    )


def test_an_array_of_objects_has_numbers_and_categories(rng):
    frame, y = mixed(rng)
    array = frame[["age", "town", "size"]].to_numpy(dtype=object, na_value=None)
    model = tabular_network("classifier", **QUICK).fit(array, y)
    assert {"numbers__x0_ramp_1", "categories__x1_Oslo", "numbers__x2"} <= names_of(model)
    assert model.predict(array[:1])[0] in {"yes", "no"}


def test_an_array_of_strings_is_of_categories():
    X = np.array([["a", "x"], ["b", "x"]] * 20)
    model = tabular_network("classifier", **QUICK).fit(X, X[:, 0])
    assert names_of(model) == {"categories__x0_a", "categories__x0_b", "categories__x1_x"}


def test_float32_stays_float32(rng):
    frame = pd.DataFrame({"x": rng.randn(50).astype(np.float32), "town": ["a", "b"] * 25})
    model = tabular_network("regressor", **QUICK).fit(frame, rng.randn(50).astype(np.float32))
    assert model.named_steps["network"].coefs_[0].dtype == np.float32


@pytest.mark.parametrize(
    "dates",
    [
        pd.date_range("2020", periods=40),
        pd.date_range("2020", periods=40, tz="UTC"),
        pd.date_range("2020", periods=40) - pd.Timestamp("2019"),
        pd.Series([datetime.date(2020, 1, 1)] * 40, dtype=object),
        pd.Series([np.timedelta64(1, "D")] * 40, dtype=object),
        pd.period_range("2020", periods=40, freq="D"),
    ],
    ids=["dates", "with a zone", "durations", "objects", "durations as objects", "periods"],
)
def test_dates_are_refused_by_name(dates):
    frame = pd.DataFrame({"x": range(40), "day": dates})
    with pytest.raises(ValueError, match="Got dates or times in the column 'day' of X: make numbers of them"):
        tabular_network("regressor").fit(frame, np.arange(40))


def test_dates_of_polars_and_of_arrays_are_refused():
    days = pl.DataFrame({"x": [1, 2], "day": [datetime.date(2020, 1, 1)] * 2, "hour": [datetime.time(1)] * 2})
    with pytest.raises(ValueError, match="columns 'day', 'hour' of X"):
        tabular_network("regressor").fit(days, [0, 1])
    with pytest.raises(ValueError, match="column 0 of X"):
        tabular_network("regressor").fit(np.array([["2020-01-01"]] * 4, dtype="datetime64[D]"), range(4))


def test_sparse_tables_and_infinite_numbers_are_refused():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        tabular_network("classifier").fit(scipy.sparse.csr_array(X), y)
    X[0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        tabular_network("classifier").fit(X, y)


def test_its_network_takes_parameters():
    model = tabular_network("classifier", hidden_layer_sizes=(5,), activation="tanh", early_stopping=False)
    network = model.named_steps["network"]
    assert (network.hidden_layer_sizes, network.activation, network.early_stopping) == ((5,), "tanh", False)
    assert type(network) is SigmoidBackpropClassifier
    network = tabular_network("regressor").named_steps["network"]
    assert type(network) is SigmoidBackpropRegressor
    assert network.activation == "silu"
    assert network.early_stopping
    with pytest.raises(TypeError, match="layers"):
        tabular_network("classifier", layers=3)


@pytest.mark.parametrize("kind", ["classification", None, SigmoidBackpropClassifier()])
def test_the_kind_is_checked(kind):
    with pytest.raises(ValueError, match="pass one of 'classifier', 'regressor'"):
        tabular_network(kind)


def test_weights_of_samples_reach_the_network(rng):
    frame, y = mixed(rng)
    weight = np.where(y == "yes", 10.0, 1.0)
    model = tabular_network("classifier", early_stopping=False, **QUICK).fit(frame, y, network__sample_weight=weight)
    encoded = model[:-1].transform(frame)
    network = clone(model[-1]).fit(encoded, y, sample_weight=weight)
    assert_array_equal(model.predict_proba(frame), network.predict_proba(encoded))
    assert not np.array_equal(network.predict_proba(encoded), clone(network).fit(encoded, y).predict_proba(encoded))


@pytest.mark.slow
def test_it_is_cloned_pickled_and_searched(rng):
    frame, y = mixed(rng)
    model = clone(tabular_network("classifier", **QUICK))
    grid = {"columns__numbers__encoder__n_bins": [1, 8], "network__alpha": [0.001, "auto"]}
    search = GridSearchCV(model, grid, cv=2).fit(frame, y)
    again = pickle.loads(pickle.dumps(search.best_estimator_))
    assert_array_equal(again.predict_proba(frame), search.predict_proba(frame))


@pytest.mark.slow
def test_it_learns_from_a_mixed_frame(rng):
    frame, y = mixed(rng, n=1200)
    model = tabular_network("classifier", random_state=0).fit(frame[:900], y[:900])
    base = max(np.mean(y[900:] == label) for label in ("yes", "no"))
    assert model.score(frame[900:], y[900:]) > (1 + base) / 2


def test_the_parts_are_public():
    assert set(preprocessing.__all__) == {"PiecewiseLinearEncoder", "tabular_network"}
