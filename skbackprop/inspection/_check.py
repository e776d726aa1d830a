"""Backpropagation's gradient against difference quotients of the loss."""

import math
from typing import NamedTuple

import numpy as np

from .._engine.objective import QUIET
from .._estimators.threads import limit_threads
from ._report import Paragraph, Report, Table, number

# Tried from the largest down: rounding spoils the quotient of a small step, curvature and kinks that of a large one.
STEP_SIZES = (1e-4, 1e-5, 1e-6, 1e-7)
# The loss is known to about 1e-16 of itself and its quotients to 1e-12 of it: derivatives below this share are not judged
# by their own size, which would be lost in that.
SMALLEST = 1e-5


class LayerCheck(NamedTuple):
    """How far backpropagation and difference quotients are apart in one layer.

    Attributes
    ----------
    weights_error, biases_error : float
        Largest difference among the entries compared, divided by the layer's largest derivative by a weight, or by a bias;
        NaN where nothing was compared.
    n_checked, n_entries : int
        Weights and biases compared, and all that the layer has.
    n_at_kink : int
        Entries tried and left out, since the loss has no derivative there (a rectified unit exactly at 0).
    """

    weights_error: float
    biases_error: float
    n_checked: int
    n_entries: int
    n_at_kink: int


class WorstEntry(NamedTuple):
    """Where backpropagation and difference quotients are furthest apart.

    Attributes
    ----------
    layer : int
    part : {"weights", "biases"}
    index : tuple of int
        Position in `coefs_[layer - 1]` or `intercepts_[layer - 1]`.
    analytic, numeric : float
        Derivative by backpropagation, and by a central difference.
    error : float
        Relative error, as in `LayerCheck`.
    """

    layer: int
    part: str
    index: tuple
    analytic: float
    numeric: float
    error: float


class GradientCheck(Report):
    """Result of `check_gradients`.

    Parameters
    ----------
    layers : list of LayerCheck
        From the inputs up.
    worst : WorstEntry or None
        The largest relative error and where it is; None if nothing was compared.
    tol : float
        Largest relative error of a gradient that is right.
    names : list of str
        What each layer's error goes through on its way down: the hidden layers' activations, then the loss.

    Attributes
    ----------
    layers, worst, tol
        The parameters.
    max_error : float
        Largest relative error.
    passed : bool
        Whether it is at most `tol`.
    wrong_layers : list of int
        Layers with a larger one.
    topmost_wrong_layer : int or None
        The last of them: where an error that spoils all layers below comes from.
    verdict : str
        All this in words.
    """

    def __init__(self, layers, worst, tol, names):
        self.layers, self.worst, self.tol, self._names = layers, worst, tol, names
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
        worst, top, n_layers = self.worst, self.topmost_wrong_layer, len(self.layers)
        if worst is None:
            return "Nothing could be compared: at these weights every entry tried is at a kink of the loss."
        if math.isinf(worst.error):
            return "The loss or its gradient is not finite at these weights, so nothing can be compared."
        place = f"{number(worst.error)}, in layer {worst.layer}, {worst.part} {list(worst.index)}"
        if self.passed:
            return f"The gradient is right: the largest relative error is {place}."
        parts = self._wrong_parts(self.layers[top - 1])
        n_parts = sum(not math.isnan(error) for error in self.layers[top - 1][:2])
        what = "the derivative of the loss" if top == n_layers else "the derivative of that layer's activation"
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


def check_step(step, max_entries, tol, random_state):
    """Compare the gradient of a float64 step with difference quotients, and return a `GradientCheck`."""
    network, names = step.network, [repr(part) for part in (*step.network.activations, step.objective.loss)]
    layers, worst = [], None
    with limit_threads(network, len(step.Y)), np.errstate(**QUIET):
        here, positions = step.loss(), np.arange(network.theta.size)
        gradient = step.objective.gradient.copy()
        step.skip_gradient()
        for k, parts in enumerate(zip(*network.layer_views(positions), strict=True), 1):
            errors, n_checked, n_at_kink, n_entries = [math.nan, math.nan], 0, 0, 0
            for i, part in enumerate(parts if network.fit_intercept else parts[:1]):
                chosen = _chosen(gradient[part.ravel()], max_entries, random_state)
                analytic, numeric = _compared(step, gradient, part.ravel(), chosen, here, tol)
                compared = ~np.isnan(numeric)
                n_entries, n_at_kink = n_entries + part.size, n_at_kink + int(np.sum(~compared))
                if not compared.any():
                    continue
                n_checked += int(compared.sum())
                errors[i], entry = _largest_error(analytic, numeric, gradient[part], here)
                if worst is None or errors[i] > worst.error:
                    index = tuple(int(j) for j in np.unravel_index(chosen[entry], part.shape))
                    slopes = float(analytic[entry]), float(numeric[entry])
                    worst = WorstEntry(k, ("weights", "biases")[i], index, *slopes, errors[i])
            layers.append(LayerCheck(*errors, n_checked, n_entries, n_at_kink))
    return GradientCheck(layers, worst, tol, names)


def _chosen(gradient, max_entries, random_state):
    """Return which entries of a layer's gradient to compare, in order.

    Half are the largest: of a wide sparse batch most derivatives are zero, and comparing those would tell little.
    """
    if max_entries is None or gradient.size <= max_entries:
        return np.arange(gradient.size)
    order = np.argsort(-np.abs(gradient), kind="stable")
    n_largest = max_entries // 2
    others = random_state.choice(order[n_largest:], max_entries - n_largest, replace=False)
    return np.sort(np.concatenate([order[:n_largest], others]))


def _scale(slopes, loss):
    """Return what differences between slopes are measured by: the largest slope, as far as it can be told from none."""
    return max(float(np.max(np.abs(slopes))), SMALLEST * abs(loss)) or 1.0


def _compared(step, gradient, positions, chosen, here, tol):
    """Return the derivatives of the chosen entries by backpropagation and by differences, the latter NaN at a kink."""
    accuracy = 0.1 * tol * _scale(gradient[positions], here)
    analytic = gradient[positions[chosen]]
    pairs = zip(positions[chosen], analytic, strict=True)
    return analytic, np.array([_central_difference(step, position, slope, here, accuracy) for position, slope in pairs])


def _largest_error(analytic, numeric, gradient, here):
    """Return the largest relative error, infinite where something is not finite, and the entry that has it."""
    numeric_or_equal = np.where(np.isnan(numeric), analytic, numeric)
    scale = max(_scale(gradient, here), float(np.max(np.abs(numeric_or_equal))))
    errors = np.nan_to_num(np.abs(numeric_or_equal - analytic) / scale, nan=math.inf, posinf=math.inf)
    entry = int(np.argmax(errors))
    return float(errors[entry]), entry


def _central_difference(step, position, analytic, here, accuracy):
    """Return the difference quotient by one parameter that agrees best among several step sizes; NaN at a kink.

    Those of two sizes are extrapolated to zero, too (Richardson, 1911).

    A step that crosses a kink of the loss is no measure of a gradient beside it, a smaller one is. A wrong derivative is
    confirmed by none. At a kink itself the slopes to the left and to the right differ by as much at every step size, while
    elsewhere their difference shrinks in proportion.
    """
    theta = step.network.theta
    start, best, last, jumps = theta[position], math.inf, None, []
    for size in STEP_SIZES:
        theta[position] = start + size
        above, upper = theta[position], step.loss()
        theta[position] = start - size
        slope = (upper - step.loss()) / (above - theta[position])
        lower = upper - slope * (above - theta[position])
        jumps.append(abs(upper - 2 * here + lower) / size)
        # Without its error of second order, which for two steps in the ratio of ten is a 99th of their difference.
        extrapolated = slope if last is None else slope + (slope - last) / 99
        best, last = min((best, slope, extrapolated), key=lambda quotient: abs(quotient - analytic)), slope
        if abs(best - analytic) <= accuracy:
            break
    theta[position] = start
    jumps = jumps[-3:]
    unconfirmed = abs(best - analytic) > accuracy
    return math.nan if unconfirmed and min(jumps) > max(max(jumps) / 3, 0.5 * abs(best - analytic)) else best
