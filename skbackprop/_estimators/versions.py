"""Which versions wrote a file, and a warning where another one of this package reads it."""

import platform
from functools import cache
from importlib import import_module

import numpy as np
import sklearn
from sklearn.exceptions import InconsistentVersionWarning
from threadpoolctl import threadpool_info

from .._engine import compiled
from .advice import warn_user
from .plain import as_plain, convert, from_plain


class OtherVersionWarning(InconsistentVersionWarning):
    """An estimator was saved by another version of this package; a kind of scikit-learn's warning, and silenced with it.

    Parameters
    ----------
    estimator_name : str
    original, current : dict of str to str
        The versions that saved it and those that load it, by name, as `versions` returns them.
    """

    def __init__(self, estimator_name, original, current):
        super().__init__(
            estimator_name=estimator_name,
            current_sklearn_version=current["scikit-learn"],
            original_sklearn_version=original.get("scikit-learn", "unknown"),
        )
        self.original, self.current = original, current

    def __str__(self):
        """Return what may come of it."""
        saved, loaded = (", ".join(map(" ".join, found.items())) for found in (self.original, self.current))
        return (
            f"{self.estimator_name} was saved by {saved} and is loaded by {loaded}, which may break it or change what it "
            "predicts: load it with the versions that saved it, or fit anew."
        )


def versions():
    """Return the versions of this package, scikit-learn and NumPy, by name."""
    return _versions(import_module(__name__.partition(".")[0]).__version__)


@cache
def _versions(own):
    # One dict for all estimators: in a pickle of several they share it, and so they do when they are loaded.
    return {"skbackprop": own, "scikit-learn": sklearn.__version__, "NumPy": np.__version__}


def show_versions() -> None:
    """Print what a report of a fault should say: the versions, the engine that trains, and the BLAS threads.

    The engine is "C" where a C compiler was found when the package was installed, else "NumPy"; the environment variable
    SKBACKPROP_ENGINE chooses between them: "auto", "c" or "numpy".

    Raises
    ------
    ImportError
        If SKBACKPROP_ENGINE is "c" and there is no compiled engine.

    See Also
    --------
    sklearn.show_versions : The versions of scikit-learn and of what it needs.

    Examples
    --------
    >>> import skbackprop
    >>> skbackprop.show_versions()  # doctest: +ELLIPSIS
    skbackprop: ...
    """
    own, *others = versions().items()
    others += [(name, import_module(name).__version__) for name in ("scipy", "joblib", "threadpoolctl")]
    system = [("Python", platform.python_version()), ("machine", f"{platform.system()} {platform.machine()}")]
    blas = [f"{info['internal_api']} {info['num_threads']}" for info in threadpool_info() if info["user_api"] == "blas"]
    for name, value in [own, ("engine", compiled.name()), *others, *system, ("BLAS threads", ", ".join(blas))]:
        print(f"{name}: {value}")


class Versioned:
    """Writes the versions into an estimator's files, as scikit-learn does with its own, and no private type."""

    def __getstate__(self):
        """Return the attributes, the private ones as plain data, and the versions."""
        state = {**super().__getstate__(), "_versions": versions()}
        convert(state, as_plain)
        # In these `partial_fit` goes on in place: a shallow copy is to have lists of its own.
        state |= {name: [*state[name]] for name in ("loss_curve_", "validation_scores_") if state.get(name)}
        return state

    def __setstate__(self, state):
        """Set the attributes; warn once a file if it was written by another version of this package."""
        state = dict(state)
        convert(state, from_plain)
        original, current = state.pop("_versions", {"skbackprop": "(an unknown version)"}), versions()
        if original.get("skbackprop") != current["skbackprop"] and not original.get("told"):
            warn_user(OtherVersionWarning(type(self).__name__, dict(original), current))
            # Those that come from the same file share the dict, and are silent.
            original["told"] = True
        super().__setstate__(state)
