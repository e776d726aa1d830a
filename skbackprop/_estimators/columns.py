"""What the columns of a table hold: dates, text and whatever is no number is refused by the name of its column."""

from datetime import date, time, timedelta

import numpy as np
from scipy.sparse import issparse

from .words import first_word, listed, shown

# What the errors of NumPy, pandas and scikit-learn say of values that are no numbers.
NO_NUMBER = ("could not convert", "argument must be", "setting an array element", "value of NA", "Complex data")


def refuse_dates(table, name="X", categories=True):
    """Raise for dates or times, which NumPy would make counts of some unit since 1970 of, and -2**63 of those missing.

    `categories` says whether dates that are categories in the sense of pandas are refused, too.
    """
    found = _columns_of_dates(table, categories)
    if found:
        where = _place(table, found if _is_frame(table) or np.ndim(table) == 2 else [], name)
        raise ValueError(
            f"Got dates or times in {where}: make numbers of them, such as the year, the day of the "
            "week or the days since an event."
        )


def refuse_text(X, error):
    """Raise, in place of that error, for columns of text; return if there are none."""
    table = _objects(X, error)
    words = [first_word(column) for column in table.T] if table.ndim == 2 else []
    found = [position for position, word in enumerate(words) if word is not None]
    if found:
        raise ValueError(
            f"Got text in {_place(X, found, 'X')}, such as {shown(words[found[0]])}: pass numbers, which "
            "sklearn.preprocessing.OneHotEncoder makes of categories, or use skbackprop.tabular_network."
        ) from error


def refuse_others(table, name, error):
    """Raise, in place of that error, for the first value that is no number; return if there is none."""
    objects = _objects(table, error)
    for position, column in enumerate(objects.T if objects.ndim == 2 else [objects.ravel()]):
        where = _place(table, [position] if objects.ndim == 2 else [], name)
        for value in column:
            if type(value).__name__ == "NAType":
                raise ValueError(f"Got pandas.NA in {where}: fill in what is missing, or leave those rows out.") from error
            if isinstance(value, complex | np.complexfloating):
                raise ValueError(f"Complex data not supported: got {value} in {where}; pass real numbers.") from None
            try:
                value is None or float(value)
            except (TypeError, ValueError):
                kind = TypeError if isinstance(error, TypeError) else ValueError
                raise kind(f"Got {shown(value)} in {where}: {str(error).rstrip('.')}; pass numbers.") from error


def _is_frame(table):
    """Return whether a table is a frame, as that of pandas or polars."""
    return hasattr(table, "columns") and hasattr(table, "dtypes")


def _place(table, positions, name):
    """Return how a message calls the columns of a table at some positions; without any, the whole by its name."""
    if not positions:
        return name
    columns = getattr(table, "columns", None)
    names = positions if columns is None else [columns[position] for position in positions]
    return f"the column{'s' if len(names) > 1 else ''} {listed(names)} of {name}"


def _columns_of_dates(table, categories):
    """Return the positions of the columns that hold dates or times; what has no columns is one."""
    if table is None or issparse(table) or (isinstance(table, np.ndarray) and table.dtype.kind not in "mMO"):
        return []
    if _is_frame(table):
        dtypes = table.dtypes
    else:
        table = table if hasattr(table, "dtype") else _as_array(table)
        dtypes = [table.dtype] * (table.shape[1] if len(table.shape) == 2 else 1)
    kept = [(position, dtype) for position, dtype in enumerate(dtypes) if categories or not hasattr(dtype, "categories")]
    return [position for position, dtype in kept if _holds_dates(table, position, dtype)]


def _holds_dates(table, position, dtype):
    """Return whether a column, of that dtype of NumPy, pandas or polars, holds dates or times."""
    if hasattr(dtype, "is_temporal"):
        return dtype.is_temporal()
    # Of pandas' categories.
    dtype = getattr(getattr(dtype, "categories", None), "dtype", dtype)
    kind = getattr(dtype, "type", object)
    if kind is not np.object_:
        return _is_of_dates(kind)
    if len(table.shape) == 2:
        table = table.iloc[:, position] if hasattr(table, "iloc") else table[:, position]
    return any(_is_of_dates(kind) for kind in set(map(type, table)))


def _is_of_dates(kind):
    """Return whether a type is that of dates, times or the time between; pandas' periods have none of these bases."""
    return issubclass(kind, date | time | timedelta | np.datetime64 | np.timedelta64) or kind.__name__ == "Period"


def _as_array(table):
    """Return what is in lists, say, as an array: of objects where there are several kinds, empty where it is no table."""
    try:
        return np.atleast_1d(np.asarray(table))
    except TypeError:
        return np.atleast_1d(np.asarray(table, dtype=object))
    except ValueError:
        return np.empty(0)


def _objects(table, error):
    """Return an array of what is in a table, an empty one where the error has nothing to do with that."""
    numeric = isinstance(table, np.ndarray) and table.dtype.kind in "biuf"
    if numeric or issparse(table) or not any(said in str(error) for said in NO_NUMBER):
        return np.empty(0, dtype=object)
    try:
        return np.asarray(table, dtype=object)
    except ValueError:
        return np.empty(0, dtype=object)
