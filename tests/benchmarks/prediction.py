"""Prediction speed: both engines of this package, scikit-learn's MLPClassifier, and PyTorch where installed.

    python tests/benchmarks/prediction.py [--threads N] [--repeats N] [--json FILE]

`predict_proba` of one row (many calls) and of 1,000,000 x 30 rows, in one process and one run, interleaved; medians; and
the memory beyond the output that the large prediction takes. With several threads also `predict` of one row to 50,000, of
several shapes, beside that of MLPClassifier and beside our own with one thread.
"""

import argparse
import json
import sys
import tracemalloc
import warnings
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parent))
from measure import interleaved, limit_threads, versions, with_engine

CALLS = 1000
# Inputs, hidden layers, activation, of networks with 10 outputs.
SHAPES = [
    (20, (100,), "logistic"),
    (64, (100,), "logistic"),
    (64, (256, 128), "logistic"),
    (64, (256, 128), "relu"),
    (784, (512, 512), "relu"),
]
ROWS = (1, 100, 1000, 5000, 50_000)
# Each measurement is repeated for so many seconds, but not more than this often.
SECONDS, MOST_REPEATS = 1.0, 300


def arguments():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", help="write the figures to this file")
    return parser.parse_args()


def fitted(n_features, n_classes, hidden=(100,), activation="logistic", dtype="float32"):
    """Return both classifiers, fitted for an epoch on the same data."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(2000, n_features).astype(dtype), rng.randint(n_classes, size=2000)
    parameters = {"hidden_layer_sizes": hidden, "activation": activation, "max_iter": 1, "random_state": 0}
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
    # What predicts for few rows is made at the first call; this estimator has had none.
    numpy_engine = fitted(64, 10)["ours"]
    functions["NumPy engine"] = with_engine("numpy", repeated(lambda: numpy_engine.predict_proba(X)))
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


def with_threads():
    """Print and return how many times longer others take to predict than we with several BLAS threads: MLP, we with one.

    The two are measured apart, for threads that have helped MLPClassifier look for more to do for a while.
    """
    results = {}
    print(f"`predict` with {options.threads} threads takes so many times less than")
    print(f"{'network':38s}{'rows':>8s}{'MLPClassifier':>15s}{'ours, one thread':>18s}")
    for n_features, hidden, activation in SHAPES:
        for dtype in ("float32", "float64"):
            models = fitted(n_features, 10, hidden, activation, dtype)
            for n_rows in ROWS:
                X = np.random.RandomState(1).randn(n_rows, n_features).astype(dtype)
                functions = {name: (lambda model=model, X=X: model.predict(X)) for name, model in models.items()}
                ratios = [rivals(functions), rivals({"one": functions["ours"], "ours": functions["ours"]}, set_threads)]
                network = f"{n_features}-{hidden}-10, {activation}, {dtype}"
                results[f"{network}, {n_rows} rows"] = ratios
                print(f"{network:38s}{n_rows:8,d}{ratios[0]:15.2f}{ratios[1]:18.2f}", flush=True)
    return results


def set_threads(name):
    """Set the threads of every BLAS for a function of that name."""
    for library in BLAS:
        library.set_num_threads(1 if name == "one" else options.threads)


def rivals(functions, before=lambda name: None):
    """Return how many times longer the other of two functions takes than ours."""
    start = perf_counter()
    for function in functions.values():
        function()
    repeats = min(max(int(SECONDS / (perf_counter() - start)), 5), MOST_REPEATS)
    seconds = interleaved(functions, repeats, before)
    ours = seconds.pop("ours")
    (other,) = seconds.values()
    return other / ours


def main():
    """Print the figures."""
    print(versions(options.threads))
    results = {}
    if options.threads > 1:
        results["predict with several threads"] = with_threads()
    single = one_row()
    large, megabytes = many_rows()
    for name, seconds in [("one row", single), (f"{options.rows:,} x 30 rows", large)]:
        results[name] = {other: seconds[other] / seconds["ours"] for other in seconds if other != "ours"}
        faster = ", ".join(f"{ratio:.2f} times faster than {other}" for other, ratio in results[name].items())
        print(f"predict_proba of {name}: {faster}")
    results["microseconds for one row"] = 1e6 * single["ours"]
    results["megabytes beyond the output"] = megabytes
    print(f"one row takes {1e6 * single['ours']:.2f} microseconds, NumPy's engine {1e6 * single['NumPy engine']:.1f}")
    print(f"{options.rows:,} rows take {megabytes:.1f} MB beyond the output")
    if options.json:
        Path(options.json).write_text(json.dumps({"versions": versions(options.threads), "ratios": results}, indent=2))


if __name__ == "__main__":
    options = arguments()
    limit_threads(options.threads)
    import numpy as np
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import ThreadpoolController

    from skbackprop import SigmoidBackpropClassifier

    BLAS = ThreadpoolController().select(user_api="blas").lib_controllers
    warnings.simplefilter("ignore")
    main()
