"""Displays of training over the epochs: losses, scores and gradients."""

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.exceptions import NotFittedError

from ._plotting import add_label, axes_for, check_fitted, check_matplotlib, line_style, loss_unit, whole_ticks

# A legend names all layers up to this many, and else as many of them, evenly spread.
LAYERS_NAMED = 8


def _score_name(estimator):
    """Return the name of the validation scores, or None if they are negative losses."""
    scoring = getattr(estimator, "scoring", None)
    if scoring == "loss":
        return None
    if scoring is None:
        return "accuracy" if is_classifier(estimator) else "R²" if is_regressor(estimator) else "score"
    if isinstance(scoring, str):
        return scoring
    function = getattr(scoring, "_score_func", scoring)
    return getattr(function, "__name__", type(scoring).__name__)


def _validation(estimator, n_epochs):
    """Return a validation score for each epoch, NaN where there is none, or None."""
    scores = getattr(estimator, "validation_scores_", None)
    if scores is None:
        return None
    missing = np.full(n_epochs - len(scores), np.nan)
    # An epoch that diverged is not scored; otherwise the scores are those of the latest epochs.
    diverged = not np.isfinite(estimator.loss_curve_[-1])
    return np.concatenate([missing[diverged:], scores, missing[:diverged]])


class LossCurveDisplay:
    """Loss of each epoch, with that of validation samples or their score, and the best epoch.

    Create it with `from_estimator`, or from numbers. Displays that are drawn on the same axes share them.

    Parameters
    ----------
    training_losses : array-like of shape (n_epochs,)
        Loss of each epoch.
    validation : array-like of shape (n_epochs,), default=None
        Loss of validation samples after each epoch or, with `score_name`, their score, larger being better; NaN where
        there is none.
    score_name : str, default=None
        Name of the score, which then has an axis of its own, on the right; None if `validation` holds losses.
    loss_name : str, default="loss"
        Label of the axis of losses, with the unit.
    step_name : str, default="epoch"
        What a loss belongs to: "epoch" or "iteration".
    label : str, default=None
        Name of the network, in front of the names in the legend.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What is drawn on.
    training_line_ : matplotlib Line2D
        The training losses.
    validation_line_ : matplotlib Line2D or None
        The validation losses or scores.
    best_ : matplotlib Line2D or None
        Mark of the best epoch: the first with the best validation loss or score or, without validation, the smallest
        training loss. None if no value is finite.
    score_ax_ : matplotlib Axes or None
        The axes of the scores.

    Raises
    ------
    ValueError
        If there is not one validation value for each training loss.

    Examples
    --------
    >>> from skbackprop.display import LossCurveDisplay
    >>> display = LossCurveDisplay([0.9, 0.4, 0.2], validation=[0.8, 0.5, 0.6], loss_name="log_loss (nats a sample)")
    >>> display.validation.argmin() + 1
    np.int64(2)
    """

    def __init__(
        self, training_losses, *, validation=None, score_name=None, loss_name="loss", step_name="epoch", label=None
    ):
        self.training_losses = np.asarray(training_losses, dtype=float)
        self.validation = None if validation is None else np.asarray(validation, dtype=float)
        if self.validation is not None and self.validation.shape != self.training_losses.shape:
            raise ValueError(
                f"Got validation of shape {self.validation.shape} for training_losses of shape "
                f"{self.training_losses.shape}: pass one value an epoch, NaN where there is none."
            )
        self.score_name, self.loss_name = score_name, loss_name
        self.step_name, self.label = step_name, label

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, label=None, **kwargs):
        """Draw how the training of a fitted network went.

        The losses are those of `loss_curve_`: means over an epoch while the weights change, penalty included. Those of
        validation samples are without penalty. If fewer epochs are scored than were trained, the scores are taken to be
        those of the latest epochs.

        Parameters
        ----------
        estimator : estimator
            A fitted network.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        label : str, default=None
            Name of the network in the legend, where several share the axes.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no network, or one without `loss_curve_`.
        ImportError
            If matplotlib is not installed.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        check_fitted(estimator, "loss_curve_")
        losses, score_name = estimator.loss_curve_, _score_name(estimator)
        validation = _validation(estimator, len(losses))
        if validation is not None and score_name is None:
            validation = -validation
        solver, loss, unit = estimator.solver, getattr(estimator, "loss", "loss"), loss_unit(estimator)
        loss = loss if isinstance(loss, str) else type(loss).__name__
        display = cls(
            losses,
            validation=validation,
            score_name=score_name,
            loss_name=f"{loss} ({unit} a sample)" if unit else loss,
            step_name="iteration" if solver == "lbfgs" or hasattr(solver, "minimize") else "epoch",
            label=label,
        )
        return display.plot(ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        **kwargs : dict
            Passed to matplotlib's `Axes.plot` for both curves, such as `color` or `linewidth`.

        Returns
        -------
        self : LossCurveDisplay
        """
        ax, kwargs = axes_for(self, ax), line_style(kwargs)
        prefix = "" if self.label is None else f"{self.label}: "
        epochs = np.arange(1, len(self.training_losses) + 1)
        # The line of a single epoch has no length.
        style = {"marker": "." if len(epochs) == 1 else None, **kwargs}
        (self.training_line_,) = ax.plot(epochs, self.training_losses, **{"label": f"{prefix}training", **style})
        style["color"] = self.training_line_.get_color()
        ax.set(xlabel=self.step_name, ylabel=add_label(ax.get_ylabel(), self.loss_name))
        whole_ticks(ax)
        self.validation_line_, self.best_ = None, None
        judged_ax, judged, sign = ax, self.training_losses, -1
        if self.validation is not None:
            name = "validation" if self.score_name is None else f"validation {self.score_name}"
            judged = self.validation
            if self.score_name is not None:
                judged_ax, sign = self._score_axes(), 1
            style = {"linestyle": "--" if self.score_name is None else ":", "label": prefix + name, **style}
            (self.validation_line_,) = judged_ax.plot(epochs, self.validation, **style)
        finite = np.isfinite(judged)
        if finite.any():
            best = int(np.argmax(np.where(finite, sign * judged, -np.inf)))
            mark = {"color": style["color"], "label": f"{prefix}best {self.step_name}, {best + 1}"}
            (self.best_,) = judged_ax.plot(best + 1, judged[best], "o", **mark)
        self._draw_legend()
        return self

    def _score_axes(self):
        """Return the axes of the scores, on the right, which all displays on the same axes share."""
        ax = self.ax_
        if getattr(ax, "_score_ax", None) is None:
            ax._score_ax = ax.twinx()
        ax._score_ax.set_ylabel(add_label(ax._score_ax.get_ylabel(), f"validation {self.score_name}"))
        return ax._score_ax

    def _draw_legend(self):
        """Draw one legend for both axes, on those on top."""
        self.score_ax_ = getattr(self.ax_, "_score_ax", None)
        if self.score_ax_ is None:
            self.ax_.legend()
            return
        if self.ax_.get_legend() is not None:
            self.ax_.get_legend().remove()
        parts = zip(self.ax_.get_legend_handles_labels(), self.score_ax_.get_legend_handles_labels(), strict=True)
        # Losses end at the bottom and scores at the top, which leaves the middle.
        self.score_ax_.legend(*(lower + upper for lower, upper in parts), loc="center right")


class GradientFlowDisplay:
    """Norm of the gradient of each layer, on a logarithmic axis: over the epochs, or over the layers.

    A gradient that vanishes towards the inputs, or explodes, is a line that falls or rises by orders of magnitude over the
    layers (Glorot and Bengio, 2010). Create it with `from_estimator`, with `from_monitor`, or from numbers. Displays that
    are drawn on the same axes share them.

    Parameters
    ----------
    gradient_norms : array-like of shape (n_epochs, n_layers) or (n_layers,)
        Norms, from the layer that the inputs feed to the one of the outputs: in each epoch, to be drawn as a line for each
        layer, or at one moment, to be drawn as one line over the layers.
    loss_unit : str, default=None
        Unit of the loss, such as "nats".
    label : str, default=None
        Name of the network in the legend.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What is drawn on.
    lines_ : list of matplotlib Line2D
        A line for each layer, or one.
    zeros_ : list of matplotlib Line2D
        Marks at the bottom, for norms of exactly 0, which have no place on a logarithmic axis; one for each line that has
        such norms.

    Raises
    ------
    ValueError
        If the norms have neither one nor two dimensions.

    Examples
    --------
    >>> from skbackprop.display import GradientFlowDisplay
    >>> display = GradientFlowDisplay([1e-6, 1e-4, 1e-2], loss_unit="nats", label="logistic")
    >>> display.gradient_norms.shape
    (3,)
    """

    def __init__(self, gradient_norms, *, loss_unit=None, label=None):
        self.gradient_norms = np.asarray(gradient_norms, dtype=float)
        if self.gradient_norms.ndim not in {1, 2}:
            raise ValueError(
                f"Got gradient_norms of shape {self.gradient_norms.shape}: pass an array of shape (n_epochs, n_layers), or "
                "(n_layers,)."
            )
        self.loss_unit, self.label = loss_unit, label

    @classmethod
    def from_estimator(cls, estimator, X, y=None, *, sample_weight=None, ax=None, label=None, **kwargs):
        """Draw the norm of the gradient of each layer at the weights of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Samples whose loss is differentiated.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        label : str, default=None
            Name of the network in the legend, where several share the axes.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        display : GradientFlowDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no network.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        skbackprop.inspection.gradient_flow : The same norms as numbers, with a verdict in words.
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        check_fitted(estimator, "coefs_")
        from .inspection import gradient_flow  # noqa: PLC0415 (only this needs it)

        norms = gradient_flow(estimator, X, y, sample_weight=sample_weight).gradient_norms
        return cls(norms, loss_unit=loss_unit(estimator), label=label).plot(ax, **kwargs)

    @classmethod
    def from_monitor(cls, monitor, *, loss_unit=None, ax=None, label=None, **kwargs):
        """Draw the norms that a callback has noted, epoch by epoch.

        Parameters
        ----------
        monitor : object
            Has `gradient_norms_`, of shape (n_epochs, n_layers).
        loss_unit : str, default=None
            Unit of the loss, such as "nats".
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        label : str, default=None
            Name of the network in the legend, where several share the axes.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        display : GradientFlowDisplay

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the callback has noted nothing yet.
        ImportError
            If matplotlib is not installed.
        """
        check_matplotlib(f"{cls.__name__}.from_monitor")
        norms = getattr(monitor, "gradient_norms_", None)
        if norms is None:
            raise NotFittedError(
                f"This {type(monitor).__name__} has no gradient_norms_ yet: fit a network with it, then draw it."
            )
        return cls(norms, loss_unit=loss_unit, label=label).plot(ax, **kwargs)

    def plot(self, ax=None, *, cmap="viridis", **kwargs):
        """Draw the norms.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of the layers, where each has a line.
        **kwargs : dict
            Passed to matplotlib's `Axes.plot` for each line, such as `linestyle`.

        Returns
        -------
        self : GradientFlowDisplay
        """
        ax, kwargs = axes_for(self, ax), line_style(kwargs)
        over_epochs, norms = self.gradient_norms.ndim == 2, np.atleast_2d(self.gradient_norms.T)
        self.lines_, self.zeros_ = [], []
        if over_epochs:
            import matplotlib as mpl  # noqa: PLC0415 (optional)

            colours = mpl.colormaps.get_cmap(cmap)(np.linspace(0, 0.9, len(norms)))
            named = set(np.linspace(0, len(norms) - 1, min(len(norms), LAYERS_NAMED)).round().astype(int))
            prefix = "" if self.label is None else f"{self.label}: "
            marker = "o" if norms.shape[1] == 1 else None
            for layer, norm in enumerate(norms):
                label = f"{prefix}layer {layer + 1}" if layer in named else None
                self._draw(norm, {"label": label, "color": colours[layer], "marker": marker, **kwargs})
        else:
            self._draw(norms[0], {"label": self.label, "marker": "o", **kwargs})
        unit = f" ({self.loss_unit} per unit of weight)" if self.loss_unit else ""
        ax.set(xlabel="epoch" if over_epochs else "layer of weights (1 is fed by the inputs)", yscale="log")
        ax.set_ylabel(add_label(ax.get_ylabel(), f"norm of the gradient{unit}"))
        whole_ticks(ax)
        if ax.get_legend_handles_labels()[0]:
            ax.legend()
        return self

    def _draw(self, norms, style):
        """Draw a line, with a mark at the bottom of the axes for each norm of exactly 0."""
        steps, zero = np.arange(1, len(norms) + 1), norms == 0
        (line,) = self.ax_.plot(steps, np.where(zero, np.nan, norms), **style)
        self.lines_.append(line)
        if zero.any():
            bottom = {"transform": self.ax_.get_xaxis_transform(), "clip_on": False, "color": line.get_color()}
            name = line.get_label()
            name = "exactly 0" if name.startswith("_") else f"{name}: exactly 0"
            self.zeros_ += self.ax_.plot(steps[zero], np.zeros(zero.sum()), "v", label=name, **bottom)
