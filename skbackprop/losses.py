"""Losses on raw scores: value, gradient and prediction (the link) in one class.

A loss sees the network's raw scores `Z`, before the output activation, so a saturated unit has an exact loss. Losses are
in nats where they are negative log-likelihoods; each is summed over the outputs of a sample. To use one of your own, pass
an instance of a class with the methods of `Loss` to an estimator.
"""

from functools import cache

import numpy as np

from .activations import Logistic, sigmoid_

__all__ = ["CLASSIFICATION_LOSSES", "BinaryLogLoss", "CategoricalLogLoss", "Loss", "SigmoidSquaredError"]


_LOGISTIC = Logistic()


def _softplus(Z, out=None):
    """log(1 + exp(Z)) without overflow."""
    return np.logaddexp(0, Z, out, dtype=Z.dtype)


@cache
def _ones(size, dtype):
    return np.ones(size, dtype)


def _sum_outputs(A, values):
    """Write the sum over the outputs of each sample into `values`; a matrix-vector product is NumPy's fastest way."""
    A.dot(_ones(A.shape[1], A.dtype), values)


class Loss:
    """What training and prediction ask of a loss.

    Attributes
    ----------
    output_activation : str
        Name of the link from raw scores to predictions, reported as `out_activation_`.
    normalized : bool, default=False
        Whether the predictions for a sample sum to one.
    unit : str or None, default=None
        Unit of a loss: "nats" of a negative log-likelihood, None of a loss that is a plain number.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import BinaryLogLoss
    >>> Y, Z = np.array([[1.0], [0.0]]), np.array([[0.0], [0.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 1))
    >>> BinaryLogLoss().loss_gradient(Y, Z, values, gradient, np.empty((2, 1)))
    >>> values.round(3), gradient.ravel()
    (array([0.693, 0.693]), array([-0.5,  0.5]))
    """

    output_activation = "identity"
    normalized = False
    unit = None

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        """Write each sample's loss and its gradient with respect to the raw scores.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, n_outputs)
            Encoded targets; not changed.
        Z : ndarray of shape (n_samples, n_outputs)
            Raw scores; may be overwritten.
        values : ndarray of shape (n_samples,)
            Receives the losses.
        gradient : ndarray of shape (n_samples, n_outputs)
            Receives the gradient.
        scratch : ndarray of shape (n_samples, n_outputs)
            Room to work in; holds nothing afterwards.
        """
        raise NotImplementedError

    def gradient(self, Y, Z, gradient, scratch):
        """Write the gradient alone, for training that asks for no losses; arguments as in `loss_gradient`."""
        self.loss_gradient(Y, Z, np.empty(len(Z), Z.dtype), gradient, scratch)

    def predict(self, Z):
        """Return the predictions, of shape (n_samples, n_outputs), for raw scores `Z`, which may be overwritten."""
        raise NotImplementedError

    def predict_complement(self, Z):
        """Return one minus the predictions, exact near 0 in subclasses; `Z` may be overwritten."""
        return 1 - self.predict(Z)

    def log_predict(self, Z, complement=False):
        """Return the logarithm of the predictions for `Z`, or of one minus them; finite, and exact in subclasses."""
        prediction = self.predict_complement(Z.copy()) if complement else self.predict(Z.copy())
        return np.log(np.maximum(prediction, np.finfo(Z.dtype).tiny))

    def constant_scores(self, mean):
        """Return the raw scores, of shape (n_outputs,), of the best constant prediction for targets of this mean."""
        raise NotImplementedError

    def __repr__(self):
        return f"{type(self).__name__}()"


def _logit(mean):
    """Raw scores whose sigmoid is `mean`, finite at 0 and 1."""
    mean = np.clip(mean, 1e-12, 1 - 1e-12)
    return np.log(mean) - np.log1p(-mean)


class BinaryLogLoss(Loss):
    """Log-loss of independent sigmoid units, log(1 + exp(z)) - y z: two classes, or several labels a sample."""

    output_activation = "logistic"
    unit = "nats"

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        """Write the losses and the gradient, sigmoid(Z) - Y; see `Loss.loss_gradient`."""
        _softplus(Z, scratch)
        np.multiply(Y, Z, gradient)
        np.subtract(scratch, gradient, scratch)
        _sum_outputs(scratch, values)
        np.subtract(sigmoid_(Z), Y, gradient)

    def predict(self, Z):
        """Return the probability of each label."""
        return sigmoid_(Z)

    def predict_complement(self, Z):
        """Return the probability of each label's absence."""
        return sigmoid_(np.negative(Z, Z))

    def log_predict(self, Z, complement=False):
        """Return the log-probability of each label, or of its absence; exact where the probability rounds to 0 or 1."""
        return -_softplus(Z if complement else -Z)

    def constant_scores(self, mean):
        """Return the logit of the mean."""
        return _logit(mean)


class SigmoidSquaredError(BinaryLogLoss):
    """Half the squared error of sigmoid units, (y - sigmoid(z))^2 / 2: the loss of the teaching notebook."""

    unit = None

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        """Write the losses and the gradient, (a - Y) a (1 - a) with a = sigmoid(Z); see `Loss.loss_gradient`."""
        np.subtract(sigmoid_(Z), Y, gradient)
        np.multiply(gradient, gradient, scratch)
        _sum_outputs(scratch, values)
        np.multiply(values, 0.5, values)
        _LOGISTIC.backward(Z, None, gradient)

    def gradient(self, Y, Z, gradient, scratch):
        """Write the gradient alone; see `Loss.gradient`."""
        np.subtract(sigmoid_(Z), Y, gradient)
        _LOGISTIC.backward(Z, None, gradient)


class CategoricalLogLoss(Loss):
    """Log-loss of a softmax over exclusive classes, log(sum_k exp(z_k)) - z_y (Bridle, 1990)."""

    output_activation = "softmax"
    normalized = True
    unit = "nats"

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        """Write the losses and the gradient, softmax(Z) - Y; see `Loss.loss_gradient`."""
        largest = np.maximum.reduce(Z, 1, None, values)
        np.subtract(Z, largest[:, np.newaxis], Z)
        np.multiply(Y, Z, scratch)
        np.exp(Z, gradient)
        # The raw scores are no longer needed: their memory takes the sums.
        total = Z.ravel("K")[: len(Z)]
        _sum_outputs(gradient, total)
        np.divide(gradient, total[:, np.newaxis], gradient)
        np.subtract(gradient, Y, gradient)
        np.log(total, total)
        _sum_outputs(scratch, values)
        np.subtract(total, values, values)

    def predict(self, Z):
        """Return the probability of each class; rows sum to one."""
        np.subtract(Z, np.maximum.reduce(Z, 1, None, None, True), Z)
        np.exp(Z, Z)
        return np.divide(Z, np.add.reduce(Z, 1, None, None, True), Z)

    def log_predict(self, Z, complement=False):
        """Return the log-probability of each class (log-softmax); exact where the probability rounds to 0."""
        if complement:
            return super().log_predict(Z, complement)
        Z = Z - Z.max(axis=1, keepdims=True)
        return Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))

    def constant_scores(self, mean):
        """Return the logarithm of the class frequencies."""
        return np.log(np.clip(mean, 1e-12, None))


# By kind of target, as `sklearn.utils.multiclass.type_of_target` names it.
CLASSIFICATION_LOSSES = {
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
