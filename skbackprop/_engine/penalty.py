"""The L2 penalty on the weights: its value and its gradient."""

from functools import cached_property
from itertools import accumulate

from .._blas import add_multiple


class Penalty:
    """1/2 sum_l strength_l |W_l|^2, which is divided by the number of samples in the batch; biases are free.

    Parameters
    ----------
    network : Network
    strengths : float or list of float, default=0.0
        One for all weights, or one for each layer.

    Attributes
    ----------
    strengths : list of float
        One for each layer.
    """

    def __init__(self, network, strengths=0.0):
        self._network, self._by_layer = network, isinstance(strengths, list)
        self.strengths = strengths if self._by_layer else [strengths] * len(network.coefs)

    def attach(self, gradient):
        """Note the gradient of the network's parameters that `add_gradient` adds to; return whether there is a penalty."""
        self._gradient = gradient
        return any(self.strengths)

    @cached_property
    def _terms(self):
        """Weights, the part of the gradient that is theirs, and their strength; the compiled engine does without."""
        network = self._network
        ends = list(accumulate([coef.size for coef in network.coefs], initial=0))
        parts = zip(map(slice, ends[:-1], ends[1:]), self.strengths, strict=True)
        if not self._by_layer:
            parts = [(slice(0, network.n_weights), self.strengths[0])]
        return [(network.theta[part], self._gradient[part], float(strength)) for part, strength in parts if strength]

    def value(self):
        """Return the penalty, before the division by the number of samples in a batch."""
        value = 0.0
        for weights, _, strength in self._terms:
            value += 0.5 * strength * float(weights.dot(weights))
        return value

    def add_gradient(self, scale):
        """Add the penalty's gradient, times `scale`, to that of the weights."""
        for weights, gradient, strength in self._terms:
            add_multiple(weights, gradient, strength * scale)
