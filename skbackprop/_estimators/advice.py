"""What users are told of how a run ended."""

import inspect
import math
import warnings
from collections import Counter
from contextvars import ContextVar, copy_context

from sklearn.exceptions import ConvergenceWarning

from .remedies import how_to_converge, how_to_learn, how_to_tame, least_loss

AT_MAX_ITER = "Training stopped at max_iter="
# Where warnings go if not to the user. A variable of the context, for networks may be trained in several threads.
_KEPT_IN = ContextVar("_KEPT_IN", default=None)


def keeping_warnings(function, *arguments):
    """Return what a function does, and a list of what it called `warn_user` with, for the caller to tell.

    It runs in a context of its own: wherever an interrupt breaks it off, warnings go to the user again.
    """
    context, kept = copy_context(), []
    context.run(_KEPT_IN.set, kept)
    return context.run(function, *arguments), kept


def tell_kept(kept, networks):
    """Warn of what `keeping_warnings` has of each of several networks, once of what is the same of several of them."""
    for (message, category), count in Counter(warning for warnings_of_one in kept for warning in warnings_of_one).items():
        warn_user(f"In {count} of {len(kept)} {networks}: {message}", category)


def warn_of(run, training, base_rate_loss, final_loss):
    """Say in one sentence what the user should know about how a run ended, if anything.

    Parameters
    ----------
    run : Run
    training : Training
    base_rate_loss : callable
        Returns the loss of the best constant prediction.
    final_loss : callable
        Returns the training loss of the weights that are kept, penalty apart.
    """
    n_epochs = run.n_epochs
    first = run.loss_curve[0] if run.loss_curve else math.inf
    last = run.loss_curve[-1] if run.loss_curve else math.inf
    message = _how_it_ended(run, training)
    base_rate = math.inf
    # Where a few epochs were too few, more of them are the first thing to try.
    if run.reason not in {"diverged", "interrupted"} and (
        n_epochs > 5 or message is None or run.reason in {"max_fun", "stuck"}
    ):
        base_rate = base_rate_loss()
    # The loss noted includes the penalty, which may be large where much was learnt, and is that of the latest weights.
    doubtful = last > 0.99 * base_rate or run.early_stopping
    worth_learning = least_loss(training.problem) < base_rate < math.inf
    if doubtful and worth_learning and (reached := final_loss()) > 0.99 * base_rate:
        epochs = "one epoch" if n_epochs == 1 else f"{n_epochs} epochs"
        message = (
            f"The network has not learnt: after {epochs} its training loss of {reached:.4g} is no better than the "
            f"{base_rate:.4g} of always predicting the same; {how_to_learn(run, training, base_rate)}."
        )
    if last > 2 * max(first, base_rate):
        message = (
            f"The network diverged: in {n_epochs} epochs its training loss grew from {first:.4g} to {last:.4g}; "
            f"{how_to_tame(training)}."
        )
    if message is not None:
        warn_user(message, UserWarning if run.reason == "interrupted" else ConvergenceWarning)


def _how_it_ended(run, training):
    """Return what there is to say of the end of a run, whatever it has learnt; None if nothing."""
    estimator, n_epochs = training.estimator, run.n_epochs
    match run.reason:
        case "max_iter" if run.still_falls:
            return f"{AT_MAX_ITER}{estimator.max_iter} before it converged: raise max_iter, or tol."
        case "max_fun" | "stuck":
            limit = f"at max_fun={estimator.max_fun} evaluations of the loss"
            limit = limit if run.reason == "max_fun" else "for want of a better point"
            return f"Training stopped before it converged, {limit}: {how_to_converge(run, training)}."
        case "max_time":
            return (
                f"Training stopped after max_time={estimator.max_time} seconds, in epoch {n_epochs}, before it converged: "
                "raise max_time."
            )
        case "interrupted":
            return f"Training interrupted by user after {n_epochs} epochs, whose weights are kept."
        case "diverged":
            return (
                f"The loss or the weights were not finite in epoch {n_epochs}, so training stopped and the last finite "
                f"weights are kept: {how_to_tame(training)}."
            )
    return None


def warn_user(message, category=UserWarning):
    """Warn of the line of the user's code that led here, outside this package and scikit-learn.

    Filters find it by its category and, as if the line were there, by the module "skbackprop".
    """
    if _KEPT_IN.get() is not None:
        _KEPT_IN.get().append((message, category))
        return
    own = __name__.partition(".")[0]
    frame = inspect.currentframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in {own, "sklearn"}:
        frame = frame.f_back
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, category, frame.f_code.co_filename, frame.f_lineno, own, registry)
