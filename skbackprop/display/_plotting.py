"""What the displays share: matplotlib where it is needed, axes to draw on, and what they need of a fitted network."""

import numpy as np
from scipy.special import expit, softmax
from sklearn.utils.validation import check_is_fitted

from .._estimators.parameters import activations_of

# Colours of weights: red is positive, blue negative, and white, which does not show on white, zero.
CMAP = "RdBu_r"
# From raw scores to predictions in scikit-learn's networks, by the name of the output's activation.
LINKS = {"identity": np.asarray, "logistic": expit, "softmax": lambda Z: softmax(Z, axis=1), "exp": np.exp}


def check_matplotlib(caller):
    """Raise unless matplotlib is installed; call this before any other work."""
    try:
        import matplotlib  # noqa: F401, PLC0415 (optional)
    except ImportError as error:
        raise ImportError(
            f'{caller} needs matplotlib, which is not installed: run pip install "skbackprop[plot]".'
        ) from error


def axes_for(display, ax, figsize=None):
    """Return the axes to draw on, new ones if `ax` is None, and store them as the display's `ax_` and `figure_`."""
    check_matplotlib(f"{type(display).__name__}.plot")
    if ax is None:
        import matplotlib.pyplot as plt  # noqa: PLC0415 (optional)

        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    display.ax_ = ax
    display.figure_ = ax.figure
    return ax


def line_style(style):
    """Return the style of a line, with matplotlib's short names, such as `c` for `color`, written out."""
    from matplotlib import cbook, lines  # noqa: PLC0415 (optional)

    return cbook.normalize_kwargs(style, lines.Line2D)


def whole_ticks(ax):
    """Make the ticks of the horizontal axis whole numbers, as epochs and layers are."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 (optional)

    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))


def check_drawable(display, estimator, attribute="coefs_"):
    """Raise unless matplotlib is installed, and the estimator is fitted and has an attribute of fitted networks."""
    check_matplotlib(f"{display.__name__}.from_estimator")
    check_is_fitted(estimator)
    if getattr(estimator, attribute, None) is None:
        raise TypeError(
            f"Got {type(estimator).__name__}, which has no {attribute}: pass the fitted network itself, such as "
            "pipeline[-1], search.best_estimator_ or detector.estimators_[0]."
        )


def loss_unit(estimator):
    """Return the unit of the estimator's loss, such as "nats", or None."""
    return getattr(getattr(estimator, "_loss", None), "unit", None)


def step_name(estimator):
    """Return what a loss of the estimator's loss curve belongs to: "epoch" or "iteration"."""
    return "iteration" if estimator.solver == "lbfgs" or hasattr(estimator.solver, "minimize") else "epoch"


def trained_weights(estimator):
    """Return the weights of each layer as training sees them, and a name for them.

    Where training standardises inputs or targets, the weights are those between standardised values, so that they can be
    compared across features, outputs and layers.
    """
    coefs = [np.array(coef) for coef in estimator.coefs_]
    standardized = []
    if getattr(estimator, "_scaling", None) is not None:
        coefs[0] *= estimator._scaling.scale[:, np.newaxis]
        standardized.append("inputs")
    if getattr(estimator, "_target_scaling", None) is not None:
        coefs[-1] /= estimator._target_scaling.score_scale
        standardized.append("targets")
    return coefs, f"weight, for standardised {' and '.join(standardized)}" if standardized else "weight"


def trained_biases(estimator):
    """Return the biases of each layer as training sees them: as `trained_weights` does the weights."""
    biases = [np.array(intercept) for intercept in estimator.intercepts_]
    if (scaling := getattr(estimator, "_scaling", None)) is not None:
        biases[0] += scaling.mean @ estimator.coefs_[0]
    if (scaling := getattr(estimator, "_target_scaling", None)) is not None:
        biases[-1] -= scaling.score_shift
        biases[-1] /= scaling.score_scale
    return biases


def outputs_of_units(estimator, sample):
    """Return what the units of each layer put out for a sample, beginning with the inputs as training sees them."""
    A = np.asarray(sample, dtype=float).reshape(1, -1)
    if A.shape[1] != len(estimator.coefs_[0]):
        raise ValueError(f"Got a sample of {A.shape[1]} features: pass one of {len(estimator.coefs_[0])}.")
    scaling = getattr(estimator, "_scaling", None)
    found = [A if scaling is None else (A - scaling.mean) / scaling.scale]
    activations = activations_of(estimator, len(estimator.coefs_) - 1)
    for coef, intercept, activation in zip(estimator.coefs_, estimator.intercepts_, activations, strict=False):
        A = np.asarray(A @ coef + intercept, dtype=float)
        activation.forward(A, np.empty_like(A) if activation.needs_cache else None)
        found.append(A)
    Z = np.asarray(A @ estimator.coefs_[-1] + estimator.intercepts_[-1], dtype=float)
    loss = getattr(estimator, "_loss", None)
    return [*found, LINKS[estimator.out_activation_](Z) if loss is None else loss.predict(Z)]


def symmetric_limits(values):
    """Return the limits of a colour scale with zero in the middle."""
    largest = float(np.max(np.abs(values), initial=0.0)) or 1.0
    return {"vmin": -largest, "vmax": largest}


def add_label(old, new):
    """Return the label of an axis that two displays share: both labels if they differ."""
    return new if not old else old if new in old.split(" or ") else f"{old} or {new}"
