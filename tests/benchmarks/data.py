"""Large data: sparse rows, a memory-mapped file larger than what may be copied, and a grid search.

    python tests/benchmarks/data.py [sparse] [memmap] [grid] [--rows N]

Each prints a ratio to MLPClassifier, measured in the same run, or the growth of this process's resident memory.
"""

import argparse
import os
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from measure import interleaved, limit_threads, versions


def sparse():
    """Time an epoch on CSR rows of which one value in a thousand is not zero."""
    X = scipy.sparse.random(10_000, 60_000, density=0.001, format="csr", dtype=np.float32, random_state=0)
    y = np.random.RandomState(0).randint(2, size=10_000)
    for solver in ("sgd", "adam"):
        parameters = {
            "hidden_layer_sizes": (100,),
            "activation": "logistic",
            "solver": solver,
            "max_iter": 1,
            "batch_size": 200,
        }
        functions = {
            "ours": lambda parameters=parameters: SigmoidBackpropClassifier(**parameters).fit(X, y),
            "MLPClassifier": lambda parameters=parameters: MLPClassifier(**parameters).fit(X, y),
        }
        seconds = interleaved(functions, 5)
        print(f"CSR 10,000 x 60,000, 0.1 % dense, {solver}: {seconds['MLPClassifier'] / seconds['ours']:.2f} times faster")


def anonymous_memory():
    """Return the megabytes of this process that are not pages of a file."""
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return (int(fields["RssAnon"].split()[0]) + int(fields["RssShmem"].split()[0])) / 1024


def memmap():
    """Train on a memory-mapped file and watch the memory."""
    from threading import Event, Thread  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        X = np.memmap(Path(folder) / "X", np.float32, "w+", shape=(options.rows, 64))
        rng = np.random.default_rng(0)
        for start in range(0, options.rows, 100_000):
            X[start : start + 100_000] = rng.standard_normal((len(X[start : start + 100_000]), 64), np.float32)
        X.flush()
        y = (X[:, 0] > 0).astype(np.int8)
        X = np.memmap(Path(folder) / "X", np.float32, "r", shape=X.shape)
        SigmoidBackpropClassifier(max_iter=1).fit(X[:10_000], y[:10_000])
        before, peak, done = anonymous_memory(), 0.0, Event()

        def watch():
            nonlocal peak
            while not done.wait(0.005):
                peak = max(peak, anonymous_memory())

        watcher = Thread(target=watch)
        watcher.start()
        SigmoidBackpropClassifier(max_iter=1, batch_size=1000).fit(X, y)
        done.set()
        watcher.join()
    print(f"fit on a {options.rows:,} x 64 float32 memmap ({options.rows * 256 / 1e9:.1f} GB), shuffled: memory grows by "
          f"{peak - before:.0f} MB, page cache apart")  # fmt: skip


def grid():
    """Time a grid search over digits in two processes."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    grid = {"hidden_layer_sizes": [(50,), (100,), (100, 50)], "alpha": [1e-4, 1e-2], "learning_rate_init": [1e-3, 1e-2]}
    common = {"activation": "logistic", "random_state": 0, "max_iter": 100}
    functions = {
        name: lambda classifier=classifier: GridSearchCV(classifier, grid, cv=5, n_jobs=2).fit(X, y)
        for name, classifier in [
            ("ours", SigmoidBackpropClassifier(init="glorot", **common)),
            ("MLPClassifier", MLPClassifier(**common)),
        ]
    }
    seconds = interleaved(functions, 3)
    print(f"GridSearchCV, 12 candidates x 5 folds, n_jobs=2: {seconds['MLPClassifier'] / seconds['ours']:.2f} times faster")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["sparse", "memmap", "grid"])
    parser.add_argument("--rows", type=int, default=4_000_000, help="rows of the memory-mapped file")
    options = parser.parse_args()
    limit_threads(1)
    # Processes of the grid search should not warn either.
    os.environ["PYTHONWARNINGS"] = "ignore"
    import numpy as np
    import scipy.sparse
    from sklearn.datasets import load_digits
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier

    from skbackprop import SigmoidBackpropClassifier

    warnings.simplefilter("ignore")
    print(versions(1))
    for name in options.what:
        {"sparse": sparse, "memmap": memmap, "grid": grid}[name]()
