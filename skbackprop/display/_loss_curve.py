"""Display of training over the epochs: losses and scores."""

import numpy as np
from sklearn.base import is_classifier, is_regressor

from .._engine.patience import EQUAL
from ._plotting import add_label, axes_for, check_fitted, check_matplotlib, line_style, loss_unit, whole_ticks


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
    latest : bool, default=True
        Whether of equally good epochs the last is the best, or else the first.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What is drawn on.
    training_line_ : matplotlib Line2D
        The training losses.
    validation_line_ : matplotlib Line2D or None
        The validation losses or scores.
    best_ : matplotlib Line2D or None
        Mark of the best epoch: that with the best validation loss or score or, without validation, the smallest training
        loss; of equal ones, with `from_estimator`, that whose weights early stopping keeps. None if no value is finite.
    score_ax_ : matplotlib Axes or None
        The axes of the scores.

    Raises
    ------
    ValueError
        If the losses do not have one dimension, or there is not one validation value for each.

    Examples
    --------
    >>> from skbackprop.display import LossCurveDisplay
    >>> display = LossCurveDisplay([0.9, 0.4, 0.2], validation=[0.8, 0.5, 0.6], loss_name="log_loss (nats a sample)")
    >>> display.validation.argmin() + 1
    np.int64(2)
    """

    def __init__(self, training_losses, *, validation=None, score_name=None, loss_name="loss", step_name="epoch",
                 label=None, latest=True):  # fmt: skip
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
        self.score_name, self.loss_name = score_name, loss_name
        self.step_name, self.label, self.latest = step_name, label, latest

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
            # Where a network is trained as scikit-learn's are, the first of equal epochs is kept, as there.
            latest=hasattr(estimator, "_is_auto") and estimator._is_auto(),
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
        (self.training_line_,) = ax.plot(epochs, self.training_losses, **{"label": f"{prefix}training loss", **style})
        style["color"] = self.training_line_.get_color()
        ax.set(xlabel=self.step_name, ylabel=add_label(ax.get_ylabel(), self.loss_name))
        whole_ticks(ax)
        self.validation_line_, self.best_ = None, None
        judged_ax, judged, sign = ax, self.training_losses, -1
        if self.validation is not None:
            name = "validation loss" if self.score_name is None else f"validation {self.score_name}"
            judged = self.validation
            if self.score_name is not None:
                judged_ax, sign = self._score_axes(), 1
            style = {"linestyle": "--" if self.score_name is None else ":", "label": prefix + name, **style}
            (self.validation_line_,) = judged_ax.plot(epochs, self.validation, **style)
        finite = np.isfinite(judged)
        if finite.any():
            scores = np.where(finite, sign * judged, -np.inf)
            best = int(np.flatnonzero(scores >= scores.max() - EQUAL)[-1] if self.latest else scores.argmax())
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
