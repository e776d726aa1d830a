"""The outlier detector: what autoencoders of normal samples cannot reconstruct."""

import math
import numbers
from typing import Any, TypeVar

import numpy as np
from joblib import Parallel, delayed
from scipy.special import softmax
from sklearn.base import BaseEstimator, OutlierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from .advice import AT_MAX_ITER, keeping_warnings, tell_kept
from .annotations import Activations, Auto, Data, Init, Parameters, RandomState, RegressionLoss, Schedule, Sizes, Solver
from .autoencoder import SigmoidBackpropAutoencoder
from .callback_bridge import CallbackBridge, CallbackSupportMixin, fit_part, with_callbacks
from .docstrings import share_documentation
from .parameters import CheckedParameters, constraints, store
from .recipe import batch_size_for, detector_initializer
from .samples import validated
from .scaling import Scaling
from .state import become, draft_of
from .versions import Versioned
from .words import Choices

# In standard deviations; farther out, one feature would decide alone.
CLIPPED_AT = 20.0
STEPS = 400
# Of two errors of a sample, by how much more the one that is a standard deviation larger weighs: the exponential of this.
PREFERENCE = 1.0
# In distances of the quartiles.
FENCE = 1.5

Fitted = TypeVar("Fitted", bound="SigmoidBackpropOutlierDetector")


@share_documentation
class SigmoidBackpropOutlierDetector(
    Parameters, OutlierMixin, CallbackSupportMixin, CheckedParameters, Versioned, BaseEstimator
):
    """Autoencoders that learn normal samples, and tell the others by how badly they reconstruct them.

    The features are standardised and clipped at 20 standard deviations. Each of a few wide denoising autoencoders (see
    `SigmoidBackpropAutoencoder`) is trained on half of the samples, and gives the logarithm of the reconstruction error,
    standardised over the other half. The score of a sample is the negative mean of these, in which a larger error weighs
    more: what counts of a training sample is how it is reconstructed by autoencoders that have not seen it, as of a new
    sample. The idea is that of replicator networks (Hawkins et al., 2002); here noise on the inputs takes the place of a
    bottleneck. Training is in float32.

    Parameters
    ----------
    {PARAMETERS}
    loss : {LOSSES} or RegressionLoss, default="squared_error"
        The reconstruction error, summed over the features; see `skbackprop.losses`.
    noise : float, default=0.1
        Standard deviation of the noise that the autoencoders learn to remove, in standard deviations of the features.
    n_estimators : int, default=6
        Number of autoencoders. Of an odd number each is trained on a little more than half of the samples, of one on all.
    contamination : "auto" or float, default=0.1
        Share of the training samples that `predict` calls outliers, in (0, 0.5]; of new normal samples it is a little
        more. With "auto" the threshold does not depend on a share: an outlier scores below the lower quartile of the
        training scores by more than 1.5 times the distance of the quartiles (Tukey, 1977); perhaps none does.

    Attributes
    ----------
    estimators_ : list of SigmoidBackpropAutoencoder
        The fitted autoencoders, of standardised and clipped samples.
    offset_ : float
        Score below which a sample is an outlier: `decision_function` is `score_samples` minus this.
    mean_ : ndarray of shape (n_features,)
        What standardising takes off each feature.
    scale_ : ndarray of shape (n_features,)
        What it divides by.
    error_mean_ : ndarray of shape (n_estimators,)
        What standardising takes off the logarithms of each autoencoder's errors.
    error_scale_ : ndarray of shape (n_estimators,)
        What it divides by.
    n_iter_ : int
        Epochs of the autoencoder that took most.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if they have any.

    See Also
    --------
    SigmoidBackpropAutoencoder : What it is made of.
    sklearn.ensemble.IsolationForest : A detector made of trees.

    Notes
    -----
    With `max_iter=None` training takes as many epochs as make 400 steps, however few or many samples there are. With
    `init="auto"` the units bend more sharply than those of other estimators: many that are nearly linear would reconstruct
    whatever they are given.

    `offset_` is computed from the scores of the training samples, as in scikit-learn's detectors, so exactly
    `contamination` of these are called outliers. Of new normal samples 6 to 18 % were with the default, and up to 10 % with
    "auto", on 26 data sets of 2 to 200 features and 100 to 1,000 training samples. For a closer bound take the threshold
    from `score_samples` of held-out normal samples. With one autoencoder, or fewer than two samples for each, no sample is
    left out, and far more new ones than training ones are called outliers.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.metrics import roc_auc_score
    >>> from skbackprop import SigmoidBackpropOutlierDetector
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> benign = X[y == 1]
    >>> detector = SigmoidBackpropOutlierDetector(hidden_layer_sizes=(50,), random_state=0).fit(benign[:200])
    >>> scores = detector.score_samples(X)
    >>> roc_auc_score(y, scores) > 0.9
    True
    """

    _parameter_constraints: dict = constraints(
        "warm_start",
        "standardize",
        "scoring",
        "n_folds",
        # Standardised samples are not positive, as the other losses want them.
        loss=[
            Choices(["squared_error", "absolute_error", "huber"]),
            HasMethods(["loss_gradient", "predict", "constant_scores", "location_scale"]),
        ],
        max_iter=[Interval(numbers.Integral, 1, None, closed="left"), None],
        noise=SigmoidBackpropAutoencoder._parameter_constraints["noise"],
        n_estimators=[Interval(numbers.Integral, 1, None, closed="left")],
        contamination=[Choices({"auto"}), Interval(numbers.Real, 0, 0.5, closed="right")],
    )

    loss: RegressionLoss
    noise: float
    n_estimators: int
    contamination: float | Auto
    n_jobs: int | None
    estimators_: list[SigmoidBackpropAutoencoder]
    offset_: float
    mean_: np.ndarray
    scale_: np.ndarray
    error_mean_: np.ndarray
    error_scale_: np.ndarray
    n_iter_: int
    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(self, hidden_layer_sizes: Sizes = (512,), activation: Activations = "logistic", *,
                 solver: Solver = "adam", alpha: float | Auto = 0.0001, batch_size: int | Auto | None = 256,
                 learning_rate: Schedule = "one_cycle", learning_rate_init: float = 0.003, power_t: float = 0.5,
                 max_iter: int | None = None, shuffle: bool = True, random_state: RandomState = None, tol: float = 1e-4,
                 verbose: bool | int = False, momentum: float = 0.9,
                 nesterovs_momentum: bool = True, early_stopping: bool = False, validation_fraction: float = 0.1,
                 beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: float = 20,
                 max_fun: int = 15000, loss: RegressionLoss = "squared_error", init: Init = "auto",
                 fit_intercept: bool = True, weight_decay: float = 0.0, dropout: float = 0.0,
                 clip_norm: float | Auto | None = "auto", max_time: float | None = None, noise: float = 0.1,
                 n_estimators: int = 6, contamination: float | Auto = 0.1, n_jobs: int | None = None) -> None:  # fmt: skip
        store(self, locals())

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Fitted, X: Data, y: Any = None) -> Fitted:
        """Learn what normal samples are like.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Mostly normal samples.
        y : None
            Ignored.

        Returns
        -------
        self : SigmoidBackpropOutlierDetector
            The fitted detector.

        Raises
        ------
        ValueError
            If the data or a combination of parameters cannot be trained on. The estimator is then as it was before.
        """
        draft = draft_of(self)
        # float64: an outlier may lie where float32 overflows.
        samples = validated(draft, X, dtype=np.float64)
        bridge = CallbackBridge.of(self, X, y, None, self.n_estimators)
        draft._train(samples, bridge)
        return become(self, draft, bridge)

    def _train(self, X, bridge):
        """Train the autoencoders and set the fitted attributes."""
        self.mean_, self.scale_, _ = Scaling.of(X, None, center=True, common=0.0)
        standardized = _clipped(X, self.mean_, self.scale_)
        random_state = check_random_state(self.random_state)
        seeds = random_state.randint(np.iinfo(np.int32).max, size=self.n_estimators)
        left_out = _left_out(len(X), self.n_estimators, random_state)
        fits = Parallel(n_jobs=self.n_jobs)(
            delayed(_fit_quietly)(
                SigmoidBackpropAutoencoder(**self._autoencoder_settings(np.count_nonzero(~out)), random_state=seed),
                standardized[~out].astype(np.float32),
                None if bridge is None else bridge.part("autoencoder"),
            )
            for seed, out in zip(seeds, left_out, strict=True)
        )
        self.estimators_, kept = map(list, zip(*fits, strict=True))
        if self.max_iter is None:
            # They have had the steps that they are meant to have.
            kept = [[warning for warning in one if not warning[0].startswith(AT_MAX_ITER)] for one in kept]
        tell_kept(kept, "autoencoders")
        self.n_iter_ = max(estimator.n_iter_ for estimator in self.estimators_)
        errors = self._log_errors(standardized)
        # Errors on samples that an autoencoder was trained on say nothing of new ones.
        known = [error[out] if out.any() else error for error, out in zip(errors, left_out, strict=True)]
        spread = np.array([error.std() for error in known])
        self.error_mean_ = np.array([error.mean() for error in known])
        self.error_scale_ = np.where(spread > 0, spread, 1.0)
        self.offset_ = _threshold(self._score(errors), self.contamination)

    def score_samples(self, X: Data) -> np.ndarray:
        """Return how normal each sample is: the negative weighted mean of the standardised logarithms of the errors.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            About 0 for the average of normal samples, in their standard deviations; smaller for outliers.
        """
        check_is_fitted(self)
        X = validated(self, X, dtype=np.float64, reset=False)
        return self._score(self._log_errors(_clipped(X, self.mean_, self.scale_)))

    def decision_function(self, X: Data) -> np.ndarray:
        """Return `score_samples` minus `offset_`: negative for outliers.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Negative for outliers, in the standard deviations of `score_samples`.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Data) -> np.ndarray:
        """Return +1 for normal samples and -1 for outliers.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        labels : ndarray of int of shape (n_samples,)
            +1 or -1.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def _autoencoder_settings(self, n_samples):
        """Return the parameters of the autoencoders, those that depend on the number of samples filled in."""
        # Those of this very class, for a child may have a constructor of its own.
        own = set(SigmoidBackpropOutlierDetector._get_param_names()) - {"random_state"}
        settings = {name: getattr(self, name) for name in own.intersection(SigmoidBackpropAutoencoder._get_param_names())}
        n_held_out = math.ceil(self.validation_fraction * n_samples) if self.early_stopping else 0
        n_rows = max(n_samples - n_held_out, 1)
        if isinstance(self.batch_size, numbers.Integral):
            settings["batch_size"] = min(self.batch_size, n_rows)
        if self.max_iter is None:
            settings["max_iter"] = math.ceil(STEPS / math.ceil(n_rows / batch_size_for(self, n_rows)))
        return {**settings, "standardize": False, "init": detector_initializer(self)}

    def _log_errors(self, standardized):
        """Return the logarithm of each autoencoder's error on each sample, of shape (n_estimators, n_samples)."""
        # float64 samples are scored in float64, whatever the weights are: a score must not depend on its company.
        errors = -np.array([estimator.score_samples(standardized) for estimator in self.estimators_])
        return np.log(np.maximum(errors, np.finfo(np.float32).tiny))

    def _score(self, errors):
        """Return the negative mean of the standardised errors, weighted by how large they are."""
        standardized = (errors.T - self.error_mean_) / self.error_scale_
        return -np.average(standardized, axis=1, weights=softmax(PREFERENCE * standardized, axis=1))


def _left_out(n_samples, n_estimators, random_state):
    """Return which samples each autoencoder is not trained on, of shape (n_estimators, n_samples).

    Every sample is left out by as many, half of them where that is a whole number; of very few samples none is.
    """
    if n_samples < 2 * n_estimators:
        return np.zeros((n_estimators, n_samples), bool)
    # The samples are cut into as many parts, and each autoencoder is without half of these, beginning with its own.
    part = random_state.permutation(n_samples) % n_estimators
    return (part - np.arange(n_estimators)[:, np.newaxis]) % n_estimators < n_estimators // 2


def _threshold(scores, contamination):
    """Return the score below which a sample is an outlier."""
    if isinstance(contamination, str):
        lower, upper = np.quantile(scores, [0.25, 0.75])
        return float(lower - FENCE * (upper - lower))
    return float(np.quantile(scores, contamination))


def _fit_quietly(autoencoder, X, part):
    """Return a fitted autoencoder, and its warnings: those of another process would be lost."""
    return keeping_warnings(fit_part, autoencoder, X, part)


def _clipped(X, mean, scale):
    """Return standardised samples within the bounds."""
    with np.errstate(over="ignore"):
        standardized = X - mean
        standardized /= scale
    return np.clip(standardized, -CLIPPED_AT, CLIPPED_AT, standardized)
