"""What holds for every row of the tables of parts: it is exported, documented, printed, pickled, and asked for by name."""

import inspect
import pickle
import re
from pathlib import Path

import pytest

from skbackprop import (
    SigmoidBackpropClassifier,
    SigmoidBackpropRegressor,
    activations,
    initializers,
    losses,
    optimizers,
    schedules,
)

# A module, an estimator with a parameter that names its parts, and its table; losses of labels once a kind of target.
TABLES = [
    (activations, SigmoidBackpropClassifier, activations.ACTIVATIONS.items()),
    (initializers, SigmoidBackpropClassifier, initializers.INITIALIZERS.items()),
    (optimizers, SigmoidBackpropClassifier, optimizers.OPTIMIZERS.items()),
    (schedules, SigmoidBackpropClassifier, schedules.SCHEDULES.items()),
    (losses, SigmoidBackpropRegressor, losses.REGRESSION_LOSSES.items()),
    *((losses, SigmoidBackpropClassifier, [(name, kind)])
      for name, kinds in losses.CLASSIFICATION_LOSSES.items() for kind in kinds.values()),
]  # fmt: skip
ROWS = {
    f"{name}-{kind.__name__}": (module, estimator, name, kind)
    for module, estimator, table in TABLES
    for name, part in table
    for kind in [part if inspect.isclass(part) else type(part)]
}
rows = pytest.mark.parametrize(("module", "estimator", "name", "kind"), ROWS.values(), ids=ROWS)
MATHEMATICS = Path(__file__).parents[1] / "docs" / "mathematics.md"


@rows
def test_its_class_is_public(module, estimator, name, kind):
    assert kind.__name__ in module.__all__
    assert getattr(module, kind.__name__) is kind


@rows
def test_the_first_line_of_its_docstring_has_its_formula_or_its_source(module, estimator, name, kind):
    assert re.search(r"[A-Z]\w+(,| et al\.,)? \(?\d{4}\)| [=/] |(exp|U)\(|[|^]", vars(kind)["__doc__"].splitlines()[0])


@pytest.mark.checkout
@rows
def test_its_name_is_in_the_docs(module, estimator, name, kind):
    mathematics = MATHEMATICS.read_text(encoding="utf-8")
    assert f'"{name}"' in mathematics or f"`{kind.__name__}" in mathematics


@rows
def test_its_name_is_in_the_estimators_docstring(module, estimator, name, kind):
    assert f'"{name}"' in inspect.getdoc(estimator)


@rows
def test_its_representation_makes_an_equal_one(module, estimator, name, kind):
    part = kind()
    again = eval(repr(part), {kind.__name__: kind})
    assert type(again) is kind
    assert vars(again) == vars(part)


@rows
def test_it_can_be_pickled(module, estimator, name, kind):
    part = kind()
    again = pickle.loads(pickle.dumps(part))
    assert type(again) is kind
    assert vars(again) == vars(part)


@rows
def test_its_settings_are_those_that_the_estimator_has_a_parameter_for(module, estimator, name, kind):
    own, parameters = inspect.signature(kind).parameters, estimator().get_params()
    # The estimator's weight decay is for every optimizer; that of "adamw" is its own, where that is 0.
    assert kind.shared == tuple(setting for setting in own if setting in parameters and setting != "weight_decay")


def test_a_representation_shows_what_a_part_of_ones_own_holds():
    class Leaky(activations.ReLU):
        def __init__(self, slope, hidden=None, **others):
            self.slope = slope

    class Weighted(losses.SquaredError):
        def __init__(self, factor=2.0):
            self.factor = factor

    assert repr(Leaky(0.1)) == "Leaky(slope=0.1)"
    assert repr(Weighted()) == "Weighted(factor=2.0)"
