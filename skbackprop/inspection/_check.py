"""Backpropagation's gradient against difference quotients of the loss."""

import math
import numbers
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from .._engine.objective import QUIET
from .._estimators.annotations import Data, RandomState, Weights
from .._estimators.parameters import check_count
from .._estimators.threads import limit_threads
from ._report import Paragraph, Report, Table, number
from ._step import Step

# Tried from the largest down: rounding spoils the quotient of a small step, curvature and kinks that of a large one.
STEP_SIZES = (1e-4, 1e-5, 1e-6, 1e-7)
# Rounding leaves an error of about 1e-16 of the loss in the loss, and of 1e-12 in its quotients. A derivative below this
# share of the loss is not judged by its own size, since that error could hide it.
SMALLEST = 1e-5


class LayerCheck(NamedTuple):
    """How far backpropagation and difference quotients are apart in one layer.

    One for each layer is in the `layers` of a `GradientCheck`.

    Parameters
    ----------
    weights_error : float
        Largest difference among the entries compared, divided by the layer's largest derivative by a weight; NaN where
        nothing was compared.
    biases_error : float
        The same for the biases.
    n_checked : int
        Number of weights and biases compared.
    n_entries : int
        Number of all that the layer has.
    n_at_kink : int
        Number of entries tried and left out, since the loss has no derivative there (a rectified unit exactly at 0).

    See Also
    --------
    check_gradients : Compares the gradients.
    GradientCheck : Its result.

    Examples
    --------
    >>> from skbackprop import SigmoidBackpropRegressor
    >>> from skbackprop.inspection import check_gradients
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]
    >>> layer = check_gradients(SigmoidBackpropRegressor(hidden_layer_sizes=2, random_state=0), X, y).layers[0]
    >>> layer.n_checked, layer.weights_error < 1e-6
    (4, True)
    """

    weights_error: float
    biases_error: float
    n_checked: int
    n_entries: int
    n_at_kink: int


class WorstEntry(NamedTuple):
    """Where backpropagation and difference quotients are furthest apart.

    It is the `worst` of a `GradientCheck`.

    Parameters
    ----------
    layer : int
        Number of the layer, counted from 1.
    part : {"weights", "biases"}
        Which of its parts.
    index : tuple of int
        Position in `coefs_[layer - 1]` or `intercepts_[layer - 1]`.
    analytic : float
        Derivative by backpropagation.
    numeric : float
        Derivative by a central difference.
    error : float
        Relative error, as in `LayerCheck`.

    See Also
    --------
    check_gradients : Compares the gradients.
    GradientCheck : Its result.

    Examples
    --------
    >>> from skbackprop import SigmoidBackpropRegressor
    >>> from skbackprop.inspection import check_gradients
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]
    >>> worst = check_gradients(SigmoidBackpropRegressor(hidden_layer_sizes=2, random_state=0), X, y).worst
    >>> worst.error < 1e-6
    True
    """

    layer: int
    part: str
    index: tuple
    analytic: float
    numeric: float
    error: float


class GradientCheck(Report):
    """Result of `check_gradients`.

    It prints as a table, and shows as one in a notebook.

    Parameters
    ----------
    layers : list of LayerCheck
        From the inputs up.
    worst : WorstEntry or None
        The largest relative error and where it is; None if nothing was compared.
    tol : float
        Largest relative error of a gradient that is right.
    names : list of str
        The functions whose derivatives enter the layers' errors: the hidden layers' activations, then the loss.

    Attributes
    ----------
    layers : list of LayerCheck
        The parameter.
    worst : WorstEntry or None
        The parameter.
    tol : float
        The parameter.
    max_error : float
        Largest relative error.
    passed : bool
        Whether it is at most `tol`.
    wrong_layers : list of int
        Layers with a relative error above `tol`.
    topmost_wrong_layer : int or None
        The last of `wrong_layers`: an error that spoils all layers below it comes from there.
    verdict : str
        The result in words.

    See Also
    --------
    check_gradients : Compares the gradients.

    Examples
    --------
    >>> from skbackprop import SigmoidBackpropRegressor
    >>> from skbackprop.inspection import check_gradients
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0]
    >>> check = check_gradients(SigmoidBackpropRegressor(hidden_layer_sizes=2, random_state=0), X, y)
    >>> check.passed, check.wrong_layers
    (True, [])
    """

    layers: list[LayerCheck]
    worst: WorstEntry | None
    tol: float
    max_error: float
    passed: bool
    wrong_layers: list[int]
    topmost_wrong_layer: int | None
    verdict: str

    def __init__(self, layers: list[LayerCheck], worst: WorstEntry | None, tol: float, names: list[str]) -> None:
        self.layers = layers
        self.worst = worst
        self.tol = tol
        self._names = names
        self.max_error = math.nan if worst is None else worst.error
        self.wrong_layers = [k for k, layer in enumerate(layers, 1) if self._wrong_parts(layer)]
        self.topmost_wrong_layer = self.wrong_layers[-1] if self.wrong_layers else None
        self.passed = not self.wrong_layers
        self.verdict = self._verdict()

    def _wrong_parts(self, layer):
        """Return which of a layer's parts are wrong."""
        errors = {"weights": layer.weights_error, "biases": layer.biases_error}
        return [part for part, error in errors.items() if error > self.tol]

    def _verdict(self):
        worst = self.worst
        top = self.topmost_wrong_layer
        if worst is None:
            return "Nothing could be compared: at these weights every entry tried is at a kink of the loss."
        if math.isinf(worst.error):
            return "The loss or its gradient is not finite at these weights, so nothing can be compared."
        place = f"{number(worst.error)}, in layer {worst.layer}, {worst.part} {list(worst.index)}"
        if self.passed:
            return f"The gradient is right: the largest relative error is {place}."
        parts = self._wrong_parts(self.layers[top - 1])
        n_parts = sum(not math.isnan(error) for error in self.layers[top - 1][:2])
        what = "the derivative of the loss" if top == len(self.layers) else "the derivative of that layer's activation"
        if self.wrong_layers == list(range(1, top + 1)) and len(parts) == n_parts:
            below = " and every layer below it" if top > 1 else ""
            advice = f"Layer {top}{below}: look at {what}, {self._names[top - 1]}."
        else:
            where = "only its " + parts[0] if len(parts) < n_parts else "not every layer below it"
            advice = f"Layer {top}, but {where}: look at how that layer's own gradient is computed from its delta."
        seen = f"backpropagation gives {number(worst.analytic)}, a central difference {number(worst.numeric)}"
        return f"The gradient is WRONG. {advice} The largest relative error is {place}: {seen}."

    def _parts(self):
        header = ["layer", "error of weights", "error of biases", "compared", "left out (kink)", ""]
        rows = []
        for k, layer in enumerate(self.layers, 1):
            errors = ["-" if math.isnan(error) else number(error) for error in layer[:2]]
            verdict = "WRONG" if k in self.wrong_layers else "right" if layer.n_checked else "-"
            rows.append([str(k), *errors, f"{layer.n_checked} of {layer.n_entries}", str(layer.n_at_kink), verdict])
        title = f"Backpropagation against central differences (relative errors, at most {number(self.tol)} is right)"
        return [Paragraph(title), Table(header, rows), Paragraph(self.verdict)]


def check_gradients(estimator: Any, X: Data, y: Data | None = None, sample_weight: Weights = None, *,
                    max_entries: int | None = 30, tol: float = 1e-6,
                    random_state: RandomState = 0) -> GradientCheck:  # fmt: skip
    """Compare backpropagation's gradient with central differences of the loss.

    The loss is the estimator's own, with sample weights and L2 penalty (`alpha`; `weight_decay` and `clip_norm` act on the
    step, not on the loss). With dropout it is that of one thinned network: the same units are silent throughout. Everything
    is computed in float64, whatever the dtype of `X`.

    Parameters
    ----------
    estimator : estimator
        Checked at its fitted weights or, if it is not fitted, at the initial weights that `fit` would draw.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Inputs. A few hundred samples are enough: each entry compared costs at least two forward passes.
    y : array-like, default=None
        Targets, as for `fit`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.
    max_entries : int or None, default=30
        Largest number of weights, and of biases, to compare in each layer: half are those with the largest derivatives,
        half are drawn at random. None compares all.
    tol : float, default=1e-6
        Largest relative error of a gradient that is right.
    random_state : int, RandomState instance or None, default=0
        Seed of the entries that are drawn.

    Returns
    -------
    check : GradientCheck
        Relative errors of each layer, the worst entry and, where errors are too large, what their pattern points to: a
        wrong derivative of an activation spoils its layer and all below. A wrong gradient is reported; it raises nothing.

    Raises
    ------
    TypeError
        If `estimator` is not a network of this package.
    ValueError
        If the data or the parameters are not valid for training, or `max_entries` or `tol` is out of range.

    Notes
    -----
    A relative error is the largest difference between the two derivatives in a layer's weights (or biases), divided by the
    largest of these derivatives, or by 1e-5 of the loss where all are smaller: below that, rounding hides them. Each
    difference is tried with steps of 1e-4, 1e-5, 1e-6 and 1e-7 until one agrees, since a step across the kink of a
    rectified unit says nothing against the gradient. A unit exactly at its kink has no derivative: its entries are left out
    and counted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.inspection import check_gradients
    >>> X, y = load_iris(return_X_y=True)
    >>> check = check_gradients(SigmoidBackpropClassifier((4, 3), random_state=0), X, y)
    >>> check.passed, check.max_error < 1e-6, len(check.layers)
    (True, True, 3)
    """
    if max_entries is not None:
        check_count("max_entries", max_entries, ", or None for all entries")
    if not (isinstance(tol, numbers.Real) and tol > 0):
        raise ValueError(f"Got tol={tol!r}: pass a number above 0, such as 1e-6.")
    tol = float(tol)
    step = Step(estimator, X, y, sample_weight, np.float64)
    network = step.network
    names = [repr(part) for part in (*network.activations, step.objective.loss)]
    random_state = check_random_state(random_state)
    layers = []
    worst = None
    with limit_threads(network, len(step.Y)), np.errstate(**QUIET):
        here = step.loss()
        gradient = step.objective.gradient.copy()
        step.skip_gradient()
        positions = network.layer_views(np.arange(network.theta.size))
        for k, (weights, biases) in enumerate(zip(*positions, strict=True), 1):
            parts = (weights, biases) if network.fit_intercept else (weights,)
            errors = {"weights": math.nan, "biases": math.nan}
            at_kink = []
            for name, part in zip(errors, parts, strict=False):
                chosen = _chosen(gradient[part.ravel()], max_entries, random_state)
                analytic, numeric = _compared(step, gradient, part.ravel(), chosen, here, tol)
                at_kink.extend(np.isnan(numeric))
                if np.isnan(numeric).all():
                    continue
                errors[name], entry = _largest_error(analytic, numeric, gradient[part], here)
                if worst is None or errors[name] > worst.error:
                    index = tuple(int(i) for i in np.unravel_index(chosen[entry], part.shape))
                    worst = WorstEntry(k, name, index, float(analytic[entry]), float(numeric[entry]), errors[name])
            n_at_kink = int(sum(at_kink))
            n_entries = sum(part.size for part in parts)
            layers.append(LayerCheck(*errors.values(), len(at_kink) - n_at_kink, n_entries, n_at_kink))
    return GradientCheck(layers, worst, tol, names)


def _chosen(gradient, max_entries, random_state):
    """Return which entries of a layer's gradient to compare, in order.

    Half are the largest: in a wide sparse batch most derivatives are zero, and comparing those would tell little.
    """
    if max_entries is None or gradient.size <= max_entries:
        return np.arange(gradient.size)
    order = np.argsort(-np.abs(gradient), kind="stable")
    n_largest = max_entries // 2
    others = random_state.choice(order[n_largest:], max_entries - n_largest, replace=False)
    return np.sort(np.concatenate([order[:n_largest], others]))


def _scale(slopes, loss):
    """Return what differences between slopes are divided by: the largest slope, if it can be told from zero."""
    return max(float(np.max(np.abs(slopes))), SMALLEST * abs(loss)) or 1.0


def _compared(step, gradient, positions, chosen, here, tol):
    """Return the derivatives of the chosen entries by backpropagation and by differences, the latter NaN at a kink."""
    accuracy = 0.1 * tol * _scale(gradient[positions], here)
    chosen = positions[chosen]
    return gradient[chosen], np.array([_central_difference(step, i, gradient[i], here, accuracy) for i in chosen])


def _largest_error(analytic, numeric, gradient, here):
    """Return the largest relative error, infinite if something is not finite, and the entry that has it."""
    numeric_or_equal = np.where(np.isnan(numeric), analytic, numeric)
    scale = max(_scale(gradient, here), float(np.max(np.abs(numeric_or_equal))))
    errors = np.nan_to_num(np.abs(numeric_or_equal - analytic) / scale, nan=math.inf, posinf=math.inf)
    entry = int(np.argmax(errors))
    return float(errors[entry]), entry


def _central_difference(step, position, analytic, here, accuracy):
    """Return, of several step sizes, the difference quotient by one parameter that agrees best; NaN at a kink.

    The quotients of two sizes are also extrapolated to a step of zero (Richardson, 1911).

    A step that crosses a kink of the loss does not measure the gradient beside the kink, but a smaller one does. No step
    confirms a wrong derivative. At a kink itself the slopes to the left and to the right differ by the same amount at every
    step size; elsewhere their difference shrinks in proportion to the step.
    """
    theta = step.network.theta
    start = theta[position]
    best = math.inf
    last = math.nan
    jumps = []
    for size in STEP_SIZES:
        theta[position] = start + size
        upper = step.loss()
        theta[position] = start - size
        lower = step.loss()
        jumps.append(abs(upper - 2 * here + lower) / size)
        slope = (upper - lower) / ((start + size) - (start - size))
        # Without its error of second order, which for two steps in the ratio of ten is a 99th of their difference.
        extrapolated = slope + (slope - last) / 99
        last = slope
        # What is not a number is never the smaller one.
        best = min((best, slope, extrapolated), key=lambda quotient: abs(quotient - analytic))
        error = abs(best - analytic)
        if error <= accuracy:
            break
    theta[position] = start
    jumps = jumps[-3:]
    return math.nan if error > accuracy and min(jumps) > max(max(jumps) / 3, 0.5 * error) else best
