"""The regressor: numbers in, numbers out."""

import numbers
from typing import TypeVar

import numpy as np
from scipy.sparse import issparse
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils import assert_all_finite
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import column_or_1d

from .._engine.compiled import all_within
from .._engine.objective import QUIET
from ..losses import REGRESSION_LOSSES
from . import by_hand
from .annotations import (
    Activations,
    Auto,
    Data,
    EarlyStopping,
    Init,
    RandomState,
    RegressionLoss,
    Schedule,
    Scoring,
    Sizes,
    Solver,
    Weights,
    available_if,
)
from .base import BaseBackprop
from .by_hand import Derived
from .callback_bridge import with_callbacks
from .columns import refuse_dates, refuse_others
from .docstrings import share_documentation
from .features import FeaturesMixin
from .parameters import can_fit_partially, checked_at_first, constraints, store
from .samples import FLOATS, Problem, Samples, checked_weights, finite, validated
from .targets import loss_of, refuse_another_link, refuse_targets, refuse_words, wants_positive_targets
from .words import Choices

Fitted = TypeVar("Fitted", bound="SigmoidBackpropRegressor")


@share_documentation
class SigmoidBackpropRegressor(RegressorMixin, FeaturesMixin, BaseBackprop):
    """A neural network for regression, trained by backpropagation.

    Every parameter of scikit-learn's `MLPRegressor` is here, under its name, in its order and with its meaning; with the
    same parameters, `init="glorot"`, the same `random_state` and one output, so are its weights. Defaults that differ from
    scikit-learn's are marked.

    Parameters
    ----------
    loss : {LOSSES} or RegressionLoss, default="squared_error"
        What training descends, summed over the outputs; see `skbackprop.losses`. "poisson" needs targets that are not
        negative, "gamma" positive ones; both predict exp of the raw score.
    {PARAMETERS}
    scoring : str, callable or None, default="loss"
        What early stopping watches: the loss, or any scorer of scikit-learn; None is R^2. `MLPRegressor` watches R^2.
    quantile : float, default=0.5
        The quantile that "quantile" learns, in (0, 1).
    standardize_targets : bool or "auto", default="auto"
        Whether to train on targets of mean 0 and deviation 1 (of median and interquartile range where the loss is robust,
        of mean 1 with "poisson" and "gamma"); `coefs_` and predictions are in the units of `y` all the same, `loss_` and
        `loss_curve_` in those of the scaled targets. Without biases, targets are not shifted. The scaling is that of the
        first call of `fit` or `partial_fit`. "auto" is to do so with `init="auto"`.

    Attributes
    ----------
    oof_prediction_ : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
        With `early_stopping="cv"` predictions for the training samples, as `predict` has them, each by the network that was
        not trained on it; by the mean of all for a sample of zero weight, which none is trained on.
    {ATTRIBUTES}

    See Also
    --------
    sklearn.neural_network.MLPRegressor : The class that this one can stand in for.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skbackprop import SigmoidBackpropRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> regressor = SigmoidBackpropRegressor(tol=0.001, random_state=0).fit(X, y)
    >>> regressor.score(X, y) > 0.5
    True
    """

    _loss = Derived(lambda estimator: by_hand.with_link(loss_of(estimator), estimator))
    _parameter_constraints: dict = constraints(
        early_stopping=["boolean", StrOptions({"cv"})],
        loss=[
            Choices(REGRESSION_LOSSES),
            HasMethods(["loss_gradient", "predict", "constant_scores", "location_scale"]),
        ],
        quantile=[Interval(numbers.Real, 0, 1, closed="neither")],
        standardize_targets=["boolean", StrOptions({"auto"})],
    )

    loss: RegressionLoss
    quantile: float
    standardize_targets: bool | Auto
    n_folds: int
    n_jobs: int | None
    oof_prediction_: np.ndarray | None

    def __init__(self, loss: RegressionLoss = "squared_error",
                 hidden_layer_sizes: Sizes = (100,), activation: Activations = "logistic", *,
                 solver: Solver = "adam", alpha: float | Auto = "auto", batch_size: int | Auto | None = None,
                 learning_rate: Schedule = "auto", learning_rate_init: float = 0.004, power_t: float = 0.5,
                 max_iter: int = 100, shuffle: bool = True, random_state: RandomState = None, tol: float = 1e-4,
                 verbose: bool | int = False, warm_start: bool = False, momentum: float = 0.9,
                 nesterovs_momentum: bool = True, early_stopping: EarlyStopping = False, validation_fraction: float = 0.1,
                 beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: float = 20,
                 max_fun: int = 15000, init: Init = "auto", fit_intercept: bool = True,
                 weight_decay: float = 0.0, dropout: float = 0.0, standardize: bool | Auto = "auto",
                 clip_norm: float | Auto | None = "auto", scoring: Scoring = "loss", max_time: float | None = None,
                 quantile: float = 0.5, standardize_targets: bool | Auto = "auto", n_folds: int = 5,
                 n_jobs: int | None = None) -> None:  # fmt: skip
        store(self, locals())

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Fitted, X: Data, y: Data, sample_weight: Weights = None, *, X_val: Data | None = None,
            y_val: Data | None = None, sample_weight_val: Weights = None) -> Fitted:  # fmt: skip
        """Train on samples with known targets.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Inputs; float32 is trained in float32, all else in float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples; by default 1 each.
        X_val, y_val, sample_weight_val : as X, y, sample_weight, default=None
            Validation samples. With `early_stopping=True` they take the place of the share of `X` that is otherwise set
            aside; without, they are scored after each epoch (`validation_scores_`) and change nothing. With "cv" there may
            be none.

        Returns
        -------
        self : SigmoidBackpropRegressor
            The fitted regressor.

        Raises
        ------
        ValueError
            If the data or a combination of parameters cannot be trained on. The estimator is then as it was before.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_if(can_fit_partially)
    @checked_at_first
    def partial_fit(self: Fitted, X: Data, y: Data, sample_weight: Weights = None, *,
                    X_val: Data | None = None, y_val: Data | None = None,
                    sample_weight_val: Weights = None) -> Fitted:  # fmt: skip
        """Train for one epoch on the given samples, on top of what was learnt before.

        With `early_stopping=True` and validation samples, the weights are always those with the best validation score so
        far, while training itself goes on from the latest. There is no `partial_fit` for a solver that needs all samples
        at each step.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, which may be negative here and are normalised by the sum of their absolute values.
        X_val, y_val, sample_weight_val : as X, y, sample_weight, default=None
            Validation samples, scored after the epoch.

        Returns
        -------
        self : SigmoidBackpropRegressor
            The fitted regressor.

        Raises
        ------
        ValueError
            If the data cannot be trained on. The estimator is then as it was before.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    @np.errstate(**QUIET)
    def predict(self, X: Data) -> np.ndarray:
        """Return the predicted targets.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units of the targets of `fit`.
        """
        return finite(self._predictions(self._raw_scores(X)), self)

    def __sklearn_tags__(self):
        """Several targets a sample are welcome; some losses want them positive."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = wants_positive_targets(self)
        # scikit-learn's check of several targets uses negative ones whatever the other tag says.
        tags.target_tags.multi_output = not tags.target_tags.positive_only
        return tags

    # Targets to numbers and back -------------------------------------------------------------------------------------

    def _predictions(self, Z):
        """Return the predicted targets for raw scores."""
        prediction = self._loss.predict(Z)
        return prediction[:, 0] if prediction.shape[1] == 1 else prediction

    def _set_out_of_fold(self, Z):
        """Show raw scores of the training samples as `predict` would."""
        with np.errstate(**QUIET):
            self.oof_prediction_ = self._predictions(Z)

    def _encode(self, X, y, sample_weight, *, resume, incremental):
        loss = loss_of(self)
        self.oof_prediction_ = None
        dtype = by_hand.float_type(self) if resume else FLOATS
        samples = self._validated(X, y, sample_weight, loss, dtype, reset=not resume, any_sign=incremental)
        n_outputs = samples.Y.shape[1]
        self.n_outputs_ = self.coefs_[-1].shape[1] if resume else n_outputs
        if resume:
            refuse_another_link(self, loss)
        if n_outputs != self.n_outputs_:
            raise ValueError(
                f"Got y with {n_outputs} outputs where an earlier call had {self.n_outputs_}: pass as many, or fit anew "
                "with warm_start=False."
            )
        return Problem(samples, loss, numeric=True, scale_targets=self.standardize_targets)

    def _encode_validation(self, X, y, sample_weight, dtype):
        samples = self._validated(X, y, sample_weight, loss_of(self), dtype, reset=False, weight_name="sample_weight_val")
        n_outputs = samples.Y.shape[1]
        if n_outputs != self.n_outputs_:
            raise ValueError(f"Got y_val with {n_outputs} outputs where y has {self.n_outputs_}: pass as many.")
        return samples

    def _validated(self, X, y, sample_weight, loss, dtype, reset, any_sign=False, weight_name="sample_weight"):
        """Return checked `Samples`: inputs dense in C order or CSR, targets that suit the loss."""
        how = {"accept_sparse": "csr", "multi_output": True, "y_numeric": True, "dtype": dtype, "order": "C"}
        if type(y) is not np.ndarray or y.dtype.kind not in "iuf":
            refuse_dates(y, "y")
        try:
            X, y = validated(self, X, y, reset=reset, **how)
            y = y.astype(np.float64) if y.dtype.kind in "SU" else y
        except (TypeError, ValueError) as error:
            refuse_words(y)
            refuse_others(y, "y", error)
            raise
        if issparse(y):
            raise TypeError("Got sparse targets: pass a dense array, such as y.toarray().")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        sample_weight = checked_weights(sample_weight, X, any_sign, weight_name)
        # In float64: time stamps, say, lose their last digits in float32, and with these what there is to learn.
        Y = y.astype(np.float64).reshape(len(y), -1)
        # None among objects is NaN only now, and no number is larger or smaller than NaN.
        if not all_within(Y, np.finfo(X.dtype).max):
            assert_all_finite(Y, input_name="y")
            raise ValueError(
                f"Got targets that are infinite in {X.dtype}, the type of X: pass X in float64, or smaller targets."
            )
        refuse_targets(Y, loss, self.loss)
        return Samples(X, y, Y, sample_weight)
