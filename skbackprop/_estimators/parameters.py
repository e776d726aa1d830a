"""The parameters that every estimator shares, each with what is allowed and what is said of it; names made into parts."""

import inspect
import numbers
from collections.abc import Sequence
from functools import cache, wraps
from typing import Any, NamedTuple, TypeVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)

from .._part import Completed
from ..activations import ACTIVATIONS, Activation
from ..initializers import INITIALIZERS, Initializer
from ..optimizers import OPTIMIZERS, Minimizer, Optimizer
from ..schedules import SCHEDULES
from .annotations import Method
from .words import Choices, check_choice, did_you_mean, listed, shown

Fitted = TypeVar("Fitted", bound="CheckedParameters")


class Parameter(NamedTuple):
    """What is allowed, as scikit-learn's validation takes it, and the entry of the docstring: type and words."""

    allowed: list
    kind: str
    words: str


def choices(table):
    """Return the names of a table as a docstring lists them."""
    return "{" + ", ".join(f'"{name}"' for name in table) + "}"


def names(table, *methods):
    """Return what is allowed for a part: a name in the table, or an object with these methods."""
    return [Choices(table), HasMethods(list(methods))]


def at_least(least, kind=numbers.Real):
    """Return the interval of numbers from `least` up."""
    return Interval(kind, least, None, closed="left")


def is_whole(value):
    """Return whether a value is a whole number; to Python True is one, too, but not to who reads it."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


class _Boolean:
    """True or False as something that is no number, for scikit-learn's validation takes Python's as 1 and 0."""

    def __init__(self, value):
        self.value = value

    def __repr__(self):
        return repr(self.value)


def sizes_of(value):
    """Return sizes of hidden layers, as users may write them, as a list of int; None if they are none."""
    if hasattr(value, "__array__"):
        value = np.asarray(value).tolist()
    if isinstance(value, str):
        sizes = value.split("-") if value else []
        value = [int(size) for size in sizes] if all(map(str.isdecimal, sizes)) else None
    elif is_whole(value):
        value = [value]
    # Not any iterable: an iterator would be used up, and bytes are numbers to Python alone.
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        return None
    return [int(size) for size in value] if all(is_whole(size) and size > 0 for size in value) else None


class Sizes(Options):
    """What may be passed as sizes of the hidden layers."""

    def __init__(self):
        super().__init__(object, set())

    def is_satisfied_by(self, val):
        """Return whether a value can be read as sizes."""
        return sizes_of(val) is not None

    def __str__(self):
        return (
            "a whole number of at least 1, a sequence of such numbers, a string such as '100-50', or () for no hidden layer"
        )


POSITIVE = Interval(numbers.Real, 0, None, closed="neither")
SHARE = Interval(numbers.Real, 0, 1, closed="left")
COUNT = at_least(1, numbers.Integral)
AUTO = StrOptions({"auto"})

# In the order of scikit-learn's MLPClassifier, then our own; the defaults are those of the estimators' signatures.
PARAMETERS = {
    "hidden_layer_sizes": Parameter([Sizes()], "int, sequence of int or str",
        'Units in each hidden layer; also as a string, "100-50". With () the inputs feed the outputs directly.'),
    "activation": Parameter([*names(ACTIVATIONS, "forward", "backward"), list, tuple],
        f"{choices(ACTIVATIONS)}, Activation or list of these",
        "Activation of the hidden units, or one for each hidden layer; see `skbackprop.activations`. In scikit-learn: "
        '"relu".'),
    "solver": Parameter([*names(OPTIMIZERS, "initial_state", "update"), HasMethods(["minimize"])],
        f"{choices(OPTIMIZERS)} or Optimizer",
        'How the weights are updated; see `skbackprop.optimizers`. "rprop" and "lbfgs" use all samples at each step, the '
        "others batches."),
    "alpha": Parameter([at_least(0), AUTO], 'float or "auto"',
        'Factor of the L2 penalty on the weights, which is divided by the total weight of the batch. "auto" makes it a '
        "normal prior on the weights of the first and the last layer, as wide for each as its initial weights and spread "
        "over all samples, so that it does not depend on the batch (see docs/mathematics.md); with another `init` it is "
        "0.0001. In scikit-learn: 0.0001."),
    "batch_size": Parameter([AUTO, COUNT, None], 'int, "auto" or None',
        'Samples in a step; "auto" is min(200, n_samples); None is all of up to 64 samples, else a 64th of them, but at '
        "least 20 and at most 256, and an epoch of `fit` then goes through the samples as often as makes 20 steps or "
        'more. In scikit-learn: "auto".'),
    "learning_rate": Parameter(names(SCHEDULES, "next_rate", "after_plateau"), f"{choices(SCHEDULES)} or Schedule",
        'How the learning rate of solvers with batches changes; see `skbackprop.schedules`. "auto" rises over the first '
        "100 steps and then stays, while a running mean of the weights is scored and kept (Polyak and Juditsky, 1992); "
        'with another `init` it is "constant". As in scikit-learn, "invscaling" and "adaptive" are for "sgd"; an '
        'instance is for the others, too. In scikit-learn: "constant".'),
    "learning_rate_init": Parameter([POSITIVE], "float",
        "The learning rate to begin with, or the highest of a schedule that rises; for solvers with batches. "
        "In scikit-learn: 0.001."),
    "power_t": Parameter([at_least(0)], "float", 'Exponent of "invscaling".'),
    "max_iter": Parameter([COUNT], "int", 'Most epochs, or iterations of "lbfgs". In scikit-learn: 200.'),
    "shuffle": Parameter(["boolean"], "bool", "Whether each epoch has a new order of samples; for solvers with batches."),
    "random_state": Parameter(["random_state"], "int, RandomState instance or None",
        "Source of initial weights, held-out samples, order and dropout; an int gives the same weights at every fit."),
    "tol": Parameter([at_least(0)], "float",
        'Least improvement of the loss, or of the validation score, that counts; for "lbfgs" the gradient at which to '
        "stop."),
    "verbose": Parameter(["verbose"], "bool", "Whether to print a line an epoch."),
    "warm_start": Parameter(["boolean"], "bool",
        "Whether `fit` goes on exactly where training stopped, optimizer, learning rate and order of samples included. "
        'The curvature memory of "lbfgs" begins anew.'),
    "momentum": Parameter([Interval(numbers.Real, 0, 1, closed="both")], "float",
        'Share of the last step that "sgd" keeps, in [0, 1].'),
    "nesterovs_momentum": Parameter(["boolean"], "bool", 'Whether "sgd" has its momentum in Nesterov\'s form.'),
    "early_stopping": Parameter(["boolean"], 'bool or "cv"',
        "Whether to watch the score of validation samples, stop when it no longer improves, and keep the weights that "
        "had the best; with every solver. Classifier and regressor also take \"cv\", cross-validation: see `n_folds`."),
    "validation_fraction": Parameter([SHARE], "float",
        "Share of the samples held out for that, in [0, 1); of labelled samples at least one of each class."),
    "beta_1": Parameter([SHARE], "float", 'Decay of the running mean of the gradient in "adam" and "adamw", in [0, 1).'),
    "beta_2": Parameter([SHARE], "float", 'Decay of that of the squared gradient in "adam" and "adamw", in [0, 1).'),
    "epsilon": Parameter([POSITIVE], "float", 'Added to the denominator of "adam" and "adamw".'),
    "n_iter_no_change": Parameter([COUNT, Options(numbers.Real, {np.inf})], "int or numpy.inf",
        "Epochs without improvement by `tol` after which training stops; with early stopping, and the default `init`, not "
        "while in ten epochs the training loss falls by more than a tenth of that of the first. In scikit-learn: 10."),
    "max_fun": Parameter([COUNT], "int", 'Most evaluations of the loss by "lbfgs".'),
    "init": Parameter(names(INITIALIZERS, "fill"), f"{choices(INITIALIZERS)} or Initializer",
        'Rule for the initial weights; "glorot" is scikit-learn\'s, "uniform" is U(-1, 1). See `skbackprop.initializers`.'),
    "fit_intercept": Parameter(["boolean"], "bool", "Whether the layers have biases."),
    "weight_decay": Parameter([at_least(0)], "float",
        "Share of each weight that a step takes off, times the learning rate (a product of at most 1); unlike `alpha` "
        "independent of the batch size and of the gradient's scale (Loshchilov and Hutter, 2019). For solvers with "
        'batches; 0 is the solver\'s own: 0.01 for "adamw", else none.'),
    "dropout": Parameter([SHARE], "float",
        "Probability that a hidden unit is silent in a step, in [0, 1) (Srivastava et al., 2014); for solvers with "
        "batches."),
    "standardize": Parameter(["boolean", AUTO], 'bool or "auto"',
        "Whether to train on standardised features; `coefs_` and predictions are in the units of `X` all the same. "
        "Sparse features stay sparse; those of networks without biases are scaled but not centred. A feature that is not "
        "zero in less than a tenth of the rows is scaled as if it were so in a tenth. Where float32 is too coarse for the "
        "features or the targets, such as time stamps, training is in float64. The scaling is that of the first "
        'call of `fit` or `partial_fit`. "auto" is to do so with `init="auto"`, whose weights are made for it.'),
    "clip_norm": Parameter([POSITIVE, AUTO, None], 'float, "auto" or None',
        "Largest Euclidean norm of a gradient; longer ones are scaled down (Pascanu et al., 2013), so that one batch "
        'does not undo what many have done. "auto" is 1 with `init="auto"`, else None: no limit. For solvers with '
        "batches."),
    "scoring": Parameter([Choices(["loss", *get_scorer_names()]), callable, None], "", ""),
    "max_time": Parameter([POSITIVE, None], "float or None", "Seconds after which training stops."),
    "n_folds": Parameter([at_least(2, numbers.Integral)], "int",
        'With `early_stopping="cv"` the samples are divided into so many folds, stratified by class, and as many networks '
        "are trained, each on all folds but one and stopped on that one. Their raw scores, before the link to predictions, "
        "are averaged: the networks are folded into one, which has `n_folds` times the hidden units. `loss_curve_` and "
        "`validation_scores_` are then means over the networks, one that has stopped counting with its last value; "
        "`best_validation_score_` is the mean of their best; `n_iter_` is the largest, and `t_` the sum. There is no warm "
        "start and no validation set of the user's own, and networks trained one after the other share `max_time`."),
    "n_jobs": Parameter([numbers.Integral, None], "int or None",
        "Processes that train the networks, where there are several; -1 uses all processors. The weights are the same for "
        "any number."),
}  # fmt: skip


def check_count(name, value, otherwise=""):
    """Raise unless `value` is a whole number of at least 1; `otherwise` says what else may be passed."""
    if not is_whole(value) or value < 1:
        raise ValueError(f"Got {name}={shown(value)}: pass a whole number of at least 1{otherwise}.")


def constraints(*without, **own):
    """Return what an estimator allows: the shared parameters, but those named, and its own."""
    return {**{name: entry.allowed for name, entry in PARAMETERS.items() if name not in without}, **own}


def _takes_booleans(allowed):
    """Return whether True and False are allowed."""
    return any(isinstance(kind, str) and kind in {"boolean", "verbose"} for kind in allowed)


def check_parameter(estimator, name):
    """Raise unless a parameter of an estimator is valid by itself, and say what may have been meant."""
    value, allowed = getattr(estimator, name), estimator._parameter_constraints
    if isinstance(value, bool) and not _takes_booleans(allowed.get(name, ())):
        value = _Boolean(value)
    try:
        validate_parameter_constraints(allowed, {name: value}, caller_name=type(estimator).__name__)
    except InvalidParameterError as error:
        refused = str(error).removesuffix(f" Got {value!r} instead.")
        options = [option for kind in allowed[name] if isinstance(kind, StrOptions) for option in kind.options]
        meant = did_you_mean(value, options)
        if name == "learning_rate" and isinstance(value, numbers.Real):
            meant = f"; pass the rate itself as learning_rate_init={shown(value)}."
        elif name == next(iter(inspect.signature(type(estimator)).parameters)) and sizes_of(value) is not None:
            meant = f"; the first parameter is {name}, so pass hidden_layer_sizes={shown(value)} by its name."
        raise InvalidParameterError(f"{refused} Got {shown(value)} instead{meant}") from None


def own_classes(kind):
    """Return those of the classes that an estimator's is made of which are of this package and have a constructor."""
    package = __name__.partition(".")[0]
    return [cls for cls in kind.__mro__ if cls.__module__.partition(".")[0] == package and "__init__" in vars(cls)]


@cache
def _defaults_of(kind):
    """Return the parameters of a class in order, each with a value that is known to be valid: this package's default.

    In this order, for what is passed in the wrong place is best named where that begins.
    """
    own = own_classes(kind)[0]
    known = inspect.signature(own).parameters if kind._parameter_constraints is own._parameter_constraints else {}
    nothing = inspect.Parameter("nothing", inspect.Parameter.KEYWORD_ONLY)
    return {name: known.get(name, nothing).default for name in inspect.signature(kind).parameters}


class CheckedParameters:
    """An estimator that says what may have been meant by a parameter which it refuses."""

    def _validate_params(self):
        """Raise unless each parameter is valid by itself; scikit-learn calls this at the start of `fit`."""
        for name, valid in _defaults_of(type(self)).items():
            if name in self._parameter_constraints and getattr(self, name) is not valid:
                check_parameter(self, name)

    def set_params(self: Fitted, **params: Any) -> Fitted:
        """Set parameters.

        Parameters
        ----------
        **params : dict
            Their values by name.

        Returns
        -------
        self : estimator
            The estimator itself.

        Raises
        ------
        ValueError
            If there is no parameter of a name.
        """
        names = self.get_params(deep=False)
        for name in params:
            # Behind two underscores is the name of a parameter of the parameter.
            if name.partition("__")[0] not in names:
                raise ValueError(
                    f"Invalid parameter {name!r} for {type(self).__name__}: pass one of {listed(names)}"
                    f"{did_you_mean(name, names)}"
                )
        return super().set_params(**params)


def checked_at_first(partial_fit: Method) -> Method:
    """Decorate `partial_fit`: as scikit-learn's does, it validates the parameters at the first call, and then no more.

    There being no callbacks either, nothing is left for scikit-learn's own decorator to do, which takes as long as a step.
    """
    first_call = _fit_context(prefer_skip_nested_validation=True)(partial_fit)

    @wraps(partial_fit)
    def checked(estimator, *arguments, **keywords):
        return (partial_fit if "coefs_" in vars(estimator) else first_call)(estimator, *arguments, **keywords)

    return checked


def store(estimator, arguments):
    """Store a constructor's arguments, its `locals()`, untouched."""
    for name, value in arguments.items():
        if name != "self":
            setattr(estimator, name, value)


def make_part(table, value, base, estimator):
    """Return the part that a parameter names, made with the estimator's parameters that it shares, or the user's own."""
    if inspect.isclass(value):
        raise ValueError(f"Got the class {value.__name__}: pass an instance of it, such as {value.__name__}().")
    if not isinstance(value, str):
        return value if isinstance(value, base) else Completed(value, base)
    check_choice(base.__name__, value, table)
    found = table[value]
    return found(**{name: getattr(estimator, name) for name in found.shared}) if inspect.isclass(found) else found


def hidden_sizes_of(estimator):
    """Return the sizes of the hidden layers as a list of int."""
    check_parameter(estimator, "hidden_layer_sizes")
    return sizes_of(estimator.hidden_layer_sizes)


def activations_of(estimator, n_hidden):
    """Return one activation for each hidden layer."""
    given = estimator.activation
    if not isinstance(given, list | tuple):
        given = [given] * n_hidden
    unknown = [
        name
        for name in given
        if not (name in ACTIVATIONS if isinstance(name, str) else hasattr(name, "forward") and hasattr(name, "backward"))
    ]
    if len(given) != n_hidden or unknown:
        raise ValueError(
            f"Got activation={shown(estimator.activation)} for {n_hidden} hidden layers: pass one of "
            f"{listed(ACTIVATIONS)}, an instance of a class with the methods forward and backward, or a list with one of "
            f"these for each layer{did_you_mean(unknown[0] if unknown else None, ACTIVATIONS)}"
        )
    return tuple(make_part(ACTIVATIONS, name, Activation, estimator) for name in given)


def optimizer_of(estimator):
    """Return the optimizer, having refused what it cannot do."""
    solver = estimator.solver
    minimizes = hasattr(solver, "minimize")
    if minimizes and isinstance(solver, Optimizer) and not isinstance(solver, Minimizer):
        raise ValueError(f"Got solver={solver!r} with a method minimize: make its class a child of Minimizer.")
    optimizer = make_part(OPTIMIZERS, solver, Minimizer if minimizes else Optimizer, estimator)
    for name in ("dropout", "weight_decay", "clip_norm", "noise"):
        given = getattr(estimator, name)
        if optimizer.full_batch and given and not isinstance(given, str):
            raise ValueError(
                f"Got {name}={given} with solver={solver!r}, which descends one unchanging loss: "
                f"use solver='adam' or 'sgd', or leave {name} out (alpha penalises weights with every solver)."
            )
    return optimizer


def initializer_of(estimator):
    """Return the rule for the initial weights."""
    return make_part(INITIALIZERS, estimator.init, Initializer, estimator)


def can_fit_partially(estimator):
    """Return True, or say why `partial_fit` is not there."""
    if estimator.early_stopping == "cv":
        raise AttributeError(
            "partial_fit is not available with early_stopping='cv', which needs all samples in order to divide them: use "
            "early_stopping=True or False."
        )
    # By name, if it has one: this is asked before each call.
    named = OPTIMIZERS.get(estimator.solver) if isinstance(estimator.solver, str) else None
    if (named or optimizer_of(estimator)).full_batch:
        raise AttributeError(
            f"partial_fit is not available with solver={estimator.solver!r}, which needs all samples at each step: use "
            "solver='adam', 'adamw' or 'sgd'."
        )
    return True
