"""What prediction needs of an estimator whose weights were set by hand, derived from its public attributes."""

from functools import wraps

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .parameters import activations_of
from .parts import type_of_parts
from .words import shown

# What NumPy raises for arrays that do not fit together, and Python for what is none.
ERRORS = (AttributeError, IndexError, TypeError, ValueError)


class Derived:
    """An attribute that `fit` sets; as long as it has not, each access derives it anew.

    Parameters
    ----------
    derive : callable
        Takes the estimator, returns the value.
    """

    def __init__(self, derive):
        self.derive = derive

    def __get__(self, estimator, owner=None):
        return self if estimator is None else self.derive(estimator)


def as_arrays(layers):
    """Return nested lists as arrays; what holds no numbers is left as it is, for `refuse_weights` to name."""
    if isinstance(layers, list) and all(isinstance(part, np.ndarray) for part in layers):
        return layers
    try:
        return [np.asarray(part) for part in layers]
    except (TypeError, ValueError):
        return layers


def refuse_weights(estimator):
    """Raise unless the weights make a network, of finite numbers; say which of them do not.

    Prediction asks only once it has failed, or where weights were set as attributes: to look at all of them each time would
    cost as much as to predict.
    """
    check_is_fitted(estimator, ["coefs_", "intercepts_"])
    coefs, intercepts, fitted = estimator.coefs_, estimator.intercepts_, vars(estimator)
    for name, layers in (("coefs_", coefs), ("intercepts_", intercepts)):
        if not isinstance(layers, list | tuple) or not layers:
            raise ValueError(f"Got {name}={shown(layers)}: set a list of arrays, one for each layer.")
        for layer, part in enumerate(layers):
            _refuse_part(f"{name}[{layer}]", part, (2, "(fan_in, fan_out)") if name == "coefs_" else (1, "(fan_out,)"))
    n_layers = len(fitted["_activations"]) + 1 if "_activations" in fitted else len(coefs)
    if not n_layers == len(coefs) == len(intercepts):
        raise ValueError(
            f"Got coefs_ of {len(coefs)} and intercepts_ of {len(intercepts)} layers: set new lists of as many arrays each."
        )
    if "_activations" in fitted and len(coefs[0]) != fitted.get("n_features_in_", len(coefs[0])):
        raise ValueError(f"Got coefs_[0] of shape {coefs[0].shape}: set {estimator.n_features_in_} rows, one a feature.")
    below = coefs[0].T
    for layer, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
        if len(coef) != below.shape[1]:
            raise ValueError(
                f"Got coefs_[{layer}] of shape {coef.shape} above coefs_[{layer - 1}] of shape {below.shape}: set as many "
                "rows as the layer below has columns."
            )
        below = coef
        if intercept.shape != coef.shape[1:]:
            raise ValueError(
                f"Got intercepts_[{layer}] of shape {intercept.shape} with coefs_[{layer}] of shape {coef.shape}: set one "
                "bias for each column of the weights."
            )


def _refuse_part(name, part, wanted):
    """Raise unless the weights or biases of a layer are finite numbers in an array, with so many axes, of such a shape."""
    n_axes, shape = wanted
    if not isinstance(part, np.ndarray) or part.dtype.kind not in "biuf" or part.itemsize > 8:
        kind = part.dtype if isinstance(part, np.ndarray) else type(part).__name__
        raise ValueError(f"Got {name} of type {kind}: set an array of numbers, float64 at most, of shape {shape}.")
    if part.ndim != n_axes or not part.size:
        raise ValueError(f"Got {name} of shape {part.shape}: set an array of shape {shape}, all positive.")
    if not np.isfinite(part).all():
        raise ValueError(f"Got NaN or infinity in {name}: set finite weights, or fit anew.")


def refuse_width(estimator, X):
    """Raise unless inputs have a column for each row of the first weights; those set by hand know no `n_features_in_`."""
    if not isinstance(estimator.coefs_[0], np.ndarray):
        refuse_weights(estimator)
    expected = len(estimator.coefs_[0])
    if X.shape[1] != expected:
        raise ValueError(
            f"X has {X.shape[1]} features, but {type(estimator).__name__} is expecting {expected} features: pass as many "
            "as coefs_[0] has rows."
        )


def blames_weights(method):
    """Return a method of prediction whose errors, where weights were changed in place, say so."""

    @wraps(method)
    def blaming(estimator, X, *arguments, **keywords):
        try:
            return method(estimator, X, *arguments, **keywords)
        except ERRORS:
            refuse_weights(estimator)
            raise

    return blaming


def float_type(estimator):
    """Return the type in which training goes on from weights, whoever set them: float32 or float64.

    What is in arrays that training left is not looked at before it goes on.
    """
    if dtype := type_of_parts(estimator):
        return dtype
    refuse_weights(estimator)
    found = np.result_type(*{part.dtype for part in (*estimator.coefs_, *estimator.intercepts_)})
    return np.dtype(np.float32 if found == np.float32 else np.float64)


def activations(estimator):
    """Return the activations of the hidden layers, having checked that the weights make a network."""
    check_is_fitted(estimator, ["coefs_", "intercepts_", "out_activation_"])
    refuse_weights(estimator)
    return activations_of(estimator, len(estimator.coefs_) - 1)


def activations_before_classes(estimator):
    """Return the activations, having checked besides that the weights have an output for each class."""
    found = activations(estimator)
    check_is_fitted(estimator, ["classes_"])
    n_classes, n_outputs = len(estimator.classes_), estimator.coefs_[-1].shape[1]
    # Of two classes the second alone has an output.
    if not n_outputs <= n_classes <= max(n_outputs, 2):
        raise ValueError(
            f"Got {n_classes} classes_ with coefs_ of {n_outputs} output units: set one class for each unit, or two for "
            "one unit."
        )
    return found


def activations_around_code(estimator):
    """Return the activations, having checked besides that the weights lead through a code back to the features."""
    found, coefs = activations(estimator), estimator.coefs_
    if not found or coefs[-1].shape[1] != len(coefs[0]):
        raise ValueError(
            f"Got coefs_ of shapes {shown([coef.shape for coef in coefs])}: set a hidden layer at least, the code, and as "
            "many columns last as there are rows first."
        )
    return found


def kind_of_labels(estimator):
    """Return the classes, and their kind in scikit-learn's words, by what its classifier makes of the same attributes."""
    activations_before_classes(estimator)
    classes, n_outputs = np.asarray(estimator.classes_), estimator.coefs_[-1].shape[1]
    if n_outputs == 1:
        return classes, "binary"
    return classes, "multiclass" if estimator.out_activation_ == "softmax" else "multilabel-indicator"


def with_link(loss, estimator):
    """Return a loss, or raise unless it has the output activation that was set."""
    check_is_fitted(estimator, ["coefs_", "out_activation_"])
    if estimator.out_activation_ != loss.output_activation:
        raise ValueError(
            f"Got out_activation_={estimator.out_activation_!r} with loss={estimator.loss!r}, whose output activation is "
            f"{loss.output_activation!r}: set that, or pass a loss with the other one."
        )
    return loss
