"""Samples in numbers, their weights, and the part of them that early stopping holds out."""

import math
import numbers
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ..losses import Loss
from .words import first_word, listed, shown

FLOATS = (np.float64, np.float32)


class Samples(NamedTuple):
    """Samples as a child hands them to the base: in numbers."""

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
    """Return inputs, and `y` if there is any, as scikit-learn's `validate_data` does; columns of text are named."""
    try:
        return validate_data(estimator, X, y, **how)
    except ValueError as error:
        table = np.asarray(X, dtype=object) if "could not convert" in str(error) and not issparse(X) else np.empty(0)
        words = [first_word(column) for column in table.T] if table.ndim == 2 else []
        found = [position for position, word in enumerate(words) if word is not None]
        if not found:
            raise
        names = getattr(X, "columns", range(len(words)))
        where = f"column{'s' if len(found) > 1 else ''} {listed(names[position] for position in found)}"
        raise ValueError(
            f"Got text in the {where} of X, such as {shown(words[found[0]])}: pass numbers, which "
            "sklearn.preprocessing.OneHotEncoder makes of categories, or use skbackprop.tabular_network."
        ) from error


def checked_weights(sample_weight, X, any_sign):
    """Return sample weights, if any, as an array of shape (n_samples,) and of the dtype of `X`, or raise.

    Negative and all-zero weights are for `partial_fit` alone: `any_sign`.
    """
    n_samples = X.shape[0]
    if sample_weight is None:
        return None
    if isinstance(sample_weight, numbers.Number):
        sample_weight = np.full(n_samples, sample_weight)
    weight = check_array(sample_weight, ensure_2d=False, dtype=X.dtype, input_name="sample_weight")
    if weight.shape != (n_samples,):
        raise ValueError(f"Got sample_weight of shape {weight.shape} for {n_samples} samples: pass one weight a sample.")
    if not any_sign and np.any(weight < 0):
        raise ValueError(
            f"Got negative values in sample_weight, down to {weight.min()}: weights must be 0 or larger (partial_fit takes "
            "any)."
        )
    if not any_sign and not np.any(weight):
        raise ValueError("Got sample_weight that is all zero: at least one weight must be positive.")
    with np.errstate(over="ignore"):
        if not np.isfinite(np.abs(weight).sum()):
            raise ValueError(f"Got sample_weight whose sum overflows in {X.dtype}, the type of X: pass smaller weights.")
    return weight


class HoldOut(NamedTuple):
    """A split for early stopping, planned: which rows may be held out, and how many of them are."""

    rows: np.ndarray
    # The only sample of a class cannot be in both parts: it is trained on.
    alone: np.ndarray
    strata: np.ndarray | None
    size: int

    @classmethod
    def of(cls, problem, fraction):
        """Plan a split, or raise if there are too few samples."""
        if not fraction:
            raise ValueError(
                "Got validation_fraction=0 with early_stopping=True: pass a fraction above 0, or X_val and y_val."
            )
        n_samples, strata = problem.samples.X.shape[0], problem.strata
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
