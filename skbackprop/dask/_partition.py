"""A partition of the samples on the worker that holds it: what is asked of it, in sums over its rows."""

import math

import numpy as np
from scipy.sparse import issparse

from .._engine import compiled
from .._engine.batches import Batches
from .._engine.descent import StepRule
from .._engine.network import Network
from .._engine.objective import QUIET, Objective, sample_losses
from .._engine.prediction import raw_scores
from .._estimators.classifier import validated_labels
from .._estimators.samples import FLOATS, Samples, checked_weights, fingerprint
from .._estimators.scaling import moments_of
from .._estimators.state import draft_of
from .._estimators.targets import loss_of
from ..optimizers import SGD
from ._order import Shares, permutation

# A pass goes through a partition in pieces whose widest layer has so many bytes, within these bounds on their rows.
PIECE_BYTES = 2**20
FEWEST_ROWS, MOST_ROWS = 256, 4096
# Passes for so many sizes of pieces are kept, each with buffers of its own.
MOST_PASSES = 8
# Values of the samples that are sent for a look at them, of all partitions together.
LOOK_ROWS, LOOK_VALUES = 1000, 1_000_000


class Partition:
    """Samples of a partition, in arrays of its own.

    Parameters
    ----------
    number : int
    shell : estimator
        A plain one with the parameters, not fitted.
    X, y, sample_weight
        As they came; the last may be None.

    Attributes
    ----------
    X, Y, weight : ndarray
        Inputs, in the end scaled; targets of shape (n_rows, n_outputs); weights, or None.
    rows, held_out : ndarray of int or None
        Rows that are trained on, and held out; None for all, and none.
    """

    def __init__(self, number, shell, X, y, sample_weight):
        self.number = number
        self.rows = self.held_out = None
        # Of its own, for checks note on it what they found.
        shell = draft_of(shell)
        found, self.y = self.check(shell, X, y)
        # Of its own, and aligned, which what arrives on a worker is not.
        self.X = np.array(found, order="C")
        self.weight = self._checked_weight(sample_weight)
        self.names = getattr(shell, "feature_names_in_", None)

    def check(self, shell, X, y):
        """Return checked inputs and targets."""
        raise NotImplementedError

    def _checked_weight(self, sample_weight):
        """Return weights in float64, which all may be zero here, but not negative."""
        weight = checked_weights(sample_weight, self.X, any_sign=True)
        if weight is not None and np.any(weight < 0):
            raise ValueError(f"Got negative values in sample_weight, down to {weight.min()}: weights must be 0 or larger.")
        return weight

    def facts(self):
        """Return what the client must know of all partitions before it can go on."""
        return {"number": self.number, "n_rows": len(self.X), "dtype": self.X.dtype, "n_features": self.X.shape[1],
                "names": self.names}  # fmt: skip

    def to_look_at(self, n_partitions):
        """Return a few samples, spread evenly."""
        most = max(1, min(LOOK_ROWS, LOOK_VALUES // self.X.shape[1]) // n_partitions)
        rows = np.linspace(0, len(self.X) - 1, min(most, len(self.X))).astype(int)
        return Samples(self.X[rows], self.y[rows], self.Y[rows], None if self.weight is None else self.weight[rows])

    def fingerprints(self):
        """Return checksums of its parts."""
        return fingerprint(self.X), fingerprint(self.Y), fingerprint(self.weight)

    # Scaling ---------------------------------------------------------------------------------------------------------

    def moments(self, columns, factor):
        """Return its weight and the moments of its inputs; None if it has no weight."""
        weight = float(len(self.X) if self.weight is None else self.weight.sum())
        X = self.X if columns is None else self.X[:, columns].astype(np.float64) * factor
        return (weight, *moments_of(X, self.weight)) if weight else None

    def target_sums(self, center):
        """Return its weight, and the weighted sums of the targets' differences from a center and of their squares."""
        weight = np.ones(len(self.Y)) if self.weight is None else self.weight
        difference = self.Y - center
        return weight.sum(), weight @ difference, weight @ difference**2

    def target_ends(self):
        """Return the largest and the smallest targets."""
        return np.array([self.Y.max(axis=0), self.Y.min(axis=0)], np.float64)

    def weight_up_to(self, values):
        """Return the weight of the targets up to each of some values, of shape (n_values, n_outputs), output by output."""
        weight = np.ones(len(self.Y)) if self.weight is None else self.weight
        return np.array([weight @ (value >= self.Y) for value in values])

    def scale(self, dtype, scaling, target_scaling):
        """Scale the samples, in place."""
        if target_scaling is not None:
            self.Y = target_scaling.apply(self.Y).astype(dtype, copy=False)
        self.X = self.X.astype(dtype, copy=False)
        if scaling is not None:
            scaling.apply_in_place(self.X)

    # Early stopping --------------------------------------------------------------------------------------------------

    def split(self, seed, counts):
        """Hold out so many rows of each stratum, which `strata` numbers, drawn at random."""
        strata = self.strata()
        order = permutation(seed, self.number, len(self.X))
        sorted_strata = strata[order]
        held_out = np.zeros(len(self.X), bool)
        for stratum, count in enumerate(counts[self.number]):
            held_out[order[sorted_strata == stratum][:count]] = True
        self.rows, self.held_out = np.flatnonzero(~held_out), np.flatnonzero(held_out)

    def strata(self):
        """Return the number of the stratum of each row: there is one."""
        return np.zeros(len(self.X), np.intp)

    def weight_of(self, held_out):
        """Return the number of rows that are trained on, or held out, and their weight."""
        rows = self.held_out if held_out else self.rows
        n_rows = len(self.X) if rows is None else len(rows)
        return n_rows, float(n_rows if self.weight is None else self.weight[slice(None) if rows is None else rows].sum())

    # Training --------------------------------------------------------------------------------------------------------

    def prepare(self, shape, loss, dropout, mean_weight, batch_size, sizes):
        """Make what a pass needs: network, objective, weights with a mean of one over all partitions."""
        self.network = Network(*shape)
        self.generator = np.random.default_rng(0) if dropout else None
        self.objective = Objective(self.network, loss, None, dropout, self.generator)
        self.loss = loss
        self.n_rows = sizes[self.number]
        self.total = np.zeros_like(self.network.theta)
        self.relative = None if self.weight is None else (self.weight / mean_weight).astype(self.X.dtype, copy=False)
        widest = max(shape[0][1:]) * self.X.itemsize
        self.piece = min(max(PIECE_BYTES // widest, FEWEST_ROWS), MOST_ROWS)
        self._passes, self._order = {}, (None, self.rows)

    def order(self, seed):
        """Return the rows in the order of the epoch with that seed; None if they stand as they are."""
        if seed is not None and self._order[0] != seed:
            order = permutation(seed, self.number, self.n_rows)
            self._order = seed, order if self.rows is None else self.rows[order]
        return self.rows if seed is None else self._order[1]

    def sums(self, theta, start, stop, seed, step_seed):
        """Return the sum of the losses of some rows in the order of the epoch, and leave its gradient in `total`."""
        order = self.order(seed)
        self.total.fill(0)
        if self.generator is not None:
            fresh = np.random.default_rng([step_seed, self.number])
            self.generator.bit_generator.state = fresh.bit_generator.state
        losses = []
        for first in range(start, stop, self.piece):
            last = min(first + self.piece, stop)
            rows, loss_of_rows = self._pass(last - first)
            rows[:] = np.arange(first, last) if order is None else order[first:last]
            np.copyto(self.network.theta, theta)
            losses.append(loss_of_rows())
            np.add(self.total, self.objective.gradient, self.total)
        return math.fsum(losses) if all(map(math.isfinite, losses)) else math.nan

    def _pass(self, size):
        """Return room for so many numbers of rows, and a function that returns the sum of their losses."""
        if size not in self._passes:
            if len(self._passes) >= MOST_PASSES:
                self._passes.clear()
            batches = Batches(self.X, self.Y, None, size, False, None, rows=np.zeros(size, np.intp))
            batches.sample_weight = self.relative
            optimizer, rule = SGD(momentum=0.0), StepRule(0.0)
            if compiled.takes(self.objective, batches, optimizer):
                # A step at the rate zero leaves the gradient, and the parameters as they are.
                train = compiled.Epochs(self.objective, batches, optimizer, rule, {}, None, 1.0, True).train
                self._passes[size] = batches.order, lambda: train(0, size, 0, 0.0, 0.0, np.inf, None)[3] / size
            else:
                self._passes[size] = batches.order, lambda: self.objective(*next(batches.gather()), 1.0)
        return self._passes[size]

    def loss_sum(self, shape, loss, theta, held_out):
        """Return the weighted sum of the losses of the rows that are trained on, or held out, for these parameters."""
        network = Network(*shape)
        np.copyto(network.theta, theta)
        rows = self.held_out if held_out else self.rows
        rows = np.arange(len(self.X)) if rows is None else rows
        total = 0.0
        for part in (rows[start : start + MOST_ROWS] for start in range(0, len(rows), MOST_ROWS)):
            Z = raw_scores(network.coefs, network.intercepts, network.activations, self.X[part])
            losses = sample_losses(loss, self.Y[part], Z)
            total += float(losses.sum(dtype=np.float64) if self.weight is None else self.weight[part] @ losses)
        return total

    def constant_loss_sum(self, loss, scores):
        """Return the weighted sum of the losses of a constant prediction."""
        total = 0.0
        rows = np.arange(len(self.X)) if self.rows is None else self.rows
        for part in (rows[start : start + MOST_ROWS] for start in range(0, len(rows), MOST_ROWS)):
            losses = sample_losses(loss, self.Y[part], np.array(np.broadcast_to(scores, (len(part), len(scores)))))
            total += float(losses.sum() if self.weight is None else self.weight[part] @ losses)
        return total


class LabelledPartition(Partition):
    """A partition whose targets are labels of classes."""

    def check(self, shell, X, y):
        """Return checked inputs and labels."""
        return validated_labels(shell, X, y, FLOATS, reset=True)

    def facts(self):
        """Return besides the labels, or the number of those that a sample may have, and whether each has just one."""
        several = self.y.ndim == 2
        labels = np.arange(self.y.shape[1]) if several else np.unique(self.y)
        return {**super().facts(), "labels": labels, "several": several,
                "one_hot": several and bool(np.all(self.y.sum(axis=1) == 1))}  # fmt: skip

    def encode(self, labels):
        """Make targets of the labels."""
        self.labels = labels
        self.codes = labels.codes(self.y)
        self.Y = labels.indicators(self.codes)

    def totals(self):
        """Return the number of samples of each class, and their weight."""
        n_classes = len(self.labels.classes)
        counts = np.bincount(self.codes, minlength=n_classes)
        return counts, np.bincount(self.codes, self.weight, n_classes)

    def weigh(self, class_weight):
        """Multiply the weights by those of the classes."""
        self.weight = self.labels.weighted(self.weight, class_weight, self.codes)

    def strata(self):
        """Return the number of the class of each row; of several labels a sample there is one stratum."""
        return super().strata() if self.codes.ndim == 2 else self.codes


class NumberedPartition(Partition):
    """A partition whose targets are numbers."""

    def check(self, shell, X, y):
        """Return checked inputs and targets."""
        samples = shell._validated(X, y, None, loss_of(shell), FLOATS, reset=True)
        self.Y = samples.Y
        return samples.X, samples.y

    def facts(self):
        """Return besides the number of outputs."""
        return {**super().facts(), "n_outputs": self.Y.shape[1]}


def load(kind, number, shell, X, y, sample_weight):
    """Return a partition of that kind, or None if it is empty; an error names it."""
    if issparse(X):
        raise TypeError(f"In partition {number}: got sparse X, which is not trained on here: pass dense blocks.")
    lengths = {name: len(part) for name, part in (("X", X), ("y", y), ("sample_weight", sample_weight)) if part is not None}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{length} rows of {name}" for name, length in lengths.items())
        raise ValueError(f"In partition {number}: got {found}: pass as many rows of each in each partition.")
    return named(number, kind, number, shell, X, y, sample_weight) if len(X) else None


def named(number, function, *arguments):
    """Call a function; an error names the partition of that number."""
    try:
        return function(*arguments)
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"In partition {number}: {error}") from None


class Holder:
    """An actor: the partitions on a worker.

    Parameters
    ----------
    numbers : list of int
    *partitions : Partition or None
    """

    def __init__(self, numbers, *partitions):
        self.partitions = [part for part in partitions if part is not None]
        self.shares = None

    def call(self, name, arguments):
        """Call a method of each partition; return the results by the partitions' numbers."""
        with np.errstate(**QUIET):
            return {part.number: named(part.number, getattr(part, name), *arguments) for part in self.partitions}

    def prepare(self, *arguments):
        """Prepare each partition for training."""
        *_, batch_size, sizes = arguments
        self.shares = Shares(sizes, batch_size)
        return self.call("prepare", arguments)

    def sums(self, theta, batch, seed, step_seed):
        """Return the losses of a step by the partitions' numbers, and the sum of their gradients in twice the precision."""
        losses, high, low = {}, None, None
        starts, stops = self.shares.of(batch, seed is not None)
        with np.errstate(**QUIET):
            for part in self.partitions:
                start, stop = int(starts[part.number]), int(stops[part.number])
                if start < stop:
                    losses[part.number] = part.sums(theta, start, stop, seed, step_seed)
                    high, low = add_exactly(high, low, part.total)
        return losses, high, low


def add_exactly(high, low, vector):
    """Return the sum of a vector and a sum in twice the precision, as two vectors, the second what the first rounds off.

    So the sum of all partitions is the same to the last bit, whichever worker holds them (Knuth, 1969).
    """
    vector = vector.astype(np.float64)
    if high is None:
        return vector, np.zeros_like(vector)
    total = high + vector
    part = total - high
    return total, low + ((high - (total - part)) + (vector - part))
