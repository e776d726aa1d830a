"""What is kept of training: the fitted attributes, once they are whole, and all that training needs in order to go on."""

import copy
import numbers
from collections.abc import Callable
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
from sklearn.utils import check_random_state

from .._engine.descent import DescentState
from .._engine.patience import Patience
from .callback_bridge import running_callbacks
from .parts import PLAIN, Parts

# To copy so few bytes takes a fraction of the time of their checksum.
COPIED_BYTES = 65_536
# What the random states that scikit-learn makes of a seed call themselves.
SEEDED = "RandomState(MT19937)"


def draft_of(original):
    """Return a shallow copy, such as of an estimator to fit in its place, so that an error leaves that as it was."""
    draft = object.__new__(type(original))
    draft.__dict__.update(original.__dict__)
    return draft


def become(estimator, draft, bridge):
    """Give an estimator the attributes of its fitted draft, and tell the bridge, if there is one, of the end of the fit.

    It is done in one step, so that an interrupt, or another thread, finds either the earlier fit or this one.
    """
    estimator.__dict__ = {**draft.__dict__, **running_callbacks(estimator)}
    if bridge is not None:
        bridge.end()
    return estimator


@dataclass
class TrainingState:
    """All that training needs in order to go on exactly; the estimator keeps it where it may have to."""

    # Source of initial weights, of the split for early stopping and of the order of samples; see `shuffled`. In a state
    # that is kept it may be a seed.
    random_state: np.random.RandomState | int
    # Source of what is drawn at each step: dropout and noise on the inputs; made when it is first needed.
    generator: np.random.Generator | None = None
    # Number of samples of the last call, the rows trained on in the order of the last epoch, and those held out.
    n_samples: int | None = None
    rows: np.ndarray | None = None
    held_out: np.ndarray | None = None
    # The latest parameters, as training has them, and what tells whether the user has changed those published since.
    theta: np.ndarray | None = None
    checksum: int | bytes | None = None
    # Where the gradient loop stopped.
    descent: DescentState = field(default_factory=DescentState)
    # What early stopping has seen, and what that was judged by: another judge starts afresh.
    patience: Patience | None = None
    judged_by: str | None = None
    # Rows of the last call of `fit`, those held out apart, or of all calls of `partial_fit`.
    rows_seen: int = 0
    # Why the last run ended, and whether the next call of `fit` goes on with it, for it was interrupted.
    reason: str = "max_iter"
    unfinished: bool = False
    # Checksums of what the run is made of, by name, or a function that makes them; only in what a callback is shown.
    fingerprint: dict | Callable[[], dict] | None = None

    # Numbers of rows that have been shuffled since, one time after the other, by copies of `random_state`.
    shuffled: tuple = ()
    # What the next call of `partial_fit` may use again; not copied, nor pickled.
    parts: Parts | None = None

    @classmethod
    def of(cls, estimator, resume, parts=None):
        """Return a copy of the state that an estimator stopped in, so that a failure leaves the original, or a new one.

        With `parts`, which have a random state of their own, that of the copy is not to be drawn from.
        """
        saved = getattr(estimator, "_training_state", None)
        if resume and saved:
            return saved._copy(own_source=parts is None)
        # Weights that were set by hand have seen nothing.
        samples_seen = getattr(estimator, "t_", 0) if resume else 0
        return cls(check_random_state(estimator.random_state), descent=DescentState(samples_seen))

    def _copy(self, own_source):
        """Return a copy of what training changes in place; of the random state, which takes longest, if asked for."""
        state, descent = draft_of(self), draft_of(self.descent)
        if own_source:
            state.random_state, state.shuffled = self.source(), ()
        state.generator = _copied(self.generator)
        descent.memory = {
            name: value.copy() if type(value) is np.ndarray else _copied(value) for name, value in descent.memory.items()
        }
        descent.mean = _copied(descent.mean)
        state.descent = descent
        state.patience = None if self.patience is None else draft_of(self.patience)
        return state

    def __getstate__(self):
        """Return all but the parts, with the checksums made."""
        fingerprint = self.fingerprint() if callable(self.fingerprint) else self.fingerprint
        checksum = crc32(self.checksum) if isinstance(self.checksum, bytes) else self.checksum
        return {**vars(self), "parts": None, "fingerprint": fingerprint, "checksum": checksum}

    def source(self, other=None):
        """Return a random state that goes on from here; `other`, if it is of the same kind, which is faster than a copy."""
        source = other
        if isinstance(self.random_state, numbers.Integral):
            # To seed one takes a hundredth of the time that a new one does.
            source = other if str(other) == SEEDED else np.random.RandomState()
            source.seed(self.random_state)
        elif other is None or str(other) != str(self.random_state):
            source = copy.deepcopy(self.random_state)
        else:
            source.set_state(self.random_state.get_state(legacy=False))
        for n_rows in self.shuffled:
            source.shuffle(np.arange(n_rows))
        return source

    def steps_generator(self):
        """Return the source of what is drawn at each step."""
        if self.generator is None:
            self.generator = np.random.default_rng(self.random_state.randint(np.iinfo(np.int32).max))
        return self.generator

    def published(self, theta):
        """Return whether these are the parameters that were published."""
        return self.checksum == (crc32(theta) if isinstance(self.checksum, int) else theta.tobytes())

    def refuse_other_run(self, fingerprint):
        """Raise if the unfinished run that this state is of is to be gone on with on other data or parameters."""
        if self.fingerprint is None:
            return
        names = self.fingerprint.keys() | fingerprint.keys()
        others = sorted(name for name in names if self.fingerprint.get(name) != fingerprint.get(name))
        if others:
            raise ValueError(
                f"Got {' and '.join(others)} other than in the interrupted fit: pass the same, in the same order."
            )

    def match(self, n_samples, splits, in_order):
        """Forget the rows of an earlier run that do not fit this one: its samples, whether it splits them, their order."""
        if in_order or self.n_samples != n_samples or (self.held_out is not None and not splits):
            self.rows = self.held_out = None
        self.n_samples = n_samples

    def forget_scores(self):
        """Forget what was seen of other weights: their scores and their mean say nothing of those to come."""
        self.patience = self.descent.mean = None

    def forget_weights(self):
        """Forget all that was remembered of other weights, such as their momentum."""
        self.forget_scores()
        self.descent.memory = {}


def checksum_of(theta):
    """Return what tells parameters from others: their bytes or, of many, a checksum, which takes longer, but no room."""
    return theta.tobytes() if theta.nbytes <= COPIED_BYTES else crc32(theta)


def _copied(value):
    """Return a copy of a value; of arrays, numbers and None it takes no time."""
    if type(value) is np.ndarray:
        return value.copy()
    return value if isinstance(value, PLAIN) else copy.deepcopy(value)


def interrupted(estimator):
    """Return the state of an estimator from a checkpoint, whose next call of `fit` then goes on with the same run."""
    state = estimator._training_state
    state.unfinished = True
    return state
