"""How many BLAS threads training uses: one, where more would only wait for each other."""

from functools import cache
from pathlib import Path

import numpy as np
from threadpoolctl import ThreadpoolController

# Multiplications in the largest product of a step from which a second thread pays; measured, see docs/performance.md.
CROSSOVER = {np.dtype(np.float32): 40_000_000, np.dtype(np.float64): 15_000_000}


@cache
def _controllers():
    """Return a controller of every BLAS loaded, and one of scipy's own copy; finding them takes milliseconds."""
    every = ThreadpoolController().select(user_api="blas")
    paths = [library.filepath for library in every.lib_controllers]
    # In scipy's folder, or in that of the libraries that come with its wheel.
    own = [path for path in paths if {"scipy", "scipy.libs"}.intersection(Path(path).parts[-4:-1])]
    return every, every.select(filepath=own)


def limit_threads(network, batch_size):
    """Return a context manager for training: one BLAS thread for small products, else as many as there are.

    Wheels of NumPy and scipy bring a BLAS each. Threads of one that wait keep the cores busy that threads of the other
    need, so scipy's, which only adds vectors here, gets one thread in any case.
    """
    largest = batch_size * max(coef.size for coef in network.coefs)
    every, own = _controllers()
    return (every if largest < CROSSOVER[network.theta.dtype] else own).limit(limits=1)
