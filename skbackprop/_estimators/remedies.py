"""What users are advised to do where training went wrong: what is the cause, if it is plain, else what is not in force yet.

All of it is looked for only where there is something to warn of, and without a copy of the data.
"""

import math

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from .._engine.objective import QUIET, base_rate_losses
from .recipe import follows_recipe

# Of a table so many values are looked at, from so many rows, to tell how it is spread; and in so large pieces, all of them.
SAMPLE_VALUES = 10_000_000
SAMPLE_ROWS = 1000
CHUNK_VALUES = 100_000
# A value is extreme if it lies so many times the spread of nine tenths of a column away from its median.
EXTREME = 100
# Share of a loss that is none.
NEGLIGIBLE = 1e-9
# Settings that hold a network back from such a value on, and what to do about them.
HELD_BACK = {"dropout": 0.9, "noise": 10.0, "epsilon": 0.01, "power_t": 1.5}


def how_to_learn(run, training, base_rate):
    """Return advice for a network that has not learnt."""
    causes = (
        _constant_features(training)
        or _extreme_targets(training)
        or _penalty(training, base_rate)
        or _short_steps(training)
        or _held_back(run, training, base_rate)
        or _unconfirmed(run, training, base_rate)
    )
    return causes or _any_of(_not_tried(run, training))


def how_to_tame(training):
    """Return advice for a network that has diverged."""
    estimator, recipe = training.estimator, training.recipe
    pulls = recipe.optimizer.uses_learning_rate and estimator.learning_rate_init * training.penalty_strength > 1
    lower_alpha = [f"lower alpha (now {estimator.alpha})"] if pulls and not isinstance(estimator.alpha, str) else []
    return _any_of(
        [*lower_alpha, *_another_rate(training, "lower"), *_standardise(training)] or ["check X and y for extreme values"]
    )


def how_to_converge(run, training):
    """Return advice for a minimisation that has ended too early."""
    more = [f"raise max_fun (now {training.estimator.max_fun})"] if run.reason == "max_fun" else []
    return _any_of([*more, "raise tol", *_standardise(training)])


def least_loss(problem):
    """Return the base rate's loss up to which there is nothing to be learnt, but for rounding: targets are constant."""
    if not problem.numeric:
        return NEGLIGIBLE
    extent = float(np.ptp(problem.samples.Y))
    return NEGLIGIBLE * min(1.0, extent) ** 2 if extent else math.inf


# Plain causes ----------------------------------------------------------------------------------------------------------


def _constant_features(training):
    """Return what to do about features none of which varies; None if one does."""
    X = training.problem.samples.X
    first = X[:1].toarray() if issparse(X) else X[:1]
    # To rounding, which standardisation would blow up.
    near = 10 * np.finfo(X.dtype).eps * np.abs(first)
    for rows in _chunks(X):
        part = X[rows].toarray() if issparse(X) else X[rows]
        if np.any(np.abs(part - first) > near):
            return None
    return "all rows of X are the same: pass features that vary"


def _extreme_targets(training):
    """Return what to do about a few targets that make most of the loss; None if there are none."""
    problem = training.problem
    _, y, Y, sample_weight = problem.samples
    if not problem.numeric or (extreme := _extreme(y)) is None:
        return None
    with np.errstate(**QUIET):
        losses = base_rate_losses(problem.loss, Y, sample_weight)
        few = max(1, len(losses) // 100)
        losses /= losses.max()
        if not np.partition(losses, -few)[-few:].sum() > 0.9 * losses.sum():
            return None
    name = "X" if y is problem.samples.X else "y"
    far = f"values far from all others, such as {extreme:.4g}, make most of that loss"
    return f"{far}: correct them in {name}, or leave them out"


def _penalty(training, base_rate):
    """Return what to do about a penalty that outweighs what there is to be learnt; None if it does not."""
    estimator = training.estimator
    strengths = {name: getattr(estimator, name) for name in ("alpha", "weight_decay")}
    asked_for = {name: strength for name, strength in strengths.items() if strength and not isinstance(strength, str)}
    if not asked_for:
        return None
    lower = _any_of([f"lower {name} (now {strength})" for name, strength in asked_for.items()])
    if training.weights_have_shrunk(base_rate):
        return f"the penalty holds its weights near zero: {lower}"
    # Any penalty is larger than the loss of tiny targets.
    penalty = 0.5 * training.penalty_strength * training.weight_norm() ** 2
    if "alpha" in asked_for and penalty > base_rate > 1e-3:
        return f"the penalty is larger than all that there is to be learnt: {lower}"
    return None


def _short_steps(training):
    """Return what to do about a limit on the gradient that alone keeps the steps short; None if there is none."""
    estimator, recipe, theta = training.estimator, training.recipe, training.network.theta
    clip_norm = recipe.step.clip_norm
    # With 1, the recipe's own, much can be learnt.
    if clip_norm is None or clip_norm >= 1:
        return None

    def way(norm):
        """Return the length of all steps together, if each is as the first one at a gradient of that norm."""
        point, gradient = np.zeros_like(theta), np.full_like(theta, norm / math.sqrt(theta.size))
        memory = recipe.optimizer.initial_state(point) or {}
        recipe.optimizer.update(point, gradient, memory, estimator.learning_rate_init, 0.0)
        return training.state.descent.steps * math.sqrt(point.dot(point))

    # In the one case the weights stay as good as they were.
    if way(clip_norm) < 0.001 * training.first_norm and way(1.0) > 0.01 * training.first_norm:
        return f"clip_norm keeps its steps short: raise clip_norm (now {clip_norm})"
    return None


def _held_back(run, training, base_rate):
    """Return what to do about other settings that keep any network from learning; None if there are none."""
    estimator, solver = training.estimator, training.estimator.solver
    heeded = {"dropout", "noise"}
    if isinstance(solver, str):
        heeded |= set(getattr(training.recipe.optimizer, "shared", ())) | ({"power_t"} if solver == "sgd" else set())
    if estimator.learning_rate != "invscaling":
        heeded.discard("power_t")
    found = [name for name, limit in HELD_BACK.items() if name in heeded and getattr(estimator, name) >= limit]
    # What does not count as progress is then a large part of all that there is to be made.
    if run.reason in {"plateau", "converged"} and estimator.tol > 0.05 * base_rate:
        found.append("tol")
    return _any_of([f"lower {name} (now {getattr(estimator, name)})" for name in found]) if found else None


def _unconfirmed(run, training, base_rate):
    """Return what to do where validation samples chose weights before much was learnt; None if they did not."""
    if not run.early_stopping or run.loss_curve[-1] >= 0.99 * base_rate:
        return None
    other_score = "scoring" in training.estimator.get_params(deep=False) and training.estimator.scoring != "loss"
    score = ["take scoring='loss'"] if other_score else []
    remedies = [*_standardise(training), *score, "pass more samples", "better features"]
    held = "what it learnt later did not hold on the validation samples, so that early weights are kept"
    return f"{held}: {_any_of(remedies)}"


# What is not in force yet ----------------------------------------------------------------------------------------------


def _not_tried(run, training):
    """Return what may help a network that has not learnt."""
    estimator, recipe = training.estimator, training.recipe
    longer = {name: f"raise {name} (now {getattr(estimator, name)})" for name in ("max_iter", "max_fun", "max_time")}
    extreme = _extreme(training.problem.samples.X)
    yield from [] if extreme is None else [f"check X for extreme values, such as {extreme:.4g}"]
    yield from _standardise(training)
    yield from _standardise_targets(training)
    yield from _another_rate(training, "change")
    yield from filter(None, [longer.get(run.reason)])
    # scikit-learn's own networks have no such parameter.
    if "init" in estimator.get_params(deep=False) and not follows_recipe(estimator):
        yield "try init='auto'"
    yield "try another activation" if recipe.hidden_sizes else "add a hidden layer"


def _standardise(training):
    """Return the advice to standardise the features, unless training or the user has done so."""
    X = training.problem.samples.X
    if training.estimator._scaling is not None:
        return []
    if issparse(X):
        return ["standardise X"]
    with np.errstate(**QUIET):
        some = _some_rows(X)
        mean, deviation = some.mean(axis=0), some.std(axis=0)
    done = np.all(np.abs(mean) < 0.5) and np.all((np.abs(deviation - 1) < 0.5) | (deviation == 0))
    return [] if done else ["standardise X"]


def _standardise_targets(training):
    """Return the advice to standardise the targets, unless training or the user has done so, or their loss has a link."""
    problem = training.problem
    if (
        not problem.numeric
        or training.estimator._target_scaling is not None
        or problem.loss.output_activation != "identity"
    ):
        return []
    with np.errstate(**QUIET):
        deviation = _some_rows(problem.samples.Y).std()
    return [] if 0.1 < deviation < 10 else ["standardise y"]


def _another_rate(training, change):
    """Return the advice to change the learning rate, if the solver has one."""
    rate = training.estimator.learning_rate_init
    return [f"{change} learning_rate_init (now {rate})"] if training.recipe.optimizer.uses_learning_rate else []


# Tables and words ------------------------------------------------------------------------------------------------------


def _chunks(table):
    """Return slices of rows, each of few values."""
    return gen_batches(table.shape[0], max(1, CHUNK_VALUES // max(1, table.shape[1])))


def _some_rows(table):
    """Return rows of an array, spread evenly."""
    n_rows = min(len(table), SAMPLE_ROWS, max(100, SAMPLE_VALUES // table.shape[1]))
    return table[np.linspace(0, len(table) - 1, n_rows).astype(int)]


def _extreme(table):
    """Return the value of an array that lies farthest out, if it is extreme; None if it is not, or the table sparse."""
    if issparse(table):
        return None
    table = table.reshape(len(table), -1)
    low, median, high = np.quantile(_some_rows(table).astype(np.float64), [0.05, 0.5, 0.95], axis=0)
    spread = np.where(high > low, high - low, np.inf)
    farthest, value = EXTREME, None
    with np.errstate(**QUIET):
        for rows in _chunks(table):
            far = np.abs(table[rows] - median) / spread
            place = np.unravel_index(far.argmax(), far.shape)
            if far[place] > farthest:
                farthest, value = far[place], table[rows][place]
    return value


def _any_of(remedies):
    """Return remedies in a row, with "or" before the last."""
    *others, last = remedies
    return f"{', '.join(others)} or {last}" if others else last
