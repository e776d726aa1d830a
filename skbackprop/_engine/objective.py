"""The objective, which training descends: the loss of a network on a batch, with its penalty; and losses of predictions."""

import math

import numpy as np

from .network import Propagation
from .penalty import Penalty
from .prediction import raw_scores

# Overflow and NaN are looked for in the loss, once an epoch; NumPy's warnings about them are silenced around the loop.
QUIET = {"over": "ignore", "invalid": "ignore", "divide": "ignore", "under": "ignore"}
# Of no more sizes of batches are buffers kept, where samples come in ever other numbers.
MOST_SIZES = 8


class Objective:
    """The loss of a network on a batch, penalty included, and its gradient.

    Parameters
    ----------
    network : Network
    loss : Loss
    penalty : Penalty, default=None
    dropout : float, default=0.0
    generator : numpy.random.Generator, default=None
        See `Propagation`.
    own_weight : bool, default=False
        Whether the losses of a batch are divided by its own weight, as in scikit-learn, not by its number of samples, which
        leaves a light sample light in whatever company.

    Attributes
    ----------
    gradient : ndarray of shape (n_parameters,)
        The gradient of the last call.
    coef_gradients : list of ndarray
        The parts of it that are gradients of weight matrices.
    """

    def __init__(self, network, loss, penalty=None, dropout=0.0, generator=None, own_weight=False):
        self.network = network
        self.gradient = np.empty_like(network.theta)
        self.coef_gradients, _ = network.layer_views(self.gradient)
        self.dropout = dropout, generator
        self.own_weight = own_weight
        self._propagations = {}
        self.renew(loss, Penalty(network) if penalty is None else penalty)

    def renew(self, loss, penalty):
        """Take another loss of the same kind, and another penalty."""
        self.loss = loss
        self.penalty = penalty
        self._is_penalised = penalty.attach(self.gradient)
        if len(self._propagations) > MOST_SIZES:
            self._propagations.clear()

    def __call__(self, X, Y, sample_weight=None, scale=None, with_value=True):
        """Return the loss, and leave its gradient in `gradient`.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_rows, n_features)
        Y : ndarray of shape (n_rows, n_outputs)
            Encoded targets.
        sample_weight : ndarray of shape (n_rows, 1), default=None
            Weights, with a mean of 1 over all training samples.
        scale : float, default=1 / n_rows
            Factor on the sum over the samples; by default one over their number, or weight if `own_weight`.
        with_value : bool, default=True
            Whether the loss itself is asked for.

        Returns
        -------
        value : float
            The loss, in the unit of the loss a sample; NaN if not asked for.
        """
        n_rows = X.shape[0]
        propagation = self._propagations.get(n_rows) or self.propagation(n_rows)
        if scale is None:
            scale = 1.0 / n_rows
            if self.own_weight and sample_weight is not None:
                # Without any weight there is nothing to divide.
                scale = 1.0 / (float(sample_weight.sum()) or n_rows)
        Z = propagation.forward(X)
        values = propagation.values
        delta = propagation.delta
        if with_value:
            self.loss.loss_gradient(Y, Z, values, delta, propagation.scratch)
        else:
            self.loss.gradient(Y, Z, delta, propagation.scratch)
        if scale != 1.0:
            np.multiply(delta, scale, delta)
        if sample_weight is not None:
            np.multiply(delta, sample_weight, delta)
        propagation.backward(X)
        if self._is_penalised:
            self.penalty.add_gradient(scale)
        if not with_value:
            return math.nan
        # A product with ones is the fastest sum.
        total = values.dot(propagation.last.ones if sample_weight is None else sample_weight[:, 0])
        return scale * (float(total) + self.penalty.value())

    def propagation(self, n_rows):
        """Return the forward and backward pass over batches of so many rows, made when it is first asked for."""
        if n_rows not in self._propagations:
            self._propagations[n_rows] = Propagation(self.network, self.gradient, n_rows, *self.dropout)
        return self._propagations[n_rows]


def sample_losses(loss, Y, Z):
    """Return each sample's loss, of shape (n_samples,), at the price of the raw scores `Z`."""
    values = np.empty(len(Z), Z.dtype)
    with np.errstate(**QUIET):
        loss.loss_gradient(Y.astype(Z.dtype), Z, values, np.empty_like(Z), np.empty_like(Z))
    return values


def mean_loss(loss, network, X, Y, sample_weight=None):
    """Return the mean loss, without penalty, of a network on samples; weighted if weights are given."""
    with np.errstate(**QUIET):
        Z = raw_scores(network.coefs, network.intercepts, network.activations, X)
    return float(np.average(sample_losses(loss, Y, Z), weights=sample_weight))


def constant_scores(loss, Y, sample_weight=None):
    """Return the raw scores of the best constant prediction, of shape (n_outputs,)."""
    return loss.constant_scores(Y, np.ones(len(Y)) if sample_weight is None else sample_weight)


def base_rate_losses(loss, Y, sample_weight=None):
    """Return each sample's loss by the best constant prediction, times its weight; of shape (n_samples,), in float64."""
    weight = np.ones(len(Y)) if sample_weight is None else sample_weight
    scores = np.asarray(loss.constant_scores(Y, weight), np.float64)
    losses = np.empty(len(Y))
    # In chunks, for the targets may be many and of a type much smaller than float64.
    for rows in (slice(start, start + 10_000) for start in range(0, len(Y), 10_000)):
        Z = np.array(np.broadcast_to(scores, Y[rows].shape))
        losses[rows] = weight[rows] * sample_losses(loss, Y[rows], Z)
    return losses


def base_rate_loss(loss, Y, sample_weight=None):
    """Return the mean loss of the best constant prediction: what a network that has learnt nothing gets."""
    total = len(Y) if sample_weight is None else float(sample_weight.sum())
    return float(base_rate_losses(loss, Y, sample_weight).sum()) / total
