"""Problems that others have published figures of: Proben1, vowels, anomalies, and scikit-learn's own data sets.

Prechelt (1994), Table 10: RPROP, no-shortcut architectures. Test errors are in percent, squared ones times 100, areas under
the ROC curve (AUC) shares.
"""

import warnings
from time import process_time

import numpy as np
from figures import geometric_mean, line, timed
from joblib import delayed
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import LocalOutlierFactor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropOutlierDetector, SigmoidBackpropRegressor

TABLE_10 = {
    "cancer1": 1.38, "card1": 14.05, "diabetes1": 24.10, "gene1": 16.67, "glass1": 32.70, "heart1": 19.72,
    "heartc1": 20.82, "horse1": 29.19, "soybean1": 29.40, "thyroid1": 2.38,
}  # fmt: skip
REGRESSION = ("building1", "flare1", "hearta1", "heartac1")
ANOMALY = ("breastw", "cardio", "Ionosphere", "satellite", "shuttle", "thyroid", "pendigits", "WDBC", "mammography")


def timed_error(classifier, train, test, validation=None):
    """Return test error in percent and the seconds that the fit took."""
    keywords = {} if validation is None else {"X_val": validation[0], "y_val": validation[1]}
    seconds, _ = timed(classifier, *train, **keywords)
    return 100 * (1 - classifier.score(*test)), seconds


def proben1(run, options):
    """Print the table of the classification problems."""
    data = np.load(options.data / "proben1.npz")
    seeds = options.seeds
    variants = ("validation part", "own split", "MLP", "MLP logistic, stopped")
    print(f"{'Proben1':12s}{'Table 10':>10s}" + "".join(f"{name:>23s}" for name in variants))
    means, seconds = {variant: [] for variant in variants}, 0.0
    for name, published in TABLE_10.items():
        X, y, (n_train, n_fit, n_all) = data[f"{name}_X"].astype(float), data[f"{name}_y"], data[f"{name}_split"]
        parts = [(X[a:b], y[a:b]) for a, b in ((0, n_train), (n_train, n_fit), (0, n_fit), (n_fit, n_all))]
        train, validation, fit, test = parts
        jobs = []
        for seed in range(seeds):
            ours = SigmoidBackpropClassifier(early_stopping=True, random_state=seed)
            stopped = MLPClassifier(activation="logistic", early_stopping=True, max_iter=1000, random_state=seed)
            jobs += [
                delayed(timed_error)(ours, train, test, validation),
                delayed(timed_error)(ours, fit, test),
                delayed(timed_error)(MLPClassifier(random_state=seed), fit, test),
                delayed(timed_error)(stopped, fit, test),
            ]
        results = np.array(run(jobs)).reshape(seeds, len(variants), 2)
        errors = results[..., 0].mean(axis=0)
        seconds += results[:, :1, 1].sum()
        for variant, error in zip(variants, errors, strict=True):
            means[variant].append((error, published))
        print(f"{name:12s}{published:10.2f}" + "".join(f"{error:23.2f}" for error in errors))
    print(f"{'mean':12s}{np.mean(list(TABLE_10.values())):10.2f}"
          + "".join(f"{np.mean([error for error, _ in means[v]]):23.2f}" for v in variants))  # fmt: skip
    print(f"{'at or below Table 10':22s}"
          + "".join(f"{sum(e <= published for e, published in means[v]):23d}" for v in variants))  # fmt: skip
    for variant in variants[:2]:
        mean = np.mean([error for error, _ in means[variant]])
        line(f"mean error, {variant}", mean, {}, "at most 15.3", mean <= 15.3)
    print(f"{10 * seeds} fits with the validation part took {seconds:.1f} seconds in all")


def timed_squared_error(regressor, train, test):
    """Return 100 times the mean squared test error, and the seconds that the fit took."""
    seconds, _ = timed(regressor, *train)
    return 100 * np.mean((regressor.predict(test[0]) - test[1]) ** 2), seconds


def regression(run, options):
    """Print the table of the regression problems, all fitted on the training and the validation part."""
    data = np.load(options.data / "proben1.npz")
    seeds = options.seeds
    variants = {
        "ours, stopped": lambda seed: SigmoidBackpropRegressor(early_stopping=True, random_state=seed),
        "MLP": lambda seed: MLPRegressor(random_state=seed),
        "MLP logistic": lambda seed: MLPRegressor(activation="logistic", max_iter=1000, random_state=seed),
        "MLP, stopped": lambda seed: MLPRegressor(early_stopping=True, random_state=seed),
        "MLP logistic, stopped": lambda seed: MLPRegressor(
            activation="logistic", max_iter=1000, early_stopping=True, random_state=seed
        ),
    }
    print(f"{'100 x MSE':12s}" + "".join(f"{name:>23s}" for name in variants))
    means = []
    for name in REGRESSION:
        X, y, (_, n_fit, n_all) = data[f"{name}_X"].astype(float), data[f"{name}_y"].astype(float), data[f"{name}_split"]
        y = y[:, 0] if y.shape[1] == 1 else y
        fit, test = (X[:n_fit], y[:n_fit]), (X[n_fit:n_all], y[n_fit:n_all])
        jobs = [delayed(timed_squared_error)(make(seed), fit, test) for seed in range(seeds) for make in variants.values()]
        means.append(np.array(run(jobs)).reshape(seeds, len(variants), 2).mean(axis=0))
        print(f"{name:12s}" + "".join(f"{error:23.3f}" for error in means[-1][:, 0]))
    for label, values in zip(("mean", "seconds/fit"), np.mean(means, axis=0).T, strict=True):
        print(f"{label:12s}" + "".join(f"{value:23.3f}" for value in values))
    ours = {name: mean[0, 0] for name, mean in zip(REGRESSION, means, strict=True)}
    saved = options.saved.get("regression")
    if saved:
        mean = geometric_mean([ours[name] / saved[name] for name in ours])
        line("squared error / saved", mean, {}, "at most 1.02", mean <= 1.02)
    return ours


def reconstruction_score(model, X, train):
    """Return the negative squared error with which a model fitted on `train` reconstructs the rows of `X`."""
    if isinstance(model, PCA):
        return -((model.fit(train).inverse_transform(model.transform(X)) - X) ** 2).sum(axis=1)
    return -((model.fit(train, train).predict(X).reshape(X.shape) - X) ** 2).sum(axis=1)


def novelty(X, y, seed):
    """Return the AUC of each detector, fitted on half of the normal rows, on all other rows; and our seconds to fit."""
    warnings.simplefilter("ignore")
    normal = np.random.RandomState(seed).permutation(np.flatnonzero(y == 0))
    half = normal[: len(normal) // 2]
    rest = np.setdiff1d(np.arange(len(y)), half)
    ours = SigmoidBackpropOutlierDetector(random_state=seed)
    start = process_time()
    ours.fit(X[half])
    seconds = process_time() - start
    # Ours standardises by itself.
    scaler = StandardScaler().fit(X[half])
    train, test = scaler.transform(X[half]), scaler.transform(X[rest])
    scores = [
        ours.score_samples(X[rest]),
        IsolationForest(random_state=seed).fit(train).score_samples(test),
        LocalOutlierFactor(novelty=True).fit(train).score_samples(test),
        OneClassSVM().fit(train).score_samples(test),
        # Of 80, 90 and 95 % of the variance, and of layers with and without a bottleneck, those that did best.
        reconstruction_score(PCA(0.8), test, train),
        reconstruction_score(MLPRegressor(max_iter=500, random_state=seed), test, train),
    ]
    return [roc_auc_score(y[rest] == 0, score) for score in scores] + [seconds]


def anomaly(run, options):
    """Print the AUC of telling normal rows from anomalies, for detectors that have seen normal rows only."""
    data = np.load(options.data / "anomaly.npz")
    seeds = options.seeds
    detectors = ("ours", "IsolationForest", "LocalOutlierFactor", "OneClassSVM", "PCA", "MLP autoencoder")
    print(f"{'AUC':12s}" + "".join(f"{name:>19s}" for name in detectors))
    means, seconds = [], 0.0
    for name in ANOMALY:
        X, y = data[f"{name}_X"].astype(float), data[f"{name}_y"]
        results = np.array(run([delayed(novelty)(X, y, seed) for seed in range(seeds)]))
        means.append(results[:, :-1].mean(axis=0))
        seconds += results[:, -1].sum()
        print(f"{name:12s}" + "".join(f"{area:19.3f}" for area in means[-1]), flush=True)
    print(f"{'mean':12s}" + "".join(f"{area:19.3f}" for area in np.mean(means, axis=0)))
    best = np.argmax(means, axis=1)
    print(f"{'highest on':12s}" + "".join(f"{(best == column).sum():19d}" for column in range(len(detectors))))
    print(f"{len(ANOMALY) * seeds} fits of ours took {seconds:.1f} seconds in all")


def vowel(run, options):
    """Print the share of Robinson's vowels that is right (his sigmoid networks: 51 % with 88 hidden units)."""
    data = np.load(options.data / "vowel.npz")
    seeds = options.seeds
    train, test = (data["X_train"], data["y_train"]), (data["X_test"], data["y_test"])
    for size in (11, 22, 88):
        jobs = [
            delayed(timed_error)(SigmoidBackpropClassifier(size, random_state=s), train, test) for s in range(2 * seeds)
        ]
        print(f"vowel, {size} hidden units: {100 - np.mean([error for error, _ in run(jobs)]):.1f} % right")


def cross_validated(classifier, X, y, scale):
    """Return the mean log-loss of five folds, and the seconds that the fits took."""
    warnings.simplefilter("ignore")
    losses, seconds = [], 0.0
    for train, test in StratifiedKFold(5, shuffle=True, random_state=1).split(X, y):
        scaler = StandardScaler(with_mean=scale, with_std=scale).fit(X[train])
        seconds += timed(classifier, scaler.transform(X[train]), y[train])[0]
        losses.append(log_loss(y[test], classifier.predict_proba(scaler.transform(X[test])), labels=np.unique(y)))
    return np.mean(losses), seconds


def defaults(run, options):
    """Print five-fold log-losses of both classifiers with all defaults, on raw and on standardised inputs."""
    data = np.load(options.data / "proben1.npz")
    sets = {
        name: getattr(datasets, f"load_{name}")(return_X_y=True) for name in ("iris", "wine", "breast_cancer", "digits")
    }
    for name in TABLE_10:
        X, y = data[f"{name}_X"].astype(float), data[f"{name}_y"]
        classes, counts = np.unique(y, return_counts=True)
        kept = np.isin(y, classes[counts >= 5])
        sets[name] = X[kept][:2000], y[kept][:2000]
    jobs = []
    for X, y in sets.values():
        for scale in (False, True):
            for kind in (SigmoidBackpropClassifier, MLPClassifier):
                jobs.append(delayed(cross_validated)(kind(random_state=0), X, y, scale))
    results = np.array(run(jobs)).reshape(len(sets), 2, 2, 2)
    print(f"{'log-loss':16s}{'raw: ours':>12s}{'MLP':>8s}{'scaled: ours':>16s}{'MLP':>8s}")
    for name, ((raw, raw_mlp), (scaled, scaled_mlp)) in zip(sets, results[..., 0], strict=True):
        print(f"{name:16s}{raw:12.3f}{raw_mlp:8.3f}{scaled:16.3f}{scaled_mlp:8.3f}")
    lower = (results[:, :, 0, 0] < results[:, :, 1, 0]).sum()
    print(
        f"lower on {lower} of {2 * len(sets)}, in {results[:, :, 0, 1].sum() / results[:, :, 1, 1].sum():.2f} of the time"
    )
