"""Training speed: both engines of this package, scikit-learn's MLPClassifier, the matrix products alone; PyTorch and FANN
where they are installed.

    python tests/benchmarks/training.py [--threads N] [--repeats N] [--solver NAME] [--dtype NAME] [--init NAME]
                                        [--json FILE]

All in one process and one run, interleaved; the median of the repeats; ratios, since machines are noisy. The floor is the
time of one epoch's matrix products (forward X W, backward A' delta and delta W'), in preallocated buffers.
"""

import argparse
import json
import math
import sys
import warnings
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from measure import interleaved, limit_threads, versions, with_engine

SHAPES = {
    "10,000 x 64, (100,), 10 classes, batch 32": (10_000, 64, (100,), 10, 32),
    "10,000 x 64, (100,), 10 classes, batch 200": (10_000, 64, (100,), 10, 200),
    "60,000 x 30, (100,), binary, batch 200": (60_000, 30, (100,), 2, 200),
    "10,000 x 784, (300,), 10 classes, batch 200": (10_000, 784, (300,), 10, 200),
    "10,000 x 784, (512, 512), 10 classes, batch 512": (10_000, 784, (512, 512), 10, 512),
    "1,000 x 20, (20,), binary, one row a step": (1000, 20, (20,), 2, 1),
}
# FANN trains one row a step; with the epochs, that what a fit costs once may not count.
FANN_SHAPES = {
    "1,000 x 20, (20,), binary": (1000, 20, (20,), 2, 30),
    "10,000 x 64, (100,), 10 classes": (10_000, 64, (100,), 10, 3),
}


def arguments():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3, help="epochs in each timed fit")
    parser.add_argument("--solver", default="sgd", choices=["sgd", "adam"])
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--activation", default="logistic")
    parser.add_argument("--init", default="glorot", help="'auto' adds this package's schedule and standardisation")
    parser.add_argument("--only", default="", help="time only the shapes that contain this text")
    parser.add_argument("--json", help="write the figures to this file")
    return parser.parse_args()


def floor(shape, dtype):
    """Return a function that does the matrix products of one epoch."""
    n_samples, n_features, hidden, n_classes, batch_size = shape
    sizes = (n_features, *hidden, 1 if n_classes == 2 else n_classes)
    rng = np.random.RandomState(0)
    weights = [rng.randn(*pair).astype(dtype) for pair in pairwise(sizes)]
    activations = [rng.randn(batch_size, size).astype(dtype) for size in sizes]
    deltas = [rng.randn(batch_size, size).astype(dtype) for size in sizes]
    gradients = [np.empty_like(weight) for weight in weights]
    outputs = [np.empty_like(activation) for activation in activations]
    n_steps = -(-n_samples // batch_size)

    def products():
        for _ in range(n_steps):
            for layer, weight in enumerate(weights):
                np.dot(activations[layer], weight, out=outputs[layer + 1])
            for layer in range(len(weights) - 1, -1, -1):
                np.dot(activations[layer].T, deltas[layer + 1], out=gradients[layer])
                if layer:
                    np.dot(deltas[layer + 1], weights[layer].T, out=outputs[layer])

    return products


def torch_epochs(X, y, shape, options):
    """Return a function that trains PyTorch's eager loop, or None without PyTorch."""
    try:
        import torch  # noqa: PLC0415
    except ImportError:
        return None
    torch.set_num_threads(options.threads)
    n_samples, n_features, hidden, n_classes, batch_size = shape
    layers, n_outputs = [], 1 if n_classes == 2 else n_classes
    activation = {"logistic": torch.nn.Sigmoid, "tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[options.activation]
    for fan_in, fan_out in pairwise((n_features, *hidden)):
        layers += [torch.nn.Linear(fan_in, fan_out), activation()]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(hidden[-1], n_outputs)).to(getattr(torch, options.dtype))
    parameters = model.parameters()
    sgd = options.solver == "sgd"
    optimizer = torch.optim.SGD(parameters, 1e-3, 0.9, nesterov=True) if sgd else torch.optim.Adam(parameters)
    loss = torch.nn.BCEWithLogitsLoss() if n_classes == 2 else torch.nn.CrossEntropyLoss()
    inputs = torch.from_numpy(X)
    labels = torch.from_numpy(y.astype(X.dtype)[:, None] if n_classes == 2 else y)

    def train():
        for _ in range(options.epochs):
            order = torch.randperm(n_samples)
            for start in range(0, n_samples, batch_size):
                rows = order[start : start + batch_size]
                optimizer.zero_grad()
                loss(model(inputs[rows]), labels[rows]).backward()
                optimizer.step()

    return train


def measure(shape, options):
    """Return seconds an epoch, by what was timed."""
    n_samples, n_features, hidden, n_classes, batch_size = shape
    rng = np.random.RandomState(0)
    X = rng.randn(n_samples, n_features).astype(options.dtype)
    y = rng.randint(n_classes, size=n_samples)
    parameters = {
        "hidden_layer_sizes": hidden, "activation": options.activation, "solver": options.solver, "batch_size": batch_size,
        "max_iter": options.epochs, "random_state": 0, "learning_rate_init": 1e-3,
    }  # fmt: skip

    def ours():
        return SigmoidBackpropClassifier(init=options.init, **parameters).fit(X, y)

    functions = {
        "floor": floor(shape, options.dtype),
        "ours": ours,
        "NumPy engine": with_engine("numpy", ours),
        "MLPClassifier": lambda: MLPClassifier(**parameters).fit(X, y),
        "torch": torch_epochs(X, y, shape, options),
    }
    timed = {name: function for name, function in functions.items() if function is not None}
    seconds = interleaved(timed, options.repeats)
    return {name: value / (1 if name == "floor" else options.epochs) for name, value in seconds.items()}


def notebook_ratio(repeats):
    """Return how many times faster `backpropagation` is than the notebook's own function, on the notebook's data."""
    X = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]])
    y = np.array([[0, 1, 1, 0]]).T

    def notebook():
        np.random.seed(0)  # noqa: NPY002
        weights = np.random.uniform(-1, 1, (3, 1))  # noqa: NPY002
        for _ in range(10_000):
            a = 1 / (1 + np.exp(-(X @ weights)))
            error = y - a
            weights += 1 * X.T @ (error * a * (1 - a))
        return weights

    seconds = interleaved({"notebook": notebook, "ours": lambda: backpropagation(X, y, 1, 10_000)}, repeats)
    return seconds["notebook"] / seconds["ours"]


def fann_ratio(shape, options):
    """Return how many times faster an epoch of ours is than one of FANN, or None without FANN; see fann.py."""
    n_samples, n_features, hidden, n_classes, epochs = shape
    rng = np.random.RandomState(0)
    X, y = rng.randn(n_samples, n_features).astype(np.float32), rng.randint(n_classes, size=n_samples)
    Y = y[:, None] if n_classes == 2 else np.eye(n_classes)[y]
    peer = fann_epoch(X, Y, hidden, 1e-3)
    if peer is None:
        return None
    model = SigmoidBackpropClassifier(
        hidden, activation="logistic", solver="sgd", alpha=0, batch_size=1, learning_rate="constant",
        learning_rate_init=1e-3, max_iter=epochs, n_iter_no_change=epochs, shuffle=False, momentum=0, loss="squared_error",
        init="glorot", standardize=False, clip_norm=None,
    )  # fmt: skip
    functions = {"ours": lambda: model.fit(X, y), "FANN": lambda: [peer() for _ in range(epochs)]}
    seconds = interleaved(functions, options.repeats)
    return seconds["FANN"] / seconds["ours"]


def ratios_of(seconds):
    """Return what is told of the seconds of one shape."""
    ours, numpy_engine, floor = seconds["ours"], seconds["NumPy engine"], seconds["floor"]
    return {
        "MLPClassifier": seconds["MLPClassifier"] / ours,
        "MLPClassifier, NumPy engine": seconds["MLPClassifier"] / numpy_engine,
        "torch": seconds["torch"] / ours if "torch" in seconds else math.nan,
        "floor": ours / floor,
        "floor, NumPy engine": numpy_engine / floor,
        "MLP/floor": seconds["MLPClassifier"] / floor,
    }


def main():
    """Print the table."""
    print(versions(options.threads))
    print(f"{options.solver}, {options.activation}, {options.dtype}, {options.threads} BLAS thread(s)")
    heads = ["faster than MLP", "NumPy engine", "faster than torch", "times the floor", "NumPy engine", "MLP/floor"]
    print(f"{'shape':50s}" + "".join(f"{head:>18s}" for head in heads))
    results = {}
    for name, shape in SHAPES.items():
        if options.only in name:
            results[name] = ratios_of(measure(shape, options))
            print(f"{name:50s}" + "".join(f"{ratio:18.2f}" for ratio in results[name].values()), flush=True)
    if not options.only:
        results["notebook"] = {"notebook": notebook_ratio(options.repeats)}
        print(f"{'the notebook, 10,000 iterations: faster than it':50s}{results['notebook']['notebook']:18.2f}")
        for name, shape in FANN_SHAPES.items():
            ratio = fann_ratio(shape, options)
            if ratio is not None:
                results[f"{name}, one row a step, plain"] = {"FANN": ratio}
                print(f"{name + ', one row a step: faster than FANN':50s}{ratio:18.2f}")
    if options.json:
        Path(options.json).write_text(json.dumps({"versions": versions(options.threads), "ratios": results}, indent=2))


if __name__ == "__main__":
    options = arguments()
    limit_threads(options.threads)
    import numpy as np
    from fann import fann_epoch
    from sklearn.neural_network import MLPClassifier

    from skbackprop import SigmoidBackpropClassifier
    from skbackprop.functional import backpropagation

    warnings.simplefilter("ignore")
    main()
