"""Whole fits of small data, learning in parts, and grid searches: both engines, and scikit-learn's networks.

    python tests/benchmarks/fits.py [default] [parts] [grid] [--repeats N] [--json FILE]

`default`: the defaults, the compiled engine against NumPy's. `parts`: `partial_fit` of one row and of 32, against
scikit-learn's, with the defaults, which standardise and average, and with `init="glorot"`, which gives the same weights.
`grid`: 8 candidates, 5 folds, batches of 32, two processes, against MLPClassifier, which computes the same weights. All in
one process and one run, interleaved; ratios of medians; one BLAS thread.
"""

import argparse
import json
import os
import sys
import warnings
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from measure import interleaved, limit_threads, versions, with_engine

# Calls of `partial_fit` that are timed together.
CALLS = 100


def default(repeats):
    """Return how many times faster than NumPy's the compiled engine fits, by data set."""
    ratios = {}
    for load in (load_iris, load_wine, load_breast_cancer, load_digits, load_diabetes):
        X, y = load(return_X_y=True)
        kind = SigmoidBackpropRegressor if load is load_diabetes else SigmoidBackpropClassifier

        def fit(kind=kind, X=X, y=y):
            return kind(random_state=0).fit(X, y)

        seconds = interleaved({engine: with_engine(engine, fit) for engine in ("c", "numpy")}, repeats)
        name = load.__name__.removeprefix("load_")
        ratios[name] = seconds["numpy"] / seconds["c"]
        print(f"default fit of {name}: {1e3 * seconds['c']:.1f} ms, {ratios[name]:.2f} times faster than NumPy's engine")
    return ratios


def called_again(model, X, y, **labels):
    """Return a function that calls `partial_fit` many times on one batch."""

    def learn():
        for _ in range(CALLS):
            model.partial_fit(X, y, **labels)

    return learn


def parts(repeats):
    """Return how many times faster than scikit-learn's `partial_fit` ours is under each engine, by kind and rows."""
    ratios = {}
    pairs = {
        "classifier": (load_digits, SigmoidBackpropClassifier, MLPClassifier),
        "regressor": (load_diabetes, SigmoidBackpropRegressor, MLPRegressor),
    }
    for (name, (load, ours, theirs)), init in product(pairs.items(), ("auto", "glorot")):
        X, y = load(return_X_y=True)
        X, labels = X.astype(np.float32), {"classes": np.unique(y)} if name == "classifier" else {}
        for n_rows in (1, 32):
            batch = X[:n_rows], y[:n_rows]
            parameters = {"activation": "logistic", "random_state": 0}
            learn = {engine: called_again(ours(init=init, **parameters), *batch, **labels) for engine in ("c", "numpy")}
            functions = {engine: with_engine(engine, function) for engine, function in learn.items()}
            functions["scikit-learn"] = called_again(theirs(**parameters), *batch, **labels)
            seconds = interleaved(functions, repeats)
            ratio, numpy_ratio = (seconds["scikit-learn"] / seconds[engine] for engine in ("c", "numpy"))
            ratios[f"{name}, {init}, {n_rows} rows"] = ratio
            ratios[f"{name}, {init}, {n_rows} rows, NumPy engine"] = numpy_ratio
            print(f"partial_fit, {name}, init={init!r}, {n_rows} row(s): {1e6 * seconds['c'] / CALLS:.0f} microseconds, "
                  f"{ratio:.2f} times faster than scikit-learn's, NumPy's engine {numpy_ratio:.2f} times")  # fmt: skip
    return ratios


def grid(repeats):
    """Return how many times faster than with MLPClassifier a grid search is, by data set."""
    ratios = {}
    candidates = {"hidden_layer_sizes": [(50,), (100,)], "alpha": [1e-4, 1e-2], "learning_rate_init": [1e-3, 1e-2]}
    common = {"activation": "logistic", "batch_size": 32, "max_iter": 50, "n_iter_no_change": 50, "random_state": 0}
    models = {"ours": SigmoidBackpropClassifier(init="glorot", **common), "MLPClassifier": MLPClassifier(**common)}
    for load in (load_digits, load_breast_cancer):
        X, y = load(return_X_y=True)
        X = StandardScaler().fit_transform(X).astype(np.float32)
        functions = {
            name: lambda model=model, X=X, y=y: GridSearchCV(model, candidates, cv=5, n_jobs=2).fit(X, y)
            for name, model in models.items()
        }
        # Such a search takes its time, and is 40 fits already.
        seconds = interleaved(functions, min(repeats, 3))
        name = load.__name__.removeprefix("load_")
        ratios[name] = seconds["MLPClassifier"] / seconds["ours"]
        print(f"GridSearchCV on {name}: {seconds['ours']:.2f} s, {ratios[name]:.2f} times faster than with MLPClassifier")
    return ratios


PARTS = {"default": default, "parts": parts, "grid": grid}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    limit_threads(1)
    # The processes of a grid search should not warn either.
    os.environ["PYTHONWARNINGS"] = "ignore"
    import numpy as np
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor

    warnings.simplefilter("ignore")
    print(versions(1))
    results = {name: PARTS[name](options.repeats) for name in options.what}
    if options.json:
        options.json.write_text(json.dumps({"versions": versions(1), "ratios": results}, indent=2))
