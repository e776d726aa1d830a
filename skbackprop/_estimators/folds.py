"""Early stopping by cross-validation: a network for each fold, stopped on that fold, and all of them folded into one."""

import math
import warnings
from time import perf_counter
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.utils import check_random_state

from .._engine.network import Network
from .._engine.objective import QUIET
from .advice import keeping_warnings, tell_kept
from .prediction import raw_scores
from .progress import judged, print_line, seconds
from .state import draft_of
from .training import Training


def refuse_with_folds(estimator, validation):
    """Raise for what has no meaning with `early_stopping="cv"`."""
    if estimator.warm_start:
        raise ValueError(
            "Got warm_start=True with early_stopping='cv', whose networks have become one by the end of a fit, so that "
            "none of them can go on: use early_stopping=True, or warm_start=False."
        )
    if any(part is not None for part in validation):
        raise ValueError(
            "Got validation samples (X_val, y_val or sample_weight_val) with early_stopping='cv', which validates each "
            "network on the fold that it is not trained on: leave them out, or use early_stopping=True."
        )


class Fold(NamedTuple):
    """The network of a fold, trained."""

    # In the user's units.
    network: Network
    # Its raw scores of the samples that it was stopped on, and not trained.
    scores: np.ndarray
    loss_curve: list
    validation_scores: list
    best_validation_score: float
    # Training samples seen.
    n_seen: int
    # What the user is to be told, with its category.
    warnings: list


class FoldedTraining:
    """A run of `early_stopping="cv"`, prepared: which samples each network is trained on, and which it is stopped on.

    A sample of zero weight counts nowhere. The only sample of a class is in no fold: every network is trained on it.

    Parameters
    ----------
    estimator : estimator
        A draft.
    problem : Problem

    Attributes
    ----------
    rows : ndarray
        Numbers of the samples that count.
    folds : list of ndarray
        Numbers of those that each network is stopped on.
    seeds : ndarray
        Each network's `random_state`.
    """

    def __init__(self, estimator, problem):
        self.estimator = estimator
        self.problem = problem
        (X, _, _, weight), strata, n_folds = problem.samples, problem.strata, estimator.n_folds
        self.rows = rows = np.arange(X.shape[0]) if weight is None else np.flatnonzero(weight)
        if strata is None:
            # Two numbers a fold at least, since R^2 is not defined for one.
            codes, most, kind = np.zeros(len(rows)), len(rows) // 2, KFold
        else:
            _, codes, counts = np.unique(strata[rows], return_inverse=True, return_counts=True)
            several, most, kind = counts[codes] > 1, counts.max(), StratifiedKFold
            rows, codes = rows[several], codes[several]
        if most < n_folds:
            raise ValueError(
                f"Got n_samples={len(self.rows)}, too few for early_stopping='cv' with n_folds={n_folds}: pass "
                "fewer folds, or more samples: of the largest class one a fold, of targets that are no classes two."
            )
        random_state = check_random_state(estimator.random_state)
        splitter = kind(n_folds, shuffle=True, random_state=random_state)
        with warnings.catch_warnings():
            # Of a class with fewer samples than folds some folds have none, but all networks are trained on it.
            warnings.simplefilter("ignore", UserWarning)
            self.folds = [rows[held_out] for _, held_out in splitter.split(codes, codes)]
        self.broken_by = None
        self.seeds = random_state.randint(np.iinfo(np.int32).max, size=n_folds)

    def run(self, bridge=None):
        """Train the networks and leave the estimator fitted; tell the bridge, if there is one, of each of them."""
        estimator = self.estimator
        start = perf_counter()
        fits = []
        for fit in Parallel(n_jobs=estimator.n_jobs, return_as="generator")(self._jobs(bridge)):
            fits.append(fit)
            if estimator.verbose:
                best = judged(fit.best_validation_score, estimator.scoring)
                count = f"Network {len(fits)}/{len(self.folds)}", f"epochs = {len(fit.loss_curve)}"
                print_line([*count, best, seconds(perf_counter() - start)])
        tell_kept([fit.warnings for fit in fits], "networks")
        self._publish(fits)

    def _jobs(self, bridge):
        """Yield the fit of each network, to be called in this process or another."""
        estimator = self.estimator
        # With a warm start a network keeps its state, which says why training ended.
        own = {"early_stopping": True, "verbose": False, "warm_start": True}
        if estimator.max_time is not None:
            # Networks that are trained one after the other share the time.
            own["max_time"] = estimator.max_time / math.ceil(len(self.folds) / effective_n_jobs(estimator.n_jobs))
        for fold, seed in zip(self.folds, self.seeds, strict=True):
            draft = draft_of(estimator)
            vars(draft).update(own, random_state=seed)
            told = None if bridge is None else bridge.network(estimator.max_iter)
            yield delayed(_fit_fold)(draft, self.problem._replace(averaged=True), np.setdiff1d(self.rows, fold), fold, told)

    def _publish(self, fits):
        """Set the fitted attributes: those of the folded network, and the means of what was noted of the others."""
        estimator, loss = self.estimator, self.problem.loss
        network = folded([fit.network for fit in fits])
        estimator.coefs_, estimator.intercepts_ = network.coefs, network.intercepts
        estimator.n_layers_ = len(network.layer_sizes)
        estimator.n_outputs_ = network.layer_sizes[-1]
        estimator.out_activation_ = loss.output_activation
        estimator._activations = network.activations
        estimator._loss = loss
        # Each network had its own; this one has raw inputs and targets.
        estimator._scaling = estimator._target_scaling = estimator._training_state = None
        estimator.n_iter_ = max(len(fit.loss_curve) for fit in fits)
        estimator.t_ = sum(fit.n_seen for fit in fits)
        estimator.loss_curve_ = _mean_curve([fit.loss_curve for fit in fits], estimator.n_iter_)
        estimator.loss_ = estimator.loss_curve_[-1]
        estimator.validation_scores_ = _mean_curve([fit.validation_scores for fit in fits], estimator.n_iter_)
        estimator.best_validation_score_ = float(np.mean([fit.best_validation_score for fit in fits]))
        estimator.best_loss_ = None
        estimator._set_out_of_fold(self._out_of_fold(network, fits))

    def _out_of_fold(self, network, fits):
        """Return the raw scores of each sample by the network that was not trained on it.

        Of a sample that none was trained on, for want of weight, they are those of the folded network; of one that all were
        trained on there are none: NaN.
        """
        X = self.problem.samples.X
        scores = np.full((X.shape[0], network.layer_sizes[-1]), np.nan, network.theta.dtype)
        for fold, fit in zip(self.folds, fits, strict=True):
            scores[fold] = fit.scores
        weightless = np.setdiff1d(np.arange(X.shape[0]), self.rows)
        if len(weightless):
            scores[weightless] = _scores(network, X[weightless])
        return scores


def folded(networks):
    """Return one network whose raw scores are the mean of those of several: it has the units of all, side by side."""
    n_networks, last = len(networks), len(networks[0].coefs) - 1
    n_inputs, *hidden, n_outputs = networks[0].layer_sizes
    sizes = n_inputs, *(n_networks * size for size in hidden), n_outputs
    # Features or targets may be too coarse for float32 in some folds only.
    dtype = np.result_type(*{network.theta.dtype for network in networks})
    together = Network(sizes, networks[0].activations, networks[0].fit_intercept, dtype)
    for number, network in enumerate(networks):
        for layer, (coef, intercept) in enumerate(zip(network.coefs, network.intercepts, strict=True)):
            # The inputs and the outputs are common to all; in between each has units of its own.
            above, below = (slice(number * size, (number + 1) * size) for size in coef.shape)
            above, below = slice(None) if layer == 0 else above, slice(None) if layer == last else below
            share = n_networks if layer == last else 1
            together.coefs[layer][above, below] += np.divide(coef, share, dtype=dtype)
            together.intercepts[layer][below] += np.divide(intercept, share, dtype=dtype)
    return together


def _train(estimator, problem, held_out, bridge):
    """Train a draft on some samples, stopped on others; return the training."""
    training = Training(estimator, problem, held_out)
    if bridge is not None:
        bridge.begin()
    training.run(bridge)
    if bridge is not None:
        bridge.end()
    return training


def _fit_fold(estimator, problem, rows, fold, bridge):
    """Train a draft on some samples, stopped on others; return it as a `Fold`.

    Its warnings go with it, for those of another process would be lost.
    """
    samples = problem.samples
    split = problem._replace(samples=samples.take(rows)), samples.take(fold)
    training, kept = keeping_warnings(_train, estimator, *split, bridge)
    if estimator._training_state.reason == "interrupted":
        # The other networks are not to be waited for.
        raise KeyboardInterrupt
    return Fold(
        training.published,
        _scores(training.published, samples.X[fold]),
        estimator.loss_curve_,
        estimator.validation_scores_ or [np.nan],
        estimator.best_validation_score_ if estimator.validation_scores_ else np.nan,
        estimator.t_,
        kept,
    )


def _scores(network, X):
    """Return a network's raw scores."""
    with np.errstate(**QUIET):
        return raw_scores(network.coefs, network.intercepts, network.activations, X)


def _mean_curve(curves, length):
    """Return the mean of curves, made equally long by repeating the last value of each."""
    return np.mean([[*curve, *[curve[-1]] * (length - len(curve))] for curve in curves], axis=0).tolist()
