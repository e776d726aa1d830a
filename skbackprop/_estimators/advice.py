"""What users are told of how a run ended."""

import inspect
import math
import warnings
from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning

from .._engine.objective import QUIET
from .recipe import follows_recipe

AT_MAX_ITER = "Training stopped at max_iter="
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


def tell_kept(kept, networks):
    """Warn of what `warnings_kept` has of each of several networks, once of what is the same of several of them."""
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
    n_epochs, estimator = run.n_epochs, training.estimator
    first = run.loss_curve[0] if run.loss_curve else math.inf
    last = run.loss_curve[-1] if run.loss_curve else math.inf
    tamer = _any_of([*_another_rate(training, "lower"), *_standardise(training)] or ["check X and y for extreme values"])
    more = _any_of([f"raise max_fun (now {estimator.max_fun})", "raise tol", *_standardise(training)])
    messages = {
        "max_iter": f"{AT_MAX_ITER}{estimator.max_iter} before it converged: raise max_iter, or tol.",
        "max_fun": f"Training stopped before it converged, at max_fun={estimator.max_fun} evaluations of the loss or for "
        f"want of a better point: {more}.",
        "max_time": f"Training stopped after max_time={estimator.max_time} seconds, in epoch {n_epochs}, before it "
        "converged: raise max_time.",
        "interrupted": f"Training interrupted by user after {n_epochs} epochs, whose weights are kept.",
        "diverged": f"The loss or the weights were not finite in epoch {n_epochs}, so training stopped and the last finite "
        f"weights are kept: {tamer}.",
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
            f"{base_rate:.4g} of always predicting the same; {_how_to_learn(run, training, base_rate, reached)}."
        )
    if last > 2 * max(first, base_rate):
        message = (
            f"The network diverged: in {n_epochs} epochs its training loss grew from {first:.4g} to {last:.4g}; {tamer}."
        )
    if message is not None:
        warn_user(message, UserWarning if run.reason == "interrupted" else ConvergenceWarning)


def _how_to_learn(run, training, base_rate, reached):
    """Return advice for a network that has not learnt: what is the cause, if it is plain, else what is not tried yet."""
    estimator, recipe = training.estimator, training.recipe
    strengths = {name: getattr(estimator, name) for name in ("alpha", "weight_decay")}
    asked_for = {name: strength for name, strength in strengths.items() if strength and not isinstance(strength, str)}
    if asked_for and reached < 1.05 * base_rate and training.weights_have_shrunk(base_rate):
        lower = _any_of([f"lower {name} (now {strength})" for name, strength in asked_for.items()])
        return f"the penalty holds its weights near zero: {lower}"
    longer = {name: f"raise {name} (now {getattr(estimator, name)})" for name in ("max_iter", "max_fun", "max_time")}
    others = [*_standardise(training), *_another_rate(training, "change"), *filter(None, [longer.get(run.reason)])]
    # scikit-learn's own networks have no such parameter.
    if "init" in estimator.get_params(deep=False) and not follows_recipe(estimator):
        others.append("try init='auto'")
    return _any_of([*others, "try another activation" if recipe.hidden_sizes else "add a hidden layer"])


def _standardise(training):
    """Return the advice to standardise the features, unless training or the user has done so."""
    X = training.problem.samples.X
    if training.estimator._scaling is not None:
        return []
    if issparse(X):
        return ["standardise X"]
    with np.errstate(**QUIET):
        mean, deviation = X.mean(axis=0), X.std(axis=0)
    done = np.all(np.abs(mean) < 0.5) and np.all((np.abs(deviation - 1) < 0.5) | (deviation == 0))
    return [] if done else ["standardise X"]


def _another_rate(training, change):
    """Return the advice to change the learning rate, if the solver has one."""
    rate = training.estimator.learning_rate_init
    return [f"{change} learning_rate_init (now {rate})"] if training.recipe.optimizer.uses_learning_rate else []


def _any_of(remedies):
    """Return remedies in a row, with "or" before the last."""
    *others, last = remedies
    return f"{', '.join(others)} or {last}" if others else last


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
