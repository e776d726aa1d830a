"""Real tables: the default beside HistGradientBoosting and a saved run, and the best network for tables beside it."""

import json

import numpy as np
from figures import geometric_mean, line, timed
from joblib import delayed
from models import MODELS, boosted_trees, default, encoded, stopped
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split

TASKS = ("classification", "regression")


def split(X, y, is_number, task, seed):
    """Return at most 2,000 rows to train on and 4,000 to test on, and which columns are numbers."""
    labels = y if task == "classification" else None
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, stratify=labels, random_state=seed)
    if len(X) > 2000:
        labels = y if task == "classification" else None
        X, _, y, _ = train_test_split(X, y, train_size=2000, stratify=labels, random_state=seed)
    varies = X.min(axis=0) < X.max(axis=0)
    return (X[:, varies], y), (X_test[:4000, varies], y_test[:4000]), is_number[varies]


def measured(make, task, X, y, is_number, seed):
    """Return log-loss, error, seconds, calibration error; for numbers RMSE in standard deviations twice, seconds, NaN."""
    train, (X_test, y_test), is_number = split(X, y, is_number, task, seed)
    model = make(task, is_number, seed)
    seconds, _ = timed(model, *train)
    if task == "regression":
        error = root_mean_squared_error(y_test, model.predict(X_test)) / y.std(dtype=float)
        return error, error, seconds, np.nan
    # A class that is too rare to be among the training rows has no probability.
    probabilities = np.zeros((len(y_test), y.max() + 1))
    probabilities[:, model.classes_] = model.predict_proba(X_test)
    # Those in float32 add up to 1 less exactly than log_loss asks of those in float64.
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    loss = log_loss(y_test, probabilities, labels=np.arange(y.max() + 1))
    return loss, 1 - model.score(X_test, y_test), seconds, calibration_error(probabilities, y_test)


def calibration_error(probabilities, labels, n_bins=15):
    """Return the expected calibration error (Guo et al., 2017): how far the share that is right is from the confidence.

    The confidence is the largest probability; bins are equally wide, and count as many as are in them.
    """
    confidence = probabilities.max(axis=1)
    too_sure = confidence - (probabilities.argmax(axis=1) == labels)
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    return np.abs(np.bincount(bins, too_sure, n_bins)).sum() / len(labels)


# They do not depend on this package, and are not measured again where a saved run has them.
RIVALS = ("linear", "MLP", "RandomForest", "HistGradientBoosting", "RealMLP")


def measure_all(run, options, model):
    """Return, for each task, the figures of `measured` by the table's name, one row for each seed; measured once a run."""
    if model not in options.measured:
        data = np.load(options.data / "tabular.npz")
        names = [
            (table["task"], table["name"]) for table in json.loads(str(data["meta"])) if options.table in table["name"]
        ]
        kept = {**options.saved.get("tables", {}), **options.saved.get("rivals", {})}
        saved = kept.get(model, {}) if model in RIVALS else {}
        missing = [(task, name) for task, name in names if len(saved.get(task, {}).get(name, ())) < options.seeds]
        jobs = [
            delayed(measured)(MODELS[model], task, *(data[f"{name}/{part}"] for part in ("X", "y", "isnum")), seed)
            for task, name in missing
            for seed in range(options.seeds)
        ]
        new = dict(zip(missing, np.reshape(run(jobs), (len(missing), options.seeds, 4)).tolist(), strict=True))
        options.measured[model] = {
            task: {
                name: new.get((task, name)) or saved[task][name][: options.seeds] for kind, name in names if kind == task
            }
            for task in TASKS
        }
    return options.measured[model]


def ratios(figures, others, column=0):
    """Return, table by table, the mean over seeds of `figures` relative to that of `others`, over the seeds both have."""
    quotients = []
    for name in (name for name in figures if name in others):
        n_seeds = min(len(figures[name]), len(others[name]))
        mean, other = (np.mean(rows[name][:n_seeds], axis=0)[column] for rows in (figures, others))
        quotients.append(mean / other)
    return np.array(quotients)


def seconds(figures):
    """Return the sum over tables of the mean seconds of a fit."""
    return sum(np.mean(rows, axis=0)[2] for rows in figures.values())


def tables(run, options):
    """Print the default's figures on each table, and geometric means relative to others; return all."""
    models = ("ours", "HistGradientBoosting", *["MLP"] * options.mlp)
    found = {model: measure_all(run, options, model) for model in models}
    saved = options.saved.get("tables", {}).get("ours")
    for task, bound, measure in zip(TASKS, (1.12, 1.03), ("log-loss", "RMSE"), strict=True):
        ours = found["ours"][task]
        if not ours:
            continue
        print(f"{measure + ', then error':20s}" + "".join(f"{name:>22s}" for name in found) + f"{'our seconds':>14s}")
        for name in ours:
            means = [np.mean(figures[task][name], axis=0) for figures in found.values()]
            print(f"{name:20s}" + "".join(f"{mean[0]:12.4f}{mean[1]:10.4f}" for mean in means) + f"{means[0][2]:14.2f}")
        for rival in list(found)[1:]:
            quotient = ratios(found[rival][task], ours)
            mean = geometric_mean(quotient)
            line(f"{measure}: rival's relative to ours", 1, {rival: mean}, f"at least {bound}", mean >= bound)
            times = seconds(ours) / seconds(found[rival][task])
            print(f"    ours is better on {np.mean(quotient > 1):.0%}, in {times:.2f} of the time")
        if saved:
            quotient = ratios(ours, saved[task])
            mean = geometric_mean(quotient)
            line(f"{measure} of ours / saved", mean, {"better on": np.mean(quotient < 1)}, "at most 1.00", mean <= 1)
    if saved:
        pairs = [(rows, saved[task][name]) for task in TASKS for name, rows in found["ours"][task].items()]
        now, then = (seconds(dict(enumerate(rows))) for rows in zip(*pairs, strict=True))
        line(
            "seconds of default fits, sum", now, {"saved": then}, f"ratio {now / then:.2f}: at most 1.3", now <= 1.3 * then
        )
    return found


def tabular(run, options):
    """Print the figures of encoding, silu and early_stopping="cv" relative to the default and to HistGradientBoosting."""
    try:
        encoded("classification", np.array([True]), 0)
        stopped("classification", np.array([True]), 0)._validate_params()
    except (ImportError, ValueError) as error:
        print(f"encoding + silu + early_stopping='cv': not there yet ({str(error)[:60]})")
        return
    best, ours, trees = (measure_all(run, options, model) for model in ("encoded", "ours", "HistGradientBoosting"))
    bounds = ((0.89, 0.82, "log-loss"), (0.945, 0.75, "RMSE"))
    for task, (bound, share, measure) in zip(TASKS, bounds, strict=True):
        if not best[task]:
            continue
        quotient = ratios(best[task], ours[task])
        for name, value in zip(best[task], quotient, strict=True):
            print(f"{name:20s}{measure} {np.mean(best[task][name], axis=0)[0]:.4f}, {value:.3f} of the default's")
        mean = geometric_mean(quotient)
        line(f"encoded, cv: {measure} / default's", mean, {}, f"at most {bound}", mean <= bound)
        times = seconds(best[task]) / seconds(ours[task])
        line(f"encoded, cv: seconds / default's ({task})", times, {}, "at most 3.5", times <= 3.5)
        better = np.mean(ratios(best[task], trees[task]) < 1)
        line(f"encoded, cv: better than boosting ({task})", better, {}, f"at least {share}", better >= share)
    puma(run, options)


def puma(run, options):
    """Print whether a table of 32 columns, few of use, is learnt at all."""
    jobs = []
    for seed in range(options.seeds):
        rng = np.random.RandomState(seed)
        X = rng.standard_normal((4000, 32)).astype(np.float32)
        y = np.sin(1.5 * X[:, 0]) * X[:, 1] + 0.3 * rng.standard_normal(len(X)).astype(np.float32)
        jobs += [
            delayed(measured)(make, "regression", X, y, np.ones(32, dtype=bool), seed)
            for make in (stopped, encoded, default, boosted_trees)
        ]
    plain, with_encoding, single, trees = np.reshape(run(jobs), (options.seeds, 4, 4)).mean(axis=0)[:, 0]
    for what, error in (("cv, not encoded", plain), ("cv, encoded", with_encoding)):
        line(f"32 columns, 2 of use, {what}: RMSE", error, {"default": single, "HistGradientBoosting": trees},
             "at most 1.1 of the default's", error <= 1.1 * single)  # fmt: skip
