"""
Prediction intervals from quantiles
===================================

Networks that learn the quantiles 0.1, 0.5 and 0.9 of the progress of diabetes give a prediction interval for each patient.
A network that learns the mean does not; here it gets the same width for all, from its training errors.
"""

import sys

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error, mean_pinball_loss
from sklearn.model_selection import train_test_split

from skbackprop import SigmoidBackpropRegressor

N_SPLITS = 10
PARTS = ("lowest", "second", "third", "fourth", "highest")


def predictions(X_train, y_train, X_test):
    """Return the lower end, middle and upper end of both kinds of intervals, as predicted for the test samples."""
    networks = [SigmoidBackpropRegressor("quantile", quantile=q, max_iter=500, random_state=0) for q in (0.1, 0.5, 0.9)]
    by_quantiles = [network.fit(X_train, y_train).predict(X_test) for network in networks]
    network = SigmoidBackpropRegressor(max_iter=500, random_state=0).fit(X_train, y_train)
    lower, upper = np.quantile(y_train - network.predict(X_train), (0.1, 0.9))
    mean = network.predict(X_test)
    return {"quantile losses": by_quantiles, "squared error": [mean + lower, mean, mean + upper]}


def judged(lower, middle, upper, y):
    """Return what the table below shows, for one split."""
    covered = (lower <= y) & (y <= upper)
    fifths = np.array_split(np.argsort(middle), 5)
    shares, widths = ([values[fifth].mean() for fifth in fifths] for values in (covered, upper - lower))
    pinball = sum(mean_pinball_loss(y, end, alpha=q) for end, q in ((lower, 0.1), (upper, 0.9)))
    return covered.mean(), *shares, *widths, pinball, mean_absolute_error(y, middle)


# %%
# Ten splits of the patients, and what the two kinds of intervals are worth on those that were not trained on.
X, y = load_diabetes(return_X_y=True)
results = []
for seed in range(N_SPLITS):
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    intervals = predictions(X_train, y_train, X_test)
    results.append([judged(*parts, y_test) for parts in intervals.values()])
means, deviations = np.mean(results, axis=0), np.std(results, axis=0)
print(f"Diabetes: {len(y_train)} patients to train on, {len(y_test)} to test; mean and deviation over {N_SPLITS} splits\n")
fifths = [f"{what}, {part} fifth of predictions" for what in ("share inside", "width") for part in PARTS]
rows = ["share of test patients inside (80 % is meant)", *fifths, "pinball loss of the ends", "absolute error, middle"]
print(f"{'':46}" + "".join(f"{name:>18}" for name in intervals))
for name, mean, deviation in zip(rows, means.T, deviations.T, strict=True):
    print(f"  {name:44}" + "".join(f"{m:10.3g} +- {d:4.2g}" for m, d in zip(mean, deviation, strict=True)))


# %%
# Both kinds of intervals for the patients of the last split, and the share inside over all splits: an interval that holds
# 80 % of all patients should hold 80 % of those with slow progress, and of those with fast progress.
def plot(intervals, y, shares, path):
    """Save a picture of both kinds of intervals, patients in the order of the middle prediction, and of shares inside."""
    import matplotlib.pyplot as plt

    *axes, right = (figure := plt.figure(figsize=(14, 4.5), layout="constrained")).subplots(ncols=3)
    for ax, (name, (lower, middle, upper)) in zip(axes, intervals.items(), strict=True):
        order = np.argsort(middle)
        rank = np.arange(len(y))
        ax.fill_between(rank, lower[order], upper[order], color="C0", alpha=0.25, label="meant to hold 80 %")
        ax.plot(rank, middle[order], color="C0", label="median" if name == "quantile losses" else "mean")
        inside = ((lower <= y) & (y <= upper))[order]
        ax.plot(rank[inside], y[order][inside], "o", color="0.35", markersize=4, label="patients inside")
        ax.plot(rank[~inside], y[order][~inside], "x", color="C3", label="outside")
        ax.set(title=f"{name}, the last split", xlabel="test patients, by predicted progress", ylim=(-20, 420))
        ax.legend(loc="upper left", ncols=2)
    axes[0].set_ylabel("progress of the disease after a year (score)")
    for (name, share), marker in zip(shares.items(), "os", strict=True):
        right.plot(PARTS, share, marker=marker, label=name)
    right.axhline(0.8, color="0.35", linestyle="--", label="meant")
    right.set(title=f"share inside, mean of {N_SPLITS} splits", xlabel="fifth of the patients, by predicted progress")
    right.set(ylim=(0.5, 1), yticks=np.arange(0.5, 1.01, 0.1))
    right.legend(loc="upper right")
    figure.savefig(path, dpi=100)


shares = dict(zip(intervals, means[:, 1:6], strict=True))
picture = sys.argv[1] if len(sys.argv) > 1 else "diabetes_regression.png"
try:
    plot(intervals, y_test, shares, picture)
    print(f"\nPicture: {picture}")
except ModuleNotFoundError:
    print("\nNo picture: matplotlib is not installed.")
# %%
# What is to be learnt from it:
first, last = shares["squared error"][[0, -1]]
print("\nLearnt: networks for quantiles give each patient an interval, narrow where slow progress is expected and wide")
print("elsewhere, and hold about the intended share in each fifth of the patients. One width for all does not: it holds")
print(f"{first:.0%} of the patients in the lowest fifth, and {last:.0%} of those in the highest.")
