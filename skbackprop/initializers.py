"""Rules for the initial weights.

An initializer fills one layer at a time. Rules of your own are instances of a class with the method `fill`.
"""

import copy
import math

import numpy as np

from ._part import Array, Part
from .activations import Activation, Identity

__all__ = ["INITIALIZERS", "Glorot", "Initializer", "NearIdentity", "Uniform"]


class Initializer(Part):
    """What the network asks of a rule for the initial weights.

    One of your own is a class with the method `fill`; what else is asked for is taken from here.

    Attributes
    ----------
    output_scale : float, default=1.0
        Factor on the parameters of the output layer, once they are filled.

    See Also
    --------
    INITIALIZERS : The rules that have a name.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.initializers import Uniform
    >>> coef, intercept = np.empty((2, 3)), np.empty(3)
    >>> Uniform().fill(coef, intercept, None, None, np.random.RandomState(0))
    >>> bool(np.all(np.abs(coef) < 1))
    True
    """

    output_scale: float = 1.0

    def for_inputs(self, n_features: float) -> "Initializer":
        """Return the rule for inputs of so many features that count, here itself; see `NearIdentity`.

        Parameters
        ----------
        n_features : float
            Mean squared norm of a row of inputs.

        Returns
        -------
        rule : Initializer
            The rule that fills the layers.
        """
        return self

    def fill(self, coef: Array, intercept: Array | None, fed_by: Activation | None, activation: Activation | None,
             random_state: np.random.RandomState) -> None:  # fmt: skip
        """Fill the parameters of one layer.

        Parameters
        ----------
        coef : ndarray of shape (fan_in, fan_out)
            Receives the weights.
        intercept : ndarray of shape (fan_out,) or None
            Receives the biases; None in a network without them.
        fed_by : Activation or None
            Activation of the layer below; None for the inputs.
        activation : Activation or None
            Activation of this layer; for the output layer that of the last hidden one; None if there is none.
        random_state : numpy.random.RandomState
            Source of the draws.
        """
        raise NotImplementedError


def _fill_uniform(coef, intercept, bound, random_state):
    coef[...] = random_state.uniform(-bound, bound, coef.shape)
    if intercept is not None:
        intercept[...] = random_state.uniform(-bound, bound, intercept.shape)


class Uniform(Initializer):
    """Weights and biases from U(-1, 1), the rule of the teaching notebook; see `Initializer.fill`.

    The weights are large where a layer has many inputs: it is there for the notebook's sake.

    See Also
    --------
    Initializer : What the network asks of a rule for the initial weights.
    Glorot : Weights whose size depends on the size of the layer.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.initializers import Uniform
    >>> coef, intercept = np.empty((1, 2)), np.empty(2)
    >>> Uniform().fill(coef, intercept, None, None, np.random.RandomState(0))
    >>> coef.round(3), intercept.round(3)
    (array([[0.098, 0.43 ]]), array([0.206, 0.09 ]))
    """

    def fill(self, coef: Array, intercept: Array | None, fed_by: Activation | None, activation: Activation | None,
             random_state: np.random.RandomState) -> None:  # fmt: skip
        """Fill the parameters of one layer; see `Initializer.fill`."""
        _fill_uniform(coef, intercept, 1.0, random_state)


class Glorot(Initializer):
    """Weights and biases from U(-b, b), b^2 = 6 / (fan_in + fan_out), or 2 for logistic units (Glorot and Bengio, 2010).

    This is scikit-learn's rule, with scikit-learn's order of draws: the same seed gives the same weights.

    See Also
    --------
    Initializer : What the network asks of a rule for the initial weights.
    NearIdentity : The default, by which deep sigmoid networks learn.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import Tanh
    >>> from skbackprop.initializers import Glorot
    >>> coef, intercept = np.empty((1, 2)), np.empty(2)
    >>> Glorot().fill(coef, intercept, None, Tanh(), np.random.RandomState(0))
    >>> coef.round(3), intercept.round(3)
    (array([[0.138, 0.609]]), array([0.291, 0.127]))
    """

    def fill(self, coef: Array, intercept: Array | None, fed_by: Activation | None, activation: Activation | None,
             random_state: np.random.RandomState) -> None:  # fmt: skip
        """Fill the parameters of one layer; see `Initializer.fill`."""
        bound = np.sqrt((activation or Identity()).glorot_factor / sum(coef.shape))
        _fill_uniform(coef, intercept, bound, random_state)


class NearIdentity(Initializer):
    """Weights of variance gain / fan_in, which keep the signal's mean at zero and its variance from layer to layer.

    They are made for standardised inputs.

    The units that feed a layer say what `gain` it needs, and what their `mean` is; times the sum of its weights the bias
    takes that away. Near 0 the sigmoid is 1/2 + z/4, so a layer fed by sigmoid units gets weights of variance 16 / fan_in,
    and a bias of minus half the sum of its weights; one fed by rectified units gets variance 2 / fan_in (He et al., 2015),
    and most others 1 / fan_in (LeCun et al., 1998), without bias. Sigmoid units fed by the inputs divide the data among
    them (Nguyen and Widrow, 1990): with few inputs each unit bends sharply, in a part of its own; with many it is nearly
    linear. The variance of their raw scores is `sharpness` fan_out^(2 / fan_in), but 64 at most, and their biases come from
    between minus and plus its root, which spreads their thresholds over the data. The output layer gets a quarter of that,
    so that training starts near a constant prediction and adds only what the data ask for. A network without hidden layers
    has no symmetry to break and starts at zero weights, but not at zero bias: on centred data, the gradient of that would
    be rounding alone, which Adam would make a step of.

    Parameters
    ----------
    sharpness : float, default=1.5
        How sharply sigmoid units fed by the inputs bend. The larger, the finer the structure that is soon learnt, and the
        more noise.
    n_features : float, default=None
        In place of the first layer's fan_in: the mean squared norm of a row of inputs, to which columns that are nearly
        always the same contribute little; by default that of standardised inputs, or all columns of others.

    See Also
    --------
    Initializer : What the network asks of a rule for the initial weights.
    Glorot : The rule of scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.activations import Logistic
    >>> from skbackprop.initializers import NearIdentity
    >>> coef, intercept = np.empty((1, 2)), np.empty(2)
    >>> NearIdentity().fill(coef, intercept, Logistic(), Logistic(), np.random.RandomState(0))
    >>> coef.round(3), intercept.round(3)
    (array([[0.676, 2.982]]), array([-0.338, -1.491]))
    """

    output_scale = 0.25

    def __init__(self, sharpness: float = 1.5, n_features: float | None = None) -> None:
        self.sharpness = sharpness
        self.n_features = n_features

    def for_inputs(self, n_features: float) -> "Initializer":
        """Return the rule for inputs of so many features that count, and of at least one, unless it has been told."""
        rule = copy.copy(self)
        rule.n_features = self.n_features or max(n_features, 1.0)
        return rule

    def variance(self, coef: Array, fed_by: Activation | None, activation: Activation | None) -> float:
        """Return the variance of a layer's initial weights, the output layer's before its quarter.

        The penalty goes by it, too; without hidden layers there is one, though the weights start at zero.

        Parameters
        ----------
        coef : ndarray of shape (fan_in, fan_out)
            Weights of the layer, of which the shape counts.
        fed_by : Activation or None
            Activation of the layer below; None for the inputs.
        activation : Activation or None
            Activation of this layer; for the output layer that of the last hidden one; None if there is none.

        Returns
        -------
        variance : float
            The variance.
        """
        fan_in, fan_out = coef.shape
        if fed_by is not None:
            return fed_by.gain / fan_in
        fan_in = self.n_features or fan_in
        divides_inputs = activation is not None and activation.divides_inputs
        return (min(self.sharpness * fan_out ** (2 / fan_in), 64.0) if divides_inputs else 1.0) / fan_in

    def fill(self, coef: Array, intercept: Array | None, fed_by: Activation | None, activation: Activation | None,
             random_state: np.random.RandomState) -> None:  # fmt: skip
        """Fill the parameters of one layer; see `Initializer.fill`."""
        variance = 0.0 if activation is None else self.variance(coef, fed_by, activation)
        bound = math.sqrt(3.0 * variance)
        coef[...] = random_state.uniform(-bound, bound, coef.shape)
        if intercept is None:
            return
        if activation is None:
            intercept[...] = random_state.uniform(-0.1, 0.1, intercept.shape)
        elif fed_by is None and activation.divides_inputs:
            width = math.sqrt(variance * (self.n_features or coef.shape[0]))
            intercept[...] = width * random_state.uniform(-1.0, 1.0, intercept.shape)
        else:
            intercept[...] = -fed_by.mean * coef.sum(axis=0) if fed_by is not None and fed_by.mean else 0.0


INITIALIZERS: dict[str, Initializer] = {"auto": NearIdentity(), "glorot": Glorot(), "uniform": Uniform()}
