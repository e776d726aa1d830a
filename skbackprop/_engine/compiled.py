"""The compiled engine: which runs it takes, and their epochs. What it does not take is left to NumPy's loop.

It knows the parts of this package alone, by their exact types; each has its number in `plan.h` by its place here.
"""

import os
from operator import attrgetter
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
from ..losses._scikit_learn import MeanSquaredError, RoundedBinaryLogLoss, RoundedCategoricalLogLoss
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
    RoundedBinaryLogLoss: None,
    RoundedCategoricalLogLoss: None,
    MeanSquaredError: None,
}
LOSS_NUMBERS = {loss: number for number, loss in enumerate(LOSSES)}
_ADAM = (attrgetter("beta_1", "beta_2", "epsilon"), ("first_moment", "second_moment"), "steps")
_RPROP = (attrgetter("increase", "decrease", "smallest_step", "largest_step"), ("step", "gradient", "change"), "loss")
# Its number, what returns its settings, the arrays that it remembers, and the one number besides.
OPTIMIZERS = {
    SGD: (0, attrgetter("momentum", "nesterovs_momentum"), ("velocity",), None),
    Adam: (1, *_ADAM),
    AdamW: (1, *_ADAM),
    Rprop: (2, *_RPROP),
}
# What is returned of raw scores.
RAW_SCORES, LABELS, CLASSES, TWO_CLASSES = range(4)
# Rows that are predicted at a time, beginning anew with each call.
ROWS_AT_A_TIME = 64
# An interrupt is heeded after so many seconds at the latest, one step apart.
SECONDS_A_CALL = 0.05
# Multiplications in the largest product of a step from which a second thread pays, by who makes the products: a BLAS, or
# the engine, in one thread, with vectors of 32 or of 64 bytes; measured, see docs/performance.md.
_BLAS = {np.dtype(np.float32): 40_000_000, np.dtype(np.float64): 15_000_000}
CROSSOVER = {"baseline": _BLAS, "avx2": _BLAS, "avx512": dict.fromkeys(_BLAS, 80_000_000)}
MAKER = _compiled.targets()[0] if _compiled else "baseline"
# Learning rates that are computed, and values of noise that are drawn, for one call.
STEPS_A_CALL, NOISE_A_CALL = 256, 262_144
LARGEST = float(np.finfo(np.float64).max)


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


def name():
    """Return the name of the engine that is chosen, and of the processors that its kernels are made for."""
    return "NumPy" if (engine := chosen()) is None else f"C, {engine.targets()[0]}"


def all_within(array, bound):
    """Return whether none of the numbers in an array is larger in size, nor NaN."""
    found = None if _compiled is None else _compiled.all_within(array, bound)
    return bool((np.abs(array) <= bound).all()) if found is None else found


def all_finite(array):
    """Return whether all numbers in an array are finite."""
    found = None if _compiled is None else _compiled.all_within(array, LARGEST)
    return bool(np.isfinite(array).all()) if found is None else found


def predictor_of(coefs, intercepts, activations):
    """Return a function of both lists, `X` and a link that predicts, or None where that is not to be had.

    It returns None where the lists hold other arrays by now, or `X` is no clean array of their dtype in C order, or one
    that would take more than ten milliseconds. The link is `RAW_SCORES`, `LABELS` or `CLASSES`, for which raw scores become
    probabilities, or `TWO_CLASSES`, of one raw score.
    """
    if (engine := chosen()) is None or not all(type(activation) in ACTIVATIONS for activation in activations):
        return None
    numbers = tuple(ACTIVATIONS.index(type(activation)) for activation in activations)
    try:
        return engine.Predictor(coefs, intercepts, numbers).predict
    except (TypeError, ValueError, BufferError):
        # Weights that were set by hand may be anything.
        return None


def takes(objective, batches, optimizer):
    """Return whether the compiled engine is to train: it knows every part, and the inputs are dense."""
    if chosen() is None:
        return False
    network, dropout, X = objective.network, objective.dropout, batches.X
    known = (
        type(optimizer) in OPTIMIZERS
        and type(objective.loss) in LOSSES
        and all(map(ACTIVATIONS.__contains__, map(type, network.activations)))
    )
    dense = type(X) is np.ndarray and X.dtype == network.theta.dtype and X.strides[1] == X.itemsize and X.flags.aligned
    # Masks and noise are drawn in turn from one generator, of which C draws the masks alone.
    return known and dense and batches.Y.dtype.char in "fdB?" and not (dropout[0] and batches.noise)


def one_thread_is_enough(network, batch_size, compiles):
    """Return whether the matrix products of a step are too small for a second thread to pay."""
    maker = MAKER if compiles else "baseline"
    return batch_size * network.largest < CROSSOVER[maker][network.theta.dtype]


class Epochs:
    """Trains for an epoch at each call, as `descent.numpy_epoch` does.

    Parameters
    ----------
    objective, batches, optimizer, rule, scale, with_loss
        See `gradient_descent`.
    memory, mean
        What `DescentState` says of them.
    """

    def __init__(self, objective, batches, optimizer, rule, memory, mean, scale, with_loss):
        self.batches, self.memory = batches, memory
        network, loss, (dropout, generator) = objective.network, objective.loss, objective.dropout
        number, settings, arrays, self.counter = OPTIMIZERS[type(optimizer)]
        self.train = _compiled.Trainer(
            theta=network.theta,
            gradient=objective.gradient,
            sizes=network.layer_sizes,
            activations=tuple(map(ACTIVATIONS.index, map(type, network.activations))),
            penalties=tuple(objective.penalty.strengths),
            fit_intercept=network.fit_intercept,
            loss=LOSS_NUMBERS[type(loss)],
            loss_setting=getattr(loss, LOSSES[type(loss)] or "", 0.0),
            optimizer=number,
            optimizer_settings=settings(optimizer),
            memory=tuple([memory[name] for name in arrays if name in memory]),
            X=batches.X,
            Y=batches.Y,
            sample_weight=batches.sample_weight,
            order=batches.order,
            mean_of_X=batches.scaling and batches.scaling.mean,
            scale_of_X=batches.scaling and batches.scaling.scale,
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
            noise=batches.noise,
            own_products=one_thread_is_enough(network, batches.batch_size, True),
        ).run

    def __call__(self, rate, rate_at, steps, deadline):
        """Return the sum of the losses over the samples, the number of these, the steps, and the last learning rate."""
        batches, memory = self.batches, self.memory
        row, stop, total = 0, batches.n_samples * batches.passes, 0.0
        count = float(memory.get(self.counter, 0))
        rates, noise = float(rate), None
        while row < stop:
            if batches.shuffle and row % batches.n_samples == 0:
                batches.random_state.shuffle(batches.order)
            end = self._end(row, stop, rate_at is not None)
            if rate_at is not None:
                listed = self._rates(rate, rate_at, row, end, steps)
                rates = listed[0] if len(listed) == 1 else np.array(listed)
            if batches.noise:
                noise = batches.generator.standard_normal((end - row, batches.X.shape[1]), batches.X.dtype)
            # Noise that is drawn is used up, which takes no time.
            seconds = np.inf if batches.noise else min(SECONDS_A_CALL, deadline - perf_counter())
            row, n_steps, count, part = self.train(row, end, steps, rates, count, seconds, noise)
            total += part
            steps += n_steps
            if rate_at is not None:
                rate = listed[n_steps - 1]
            if perf_counter() >= deadline:
                break
        if self.counter:
            memory[self.counter] = count if self.counter == "loss" else int(count)
        return total, row, steps, rate

    def _end(self, row, stop, varies):
        """Return up to which row a call can go from this one; `varies` tells whether the learning rate does."""
        batches = self.batches
        one_size = batches.n_samples % batches.batch_size == 0
        if batches.shuffle or batches.noise or (varies and not one_size):
            stop = row - row % batches.n_samples + batches.n_samples
        if varies:
            stop = min(stop, row + STEPS_A_CALL * batches.batch_size)
        if batches.noise:
            n_batches = max(1, NOISE_A_CALL // (batches.batch_size * batches.X.shape[1]))
            stop = min(stop, row + n_batches * batches.batch_size)
        return stop

    def _rates(self, rate, rate_at, row, end, steps):
        """Return the learning rate of each step from `row` to `end`."""
        rates = []
        for start in range(row, end, self.batches.batch_size):
            rate = float(rate_at(rate, start, steps + len(rates)))
            rates.append(rate)
        return rates
