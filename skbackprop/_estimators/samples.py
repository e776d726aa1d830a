"""Samples in numbers, their weights, and the part of them that early stopping holds out."""

import math
import numbers
from copy import copy
from typing import NamedTuple
from zlib import crc32

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, gen_batches
from sklearn.utils.validation import validate_data

from .._engine.batches import Batches
from .._engine.compiled import all_finite
from .._engine.objective import Objective, base_rate_loss, constant_scores, mean_loss
from ..losses import Loss
from .by_hand import refuse_weights
from .columns import refuse_dates, refuse_others, refuse_text
from .scaling import Scaling, TargetScaling
from .words import in_short, shown

FLOATS = (np.float64, np.float32)
# Of up to so many values, to look at each takes a quarter of the time of scikit-learn's validation, and little room.
PLAIN_SIZE = 100_000


def fingerprint(array):
    """Return a checksum of an array or CSR, and of its shape and type; None of None.

    It tells other samples from the same, not whether someone has forged them: it takes a second for some gigabytes.
    """
    if array is None:
        return None
    parts = (array.data, array.indices.astype(np.int64), array.indptr.astype(np.int64)) if issparse(array) else (array,)
    found = crc32(f"{array.shape} {array.dtype}".encode())
    for part in parts:
        # Row by row in chunks, for a memory-mapped array may be larger than memory, and a slice of one not contiguous.
        for rows in gen_batches(max(len(part), 1), 10_000):
            found = crc32(np.ascontiguousarray(part[rows]), found)
    return found


class Samples(NamedTuple):
    """Samples as a child hands them to the base: in numbers.

    A run of training knows of its samples what the methods here return, besides the shapes and dtypes of `X` and `Y`:
    samples that lie elsewhere are another class with the same methods.
    """

    # Inputs of shape (n_samples, n_features), an array in C order or CSR.
    X: object
    # Targets as the user gave them, for scorers.
    y: np.ndarray
    # Targets that the network learns, of shape (n_samples, n_outputs).
    Y: np.ndarray
    sample_weight: np.ndarray | None

    def take(self, rows):
        """Return the samples of some rows."""
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        return Samples(self.X[rows], self.y[rows], self.Y[rows], weight)

    def distinct(self):
        """Return each sample of positive weight once, in an order of its own, with the summed weight of its repeats.

        A weight of 2 then equals two rows to the last bit, where sums over both would be rounded differently.
        """
        weight = self.sample_weight
        # In one type, since training that goes on may have another than it began in, and is to find the same order.
        X, Y = (part.astype(np.float64, copy=False) for part in (self.X, self.Y))
        rows = np.arange(X.shape[0]) if weight is None else np.flatnonzero(weight)
        keys = np.empty(len(rows), dtype=object)
        keys[:] = [_row_as_bytes(X, row) + Y[row].tobytes() for row in rows]
        _, first, number = np.unique(keys, return_index=True, return_inverse=True)
        summed = np.bincount(number, None if weight is None else weight[rows])
        samples = self.take(rows[first])
        repeats = weight is not None or len(first) < len(rows)
        return samples._replace(sample_weight=summed.astype(float) if repeats else None)

    def to_look_at(self):
        """Return samples whose values can be looked at, for advice: these themselves."""
        return self

    def fingerprints(self):
        """Return checksums, by what the user calls the parts."""
        return {"X": fingerprint(self.X), "y": fingerprint(self.Y), "sample_weight": fingerprint(self.sample_weight)}

    # How they are scaled, and divided --------------------------------------------------------------------------------

    def scaling(self, center):
        """Return the scaling of the inputs."""
        return Scaling.of(self.X, self.sample_weight, center)

    def target_scaling(self, loss, shift, dtype):
        """Return the scaling of the targets that a loss asks for."""
        return TargetScaling.of(loss, self.Y, self.sample_weight, shift, dtype)

    def scaled(self, dtype, scaling, target_scaling):
        """Return the samples in a dtype, with scaled targets, if so wished; the inputs are scaled by `batches`."""
        if self.X.dtype == dtype and not target_scaling:
            return self
        X, Y = self.X.astype(dtype, copy=False), self.Y
        Y = target_scaling.apply(Y).astype(dtype, copy=False) if target_scaling else Y
        return Samples(X, self.y, Y, self.sample_weight)

    def hold_out(self, strata, fraction):
        """Plan a split for early stopping, or raise if there are too few samples."""
        return HoldOut.of(self.X.shape[0], strata, fraction)

    def split(self, rows, held_out):
        """Return the samples that are held out, having checked that neither part is without weight."""
        weight = self.sample_weight
        if weight is not None and not (weight[rows].any() and weight[held_out].any()):
            raise ValueError(
                "Got sample_weight that is all zero on the samples held out for early_stopping=True, or on the others: "
                "pass more samples of positive weight, or X_val and y_val."
            )
        return self.take(held_out)

    # What is computed of them ----------------------------------------------------------------------------------------

    def batches(self, scaling, batch_size, shuffle, random_state, rows, noise, generator, passes, once):
        """Return them in batches, `once` if each is asked for but one time; see `Batches`."""
        X, scaling = scaling.apply(self.X, once) if scaling else (self.X, None)
        order = batch_size, shuffle, random_state, rows
        return Batches(X, self.Y, self.sample_weight, *order, scaling, noise, generator, passes)

    def objective(self, *parts):
        """Return the objective on such batches; see `Objective`."""
        return Objective(*parts)

    def mean_loss(self, loss, network, kept):
        """Return the mean loss of a network for raw inputs, whose parameters for scaled inputs are `kept`."""
        return mean_loss(loss, network, self.X, self.Y, self.sample_weight)

    def base_rate_loss(self, loss):
        """Return the mean loss of the best constant prediction."""
        return base_rate_loss(loss, self.Y, self.sample_weight)

    def constant_scores(self, loss):
        """Return the raw scores of the best constant prediction."""
        return constant_scores(loss, self.Y, self.sample_weight)


class Problem(NamedTuple):
    """What a child hands to the base: samples and the loss to descend on them."""

    samples: Samples
    loss: Loss
    # Labels that a split for early stopping keeps in proportion, or None.
    strata: np.ndarray | None = None
    # Whether early stopping may hold out samples; whether the losses of a batch are divided by its own weight.
    splits: bool = True
    # Whether the network is one of several that are averaged, which needs less of a penalty.
    averaged: bool = False
    own_weight: bool = False
    # Whether the targets are numbers, and whether to train on scaled ones: True, False or "auto".
    numeric: bool = False
    scale_targets: bool | str = False


def validated(estimator, X, y="no_validation", **how):
    """Return inputs, and `y` if there is any, as scikit-learn's `validate_data` does; columns of no numbers are named.

    Sparse inputs are in canonical form. Small clean arrays are what they are.
    """
    alone = isinstance(y, str) and y == "no_validation"
    if is_plain(X, vars(estimator), **how) and (alone or _is_plain_target(y, len(X))):
        if how.get("reset", True):
            estimator.n_features_in_ = X.shape[1]
            vars(estimator).pop("feature_names_in_", None)
        return X if alone else (X, y)
    refuse_dates(X)
    refuse_broken(X, "X")
    refuse_broken(y, "y")
    try:
        found = validate_data(estimator, X, y, **how)
    except (TypeError, ValueError) as error:
        refuse_text(X, error)
        refuse_others(X, "X", error)
        raise in_short(error) from error.__cause__
    return (canonical(found[0]), *found[1:]) if isinstance(found, tuple) else canonical(found)


def is_plain(X, fitted, dtype=FLOATS, order=None, reset=True, accept_sparse=None, multi_output=None, y_numeric=None):
    """Return whether `X` is a small clean array, to which scikit-learn's validation would have no objection.

    `fitted` are the attributes of the estimator; the rest is what `validate_data` is asked for, of which some says nothing
    of such arrays.
    """
    return (
        type(X) is np.ndarray
        and (X.dtype.char in "fd" and X.dtype.isnative if dtype is FLOATS else X.dtype == dtype)
        and X.ndim == 2
        and 0 < X.size <= PLAIN_SIZE
        and (reset or (X.shape[1] == fitted.get("n_features_in_") and "feature_names_in_" not in fitted))
        and (order is None or X.flags.c_contiguous)
        and all_finite(X)
    )


def _is_plain_target(y, n_samples):
    """Return whether `y` is a clean array of numbers or text for so many samples."""
    return (
        type(y) is np.ndarray
        and y.ndim in {1, 2}
        and len(y) == n_samples
        and y.size > 0
        and (y.dtype.kind in "iubU" or (y.dtype.kind == "f" and all_finite(y)))
    )


def refuse_broken(table, name):
    """Raise for a sparse table whose indices point outside it: in compiled code that is no error, but a crash."""
    if not issparse(table) or not hasattr(table, "check_format"):
        return
    try:
        # Of a copy that shares the values, for the check cuts off what is beyond the last of them.
        copy(table).check_format()
        if np.any(table.indptr[1:] < table.indptr[:-1]):
            raise ValueError("indptr must be a non-decreasing sequence")
    except ValueError as error:
        raise ValueError(
            f"Got sparse {name} whose parts do not fit together ({error}): make it anew, as by "
            "scipy.sparse.csr_array((values, (rows, columns)))."
        ) from error


def _row_as_bytes(X, row):
    """Return what is in a row of an array or a CSR matrix."""
    if not issparse(X):
        return X[row].tobytes()
    stored = slice(X.indptr[row], X.indptr[row + 1])
    return X.indices[stored].tobytes() + X.data[stored].tobytes()


def canonical(X):
    """Return inputs as they are, or sparse ones in canonical form: sorted, without duplicates and stored zeros.

    What is not so is copied, for it is the user's.
    """
    if not issparse(X) or (X.has_canonical_format and X.data.size == X.nnz and X.data.all()):
        return X
    X = X.copy()
    with np.errstate(over="ignore", invalid="ignore"):
        X.sum_duplicates()
    X.eliminate_zeros()
    if not np.isfinite(X.data).all():
        raise ValueError(f"Got sparse X with duplicate entries whose sum overflows in {X.dtype}: pass smaller values.")
    return X


def finite(result, estimator):
    """Return a result of prediction, or raise if it overflowed."""
    if not np.isfinite(result).all():
        refuse_weights(estimator)
        remedy = "pass smaller values, or float64 ones" if result.dtype == np.float32 else "pass smaller values"
        raise ValueError(f"Got X with values so large that the result overflows in {result.dtype}: {remedy}.")
    return result


def checked_weights(sample_weight, X, any_sign=False, name="sample_weight"):
    """Return weights, if any, as an array of shape (n_samples,) in float64, or raise; `name` is what the user calls them.

    Negative and all-zero weights are for `partial_fit` alone: `any_sign`.
    """
    n_samples = X.shape[0]
    if sample_weight is None:
        return None
    if isinstance(sample_weight, str | dict):
        raise ValueError(
            f"Got {name}={shown(sample_weight)}: pass one weight a sample; a classifier's parameter class_weight weighs "
            'classes, as class_weight="balanced" or class_weight={label: weight}.'
        )
    if isinstance(sample_weight, numbers.Number):
        sample_weight = np.full(n_samples, sample_weight)
    refuse_dates(sample_weight, name)
    try:
        weight = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name=name)
    except (TypeError, ValueError) as error:
        refuse_others(sample_weight, name, error)
        raise in_short(error) from error.__cause__
    if weight.shape != (n_samples,):
        raise ValueError(f"Got {name} of shape {weight.shape} for {n_samples} samples: pass one weight a sample.")
    if not any_sign and np.any(weight < 0):
        raise ValueError(
            f"Got negative values in {name}, down to {weight.min()}: weights must be 0 or larger (partial_fit takes any)."
        )
    with np.errstate(over="ignore"):
        total = np.abs(weight).sum()
    if not any_sign and not total:
        raise ValueError(f"Got {name} that is all zero: at least one weight must be positive.")
    if 0 < total < np.finfo(np.float64).tiny:
        raise ValueError(
            f"Got {name} whose sum is {total:.1g}, too small to divide by: multiply all weights by one number, which "
            "changes nothing else."
        )
    if not np.isfinite(total):
        raise ValueError(f"Got {name} whose sum overflows: pass smaller weights.")
    return weight


class HoldOut(NamedTuple):
    """A split for early stopping, planned: which rows may be held out, and how many of them are."""

    rows: np.ndarray
    # The only sample of a class cannot be in both parts: it is trained on.
    alone: np.ndarray
    strata: np.ndarray | None
    size: int

    @classmethod
    def of(cls, n_samples, strata, fraction):
        """Plan a split of so many samples, or raise if they are too few."""
        if not fraction:
            raise ValueError(
                "Got validation_fraction=0 with early_stopping=True: pass a fraction above 0, or X_val and y_val."
            )
        rows = np.arange(n_samples)
        alone = rows[:0]
        # Two numbers at least, since R^2 is not defined for one.
        n_strata, least = 1, 2
        if strata is not None:
            _, position, counts = np.unique(strata, return_inverse=True, return_counts=True)
            lonely = counts[position] == 1
            alone, rows, strata = rows[lonely], rows[~lonely], strata[~lonely]
            n_strata = least = int(np.count_nonzero(counts > 1))
        size = max(math.ceil(fraction * n_samples), least)
        if len(rows) - size < n_strata and len(rows) - least >= max(n_strata, 1):
            raise ValueError(
                f"Got validation_fraction={fraction}, which holds out {size} of {n_samples} samples and leaves "
                f"{len(rows) - size} to train on, where {n_strata} or more are needed: lower validation_fraction, or pass "
                "X_val and y_val."
            )
        if len(rows) - size < n_strata:
            raise ValueError(
                f"Got n_samples={n_samples}, too few for early_stopping=True with validation_fraction={fraction}: The "
                "validation set is too small; pass more samples, or X_val and y_val."
            )
        return cls(rows, alone, strata, size)

    @property
    def n_rows(self):
        """Number of rows to train on."""
        return len(self.rows) + len(self.alone) - self.size

    def draw(self, random_state):
        """Return the rows to train on and those held out."""
        trained_on, held_out = train_test_split(
            self.rows, test_size=self.size, stratify=self.strata, random_state=random_state
        )
        return np.concatenate([trained_on, self.alone]), held_out
