"""Prediction with one BLAS thread, and with several threads of our own where there is much to do.

Threads of a BLAS share each single product, and wait for each other in a loop that keeps the cores busy; where other
programs want these, too, a product takes a hundred times as long. Threads that share the rows meet once, at the end.
"""

from functools import partial, wraps

from .._engine import prediction
from .threads import blas_threads, in_threads, one_thread

# Multiplications of a product from which a BLAS may use several threads: OpenBLAS's number.
BLAS_SHARES_FROM = 2**18
# Bytes of the multiplications, four or eight each, from which several threads pay: about ten milliseconds.
ROWS_SHARED_FROM = 2_500_000_000


def _guarded(predict):
    """Return a function of the engine that predicts, with the threads that pay."""

    @wraps(predict)
    def guarded(coefs, intercepts, activations, X, *rest):
        few = X.shape[0] == 1 or X.shape[0] * max([coef.size for coef in coefs]) < BLAS_SHARES_FROM
        if few or (n_threads := blas_threads()) == 1:
            return predict(coefs, intercepts, activations, X, *rest)
        multiplications = X.size * coefs[0].shape[1] + X.shape[0] * sum([coef.size for coef in coefs[1:]])
        much = multiplications * coefs[0].itemsize >= ROWS_SHARED_FROM
        with one_thread():
            return predict(coefs, intercepts, activations, X, *rest, share=partial(in_threads, n_threads) if much else None)

    return guarded


raw_scores = _guarded(prediction.raw_scores)
hidden_activations = _guarded(prediction.hidden_activations)
