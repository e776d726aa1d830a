"""The recipe of a run: each "auto", and each "as in scikit-learn with another `init`", made into plain values here."""

import math
from dataclasses import fields

from .._engine.descent import StepRule
from ..initializers import INITIALIZERS, Initializer, NearIdentity
from ..optimizers import Adam
from ..schedules import SCHEDULES, Constant, Schedule, WarmUp
from .parameters import activations_of, hidden_sizes_of, initializer_of, make_part, optimizer_of

# Of batches of the recipe's own choice: in `fit` up to so many samples are one batch (a weight of 2 then equals two rows),
# more make 64 batches an epoch, as far as these bounds on their size allow.
ONE_BATCH = 64
BATCHES_AN_EPOCH = 64
SMALLEST_BATCH = 20
LARGEST_BATCH = 256
# Few samples are gone through several times an epoch, until it has so many steps, for steps are what training takes.
STEPS_AN_EPOCH = 20
# The rate rises over so many steps for each layer of weights: deep networks need care at the start.
STEPS_A_LAYER = 5
# Inverse variance of the prior on a weight, times the variance of its initial value; a quarter of that for an output layer
# of classes, whose logits are large where a class is certain.
PRIOR = 0.12
OUTPUT_OF_CLASSES = 0.25
# Share of the prior for each of several networks that are averaged: what one has learnt too much of, others have not.
AVERAGED = 0.1
# scikit-learn's.
LARGEST_PLAIN_BATCH = 200
PLAIN_ALPHA = 0.0001


class Recipe:
    """What a run is made of, in plain values; the rest of the code reads these and knows nothing of "auto".

    Parameters
    ----------
    estimator : estimator
    problem : Problem
    n_rows : int
        Number of samples that are not held out.
    incremental : bool
        Whether this is an epoch of `partial_fit`.
    """

    def __init__(self, estimator, problem, n_rows, incremental):
        auto = follows_recipe(estimator)
        self.hidden_sizes = hidden_sizes_of(estimator)
        self.activations = activations_of(estimator, len(self.hidden_sizes))
        self.initializer = initializer_of(estimator)
        self.optimizer = optimizer_of(estimator)
        if auto and estimator.solver == "lbfgs":
            # Beyond that it chases rounding.
            self.optimizer.least_decrease = estimator.tol / 10
        self.schedule = _schedule(estimator, self.optimizer, auto)
        # What happens at each step besides the optimizer's rule.
        step = {field.name: getattr(estimator, field.name) for field in fields(StepRule)}
        if isinstance(step["clip_norm"], str):
            step["clip_norm"] = 1.0 if auto and not self.optimizer.full_batch else None
        step["weight_decay"] = step["weight_decay"] or self.optimizer.decoupled_decay
        self.step = StepRule(**step)
        self.step.refuse_overshoot(estimator.learning_rate_init)
        # Whether to train on standardised inputs, and on scaled targets.
        self.standardize = _wanted(estimator.standardize, auto)
        self.scale_targets = _wanted(problem.scale_targets, auto)
        # Factor of the penalty, divided by the weight of a batch; or, if not None, how narrow a normal prior on the weights
        # is, by the variance that they are drawn from. Of a sample of K exclusive classes there are up to log2 K bits to be
        # learnt, which speak against the prior.
        by_rule = isinstance(estimator.alpha, str)
        self.alpha = PLAIN_ALPHA if by_rule else estimator.alpha
        bits = math.log2(problem.samples.Y.shape[1]) if problem.loss.normalized else 1.0
        prior = PRIOR * AVERAGED if problem.averaged else PRIOR
        self.prior = prior / bits if by_rule and auto else None
        self.variances = None
        self.output_prior = 1.0 if problem.numeric else OUTPUT_OF_CLASSES
        # Whether a mean of the weights is published, and whether of equal validation scores the latest is the best.
        self.averages = self.schedule.averages and self.optimizer.uses_learning_rate
        self.latest = auto
        self.divide(estimator, n_rows, incremental)

    def divide(self, estimator, n_rows, incremental):
        """Set the samples in a step, perhaps more than there are, and how often an epoch goes through all of them."""
        auto, full_batch = self.latest, self.optimizer.full_batch
        self.batch_size = n_rows if full_batch else _size_of_batches(estimator, n_rows, auto, incremental)
        self.passes = 1
        if estimator.batch_size is None and auto and not (full_batch or incremental):
            self.passes = math.ceil(STEPS_AN_EPOCH / math.ceil(n_rows / self.batch_size))


def variances(initializer, network):
    """Return the variance of the initial weights of each layer."""
    activations = [None, *network.activations, network.activations[-1] if network.activations else None]
    layers = zip(network.coefs, activations[:-1], activations[1:], strict=True)
    return [initializer.variance(coef, below, own) for coef, below, own in layers]


def follows_recipe(estimator):
    """Return whether parameters left to "auto" follow this package's recipe, which these initial weights belong to.

    With any other rule for the initial weights they are as in scikit-learn.
    """
    return isinstance(initializer_of(estimator), NearIdentity)


def one_batch(estimator, n_rows):
    """Return whether `fit` takes so many samples as one batch, with nothing drawn at random for each of them."""
    by_recipe = estimator.batch_size is None and follows_recipe(estimator)
    return by_recipe and _size_of_batches(estimator, n_rows, True) == n_rows and not (estimator.dropout or estimator.noise)


def batch_size_for(estimator, n_rows):
    """Return the samples in a step of `fit`, of so many to train on; perhaps more than these."""
    full_batch = optimizer_of(estimator).full_batch
    return n_rows if full_batch else _size_of_batches(estimator, n_rows, follows_recipe(estimator))


def _size_of_batches(estimator, n_rows, auto, incremental=False):
    """Return the samples in a step of a solver that takes batches."""
    chosen = estimator.batch_size
    if chosen is None and auto:
        if n_rows <= (SMALLEST_BATCH if incremental else ONE_BATCH):
            return n_rows
        return min(max(SMALLEST_BATCH, n_rows // BATCHES_AN_EPOCH), LARGEST_BATCH)
    return min(LARGEST_PLAIN_BATCH, n_rows) if chosen in {None, "auto"} else chosen


def detector_initializer(estimator):
    """Return the rule for the initial weights of an outlier detector's autoencoders.

    Many units that are nearly linear reconstruct whatever they are given: here they bend sharply.
    """
    return make_part({**INITIALIZERS, "auto": NearIdentity(sharpness=16.0)}, estimator.init, Initializer, estimator)


def _wanted(choice, auto):
    """Return whether a choice of True, False or "auto" means yes."""
    return auto if isinstance(choice, str) else bool(choice)


def _schedule(estimator, optimizer, auto):
    """Return the learning-rate schedule."""
    name = estimator.learning_rate if isinstance(estimator.learning_rate, str) else ""
    # In scikit-learn, too, "adam" does not heed these names; a grid over both must mean the same here.
    unheeded = name in {"invscaling", "adaptive"} and isinstance(estimator.solver, str) and isinstance(optimizer, Adam)
    if unheeded or (name == "auto" and not auto):
        return Constant()
    if name == "auto":
        return WarmUp(STEPS_A_LAYER * (len(hidden_sizes_of(estimator)) + 1))
    return make_part(SCHEDULES, estimator.learning_rate, Schedule, estimator)
