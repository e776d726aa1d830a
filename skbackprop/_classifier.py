"""The classifier: labels in, predictions out."""

import numpy as np
from scipy.special import logsumexp
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import HasMethods, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from ._base import FLOATS, BaseBackprop, Samples, checked_weights
from ._labels import Labels, checked_labels, refuse_weights_of_one_class
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
            "partial_fit is not available with class_weight='balanced', since one call does not know all frequencies: pass "
            "a dict of weights, as sklearn.utils.compute_class_weight makes it."
        )
    return True


class SigmoidBackpropClassifier(ClassifierMixin, BaseBackprop):
    """A neural network for classification, trained by backpropagation.

    Every parameter of scikit-learn's `MLPClassifier` is here, under its name, in its order and with its meaning; with the
    same parameters, `init="glorot"` and the same `random_state`, so are its weights. Defaults that differ are marked.

    Parameters
    ----------
    hidden_layer_sizes : int, sequence of int or str, default=(100,)
        Units in each hidden layer; also as a string, "100-50". With () the inputs feed the outputs directly.
    activation : {"identity", "logistic", "tanh", "relu", "silu"}, Activation or list of these, default="logistic"
        Activation of the hidden units, or one for each hidden layer; see `skbackprop.activations`. (`MLPClassifier`:
        "relu".)
    solver : {"sgd", "adam", "rprop", "lbfgs"} or Optimizer, default="adam"
        How the weights are updated; see `skbackprop.optimizers`. "rprop" and "lbfgs" use all samples at each step.
    alpha : float, default=0.01
        Factor of the penalty on squared weights, divided by the total weight of the batch. (`MLPClassifier`: 0.0001.)
    batch_size : int, "auto" or None, default=None
        Samples in a step of "sgd" and "adam"; "auto" is min(200, n_samples); None is all of up to 64 samples, else a 64th
        of them, but at least 8 and at most 256. (`MLPClassifier`: "auto".)
    learning_rate : {"auto", "constant", "invscaling", "adaptive", "cosine", "one_cycle"} or Schedule, default="auto"
        How the learning rate of "sgd" and "adam" changes; see `skbackprop.schedules`. "auto" rises, then falls, over 100
        epochs. As in scikit-learn, "invscaling" and "adaptive" are for "sgd"; an instance is for "adam", too.
        (`MLPClassifier`: "constant".)
    learning_rate_init : float, default=0.005
        The learning rate to begin with, or the highest of a schedule that rises. Used by "sgd" and "adam".
        (`MLPClassifier`: 0.001.)
    power_t : float, default=0.5
        Exponent of "invscaling".
    max_iter : int, default=100
        Most epochs, or iterations of "lbfgs". (`MLPClassifier`: 200.)
    shuffle : bool, default=True
        Whether each epoch has a new order of samples. Used by "sgd" and "adam".
    random_state : int, RandomState instance or None, default=None
        Source of first weights, held-out samples, order and dropout; an int gives the same weights at every fit.
    tol : float, default=1e-4
        Least improvement of the loss, or of the validation score, that counts; for "lbfgs" the gradient at which to stop.
    verbose : bool, default=False
        Whether to print a line an epoch.
    warm_start : bool, default=False
        Whether `fit` goes on exactly where training stopped, optimizer, learning rate and order of samples included. (The
        curvature memory of "lbfgs" begins anew.)
    momentum, nesterovs_momentum : float and bool, default=0.9 and True
        Share of the last step that "sgd" keeps, in [0, 1], and whether it does so in Nesterov's form.
    early_stopping : bool, default=False
        Whether to watch the score of validation samples, stop when it no longer improves, and keep the weights that had
        the best; with every solver.
    validation_fraction : float, default=0.1
        Share of the samples held out for that, in [0, 1), stratified by class; at least one of each class.
    beta_1, beta_2, epsilon : float, default=0.9, 0.999 and 1e-8
        Decay of the moments of "adam", in [0, 1), and what is added to its denominator.
    n_iter_no_change : int or numpy.inf, default=20
        Epochs without improvement by `tol` after which training stops. (`MLPClassifier`: 10.)
    max_fun : int, default=15000
        Most evaluations of the loss by "lbfgs".
    loss : {"log_loss", "squared_error"} or Loss, default="log_loss"
        What training descends; "squared_error" is that of sigmoid outputs, as in the teaching notebook. See
        `skbackprop.losses`.
    init : {"auto", "glorot", "uniform"} or Initializer, default="auto"
        Rule for the first weights; "glorot" is scikit-learn's, "uniform" is U(-1, 1). See `skbackprop.initializers`.
    fit_intercept : bool, default=True
        Whether the layers have biases.
    class_weight : dict, "balanced", list of dict or None, default=None
        Factor on the weight of the samples of each class; "balanced" is inverse to the (weighted) frequency.
    weight_decay : float, default=0.0
        Share of each weight that a step takes off, times the learning rate; unlike `alpha` independent of the batch size
        and of the gradient's scale (Loshchilov and Hutter, 2019). For "sgd" and "adam".
    dropout : float, default=0.0
        Probability that a hidden unit is silent in a step, in [0, 1) (Srivastava et al., 2014). For "sgd" and "adam".
    scoring : str, callable or None, default="loss"
        What early stopping watches: the loss, or any scorer of scikit-learn; None is accuracy. (`MLPClassifier` watches
        accuracy.)
    standardize : bool or "auto", default="auto"
        Whether to train on standardised features; `coefs_` and predictions are in the units of `X` all the same. Sparse
        features, and those of networks without biases, are scaled but not centred. The scaling is that of the first call
        of `fit` or `partial_fit`. "auto" is to do so with `init="auto"`, whose weights are made for it.
    clip_norm : float or None, default=None
        Largest Euclidean norm of a gradient; longer ones are scaled down (Pascanu et al., 2013). For "sgd" and "adam".
    max_time : float or None, default=None
        Seconds after which training stops.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    coefs_, intercepts_ : list of ndarray
        Weights and biases of each layer, of shapes (fan_in, fan_out) and (fan_out,).
    loss_ : float
        Loss of the last epoch, penalty included, in nats a sample ("log_loss").
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
    n_layers_, n_outputs_ : int
        Number of layers, inputs and outputs counted, and of output units (one for two classes).
    out_activation_ : str
        Link from raw scores to probabilities.
    n_features_in_, feature_names_in_ : int and ndarray of shape (n_features_in_,)
        Number of features, and their names if they have any.

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
        alpha=0.01,
        batch_size=None,
        learning_rate="auto",
        learning_rate_init=0.005,
        power_t=0.5,
        max_iter=100,
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
        n_iter_no_change=20,
        max_fun=15000,
        loss="log_loss",
        init="auto",
        fit_intercept=True,
        class_weight=None,
        weight_decay=0.0,
        dropout=0.0,
        standardize="auto",
        clip_norm=None,
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
    def partial_fit(self, X, y, sample_weight=None, classes=None, *, X_val=None, y_val=None, sample_weight_val=None):
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

    @np.errstate(over="ignore", under="ignore")
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
        if self._labels.target_type == "multilabel-indicator":
            return (Z > 0).astype(np.int64)
        return self.classes_.take(Z[:, 0] > 0 if self._labels.target_type == "binary" else Z.argmax(axis=1))

    @np.errstate(over="ignore", under="ignore")
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
        return Z[:, 0] if self._labels.target_type == "binary" else Z

    @np.errstate(over="ignore", under="ignore")
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

    @np.errstate(over="ignore", under="ignore")
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

    def __sklearn_tags__(self):
        """Several labels a sample are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # Labels to numbers and back --------------------------------------------------------------------------------------

    def _probabilities(self, Z):
        """Return probabilities for raw scores, which may be overwritten."""
        loss, target_type = self._loss, self._labels.target_type
        if target_type == "multiclass" and not loss.normalized:
            return np.exp(self._log_probabilities(Z))
        if target_type == "binary":
            return np.concatenate([loss.predict_complement(Z.copy()), loss.predict(Z)], axis=1)
        return loss.predict(Z)

    def _log_probabilities(self, Z):
        """Return log-probabilities for raw scores."""
        loss, target_type = self._loss, self._labels.target_type
        logarithms = loss.log_predict(Z)
        if target_type == "binary":
            return np.concatenate([loss.log_predict(Z, complement=True), logarithms], axis=1)
        if target_type == "multiclass" and not loss.normalized:
            return logarithms - logsumexp(logarithms, axis=1, keepdims=True)
        return logarithms

    def _make_loss(self):
        target_type = self._labels.target_type
        table = {name: kinds[target_type] for name, kinds in CLASSIFICATION_LOSSES.items()}
        loss = self._part(table, self.loss)
        if loss.normalized and target_type != "multiclass":
            raise ValueError(
                f"Got loss={loss!r}, whose predictions for a sample sum to one, for {target_type} targets: use it with "
                "three classes or more, or loss='log_loss', which fits every kind of target."
            )
        return loss

    def _strata(self, samples):
        return None if self._labels.target_type == "multilabel-indicator" else samples.y

    def _encode(self, X, y, sample_weight, *, resume, incremental, classes=None):
        dtype = self.coefs_[0].dtype if resume else FLOATS
        X, y = self._validated(X, y, dtype, reset=not resume)
        if not resume or not hasattr(self, "_labels"):
            if incremental and classes is None:
                raise ValueError(
                    "Got no classes at the first call to partial_fit: pass classes, all labels there will ever be."
                )
            self._labels = Labels.of(y, classes)
            self.classes_ = self._labels.classes
        elif not incremental or classes is not None:
            self._labels.refuse_others(y if classes is None else classes, incremental)
        codes = self._labels.codes(y)
        if sample_weight is not None:
            sample_weight = checked_weights(sample_weight, X, any_sign=incremental)
            if not incremental:
                refuse_weights_of_one_class(sample_weight, codes)
        sample_weight = self._labels.weighted(sample_weight, self.class_weight, codes)
        return Samples(X, y, self._labels.indicators(codes), sample_weight)

    def _encode_validation(self, X, y, sample_weight, dtype):
        X, y = self._validated(X, y, dtype, reset=False)
        codes = self._labels.codes(y)
        if sample_weight is not None:
            sample_weight = checked_weights(sample_weight, X, any_sign=False)
        sample_weight = self._labels.weighted(sample_weight, self.class_weight, codes)
        return Samples(X, y, self._labels.indicators(codes), sample_weight)

    def _validated(self, X, y, dtype, reset):
        """Return checked inputs, dense in C order or CSR, and checked labels."""
        X, y = validate_data(self, X, y, accept_sparse="csr", multi_output=True, dtype=dtype, order="C", reset=reset)
        return X, checked_labels(y)
