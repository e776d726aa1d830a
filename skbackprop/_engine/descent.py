"""The gradient loop: a generator that yields the loss of one epoch after another, and the judge of when to stop.

The loop knows nothing of validation data, patience or printing; whoever runs it looks at each epoch and breaks off.
"""

import math
from time import perf_counter

import numpy as np

from .._blas import add_multiple
from .network import Propagation, raw_scores

# Overflow and NaN are looked for in the loss, once an epoch; NumPy's warnings about them are silenced around the loop.
QUIET = {"over": "ignore", "invalid": "ignore", "divide": "ignore", "under": "ignore"}

# Share of noise that is taken for granted: targets without any are still best learnt with some penalty.
LEAST_NOISE = 0.05
# Scores that differ by no more are equal: samples that weigh a millionth of the others should decide nothing.
EQUAL = 1e-6
# Share of the latest epoch in a running mean of weights, once there are enough of them.
LEAST_SHARE = 0.1


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
    base_rate : float, default=None
        Loss of the best constant prediction. With one above 0, the penalty goes by the noise, see `follow_noise`.
    noise : float, default=1.0
        Where that noise starts.

    Attributes
    ----------
    gradient : ndarray of shape (n_parameters,)
        The gradient of the last call.
    """

    def __init__(self, network, loss, alpha=0.0, mean_weight=1.0, dropout=0.0, generator=None, base_rate=None,
                 noise=1.0):  # fmt: skip
        self.network, self.loss, self.base_rate = network, loss, base_rate
        self.noise, self._full_penalty = 1.0 if base_rate is None else noise, alpha / mean_weight
        self.penalty = self.noise * self._full_penalty
        self.gradient = np.empty_like(network.theta)
        self._weight_gradient = self.gradient[: network.weights.size]
        self._dropout = dropout, generator
        self._propagations = {}

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
            Factor on the sum over the samples.
        with_value : bool, default=True
            Whether the loss itself is asked for.

        Returns
        -------
        value : float
            The loss, in the unit of the loss a sample; NaN if not asked for.
        """
        n_rows = X.shape[0]
        propagation = self._propagations.get(n_rows)
        if propagation is None:
            propagation = Propagation(self.network, self.gradient, n_rows, *self._dropout)
            self._propagations[n_rows] = propagation
        if scale is None:
            scale = 1.0 / n_rows
        Z, values, delta = propagation.forward(X), propagation.values, propagation.delta
        if with_value:
            self.loss.loss_gradient(Y, Z, values, delta, propagation.scratch)
        else:
            self.loss.gradient(Y, Z, delta, propagation.scratch)
        if scale != 1.0:
            np.multiply(delta, scale, delta)
        if sample_weight is not None:
            np.multiply(delta, sample_weight, delta)
        propagation.backward(X)
        if self.penalty:
            add_multiple(self.network.weights, self._weight_gradient, self.penalty * scale)
        if not with_value:
            return math.nan
        # A product with ones is the fastest sum.
        total = values.dot(propagation.last.ones if sample_weight is None else sample_weight[:, 0])
        return scale * (float(total) + self._penalty_value())

    def follow_noise(self, loss, batches_a_sample):
        """Set the penalty by the noise in the targets: the share of their base rate's loss that is still left.

        A penalty on weights stands for a prior on them, which counts against a likelihood; a squared error becomes one by
        division by the variance of the noise. Here the penalty is multiplied by it instead.

        Parameters
        ----------
        loss : float
            Mean loss of an epoch, penalty included.
        batches_a_sample : float
            Inverse of the mean number of samples in a batch.

        Returns
        -------
        noise : float
            In [LEAST_NOISE, 1].
        """
        unexplained = (loss - batches_a_sample * self._penalty_value()) / self.base_rate
        # Written so that a loss that is not a number leaves the penalty as it is.
        if unexplained >= 0:
            self.noise = min(max(unexplained, LEAST_NOISE), 1.0)
            self.penalty = self.noise * self._full_penalty
        return self.noise

    def _penalty_value(self):
        """Return the penalty on the weights, before the division by the total weight of a batch."""
        weights = self.network.weights
        return 0.5 * self.penalty * float(weights.dot(weights)) if self.penalty else 0.0


def gradient_descent(objective, batches, optimizer, schedule, state, *, learning_rate_init, weight_decay=0.0,
                     clip_norm=None, scale=None, max_iter=None, done=0, deadline=math.inf, with_loss=True):  # fmt: skip
    """Train a network, an epoch at each `next`.

    Parameters
    ----------
    objective : Objective
    batches : Batches
    optimizer : Optimizer
    schedule : Schedule
    state : dict
        What training goes on from: empty at first, then with `optimizer` (its own state), `learning_rate_init`,
        `learning_rate`, `samples_seen`, `epochs`. Updated in place.
    learning_rate_init : float
    weight_decay : float, default=0.0
        Share of each weight, times the learning rate, taken off at each step (Loshchilov and Hutter, 2019).
    clip_norm : float, default=None
        Largest Euclidean norm of a gradient; a longer one is scaled down to it (Pascanu et al., 2013).
    scale : float, default=1 / number of samples in the batch
        Factor on the sum of the losses of a batch.
    max_iter : int, default=None
        Epochs planned, which some schedules need to know; None for no plan.
    done : int, default=0
        How many of these have been done before.
    deadline : float, default=inf
        `time.perf_counter` at which to break off, even within an epoch.
    with_loss : bool, default=True
        Whether to compute the losses; else they are NaN.

    Yields
    ------
    loss : float
        Mean over the batches of the epoch, while the weights changed, as in scikit-learn.
    """
    network, n_samples = objective.network, batches.n_samples
    theta, gradient, update = network.theta, objective.gradient, optimizer.update
    memory = optimizer.initial_state(theta)
    if "optimizer" in state and state["optimizer"].keys() == memory.keys():
        memory = state["optimizer"]
    if state.get("learning_rate_init") != learning_rate_init:
        state["learning_rate"] = learning_rate_init
    state.update(optimizer=memory, learning_rate_init=learning_rate_init)
    samples, epochs = state.setdefault("samples_seen", 0), state.setdefault("epochs", 0.0)
    start, timed, every_step = epochs - done, deadline < math.inf, schedule.every_step
    follows_noise = bool(objective.base_rate)
    while True:
        total, seen, progress = 0.0, 0, None if max_iter is None else (epochs - start) / max_iter
        rate = schedule.next_rate(state["learning_rate"], learning_rate_init, samples, epochs, progress)
        for X, Y, sample_weight in batches.epoch():
            if timed and seen and perf_counter() >= deadline:
                break
            if every_step:
                epoch = epochs + seen / n_samples
                progress = None if max_iter is None else (epoch - start) / max_iter
                rate = schedule.next_rate(rate, learning_rate_init, samples + seen, epoch, progress)
            loss = objective(X, Y, sample_weight, scale, with_loss)
            if clip_norm is not None:
                _clip(gradient, clip_norm)
            update(theta, gradient, memory, rate, loss)
            if weight_decay:
                network.weights *= 1.0 - rate * weight_decay
            n_rows = len(Y)
            total += loss * n_rows
            seen += n_rows
        samples += seen
        epochs += seen / n_samples
        state["learning_rate"], state["samples_seen"], state["epochs"] = rate, samples, epochs
        loss = total / seen
        if follows_noise:
            state["noise"] = objective.follow_noise(loss, batches.n_batches / n_samples)
        yield loss


def _clip(gradient, clip_norm):
    """Scale a gradient down to a norm, if it is longer."""
    norm = math.sqrt(gradient.dot(gradient))
    if norm > clip_norm:
        gradient *= clip_norm / norm


def mean_loss(loss, network, X, Y, sample_weight=None):
    """Return the mean loss, without penalty, of a network on samples; weighted if weights are given."""
    with np.errstate(**QUIET):
        Z = raw_scores(network.coefs, network.intercepts, network.activations, X)
    return float(np.average(sample_losses(loss, Y, Z), weights=sample_weight))


def base_rate_loss(loss, Y, sample_weight=None):
    """Return the mean loss of the best constant prediction: what a network that has learnt nothing gets."""
    weight = np.ones(len(Y)) if sample_weight is None else sample_weight
    scores = np.asarray(loss.constant_scores(Y, weight), np.float64)
    total = 0.0
    # In chunks, for the targets may be many and of a type much smaller than float64.
    for rows in (slice(start, start + 10_000) for start in range(0, len(Y), 10_000)):
        Z = np.array(np.broadcast_to(scores, Y[rows].shape))
        total += float(weight[rows] @ sample_losses(loss, Y[rows], Z))
    return total / float(weight.sum())


def sample_losses(loss, Y, Z):
    """Return each sample's loss, of shape (n_samples,), at the price of the raw scores `Z`."""
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
    best_score, best_loss, best_theta, count, mean_theta, n_averaged
        Best score so far, the training loss and the weights that went with it, epochs since the last improvement, the
        running mean of the weights and the number of epochs in it, to go on from.
    latest : bool, default=True
        Whether of equal scores the latest is the best, and whether one that is no worse than the best is an improvement if
        the training loss has fallen: accuracy does not see all that is learnt.
    averages : bool, default=False
        Whether the weights to score are those of `mean_with`.
    """

    def __init__(self, tol, n_iter_no_change, best_score=-math.inf, best_loss=math.inf, best_theta=None, count=0,
                 mean_theta=0.0, n_averaged=0, latest=True, averages=False):  # fmt: skip
        self.tol, self.n_iter_no_change, self.latest, self.averages = tol, n_iter_no_change, latest, averages
        self.best_score, self.best_loss, self.best_theta, self.count = best_score, best_loss, best_theta, count
        self.mean_theta, self.n_averaged = mean_theta, n_averaged

    @property
    def memory(self):
        """What a later instance goes on from, as a dict."""
        names = ("best_score", "best_loss", "best_theta", "count", "mean_theta", "n_averaged")
        return {name: getattr(self, name) for name in names}

    def mean_with(self, theta):
        """Take an epoch's weights into their running mean and return that.

        Between the batches weights scatter around what they have learnt, the more so the higher the learning rate; their
        mean does not (Polyak and Juditsky, 1992).
        """
        self.n_averaged += 1
        # The first epochs, which know little, are soon forgotten: the mean lags by a sixth of the epochs so far.
        share = max(5 / (self.n_averaged + 4), LEAST_SHARE)
        self.mean_theta = self.mean_theta + share * (theta - self.mean_theta)
        return self.mean_theta

    def plateau(self, score, theta=None, loss=math.nan):
        """Take note of an epoch's score (larger is better) and, if it is the best, of `theta`; return whether to stop."""
        as_good = self.latest and score >= self.best_score - EQUAL
        # Written so that a score that is not a number counts as no improvement.
        improved = score >= self.best_score + self.tol or (as_good and loss <= self.best_loss - self.tol)
        self.count = 0 if improved else self.count + 1
        if score > self.best_score or as_good:
            self.best_score = max(score, self.best_score)
            # Many small steps may make a large one.
            if improved:
                self.best_loss = loss
            if theta is not None:
                self.best_theta = theta.copy()
        return self.count > self.n_iter_no_change
