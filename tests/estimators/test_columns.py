"""Columns that are no numbers are refused by name, whatever holds them: what is trained is never a count of nanoseconds."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimators_helpers import ESTIMATORS, fit, tiny

from skbackprop import SigmoidBackpropAutoencoder, tabular_network
from skbackprop.preprocessing import PiecewiseLinearEncoder

N = 12
NUMBERS = np.arange(float(N))
y = np.arange(N) % 2
DAYS = pd.date_range("2020", periods=N)
DATES = {
    "dates": pd.Series(DAYS),
    "with a zone": pd.Series(DAYS.tz_localize("UTC")),
    "durations": pd.Series(DAYS - DAYS[0]),
    "periods": pd.Series(DAYS.to_period("D")),
    "one missing": pd.Series(DAYS).where(NUMBERS > 0),
    "categories": pd.Series(DAYS).astype("category"),
    "objects": pd.Series(DAYS).astype(object),
    "objects of NumPy": pd.Series([np.datetime64("2020-01-01")] * N, dtype=object),
    "durations of NumPy": pd.Series([np.timedelta64(1, "D")] * N, dtype=object),
    "periods as objects": pd.Series(DAYS.to_period("D")).astype(object),
    "a missing date alone": pd.Series([*NUMBERS[1:], pd.NaT], dtype=object),
    "Python's dates": pd.Series([datetime.date(2020, 1, 1)] * N, dtype=object),
    "Python's moments": pd.Series([datetime.datetime(2020, 1, 1)] * N, dtype=object),
    "Python's times": pd.Series([datetime.time(1)] * N, dtype=object),
    "Python's durations": pd.Series([datetime.timedelta(1)] * N, dtype=object),
}  # fmt: skip
TABLES = {
    **{f"{name} beside numbers": (pd.DataFrame({"x": NUMBERS, "day": day}), "column 'day'") for name, day in DATES.items()},
    **{f"{name} alone": (pd.DataFrame({"day": day}), "column 'day'") for name, day in DATES.items()},
    **{f"array of {name}": (pd.DataFrame({"day": day}).to_numpy(), "column 0") for name, day in DATES.items()},
    "polars": (pl.DataFrame({"x": NUMBERS, "day": DAYS.to_list()}), "column 'day'"),
    "polars, one missing": (pl.DataFrame({"day": [None, *DAYS.to_list()[1:]]}), "column 'day'"),
    "polars, several": (pl.DataFrame({"date": [datetime.date(2020, 1, 1)] * N, "time": [datetime.time(1)] * N,
                                      "length": [datetime.timedelta(1)] * N}), "columns 'date', 'time', 'length'"),
    "array of NumPy": (np.array([["2020", "NaT"]] * N, dtype="M8[s]"), "columns 0, 1"),
    "list": ([[1.0, datetime.date(2020, 1, 1)]] * N, "column 1"),
    "list of NumPy's": ([[1.0, np.datetime64("2020")]] * N, "column 1"),
}  # fmt: skip


def refused(call, *arguments, kind=ValueError, **keywords):
    """The words in which a call is refused."""
    with pytest.raises(kind) as caught:
        call(*arguments, **keywords)
    return str(caught.value)


@pytest.mark.parametrize(("table", "columns"), TABLES.values(), ids=TABLES)
def test_dates_are_refused_by_name(table, columns):
    message = refused(fit, tiny("classifier"), table, y)
    remedy = "make numbers of them, such as the year, the day of the week or the days since an event."
    assert message == f"Got dates or times in the {columns} of X: {remedy}"


WAYS = {
    "fit": lambda estimator, table, _: fit(estimator, table, y),
    "partial_fit": lambda estimator, table, _: fit(estimator, table, y, method="partial_fit"),
    "X_val": lambda estimator, table, good: fit(estimator, good, y, X_val=table, y_val=y),
    "predict": lambda estimator, table, good: fit(estimator, good, y).predict(table),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_dates_are_refused_wherever_there_are_inputs(way, kind):
    good = pd.DataFrame({"x": NUMBERS, "day": NUMBERS})
    assert "'day' of X" in refused(WAYS[way], tiny(kind), good.assign(day=DAYS), good)


@pytest.mark.parametrize("estimator", [*map(tiny, ESTIMATORS), PiecewiseLinearEncoder(), tabular_network("classifier")])
def test_every_estimator_refuses_dates(estimator):
    table = pd.DataFrame({"x": NUMBERS, "day": DAYS})
    assert "'day' of X" in refused(estimator.fit, table, y)


def test_codes_of_an_autoencoder_are_no_dates():
    autoencoder = fit(tiny("autoencoder"), np.column_stack([NUMBERS, y]))
    assert isinstance(autoencoder, SigmoidBackpropAutoencoder)
    assert "Got dates or times" in refused(autoencoder.inverse_transform, np.ones((2, 3), "M8[s]"))


def test_categories_of_dates_or_spans_are_categories_in_a_pipeline():
    table = pd.DataFrame({"day": pd.Series(DAYS[[0, 5]].to_list() * 6).astype("category"), "x": pd.cut(NUMBERS, 2)})
    model = tabular_network("classifier", max_iter=1, early_stopping=False, hidden_layer_sizes=(2,))
    assert fit(model.named_steps["columns"], table).transform(table).shape == (N, 4)


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (pd.NA, ValueError, "Got pandas.NA in the column 'odd' of X: fill in what is missing, or leave those rows out."),
        (
            pd.Interval(0, 1),
            TypeError,
            "Got Interval(0, 1, closed='right') in the column 'odd' of X: float() argument must",
        ),
        ({"a": 1}, TypeError, "Got {'a': 1} in the column 'odd' of X: float() argument must be"),
        (
            [1, 2],
            ValueError,
            "Got [1, 2] in the column 'odd' of X: setting an array element with a sequence; pass numbers.",
        ),
        (1j, ValueError, "Complex data not supported: got 1j in the column 'odd' of X; pass real numbers."),
    ],
    ids=["NA", "interval", "dict", "list", "complex"],
)
def test_what_is_no_number_is_shown_with_its_column(value, kind, said):
    table = pd.DataFrame({"x": NUMBERS, "odd": pd.Series([1.0, value] * (N // 2), dtype=object)})
    assert refused(fit, tiny("classifier"), table, y, kind=kind).startswith(said)
    targets = pd.Series([1.0, value] * (N // 2), dtype=object)
    assert "in y" in refused(fit, tiny("regressor"), NUMBERS[:, None], targets, kind=kind)


@pytest.mark.parametrize(
    "targets", [*DATES.values(), np.array(["2020", "NaT"] * 6, "M8[s]"), DATES["Python's dates"].to_list()]
)
def test_dates_are_no_targets_of_a_regressor(targets):
    for keywords in ({}, {"X_val": NUMBERS[:, None], "y_val": targets}):
        assert "Got dates or times in y: make numbers" in refused(
            fit, tiny("regressor"), NUMBERS[:, None], y if keywords else targets, **keywords
        )


def test_messages_show_no_array_and_no_endless_name():
    many = np.arange(900.0)
    assert len(refused(fit, tiny("classifier"), many, many > 3)) < 250
    assert len(refused(fit, tiny("classifier"), NUMBERS[:, None], y * 1j)) < 100
    assert len(refused(fit, tiny("classifier"), pd.DataFrame({500 * "long": ["a"] * N}), y)) < 300
