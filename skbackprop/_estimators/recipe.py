"""The recipe of a run: each "auto", and each "as in scikit-learn with another `init`", made into plain values here."""

import math
from dataclasses import fields
from typing import NamedTuple

from .._engine.descent import Step
from ..initializers import Initializer, NearIdentity
from ..optimizers import Adam, Optimizer
from ..schedules import Constant, Schedule
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


class Recipe(NamedTuple):
    """What a run is made of; the rest of the code reads these values and knows nothing of "auto"."""

    # Units of each hidden layer, their activations, and the rule for the initial weights.
    hidden_sizes: list
    activations: tuple
    initializer: Initializer
    optimizer: Optimizer
    schedule: Schedule
    # What happens at each step besides the optimizer's rule.
    step: Step
    # Samples in a step; perhaps more than there are.
    batch_size: int
    # Whether to train on standardised inputs, and on scaled targets.
    standardize: bool
    scale_targets: bool
    # Factor of the penalty, divided by the weight of a batch; or, if not None, the precision of a normal prior on the
    # weights, which is spread over the weight of all samples, and whether the penalty then follows the targets' noise.
    alpha: float
    precision: float | None
    follows_noise: bool
    # Of early stopping: whether the latest of equal scores is the best, and whether a mean of the weights is scored.
    latest: bool
    averages: bool


def resolve(estimator, problem, n_rows):
    """Return the `Recipe` by which an estimator trains on a `Problem`, of which `n_rows` samples are not held out.

    Parameters left to "auto" follow this package's recipe, which the initial weights of `NearIdentity` belong to; with any
    other rule for these they are as in scikit-learn.
    """
    initializer = initializer_of(estimator)
    auto = isinstance(initializer, NearIdentity)
    optimizer = optimizer_of(estimator)
    hidden_sizes = hidden_sizes_of(estimator)
    clip_norm, alpha = estimator.clip_norm, estimator.alpha
    if isinstance(clip_norm, str):
        clip_norm = 1.0 if auto and not optimizer.full_batch else None
    # A minimiser would spend its iterations on making the initial weights smaller.
    has_prior = isinstance(alpha, str) and auto and not optimizer.minimizes
    weight_decay = estimator.weight_decay or optimizer.weight_decay
    return Recipe(
        hidden_sizes=hidden_sizes,
        activations=activations_of(estimator, len(hidden_sizes)),
        initializer=initializer,
        optimizer=optimizer,
        schedule=_schedule(estimator, optimizer, auto),
        step=Step(**{**_namesakes(estimator), "clip_norm": clip_norm, "weight_decay": weight_decay}),
        batch_size=batch_size(estimator, n_rows),
        standardize=_wanted(estimator.standardize, auto),
        scale_targets=_wanted(problem.scale_targets, auto),
        alpha=PLAIN_ALPHA if isinstance(alpha, str) else alpha,
        precision=_precision(problem) if has_prior else None,
        follows_noise=has_prior and problem.numeric,
        latest=auto,
        averages=auto and estimator.early_stopping,
    )


def batch_size(estimator, n_rows):
    """Return the samples in a step of a solver that takes batches, of so many to train on; perhaps more than these."""
    chosen = estimator.batch_size
    if chosen is None and isinstance(initializer_of(estimator), NearIdentity):
        return n_rows if n_rows <= ONE_BATCH else min(max(SMALLEST_BATCH, n_rows // BATCHES_AN_EPOCH), LARGEST_BATCH)
    return min(LARGEST_PLAIN_BATCH, n_rows) if chosen in {None, "auto"} else chosen


def _namesakes(estimator):
    """Return the parameters that are a field of `Step`, by name."""
    return {field.name: getattr(estimator, field.name) for field in fields(Step)}


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
