"""How many BLAS threads training and prediction use: one, where more would only wait for each other."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from weakref import WeakSet

import numpy as np
from threadpoolctl import ThreadpoolController

from .._engine.compiled import one_thread_is_enough

# Up to so many multiplications of matrices, and values of other operations, no BLAS starts threads: OpenBLAS's numbers.
ALONE_PRODUCT = 2**18
ALONE_VECTOR = 2**13


class Asking:
    """A fit or a prediction that asks for one thread, and counts while it lives: an interrupt may come before its end."""


class SharedLimit:
    """One thread for BLAS libraries whose number of threads is that of the process, as long as any fit asks for it.

    Fits in several threads overlap: the first notes the numbers before it, and the last to end restores these.

    Parameters
    ----------
    libraries : list of threadpoolctl.LibController
    """

    def __init__(self, libraries):
        self.libraries = libraries
        self.before = []
        self.forget_fits()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget_fits)

    def forget_fits(self):
        """Forget the fits that go on in the process that this one was forked from; the numbers before them hold here."""
        self.lock, self.fits = Lock(), WeakSet()

    def begin(self, fit):
        """Limit the libraries for a fit, an instance of `Asking` of its own."""
        with self.lock:
            first = not self.fits
            self.fits.add(fit)
            if first:
                # There are numbers already where a fit was interrupted before it could restore them.
                self.before = self.before or [(library, library.num_threads) for library in self.libraries]
                for library in self.libraries:
                    _set(library, 1)

    def end(self, fit):
        """Restore the numbers before if no other fit goes on; a fit that never began, or ended before, changes nothing."""
        with self.lock:
            self.fits.discard(fit)
            if not self.fits:
                for library, number in self.before:
                    _set(library, number)
                self.before = []


def _set(library, number):
    """Set a library's number of threads."""
    library.set_num_threads(number)
    # threadpoolctl 3.8 reserves a library for the thread that has set it, but the last fit to end may be in another.
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread()


def _counts_in_each_thread(library):
    """Return whether threadpoolctl sets a library's number of threads for the calling thread alone."""
    openmp = library.internal_api == "openblas" and library.threading_layer == "openmp"
    return openmp or library.internal_api == "mkl"


_FOUND = {}


def _limits():
    """Return the limits: of scipy's own BLAS, of the others, and a controller of those that count in each thread apart."""
    # `setdefault` is one step: fits that start at the same time get the same limits.
    return _FOUND.get("limits") or _FOUND.setdefault("limits", _find_limits())


def _find_limits():
    """Look for every BLAS that is loaded, which takes milliseconds."""
    every = ThreadpoolController().select(user_api="blas")
    in_each_thread = [library.filepath for library in every.lib_controllers if _counts_in_each_thread(library)]
    shared = [library for library in every.lib_controllers if library.filepath not in in_each_thread]
    # In scipy's folder, or in that of the libraries that come with its wheel.
    own = [library for library in shared if {"scipy", "scipy.libs"}.intersection(Path(library.filepath).parts[-4:-1])]
    others = [library for library in shared if library not in own]
    return SharedLimit(own), SharedLimit(others), every.select(filepath=in_each_thread)


@contextmanager
def limit_threads(network, batch_size, compiles=False):
    """Limit the BLAS threads while training: one thread for small products, else as many as there are.

    Wheels of NumPy and scipy bring a BLAS each. Threads of one that wait keep the cores busy that threads of the other
    need, so the one that has no part in the products gets one thread in any case: NumPy's if the compiled engine trains,
    else scipy's, which only adds vectors.
    """
    scipys, others, in_each_thread = _limits()
    small = one_thread_is_enough(network, batch_size, compiles)
    limits = (scipys, others) if small else (others if compiles else scipys,)
    fit = Asking()
    try:
        for limit in limits:
            limit.begin(fit)
        with in_each_thread.limit(limits=1 if small else None):
            yield
    finally:
        for limit in limits:
            limit.end(fit)


def shares_nothing(network, batch_size):
    """Return whether all that a step of training asks of a BLAS is too small for several threads."""
    largest = max(network.theta.size, batch_size * max(network.layer_sizes))
    return largest <= ALONE_VECTOR and batch_size * network.n_weights <= ALONE_PRODUCT


@contextmanager
def one_thread():
    """Limit NumPy's BLAS to one thread, for prediction, in which scipy's has no part."""
    _, numpys, in_each_thread = _limits()
    prediction = Asking()
    try:
        numpys.begin(prediction)
        with in_each_thread.limit(limits=1):
            yield
    finally:
        numpys.end(prediction)


def blas_threads():
    """Return how many threads NumPy's BLAS has at this moment."""
    _, numpys, in_each_thread = _limits()
    return max([library.num_threads for library in (*numpys.libraries, *in_each_thread.lib_controllers)], default=1)


def in_threads(n_threads, function, parts):
    """Call a function with each of the parts, in several threads; what one of them raises is raised here."""
    in_each_thread = _limits()[-1]
    # NumPy's settings are each thread's own.
    errors = np.geterr()

    def call(part):
        with np.errstate(**errors), in_each_thread.limit(limits=1):
            function(part)

    with ThreadPoolExecutor(n_threads) as executor:
        for _ in executor.map(call, parts):
            pass
