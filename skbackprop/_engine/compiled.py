"""The compiled engine: which runs it takes, and their epochs. What it does not take is left to NumPy's loop.

It knows the parts of this package alone, by their exact types; each has its number in `plan.h` by its place here.
"""

import os
from time import perf_counter

import numpy as np

from ..activations import ELU, GELU, Identity, Logistic, ReLU, SiLU, Tanh
from ..losses import (
    AbsoluteError,
    BinaryLogLoss,
    CategoricalLogLoss,
    GammaDeviance,
    HuberLoss,
    PoissonDeviance,
    Quantile,
    SigmoidSquaredError,
    SquaredError,
)
from ..optimizers import SGD, Adam, AdamW, Rprop

try:
    from . import _compiled
except ImportError:
    _compiled = None

ACTIVATIONS = (Identity, Logistic, Tanh, ReLU, SiLU, GELU, ELU)
# With the attribute that is its setting.
LOSSES = {
    BinaryLogLoss: None,
    SigmoidSquaredError: None,
    CategoricalLogLoss: None,
    SquaredError: None,
    Quantile: "quantile",
    AbsoluteError: None,
    HuberLoss: "delta",
    PoissonDeviance: None,
    GammaDeviance: None,
}
_ADAM = (("beta_1", "beta_2", "epsilon"), ("first_moment", "second_moment"), "steps")
_RPROP = (("increase", "decrease", "smallest_step", "largest_step"), ("step", "gradient", "change"), "loss")
# Its number, its settings, the arrays that it remembers, and the one number besides.
OPTIMIZERS = {
    SGD: (0, ("momentum", "nesterovs_momentum"), ("velocity",), None),
    Adam: (1, *_ADAM),
    AdamW: (1, *_ADAM),
    Rprop: (2, *_RPROP),
}
# What is returned of raw scores.
RAW_SCORES, LABELS, CLASSES, TWO_CLASSES = range(4)
# An interrupt is heeded after so many seconds at the latest, one step apart.
SECONDS_A_CALL = 0.05
# Learning rates that are computed, and values of noise that are drawn, for one call.
STEPS_A_CALL, NOISE_A_CALL = 256, 262_144


def chosen():
    """Return the module of the compiled engine, or None where NumPy's loop is to train.

    The environment variable SKBACKPROP_ENGINE decides: "numpy", "c", or "auto" for C where it is installed.
    """
    choice = os.environ.get("SKBACKPROP_ENGINE", "auto")
    if choice not in {"auto", "numpy", "c"}:
        raise ValueError(f"Got SKBACKPROP_ENGINE={choice!r} in the environment; set it to 'auto', 'numpy' or 'c'.")
    if choice == "c" and _compiled is None:
        raise ImportError(
            "Got SKBACKPROP_ENGINE='c', but this installation has no compiled engine: install skbackprop anew where there "
            "is a C compiler, or set it to 'auto'."
        )
    return None if choice == "numpy" else _compiled


def predictor_of(coefs, intercepts, activations):
    """Return a function of both lists, `X` and a link that predicts for a few rows, or None where that is not to be had.

    It returns None where the lists hold other arrays by now, or `X` is no small clean array of their dtype. The link is
    `RAW_SCORES`, `LABELS` or `CLASSES`, for which raw scores become probabilities, or `TWO_CLASSES`, of one raw score.
    """
    if (engine := chosen()) is None or not all(type(activation) in ACTIVATIONS for activation in activations):
        return None
    numbers = tuple(ACTIVATIONS.index(type(activation)) for activation in activations)
    try:
        return engine.Predictor(coefs, intercepts, numbers).predict
    except (TypeError, ValueError, BufferError):
        # Weights that were set by hand may be anything.
        return None


def epoch_of(objective, batches, optimizer, rule, memory, mean, scale, with_loss):
    """Return a function that trains for an epoch as `descent.numpy_epoch` does, or None if this is no run for it.

    Parameters
    ----------
    objective, batches, optimizer, rule, scale, with_loss
        See `gradient_descent`.
    memory, mean
        What `DescentState` says of them.
    """
    if not takes(objective, batches, optimizer):
        return None
    network, loss = objective.network, objective.loss
    number, settings, arrays, counter = OPTIMIZERS[type(optimizer)]
    dropout, generator = objective.dropout
    scaling, noise, order = batches.scaling, batches.noise, batches.order
    trainer = _compiled.Trainer(
        theta=network.theta,
        gradient=objective.gradient,
        sizes=network.layer_sizes,
        activations=tuple(ACTIVATIONS.index(type(activation)) for activation in network.activations),
        penalties=tuple(objective.penalty.strengths),
        fit_intercept=network.fit_intercept,
        loss=list(LOSSES).index(type(loss)),
        loss_setting=getattr(loss, LOSSES[type(loss)] or "", 0.0),
        optimizer=number,
        optimizer_settings=tuple(getattr(optimizer, name) for name in settings),
        memory=tuple(memory[name] for name in arrays if name in memory),
        X=batches.X,
        Y=batches.Y,
        sample_weight=batches.sample_weight,
        order=order,
        mean_of_X=scaling and scaling.mean,
        scale_of_X=scaling and scaling.scale,
        batch_size=min(batches.batch_size, batches.n_samples),
        scale=np.nan if scale is None else scale,
        own_weight=objective.own_weight,
        with_loss=with_loss,
        clip_norm=np.inf if rule.clip_norm is None else rule.clip_norm,
        weight_decay=rule.weight_decay,
        tied=rule.tied,
        mean=mean,
        dropout=dropout,
        generator=generator.bit_generator.capsule if dropout else None,
        noise=noise,
    )
    n_samples, size = batches.n_samples, batches.batch_size
    n_rows = n_samples * batches.passes
    step_at_most = STEPS_A_CALL * size, max(1, NOISE_A_CALL // batches.X[:size].size) * size

    def stop_of(row, varies):
        """Return up to which row one call can go from this one."""
        stop = n_rows
        if batches.shuffle or varies or noise:
            stop = row - row % n_samples + n_samples
        for limits, most in zip((varies, noise), step_at_most, strict=True):
            if limits:
                stop = min(stop, row + most)
        return stop

    def epoch(rate, rate_at, steps, deadline):
        row, total, count = 0, 0.0, float(memory.get(counter, 0))
        drawn, rates = None, float(rate)
        while row < n_rows:
            if batches.shuffle and row % n_samples == 0:
                batches.random_state.shuffle(order)
            stop = stop_of(row, rate_at is not None)
            if rate_at is not None:
                rates = np.empty(-(-(stop - row) // size))
                for step in range(len(rates)):
                    rates[step] = rate = rate_at(rate, row + step * size, steps + step)
            if rule.weight_decay:
                rule.refuse_overshoot(np.max(rates))
            if noise:
                drawn = batches.generator.standard_normal((stop - row, batches.X.shape[1]), batches.X.dtype)
            # Noise that is drawn is used up, which takes no time.
            seconds = np.inf if noise else min(SECONDS_A_CALL, deadline - perf_counter())
            row, n_steps, count, part = trainer.run(row, stop, steps, rates, count, seconds, drawn)
            total += part
            steps += n_steps
            if rate_at is not None:
                rate = float(rates[n_steps - 1])
            if perf_counter() >= deadline:
                break
        if counter:
            memory[counter] = count if counter == "loss" else int(count)
        return total, row, steps, rate

    return epoch


def takes(objective, batches, optimizer):
    """Return whether the compiled engine is to train: it knows every part, and the inputs are dense."""
    network, dropout, X = objective.network, objective.dropout, batches.X
    known = (
        type(optimizer) in OPTIMIZERS
        and type(objective.loss) in LOSSES
        and all(type(activation) in ACTIVATIONS for activation in network.activations)
    )
    dense = type(X) is np.ndarray and X.dtype == network.theta.dtype and X.strides[1] == X.itemsize
    # Masks and noise are drawn in turn from one generator, of which C draws the masks alone.
    return (
        chosen() is not None and known and dense and batches.Y.dtype.char in "fdB?" and not (dropout[0] and batches.noise)
    )
