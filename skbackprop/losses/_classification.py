"""Losses of class labels."""

import numpy as np

from .._part import Array
from ..activations import Logistic, sigmoid_
from ._base import Loss, sum_outputs, weighted_mean

_LOGISTIC = Logistic()


def _softplus(Z, out=None):
    """log(1 + exp(Z)) without overflow."""
    return np.logaddexp(0, Z, out, dtype=Z.dtype)


def _logit(mean):
    """Raw scores whose sigmoid is `mean`, finite at 0 and 1."""
    mean = np.clip(mean, 1e-12, 1 - 1e-12)
    return np.log(mean) - np.log1p(-mean)


class BinaryLogLoss(Loss):
    """Log-loss of independent sigmoid units, log(1 + exp(z)) - y z: two classes, or several labels a sample.

    Minus the logarithm of the likelihood, in nats: the default for two classes, and for several labels a sample.

    See Also
    --------
    Loss : What training and prediction ask of a loss.
    CategoricalLogLoss : That of exclusive classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import BinaryLogLoss
    >>> Y, Z = np.array([[1.0], [0.0]]), np.array([[2.0], [2.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 1))
    >>> BinaryLogLoss().loss_gradient(Y, Z, values, gradient, np.empty((2, 1)))
    >>> values.round(3), gradient.ravel().round(3)
    (array([0.127, 2.127]), array([-0.119,  0.881]))
    """

    output_activation = "logistic"
    unit = "nats"

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
        """Write the losses and the gradient, sigmoid(Z) - Y; see `Loss.loss_gradient`."""
        _softplus(Z, scratch)
        np.multiply(Y, Z, gradient)
        np.subtract(scratch, gradient, scratch)
        sum_outputs(scratch, values)
        np.subtract(sigmoid_(Z), Y, gradient)

    def predict(self, Z: Array) -> Array:
        """Return the probability of each label."""
        return sigmoid_(Z)

    def predict_complement(self, Z: Array) -> Array:
        """Return the probability of each label's absence."""
        return sigmoid_(np.negative(Z, Z))

    def log_predict(self, Z: Array, complement: bool = False) -> Array:
        """Return the log-probability of each label, or of its absence; exact where the probability rounds to 0 or 1."""
        return -_softplus(Z if complement else -Z)

    def constant_scores(self, Y: Array, sample_weight: Array) -> Array:
        """Return the logit of the mean."""
        return _logit(weighted_mean(Y, sample_weight))


class SigmoidSquaredError(BinaryLogLoss):
    """Half the squared error of sigmoid units, (y - sigmoid(z))^2 / 2: the loss of the teaching notebook.

    Samples that are confidently wrong have hardly a gradient, which `BinaryLogLoss` mends.

    See Also
    --------
    Loss : What training and prediction ask of a loss.
    BinaryLogLoss : The default for two classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import SigmoidSquaredError
    >>> Y, Z = np.array([[1.0], [0.0]]), np.array([[2.0], [2.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 1))
    >>> SigmoidSquaredError().loss_gradient(Y, Z, values, gradient, np.empty((2, 1)))
    >>> values.round(3), gradient.ravel().round(3)
    (array([0.007, 0.388]), array([-0.013,  0.092]))
    """

    unit = None

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
        """Write the losses and the gradient, (a - Y) a (1 - a) with a = sigmoid(Z); see `Loss.loss_gradient`."""
        np.subtract(sigmoid_(Z), Y, gradient)
        np.multiply(gradient, gradient, scratch)
        sum_outputs(scratch, values)
        np.multiply(values, 0.5, values)
        _LOGISTIC.backward(Z, None, gradient)

    def gradient(self, Y: Array, Z: Array, gradient: Array, scratch: Array) -> None:
        """Write the gradient alone; see `Loss.gradient`."""
        np.subtract(sigmoid_(Z), Y, gradient)
        _LOGISTIC.backward(Z, None, gradient)


class CategoricalLogLoss(Loss):
    """Log-loss of a softmax over exclusive classes, log(sum_k exp(z_k)) - z_y (Bridle, 1990).

    Minus the logarithm of the likelihood, in nats: the default for three classes or more.

    See Also
    --------
    Loss : What training and prediction ask of a loss.
    BinaryLogLoss : That of two classes, or of several labels a sample.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import CategoricalLogLoss
    >>> Y, Z = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[2.0, 0.0], [2.0, 0.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 2))
    >>> CategoricalLogLoss().loss_gradient(Y, Z, values, gradient, np.empty((2, 2)))
    >>> values.round(3), gradient.ravel().round(3)
    (array([0.127, 2.127]), array([-0.119,  0.119,  0.881, -0.881]))
    """

    output_activation = "softmax"
    normalized = True
    unit = "nats"

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
        """Write the losses and the gradient, softmax(Z) - Y; see `Loss.loss_gradient`."""
        largest = np.maximum.reduce(Z, 1, None, values)
        np.subtract(Z, largest[:, np.newaxis], Z)
        np.multiply(Y, Z, scratch)
        np.exp(Z, gradient)
        # The raw scores are no longer needed: their memory takes the sums.
        total = Z.ravel("K")[: len(Z)]
        sum_outputs(gradient, total)
        np.divide(gradient, total[:, np.newaxis], gradient)
        np.subtract(gradient, Y, gradient)
        np.log(total, total)
        sum_outputs(scratch, values)
        np.subtract(total, values, values)

    def predict(self, Z: Array) -> Array:
        """Return the probability of each class; rows sum to one."""
        np.subtract(Z, np.maximum.reduce(Z, 1, None, None, True), Z)
        np.exp(Z, Z)
        return np.divide(Z, np.add.reduce(Z, 1, None, None, True), Z)

    def log_predict(self, Z: Array, complement: bool = False) -> Array:
        """Return the log-probability of each class (log-softmax); exact where the probability rounds to 0."""
        if complement:
            return super().log_predict(Z, complement)
        Z = Z - Z.max(axis=1, keepdims=True)
        return Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))

    def constant_scores(self, Y: Array, sample_weight: Array) -> Array:
        """Return the logarithm of the class frequencies."""
        return np.log(np.clip(weighted_mean(Y, sample_weight), 1e-12, None))


# By kind of target, as `sklearn.utils.multiclass.type_of_target` names it.
CLASSIFICATION_LOSSES: dict[str, dict[str, type[Loss]]] = {
    "log_loss": {
        "binary": BinaryLogLoss,
        "multiclass": CategoricalLogLoss,
        "multilabel-indicator": BinaryLogLoss,
    },
    "squared_error": {
        "binary": SigmoidSquaredError,
        "multiclass": SigmoidSquaredError,
        "multilabel-indicator": SigmoidSquaredError,
    },
}
