"""One vector operation that NumPy lacks."""

import numpy as np
from scipy.linalg.blas import daxpy, saxpy

_AXPY = {np.dtype(np.float32): saxpy, np.dtype(np.float64): daxpy}


def add_multiple(x, y, factor):
    """Add `factor` times the vector `x` to the vector `y`, in place and in one pass, where NumPy needs two."""
    _AXPY[y.dtype](x, y, a=factor)
