"""Prediction speed: this package, scikit-learn's MLPClassifier, and PyTorch where installed.

    python tests/benchmarks/prediction.py [--threads N] [--repeats N] [--json FILE]

`predict_proba` of one row (many calls) and of 1,000,000 x 30 rows, in one process and one run, interleaved; medians; and
the memory beyond the output that the large prediction takes.
"""

import argparse
import json
import sys
import tracemalloc
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from measure import interleaved, limit_threads, versions

CALLS = 1000


def arguments():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", help="write the figures to this file")
    return parser.parse_args()


def fitted(n_features, n_classes):
    """Return both classifiers, fitted for an epoch on the same float32 data."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(2000, n_features).astype(np.float32), rng.randint(n_classes, size=2000)
    parameters = {"hidden_layer_sizes": (100,), "activation": "logistic", "max_iter": 1, "random_state": 0}
    return {
        "ours": SigmoidBackpropClassifier(**parameters).fit(X, y),
        "MLPClassifier": MLPClassifier(**parameters).fit(X, y),
    }


def torch_prediction(n_features, n_classes, X):
    """Return a function that predicts with PyTorch, or None without it."""
    try:
        import torch  # noqa: PLC0415
    except ImportError:
        return None
    torch.set_num_threads(options.threads)
    model = torch.nn.Sequential(
        torch.nn.Linear(n_features, 100), torch.nn.Sigmoid(), torch.nn.Linear(100, n_classes), torch.nn.Softmax(dim=1)
    )

    def predict():
        with torch.inference_mode():
            return model(torch.from_numpy(X)).numpy()

    return predict


def one_row():
    """Return seconds a call."""
    X = np.random.RandomState(1).randn(1, 64).astype(np.float32)
    predictions = {name: (lambda model=model: model.predict_proba(X)) for name, model in fitted(64, 10).items()}
    predictions["torch"] = torch_prediction(64, 10, X)

    def repeated(predict):
        return lambda: [predict() for _ in range(CALLS)]

    functions = {name: repeated(predict) for name, predict in predictions.items() if predict is not None}
    return {name: seconds / CALLS for name, seconds in interleaved(functions, options.repeats).items()}


def many_rows():
    """Return seconds, and the megabytes that our prediction takes beyond its output."""
    X = np.random.RandomState(1).randn(options.rows, 30).astype(np.float32)
    models = fitted(30, 2)
    functions = {name: (lambda model=model: model.predict_proba(X)) for name, model in models.items()}
    functions["torch"] = torch_prediction(30, 2, X)
    seconds = interleaved({name: f for name, f in functions.items() if f is not None}, options.repeats)
    tracemalloc.start()
    output = models["ours"].predict_proba(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return seconds, (peak - output.nbytes) / 2**20


def main():
    """Print the figures."""
    print(versions(options.threads))
    results = {}
    single = one_row()
    large, megabytes = many_rows()
    for name, seconds in [("one row", single), (f"{options.rows:,} x 30 rows", large)]:
        results[name] = {other: seconds[other] / seconds["ours"] for other in seconds if other != "ours"}
        faster = ", ".join(f"{ratio:.2f} times faster than {other}" for other, ratio in results[name].items())
        print(f"predict_proba of {name}: {faster}")
    results["microseconds for one row"] = 1e6 * single["ours"]
    results["megabytes beyond the output"] = megabytes
    print(f"one row takes {1e6 * single['ours']:.1f} microseconds")
    print(f"{options.rows:,} rows take {megabytes:.1f} MB beyond the output")
    if options.json:
        Path(options.json).write_text(json.dumps({"versions": versions(options.threads), "ratios": results}, indent=2))


if __name__ == "__main__":
    options = arguments()
    limit_threads(options.threads)
    import numpy as np
    from sklearn.neural_network import MLPClassifier

    from skbackprop import SigmoidBackpropClassifier

    warnings.simplefilter("ignore")
    main()
