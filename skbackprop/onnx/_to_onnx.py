"""Conversion of an estimator, with the options that suit it."""

from typing import Any

import numpy as np
import skl2onnx
from onnx import ModelProto
from skl2onnx.common.utils_sklearn import _process_options
from sklearn.base import BaseEstimator, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils.validation import check_is_fitted

from .._estimators.annotations import Data
from .._estimators.autoencoder import SigmoidBackpropAutoencoder
from .._estimators.classifier import SigmoidBackpropClassifier
from .._estimators.regressor import SigmoidBackpropRegressor
from ._estimators import register

register()


def to_onnx(estimator: BaseEstimator, X: Data | None = None, *, options: dict | None = None, **keywords: Any) -> ModelProto:
    """Convert a fitted estimator, alone or within a pipeline or another of scikit-learn's estimators.

    Probabilities come as an array, from an autoencoder the code and the reconstruction, and from networks before the last
    step of a pipeline the features that their `transform` returns; `skl2onnx.to_onnx` does so only if the options ask.

    Parameters
    ----------
    estimator : estimator
        A fitted one.
    X : {array-like, dataframe} of shape (n_samples, n_features), default=None
        Samples, of which the types and the number of columns count. Without, the inputs are `n_features_in_` columns of the
        type of the weights; for other estimators than those of this package, of float64.
    options : dict, default=None
        As in skl2onnx: ``{"zipmap": True}`` for a dict of probabilities for each sample, in float32;
        ``{"raw_scores": True}`` for what the link makes probabilities of; ``{"nocl": True}`` for positions in `classes_` in
        place of labels; ``{"transform": True}`` for the activations of the last hidden layer; ``{"score_samples": True}``
        for the scores of an outlier detector without its threshold, besides.
    **keywords
        Other parameters of `skl2onnx.to_onnx`, such as ``target_opset=17``.

    Returns
    -------
    model : onnx.ModelProto
        The graph; the number of samples is not fixed.

    Raises
    ------
    ValueError
        If a part of the user's own has no converter; see `CONVERTERS`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.onnx import to_onnx
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = SigmoidBackpropClassifier(random_state=0).fit(X, y)
    >>> [output.name for output in to_onnx(classifier).graph.output]
    ['label', 'probabilities']
    """
    check_is_fitted(estimator)
    if X is None and "initial_types" not in keywords:
        weights = getattr(estimator, "coefs_", [None])[0]
        X = np.empty((1, estimator.n_features_in_)) if weights is None else np.empty_like(weights.T[:1])
    given = _process_options(estimator, options or {})
    given = {key: dict(values) for key, values in given.items() if not isinstance(key, str)}
    named = {name for values in given.values() for name in values}
    chosen = [(part, "transform", True) for part in _transformers(estimator)]
    if is_classifier(estimator):
        chosen.append((estimator, "zipmap", False))
    if isinstance(estimator, SigmoidBackpropAutoencoder):
        chosen.append((estimator, "reconstruction", True))
    for part, name, value in chosen:
        if name not in named:
            given.setdefault(id(part), {})[name] = value
    return skl2onnx.to_onnx(estimator, X, options=given, **keywords)


def _transformers(estimator, transforms=False):
    """Yield the networks within an estimator of which it uses `transform`, as the estimator itself does if told so."""
    if isinstance(estimator, Pipeline):
        parts = [step for _, step in estimator.steps]
        for part in parts[:-1]:
            yield from _transformers(part, True)
        yield from _transformers(parts[-1], transforms)
    elif isinstance(estimator, FeatureUnion | ColumnTransformer):
        for _, part, *_ in getattr(estimator, "transformers_", None) or estimator.transformer_list:
            yield from _transformers(part, True)
    elif hasattr(estimator, "best_estimator_"):
        yield from _transformers(estimator.best_estimator_, transforms)
    elif transforms and isinstance(estimator, SigmoidBackpropClassifier | SigmoidBackpropRegressor):
        yield estimator
