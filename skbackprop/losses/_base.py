"""What every loss shares."""

from functools import cache

import numpy as np

from .._part import Part


@cache
def _ones(size, dtype):
    return np.ones(size, dtype)


def sum_outputs(A, values):
    """Write the sum over the outputs of each sample into `values`; a matrix-vector product is NumPy's fastest way."""
    A.dot(_ones(A.shape[1], A.dtype), values)


def weighted_mean(Y, sample_weight):
    """Return the weighted mean of each output, of shape (n_outputs,), without a copy of targets of a small type."""
    total = 0.0
    for rows in (slice(start, start + 10_000) for start in range(0, len(Y), 10_000)):
        total = total + sample_weight[rows] @ Y[rows].astype(np.float64)
    return total / sample_weight.sum()


class Loss(Part):
    """What training and prediction ask of a loss.

    Attributes
    ----------
    output_activation : str
        Name of the link from raw scores to predictions, reported as `out_activation_`.
    normalized : bool, default=False
        Whether the predictions for a sample sum to one.
    unit : str or None, default=None
        Unit of a loss: "nats" of a negative log-likelihood, None of a loss that is a plain number.
    shared : tuple of str, default=()
        Names of the estimator's parameters that are this part's settings when it is asked for by name.

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
        """Write the gradient alone, for training that asks for no losses; arguments as in `loss_gradient`.

        A subclass with a faster way of its own has the same numbers here as there.
        """
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

    def constant_scores(self, Y, sample_weight):
        """Return the raw scores, of shape (n_outputs,), of the best constant prediction for weighted targets."""
        raise NotImplementedError
