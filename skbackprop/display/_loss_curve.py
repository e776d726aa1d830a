"""Display of training over the epochs: losses and scores."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier, is_regressor

from .._engine.patience import EQUAL
from .._estimators.recipe import follows_recipe
from ._plotting import add_label, axes_for, check_drawable, line_style, loss_unit, step_name, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


def _score_name(estimator):
    """Return the name of the score that validation is judged by, or None if that is the loss."""
    scoring = getattr(estimator, "scoring", None)
    if scoring is None:
        return "accuracy" if is_classifier(estimator) else "R²" if is_regressor(estimator) else "score"
    if isinstance(scoring, str):
        return None if scoring == "loss" else scoring
    function = getattr(scoring, "_score_func", scoring)
    return getattr(function, "__name__", type(scoring).__name__)


def _validation(estimator):
    """Return the validation loss or score of each epoch, NaN where there is none; None without validation."""
    scores = getattr(estimator, "validation_scores_", None)
    if scores is None:
        return None
    # The scores are those of the latest epochs.
    scores = np.concatenate([np.full(len(estimator.loss_curve_) - len(scores), np.nan), scores])
    return scores if _score_name(estimator) else -scores


class LossCurveDisplay:
    """Training loss of each epoch, with the validation loss or score, and the epoch that was chosen by it.

    Create it with `from_estimator`, or from numbers. Several displays can be drawn on the same axes.

    Parameters
    ----------
    training_losses : array-like of shape (n_epochs,)
        Training loss of each epoch.
    validation : array-like of shape (n_epochs,), default=None
        Validation loss after each epoch or, with `score_name`, a score of which larger is better; NaN where there is none.
    score_name : str, default=None
        Name of the score, which has its own axis, on the right; None if `validation` holds losses.
    loss_name : str, default="loss"
        Label of the axis of losses, with the unit.
    step_name : str, default="epoch"
        What a loss belongs to: "epoch" or "iteration".
    label : str, default=None
        Name of the network, put before the names in the legend.
    latest : bool, default=True
        Which of several equally good epochs is marked as the best: the last, or else the first.
    mark_best : bool, default=True
        Whether to mark the epoch with the best validation loss or score; without `validation` there is no mark.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is drawn on.
    figure_ : matplotlib Figure
        The figure of these axes.
    training_line_ : matplotlib Line2D
        The training losses.
    validation_line_ : matplotlib Line2D or None
        The validation losses or scores.
    best_ : matplotlib Line2D or None
        Mark of the best epoch, that with the best validation loss or score. With `from_estimator` it is the epoch whose
        weights early stopping has kept; None if it has kept none, and if each network of `early_stopping="cv"` has kept its
        own. None, too, if no value is finite.
    score_ax_ : matplotlib Axes or None
        The axes of the scores.

    Raises
    ------
    ValueError
        If the losses do not have one dimension, or `validation` does not have a value for each.

    See Also
    --------
    skbackprop.callbacks.ValidationMonitor : Records losses of held-out samples.

    Examples
    --------
    >>> from skbackprop.display import LossCurveDisplay
    >>> display = LossCurveDisplay([0.9, 0.4, 0.2], validation=[0.8, 0.5, 0.6], loss_name="log_loss (nats a sample)")
    >>> int(display.validation.argmin()) + 1
    2
    """

    ax_: "Axes"
    figure_: "Figure"
    training_line_: "Line2D"
    validation_line_: "Line2D | None"
    best_: "Line2D | None"
    score_ax_: "Axes | None"

    def __init__(self, training_losses: ArrayLike, *, validation: ArrayLike | None = None, score_name: str | None = None,
                 loss_name: str = "loss", step_name: str = "epoch", label: str | None = None,
                 latest: bool = True, mark_best: bool = True) -> None:  # fmt: skip
        self.training_losses = np.asarray(training_losses, dtype=float)
        if self.training_losses.ndim != 1:
            raise ValueError(
                f"Got training_losses of shape {self.training_losses.shape}: pass an array of shape (n_epochs,)."
            )
        self.validation = None if validation is None else np.asarray(validation, dtype=float)
        if self.validation is not None and self.validation.shape != self.training_losses.shape:
            raise ValueError(
                f"Got validation of shape {self.validation.shape} for training_losses of shape "
                f"{self.training_losses.shape}: pass one value an epoch, NaN where there is none."
            )
        self.score_name = score_name
        self.loss_name = loss_name
        self.step_name = step_name
        self.label = label
        self.latest = latest
        self.mark_best = mark_best

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: "Axes | None" = None, label: str | None = None, **kwargs: Any
    ) -> "LossCurveDisplay":
        """Draw how the training of a fitted network went.

        The training losses are those of `loss_curve_`: means over an epoch while the weights change, with the penalty.
        Validation losses are without it. If fewer epochs have scores than were trained, the scores are taken to be those of
        the latest epochs.

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
            The display, drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not a network, or has no `loss_curve_`.
        ImportError
            If matplotlib is not installed.
        """
        check_drawable(cls, estimator, "loss_curve_")
        loss = getattr(estimator, "loss", "loss")
        loss = loss if isinstance(loss, str) else type(loss).__name__
        unit = loss_unit(estimator)
        return cls(
            estimator.loss_curve_,
            validation=_validation(estimator),
            score_name=_score_name(estimator),
            loss_name=f"{loss} ({unit} a sample)" if unit else loss,
            step_name=step_name(estimator),
            label=label,
            # Where a network is trained as scikit-learn trains, the first of equal epochs is kept, as there.
            latest=hasattr(estimator, "init") and follows_recipe(estimator),
            # Where weights were chosen by their validation there is no best training loss, here as in scikit-learn.
            mark_best=getattr(estimator, "best_loss_", 0) is None and estimator.early_stopping != "cv",
        ).plot(ax, **kwargs)

    def plot(self, ax: "Axes | None" = None, **kwargs: Any) -> "LossCurveDisplay":
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
            The display, with what was drawn in its attributes.
        """
        ax = axes_for(self, ax)
        kwargs = line_style(kwargs)
        prefix = "" if self.label is None else f"{self.label}: "
        epochs = np.arange(1, len(self.training_losses) + 1)
        # The line of a single epoch has no length: it is drawn as a point.
        style = {"marker": "." if len(epochs) == 1 else None, **kwargs}
        (self.training_line_,) = ax.plot(epochs, self.training_losses, **{"label": f"{prefix}training loss", **style})
        style["color"] = self.training_line_.get_color()
        ax.set(xlabel=self.step_name, ylabel=add_label(ax.get_ylabel(), self.loss_name))
        whole_ticks(ax)
        self.validation_line_ = None
        self.best_ = None
        if self.validation is not None:
            self._draw_validation(epochs, prefix, style)
        self._draw_legend()
        return self

    def _draw_validation(self, epochs, prefix, style):
        """Draw the validation losses or scores, and mark the best of them."""
        has_scores = self.score_name is not None
        ax = self._score_axes() if has_scores else self.ax_
        label = f"{prefix}validation {self.score_name if has_scores else 'loss'}"
        line = {"linestyle": ":" if has_scores else "--", "label": label, **style}
        (self.validation_line_,) = ax.plot(epochs, self.validation, **line)
        finite = np.isfinite(self.validation)
        if self.mark_best and finite.any():
            scores = np.where(finite, self.validation if has_scores else -self.validation, -np.inf)
            best = int(np.flatnonzero(scores >= scores.max() - EQUAL)[-1] if self.latest else scores.argmax())
            mark = {"color": style["color"], "label": f"{prefix}best {self.step_name}, {best + 1}"}
            (self.best_,) = ax.plot(best + 1, self.validation[best], "o", **mark)

    def _score_axes(self):
        """Return the axes of the scores, on the right, which all displays on the same axes share."""
        score_ax = getattr(self.ax_, "_score_ax", None) or self.ax_.twinx()
        score_ax.set_ylabel(add_label(score_ax.get_ylabel(), f"validation {self.score_name}"))
        self.ax_._score_ax = score_ax
        return score_ax

    def _draw_legend(self):
        """Draw one legend for both axes, on the axes on top."""
        legend = self.ax_.legend()
        self.score_ax_ = getattr(self.ax_, "_score_ax", None)
        if self.score_ax_ is not None:
            legend.remove()
            parts = zip(self.ax_.get_legend_handles_labels(), self.score_ax_.get_legend_handles_labels(), strict=True)
            # Losses end at the bottom and scores at the top; the middle is free.
            self.score_ax_.legend(*(lower + upper for lower, upper in parts), loc="center right")
