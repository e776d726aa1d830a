"""How messages show what was got and what is allowed: ten values at most, in a fixed order; and what may be meant."""

import difflib
import re
import reprlib

from sklearn.utils._param_validation import StrOptions

MOST = 10


class _Brief(reprlib.Repr):
    """The representation of a value, cut to its first ten elements."""

    def __init__(self):
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = MOST
        self.maxstring, self.maxother = 80, 200

    def repr_ndarray(self, x, level):
        """Return the representation of an array, as that of its nested lists."""
        return f"array({self.repr1(x.tolist(), level)})"


shown = _Brief().repr


def listed(values):
    """Return the first ten of some values, with commas between them, and how many more there are."""
    values = list(values)
    more = f" and {len(values) - MOST} more" if len(values) > MOST else ""
    return ", ".join(map(shown, values[:MOST])) + more


def in_short(error):
    """Return one of scikit-learn's errors without the array that its message shows, and others as they are."""
    short = re.sub(r":?\n(array=)?\[.*\]\.?\n", ". ", str(error), flags=re.DOTALL)
    return error if short == str(error) else type(error)(short.strip())


def first_word(values):
    """Return the first of some values that is text and no number; None if there is none."""
    for value in values:
        if isinstance(value, str | bytes):
            try:
                float(value)
            except ValueError:
                return value
    return None


def did_you_mean(value, names):
    """Return the end of a sentence that refuses a value: the name that it resembles, if there is one."""
    near = difflib.get_close_matches(value.lower(), names, n=1) if isinstance(value, str) else []
    return f"; did you mean {near[0]!r}?" if near else "."


def check_choice(name, value, names):
    """Raise unless a value is one of the names."""
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"Got {name}={shown(value)}: pass one of {listed(names)}{did_you_mean(value, names)}")


class Choices(StrOptions):
    """Names one of which may be passed, in the order in which messages list them; scikit-learn's own have none."""

    def __init__(self, names):
        names = tuple(names)
        super().__init__(set(names))
        self.options = names

    def __str__(self):
        return f"a str among {{{listed(self.options)}}}"
