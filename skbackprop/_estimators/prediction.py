"""Prediction with one BLAS thread, and with several threads of our own where there is much to do.

Threads of a BLAS share each single product, and wait for each other in a loop that keeps the cores busy; where other
programs want these, too, a product takes a hundred times as long. Threads that share the rows meet once, at the end.
"""

from functools import partial, wraps
from weakref import ref

from .._engine import compiled, prediction
from ..losses import BinaryLogLoss, CategoricalLogLoss, SigmoidSquaredError
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


# Of each estimator that has predicted for a few rows: its list of weights, a function of the compiled engine or None, and
# the link to its probabilities or None. Beside the estimators, for prediction leaves these as they are, and by weak
# references, to which a WeakKeyDictionary would take the longer way.
_FEW_ROWS = {}


def few_rows(estimator, X, probabilities=False):
    """Return raw scores, or probabilities, for a few rows of clean numbers from the compiled engine; None for other `X`."""
    fitted = estimator.__dict__
    coefs = fitted.get("coefs_")
    taken = _FEW_ROWS.get(ref(estimator))
    if taken is None or taken[0] is not coefs:
        taken = _FEW_ROWS[ref(estimator, _forget)] = _few_rows_of(fitted)
    _, predict, link = taken
    if predict is None or (probabilities and link is None):
        return None
    return predict(coefs, fitted["intercepts_"], X, link if probabilities else compiled.RAW_SCORES)


def forget_few_rows(estimator):
    """Forget what the estimator predicted with: it may predict otherwise from here on."""
    _forget(ref(estimator))


def _forget(reference):
    """Forget what belongs to an estimator, which may be gone."""
    _FEW_ROWS.pop(reference, None)


def _few_rows_of(fitted):
    """Return what `few_rows` keeps of an estimator with these attributes."""
    coefs, labels, loss = fitted.get("coefs_"), fitted.get("_labels"), type(fitted.get("_loss"))
    # Column names are for scikit-learn's validation to compare.
    if "_activations" not in fitted or "n_features_in_" not in fitted or "feature_names_in_" in fitted:
        return coefs, None, None
    links = {"binary": compiled.TWO_CLASSES, "multilabel-indicator": compiled.LABELS}
    if loss is CategoricalLogLoss:
        links["multiclass"] = compiled.CLASSES
    known = loss in {BinaryLogLoss, SigmoidSquaredError, CategoricalLogLoss}
    link = links.get(labels.target_type) if labels is not None and known else None
    return coefs, compiled.predictor_of(coefs, fitted["intercepts_"], fitted["_activations"]), link
