"""What is private in a fitted estimator as plain data, and back: what is saved names public types alone."""

import inspect
from importlib import import_module

import numpy as np

from .._engine.descent import DescentState
from .._engine.patience import Patience
from .._part import Completed
from ..losses._scikit_learn import AS_THERE
from .labels import Labels
from .scaling import Scaling, TargetScaling
from .state import TrainingState

# The private kinds of objects, and how the fields are had that each is made of again. A file can name no others.
FIELDS = {
    Completed: Completed.fields,
    DescentState: vars,
    Labels: Labels._asdict,
    Patience: vars,
    Scaling: Scaling._asdict,
    TargetScaling: TargetScaling._asdict,
    TrainingState: TrainingState.__getstate__,
    **dict.fromkeys(AS_THERE.values(), vars),
}
# The attributes that hold them, and one whose keys may be booleans.
ATTRIBUTES = ("_activations", "_labels", "_loss", "_scaling", "_target_scaling", "_training_state", "class_weight")
# Under this key a dict of fields says of which kind they are.
KIND = "skbackprop kind"

# Where the public classes are that an estimator may hold, and the functions of `tabular_network`.
MODULES = ("", ".activations", ".initializers", ".losses", ".neural_network", ".optimizers", ".preprocessing", ".schedules")
FUNCTIONS = ("_categories", "_numbers", "_objects")


def convert(attributes, conversion):
    """Convert what is private in a dict of an estimator's attributes, by `as_plain` or `from_plain`."""
    for name in ATTRIBUTES:
        if name in attributes:
            attributes[name] = conversion(attributes[name])


def as_plain(value):
    """Return an object of a private kind as a dict of its fields, a tuple with such objects likewise; most else as it is.

    Of a dict with the keys False and True, both of which skops would read as True, the items are listed.
    """
    kind = type(value)
    if kind in FIELDS:
        return {KIND: kind.__name__, **{name: as_plain(field) for name, field in FIELDS[kind](value).items()}}
    if kind is tuple and not FIELDS.keys().isdisjoint(map(type, value)):
        return tuple(map(as_plain, value))
    if kind is dict and not {bool, np.bool_}.isdisjoint(map(type, value)):
        return {KIND: "dict", "items": list(value.items())}
    return value


def from_plain(value):
    """Undo `as_plain`."""
    if type(value) is tuple and dict in map(type, value):
        return tuple(map(from_plain, value))
    if type(value) is not dict or KIND not in value:
        return value
    if value[KIND] == "dict":
        return dict(value["items"])
    fields = {name: from_plain(field) for name, field in value.items() if name != KIND}
    for kind in FIELDS:
        if kind.__name__ == value[KIND]:
            return kind(**fields)
    raise ValueError(
        f"Got an estimator that was saved with {value[KIND]!r}, which this version of skbackprop does not know: load it "
        "with the version that saved it, or fit anew."
    )


def trusted_types():
    """Return what a file of one of our estimators may name, as "module.name": public classes, and `FUNCTIONS`."""
    package = __name__.partition(".")[0]
    modules = [import_module(package + name) for name in MODULES]
    public = [getattr(module, name) for module in modules for name in module.__all__ if name != "TRUSTED_TYPES"]
    names = {f"{value.__module__}.{value.__qualname__}" for value in public if inspect.isclass(value)}
    return (*sorted(names), *(f"{package}.preprocessing.{name}" for name in FUNCTIONS))
