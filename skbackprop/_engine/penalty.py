"""The L2 penalty on the weights: its value and its gradient."""

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
        sizes = [coef.size for coef in network.coefs]
        if isinstance(strengths, list):
            ends = list(accumulate(sizes, initial=0))
            parts = zip(map(slice, ends[:-1], ends[1:]), strengths, strict=True)
            self.strengths = strengths
        else:
            parts = [(slice(0, sum(sizes)), strengths)]
            self.strengths = [strengths] * len(sizes)
        self._network = network
        self._parts = [(part, float(strength)) for part, strength in parts if strength]

    def attach(self, gradient):
        """Note the gradient of the network's parameters that `add_gradient` adds to; return whether there is a penalty."""
        self._terms = [(self._network.theta[part], gradient[part], strength) for part, strength in self._parts]
        return bool(self._terms)

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
