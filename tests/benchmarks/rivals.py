"""Real tables: our default and our pipeline for tables beside scikit-learn's models, and beside RealMLP."""

import importlib.util
import json
from time import perf_counter

import numpy as np
from figures import geometric_mean
from tables import TASKS, measure_all, ratios

# What all are divided by.
REFERENCE = "HistGradientBoosting"
OURS = "tabular_network"
# The columns of what `measured` returns.
LOSS, ERROR, SECONDS, CALIBRATION = range(4)


def interval(quotients, n_resamples=10_000):
    """Return the ends of a 95 % interval of the geometric mean: a bootstrap over tables (Efron, 1979)."""
    rows = np.random.RandomState(0).randint(len(quotients), size=(n_resamples, len(quotients)))
    return np.exp(np.quantile(np.log(quotients)[rows].mean(axis=1), (0.025, 0.975)))


def means(figures, column):
    """Return the mean over splits of one of the figures, table by table."""
    return np.array([np.mean(rows, axis=0)[column] for rows in figures.values()])


def summary(found, task):
    """Print a line for each model."""
    losses = np.array([means(figures[task], LOSS) for figures in found.values()])
    best = losses.argmin(axis=0)
    classes = task == "classification"
    print(f"\n{losses.shape[1]} tables of {'classes' if classes else 'numbers'}; loss and fit time relative to {REFERENCE}")
    titles = ["log-loss" if classes else "RMSE", "95 % interval", "median", "better on", "best on", "fit time"]
    titles += ["accuracy", "calibration"] * classes
    widths = [22, 18, 9, 12, 10, 11, 11, 14]
    print(" " * 14 + "".join(f"{title:>{width}}" for title, width in zip(titles, widths, strict=False)))
    for row, (name, figures) in enumerate(found.items()):
        quotient = ratios(figures[task], found[REFERENCE][task], LOSS)
        time = np.median(ratios(figures[task], found[REFERENCE][task], SECONDS))
        low, high = interval(quotient)
        values = [f"{geometric_mean(quotient):.3f}", f"{low:.3f} to {high:.3f}", f"{np.median(quotient):.3f}"]
        values += [str(np.sum(quotient < 1)), str(np.sum(best == row)), f"{time:.2f}"]
        if classes:
            values += [f"{1 - means(figures[task], ERROR).mean():.3f}", f"{means(figures[task], CALIBRATION).mean():.3f}"]
        widths[0] = 36 - len(name)
        print(name + "".join(f"{value:>{width}}" for value, width in zip(values, widths, strict=False)))


def lost(found, task, meta):
    """Print where the loss of our pipeline is more than a twentieth above that of the best model."""
    losses = np.array([means(figures[task], LOSS) for figures in found.values()])
    ours = losses[list(found).index(OURS)]
    quotient = ours / losses.min(axis=0)
    names = list(found[OURS][task])
    behind = [table for table in np.argsort(-quotient) if quotient[table] > 1.05]
    print(f"\n{OURS} is more than 5 % behind the best model on {len(behind)} of them:")
    for table in behind:
        rows, columns, numbers = (meta[names[table]][key] for key in ("n", "d", "n_num"))
        best = list(found)[losses[:, table].argmin()]
        print(
            f"  {names[table]:18}{rows:7,} rows,{columns:4} columns ({numbers:3} numbers){quotient[table]:8.2f} of {best}"
        )


def rivals(run, options):
    """Print losses of all models relative to those of HistGradientBoosting, and where our pipeline for tables loses."""
    names = ["linear", "MLP", "RandomForest", REFERENCE, "ours", OURS]
    if options.realmlp:
        names = ["RealMLP", REFERENCE, "ours", OURS]
        if importlib.util.find_spec("pytabkit") is None:
            raise ModuleNotFoundError("RealMLP needs pytabkit, which is not installed: run pip install pytabkit.")
    found = {}
    for name in names:
        start = perf_counter()
        found[name] = measure_all(run, options, name)
        print(f"{name}: measured in {perf_counter() - start:.0f} s", flush=True)
    meta = {table["name"]: table for table in json.loads(str(np.load(options.data / "tabular.npz")["meta"]))}
    for task in TASKS:
        if found[OURS][task]:
            summary(found, task)
            lost(found, task, meta)
    return found
