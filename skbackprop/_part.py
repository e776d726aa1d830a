"""What activations, initializers, optimizers, schedules and losses have in common."""

import inspect
from functools import cache
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray


class Part:
    """A small object that an estimator is made of.

    Attributes
    ----------
    shared : tuple of str, default=()
        Names of the estimator's parameters that are this part's settings when it is asked for by name.
    """

    shared: tuple[str, ...] = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Give a method's docstring the sections of the base class's, where it has none: it takes and returns the same."""
        super().__init_subclass__(**keywords)
        for name, method in vars(cls).items():
            words = inspect.isfunction(method) and method.__doc__
            above = inspect.cleandoc(getattr(getattr(super(cls, cls), name, None), "__doc__", None) or "")
            if words and not name.startswith("_") and "\n---" not in words:
                method.__doc__ = inspect.cleandoc(words) + above[len(above.partition("\n\nParameters\n---")[0]) :]

    def __repr__(self) -> str:
        names = [name for name in inspect.signature(type(self)).parameters if hasattr(self, name)]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


@cache
def _lacking(kind, base):
    """Return the names of what a base class has and another has not."""
    return [name for name in dir(base) if not hasattr(kind, name)]


class Completed:
    """A part of the user's own, with what it lacks taken from the base class of such parts.

    Parameters
    ----------
    part : object
    base : type
    """

    def __init__(self, part, base):
        self._part = part
        self._base = base
        self.__doc__ = type(part).__doc__
        for name in _lacking(type(self), base):
            # An error within a property of the part's own is the user's to see: only what is not there is filled in.
            if hasattr(type(part), name) or hasattr(part, name):
                value = getattr(part, name)
            else:
                value = getattr(base, name)
                value = value.__get__(self) if callable(value) else value
            setattr(self, name, value)

    def fields(self) -> dict[str, Any]:
        """Return what it is made of."""
        return {"part": self._part, "base": self._base}

    def __reduce__(self):
        return type(self), (self._part, self._base)

    def __repr__(self):
        return repr(self._part)
