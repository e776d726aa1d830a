"""The gradient loop: a generator that yields one epoch after another, and the judge of when to stop.

The loop knows nothing of validation data, patience or printing; whoever runs it looks at each epoch and breaks off.
"""

import math
from time import perf_counter
from typing import NamedTuple

import numpy as np

from ._blas import add_multiple
from ._network import Propagation, raw_scores

# Overflow and NaN are looked for in the loss, once an epoch; NumPy's warnings about them are silenced around the loop.
QUIET = {"over": "ignore", "invalid": "ignore", "divide": "ignore", "under": "ignore"}


class Epoch(NamedTuple):
    """What one pass over the training samples came to."""

    loss: float
    learning_rate: float


class Objective:
    """The loss of a network on a batch, penalty included, and its gradient.

    Parameters
    ----------
    network : Network
    loss : Loss
    alpha : float, default=0.0
        Factor of the penalty on the squared weights, 1/2 alpha |W|^2 / (total weight of the batch).
    mean_weight : float, default=1.0
        Mean weight of the training samples, by which those passed in were divided.
    dropout : float, default=0.0
    generator : numpy.random.Generator, default=None
        See `Propagation`.

    Attributes
    ----------
    gradient : ndarray of shape (n_parameters,)
        The gradient of the last call.
    """

    def __init__(self, network, loss, alpha=0.0, mean_weight=1.0, dropout=0.0, generator=None):
        self.network, self.loss, self.penalty = network, loss, alpha / mean_weight
        self.gradient = np.empty_like(network.theta)
        self._dropout = dropout, generator
        self._propagations = {}

    def __call__(self, X, Y, sample_weight=None, scale=None):
        """Return the loss, and leave its gradient in `gradient`.

        Parameters
        ----------
        X : ndarray or CSR of shape (n_rows, n_features)
        Y : ndarray of shape (n_rows, n_outputs)
            Encoded targets.
        sample_weight : ndarray of shape (n_rows, 1), default=None
            Weights, with a mean of 1 over all training samples.
        scale : float, default=1 / n_rows
            Factor on the sum over the samples.

        Returns
        -------
        value : float
            The loss, in the unit of the loss a sample.
        """
        n_rows = X.shape[0]
        propagation = self._propagations.get(n_rows)
        if propagation is None:
            propagation = Propagation(self.network, self.gradient, n_rows, *self._dropout)
            self._propagations[n_rows] = propagation
        if scale is None:
            scale = 1.0 / n_rows
        values, delta = propagation.values, propagation.delta
        self.loss.loss_gradient(Y, propagation.forward(X), values, delta, propagation.scratch)
        np.multiply(delta, scale, delta)
        if sample_weight is None:
            value = float(propagation.ones.dot(values)) * scale
        else:
            np.multiply(delta, sample_weight, delta)
            value = float(sample_weight[:, 0].dot(values)) * scale
        propagation.backward(X)
        if self.penalty:
            value += self._add_penalty(self.penalty * scale)
        return value

    def _add_penalty(self, factor):
        """Add the penalty's gradient and return its value."""
        weights = self.network.weights
        add_multiple(weights, self.gradient[: len(weights)], factor)
        return 0.5 * factor * float(weights.dot(weights))


def gradient_descent(objective, batches, optimizer, schedule, state, *, learning_rate_init, weight_decay=0.0,
                     scale=None, max_iter=1, deadline=math.inf):  # fmt: skip
    """Train a network, an epoch at each `next`.

    Parameters
    ----------
    objective : Objective
    batches : Batches
    optimizer : Optimizer
    schedule : Schedule
    state : dict
        What training goes on from: empty at first, then with `optimizer` (its own state), `learning_rate_init`,
        `learning_rate`, `samples_seen`. Updated in place.
    learning_rate_init : float
    weight_decay : float, default=0.0
        Share of each weight, times the learning rate, taken off at each step (Loshchilov and Hutter, 2019).
    scale : float, default=1 / number of samples in the batch
        Factor on the sum of the losses of a batch.
    max_iter : int, default=1
        Epochs planned; a schedule over the whole training needs to know.
    deadline : float, default=inf
        `time.perf_counter` at which to break off, even within an epoch.

    Yields
    ------
    epoch : Epoch
        Its loss is the mean over the batches while the weights changed, as in scikit-learn.
    """
    network = objective.network
    theta, gradient, update = network.theta, objective.gradient, optimizer.update
    memory = optimizer.initial_state(theta)
    if "optimizer" in state and state["optimizer"].keys() == memory.keys():
        memory = state["optimizer"]
    if state.get("learning_rate_init") != learning_rate_init:
        state["learning_rate"] = learning_rate_init
    state.setdefault("samples_seen", 0)
    state.update(optimizer=memory, learning_rate_init=learning_rate_init)
    planned, timed = max_iter * batches.n_samples, deadline < math.inf
    while True:
        total, seen = 0.0, 0
        rate = schedule.next_rate(state["learning_rate"], learning_rate_init, state["samples_seen"],
                                  state["samples_seen"] / planned)  # fmt: skip
        for X, Y, sample_weight in batches.epoch():
            if timed and seen and perf_counter() >= deadline:
                break
            if schedule.every_step:
                done = state["samples_seen"] + seen
                rate = schedule.next_rate(rate, learning_rate_init, done, done / planned)
            loss = objective(X, Y, sample_weight, scale)
            update(theta, gradient, memory, rate, loss)
            if weight_decay:
                network.weights *= 1.0 - rate * weight_decay
            total += loss * X.shape[0]
            seen += X.shape[0]
        state["learning_rate"] = rate
        state["samples_seen"] += seen
        yield Epoch(total / max(seen, 1), rate)


def mean_loss(loss, network, X, Y, sample_weight=None):
    """Return the mean loss, without penalty, of a network on samples; weighted if weights are given."""
    Z = raw_scores(network.coefs, network.intercepts, network.activations, X)
    return float(np.average(_losses(loss, Y, Z), weights=sample_weight))


def base_rate_loss(loss, Y, sample_weight=None):
    """Return the mean loss of the best constant prediction: what a network that has learnt nothing gets."""
    weight = np.ones(len(Y)) if sample_weight is None else sample_weight
    # In chunks, for the targets may be many and of a type much smaller than float64.
    chunks = [slice(start, start + 10_000) for start in range(0, len(Y), 10_000)]
    mean = sum(weight[rows] @ Y[rows].astype(np.float64) for rows in chunks) / weight.sum()
    scores = np.asarray(loss.constant_scores(mean))
    total = 0.0
    for rows in chunks:
        Z = np.array(np.broadcast_to(scores, Y[rows].shape))
        total += float(weight[rows] @ _losses(loss, Y[rows], Z))
    return total / float(weight.sum())


def _losses(loss, Y, Z):
    """Return each sample's loss, at the price of the raw scores `Z`."""
    values = np.empty(len(Z), Z.dtype)
    with np.errstate(**QUIET):
        loss.loss_gradient(Y.astype(Z.dtype), Z, values, np.empty_like(Z), np.empty_like(Z))
    return values


class Patience:
    """Counts the epochs without improvement and keeps the best weights.

    Parameters
    ----------
    tol : float
        Least improvement that counts.
    n_iter_no_change : int or float
        Epochs without one after which training has reached a plateau.
    best_score, best_theta, count
        Best score so far, the weights that had it, and epochs since the last improvement, to go on from.
    """

    def __init__(self, tol, n_iter_no_change, best_score=-math.inf, best_theta=None, count=0):
        self.tol, self.n_iter_no_change = tol, n_iter_no_change
        self.best_score, self.best_theta, self.count = best_score, best_theta, count

    def plateau(self, score, theta=None):
        """Take note of an epoch's score (larger is better) and, if it is the best, of `theta`; return whether to stop."""
        # Written so that a score that is not a number counts as no improvement.
        self.count = 0 if score >= self.best_score + self.tol else self.count + 1
        if score > self.best_score:
            self.best_score = score
            if theta is not None:
                self.best_theta = theta.copy()
        return self.count > self.n_iter_no_change
