"""Losses of numbers."""

import numpy as np
from scipy.special import xlogy

from .._part import Array
from ._base import Loss, sum_outputs, weighted_mean


def _quantile(Y, sample_weight, quantile):
    """Return a weighted quantile of each output, of shape (n_outputs,): the least value with enough weight up to it."""
    order = np.argsort(Y, axis=0)
    weight_up_to = np.cumsum(sample_weight[order], axis=0, dtype=np.float64)
    position = (weight_up_to < quantile * weight_up_to[-1]).sum(axis=0)
    return np.take_along_axis(Y, np.take_along_axis(order, position[np.newaxis], axis=0), axis=0)[0]


class RegressionLoss(Loss):
    """What regression asks of a loss beyond `Loss`: how its targets may be standardised.

    One of your own is a class with the methods of `Loss`, as far as they are asked for there, and `location_scale`.

    Attributes
    ----------
    log_link : bool, default=False
        Whether the prediction is exp(z), so that a factor on the targets is a shift of the raw scores.
    least_target : float, default=-inf
        Targets must be larger than this, or may be equal if `least_included`.
    least_included : bool, default=True

    See Also
    --------
    Loss : What training and prediction ask of a loss.
    REGRESSION_LOSSES : The losses of numbers that have a name.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import SquaredError
    >>> location, scale = SquaredError().location_scale(np.array([[1.0], [3.0]]), np.ones(2))
    >>> location, scale
    (array([2.]), array([1.]))
    """

    log_link: bool = False
    least_target: float = -np.inf
    least_included: bool = True

    def location_scale(self, Y: Array, sample_weight: Array) -> tuple[Array, Array]:
        """Return what standardising takes off each output, and what it divides by.

        With a log link nothing is taken off.

        Parameters
        ----------
        Y : ndarray of shape (n_samples, n_outputs)
            Encoded targets.
        sample_weight : ndarray of shape (n_samples,)
            Weights of the samples.

        Returns
        -------
        location : ndarray of shape (n_outputs,)
            What is taken off.
        scale : ndarray of shape (n_outputs,)
            What is divided by.
        """
        location = weighted_mean(Y, sample_weight)
        return location, np.sqrt(weighted_mean((Y - location) ** 2, sample_weight))

    def predict(self, Z: Array) -> Array:
        """Return the predictions for raw scores `Z`: these themselves."""
        return Z


class SquaredError(RegressionLoss):
    """Half the squared error, (y - z)^2 / 2: the mean is learnt (Gauss, 1809).

    The default; targets that are far out weigh much.

    See Also
    --------
    RegressionLoss : What regression asks of a loss.
    HuberLoss : Heeds targets that are far out less.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import SquaredError
    >>> Y, Z = np.array([[1.0], [3.0]]), np.array([[2.0], [1.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 1))
    >>> SquaredError().loss_gradient(Y, Z, values, gradient, np.empty((2, 1)))
    >>> values.round(3), gradient.ravel().round(3)
    (array([0.5, 2. ]), array([ 1., -2.]))
    """

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
        """Write the losses and the gradient, Z - Y; see `Loss.loss_gradient`."""
        np.subtract(Z, Y, gradient)
        np.multiply(gradient, gradient, scratch)
        sum_outputs(scratch, values)
        np.multiply(values, 0.5, values)

    def constant_scores(self, Y: Array, sample_weight: Array) -> Array:
        """Return the mean."""
        return weighted_mean(Y, sample_weight)


class Quantile(RegressionLoss):
    """The pinball loss, max(q (y - z), (1 - q) (z - y)): the quantile q is learnt (Koenker and Bassett, 1978).

    Targets are standardised by median and interquartile range, which outliers do not move.

    Parameters
    ----------
    quantile : float, default=0.5
        In (0, 1).

    See Also
    --------
    RegressionLoss : What regression asks of a loss.
    AbsoluteError : The quantile 0.5, doubled.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import Quantile
    >>> Y, Z = np.array([[1.0], [3.0]]), np.array([[2.0], [1.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 1))
    >>> Quantile(quantile=0.9).loss_gradient(Y, Z, values, gradient, np.empty((2, 1)))
    >>> values.round(3), gradient.ravel().round(3)
    (array([0.1, 1.8]), array([ 0.1, -0.9]))
    """

    shared = ("quantile",)

    def __init__(self, quantile: float = 0.5) -> None:
        self.quantile = quantile

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
        """Write the losses and the gradient, 1 - q above the target and -q below; see `Loss.loss_gradient`."""
        np.subtract(Z, Y, Z)
        np.multiply(Z, 1 - self.quantile, scratch)
        np.multiply(Z, -self.quantile, gradient)
        np.maximum(scratch, gradient, out=scratch)
        sum_outputs(scratch, values)
        np.greater(Z, 0, out=gradient)
        np.subtract(gradient, self.quantile, gradient)

    def location_scale(self, Y: Array, sample_weight: Array) -> tuple[Array, Array]:
        """Return median and interquartile range, the latter so that it is the standard deviation of normal targets."""
        median, lower, upper = (_quantile(Y, sample_weight, q) for q in (0.5, 0.25, 0.75))
        spread = (upper - lower) / 1.349
        # Most targets are the same: what spread there is has to do.
        return median, np.where(spread > 0, spread, np.sqrt(weighted_mean((Y - median) ** 2, sample_weight)))

    def constant_scores(self, Y: Array, sample_weight: Array) -> Array:
        """Return the quantile."""
        return _quantile(Y, sample_weight, self.quantile)


class AbsoluteError(Quantile):
    """The absolute error, abs(y - z): the median is learnt (Laplace, 1774).

    Targets that are far out weigh no more than others.

    See Also
    --------
    RegressionLoss : What regression asks of a loss.
    Quantile : Quantiles other than the median.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import AbsoluteError
    >>> Y, Z = np.array([[1.0], [3.0]]), np.array([[2.0], [1.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 1))
    >>> AbsoluteError().loss_gradient(Y, Z, values, gradient, np.empty((2, 1)))
    >>> values.round(3), gradient.ravel().round(3)
    (array([1., 2.]), array([ 1., -1.]))
    """

    shared = ()

    def __init__(self) -> None:
        super().__init__(quantile=0.5)

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
        """Write the losses and the gradient, the sign of Z - Y; see `Loss.loss_gradient`."""
        np.subtract(Z, Y, Z)
        np.abs(Z, scratch)
        sum_outputs(scratch, values)
        np.sign(Z, gradient)


class HuberLoss(RegressionLoss):
    """Half the squared error up to `delta`, beyond it linear, delta (abs(y - z) - delta / 2) (Huber, 1964).

    Targets are standardised by median and interquartile range, so by default the bend is where 18 % of normal targets lie
    beyond it.

    Parameters
    ----------
    delta : float, default=1.35
        Where the loss becomes linear, in units of the standardised targets.

    See Also
    --------
    RegressionLoss : What regression asks of a loss.
    AbsoluteError : Linear throughout.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import HuberLoss
    >>> Y, Z = np.array([[1.0], [3.0]]), np.array([[2.0], [1.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 1))
    >>> HuberLoss(delta=1.0).loss_gradient(Y, Z, values, gradient, np.empty((2, 1)))
    >>> values.round(3), gradient.ravel().round(3)
    (array([0.5, 1.5]), array([ 1., -1.]))
    """

    def __init__(self, delta: float = 1.35) -> None:
        self.delta = delta

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
        """Write the losses and the gradient, Z - Y within [-delta, delta]; see `Loss.loss_gradient`."""
        np.subtract(Z, Y, Z)
        np.clip(Z, -self.delta, self.delta, gradient)
        # g (z - y) - g^2 / 2 is both branches in one.
        np.multiply(gradient, -0.5, scratch)
        np.add(scratch, Z, scratch)
        np.multiply(scratch, gradient, scratch)
        sum_outputs(scratch, values)

    location_scale = Quantile.location_scale

    def constant_scores(self, Y: Array, sample_weight: Array) -> Array:
        """Return the M-estimate of location."""
        median, weight = _quantile(Y, sample_weight, 0.5).astype(np.float64), sample_weight / np.sum(sample_weight)
        # At most so far from the median: beyond, half the weight at least pulls back with all its force. The difference
        # may be infinite, which pulls as any large one does.
        low, high = np.full_like(median, -self.delta), np.full_like(median, self.delta)
        with np.errstate(over="ignore"):
            difference = Y - median
            for _ in range(60):
                middle = 0.5 * (low + high)
                upwards = weight @ np.clip(difference - middle, -self.delta, self.delta) > 0
                low, high = np.where(upwards, middle, low), np.where(upwards, high, middle)
            return median + high


class PoissonDeviance(RegressionLoss):
    """Half the Poisson deviance, exp(z) - y z + y log y - y: the mean of counts is learnt (Nelder and Wedderburn, 1972).

    The network learns the logarithm of the mean, and the predictions are positive.

    See Also
    --------
    RegressionLoss : What regression asks of a loss.
    GammaDeviance : The same link, for positive and skewed targets.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import PoissonDeviance
    >>> Y, Z = np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 1))
    >>> PoissonDeviance().loss_gradient(Y, Z, values, gradient, np.empty((2, 1)))
    >>> values.round(3), gradient.ravel().round(3)
    (array([0.   , 0.014]), array([ 0.   , -0.282]))
    """

    output_activation = "exp"
    unit = "nats"
    log_link = True
    least_target = 0.0

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
        """Write the losses and the gradient, exp(Z) - Y; see `Loss.loss_gradient`."""
        np.exp(Z, gradient)
        np.multiply(Y, Z, Z)
        xlogy(Y, Y, scratch)
        np.subtract(scratch, Z, scratch)
        np.subtract(gradient, Y, gradient)
        np.add(scratch, gradient, scratch)
        sum_outputs(scratch, values)

    def location_scale(self, Y: Array, sample_weight: Array) -> tuple[Array, Array]:
        """Return zeros and the means."""
        mean = weighted_mean(Y, sample_weight)
        return np.zeros_like(mean), mean

    def predict(self, Z: Array) -> Array:
        """Return exp(Z), the mean."""
        return np.exp(Z, Z)

    def constant_scores(self, Y: Array, sample_weight: Array) -> Array:
        """Return the logarithm of the mean, finite at 0."""
        return np.log(np.maximum(weighted_mean(Y, sample_weight), np.finfo(np.float64).tiny))


class GammaDeviance(PoissonDeviance):
    """Half the gamma deviance, z + y exp(-z) - log y - 1: the mean is learnt, of positive and skewed targets.

    The source is Nelder and Wedderburn (1972).

    See Also
    --------
    RegressionLoss : What regression asks of a loss.
    PoissonDeviance : The same link, for counts.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.losses import GammaDeviance
    >>> Y, Z = np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    >>> values, gradient = np.empty(2), np.empty((2, 1))
    >>> GammaDeviance().loss_gradient(Y, Z, values, gradient, np.empty((2, 1)))
    >>> values.round(3), gradient.ravel().round(3)
    (array([0.   , 0.005]), array([ 0.   , -0.104]))
    """

    least_included = False

    def loss_gradient(self, Y: Array, Z: Array, values: Array, gradient: Array, scratch: Array) -> None:
        """Write the losses and the gradient, 1 - Y exp(-Z); see `Loss.loss_gradient`."""
        np.negative(Z, scratch)
        np.exp(scratch, scratch)
        np.multiply(Y, scratch, scratch)
        np.subtract(1, scratch, gradient)
        np.subtract(Z, gradient, Z)
        np.log(Y, scratch)
        np.subtract(Z, scratch, scratch)
        sum_outputs(scratch, values)


REGRESSION_LOSSES: dict[str, type[RegressionLoss]] = {
    "squared_error": SquaredError,
    "absolute_error": AbsoluteError,
    "huber": HuberLoss,
    "poisson": PoissonDeviance,
    "quantile": Quantile,
    "gamma": GammaDeviance,
}
