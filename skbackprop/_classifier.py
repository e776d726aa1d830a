"""The classifier: labels in, predictions out."""

import numpy as np
from scipy.sparse import issparse
from scipy.special import logsumexp
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from ._base import FLOATS, BaseBackprop, Samples
from .losses import CLASSIFICATION_LOSSES


def _can_fit_partially(classifier):
    """Return True, or say why `partial_fit` is not there."""
    if getattr(classifier._make_optimizer(), "full_batch", False):
        raise AttributeError(
            f"partial_fit is not available with solver={classifier.solver!r}, which needs all samples at each step: use "
            "solver='adam' or 'sgd'."
        )
    if classifier.class_weight == "balanced":
        raise AttributeError(
            "partial_fit is not available with class_weight='balanced', since one call does not know the frequencies of all: "
            "pass a dict of weights, as sklearn.utils.compute_class_weight makes it."
        )
    return True


class SigmoidBackpropClassifier(ClassifierMixin, BaseBackprop):
    """DOC"""

    _parameter_constraints: dict = {
        **BaseBackprop._parameter_constraints,
        "loss": [StrOptions(set(CLASSIFICATION_LOSSES)), HasMethods(["loss_gradient", "predict", "constant_scores"])],
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="logistic",
        *,
        solver="adam",
        alpha=0.0001,
        batch_size="auto",
        learning_rate="constant",
        learning_rate_init=0.001,
        power_t=0.5,
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        momentum=0.9,
        nesterovs_momentum=True,
        early_stopping=False,
        validation_fraction=0.1,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        n_iter_no_change=10,
        max_fun=15000,
        loss="log_loss",
        init="auto",
        fit_intercept=True,
        class_weight=None,
        weight_decay=0.0,
        dropout=0.0,
        scoring="loss",
        max_time=None,
    ):
        self._set_parameters(locals())

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None, sample_weight_val=None):
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
            aside; without, they are scored after each epoch (`validation_scores_`) and change nothing.

        Returns
        -------
        self : SigmoidBackpropClassifier

        Raises
        ------
        ValueError
            If the data or a combination of parameters cannot be trained on. The estimator is then as it was before.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_if(_can_fit_partially)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X, y, sample_weight=None, classes=None, *, X_val=None, y_val=None, sample_weight_val=None
    ):
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

        Raises
        ------
        ValueError
            If the data cannot be trained on. The estimator is then as it was before.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True, classes=classes)

    def predict(self, X):
        """Return the most probable class of each sample, or the labels with a probability above one half.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        Z = self._raw_scores(X)
        if self._target_type == "multilabel-indicator":
            return (Z > 0).astype(np.int64)
        return self.classes_.take(Z[:, 0] > 0 if self._target_type == "binary" else Z.argmax(axis=1))

    def decision_function(self, X):
        """Return the raw scores of the output units, before the link to probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        Z : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            For two classes one score a sample, positive where the second class is the more probable.
        """
        Z = self._raw_scores(X)
        return Z[:, 0] if self._target_type == "binary" else Z

    def predict_proba(self, X):
        """Return the probability of each class, or, for several labels a sample, of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; of exclusive classes they sum to one.
        """
        return self._probabilities(self._raw_scores(X))

    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class or label, in nats; it is always finite.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            Exact also where the probability itself rounds to 0 or 1.
        """
        Z = self._raw_scores(X)
        largest = np.finfo(Z.dtype).max / 4
        return self._log_probabilities(np.clip(Z, -largest, largest, out=Z))

    # Labels to numbers and back --------------------------------------------------------------------------------------

    def _probabilities(self, Z):
        """Return probabilities for raw scores, which may be overwritten."""
        loss = self._loss
        if self._target_type == "multiclass" and not loss.normalized:
            return np.exp(self._log_probabilities(Z))
        with np.errstate(over="ignore", under="ignore"):
            if self._target_type == "binary":
                absent = loss.predict_complement(Z.copy())
                return np.concatenate([absent, loss.predict(Z)], axis=1)
            return loss.predict(Z)

    def _log_probabilities(self, Z):
        """Return log-probabilities for raw scores."""
        with np.errstate(over="ignore", under="ignore"):
            logarithms = self._loss.log_predict(Z)
            if self._target_type == "binary":
                return np.concatenate([self._loss.log_predict(Z, complement=True), logarithms], axis=1)
            if self._target_type == "multiclass" and not self._loss.normalized:
                return logarithms - logsumexp(logarithms, axis=1, keepdims=True)
            return logarithms

    def _make_loss(self):
        if not isinstance(self.loss, str):
            return self.loss
        return CLASSIFICATION_LOSSES[self.loss][self._target_type]()

    def _strata(self, samples):
        return None if self._target_type == "multilabel-indicator" else samples.y

    def _encode(self, X, y, sample_weight, *, resume, incremental, classes=None):
        dtype = self.coefs_[0].dtype if resume else FLOATS
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=dtype, order="C", reset=not resume
        )
        y, target_type = _checked_labels(y)
        if not resume or not hasattr(self, "classes_"):
            self._define_classes(y, target_type, classes, incremental)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"Got classes={classes!r} where an earlier call set {self.classes_}: pass the same classes, or none."
            )
        elif self.warm_start and not incremental and set(np.unique(y)) != set(self.classes_) and y.ndim == 1:
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously got "
                f"{self.classes_}, `y` has {np.unique(y)}"
            )
        codes = self._codes(y)
        sample_weight = self._weights(sample_weight, codes, X, allow_any=incremental)
        return Samples(X, y, self._indicators(codes), sample_weight)

    def _encode_validation(self, X, y, sample_weight, dtype):
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, dtype=dtype, order="C", reset=False
        )
        codes = self._codes(_checked_labels(y)[0])
        if sample_weight is not None or self.class_weight is not None:
            sample_weight = self._weights(sample_weight, codes, X, allow_any=False, name="sample_weight_val")
        return Samples(X, y, self._indicators(codes), sample_weight)

    def _define_classes(self, y, target_type, classes, incremental):
        """Set `classes_` and the kind of target, from the labels or from those announced."""
        if incremental and classes is None:
            raise ValueError("Got no classes at the first call to partial_fit: pass classes, all labels there will ever be.")
        if target_type == "multilabel-indicator":
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_ = np.unique(y if classes is None else classes)
            target_type = "binary" if len(self.classes_) == 2 else "multiclass"
            if len(self.classes_) < 2:
                raise ValueError(
                    f"Got one class alone, {self.classes_[0]!r}: a classifier needs samples of at least two classes."
                )
        self._target_type = target_type

    def _codes(self, y):
        """Return the position of each label in `classes_`, or label indicators as they are."""
        if (y.ndim == 2) != (self._target_type == "multilabel-indicator") or (y.ndim == 2 and y.shape[1] != len(self.classes_)):
            raise ValueError(
                f"Got y of shape {y.shape} for a classifier of {self._target_type} targets with {len(self.classes_)} classes: "
                "pass targets of the same kind as before, or fit anew."
            )
        if y.ndim == 2:
            return y
        codes = np.searchsorted(self.classes_, y)
        known = self.classes_.take(codes, mode="clip") == y
        if not np.all(known):
            raise ValueError(
                f"Got y with the classes {np.unique(y[~known])}, which are not among {self.classes_}: leave those rows out, "
                "or fit anew with samples of every class."
            )
        return codes

    def _indicators(self, codes):
        """Return the targets of the output units, one byte each."""
        if codes.ndim == 2:
            return codes.astype(np.uint8)
        if len(self.classes_) == 2:
            return codes.astype(np.uint8)[:, np.newaxis]
        return _one_hot(codes, len(self.classes_))

    def _weights(self, sample_weight, codes, X, *, allow_any, name="sample_weight"):
        """Return validated weights times class weights, or None if there are neither."""
        if sample_weight is None and self.class_weight is None:
            return None
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, X, dtype=X.dtype, copy=True)
            if not allow_any:
                _refuse_useless(weight, codes, name)
        return weight if self.class_weight is None else self._times_class_weight(weight, codes)

    def _times_class_weight(self, weight, codes):
        """Return the product of sample weights, or of ones, and class weights."""
        if codes.ndim == 2:
            factor = compute_sample_weight(self.class_weight, codes)
        elif self.class_weight == "balanced":
            counts = np.bincount(codes, weights=weight, minlength=len(self.classes_))
            factor = (counts.sum() / (len(self.classes_) * np.where(counts > 0, counts, 1.0)))[codes]
        else:
            factor = compute_class_weight(self.class_weight, classes=self.classes_, y=self.classes_[codes])[codes]
        return factor if weight is None else weight * factor


def _checked_labels(y):
    """Return labels as an array, with what kind of target they are, or raise."""
    check_classification_targets(y)
    target_type = type_of_target(y, input_name="y")
    if target_type == "multiclass-multioutput":
        raise ValueError(
            f"Got y of shape {y.shape} with several classes in a column: pass one column of classes, or 0/1 indicators, or "
            "wrap the classifier in sklearn.multioutput.MultiOutputClassifier."
        )
    if issparse(y):
        y = y.toarray()
    if target_type != "multilabel-indicator":
        y = column_or_1d(y, warn=True)
    return y, target_type


def _refuse_useless(weight, codes, name):
    """Raise for weights with which there is nothing to learn."""
    if np.any(weight < 0):
        raise ValueError(
            f"Got negative values in {name}, down to {weight.min()}: weights must be 0 or larger (partial_fit takes any)."
        )
    if not np.any(weight):
        raise ValueError(f"Got {name} that is all zero: at least one weight must be positive.")
    used = codes[weight > 0]
    if name == "sample_weight" and used.ndim == 1 and np.all(used == used[0]):
        raise ValueError(
            f"Got {name} that is zero but for one class: give samples of at least two classes a positive weight."
        )


def _one_hot(codes, n_classes):
    """Return a row for each code, with a one at its place."""
    indicators = np.zeros((len(codes), n_classes), np.uint8)
    indicators[np.arange(len(codes)), codes] = 1
    return indicators
