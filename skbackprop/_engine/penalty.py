"""The L2 penalty on the weights: its value, its gradient, and what it does after an epoch."""

from .._blas import add_multiple

# Share of noise that is taken for granted: targets without any are still best learnt with some penalty.
LEAST_NOISE = 0.05


class Penalty:
    """1/2 strength |W|^2, which is divided by the total weight of the batch; biases are free.

    Parameters
    ----------
    network : Network
    strength : float, default=0.0

    Attributes
    ----------
    strength : float
        The parameter.
    noise : float
        Share of the full strength that is in force; 1 for a penalty that stays as it is.
    """

    noise = 1.0

    def __init__(self, network, strength=0.0):
        self.network = network
        self.strength = strength

    def value(self):
        """Return the penalty, before the division by the total weight of a batch."""
        weights = self.network.weights
        return 0.5 * self.strength * float(weights.dot(weights)) if self.strength else 0.0

    def add_gradient(self, weight_gradient, scale):
        """Add the penalty's gradient, times `scale`, to that of the weights."""
        add_multiple(self.network.weights, weight_gradient, self.strength * scale)

    def after_epoch(self, loss, batches_a_sample):
        """Do nothing: this penalty stays as it is.

        Parameters
        ----------
        loss : float
            Mean loss of the epoch, penalty included.
        batches_a_sample : float
            Inverse of the mean number of samples in a batch.
        """


class NoisePenalty(Penalty):
    """A penalty that follows the noise in the targets: the share of their base rate's loss that is still left.

    A penalty on weights stands for a normal prior, which counts against a likelihood; a squared error becomes one by
    division by the variance of the noise. Here the penalty is multiplied by it instead.

    Parameters
    ----------
    network : Network
    strength : float
        Where the targets are all noise.
    base_rate : float
        Loss of the best constant prediction, above 0.
    noise : float, default=1.0
        Share of noise to begin with, in [LEAST_NOISE, 1].
    """

    def __init__(self, network, strength, base_rate, noise=1.0):
        super().__init__(network, noise * strength)
        self.full_strength = strength
        self.base_rate = base_rate
        self.noise = noise

    def after_epoch(self, loss, batches_a_sample):
        """Set the strength by the noise that the epoch left; see `Penalty.after_epoch`."""
        unexplained = (loss - batches_a_sample * self.value()) / self.base_rate
        # Written so that a loss that is not a number leaves the penalty as it is.
        if unexplained >= 0:
            self.noise = min(max(unexplained, LEAST_NOISE), 1.0)
            self.strength = self.noise * self.full_strength
