"""One run of training: which epochs are kept, what is told of them, and why it ends."""

import math
from functools import partial
from time import perf_counter

import numpy as np

from .._engine.descent import tie
from .._engine.patience import Patience
from .progress import ProgressLine


class ComputeLostError(RuntimeError):
    """What computes the gradient is gone: training ends, with an error, and keeps the weights of the last update."""


class Run:
    """What is noted of a run, epoch by epoch, and the decision to stop.

    Parameters
    ----------
    training : Training
    bridge : CallbackBridge, default=None
        Whom to tell of epochs.

    Attributes
    ----------
    patience : Patience
        Judges validation scores or, without any, training losses; goes on from an earlier run.
    early_stopping : bool
        Whether validation scores stop training and choose the weights.
    deadline : float
        `time.perf_counter` at which to stop.
    done : int
        Epochs of this run that were done before it was interrupted and resumed.
    loss_curve, scores : list of float
        Training losses and validation scores.
    reason : {"max_iter", "max_fun", "stuck", "plateau", "max_time", "diverged", "interrupted", "converged", "callback"}
        Why it ended.
    broken_by : ComputeLostError or None
        What broke it off.
    """

    def __init__(self, training, bridge=None):
        estimator, state = training.estimator, training.state
        self.kept, self.batches, self.descent = training.kept, training.batches, state.descent
        # What an epoch changes; a mean of the parameters is another array than these.
        self._changing = [training.network.theta]
        if training.recipe.averages:
            self._changing.append(training.kept)
        self.bridge, self.incremental = bridge, training.incremental
        self.score = training.scorer() if training.held_out else None
        self.early_stopping = estimator.early_stopping and self.score is not None
        judged_by = str(estimator.scoring) if self.early_stopping else "training loss"
        if state.judged_by != judged_by:
            state.judged_by = judged_by
            state.patience = None
        settings = estimator.tol, estimator.n_iter_no_change, training.recipe.latest
        self.patience = state.patience or Patience(*settings)
        self.patience.tol, self.patience.n_iter_no_change, self.patience.latest = settings
        self.deadline = math.inf if estimator.max_time is None else perf_counter() + estimator.max_time
        self.done, self.reason = (estimator.n_iter_, state.reason) if state.unfinished else (0, "max_iter")
        self.line = ProgressLine(training.max_iter, self.done, estimator.scoring) if estimator.verbose else None
        self.loss_curve, self.scores, self.broken_by = [], [], None
        self._last_finite = [array.copy() for array in self._changing]

    @property
    def still_falls(self):
        """Whether the loss that is watched has lately fallen by more than `tol` an epoch."""
        curve = [-score for score in self.scores] if self.early_stopping else self.loss_curve
        recent = min(10, len(curve) // 2)
        if not recent:
            return True
        # Plain floats, for both may be infinite.
        earlier, latest = float(np.mean(curve[-2 * recent : -recent])), float(np.mean(curve[-recent:]))
        return earlier - latest > recent * self.patience.tol

    @property
    def is_finite(self):
        """Whether the parameters are finite numbers, of squares that are, too; `Training.run` silences warnings."""
        return all(math.isfinite(array.dot(array)) for array in self._changing)

    @property
    def n_epochs(self):
        """Epochs so far, those before an interruption included."""
        return self.done + len(self.loss_curve)

    def after_epoch(self, loss, patient_with_loss=True, rising=False):
        """Take note of an epoch; return whether to stop, with `reason` set. While the rate rises there is no plateau."""
        self.loss_curve.append(loss)
        finite = math.isfinite(loss) and self.is_finite
        if self.score is not None:
            self.scores.append(float(self.score()) if finite else math.nan)
        if not finite:
            self.reason = "diverged"
            return True
        # (No epoch follows that of `partial_fit`.)
        for array, copied in [] if self.incremental else zip(self._changing, self._last_finite, strict=True):
            np.copyto(copied, array)
        if self.line is not None:
            self.line.print(self.n_epochs, loss, self.scores[-1] if self.scores else None)
        if self.early_stopping:
            plateau = self.patience.plateau(self.scores[-1], self.kept, loss)
        else:
            plateau = self.patience.plateau(-loss) and patient_with_loss
        if rising:
            self.patience.count = 0
        elif plateau:
            self.reason = "plateau"
        if self.reason == "max_iter" and perf_counter() >= self.deadline:
            self.reason = "max_time"
        return self.reason != "max_iter"

    def after_telling(self, training, stop, last):
        """Tell of an epoch's end, `last` if there can be no other; return whether to stop: a callback may want it, too."""
        if self.bridge is None or self.reason == "diverged":
            return stop
        asked = self.bridge.end_epoch(stop or last, partial(training.snapshot, self))
        if asked and not (stop or last):
            self.reason = "callback"
        return stop or asked

    def note(self, estimator):
        """Set the attributes that tell how training went."""
        fitted, curve, scores = vars(estimator), estimator.loss_curve_, estimator.validation_scores_
        # The lists of many calls of `partial_fit` are long: the best of each is known, and they grow in place.
        best, highest = (fitted.get("best_loss_"), fitted.get("best_validation_score_")) if curve else (None, None)
        least, highest = curve if best is None else [best], (scores or []) if highest is None else [highest]
        if not self.incremental:
            curve, scores = [*curve], scores and [*scores]
        curve += self.loss_curve
        if self.scores:
            scores = scores or []
            scores += self.scores
        # Not one by one: what is set as an attribute is looked at.
        fitted.update(
            n_iter_=self.n_epochs,
            t_=estimator.t_ + len(self.loss_curve) * self.batches.n_samples * self.batches.passes,
            loss_curve_=curve,
            loss_=curve[-1] if curve else math.inf,
            best_loss_=None if self.early_stopping else min([*least, *self.loss_curve], default=math.inf),
            validation_scores_=scores,
            best_validation_score_=None if scores is None else float(np.nanmax([-np.inf, *highest, *self.scores])),
            # scikit-learn's name, which code in the wild reads.
            _no_improvement_count=self.patience.count,
        )

    def finish(self, judged=False):
        """Put the weights to keep into the network: finite ones, as `after_epoch` may have `judged` the latest to be."""
        if self.line is not None:
            self.line.finish()
        broken = self.reason == "diverged"
        if not (broken or judged):
            broken = not self.is_finite
        if broken:
            self.restore()
            if self.reason != "interrupted":
                self.reason = "diverged"

    def interrupt(self, error):
        """Take note of an interrupt by the user, or of the loss of what computes."""
        self.reason = "interrupted"
        self.broken_by = error if isinstance(error, ComputeLostError) else None

    def restore(self):
        """Put back the parameters of the last whole and finite epoch."""
        for array, copied in zip(self._changing, self._last_finite, strict=True):
            np.copyto(array, copied)
        # What the optimizer remembers belongs to those that were left, and may be infinite, too.
        self.descent.memory = {}


def run_epochs(run, training):
    """Train by a step-wise optimizer, for `max_iter` epochs or, if there is no telling, one."""
    schedule = training.recipe.schedule
    epochs = training.epochs(done=run.done, deadline=run.deadline)
    descent = training.state.descent
    n_epochs = (training.max_iter or 1) - run.done if run.reason == "max_iter" else 0
    try:
        for number in range(1, n_epochs + 1):
            if run.bridge is not None:
                run.bridge.begin_epoch()
            loss = next(epochs)
            share = None if training.max_iter is None else (run.n_epochs + 1) / training.max_iter
            stop = run.after_epoch(loss, rising=schedule.rises(share, descent.steps))
            if run.reason == "plateau" and (rate := schedule.after_plateau(descent.learning_rate)) is not None:
                descent.learning_rate = rate
                run.patience.count = 0
                run.reason = "max_iter"
                stop = False
            if run.after_telling(training, stop, last=number == n_epochs):
                break
    except (KeyboardInterrupt, ComputeLostError) as error:
        run.interrupt(error)
        if training.recipe.step.tied:
            # Amid a step some weights, or some of what is remembered of them, may be a part of it ahead of their twins.
            tie(training.network.coefs)
            descent.memory = {}
    run.finish(judged=run.loss_curve and run.reason != "interrupted")


def run_minimizer(run, training):
    """Train by an optimizer that minimises the loss over all samples in one go."""
    network, objective, recipe = training.network, training.objective, training.recipe
    max_iter = training.max_iter
    X, Y, sample_weight = next(iter(training.batches.epoch()))

    def function(theta):
        np.copyto(network.theta, theta, casting="same_kind")
        value = objective(X, Y, sample_weight)
        if recipe.step.tied:
            tie(objective.coef_gradients)
        return value, objective.gradient.astype(np.float64)

    def after_iteration(theta, loss):
        np.copyto(network.theta, theta, casting="same_kind")
        stop = run.after_epoch(loss, patient_with_loss=False)
        return run.after_telling(training, stop, last=len(run.loss_curve) == max_iter)

    try:
        result = recipe.optimizer.minimize(function, network.theta.astype(np.float64), max_iter, after_iteration)
    except (KeyboardInterrupt, ComputeLostError) as error:
        run.interrupt(error)
        run.restore()
    else:
        np.copyto(network.theta, result.x, casting="same_kind")
        if not run.loss_curve:
            run.after_epoch(float(result.fun), patient_with_loss=False)
        if run.reason == "max_iter" and result.nit < max_iter:
            # scipy's numbers: the last is that of a line search without success.
            run.reason = {0: "converged", 2: "stuck"}.get(result.status, "max_fun")
    run.finish()
