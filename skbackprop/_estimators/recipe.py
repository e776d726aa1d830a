"""The recipe of a run: each "auto", and each "as in scikit-learn with another `init`", made into plain values here."""

import math
from dataclasses import fields

from .._engine.descent import Step
from ..initializers import NearIdentity
from ..optimizers import Adam
from ..schedules import Constant
from .parameters import activations_of, hidden_sizes_of, initializer_of, optimizer_of, schedule_of

# Of batches of the recipe's own choice: up to so many samples are one batch (a weight of 2 then equals two rows), more make
# 64 batches an epoch, as far as these bounds on their size allow.
ONE_BATCH = 64
BATCHES_AN_EPOCH = 64
SMALLEST_BATCH = 20
LARGEST_BATCH = 256
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
    """

    def __init__(self, estimator, problem, n_rows):
        auto = follows_recipe(estimator)
        self.hidden_sizes = hidden_sizes_of(estimator)
        self.activations = activations_of(estimator, len(self.hidden_sizes))
        self.initializer = initializer_of(estimator)
        self.optimizer = optimizer_of(estimator)
        self.schedule = _schedule(estimator, self.optimizer, auto)
        # What happens at each step besides the optimizer's rule.
        step = {field.name: getattr(estimator, field.name) for field in fields(Step)}
        if isinstance(step["clip_norm"], str):
            step["clip_norm"] = 1.0 if auto and not self.optimizer.full_batch else None
        step["weight_decay"] = step["weight_decay"] or self.optimizer.weight_decay
        self.step = Step(**step)
        # Samples in a step; perhaps more than there are.
        self.batch_size = batch_size(estimator, n_rows)
        # Whether to train on standardised inputs, and on scaled targets.
        self.standardize = _wanted(estimator.standardize, auto)
        self.scale_targets = _wanted(problem.scale_targets, auto)
        # Factor of the penalty, divided by the weight of a batch; or, if not None, the precision of a normal prior on the
        # weights, which is spread over the weight of all samples; and whether the penalty then follows the targets' noise.
        by_rule = isinstance(estimator.alpha, str)
        self.alpha = PLAIN_ALPHA if by_rule else estimator.alpha
        # A minimiser would spend its iterations on making the initial weights smaller.
        has_prior = by_rule and auto and not self.optimizer.minimizes
        self.precision = _precision(problem) if has_prior else None
        self.follows_noise = has_prior and problem.numeric
        # Of early stopping: whether the latest of equal scores is the best, and whether a mean of the weights is scored.
        self.latest = auto
        self.averages = auto and estimator.early_stopping


def follows_recipe(estimator):
    """Return whether parameters left to "auto" follow this package's recipe, which these initial weights belong to.

    With any other rule for the initial weights they are as in scikit-learn.
    """
    return isinstance(initializer_of(estimator), NearIdentity)


def batch_size(estimator, n_rows):
    """Return the samples in a step of a solver that takes batches, of so many to train on; perhaps more than these."""
    chosen = estimator.batch_size
    if chosen is None and follows_recipe(estimator):
        return n_rows if n_rows <= ONE_BATCH else min(max(SMALLEST_BATCH, n_rows // BATCHES_AN_EPOCH), LARGEST_BATCH)
    return min(LARGEST_PLAIN_BATCH, n_rows) if chosen in {None, "auto"} else chosen


def _wanted(choice, auto):
    """Return whether a choice of True, False or "auto" means yes."""
    return auto if isinstance(choice, str) else bool(choice)


def _schedule(estimator, optimizer, auto):
    """Return the learning-rate schedule."""
    # In scikit-learn, too, "adam" does not heed these names; a grid over both must mean the same here.
    unheeded = isinstance(optimizer, Adam) and isinstance(estimator.solver, str)
    unheeded = unheeded and estimator.learning_rate in {"invscaling", "adaptive"}
    if unheeded or (estimator.learning_rate == "auto" and not auto):
        return Constant()
    return schedule_of(estimator)


def _precision(problem):
    """Return the precision of a normal prior on the weights.

    For numbers it is twice the noise in the targets, which `NoisePenalty` follows. For classes it goes with the number of
    features, whose weights add up in a raw score; and against the nats that there are to be learnt of a sample, which more
    classes give more of.
    """
    if problem.numeric:
        return 2.0
    samples = problem.samples
    n_outputs = samples.Y.shape[1]
    nats = math.log(n_outputs) if problem.loss.normalized else n_outputs * math.log(2)
    return samples.X.shape[1] / (55 * nats)
