"""The autoencoder: inputs in, a code and reconstructions out."""

import numbers
from typing import Any, TypeVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import check_array
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, check_non_negative

from .._engine.objective import QUIET
from ..losses import REGRESSION_LOSSES
from . import by_hand
from .annotations import (
    Activations,
    Auto,
    Data,
    Init,
    RandomState,
    RegressionLoss,
    Schedule,
    Scoring,
    Sizes,
    Solver,
    available_if,
)
from .base import BaseBackprop, checked_inputs, losses_of
from .by_hand import Derived, blames_weights
from .callback_bridge import with_callbacks
from .columns import refuse_dates
from .docstrings import share_documentation
from .parameters import can_fit_partially, checked_at_first, constraints, hidden_sizes_of, store
from .prediction import hidden_activations, raw_scores
from .samples import FLOATS, Problem, Samples, finite, validated
from .targets import loss_of, refuse_another_link, refuse_targets, wants_positive_targets
from .words import Choices, shown

Fitted = TypeVar("Fitted", bound="SigmoidBackpropAutoencoder")


@share_documentation
class SigmoidBackpropAutoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseBackprop):
    """A neural network that learns to reconstruct its inputs, and so a code for them (Hinton and Salakhutdinov, 2006).

    The code is the narrowest hidden layer, the first of several. Features are standardised inside, with the defaults, and
    so are the reconstructions that training compares with them, so each feature counts the same.

    Parameters
    ----------
    {PARAMETERS}
    loss : {LOSSES} or RegressionLoss, default="squared_error"
        The reconstruction error, summed over the features; see `skbackprop.losses`.
    tied : bool, default=False
        Whether the decoder's weights are the encoder's transposed (both for standardised features), which needs
        `hidden_layer_sizes` that read the same backwards. A middle matrix, between two layers of a size, is free.
    noise : float, default=0.0
        Standard deviation of the normal noise added to the (standardised) inputs at each step, while the reconstruction is
        compared with the clean ones: a denoising autoencoder (Vincent et al., 2008). For "sgd" and "adam".
    scoring : {"loss"}, callable or None, default="loss"
        What early stopping watches: the loss, or a scorer called with (autoencoder, X, X); None is `score`.

    Attributes
    ----------
    {ATTRIBUTES}

    See Also
    --------
    SigmoidBackpropOutlierDetector : Tells outliers by what autoencoders cannot reconstruct.
    sklearn.decomposition.PCA : The best linear code.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skbackprop import SigmoidBackpropAutoencoder
    >>> X, _ = load_digits(return_X_y=True)
    >>> autoencoder = SigmoidBackpropAutoencoder((60, 8, 60), max_iter=200, tol=0.01, random_state=0).fit(X)
    >>> code = autoencoder.transform(X)
    >>> code.shape, autoencoder.inverse_transform(code).shape
    ((1797, 8), (1797, 64))
    """

    _accept_sparse = False
    _activations: tuple = Derived(by_hand.activations_around_code)
    _loss = Derived(lambda estimator: by_hand.with_link(loss_of(estimator), estimator))
    _parameter_constraints: dict = constraints(
        "n_folds",
        "n_jobs",
        loss=[
            Choices(name for name in REGRESSION_LOSSES if name != "quantile"),
            HasMethods(["loss_gradient", "predict", "constant_scores", "location_scale"]),
        ],
        # The scorers that scikit-learn has names for ask for predictions.
        scoring=[StrOptions({"loss"}), callable, None],
        tied=["boolean"],
        noise=[Interval(numbers.Real, 0, None, closed="left")],
    )

    loss: RegressionLoss

    def __init__(self, hidden_layer_sizes: Sizes = (100, 10, 100), activation: Activations = "logistic", *,
                 solver: Solver = "adam", alpha: float | Auto = "auto", batch_size: int | Auto | None = None,
                 learning_rate: Schedule = "auto", learning_rate_init: float = 0.004, power_t: float = 0.5,
                 max_iter: int = 100, shuffle: bool = True, random_state: RandomState = None, tol: float = 1e-4,
                 verbose: bool | int = False, warm_start: bool = False, momentum: float = 0.9,
                 nesterovs_momentum: bool = True, early_stopping: bool = False, validation_fraction: float = 0.1,
                 beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: float = 20,
                 max_fun: int = 15000, loss: RegressionLoss = "squared_error", init: Init = "auto",
                 fit_intercept: bool = True, weight_decay: float = 0.0, dropout: float = 0.0,
                 standardize: bool | Auto = "auto", clip_norm: float | Auto | None = "auto", scoring: Scoring = "loss",
                 max_time: float | None = None, tied: bool = False, noise: float = 0.0) -> None:  # fmt: skip
        store(self, locals())

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Fitted, X: Data, y: Any = None, *, X_val: Data | None = None) -> Fitted:
        """Learn to reconstruct the samples.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Inputs; float32 is trained in float32, all else in float64.
        y : None
            Ignored.
        X_val : as X, default=None
            Validation samples. With `early_stopping=True` they take the place of the share of `X` that is otherwise set
            aside; without, they are scored after each epoch (`validation_scores_`) and change nothing.

        Returns
        -------
        self : SigmoidBackpropAutoencoder
            The fitted autoencoder.

        Raises
        ------
        ValueError
            If the data or a combination of parameters cannot be trained on. The estimator is then as it was before.
        """
        return self._fit(X, None, None, (X_val, X_val, None))

    @available_if(can_fit_partially)
    @checked_at_first
    def partial_fit(self: Fitted, X: Data, y: Any = None, *, X_val: Data | None = None) -> Fitted:
        """Train for one epoch on the given samples, on top of what was learnt before.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Inputs.
        y : None
            Ignored.
        X_val : as X, default=None
            Validation samples, scored after the epoch.

        Returns
        -------
        self : SigmoidBackpropAutoencoder
            The fitted autoencoder.

        Raises
        ------
        ValueError
            If the data cannot be trained on. The estimator is then as it was before.
        """
        return self._fit(X, None, None, (X_val, X_val, None), incremental=True)

    @np.errstate(**QUIET)
    def transform(self, X: Data) -> np.ndarray:
        """Return the code of each sample.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        code : ndarray of shape (n_samples, n_units)
            Activations of the code layer.
        """
        X = checked_inputs(self, X)
        try:
            return finite(hidden_activations(self.coefs_, self.intercepts_, self._activations, X, self._code_layer), self)
        except by_hand.ERRORS:
            by_hand.refuse_weights(self)
            raise

    @np.errstate(**QUIET)
    @blames_weights
    def inverse_transform(self, X: Data) -> np.ndarray:
        """Return the reconstructions that codes stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_units)
            Codes, as `transform` returns them.

        Returns
        -------
        reconstruction : ndarray of shape (n_samples, n_features)
            In the units of the inputs.

        Raises
        ------
        ValueError
            If the codes have the wrong number of units.
        """
        check_is_fitted(self, "_activations")
        refuse_dates(X)
        code = check_array(X, dtype=FLOATS, input_name="X")
        if code.shape[1] != self._n_features_out:
            raise ValueError(
                f"Got codes of {code.shape[1]} units where transform returns {self._n_features_out}: pass what it returned."
            )
        above = self._code_layer + 1
        Z = raw_scores(self.coefs_[above:], self.intercepts_[above:], self._activations[above:], code)
        return finite(self._loss.predict(Z), self)

    @np.errstate(**QUIET)
    @blames_weights
    def score_samples(self, X: Data) -> np.ndarray:
        """Return the negative reconstruction error of each sample: the loss that training descends, on scaled features.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Larger for samples that are more like those of the training.

        Raises
        ------
        ValueError
            If the loss is not made for such values, as "poisson" is not for negative ones.
        """
        X = checked_inputs(self, X)
        refuse_targets(X, self._loss, self.loss)
        return finite(-losses_of(self, X, X), self)

    @np.errstate(**QUIET)
    def score(self, X: Data, y: Any = None) -> float:
        """Return the mean of `score_samples`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
        y : None
            Ignored.

        Returns
        -------
        score : float
            Larger is better; 0 would be perfect.
        """
        return float(finite(self.score_samples(X).mean(dtype=np.float64), self))

    # Inputs as targets -----------------------------------------------------------------------------------------------

    @property
    def _code_layer(self):
        """Number of the hidden layer that is the code."""
        sizes = [coef.shape[1] for coef in self.coefs_[:-1]]
        return sizes.index(min(sizes))

    @property
    def _n_features_out(self):
        """Number of units of the code, for their names."""
        return self.coefs_[self._code_layer].shape[1]

    def _encode(self, X, y, sample_weight, *, resume, incremental):
        sizes = hidden_sizes_of(self)
        if not sizes or (self.tied and sizes != sizes[::-1]):
            wanted = "that read the same backwards, with tied=True" if sizes else "of at least one layer, the code"
            raise ValueError(
                f"Got hidden_layer_sizes={shown(self.hidden_layer_sizes)}: pass sizes {wanted}, such as (100, 10, 100)."
            )
        loss = loss_of(self)
        if resume:
            refuse_another_link(self, loss)
        samples = self._validated(X, loss, by_hand.float_type(self) if resume else FLOATS, reset=not resume)
        return Problem(samples, loss, numeric=True, scale_targets=self.standardize)

    def _encode_validation(self, X, y, sample_weight, dtype):
        return self._validated(X, loss_of(self), dtype, reset=False)

    def _validated(self, X, loss, dtype, reset):
        """Return checked `Samples` whose targets are the inputs."""
        X = validated(self, X, dtype=dtype, order="C", reset=reset)
        if wants_positive_targets(self):
            check_non_negative(X, f"{type(self).__name__} with loss={self.loss!r}")
        refuse_targets(X, loss, self.loss)
        return Samples(X, X, X, None)

    def __sklearn_tags__(self):
        """Return the tags: some losses want positive inputs."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = wants_positive_targets(self)
        return tags
