"""Losses with the values that scikit-learn's networks report, and that their stopping and their line search go by."""

import numpy as np

from ._base import sum_outputs
from ._classification import BinaryLogLoss, CategoricalLogLoss
from ._regression import SquaredError


class RoundedBinaryLogLoss(BinaryLogLoss):
    """A log-loss valued by probabilities that are rounded, and kept from 0 and 1."""

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        """Write the losses and the gradient, A - Y with the probabilities A; see `Loss.loss_gradient`."""
        A = self._rounded(Y, Z, gradient)
        # The probability of the label, A, or of its absence, 1 - A.
        np.subtract(1, Y, scratch)
        np.subtract(A, scratch, A)
        np.log(np.abs(A, A), A)
        sum_outputs(A, values)
        np.negative(values, values)

    def _rounded(self, Y, Z, gradient):
        """Write the gradient, and return the probabilities to take the logarithms of, over the raw scores."""
        A = self.predict(Z)
        np.subtract(A, Y, gradient)
        least = np.finfo(A.dtype).eps
        return np.clip(A, least, 1 - least, A)


class RoundedCategoricalLogLoss(CategoricalLogLoss):
    """The same of exclusive classes."""

    _rounded = RoundedBinaryLogLoss._rounded

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        """Write the losses and the gradient, A - Y with the probabilities A; see `Loss.loss_gradient`."""
        A = self._rounded(Y, Z, gradient)
        np.log(A, A)
        np.multiply(A, Y, A)
        sum_outputs(A, values)
        np.negative(values, values)


class MeanSquaredError(SquaredError):
    """The squared error valued by its mean over the outputs, although it is the sum that is descended."""

    def loss_gradient(self, Y, Z, values, gradient, scratch):
        """Write the losses and the gradient; see `Loss.loss_gradient`."""
        super().loss_gradient(Y, Z, values, gradient, scratch)
        np.divide(values, Y.shape[1], values)


# By the class of the loss that they are, valued exactly.
AS_THERE = {
    BinaryLogLoss: RoundedBinaryLogLoss,
    CategoricalLogLoss: RoundedCategoricalLogLoss,
    SquaredError: MeanSquaredError,
}
