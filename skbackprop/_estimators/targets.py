"""Targets that are numbers: what their loss refuses, for those who predict them and those who reconstruct them."""

import numpy as np

from ..losses import REGRESSION_LOSSES, RegressionLoss
from .parameters import make_part
from .words import first_word, shown


def loss_of(estimator):
    """Return the loss of numbers."""
    return make_part(REGRESSION_LOSSES, estimator.loss, RegressionLoss, estimator)


def wants_positive_targets(estimator):
    """Return whether the loss, were it valid, would refuse negative targets."""
    known = not isinstance(estimator.loss, str) or estimator.loss in REGRESSION_LOSSES
    return known and loss_of(estimator).least_target >= 0


def refuse_another_link(estimator, loss):
    """Raise where training would go on with a loss that reads the raw scores in another way."""
    link = loss.output_activation
    # (Weights that were set by hand come without a link.)
    if link != getattr(estimator, "out_activation_", link):
        raise ValueError(
            f"Got loss={estimator.loss!r}, whose output activation is {link!r}, where an earlier call had "
            f"{estimator.out_activation_!r}: pass a loss with that one, or fit anew with warm_start=False."
        )


def refuse_words(y):
    """Raise for targets some of which are text."""
    word = first_word(np.asarray(y, dtype=object).ravel())
    if word is not None:
        raise ValueError(f"Got text in y, such as {shown(word)}: pass numbers, or use a classifier if these are classes.")


def refuse_targets(Y, loss, name):
    """Raise for targets that the loss, called so by the user, is not made for."""
    # Most losses take any target.
    least = Y.min() if loss.least_target > -np.inf else np.inf
    if least < loss.least_target or (least == loss.least_target and not loss.least_included):
        bound = f"{'at least' if loss.least_included else 'larger than'} {loss.least_target:g}"
        raise ValueError(
            f"Got targets down to {least:g} with loss={name!r}, whose targets must be {bound}: leave those rows "
            "out, or use another loss, such as 'squared_error'."
        )
