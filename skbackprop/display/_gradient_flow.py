"""Display of the layers' gradients."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import NotFittedError

from .._estimators.annotations import Data, Weights
from ._plotting import add_label, axes_for, check_drawable, check_matplotlib, line_style, loss_unit, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

LAYER = "layer of weights (1 is fed by the inputs)"
# A colour bar numbers at most this many layers; of more it numbers some, evenly spread.
LAYERS_NAMED = 10


class GradientFlowDisplay:
    """Norm of the gradient of each layer, on a logarithmic axis: over the epochs, or over the layers.

    A gradient that vanishes towards the inputs, or explodes, is a line that falls or rises by orders of magnitude over the
    layers (Glorot and Bengio, 2010). Create it with `from_estimator`, with `from_monitor`, or from numbers. Several
    displays can be drawn on the same axes.

    Parameters
    ----------
    gradient_norms : array-like of shape (n_epochs, n_layers) or (n_layers,)
        Norms, from the layer that the inputs feed up to the output layer: either in each epoch, drawn as a line for each
        layer, or at one moment, drawn as one line over the layers.
    epochs : array-like of shape (n_epochs,), default=None
        Numbers of the epochs; None for 1, 2, 3 and so on.
    loss_unit : str, default=None
        Unit of the loss, such as "nats".
    label : str, default=None
        Name of the network in the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is drawn on.
    figure_ : matplotlib Figure
        The figure of these axes.
    lines_ : list of matplotlib Line2D
        A line for each layer, or one.
    colorbar_ : matplotlib Colorbar or None
        Shows which colour is which layer, where each layer has a line.
    zeros_ : list of matplotlib Line2D
        Marks at the bottom for norms of exactly 0, which have no place on a logarithmic axis; one object for each line
        that has such norms.

    Raises
    ------
    ValueError
        If the norms have neither one nor two dimensions, or `epochs` does not have a number for each row of norms.

    See Also
    --------
    skbackprop.inspection.gradient_flow : The same in numbers, with a diagnosis.
    skbackprop.callbacks.GradientMonitor : Records the norms of each epoch.

    Examples
    --------
    >>> from skbackprop.display import GradientFlowDisplay
    >>> display = GradientFlowDisplay([1e-6, 1e-4, 1e-2], loss_unit="nats", label="logistic")
    >>> display.gradient_norms.shape
    (3,)
    """

    ax_: "Axes"
    figure_: "Figure"
    lines_: "list[Line2D]"
    colorbar_: "Colorbar | None"
    zeros_: "list[Line2D]"

    def __init__(
        self,
        gradient_norms: ArrayLike,
        *,
        epochs: ArrayLike | None = None,
        loss_unit: str | None = None,
        label: str | None = None,
    ) -> None:
        self.gradient_norms = np.asarray(gradient_norms, dtype=float)
        if self.gradient_norms.ndim not in {1, 2}:
            raise ValueError(
                f"Got gradient_norms of shape {self.gradient_norms.shape}: pass an array of shape (n_epochs, n_layers), or "
                "(n_layers,)."
            )
        n_epochs = len(self.gradient_norms)
        if epochs is not None and np.shape(epochs) != (n_epochs,):
            raise ValueError(
                f"Got epochs of shape {np.shape(epochs)} for {n_epochs} rows of norms: pass a number for each."
            )
        self.epochs = np.arange(1, n_epochs + 1) if epochs is None else np.asarray(epochs)
        self.loss_unit = loss_unit
        self.label = label

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Data,
        y: Data | None = None,
        *,
        sample_weight: Weights = None,
        ax: "Axes | None" = None,
        label: str | None = None,
        **kwargs: Any,
    ) -> "GradientFlowDisplay":
        """Draw the norm of the gradient of each layer at the weights of a fitted network.

        Parameters
        ----------
        estimator : estimator
            A fitted network.
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Samples; the gradient is that of their loss, without the penalty.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Targets of the samples.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        label : str, default=None
            Name of the network in the legend, where several share the axes.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        display : GradientFlowDisplay
            The display, drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not a network.
        ImportError
            If matplotlib is not installed.

        See Also
        --------
        skbackprop.inspection.gradient_flow : The same norms as numbers, with a verdict in words.
        """
        check_drawable(cls, estimator)
        from ..inspection import gradient_flow  # noqa: PLC0415 (only this needs it)

        flow = gradient_flow(estimator, X, y, sample_weight=sample_weight)
        norms = [layer.gradient_norm for layer in flow.layers]
        return cls(norms, loss_unit=loss_unit(estimator), label=label).plot(ax, **kwargs)

    @classmethod
    def from_monitor(
        cls,
        monitor: Any,
        *,
        loss_unit: str | None = None,
        ax: "Axes | None" = None,
        label: str | None = None,
        **kwargs: Any,
    ) -> "GradientFlowDisplay":
        """Draw the norms that a callback has recorded, epoch by epoch.

        Parameters
        ----------
        monitor : object
            A `skbackprop.callbacks.GradientMonitor`, or any object that has `gradient_norms_`, of shape (n_epochs,
            n_layers), and perhaps the numbers of the epochs as `epochs_`.
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
            The display, drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the callback has not recorded anything yet.
        TypeError
            If `monitor` is a class.
        ImportError
            If matplotlib is not installed.
        """
        check_matplotlib(f"{cls.__name__}.from_monitor")
        norms = getattr(monitor, "gradient_norms_", None)
        if isinstance(monitor, type):
            raise TypeError(f"Got the class {monitor.__name__}: pass the instance that a network was fitted with.")
        if norms is None:
            raise NotFittedError(
                f"This {type(monitor).__name__} has no gradient_norms_ yet: fit a network with it, then draw it."
            )
        epochs = getattr(monitor, "epochs_", None)
        return cls(norms, epochs=epochs, loss_unit=loss_unit, label=label).plot(ax, **kwargs)

    def plot(self, ax: "Axes | None" = None, *, cmap: "str | Colormap" = "viridis", **kwargs: Any) -> "GradientFlowDisplay":
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
            The display, with what was drawn in its attributes.
        """
        ax = axes_for(self, ax)
        kwargs = line_style(kwargs)
        over_epochs = self.gradient_norms.ndim == 2
        norms = np.atleast_2d(self.gradient_norms.T)
        self.lines_ = []
        self.zeros_ = []
        self.colorbar_ = None
        if over_epochs:
            colours = self._layer_colours(cmap, len(norms))
            marker = "o" if norms.shape[1] == 1 else None
            for norm, colour, label in zip(norms, colours, [self.label, *[None] * (len(norms) - 1)], strict=True):
                self._draw(norm, {"label": label, "color": colour, "marker": marker, **kwargs})
        else:
            self._draw(norms[0], {"label": self.label, "marker": "o", **kwargs})
        unit = f" ({self.loss_unit} per unit of weight)" if self.loss_unit else ""
        ax.set(xlabel="epoch" if over_epochs else LAYER, yscale="log")
        ax.set_ylabel(add_label(ax.get_ylabel(), f"norm of the gradient{unit}"))
        whole_ticks(ax)
        self._span_a_decade()
        if ax.get_legend_handles_labels()[0]:
            ax.legend()
        return self

    def _span_a_decade(self):
        """Show norms of about the same size between powers of ten: as such, and with ticks that have room."""
        shown = self.gradient_norms[(self.gradient_norms > 0) & np.isfinite(self.gradient_norms)]
        if shown.size and shown.max() < 10 * shown.min():
            low = np.floor(np.log10(shown.min()))
            high = max(np.ceil(np.log10(shown.max())), low + 1)
            # Limits of the data, not of the axes, so that further displays on these axes find room.
            self.ax_.update_datalim([(self.epochs[0], 10**low), (self.epochs[0], 10**high)], updatex=False)
            self.ax_.autoscale_view()

    def _layer_colours(self, cmap, n_layers):
        """Return a colour for each layer, and draw a colour bar that shows them, unless these axes have it already."""
        from matplotlib import cm, colormaps, colors  # noqa: PLC0415 (optional)

        # The brightest colours would hardly show on white.
        colours = colormaps.get_cmap(cmap)(np.linspace(0, 0.9, n_layers))
        bars = self.ax_.__dict__.setdefault("_layer_bars", {})
        if (key := colours.tobytes()) not in bars:
            edges = np.arange(n_layers + 1) + 0.5
            scale = cm.ScalarMappable(colors.BoundaryNorm(edges, n_layers), colors.ListedColormap(colours))
            ticks = np.unique(np.linspace(1, n_layers, min(n_layers, LAYERS_NAMED)).round())
            bars[key] = self.figure_.colorbar(scale, ax=self.ax_, label=LAYER, ticks=ticks)
            bars[key].minorticks_off()
        self.colorbar_ = bars[key]
        return colours

    def _draw(self, norms, style):
        """Draw a line, with a mark at the bottom of the axes for each norm of exactly 0."""
        # One line over the layers has its steps numbered 1, 2, 3 too: `epochs` has as many numbers as there are norms.
        steps = self.epochs
        zero = norms == 0
        (line,) = self.ax_.plot(steps, np.where(zero, np.nan, norms), **style)
        self.lines_.append(line)
        if zero.any():
            bottom = {"transform": self.ax_.get_xaxis_transform(), "clip_on": False, "color": line.get_color()}
            prefix = "" if line.get_label().startswith("_") else f"{line.get_label()}: "
            self.zeros_ += self.ax_.plot(steps[zero], np.zeros(zero.sum()), "v", label=f"{prefix}exactly 0", **bottom)
