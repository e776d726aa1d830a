"""Whole numbers that count something: one check for the callbacks, displays and functions that take them."""

import numbers


def check_count(name, value, otherwise=""):
    """Raise unless `value` is a whole number of at least 1; `otherwise` says what else may be passed."""
    if not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"Got {name}={value!r}: pass a whole number of at least 1{otherwise}.")
