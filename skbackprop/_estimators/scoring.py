"""Scores of validation samples, which early stopping watches: by scorers that are tried out before training."""

import copy
import inspect
import math
import numbers

import numpy as np
from sklearn.metrics import check_scoring

from .._engine.objective import QUIET
from .._engine.prediction import raw_scores
from .parameters import check_parameter
from .words import shown


def takes_weights(scorer):
    """Return whether a scorer can weight samples."""
    # scikit-learn's own hand weights on to a function, which may not take them.
    try:
        parameters = inspect.signature(getattr(scorer, "_score_func", scorer)).parameters.values()
    except ValueError:
        # Some functions in C do not tell.
        return False
    return any(parameter.name == "sample_weight" or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def refuse_weights_with(scoring, scorer):
    """Raise if a scorer cannot heed weights of the user's own of the samples that it scores."""
    if not takes_weights(scorer):
        raise ValueError(
            f"Got sample weights with scoring={shown(scoring)}, which does not take any: pass a scorer with a parameter "
            "sample_weight, as sklearn.metrics.make_scorer makes it of a metric that has one, or no weights."
        )


def scorer_of(estimator):
    """Return what early stopping watches; the loss, which is no scorer, as None."""
    check_parameter(estimator, "scoring")
    return None if estimator.scoring == "loss" else check_scoring(estimator, scoring=estimator.scoring)


class Score:
    """The score of the weights of a training on its validation samples; larger is better.

    Parameters
    ----------
    training : Training

    Raises
    ------
    ValueError
        At once, if the scorer does not return a number for these samples; later, if it no longer does.
    """

    def __init__(self, training):
        self.training = training
        self.samples = samples = training.held_out
        self.estimator = copy.copy(training.estimator)
        # The validated samples carry no column names, and the scorer should not warn about that.
        self.estimator.__dict__.pop("feature_names_in_", None)
        self.scorer = scorer_of(self.estimator)
        # Those of the classes alone may be left out.
        weighted = samples.sample_weight is not None and takes_weights(self.scorer)
        self.weights = {"sample_weight": samples.sample_weight} if weighted else {}
        self._try_out()

    def __call__(self):
        """Return the score of the current weights; NaN of weights on their way to infinity, which stop training soon."""
        self.training.fold()
        return self._score()

    def _try_out(self):
        """Raise unless the scorer has a number for the weights before training, or for the best constant prediction.

        What some scores refuse of random weights, such as predictions below zero, they may take of trained ones.
        """
        self.training.fold()
        try:
            self._refuse_nan(self._score())
        except ValueError:
            self.training.fold_base_rate()
            self._refuse_nan(self._score())

    def _score(self):
        try:
            score = self.scorer(self.estimator, self.samples.X, self.samples.y, **self.weights)
        except Warning:
            # The user wants it as an error.
            raise
        except Exception as error:
            if self._overflows():
                return math.nan
            words = " ".join(str(error).split()).rstrip(".")
            raise ValueError(self._refusal(f"raised {type(error).__name__} ({words})")) from error
        # Also of arrays of one number, and of other libraries' scalars.
        if getattr(score, "size", 1) == 1 and hasattr(score, "item"):
            score = score.item()
        if not isinstance(score, numbers.Real):
            raise ValueError(self._refusal(f"returned {shown(score)}"))
        return float(score)

    def _refuse_nan(self, score):
        if math.isnan(score) and not self._overflows():
            raise ValueError(self._refusal("returned nan"))

    def _overflows(self):
        """Return whether the predictions are not finite."""
        estimator = self.estimator
        with np.errstate(**QUIET):
            Z = raw_scores(estimator.coefs_, estimator.intercepts_, estimator._activations, self.samples.X)
            return not np.isfinite(self.training.problem.loss.predict(Z)).all()

    def _refusal(self, found):
        return (
            f"Got scoring={shown(self.estimator.scoring)}, which {found} for the validation samples of this "
            f"{type(self.estimator).__name__}: pass 'loss', the name of a score that is made for them, or a function of "
            "(estimator, X, y) that returns one real number."
        )
