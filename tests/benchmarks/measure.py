"""What the benchmarks share: interleaved timing in one process, and the versions it was done with."""

import importlib
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from time import perf_counter


def limit_threads(n_threads):
    """Fix the number of BLAS threads; to be called before NumPy is imported."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(n_threads)


def interleaved(functions, repeats, before=lambda name: None):
    """Time several functions in turn, again and again, and return the median seconds of each, by name.

    A machine's speed drifts; functions timed within the same second share its mood, so that ratios hold. `before` is called
    with the name of a function before it is timed.
    """
    for function in functions.values():
        function()
    seconds = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            before(name)
            start = perf_counter()
            function()
            seconds[name].append(perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}


def with_engine(engine, function):
    """Return a function that calls another with "numpy" or "c" as SKBACKPROP_ENGINE, which each fit reads."""

    def call():
        before = os.environ.get("SKBACKPROP_ENGINE", "auto")
        os.environ["SKBACKPROP_ENGINE"] = engine
        try:
            return function()
        finally:
            os.environ["SKBACKPROP_ENGINE"] = before

    return call


def versions(n_threads):
    """Return what the figures depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine(), "blas_threads": n_threads}
    for package in ("skbackprop", "numpy", "scipy", "scikit-learn", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    found["engine"] = importlib.import_module("skbackprop._engine.compiled").name()
    return found
