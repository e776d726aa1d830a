"""The gradient loop: a generator that yields the loss of one epoch after another.

The loop knows nothing of validation data, patience or printing; whoever runs it looks at each epoch and breaks off.
"""

import math
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

import numpy as np

from .._blas import add_multiple
from ..optimizers import OPTIMIZERS
from ..schedules import SCHEDULES
from . import compiled

KNOWN_OPTIMIZERS, KNOWN_SCHEDULES = frozenset(OPTIMIZERS.values()), frozenset(SCHEDULES.values())


@dataclass
class StepRule:
    """One update of the parameters: what happens to the gradient before the optimizer's own rule, and to the weights after.

    In an estimator each field is the parameter of the same name.
    """

    # The learning rate that the schedule starts from.
    learning_rate_init: float
    # Largest Euclidean norm of a gradient; a longer one is scaled down to it (Pascanu et al., 2013).
    clip_norm: float | None = None
    # Share of each weight, times the learning rate, taken off at each step (Loshchilov and Hutter, 2019).
    weight_decay: float = 0.0
    # Whether the second half of the weight matrices is the first transposed, in reverse order.
    tied: bool = False

    def refuse_overshoot(self, rate):
        """Raise if a step at this learning rate would take more off each weight than there is of it."""
        if rate * self.weight_decay > 1:
            raise ValueError(
                f"Got weight_decay={self.weight_decay:g} with a learning rate of {rate:g}: a step takes their product off "
                "each weight, as a share, so it must be at most 1; pass a smaller weight_decay or learning_rate_init."
            )

    def take(self, network, gradient, optimizer, memory, rate, loss):
        """Change the parameters of the network."""
        if self.clip_norm is not None:
            norm = math.sqrt(gradient.dot(gradient))
            if norm > self.clip_norm:
                gradient *= self.clip_norm / norm
        optimizer.update(network.theta, gradient, memory, rate, loss)
        if self.weight_decay:
            network.weights *= 1.0 - rate * self.weight_decay


def tie(coefs):
    """Project weight matrices on those of which the last is the transpose of the first, and so on, in place.

    Networks with tied weights are a linear subspace of all: the projection of their gradient on it is the gradient within
    it, and any optimizer that starts there stays there.
    """
    for encoder, decoder in zip(coefs[: len(coefs) // 2], reversed(coefs), strict=False):
        encoder[...] = 0.5 * (encoder + decoder.T)
        decoder[...] = encoder.T


@dataclass
class DescentState:
    """What `gradient_descent` goes on from."""

    # Training samples, steps and epochs so far; an epoch that was broken off counts by its share.
    samples_seen: int = 0
    steps: int = 0
    epochs: float = 0.0
    # The learning rate now, and the one that the schedule started from: with another it starts anew.
    learning_rate: float = math.nan
    learning_rate_init: float = math.nan
    # What the optimizer remembers: moments, velocity, step sizes.
    memory: dict = field(default_factory=dict)
    # Running mean of the parameters after each step, where one is asked for.
    mean: np.ndarray | None = None


def gradient_descent(objective, batches, optimizer, schedule, rule, state, *, scale=None, max_iter=None, done=0,
                     deadline=math.inf, with_loss=True):  # fmt: skip
    """Train a network, an epoch at each `next`.

    Parameters
    ----------
    objective : Objective
    batches : Batches
    optimizer : Optimizer
    schedule : Schedule
    rule : StepRule
    state : DescentState
        Updated in place; its `memory` is one of this optimizer, or empty. With an array as its `mean`, that takes in the
        parameters after each step. From step to step these scatter around what they have learnt, the more so the higher
        the learning rate; their mean does not (Polyak and Juditsky, 1992). It forgets the first steps, which know little:
        at step t the latest counts 6 / (t + 5).
    scale : float, default=1 / number of samples in the batch
        Factor on the sum of the losses of a batch.
    max_iter : int, default=None
        Epochs planned, which some schedules need to know; None for no plan.
    done : int, default=0
        How many of these have been done before.
    deadline : float, default=inf
        `time.perf_counter` at which to break off, even within an epoch.
    with_loss : bool, default=True
        Whether to compute the losses; else they are NaN.

    Yields
    ------
    loss : float
        Mean over the batches of the epoch, while the weights changed, as in scikit-learn.
    """
    initial = rule.learning_rate_init
    if state.learning_rate_init != initial:
        state.learning_rate = state.learning_rate_init = initial
    memory = state.memory = state.memory or optimizer.initial_state(objective.network.theta) or {}
    n_samples = batches.n_samples * batches.passes
    start = state.epochs - done
    # Within an epoch a schedule of the user's own alone may go higher than `learning_rate_init`.
    is_own = type(schedule) not in KNOWN_SCHEDULES
    parts = objective, batches, optimizer, rule, memory, state.mean, scale, with_loss
    compiles = compiled.takes(objective, batches, optimizer)
    train = compiled.Epochs(*parts) if compiles else partial(numpy_epoch, *parts)

    def rate_at(rate, seen, steps):
        epoch = state.epochs + seen / n_samples
        share = None if max_iter is None else (epoch - start) / max_iter
        rate = schedule.next_rate(rate, initial, state.samples_seen + seen, epoch, share, steps)
        if is_own:
            rule.refuse_overshoot(rate)
        return rate

    next_rate = rate_at if schedule.every_step else None
    while True:
        rate = rate_at(state.learning_rate, 0, state.steps)
        rule.refuse_overshoot(rate)
        total, seen, state.steps, state.learning_rate = train(rate, next_rate, state.steps, deadline)
        state.samples_seen += seen
        state.epochs += seen / n_samples
        yield total / seen


def remembered(optimizer, theta, earlier):
    """Return what was remembered `earlier`, in the type of the parameters now; nothing if it was by another optimizer."""
    # Of our own what is remembered has the same names for any parameters.
    known = type(optimizer) in KNOWN_OPTIMIZERS
    if earlier and (optimizer.initial_state(theta[:0] if known else theta) or {}).keys() != earlier.keys():
        return {}
    return {
        name: value.astype(theta.dtype, copy=False) if isinstance(value, np.ndarray) and value.ndim else value
        for name, value in earlier.items()
    }


def numpy_epoch(objective, batches, optimizer, rule, memory, mean, scale, with_loss, rate, rate_at, steps, deadline):
    """Train for an epoch.

    Parameters
    ----------
    objective, batches, optimizer, rule, scale, with_loss, deadline
        See `gradient_descent`.
    memory, mean
        What `DescentState` says of them.
    rate : float
        The learning rate.
    rate_at : callable or None
        Where it varies from step to step, returns the next one, given the last, the samples seen in this epoch, and the
        steps.
    steps : int
        Steps so far.

    Returns
    -------
    total, seen, steps, rate
        Sum of the losses over the samples, number of the samples, steps, and the last learning rate.
    """
    network, gradient = objective.network, objective.gradient
    timed = deadline < math.inf
    total, seen = 0.0, 0
    for X, Y, sample_weight in batches.epoch():
        if timed and seen and perf_counter() >= deadline:
            break
        if rate_at is not None:
            rate = rate_at(rate, seen, steps)
        loss = objective(X, Y, sample_weight, scale, with_loss)
        if rule.tied:
            tie(objective.coef_gradients)
        rule.take(network, gradient, optimizer, memory, rate, loss)
        steps += 1
        if mean is not None:
            # The gradient has done its work: its memory takes the difference.
            np.subtract(network.theta, mean, gradient)
            add_multiple(gradient, mean, 6.0 / (steps + 5))
        n_rows = len(Y)
        total += loss * n_rows
        seen += n_rows
    return total, seen, steps, rate
