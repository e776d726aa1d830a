"""Targets that are numbers: their loss and their scaling, for those who predict them and those who reconstruct them."""

import numpy as np

from .._engine.descent import base_rate_loss
from ..losses import REGRESSION_LOSSES
from .scaling import TargetScaling


class NumericTargetsMixin:
    """Gives an estimator a loss of numbers, with scaled targets if it wants them, whose noise the penalty goes by."""

    def _wants_scaled_targets(self):
        """Return whether to train on scaled targets."""
        raise NotImplementedError

    def _make_loss(self):
        return self._part(REGRESSION_LOSSES, self.loss)

    def _strata(self, samples):
        return None

    def _precision(self, batches):
        # Times the noise: see `Objective.follow_noise`.
        return 2.0

    def _base_rate(self, batches, state):
        if not self._has_prior():
            return None
        # The first samples set it, as they set the scales; if these say nothing, the penalty stays as it is.
        if "base_rate" not in state:
            weight = None if batches.sample_weight is None else np.abs(batches.sample_weight)
            says_something = weight is None or weight.any()
            state["base_rate"] = base_rate_loss(self._loss, batches.Y, weight) if says_something else 0.0
        return state["base_rate"]

    def _make_target_scaling(self, samples):
        if self._wants_scaled_targets():
            return TargetScaling.of(self._loss, samples.Y, samples.sample_weight, self.fit_intercept)
        return None

    def _wants_positive_targets(self):
        """Return whether the loss, were it valid, would refuse negative targets."""
        loss = REGRESSION_LOSSES.get(self.loss) if isinstance(self.loss, str) else self.loss
        return getattr(loss, "least_target", -np.inf) >= 0

    def _refuse_another_link(self):
        """Raise where training would go on with a loss that reads the raw scores in another way."""
        link = self._make_loss().output_activation
        # (Weights that were set by hand come without a link.)
        if link != getattr(self, "out_activation_", link):
            raise ValueError(
                f"Got loss={self.loss!r}, whose output activation is {link!r}, where an earlier call had "
                f"{self.out_activation_!r}: pass a loss with that one, or fit anew with warm_start=False."
            )

    def _refuse_targets(self, Y, loss):
        """Raise for targets that the loss is not made for."""
        least = Y.min()
        if least < loss.least_target or (least == loss.least_target and not loss.least_included):
            bound = f"{'at least' if loss.least_included else 'larger than'} {loss.least_target:g}"
            raise ValueError(
                f"Got targets down to {least:g} with loss={self.loss!r}, whose targets must be {bound}: leave those rows "
                "out, or use another loss, such as 'squared_error'."
            )
