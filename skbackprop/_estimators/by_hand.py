"""What prediction needs of an estimator whose weights were set by hand, derived from its public attributes."""

from itertools import pairwise

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .parameters import activations_of


class Derived:
    """An attribute that `fit` sets; as long as it has not, each access derives it anew.

    Parameters
    ----------
    derive : callable
        Takes the estimator, returns the value.
    """

    def __init__(self, derive):
        self.derive = derive

    def __get__(self, estimator, owner=None):
        return self if estimator is None else self.derive(estimator)


def activations(estimator):
    """Return the activations of the hidden layers, having checked that the weights make a network."""
    check_is_fitted(estimator, ["coefs_", "intercepts_", "out_activation_"])
    coefs, intercepts = ([np.shape(part) for part in parts] for parts in (estimator.coefs_, estimator.intercepts_))
    are_matrices = len(coefs) > 0 and all(len(shape) == 2 for shape in coefs)
    if (
        not are_matrices
        or any(below[1] != above[0] for below, above in pairwise(coefs))
        or intercepts != [(shape[1],) for shape in coefs]
    ):
        raise ValueError(
            f"Got coefs_ of shapes {coefs} and intercepts_ of shapes {intercepts}: set a list of arrays of shapes (fan_in, "
            "fan_out), each fan_out being the next one's fan_in, and one of arrays of shapes (fan_out,)."
        )
    return activations_of(estimator, len(coefs) - 1)


def kind_of_labels(estimator):
    """Return the classes, and their kind in scikit-learn's words, by what its classifier makes of the same attributes."""
    check_is_fitted(estimator, ["coefs_", "classes_", "out_activation_"])
    classes, n_outputs = np.asarray(estimator.classes_), np.shape(estimator.coefs_[-1])[1]
    if len(classes) != max(n_outputs, 2):
        raise ValueError(
            f"Got {len(classes)} classes_ with coefs_ of {n_outputs} output units: set one class for each unit, or two for "
            "one unit."
        )
    if n_outputs == 1:
        return classes, "binary"
    return classes, "multiclass" if estimator.out_activation_ == "softmax" else "multilabel-indicator"


def with_link(loss, estimator):
    """Return a loss, or raise unless it has the output activation that was set."""
    check_is_fitted(estimator, ["coefs_", "out_activation_"])
    if estimator.out_activation_ != loss.output_activation:
        raise ValueError(
            f"Got out_activation_={estimator.out_activation_!r} with loss={estimator.loss!r}, whose output activation is "
            f"{loss.output_activation!r}: set that, or pass a loss with the other one."
        )
    return loss
