"""The parts of a run that one call of `partial_fit` leaves for the next: to make them takes many times what a step does."""

import copy
import inspect
from functools import cache
from operator import attrgetter, is_

import numpy as np

from .parameters import own_classes

# Parameters that no part is made from: they are read anew at each call.
READ_ANEW = {"class_weight", "max_time", "random_state", "scoring", "verbose"}
# What changes only by another taking its place.
PLAIN = (str, int, float, np.number, np.bool_, type(None))
# Nothing larger is kept: a step of a large network takes longer than all else, and its buffers take room.
KEPT_BYTES = 4 * 2**20
# So many shuffles, of so many rows each, are noted instead of what they make of a random state: a copy of that is dear.
MOST_SHUFFLES = 64
MOST_SHUFFLED = 1000


@cache
def _parameters_of(kind):
    """Return a function that returns the parameters of an estimator of this kind: those that this package knows."""
    names = {name for own in own_classes(kind) for name in inspect.signature(own).parameters}
    return attrgetter(*sorted(names - READ_ANEW))


def _settings_of(estimator, problem):
    """Return what parts are made from: parameters, what is in those that are lists, and what there is to learn."""
    values = _parameters_of(type(estimator))(estimator)
    if list in map(type, values):
        for value in values:
            if type(value) is list:
                values += (len(value), *value)
    loss = problem.loss
    return (*values, type(loss), loss.output_activation, loss.normalized, *problem[3:])


def _is_plain(value):
    """Return whether a value, or each in a list, changes only by another taking its place."""
    if isinstance(value, list | tuple):
        return all(isinstance(part, PLAIN) for part in value)
    return isinstance(value, (*PLAIN, type))


class Parts:
    """What depends on nothing but the parameters, and a source of random numbers.

    They belong to the state that a run left, which neither copies nor pickles with them: the run that goes on from there
    takes them, so that no other finds them, and leaves them in the state that it ends in. If it fails, they are lost.

    Parameters
    ----------
    training : Training
        A run of `partial_fit` that has ended.
    settings : tuple
        What its parts were made from.
    """

    def __init__(self, training, settings):
        self.settings, self.scaling = settings, training.estimator._scaling
        self.recipe, self.network, self.objective = training.recipe, training.network, training.objective
        # A random state that goes on from that of the state, made when it is first needed, and what it goes on from.
        self.source, self._source_of = None, (None, None)

    @classmethod
    def taken_from(cls, estimator, problem):
        """Take and return the parts in an estimator's state, or return None if there are none for these samples."""
        # In one step, for another thread may want them, too.
        parts = vars(estimator._training_state).pop("parts", None)
        return parts if parts is not None and parts._suit(estimator, problem) else None

    def _suit(self, estimator, problem):
        """Return whether they are what would be made now."""
        X, _, Y, _ = problem.samples
        sizes, settings = self.network.layer_sizes, _settings_of(estimator, problem)
        return (
            type(X) is np.ndarray
            and X.dtype == self.network.theta.dtype
            and (X.shape[1], Y.shape[1]) == (sizes[0], sizes[-1])
            and estimator._scaling is self.scaling
            and len(settings) == len(self.settings)
            and all(map(is_, settings, self.settings))
        )

    def hold_arrays_of(self, estimator):
        """Return whether an estimator's weights are in the arrays that were published last, whatever is in these now."""
        found = (*estimator.coefs_, *estimator.intercepts_)
        return self.network.fit_intercept and len(found) == len(self.views) and all(map(is_, found, self.views))

    def hold_weights_of(self, estimator, state):
        """Return whether an estimator's weights are those that were published last, not set by the user since."""
        return self.hold_arrays_of(estimator) and state.published(self.published)

    def source_for(self, state):
        """Return a random state that goes on from that of a state."""
        if self.source is None or self._source_of[0] is not state.random_state or self._source_of[1] is not state.shuffled:
            self.source = state.source(self.source)
        return self.source

    def leave(self, training, state):
        """Leave these, which a run has used, in the state that it ends in."""
        self.published = training.published.theta
        self.views = (*training.published.coefs, *training.published.intercepts)
        state.theta = state.theta.copy()
        if self.source is not None:
            before, n_rows = training.state, training.batches.n_samples if training.batches.shuffle else 0
            if len(before.shuffled) < MOST_SHUFFLES and n_rows <= MOST_SHUFFLED:
                state.random_state, state.shuffled = before.random_state, before.shuffled + (n_rows,) * (n_rows > 0)
            else:
                state.random_state = copy.deepcopy(self.source)
        self._source_of = state.random_state, state.shuffled
        state.parts = self


def type_of_parts(estimator):
    """Return the type of an estimator's weights, if they are in the arrays that the last call left; else None."""
    parts = getattr(vars(estimator).get("_training_state"), "parts", None)
    return parts.published.dtype if parts is not None and parts.hold_arrays_of(estimator) else None


def leave_parts(training, state):
    """Leave the parts of a run of `partial_fit` in the state that it ends in, if the next can know them again."""
    parts = training.parts
    if parts is None:
        settings = _settings_of(training.estimator, training.problem)
        rows, units = training.batches.batch_size, sum(training.network.layer_sizes)
        size = max(training.network.theta.nbytes, rows * units * training.network.theta.itemsize)
        dense = type(training.problem.samples.X) is np.ndarray
        if not dense or training.estimator.dropout or size > KEPT_BYTES or not all(map(_is_plain, settings)):
            return
        parts = Parts(training, settings)
    parts.leave(training, state)
