"""What users are told of how a run ended."""

import inspect
import math
import warnings
from contextlib import contextmanager
from contextvars import ContextVar

from sklearn.exceptions import ConvergenceWarning

# Where warnings go if not to the user. A variable of the context, for networks may be trained in several threads.
_KEPT_IN = ContextVar("_KEPT_IN", default=None)


@contextmanager
def warnings_kept():
    """Keep what `warn_user` is called with, for the caller to tell; the value is a list that it is added to."""
    kept = []
    token = _KEPT_IN.set(kept)
    try:
        yield kept
    finally:
        _KEPT_IN.reset(token)


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
    n_epochs = run.n_epochs
    rate = estimator.learning_rate_init
    first = run.loss_curve[0] if run.loss_curve else math.inf
    last = run.loss_curve[-1] if run.loss_curve else math.inf
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
    if run.reason == "max_iter" and not run.still_falls:
        message = None
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
