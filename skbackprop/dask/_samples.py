"""Samples on the workers, with the methods that a run of training asks its samples for: each is a sum over partitions."""

import copy
import math
from typing import NamedTuple

import numpy as np

from .._engine.objective import Objective
from .._estimators.samples import Samples
from .._estimators.scaling import Scaling, TargetScaling
from ..losses import BinaryLogLoss, CategoricalLogLoss, PoissonDeviance, Quantile, RegressionLoss, SquaredError

# Losses whose best constant prediction is that for the mean target.
OF_THE_MEAN = (BinaryLogLoss, CategoricalLogLoss, SquaredError, PoissonDeviance)
QUARTILES = np.array([0.25, 0.5, 0.75])


class Table(NamedTuple):
    """What is known here of an array on the workers."""

    shape: tuple
    dtype: np.dtype


class RemoteSamples:
    """Samples on the workers; see `Samples`, whose methods these are.

    Parameters
    ----------
    partitions : Partitions
    facts : list of dict
        What `Partition.facts` returns.
    n_outputs : int
        Columns of the encoded targets.
    strata : list of list of int, default=None
        Number of the samples of each class in each partition that is not empty, for a split that heeds classes.

    Attributes
    ----------
    X, Y : Table
    """

    # Targets as the user gave them are not to be had here, nor are weights.
    y = sample_weight = None

    def __init__(self, partitions, facts, n_outputs, strata=None):
        self.partitions = partitions
        self.sizes = np.zeros(len(partitions), np.int64)
        self.present = [fact["number"] for fact in facts]
        self.sizes[self.present] = [fact["n_rows"] for fact in facts]
        counts = np.array(strata if strata is not None else [[fact["n_rows"]] for fact in facts])
        self.strata = np.zeros((len(partitions), counts.shape[1]), np.int64)
        self.strata[self.present] = counts
        self.is_held_out, self._known_weight = False, None
        dtype = np.result_type(*[fact["dtype"] for fact in facts])
        self.X = Table((int(self.sizes.sum()), facts[0]["n_features"]), dtype)
        self.Y = Table((self.X.shape[0], n_outputs), np.dtype(np.float64))
        few = partitions.map("to_look_at", len(facts))
        weighted = few[0].sample_weight is not None
        parts = [np.concatenate([getattr(some, name) for some in few]) for name in ("X", "y", "Y")]
        self._few = Samples(*parts, np.concatenate([some.sample_weight for some in few]) if weighted else None)

    def distinct(self):
        """Return these: repeats may be in different partitions."""
        return self

    def to_look_at(self):
        """Return a few samples, spread evenly."""
        return self._few

    def fingerprints(self):
        """Return the checksums of the partitions' parts, by what the user calls these."""
        found = self.partitions.map("fingerprints")
        return dict(zip(("X", "y", "sample_weight"), zip(*found, strict=True), strict=True))

    # How they are scaled, and divided --------------------------------------------------------------------------------

    def scaling(self, center):
        """Return the scaling of the inputs."""
        return Scaling.of_moments(self._moments, self.X.shape, self.X.dtype, center)

    def _moments(self, columns=None, factor=1.0):
        """Return the moments of all inputs, from those of the partitions (Chan, Golub and LeVeque, 1979)."""
        found = [part for part in self.partitions.map("moments", columns, factor) if part is not None]
        weights, means, deviations, shares = (np.array(part) for part in zip(*found, strict=True))
        weights = weights / weights.sum()
        with np.errstate(over="ignore", invalid="ignore"):
            mean = weights @ means
            return mean, np.sqrt(weights @ (deviations**2 + (means - mean) ** 2)), weights @ shares

    def target_scaling(self, loss, shift, dtype):
        """Return the scaling of the targets that a loss asks for: that of a few targets which have it, too."""
        location_scale = type(loss).location_scale
        with np.errstate(over="ignore", invalid="ignore"):
            if location_scale in {RegressionLoss.location_scale, PoissonDeviance.location_scale}:
                Y, weight = self._with_the_same_mean()
            elif location_scale is Quantile.location_scale:
                Y, weight = self._with_the_same_quartiles()
            else:
                raise ValueError(
                    f"Got loss={loss!r}, whose location_scale looks at all targets at once, which no worker has: pass "
                    "standardize_targets=False, and targets that are of the size of 1."
                )
        ends = self._ends()
        return TargetScaling.of(loss, np.concatenate([ends, Y]), np.append(np.zeros(len(ends)), weight), shift, dtype)

    def _ends(self):
        found = self.partitions.map("target_ends")
        return np.array([np.max(found, axis=0)[0], np.min(found, axis=0)[1]])

    def _about(self, center):
        """Return the means of the targets' differences from a center, and of their squares."""
        weights, sums, squares = zip(*self.partitions.map("target_sums", center), strict=True)
        return np.sum(sums, axis=0) / np.sum(weights), np.sum(squares, axis=0) / np.sum(weights)

    def _mean(self):
        return self._about(0.0)[0]

    def _with_the_same_mean(self):
        """Return two targets, and their weights, with the mean and the deviation of all."""
        mean = self._mean()
        deviation = np.sqrt(self._about(mean)[1])
        return np.array([mean - deviation, mean + deviation]), np.array([0.5, 0.5])

    def _with_the_same_quartiles(self):
        """Return a few targets, and their weights, with the quartiles of all and, where these are one, their deviation."""
        lower, median, upper = self._quantiles(QUARTILES)
        # A tenth of the weight, so far out, has the squares of all.
        far = np.where(upper > lower, 0.0, np.sqrt(self._about(median)[1] / 0.1 * 1.1))
        Y = np.array([lower, median, upper, median - far, median + far])
        return Y, np.array([0.3, 0.25, 0.45, 0.05, 0.05])

    def _quantiles(self, quantiles):
        """Return for each quantile the least target of each output with enough weight up to it.

        It is found among all floats, by halves of their order.
        """
        high, low = (_as_integers(end) for end in self._ends())
        low = np.tile(low - 1, (len(quantiles), 1))
        high = np.tile(high, (len(quantiles), 1))
        needed = quantiles[:, np.newaxis] * np.sum([weight for weight, _, _ in self.partitions.map("target_sums", 0.0)])
        while np.any(high - low > 1):
            # The mean of both, without their sum, which may overflow.
            middle = (low >> 1) + (high >> 1) + (low & high & 1)
            enough = np.sum(self.partitions.map("weight_up_to", _as_floats(middle)), axis=0) >= needed
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
        return _as_floats(high)

    def scaled(self, dtype, scaling, target_scaling):
        """Scale the samples on the workers, and return them."""
        self.partitions.change("scale", np.dtype(dtype), scaling, target_scaling)
        self.X = self.X._replace(dtype=np.dtype(dtype))
        self._few = self._few.scaled(dtype, None, target_scaling)
        return self

    def hold_out(self, strata, fraction):
        """Plan a split for early stopping: a random share of each class in each partition."""
        return RemoteHoldOut.of(self.strata, fraction)

    def split(self, rows, held_out):
        """Return the samples that are held out, having checked that neither part is without weight."""
        seed, fraction = held_out
        self.partitions.change("split", seed, shares_held_out(self.strata, fraction))
        self._known_weight = None
        part = copy.copy(self)
        part.is_held_out = True
        if not (self._weight()[1] and part._weight()[1]):
            raise ValueError(
                "Got sample_weight that is all zero on the samples held out for early_stopping=True, or on the others: "
                "pass more samples of positive weight, or X_val and y_val."
            )
        return part

    def _weight(self):
        """Return the number of samples in each partition, and their weight in all."""
        if self._known_weight is None:
            sizes = np.zeros(len(self.partitions), np.int64)
            n_rows, weights = zip(*self.partitions.map("weight_of", self.is_held_out), strict=True)
            sizes[self.present] = n_rows
            self._known_weight = sizes, math.fsum(weights)
        return self._known_weight

    # What is computed of them ----------------------------------------------------------------------------------------

    def batches(self, scaling, batch_size, shuffle, random_state, rows, noise, generator, passes, once):
        """Return them in batches."""
        sizes, weight = self._weight()
        return RemoteBatches(self, batch_size, shuffle, random_state, rows, passes, sizes, weight / sizes.sum())

    def objective(self, network, loss, penalty, dropout, generator, own_weight):
        """Return the objective on such batches."""
        batches = self.arranged
        parts = loss, dropout, batches.mean_weight, batches.batch_size, batches.sizes
        self.partitions.prepare(_shape(network), *parts)
        return RemoteObjective(network, loss, penalty, dropout, generator, own_weight)

    def mean_loss(self, loss, network, kept):
        """Return the mean loss of the network with the parameters `kept`, for scaled inputs."""
        losses = self.partitions.map("loss_sum", _shape(network), loss, kept, self.is_held_out)
        weight = self._weight()[1]
        return math.fsum(losses) / weight if all(map(math.isfinite, losses)) else math.nan

    def base_rate_loss(self, loss):
        """Return the mean loss of the best constant prediction."""
        losses = self.partitions.map("constant_loss_sum", loss, np.asarray(self.constant_scores(loss), np.float64))
        return math.fsum(losses) / self._weight()[1] if all(map(math.isfinite, losses)) else math.nan

    def constant_scores(self, loss):
        """Return the raw scores of the best constant prediction: of a few samples, where it is not that for the mean."""
        if isinstance(loss, OF_THE_MEAN):
            return loss.constant_scores(self._mean()[np.newaxis], np.ones(1))
        return self._few.constant_scores(loss)


def _shape(network):
    """Return what another network of this shape is made with."""
    return network.layer_sizes, network.activations, network.fit_intercept, network.theta.dtype


def _as_integers(values):
    """Return floats as integers in the same order."""
    bits = np.asarray(values, np.float64).view(np.int64)
    return np.where(bits < 0, np.iinfo(np.int64).min - bits, bits)


def _as_floats(integers):
    """Undo `_as_integers`."""
    return np.where(integers < 0, np.iinfo(np.int64).min - integers, integers).view(np.float64)


def shares_held_out(strata, fraction):
    """Return how many samples of each class are held out in each partition, given how many there are.

    Of each class it is that share of all samples, rounded, and one at least unless it has but one. The partitions share
    them by their cumulative numbers, so that each holds out in proportion to its size.
    """
    up_to = strata.cumsum(axis=0)
    totals = up_to[-1]
    wanted = np.where(totals > 1, np.maximum(1, np.floor(fraction * totals + 0.5)), 0)
    held_out = np.floor(up_to * (wanted / np.maximum(totals, 1)) + 0.5).astype(np.int64)
    return np.diff(held_out, axis=0, prepend=0)


class RemoteHoldOut(NamedTuple):
    """A split for early stopping, planned; see `HoldOut`."""

    fraction: float
    n_rows: int

    @classmethod
    def of(cls, strata, fraction):
        """Plan a split, or raise if there are too few samples."""
        if not fraction:
            raise ValueError(
                "Got validation_fraction=0 with early_stopping=True: pass a fraction above 0, or X_val and y_val."
            )
        n_rows = int((strata - shares_held_out(strata, fraction)).sum())
        n_samples = int(strata.sum())
        # Two numbers at least, since R^2 is not defined for one.
        if n_samples - n_rows < max(2, np.count_nonzero(strata.sum(axis=0) > 1)) or not n_rows:
            raise ValueError(
                f"Got n_samples={n_samples}, too few for early_stopping=True with validation_fraction={fraction}: The "
                "validation set is too small; pass more samples, or X_val and y_val."
            )
        return cls(fraction, n_rows)

    def draw(self, random_state):
        """Return the rows to train on, by their places, and what decides which are held out."""
        return range(self.n_rows), (int(random_state.randint(np.iinfo(np.int32).max)), self.fraction)


class Step(NamedTuple):
    """A batch, for the workers to find its samples."""

    partitions: object
    number: int
    # What the epoch's order is drawn from; None if the samples stand as they are.
    seed: int | None
    n_rows: int

    def __len__(self):
        return self.n_rows


class RemoteBatches:
    """Samples on the workers in batches, an epoch at a time; see `Batches`.

    A batch of a shuffled epoch takes from each partition in proportion to its size, in an order that the partition draws
    from the epoch's seed and its own number. Otherwise batches are consecutive samples.
    """

    scaling, noise, generator = None, 0.0, None

    def __init__(self, samples, batch_size, shuffle, random_state, rows, passes, sizes, mean_weight):
        samples.arranged = self
        self.X, self.Y, self.sample_weight = samples.X, samples.Y, None
        self.partitions, self.sizes, self.mean_weight = samples.partitions, sizes, mean_weight
        self.batch_size, self.shuffle, self.random_state = batch_size, shuffle, random_state
        self.order, self.passes = rows, passes
        self.n_samples = int(sizes.sum())
        self.n_batches = -(-self.n_samples // batch_size)

    def epoch(self):
        """Yield the batches of one epoch, as a `Step` each for inputs and for targets, and no weights."""
        for _ in range(self.passes):
            seed = int(self.random_state.randint(np.iinfo(np.int32).max)) if self.shuffle else None
            for number in range(self.n_batches):
                n_rows = min(self.batch_size, self.n_samples - number * self.batch_size)
                step = Step(self.partitions, number, seed, n_rows)
                yield step, step, None


class RemoteObjective(Objective):
    """The loss of a network on a batch of samples on the workers; see `Objective`."""

    def __call__(self, X, Y, sample_weight=None, scale=None, with_value=True):
        """Return the loss, and leave its gradient in `gradient`; `X` is a `Step`."""
        step, (dropout, generator) = X, self.dropout
        scale = 1.0 / len(step) if scale is None else scale
        step_seed = int(generator.integers(2**63)) if dropout else None
        total, gradient = step.partitions.sums(self.network.theta, step.number, step.seed, step_seed)
        np.multiply(gradient, scale, self.gradient, casting="same_kind")
        if self._is_penalised:
            self.penalty.add_gradient(scale)
        return scale * (total + self.penalty.value())
