"""What the parts of the accuracy benchmark share: a scored fit, means, and a line that says whether a bound holds."""

import warnings
from time import process_time

import numpy as np
from joblib import delayed


def line(what, ours, rivals, bound, holds, form=".3f"):
    """Print what was measured, our figure, the rivals' by name, the bound, and whether it holds."""
    others = ", ".join(f"{name} {value:{form}}" for name, value in rivals.items())
    verdict = "holds" if holds else "FAILS"
    print(f"{what:49s} ours {ours:<9{form}}{others:52s} {bound:34s}{verdict}", flush=True)


def geometric_mean(ratios):
    """Return the geometric mean."""
    return float(np.exp(np.mean(np.log(ratios))))


def timed(estimator, X, y, **fit_parameters):
    """Fit; return the seconds of this process, which other processes do not disturb, and whether the user was warned."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = process_time()
        estimator.fit(X, y, **fit_parameters)
        seconds = process_time() - start
    return seconds, any(issubclass(warning.category, UserWarning) for warning in caught)


def scored(estimator, train, test):
    """Return test score (accuracy or R2), seconds of the fit, and whether the user was warned."""
    seconds, warned = timed(estimator, *train)
    return estimator.score(*test), seconds, warned


def scores(run, models, problems):
    """Return the array (problems, 3) of `scored` of each model.

    `models` makes an estimator from a seed, by name; `problems` holds a pair of training and test data for each seed.
    """
    jobs = [delayed(scored)(make(seed), *problem) for make in models.values() for seed, problem in enumerate(problems)]
    return dict(zip(models, np.array(run(jobs), dtype=float).reshape(len(models), len(problems), 3), strict=True))
