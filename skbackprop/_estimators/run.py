"""One run of training: which epochs are kept, what is told of them, and why it ends."""

import inspect
import math
import sys
import warnings
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._engine.descent import QUIET, gradient_descent


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
    report : Report or None
        Prints a line an epoch.
    done : int
        Epochs of this run that were done before it was interrupted and resumed.
    reason : str
        Why it had ended then, else "max_iter".

    Attributes
    ----------
    loss_curve, scores : list of float
        Training losses and validation scores.
    reason : {"max_iter", "max_fun", "plateau", "max_time", "diverged", "interrupted", "converged", "callback"}
        Why it ended.
    bridge, snapshot : CallbackBridge and callable, or None
        Whom to tell of epochs, and what returns the fitted attributes as they would be then.
    """

    def __init__(self, network, patience, score, early_stopping, deadline, report=None, done=0, reason="max_iter"):
        self.network, self.patience = network, patience
        self.score, self.early_stopping = score, early_stopping
        self.deadline, self.report = deadline, report
        self.done, self.reason = done, reason
        self.loss_curve, self.scores = [], []
        self.bridge = self.snapshot = None
        self._last_finite = network.theta.copy()

    def after_epoch(self, loss, patient_with_loss=True):
        """Take note of an epoch; return whether to stop, with `reason` set."""
        theta = self.network.theta
        self.loss_curve.append(loss)
        if not (math.isfinite(loss) and math.isfinite(theta.sum())):
            self.reason = "diverged"
            return True
        np.copyto(self._last_finite, theta)
        if self.patience.averages:
            np.copyto(theta, self.patience.mean_with(theta))
        if self.score is not None:
            self.scores.append(float(self.score()))
        if self.report is not None:
            self.report.line(self.done + len(self.loss_curve), loss, self.scores[-1] if self.scores else None)
        if self.early_stopping:
            plateau = self.patience.plateau(self.scores[-1], theta, loss)
            np.copyto(theta, self._last_finite)
        else:
            plateau = self.patience.plateau(-loss) and patient_with_loss
        if plateau:
            self.reason = "plateau"
        elif perf_counter() >= self.deadline:
            self.reason = "max_time"
        return self.reason != "max_iter"

    def wants_to_stop(self, last):
        """Tell of an epoch's end, `last` if none will follow; return whether a callback wants to stop."""
        if self.reason == "diverged":
            return False
        stop = self.bridge.end_epoch(last, self.snapshot)
        if stop and not last:
            self.reason = "callback"
        return stop

    def finish(self):
        """Put the weights to keep into the network."""
        if self.report is not None:
            self.report.finish()
        if self.reason == "diverged":
            np.copyto(self.network.theta, self._last_finite)


class Report:
    """A line an epoch: on a terminal always the same one, else one below the other.

    Parameters
    ----------
    max_iter : int or None
        Most epochs; None if there is no telling.
    done : int
        Epochs that were done before this run.
    """

    def __init__(self, max_iter, done=0):
        self.max_iter, self.done, self.start = max_iter, done, perf_counter()
        self.on_terminal = sys.stdout.isatty()
        self._width = 0

    def line(self, n_epochs, loss, score):
        """Print what is known after so many epochs."""
        elapsed = perf_counter() - self.start
        parts = [f"loss = {loss:.6f}"]
        if score is not None:
            parts.append(f"validation score = {score:.6f}")
        parts.append(f"{elapsed:.1f} s")
        if self.max_iter is None:
            count = f"{n_epochs}"
        else:
            remaining = elapsed / (n_epochs - self.done) * (self.max_iter - n_epochs)
            count = f"{n_epochs:{len(str(self.max_iter))}d} of {self.max_iter}"
            parts.append(f"at most {remaining:.1f} s left")
        text = ", ".join([f"Iteration {count}", *parts])
        # The rest of a longer line before must go.
        self._width = max(self._width, len(text))
        print(*(["\r", text.ljust(self._width)] if self.on_terminal else [text, "\n"]), sep="", end="", flush=True)

    def finish(self):
        """End the line."""
        if self.on_terminal and self._width:
            print()


def run_epochs(run, objective, batches, optimizer, schedule, state, *, max_iter, **settings):
    """Train by a step-wise optimizer, for `max_iter` epochs or, if that is None, one.

    `settings` go to `gradient_descent`.
    """
    settings.update(max_iter=max_iter, done=run.done, deadline=run.deadline)
    epochs = gradient_descent(objective, batches, optimizer, schedule, state, **settings)
    n_epochs, bridge = (max_iter or 1) - run.done if run.reason == "max_iter" else 0, run.bridge
    try:
        with np.errstate(**QUIET):
            for number in range(1, n_epochs + 1):
                if bridge is not None:
                    bridge.begin_epoch()
                stop = run.after_epoch(next(epochs))
                if run.reason == "plateau" and (rate := schedule.after_plateau(state["learning_rate"])) is not None:
                    state["learning_rate"], run.patience.count, run.reason, stop = rate, 0, "max_iter", False
                if bridge is not None:
                    stop = run.wants_to_stop(last=stop or number == n_epochs) or stop
                if stop:
                    break
    except KeyboardInterrupt:
        run.reason = "interrupted"
    complete = getattr(optimizer, "uses_learning_rate", True) and schedule.is_complete(state.get("epochs", 0.0), 1.0)
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
        stop = run.after_epoch(loss, patient_with_loss=False)
        if run.bridge is not None:
            stop = run.wants_to_stop(last=stop or len(run.loss_curve) == max_iter) or stop
        return stop

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
    n_epochs, rate = run.done + len(run.loss_curve), estimator.learning_rate_init
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
        warn_user(message, UserWarning if run.reason == "interrupted" else ConvergenceWarning)


def warn_user(message, category=UserWarning):
    """Warn of the line of the user's code that led here, outside this package and scikit-learn."""
    frame, level = inspect.currentframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in {__name__.partition(".")[0], "sklearn"}:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
