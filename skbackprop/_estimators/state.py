"""What is kept of training: the fitted attributes, once they are whole, and all that training needs in order to go on."""

import copy
import math
from zlib import crc32

import numpy as np

from .callback_bridge import running_callbacks


def draft_of(estimator):
    """Return a copy of an estimator to fit in its place, so that an error leaves the estimator as it was."""
    draft = object.__new__(type(estimator))
    draft.__dict__.update(estimator.__dict__)
    return draft


def become(estimator, draft, bridge):
    """Give an estimator the attributes of its fitted draft, and tell the bridge, if there is one, of the end of the fit."""
    fitted = {**draft.__dict__, **running_callbacks(estimator)}
    estimator.__dict__.clear()
    estimator.__dict__.update(fitted)
    if bridge is not None:
        bridge.end()
    return estimator


class StateMixin:
    """Sets the attributes that a fit leaves, and saves and restores the state that it stopped in."""

    def _publish(self, network, resume):
        """Set the attributes that prediction needs, as views on the network's parameters."""
        self._published = network if self._scaling is None and self._target_scaling is None else network.twin()
        self.coefs_, self.intercepts_ = self._published.coefs, self._published.intercepts
        self.n_layers_, self.n_outputs_ = len(network.layer_sizes), network.layer_sizes[-1]
        self.out_activation_ = self._loss.output_activation
        for name, first in (("t_", 0), ("loss_curve_", []), ("validation_scores_", None)):
            if not resume or not hasattr(self, name):
                setattr(self, name, first)

    def _note(self, run, batches):
        """Set the attributes that tell how training went."""
        self.n_iter_ = run.done + len(run.loss_curve)
        self.t_ += len(run.loss_curve) * batches.n_samples
        self.loss_curve_ = [*self.loss_curve_, *run.loss_curve]
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else math.inf
        if run.scores:
            self.validation_scores_ = [*(self.validation_scores_ or []), *run.scores]
        scored = self.validation_scores_ is not None
        self.best_validation_score_ = float(np.nanmax([-np.inf, *self.validation_scores_])) if scored else None
        # scikit-learn's name, which code in the wild reads.
        self._no_improvement_count = run.patience.count
        self.best_loss_ = None if run.early_stopping else min(self.loss_curve_, default=math.inf)

    def _saved_state(self):
        """Return a copy of the state that training stopped in, so that a failure leaves the original."""
        saved = getattr(self, "_training_state", None)
        return {} if saved is None else copy.deepcopy(saved)

    def _state_to_save(self, state, run, batches, theta, checksum):
        """Return all that training needs in order to go on exactly, as a dict of arrays, numbers and random states.

        The checksum is that of the published parameters: it tells whether the user has changed them since.
        """
        patience = run.patience
        # A run that ended on a plateau starts with fresh patience, should the user want to go on all the same.
        count = 0 if run.reason == "plateau" else patience.count
        state["patience"] = {**patience.memory, "count": count}
        state["rows"], state["n_samples"] = batches.order, len(batches.Y)
        state["theta"], state["checksum"], state["reason"] = theta, checksum, run.reason
        return state

    def _snapshot(self, run, network, batches, state):
        """Return the attributes of the estimator as it is after an epoch, sharing no array that training goes on to change.

        Training can go on from them exactly: they hold the whole state.
        """
        self._fold(network)
        checksum, view = crc32(self._published.theta), copy.copy(self)
        view._note(run, batches)
        view.coefs_, view.intercepts_ = copy.deepcopy((self.coefs_, self.intercepts_))
        view._training_state = copy.deepcopy(self._state_to_save(dict(state), run, batches, network.theta, checksum))
        attributes = dict(vars(view))
        del attributes["_published"]
        return attributes
