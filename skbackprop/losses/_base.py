"""What every loss shares."""

from functools import cache

import numpy as np

from .._part import Array, Part


@cache
def _ones(size, dtype):
    return np.ones(size, dtype)


def sum_outputs(A: Array, values: Array) -> None:
    """Write the sum over the outputs of each sample into `values`; a matrix-vector product is NumPy's fastest way."""
    A.dot(_ones(A.shape[1], A.dtype), values)


def weighted_mean(Y: Array, sample_weight: Array) -> Array:
    """Return the weighted mean of each output, of shape (n_outputs,), without a copy of targets of a small type."""
    total = 0.0
    for rows in (slice(start, start + 10_000) for start in range(0, len(Y), 10_000)):
        total = total + sample_weight[rows] @ Y[rows].astype(np.float64)
    return total / sample_weight.sum()


class Loss(Part):
    """What training and prediction ask of a loss.

    One of your own is a class with the methods `loss_gradient`, `predict` and `constant_scores`; what else is asked for is
    taken from here.

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

    See Also
    --------
    CLASSIFICATION_LOSSES : The losses of labels that have a name.
    RegressionLoss : What regression asks for besides.
    skbackprop.inspection.check_gradients : Whether the gradient of one of your own is right.

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

    output_activation: str = "identity"
    normalized: bool = False
    unit: str | None = None

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
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

    def gradient(self, Y: Array, Z: Array, gradient: Array, scratch: Array) -> None:
        """Write the gradient alone, for training that asks for no losses.

        A subclass with a faster way of its own has the same numbers here as in `loss_gradient`.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, n_outputs)
            Encoded targets; not changed.
        Z : ndarray of shape (n_samples, n_outputs)
            Raw scores; may be overwritten.
        gradient : ndarray of shape (n_samples, n_outputs)
            Receives the gradient.
        scratch : ndarray of shape (n_samples, n_outputs)
            Room to work in; holds nothing afterwards.
        """
        self.loss_gradient(Y, Z, np.empty(len(Z), Z.dtype), gradient, scratch)

    def predict(self, Z: Array) -> Array:
        """Return the predictions for raw scores.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_outputs)
            Raw scores; may be overwritten.

        Returns
        -------
        prediction : ndarray of shape (n_samples, n_outputs)
            Such as probabilities.
        """
        raise NotImplementedError

    def predict_complement(self, Z: Array) -> Array:
        """Return one minus the predictions, exact near 0 in subclasses.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_outputs)
            Raw scores; may be overwritten.

        Returns
        -------
        complement : ndarray of shape (n_samples, n_outputs)
            Such as the probabilities that a label is absent.
        """
        return 1 - self.predict(Z)

    def log_predict(self, Z: Array, complement: bool = False) -> Array:
        """Return the logarithm of the predictions, or of one minus them; finite, and exact in subclasses.

        Parameters
        ----------
        Z : ndarray of shape (n_samples, n_outputs)
            Raw scores; not changed.
        complement : bool, default=False
            Whether to return that of one minus the predictions.

        Returns
        -------
        logarithm : ndarray of shape (n_samples, n_outputs)
            In nats.
        """
        prediction = self.predict_complement(Z.copy()) if complement else self.predict(Z.copy())
        return np.log(np.maximum(prediction, np.finfo(Z.dtype).tiny))

    def constant_scores(self, Y: Array, sample_weight: Array) -> Array:
        """Return the raw scores of the best constant prediction for weighted targets.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, n_outputs)
            Encoded targets.
        sample_weight : ndarray of shape (n_samples,)
            Weights of the samples.

        Returns
        -------
        scores : ndarray of shape (n_outputs,)
            A raw score for each output.
        """
        raise NotImplementedError
