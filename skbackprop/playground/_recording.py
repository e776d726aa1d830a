"""A fit as a film: the very run that `fit` does, with the weights noted after each epoch."""

import copy
import warnings
from dataclasses import dataclass

import numpy as np
import sklearn.neural_network
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from .._engine.objective import QUIET
from .._estimators.classifier import SigmoidBackpropClassifier
from .._estimators.regressor import SigmoidBackpropRegressor
from .._estimators.training import Training
from ..neural_network import MLPClassifier, MLPRegressor

# So often is what the optimizer remembers noted, at most: from there the browser goes on by itself.
MOST_MEMORIES = 32
# scikit-learn's networks, and ours by the same rules.
TWINS = {
    sklearn.neural_network.MLPClassifier: MLPClassifier,
    sklearn.neural_network.MLPRegressor: MLPRegressor,
}


@dataclass
class Recording:
    """A finished run, and what it was made of."""

    estimator: object
    # The run, as it was prepared, and the samples as the user passed them, in numbers.
    training: Training
    samples: object
    # Rows of these samples that are trained on, in the order at the start, and those that are held out.
    rows: np.ndarray
    held_out: np.ndarray
    # Where the shuffle of the first epoch starts from: the state of numpy's Mersenne Twister, or None.
    shuffler: tuple | None
    # After each epoch, beginning with the initial weights: the latest weights, and those that `fit` keeps.
    latest: list
    kept: list
    # What the optimizer remembered, by epoch, and the learning rate that each epoch began with.
    memories: dict
    rates: list

    @property
    def kept_epoch(self):
        """The epoch whose weights the fit ended with."""
        scores = self.estimator.validation_scores_
        if not (self.estimator.early_stopping and scores):
            return len(self.latest) - 1
        best = np.flatnonzero(np.asarray(scores) == np.nanmax(scores))
        return int(best[-1 if self.training.recipe.latest else 0]) + 1

    def fitted_at(self, epoch):
        """Return the estimator as `fit` would leave it if it kept the weights of an epoch."""
        training, final = self.training, self.training.kept
        with np.errstate(**QUIET):
            training.kept = self.kept[epoch]
            training.fold()
            fitted = copy.deepcopy(self.estimator)
            training.kept = final
            training.fold()
        return fitted


class Recorder:
    """Stands where scikit-learn's callbacks are told of epochs, and notes the weights.

    Parameters
    ----------
    training : Training
    """

    def __init__(self, training):
        self.training = training
        self.latest, self.kept, self.memories, self.rates = [], [], {}, []
        self._every = 1
        self._note()

    def begin_epoch(self):
        """Wait for its end."""

    def end_epoch(self, last, snapshot):
        """Note the weights; training goes on."""
        self._note()
        return False

    def _note(self):
        training, epoch = self.training, len(self.latest)
        self.latest.append(training.network.theta.copy())
        self.kept.append(training.kept.copy() if training.recipe.averages else self.latest[-1])
        # That the next epoch begins with; a schedule may go on from it.
        self.rates.append(training.state.descent.learning_rate if epoch else training.recipe.step.learning_rate_init)
        if epoch and epoch % self._every == 0:
            self.memories[epoch] = copy.deepcopy(training.state.descent.memory)
            if len(self.memories) > MOST_MEMORIES:
                self._every *= 2
                self.memories = {epoch: memory for epoch, memory in self.memories.items() if epoch % self._every == 0}


def record(estimator, X, y, epochs=None, check=None):
    """Train a clone of an estimator and return the `Recording`; `check` may raise of the `Training` before it is run."""
    draft = _draft(estimator)
    if epochs is not None:
        draft.set_params(max_iter=epochs)
    draft._validate_params()
    problem = draft._encode(X.toarray() if issparse(X) else X, y, None, resume=False, incremental=False)
    samples = problem.samples
    training = Training(draft, problem)
    if check is not None:
        check(training)
    rows, held_out = _rows_of(training, samples)
    shuffler = _shuffler(training)
    recorder = Recorder(training)
    with warnings.catch_warnings():
        # The page shows how far training came.
        warnings.simplefilter("ignore", ConvergenceWarning)
        training.run(recorder)
    films = recorder.latest, recorder.kept, recorder.memories, recorder.rates
    return Recording(draft, training, samples, rows, held_out, shuffler, *films)


def _draft(estimator):
    """Return an unfitted clone, that of scikit-learn's own networks being our class by their rules."""
    twin = TWINS.get(type(estimator))
    if twin is not None:
        return twin(**clone(estimator).get_params(deep=False))
    if not isinstance(estimator, SigmoidBackpropClassifier | SigmoidBackpropRegressor):
        what = f"the class {estimator.__name__}" if isinstance(estimator, type) else type(estimator).__name__
        raise TypeError(
            f"Got {what} as the estimator: pass a classifier or regressor of this package, or scikit-learn's MLPClassifier "
            "or MLPRegressor; for a pipeline, pass its last step, with the inputs that reach it."
        )
    if estimator.early_stopping == "cv":
        raise ValueError(
            'Got early_stopping="cv", which trains several networks at once, and the film is of one: pass True or False.'
        )
    return clone(estimator)


def _rows_of(training, samples):
    """Return which of the user's samples are trained on, in the order at the start, and which are held out."""
    trained, state = training.problem.samples, training.state
    if state.held_out is not None:
        return np.array(state.rows), np.array(state.held_out)
    if len(trained.X) == len(samples.X) and np.array_equal(trained.X, samples.X):
        return np.arange(len(samples.X)), np.arange(0)
    # Each sample once, in an order of its own.
    first = {}
    for row in reversed(range(len(samples.X))):
        first[_key(samples, row)] = row
    return np.array([first[_key(trained, row)] for row in range(len(trained.X))]), np.arange(0)


def _key(samples, row):
    """Return a sample as something that equal ones share."""
    return samples.X[row].tobytes(), np.asarray(samples.y[row]).tobytes()


def _shuffler(training):
    """Return the state that the first shuffle starts from; None where there is none, or of another kind of generator."""
    if not training.batches.shuffle:
        return None
    state = training.batches.random_state.get_state(legacy=False)
    return state["state"] if state["bit_generator"] == "MT19937" else None
