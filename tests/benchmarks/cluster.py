"""Training on a Dask cluster of processes on this machine: speed, cost of a step, memory of the client, Spark's case.

    python tests/benchmarks/cluster.py [speed] [steps] [memory] [spark]

docs/scaling.md quotes what it prints. Each process has one BLAS thread, but for the plain estimator of "speed": it has two.
"""

import argparse
import os
import subprocess
import sys
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parent))
from measure import limit_threads, versions

SPEED = {"hidden_layer_sizes": (64,), "solver": "lbfgs", "max_iter": 30, "tol": 0, "random_state": 0}
N_FEATURES = 50
# Seconds of Spark's MultilayerPerceptronClassifier on this machine, its best run.
SPARK = 6.8


@contextmanager
def workers(n_workers):
    """A client of so many processes."""
    options = {"n_workers": n_workers, "threads_per_worker": 1, "dashboard_address": ":0", "memory_limit": 0}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield client


def samples(n_samples, n_partitions, n_features=N_FEATURES):
    """Samples of two classes, made on the workers."""
    random = da.random.default_rng(0)
    X = random.standard_normal((n_samples, n_features), chunks=(n_samples // n_partitions, n_features))
    return X, (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)


def in_memory(X, y):
    """Return a collection that is held by the workers."""
    X, y = dask.persist(X, y)
    wait([X, y])
    return X, y


def seconds_of(function):
    """Return how long a call takes."""
    start = perf_counter()
    function()
    return perf_counter() - start


def plain():
    """Print the seconds of the plain estimator, with as many BLAS threads as it was started with."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1_000_000, N_FEATURES))
    y = (X[:, 0] * X[:, 1] + X[:, 2] > 0).astype(int)
    print(seconds_of(lambda: SigmoidBackpropClassifier(**SPEED).fit(X, y)))


def speed():
    """30 iterations of L-BFGS on a million samples."""
    seconds = {}
    for n_workers in (1, 2, 4):
        with workers(n_workers):
            X, y = in_memory(*samples(1_000_000, 4))
            fit = partial(DaskSigmoidBackpropClassifier(**SPEED).fit, X, y)
            # The better of two: other programs may have had the cores.
            seconds[n_workers] = min(seconds_of(fit), seconds_of(fit))
    environment = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")}
    found = subprocess.run([sys.executable, __file__, "plain"], env=environment, capture_output=True, text=True, check=True)
    both = float(found.stdout.split()[-1])
    for n_workers, value in seconds.items():
        print(f"1,000,000 x 50, (64,), L-BFGS 30 iterations, {n_workers} processes: {value:.1f} s")
    print(f"plain estimator, 2 threads: {both:.1f} s")
    print(
        f"2 processes: {seconds[1] / seconds[2]:.2f} times as fast as one, {seconds[2] / both:.2f} of the plain one's time"
    )


def typical(seconds):
    """Return the lower quartile, for at times other programs have the cores."""
    return float(np.quantile(seconds, 0.25))


def share_seconds(n_rows, n_features, hidden, seconds=1.0):
    """Return the seconds that a worker needs for its share of a step, alone with it."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_rows, n_features))
    part = LabelledPartition(0, SigmoidBackpropClassifier(), X, (X[:, 0] > 0).astype(int), None)
    part.encode(Labels(np.array([0, 1]), "binary"))
    shape = ((n_features, hidden, 1), (Logistic(),), True, np.dtype(float))
    part.prepare(shape, BinaryLogLoss(), 0.0, 1.0, n_rows, [n_rows])
    theta = 0.1 * rng.standard_normal(part.network.theta.size)
    found, end = [], perf_counter() + seconds
    while perf_counter() < end:
        found.append(seconds_of(lambda: part.sums(theta, 0, n_rows, None, None)))
    return typical(found)


def step_seconds(n_rows, hidden, n_partitions, n_steps):
    """Return the seconds between the steps of an epoch, and the number of parameters."""
    steps_an_epoch = max(2, min(20, 400_000 // n_rows))
    X, y = in_memory(*samples(steps_an_epoch * n_rows, n_partitions))
    times = []

    class Timed(SGD):
        """SGD that looks at the clock."""

        def update(self, *arguments):
            times.append(perf_counter())
            super().update(*arguments)

    settings = {
        "batch_size": n_rows,
        "max_iter": -(-n_steps // steps_an_epoch) + 1,
        "tol": 0,
        "random_state": 0,
        "learning_rate": "constant",
    }
    network = DaskSigmoidBackpropClassifier((hidden,), solver=Timed(momentum=0.0), **settings).fit(X, y)
    return typical(np.diff(times)[5:]), sum(part.size for part in (*network.coefs_, *network.intercepts_))


def steps():
    """What a step costs beside its computation, and the model of it."""
    print("| processes | parameters | samples | computation | model | step | above computation (ms) |")
    print("|---|---|---|---|---|---|---|")
    for n_workers in (1, 2, 4):
        with workers(n_workers) as client:
            for hidden in (20, 192, 1920):
                # A step with hardly any samples is all latency and transfer.
                bare, n_parameters = step_seconds(4 * n_workers, hidden, n_workers, 60)
                for n_rows in (10_000,) if hidden > 1000 else (10_000, 100_000):
                    arguments = n_rows // n_workers, N_FEATURES, hidden
                    futures = [client.submit(share_seconds, *arguments, workers=[address], pure=False)
                               for address in client.scheduler_info(n_workers=-1)["workers"]]  # fmt: skip
                    share = max(client.gather(futures))
                    step, _ = step_seconds(n_rows, hidden, n_workers, 100 if n_rows == 10_000 and hidden < 1000 else 12)
                    cells = [f"{1000 * value:.1f}" for value in (share, share + bare, step, step - share)]
                    print("|", " | ".join([str(n_workers), f"{n_parameters:,}", f"{n_rows:,}", *cells]), "|", flush=True)


def peak(reset=False):
    """Return the largest resident memory of this process, in megabytes, since the last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000
    return float("nan")


def memory():
    """How much the client's memory grows in a fit."""
    for n_samples in (250_000, 1_000_000, 4_000_000):
        with workers(2):
            X, y = samples(n_samples, 16)
            before = peak(reset=True)
            DaskSigmoidBackpropClassifier((64,), max_iter=1, batch_size=10_000, random_state=0).fit(X, y)
            growth = peak() - before
        print(f"{n_samples:,} x 50, {X.nbytes / 1e6:,.0f} MB: the client grew by {growth:.0f} MB", flush=True)


def spark():
    """Spark's case."""
    X, y = make_classification(10_000, 64, n_informative=32, n_classes=5, random_state=0)
    settings = {"hidden_layer_sizes": (32,), "solver": "lbfgs", "max_iter": 100, "tol": 0, "random_state": 0}
    for n_workers in (1, 2):
        with workers(n_workers):
            parts = in_memory(da.from_array(X, chunks=(5000, 64)), da.from_array(y, chunks=5000))
            fit = partial(DaskSigmoidBackpropClassifier(**settings).fit, *parts)
            fit()
            seconds = median(seconds_of(fit) for _ in range(5))
        print(f"10,000 x 64, (32,), 5 classes, 100 iterations, {n_workers} processes: {seconds:.2f} s, "
              f"{SPARK / seconds:.1f} times as fast as Spark's best, {SPARK} s")  # fmt: skip


if __name__ == "__main__":
    limit_threads(os.environ["OMP_NUM_THREADS"] if sys.argv[1:] == ["plain"] else 1)
    warnings.simplefilter("ignore")

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster, wait
from sklearn.datasets import make_classification

from skbackprop import SigmoidBackpropClassifier
from skbackprop._estimators.labels import Labels
from skbackprop.activations import Logistic
from skbackprop.dask import DaskSigmoidBackpropClassifier
from skbackprop.dask._partition import LabelledPartition
from skbackprop.losses import BinaryLogLoss
from skbackprop.optimizers import SGD

if __name__ == "__main__":
    parts = {"speed": speed, "steps": steps, "memory": memory, "spark": spark, "plain": plain}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=parts, default=[])
    chosen = parser.parse_args().parts or ["speed", "steps", "memory", "spark"]
    if chosen != ["plain"]:
        print({**versions(1), "dask": dask.__version__})
    for name in chosen:
        parts[name]()
