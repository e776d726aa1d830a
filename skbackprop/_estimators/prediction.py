"""Prediction by the compiled engine or, with one BLAS thread, in NumPy; threads of our own share what takes long.

Threads of a BLAS share each single product, and wait for each other in a loop that keeps the cores busy; where other
programs want these, too, a product takes a hundred times as long. Threads that share the rows meet once, at the end.
"""

from functools import partial, wraps
from weakref import ref

import numpy as np

from .._engine import compiled, prediction
from ..losses import BinaryLogLoss, CategoricalLogLoss, SigmoidSquaredError
from .threads import blas_threads, in_threads, one_thread

# Multiplications of a product from which a BLAS may use several threads: OpenBLAS's number.
BLAS_SHARES_FROM = 2**18
# Bytes of the multiplications, four or eight each, from which several threads pay: about ten milliseconds.
ROWS_SHARED_FROM = 2_500_000_000
# In so many pieces the compiled engine takes as much, for threads to share and an interrupt to come between.
PIECES = 4


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


# Of each estimator that has predicted: its list of weights, a function of the compiled engine or None, the link to its
# probabilities or None, whether its columns have names, its first weights, and the bytes of all. Beside the estimators, for
# prediction leaves these as they are, and by weak references, to which a WeakKeyDictionary would take the longer way.
_PREDICTORS = {}


def by_engine(estimator, X, probabilities=False, validated=False):
    """Return raw scores, or probabilities, from the compiled engine; None for what is no array of clean numbers."""
    fitted = estimator.__dict__
    coefs = fitted.get("coefs_")
    taken = _PREDICTORS.get(ref(estimator))
    if taken is None or taken[0] is not coefs:
        taken = _PREDICTORS[ref(estimator, _forget)] = _predictor_of(fitted)
    _, predict, link, named, first, n_bytes = taken
    # Names are for scikit-learn's validation to compare.
    if predict is None or (probabilities and link is None) or (named and not validated):
        return None
    intercepts, link = fitted.get("intercepts_"), link if probabilities else compiled.RAW_SCORES
    if type(intercepts) is not list:
        return None
    found = predict(coefs, intercepts, X, link)
    is_table = found is None and type(X) in {np.ndarray, np.memmap} and X.ndim == 2
    if is_table and X.dtype == first.dtype and X.shape[1] == len(first):
        blocks = ROWS_SHARED_FROM // (PIECES * n_bytes * compiled.ROWS_AT_A_TIME)
        n_rows = max(1, blocks) * compiled.ROWS_AT_A_TIME
        if len(X) > n_rows or type(X) is np.memmap or not X.flags.c_contiguous:
            return _in_pieces(partial(predict, coefs, intercepts), np.asarray(X), link, n_rows)
    return found


def _in_pieces(predict, X, link, n_rows):
    """Return the predictions for `X`, so many rows at a time; None if some are no case for the engine."""
    first = predict(np.ascontiguousarray(X[:n_rows]), link)
    if first is None or len(X) <= n_rows:
        return first
    found, refused = np.empty((len(X), first.shape[1]), first.dtype), []
    found[:n_rows] = first

    def fill(start):
        rows = slice(start, start + n_rows)
        piece = None if refused else predict(np.ascontiguousarray(X[rows]), link)
        if piece is None:
            refused.append(start)
        else:
            found[rows] = piece

    starts = range(n_rows, len(X), n_rows)
    if (n_threads := blas_threads()) > 1:
        in_threads(n_threads, fill, starts)
    else:
        for start in starts:
            fill(start)
    return None if refused else found


def forget_predictor(estimator):
    """Forget what the estimator predicted with: it may predict otherwise from here on."""
    _forget(ref(estimator))


def _forget(reference):
    """Forget what belongs to an estimator, which may be gone."""
    _PREDICTORS.pop(reference, None)


def _predictor_of(fitted):
    """Return what `by_engine` keeps of an estimator with these attributes."""
    coefs, labels, loss = fitted.get("coefs_"), fitted.get("_labels"), type(fitted.get("_loss"))
    if "_activations" not in fitted or "n_features_in_" not in fitted:
        return coefs, None, None, False, None, 0
    links = {"binary": compiled.TWO_CLASSES, "multilabel-indicator": compiled.LABELS}
    if loss is CategoricalLogLoss:
        links["multiclass"] = compiled.CLASSES
    known = loss in {BinaryLogLoss, SigmoidSquaredError, CategoricalLogLoss}
    link = links.get(labels.target_type) if labels is not None and known else None
    predict = compiled.predictor_of(coefs, fitted["intercepts_"], fitted["_activations"])
    if predict is None:
        return coefs, None, None, False, None, 0
    return coefs, predict, link, "feature_names_in_" in fitted, coefs[0], sum([coef.nbytes for coef in coefs])
