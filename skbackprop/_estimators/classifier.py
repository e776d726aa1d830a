"""The classifier: labels in, predictions out."""

from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import HasMethods, StrOptions

from .._engine.objective import QUIET
from ..losses import CLASSIFICATION_LOSSES, Loss
from . import by_hand
from .annotations import (
    Activations,
    Auto,
    ClassificationLoss,
    ClassWeight,
    Data,
    EarlyStopping,
    Init,
    RandomState,
    Schedule,
    Scoring,
    Sizes,
    Solver,
    Weights,
    available_if,
)
from .base import ROWS_AT_A_TIME, BaseBackprop
from .by_hand import Derived
from .callback_bridge import with_callbacks
from .docstrings import share_documentation
from .features import FeaturesMixin
from .labels import Labels, checked_labels, refuse_missing, refuse_weights_of_one_class, warn_of_one_hot
from .parameters import can_fit_partially, checked_at_first, constraints, make_part, store
from .prediction import by_engine, forget_predictor
from .samples import FLOATS, Problem, Samples, checked_weights, finite, validated
from .words import Choices

Fitted = TypeVar("Fitted", bound="SigmoidBackpropClassifier")


def _can_fit_partially(classifier):
    """Return True, or say why `partial_fit` is not there."""
    can_fit_partially(classifier)
    if classifier.class_weight == "balanced":
        raise AttributeError(
            "partial_fit is not available with class_weight='balanced', since one call does not know all frequencies: pass "
            "a dict of weights, as sklearn.utils.compute_class_weight makes it."
        )
    return True


def class_loss_of(classifier, target_type):
    """Return the loss for targets of this kind, or raise."""
    table = {name: kinds[target_type] for name, kinds in CLASSIFICATION_LOSSES.items()}
    loss = make_part(table, classifier.loss, Loss, classifier)
    if loss.normalized and target_type != "multiclass":
        raise ValueError(
            f"Got loss={loss!r}, whose predictions for a sample sum to one, for {target_type} targets: use it with "
            "three classes or more, or loss='log_loss', which fits every kind of target."
        )
    return loss


def validated_labels(classifier, X, y, dtype, reset):
    """Return checked inputs, dense in C order or CSR, and checked labels."""
    refuse_missing(y, "y")
    X, y = validated(classifier, X, y, accept_sparse="csr", multi_output=True, dtype=dtype, order="C", reset=reset)
    return X, checked_labels(y)


def _samples_of(classifier, X, y, sample_weight, any_sign=False, validation=False):
    """Return samples in numbers, to train on or for validation."""
    codes = classifier._labels.codes(y)
    name = "sample_weight_val" if validation else "sample_weight"
    sample_weight = checked_weights(sample_weight, X, any_sign, name)
    if classifier.class_weight is not None:
        name = "class_weight" if sample_weight is None else f"{name} times class_weight"
        name = f"{name} (of y_val)" if validation else name
        sample_weight = checked_weights(
            classifier._labels.weighted(sample_weight, classifier.class_weight, codes), X, any_sign, name
        )
    if not any_sign and not validation and classifier._least_classes > 1:
        refuse_weights_of_one_class(sample_weight, codes, name)
    return Samples(X, y, classifier._labels.indicators(codes), sample_weight)


def _probabilities(Z, loss, target_type):
    """Return probabilities for raw scores, which may be overwritten."""
    if target_type == "multiclass" and not loss.normalized:
        logarithms = _log_probabilities(Z, loss, target_type)
        return np.exp(logarithms, logarithms)
    if target_type == "binary":
        return np.concatenate([loss.predict_complement(Z.copy()), loss.predict(Z)], axis=1)
    return loss.predict(Z)


def _log_probabilities(Z, loss, target_type):
    """Return log-probabilities for raw scores, which may be overwritten."""
    if len(Z) <= ROWS_AT_A_TIME:
        return _log_probabilities_of_few(loss, target_type, Z)
    result = np.empty((len(Z), 2), Z.dtype) if target_type == "binary" else Z
    for rows in gen_batches(len(Z), ROWS_AT_A_TIME):
        result[rows] = _log_probabilities_of_few(loss, target_type, Z[rows])
    return result


def _log_probabilities_of_few(loss, target_type, Z):
    """Return log-probabilities for the raw scores of a few samples: it takes several arrays of their size."""
    logarithms = loss.log_predict(Z)
    if target_type == "binary":
        return np.concatenate([loss.log_predict(Z, complement=True), logarithms], axis=1)
    if target_type == "multiclass" and not loss.normalized:
        return logarithms - logsumexp(logarithms, axis=1, keepdims=True)
    return logarithms


@share_documentation
class SigmoidBackpropClassifier(ClassifierMixin, FeaturesMixin, BaseBackprop):
    """A neural network for classification, trained by backpropagation.

    Every parameter of scikit-learn's `MLPClassifier` is here, under its name, in its order and with its meaning; with the
    same parameters, `init="glorot"` and the same `random_state`, so are its weights. Defaults that differ from
    scikit-learn's are marked.

    Parameters
    ----------
    {PARAMETERS}
    loss : {LOSSES} or Loss, default="log_loss"
        What training descends; "squared_error" is that of sigmoid outputs, as in the teaching notebook. See
        `skbackprop.losses`.
    class_weight : dict, "balanced", list of dict or None, default=None
        Factor on the weight of the samples of each class, 0 or larger and not 0 for all but one; "balanced" is inverse to
        the (weighted) frequency.
    scoring : str, callable or None, default="loss"
        What early stopping watches: the loss, or any scorer of scikit-learn; None is accuracy. `MLPClassifier` watches
        accuracy.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    multilabel_ : bool
        Whether a sample may have several labels, so that targets and predictions are 0/1 indicators.
    oof_decision_function_ : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
        With `early_stopping="cv"` the raw scores of the training samples, as `decision_function` has them, each by the
        network that was not trained on it: NaN for the only sample of a class, which all are trained on; the mean of all
        for a sample of zero weight, which none is.
    {ATTRIBUTES}

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The class that this one can stand in for.

    References
    ----------
    Rumelhart, D. E., Hinton, G. E. and Williams, R. J. (1986). Learning representations by back-propagating errors. Nature
    323, 533-536.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = SigmoidBackpropClassifier(random_state=0).fit(X, y)
    >>> classifier.score(X, y) > 0.95
    True
    """

    _parameter_constraints: dict = constraints(
        early_stopping=["boolean", StrOptions({"cv"})],
        loss=[Choices(CLASSIFICATION_LOSSES), HasMethods(["loss_gradient", "predict", "constant_scores"])],
        class_weight=[StrOptions({"balanced"}), dict, list, None],
    )

    loss: ClassificationLoss
    class_weight: ClassWeight
    n_folds: int
    n_jobs: int | None
    classes_: np.ndarray
    oof_decision_function_: np.ndarray | None

    # It cannot be told from the weights: "squared_error" has a sigmoid unit for each class, too.
    multilabel_: bool = Derived(lambda estimator: estimator._labels.target_type == "multilabel-indicator")
    _activations: tuple = Derived(by_hand.activations_before_classes)
    _labels = Derived(lambda estimator: Labels(*by_hand.kind_of_labels(estimator)))
    _loss = Derived(lambda estimator: by_hand.with_link(class_loss_of(estimator, estimator._labels.target_type), estimator))

    # Fewest classes that it can be fitted to.
    _least_classes = 2

    def __init__(self, hidden_layer_sizes: Sizes = (100,), activation: Activations = "logistic", *,
                 solver: Solver = "adam", alpha: float | Auto = "auto", batch_size: int | Auto | None = None,
                 learning_rate: Schedule = "auto", learning_rate_init: float = 0.004, power_t: float = 0.5,
                 max_iter: int = 100, shuffle: bool = True, random_state: RandomState = None, tol: float = 1e-4,
                 verbose: bool | int = False, warm_start: bool = False, momentum: float = 0.9,
                 nesterovs_momentum: bool = True, early_stopping: EarlyStopping = False, validation_fraction: float = 0.1,
                 beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: float = 20,
                 max_fun: int = 15000, loss: ClassificationLoss = "log_loss", init: Init = "auto",
                 fit_intercept: bool = True, class_weight: ClassWeight = None, weight_decay: float = 0.0,
                 dropout: float = 0.0, standardize: bool | Auto = "auto", clip_norm: float | Auto | None = "auto",
                 scoring: Scoring = "loss", max_time: float | None = None, n_folds: int = 5,
                 n_jobs: int | None = None) -> None:  # fmt: skip
        store(self, locals())

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: Fitted, X: Data, y: Data, sample_weight: Weights = None, *, X_val: Data | None = None,
            y_val: Data | None = None, sample_weight_val: Weights = None) -> Fitted:  # fmt: skip
        """Train on labelled samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Inputs; float32 is trained in float32, all else in float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels: of two or more classes, or 0/1 indicators of several labels a sample.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples; by default 1 each.
        X_val, y_val, sample_weight_val : as X, y, sample_weight, default=None
            Validation samples. With `early_stopping=True` they take the place of the share of `X` that is otherwise set
            aside; without, they are scored after each epoch (`validation_scores_`) and change nothing. With "cv" there may
            be none.

        Returns
        -------
        self : SigmoidBackpropClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If the data or a combination of parameters cannot be trained on. The estimator is then as it was before.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_if(_can_fit_partially)
    @checked_at_first
    def partial_fit(self: Fitted, X: Data, y: Data, sample_weight: Weights = None, classes: ArrayLike | None = None, *,
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
            Labels, each among `classes`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples, which may be negative here (the advantages of a policy gradient) and are normalised by
            the sum of their absolute values.
        classes : array-like of shape (n_classes,), default=None
            All classes there will ever be; needed at the first call.
        X_val, y_val, sample_weight_val : as X, y, sample_weight, default=None
            Validation samples, scored after the epoch.

        Returns
        -------
        self : SigmoidBackpropClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If the data cannot be trained on. The estimator is then as it was before.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True, classes=classes)

    @np.errstate(**QUIET)
    def predict(self, X: Data) -> np.ndarray:
        """Return the most probable class of each sample, or the labels with a probability above one half.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels, or 0/1 indicators of several labels a sample.
        """
        Z = finite(self._raw_scores(X), self)
        if self._labels.target_type == "multilabel-indicator":
            return (Z > 0).astype(np.int64)
        codes = Z[:, 0] > 0 if self._labels.target_type == "binary" else Z.argmax(axis=1)
        # With one class, which a child may allow, every sample is of it.
        return np.asarray(self.classes_).take(codes, mode="clip")

    @np.errstate(**QUIET)
    def decision_function(self, X: Data) -> np.ndarray:
        """Return the raw scores of the output units, before the link to probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        Z : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            For two classes one score a sample, positive where the second class is the more probable.
        """
        Z = finite(self._raw_scores(X), self)
        return Z[:, 0] if self._labels.target_type == "binary" else Z

    def predict_proba(self, X: Data) -> np.ndarray:
        """Return the probability of each class, or, for several labels a sample, of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; of exclusive classes they sum to one.
        """
        if (probabilities := by_engine(self, X, probabilities=True)) is not None:
            return probabilities
        with np.errstate(**QUIET):
            Z = finite(self._raw_scores(X), self)
            return _probabilities(Z, self._loss, self._labels.target_type)

    @np.errstate(**QUIET)
    def predict_log_proba(self, X: Data) -> np.ndarray:
        """Return the logarithm of the probability of each class or label, in nats; it is always finite.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Exact also where the probability itself rounds to 0 or 1.
        """
        Z = finite(self._raw_scores(X), self)
        largest = np.finfo(Z.dtype).max / 4
        np.clip(Z, -largest, largest, out=Z)
        return _log_probabilities(Z, self._loss, self._labels.target_type)

    def __sklearn_tags__(self):
        """Several labels a sample are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # Labels to numbers and back --------------------------------------------------------------------------------------

    @property
    def _label_binarizer(self):
        """scikit-learn's name for what turns labels into targets: converters read it, public code sets it."""
        return self._labels._replace(classes=np.asarray(self.classes_)).binarizer()

    @_label_binarizer.setter
    def _label_binarizer(self, binarizer):
        forget_predictor(self)
        self._labels = Labels(binarizer.classes_, binarizer.y_type_)
        self.classes_ = binarizer.classes_
        self.multilabel_ = binarizer.y_type_ == "multilabel-indicator"

    def _set_out_of_fold(self, Z):
        """Show raw scores of the training samples as `decision_function` would."""
        self.oof_decision_function_ = Z[:, 0] if self._labels.target_type == "binary" else Z

    def _encode(self, X, y, sample_weight, *, resume, incremental, classes=None):
        dtype = by_hand.float_type(self) if resume else FLOATS
        X, y = validated_labels(self, X, y, dtype, reset=not resume)
        if not resume or not hasattr(self, "_labels"):
            if incremental and classes is None:
                raise ValueError(
                    "Got no classes at the first call to partial_fit: pass classes, all labels there will ever be."
                )
            warn_of_one_hot(y)
            self._labels = Labels.of(y, classes, self._least_classes)
            self.classes_ = self._labels.classes
            self.multilabel_ = self._labels.target_type == "multilabel-indicator"
        elif not incremental or classes is not None:
            self._labels.refuse_others(y if classes is None else classes, incremental)
        samples = _samples_of(self, X, y, sample_weight, any_sign=incremental)
        self.oof_decision_function_ = None
        strata = None if self._labels.target_type == "multilabel-indicator" else y
        return Problem(samples, class_loss_of(self, self._labels.target_type), strata)

    def _encode_validation(self, X, y, sample_weight, dtype):
        return _samples_of(self, *validated_labels(self, X, y, dtype, reset=False), sample_weight, validation=True)
