"""One run of training: which epochs are kept, and why it ends."""

import math
import warnings
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ._training import QUIET, gradient_descent


class Run:
    """What is noted of a run, epoch by epoch, and the decision to stop.

    Parameters
    ----------
    network : Network
        Holds the current weights.
    patience : Patience
        Judges validation scores or, without any, training losses; goes on from an earlier run.
    score : callable or None
        Returns the validation score of the current weights.
    early_stopping : bool
        Whether validation scores stop training and choose the weights.
    deadline : float
        `time.perf_counter` at which to stop.
    verbose : bool
        Whether to print a line an epoch.

    Attributes
    ----------
    loss_curve, scores : list of float
        Training losses and validation scores.
    reason : {"max_iter", "plateau", "max_time", "diverged", "interrupted", "converged"}
        Why it ended.
    """

    def __init__(self, network, patience, score, early_stopping, deadline, verbose):
        self.network, self.patience = network, patience
        self.score, self.early_stopping = score, early_stopping
        self.deadline, self.verbose = deadline, verbose
        self.loss_curve, self.scores = [], []
        self.reason = "max_iter"
        self._last_finite = network.theta.copy()

    def after_epoch(self, loss, patient_with_loss=True):
        """Take note of an epoch; return whether to stop, with `reason` set."""
        theta = self.network.theta
        self.loss_curve.append(loss)
        if not (math.isfinite(loss) and math.isfinite(theta.sum())):
            self.reason = "diverged"
            return True
        np.copyto(self._last_finite, theta)
        if self.score is not None:
            self.scores.append(float(self.score()))
        if self.verbose:
            score = f", validation score = {self.scores[-1]:.6f}" if self.scores else ""
            print(f"Iteration {len(self.loss_curve)}, loss = {loss:.8f}{score}")
        if self.early_stopping:
            plateau = self.patience.plateau(self.scores[-1], theta)
        else:
            plateau = self.patience.plateau(-loss) and patient_with_loss
        if plateau:
            self.reason = "plateau"
        elif perf_counter() >= self.deadline:
            self.reason = "max_time"
        return self.reason != "max_iter"

    def finish(self):
        """Put the weights to keep into the network."""
        if self.reason == "diverged":
            np.copyto(self.network.theta, self._last_finite)


def run_epochs(run, objective, batches, optimizer, schedule, state, *, max_iter, **settings):
    """Train by a step-wise optimizer for at most `max_iter` epochs; `settings` go to `gradient_descent`."""
    epochs = gradient_descent(
        objective, batches, optimizer, schedule, state, max_iter=max_iter, deadline=run.deadline, **settings
    )
    try:
        with np.errstate(**QUIET):
            for _ in range(max_iter):
                if run.after_epoch(next(epochs)):
                    lower_rate = schedule.after_plateau(state["learning_rate"]) if run.reason == "plateau" else None
                    if lower_rate is None:
                        break
                    state["learning_rate"], run.patience.count, run.reason = lower_rate, 0, "max_iter"
    except KeyboardInterrupt:
        run.reason = "interrupted"
    run.finish()


def run_minimizer(run, objective, batches, optimizer, *, max_iter):
    """Train by an optimizer that minimises the loss over all samples in one go."""
    network = run.network
    X, Y, sample_weight = next(iter(batches.epoch()))

    def function(theta):
        np.copyto(network.theta, theta, casting="same_kind")
        value = objective(X, Y, sample_weight)
        return value, objective.gradient.astype(np.float64)

    def after_iteration(theta, loss):
        np.copyto(network.theta, theta, casting="same_kind")
        return run.after_epoch(loss, patient_with_loss=False)

    try:
        with np.errstate(**QUIET):
            result = optimizer.minimize(function, network.theta.astype(np.float64), max_iter, after_iteration)
    except KeyboardInterrupt:
        run.reason = "interrupted"
        np.copyto(network.theta, run._last_finite)
    else:
        np.copyto(network.theta, result.x, casting="same_kind")
        if not run.loss_curve:
            run.after_epoch(float(result.fun), patient_with_loss=False)
        if run.reason == "max_iter" and result.status == 0:
            run.reason = "converged"
    run.finish()


def warn_of(run, max_iter, max_time, learning_rate_init, base_rate_loss):
    """Say in one sentence what the user should know about how a run ended, if anything.

    Parameters
    ----------
    run : Run
    max_iter : int
    max_time : float or None
    learning_rate_init : float
    base_rate_loss : float
        The loss of the best constant prediction, penalty apart.
    """
    n_epochs, last = len(run.loss_curve), run.loss_curve[-1] if run.loss_curve else math.inf
    if run.reason == "interrupted":
        message, category = f"Training interrupted by user after {n_epochs} epochs; their weights are kept.", UserWarning
    elif run.reason == "diverged":
        category = ConvergenceWarning
        message = (
            f"The loss or the weights were not finite in epoch {n_epochs}, so training stopped and the last finite weights "
            f"are kept: lower learning_rate_init (now {learning_rate_init}) or standardise X."
        )
    elif n_epochs > 5 and last > 0.99 * base_rate_loss > 1e-9:
        category = ConvergenceWarning
        message = (
            f"The network has not learnt: after {n_epochs} epochs its training loss of {last:.4g} is no better than the "
            f"{base_rate_loss:.4g} of always predicting the same; standardise X, change learning_rate_init (now "
            f"{learning_rate_init}), raise max_iter, or try init='auto' or another activation."
        )
    elif run.reason == "max_iter":
        category = ConvergenceWarning
        message = (
            f"Training stopped at its limit, max_iter={max_iter}, with the loss still falling (or max_fun was reached): it "
            "has not converged; raise the limit or tol."
        )
    elif run.reason == "max_time":
        category = ConvergenceWarning
        message = f"Training stopped after max_time={max_time} seconds, in epoch {n_epochs}, before it converged."
    else:
        return
    warnings.warn(message, category, stacklevel=6)
