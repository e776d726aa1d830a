"""The parameters that every estimator shares, and the parts that they name."""

import inspect
import math
import numbers
from functools import cache

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions

from ..activations import ACTIVATIONS
from ..initializers import INITIALIZERS, NearIdentity
from ..optimizers import OPTIMIZERS
from ..schedules import SCHEDULES

# With batch_size=None: up to so many samples are one batch (a weight of 2 then equals two rows), more make 64 batches an
# epoch, as far as these bounds on their size allow.
ONE_BATCH, BATCHES_AN_EPOCH, SMALLEST_BATCH, LARGEST_BATCH = 64, 64, 20, 256
# With alpha="auto" the precision of a prior on the weights is spread over all samples, or over so many if they are fewer.
FEW_SAMPLES = 256


@cache
def _parameter_names(part):
    """Return the names of a constructor's parameters; asking for the signature is slow."""
    return tuple(inspect.signature(part).parameters)


class ParametersMixin(BaseEstimator):
    """Turns constructor parameters into activations, initializer, optimizer and schedule."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(numbers.Integral, 1, None, closed="left"), str],
        "activation": [StrOptions(set(ACTIVATIONS)), HasMethods(["forward", "backward"]), list, tuple],
        "solver": [StrOptions(set(OPTIMIZERS)), HasMethods(["initial_state", "update"]), HasMethods(["minimize"])],
        "alpha": [Interval(numbers.Real, 0, None, closed="left"), StrOptions({"auto"})],
        "batch_size": [StrOptions({"auto"}), Interval(numbers.Integral, 1, None, closed="left"), None],
        "learning_rate": [StrOptions(set(SCHEDULES)), HasMethods(["next_rate", "after_plateau"])],
        "learning_rate_init": [Interval(numbers.Real, 0, None, closed="neither")],
        "power_t": [Interval(numbers.Real, 0, None, closed="left")],
        "max_iter": [Interval(numbers.Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(numbers.Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(numbers.Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(numbers.Real, 0, 1, closed="left")],
        "beta_1": [Interval(numbers.Real, 0, 1, closed="left")],
        "beta_2": [Interval(numbers.Real, 0, 1, closed="left")],
        "epsilon": [Interval(numbers.Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(numbers.Integral, 1, None, closed="left"), Options(numbers.Real, {np.inf})],
        "max_fun": [Interval(numbers.Integral, 1, None, closed="left")],
        "init": [StrOptions(set(INITIALIZERS)), HasMethods(["fill"])],
        "fit_intercept": ["boolean"],
        "weight_decay": [Interval(numbers.Real, 0, None, closed="left")],
        "dropout": [Interval(numbers.Real, 0, 1, closed="left")],
        "scoring": [str, callable, None],
        "standardize": ["boolean", StrOptions({"auto"})],
        "clip_norm": [Interval(numbers.Real, 0, None, closed="neither"), StrOptions({"auto"}), None],
        "max_time": [Interval(numbers.Real, 0, None, closed="neither"), None],
    }

    def _set_parameters(self, arguments):
        """Store the constructor's arguments, untouched."""
        for name in self._get_param_names():
            setattr(self, name, arguments[name])

    def _part(self, table, value):
        """Return `value`, or, for a name in the table, an instance made with the parameters of the same names."""
        if inspect.isclass(value):
            raise ValueError(f"Got the class {value.__name__}: pass an instance of it, such as {value.__name__}().")
        if not isinstance(value, str):
            return value
        part = table[value]
        if not inspect.isclass(part):
            return part
        return part(**{name: getattr(self, name) for name in _parameter_names(part) if hasattr(self, name)})

    def _make_hidden_sizes(self):
        """Return the sizes of the hidden layers as a list of int."""
        sizes = self.hidden_layer_sizes
        try:
            if isinstance(sizes, str):
                sizes = [int(size) for size in sizes.split("-")] if sizes else []
            sizes = [sizes] if isinstance(sizes, numbers.Integral) else list(sizes)
            if all(isinstance(size, numbers.Integral) and size > 0 for size in sizes):
                return [int(size) for size in sizes]
        except (TypeError, ValueError):
            pass
        raise ValueError(
            f"hidden_layer_sizes must be > 0, got {self.hidden_layer_sizes!r}: pass a whole number, a sequence of them, a "
            "string such as '100-50', or () for no hidden layer."
        )

    def _make_activations(self, n_hidden):
        """Return one activation for each hidden layer."""
        given = self.activation
        if not isinstance(given, list | tuple):
            given = [given] * n_hidden
        known = all(
            name in ACTIVATIONS if isinstance(name, str) else hasattr(name, "forward") and hasattr(name, "backward")
            for name in given
        )
        if len(given) != n_hidden or not known:
            raise ValueError(
                f"Got activation={self.activation!r} for {n_hidden} hidden layers: pass one of {sorted(ACTIVATIONS)}, an "
                "instance of a class with the methods forward and backward, or a list with one of these for each layer."
            )
        return tuple(self._part(ACTIVATIONS, name) for name in given)

    def _make_optimizer(self):
        """Return the optimizer, having refused what it cannot do."""
        optimizer = self._part(OPTIMIZERS, self.solver)
        for name in ("dropout", "weight_decay", "clip_norm", "noise"):
            given = getattr(self, name, None)
            if getattr(optimizer, "full_batch", False) and given and given != "auto":
                raise ValueError(
                    f"Got {name}={given} with solver={self.solver!r}, which descends one unchanging loss: "
                    f"use solver='adam' or 'sgd', or leave {name} out (alpha penalises weights with every solver)."
                )
        return optimizer

    def _make_step_settings(self, optimizer):
        """Return what `gradient_descent` asks of each step, by name."""
        clip_norm = self.clip_norm
        if isinstance(clip_norm, str):
            clip_norm = 1.0 if self._is_auto() and not getattr(optimizer, "full_batch", False) else None
        return {
            "learning_rate_init": self.learning_rate_init,
            "weight_decay": self.weight_decay,
            "clip_norm": clip_norm,
        }

    def _make_batch_size(self, n_rows):
        """Return the samples in a step of a solver that takes batches, for so many to train on; perhaps more than these."""
        if self.batch_size is None and self._is_auto():
            sensible = min(max(SMALLEST_BATCH, n_rows // BATCHES_AN_EPOCH), LARGEST_BATCH)
            return n_rows if n_rows <= ONE_BATCH else sensible
        return min(200, n_rows) if self.batch_size in {None, "auto"} else self.batch_size

    def _make_alpha(self, batches):
        """Return the factor of the penalty on squared weights."""
        if not isinstance(self.alpha, str):
            return self.alpha
        if not self._has_prior():
            return 0.0001
        # Divided by a batch's weight, as every alpha, this is the prior over the weight of all, however large the batches.
        total_weight = max(batches.mean_weight * batches.n_samples, FEW_SAMPLES)
        return self._precision(batches) * batches.batch_size * batches.mean_weight / total_weight

    def _precision(self, batches):
        """Return the precision of a normal prior on the weights.

        It goes with the number of features, whose weights add up in a raw score; and against the nats that there are to be
        learnt of a sample, which more classes give more of.
        """
        n_features, n_outputs = batches.X.shape[1], batches.Y.shape[1]
        nats = math.log(n_outputs) if self._loss.normalized else n_outputs * math.log(2)
        return n_features / (55 * nats)

    def _has_prior(self):
        """Return whether the penalty stands for a prior on the weights.

        A minimiser would spend its iterations on making the first weights smaller.
        """
        return isinstance(self.alpha, str) and self._is_auto() and not hasattr(self._make_optimizer(), "minimize")

    def _has_partial_fit(self):
        """Return True, or say why `partial_fit` is not there."""
        if getattr(self._make_optimizer(), "full_batch", False):
            raise AttributeError(
                f"partial_fit is not available with solver={self.solver!r}, which needs all samples at each step: use "
                "solver='adam' or 'sgd'."
            )
        return True

    def _make_schedule(self):
        """Return the learning-rate schedule."""
        # In scikit-learn, too, "adam" does not heed these names; a grid over both must mean the same here.
        unheeded = self.solver == "adam" and self.learning_rate in {"invscaling", "adaptive"}
        if unheeded or (self.learning_rate == "auto" and not self._is_auto()):
            return SCHEDULES["constant"]()
        return self._part(SCHEDULES, self.learning_rate)

    def _is_wanted(self, choice):
        """Return whether a choice of True, False or "auto" means yes."""
        return self._is_auto() if isinstance(choice, str) else bool(choice)

    def _is_auto(self):
        """Return whether parameters left to "auto" follow this package's recipe, which the first weights belong to.

        With first weights by another rule they are as in scikit-learn.
        """
        return isinstance(self._make_initializer(), NearIdentity)

    def _make_initializer(self):
        """Return the rule for the first weights."""
        return self._part(INITIALIZERS, self.init)
