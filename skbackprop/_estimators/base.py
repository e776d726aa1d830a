"""What every estimator shares: fit and partial_fit of a draft, raw scores, losses of samples."""

from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from .._engine.objective import sample_losses
from ..losses import Loss
from . import by_hand
from .annotations import Auto, Parameters, Scoring
from .by_hand import Derived
from .callback_bridge import CallbackBridge, CallbackSupportMixin, epochs_a_task
from .folds import FoldedTraining, refuse_with_folds
from .parameters import CheckedParameters
from .prediction import by_engine, raw_scores
from .samples import FLOATS, is_plain, validated
from .scaling import Scaling, TargetScaling
from .scoring import refuse_weights_with, scorer_of
from .state import TrainingState, become, draft_of
from .training import Training
from .versions import Versioned

# What takes several arrays of the size of the predictions is computed for so many samples at a time.
ROWS_AT_A_TIME = 1024


class BaseBackprop(Parameters, CallbackSupportMixin, CheckedParameters, Versioned, BaseEstimator, metaclass=ABCMeta):
    """Base of all estimators; children encode targets and name a loss.

    What stands here is what a child without such a parameter has: `noise`, the standard deviation of noise on the inputs of
    training; `tied`, whether the decoder's weights are the encoder's; `_accept_sparse`, what it takes besides dense inputs.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (fan_in, fan_out)
        Weights of each layer.
    intercepts_ : list of ndarray of shape (fan_out,)
        Biases of each layer.
    loss_ : float
        Loss of the last epoch, penalty included: the very loss that is descended, in nats a sample if it is a likelihood's.
    loss_curve_ : list of float
        Loss of each epoch, or iteration, with every solver.
    best_loss_ : float or None
        Smallest value of `loss_curve_`; None with early stopping.
    validation_scores_ : list of float or None
        Score of the validation samples after each epoch, larger being better (for "loss" its negative); None without any.
    best_validation_score_ : float or None
        Largest of them.
    n_iter_ : int
        Epochs, or iterations, of the last call.
    t_ : int
        Training samples seen so far.
    n_layers_ : int
        Number of layers, inputs and outputs counted.
    n_outputs_ : int
        Number of output units (one for two classes).
    out_activation_ : str
        Link from raw scores to predictions.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if they have any.
    """

    warm_start: bool
    standardize: bool | Auto
    scoring: Scoring
    noise: float = 0.0
    tied: bool = False
    _accept_sparse = "csr"

    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    loss_: float
    loss_curve_: list[float]
    best_loss_: float | None
    validation_scores_: list[float] | None
    best_validation_score_: float | None
    n_iter_: int
    t_: int
    n_layers_: int
    n_outputs_: int
    out_activation_: str
    n_features_in_: int
    feature_names_in_: np.ndarray

    # What training sets, besides the attributes that end in an underscore: the scalings that are folded into the weights,
    # the parts that predict, and what training can go on from, if it is kept.
    _scaling: Scaling | None
    _target_scaling: TargetScaling | None = Derived(lambda estimator: None)
    _activations: tuple = Derived(by_hand.activations)
    _loss: Loss
    _training_state: TrainingState | None

    @abstractmethod
    def _encode(self, X, y, sample_weight, *, resume, incremental):
        """Return a `Problem` of validated samples, having set what the targets define unless `resume`."""

    @abstractmethod
    def _encode_validation(self, X, y, sample_weight, dtype):
        """Return `Samples` of the kind that the training samples defined, with inputs of their dtype."""

    def __setattr__(self, name, value):
        """Set an attribute; of other weights than those of training nothing is taken for granted any more."""
        if name in {"coefs_", "intercepts_"}:
            value = by_hand.as_arrays(value)
            vars(self).pop("_activations", None)
        super().__setattr__(name, value)

    def _fit(self, X, y, sample_weight, validation, incremental=False, **labels):
        """Fit a draft, so that an error leaves the estimator as it was, and then become the draft."""
        in_folds = self.early_stopping == "cv"
        if in_folds:
            refuse_with_folds(self, validation)
        draft = draft_of(self)
        state = getattr(self, "_training_state", None)
        goes_on = incremental or self.warm_start or (state is not None and state.unfinished)
        resume = hasattr(self, "coefs_") and goes_on and not in_folds
        problem = draft._encode(X, y, sample_weight, resume=resume, incremental=incremental, **labels)
        names = ("X_val", "y_val", "sample_weight_val")
        given = [name for name, part in zip(names, validation, strict=True) if part is not None]
        if given and not {"X_val", "y_val"}.issubset(given):
            found = " and ".join(given)
            raise ValueError(f"Got {found} alone: validation needs both X_val and y_val; pass both, or neither.")
        held_out = draft._encode_validation(*validation, problem.samples.X.dtype) if given else None
        held_out_weight = validation[2] if given else sample_weight if self.early_stopping and not incremental else None
        if held_out_weight is not None and (scorer := scorer_of(draft)):
            refuse_weights_with(self.scoring, scorer)
        if in_folds:
            training, tasks = FoldedTraining(draft, problem), (self.n_folds,)
        else:
            training = Training(draft, problem, held_out, resume=resume, incremental=incremental)
            tasks = self.max_iter, epochs_a_task(self.max_iter)
        bridge = None if incremental else CallbackBridge.of(self, X, y, sample_weight, *tasks)
        training.run(bridge)
        become(self, draft, bridge)
        if training.broken_by is not None:
            raise training.broken_by
        return self

    def _raw_scores(self, X):
        """Return the raw scores for `X`, of shape (n_samples, n_outputs), having validated `X`."""
        if (Z := by_engine(self, X)) is not None:
            return Z
        X = checked_inputs(self, X)
        if (Z := by_engine(self, X, validated=True)) is not None:
            return Z
        try:
            return raw_scores(self.coefs_, self.intercepts_, self._activations, X)
        except by_hand.ERRORS:
            by_hand.refuse_weights(self)
            raise

    def __sklearn_tags__(self):
        """Sparse input is welcome to most."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = bool(self._accept_sparse)
        return tags


def checked_inputs(estimator, X):
    """Return inputs to predict for as an array or CSR of floats, or raise."""
    if "_activations" not in vars(estimator) or not is_plain(X, vars(estimator), reset=False):
        check_is_fitted(estimator, "_activations")
        X = validated(estimator, X, accept_sparse=estimator._accept_sparse, dtype=FLOATS, reset=False)
        by_hand.refuse_width(estimator, X)
    return X


def losses_of(estimator, X, Y):
    """Return the loss of each sample of validated data under a fitted estimator, in the units of the training loss."""
    Z = raw_scores(estimator.coefs_, estimator.intercepts_, estimator._activations, X)
    scaling = estimator._target_scaling
    losses = np.empty(len(Z), Z.dtype)
    for rows in gen_batches(len(Z), ROWS_AT_A_TIME):
        targets, scores = Y[rows], Z[rows]
        if scaling is not None:
            targets, scores = scaling.apply(targets), (scores - scaling.score_shift) / scaling.score_scale
        losses[rows] = sample_losses(estimator._loss, targets, scores)
    return losses
