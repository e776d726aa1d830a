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
    reason : {"max_iter", "max_fun", "plateau", "max_time", "diverged", "interrupted", "converged"}
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
    """Train by a step-wise optimizer, for `max_iter` epochs or, if that is None, one.

    `settings` go to `gradient_descent`.
    """
    epochs = gradient_descent(
        objective, batches, optimizer, schedule, state, max_iter=max_iter, deadline=run.deadline, **settings
    )
    try:
        with np.errstate(**QUIET):
            for _ in range(max_iter or 1):
                if run.after_epoch(next(epochs)):
                    lower_rate = schedule.after_plateau(state["learning_rate"]) if run.reason == "plateau" else None
                    if lower_rate is None:
                        break
                    state["learning_rate"], run.patience.count, run.reason = lower_rate, 0, "max_iter"
    except KeyboardInterrupt:
        run.reason = "interrupted"
    complete = getattr(optimizer, "uses_learning_rate", True) and schedule.is_complete(state["epochs"], 1.0)
    if run.reason == "max_iter" and complete:
        run.reason = "converged"
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
        if run.reason == "max_iter" and result.nit < max_iter:
            run.reason = "converged" if result.status == 0 else "max_fun"
    run.finish()


def warn_of(run, estimator, base_rate_loss, final_loss):
    """Say in one sentence what the user should know about how a run ended, if anything.

    Parameters
    ----------
    run : Run
    estimator : estimator
        Whose parameters the advice is about.
    base_rate_loss : callable
        Returns the loss of the best constant prediction.
    final_loss : callable
        Returns the training loss of the weights that are kept, penalty apart.
    """
    n_epochs, rate = len(run.loss_curve), estimator.learning_rate_init
    first, last = (run.loss_curve[0], run.loss_curve[-1]) if run.loss_curve else (math.inf, math.inf)
    messages = {
        "max_iter": f"Training stopped at max_iter={estimator.max_iter} before it converged: raise max_iter, or tol.",
        "max_fun": f"Training stopped before it converged, at max_fun={estimator.max_fun} evaluations of the loss or for "
        "want of a better point: raise max_fun, or tol, or standardise X.",
        "max_time": f"Training stopped after max_time={estimator.max_time} seconds, in epoch {n_epochs}, before it "
        "converged: raise max_time.",
        "interrupted": f"Training interrupted by user after {n_epochs} epochs, whose weights are kept.",
        "diverged": f"The loss or the weights were not finite in epoch {n_epochs}, so training stopped and the last finite "
        f"weights are kept: lower learning_rate_init (now {rate}), or standardise X.",
    }
    message = messages.get(run.reason)
    base_rate = math.inf
    if run.reason not in {"diverged", "interrupted"} and n_epochs > 5:
        base_rate = base_rate_loss()
    # The loss noted includes the penalty, which may be large where much was learnt.
    if last > 0.99 * base_rate > 1e-9 and (reached := final_loss()) > 0.99 * base_rate:
        message = (
            f"The network has not learnt: after {n_epochs} epochs its training loss of {reached:.4g} is no better than the "
            f"{base_rate:.4g} of always predicting the same; standardise X, change learning_rate_init (now {rate}), "
            "raise max_iter, or try init='auto' or another activation."
        )
    if last > 2 * max(first, base_rate):
        message = (
            f"The network diverged: in {n_epochs} epochs its training loss grew from {first:.4g} to {last:.4g}; lower "
            f"learning_rate_init (now {rate}), or standardise X."
        )
    if message is not None:
        warnings.warn(message, UserWarning if run.reason == "interrupted" else ConvergenceWarning, stacklevel=6)
