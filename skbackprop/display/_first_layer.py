"""Display of the first layer's weights as images."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._estimators.parameters import check_count
from ._plotting import CMAP, axes_for, check_drawable, symmetric_limits, trained_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

# The colour between the images: grey, since white is a weight of zero.
GAP = "0.75"


class FirstLayerDisplay:
    """Weights of the first layer as images, one for each unit, where the inputs are the pixels of an image.

    Create it with `from_estimator`, or from weights.

    Parameters
    ----------
    weights : array-like of shape (n_pixels, n_units)
        A column holds the weights of a unit; the pixels are in the order of the inputs, row after row.
    image_shape : tuple of int, default=None
        Rows and columns of an image; None if it is as high as it is wide.
    weight_name : str, default="weight"
        Label of the colour bar.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is drawn on.
    figure_ : matplotlib Figure
        The figure of these axes.
    image_ : matplotlib AxesImage
        The images, side by side and row after row, with a gap between them.
    colorbar_ : matplotlib Colorbar or None
        Shows which colour is which weight; white is zero.

    Raises
    ------
    ValueError
        If the weights do not have two dimensions, or the pixels do not form an image of that shape.

    See Also
    --------
    NetworkDisplay : All layers, drawn as units and lines.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.display import FirstLayerDisplay
    >>> FirstLayerDisplay(np.ones((64, 10))).image_shape
    (8, 8)
    """

    ax_: "Axes"
    figure_: "Figure"
    image_: "AxesImage"
    colorbar_: "Colorbar | None"

    def __init__(
        self, weights: ArrayLike, *, image_shape: tuple[int, int] | None = None, weight_name: str = "weight"
    ) -> None:
        self.weights = np.asarray(weights, dtype=float)
        if self.weights.ndim != 2:
            raise ValueError(f"Got weights of shape {self.weights.shape}: pass an array of shape (n_pixels, n_units).")
        n_pixels = len(self.weights)
        if image_shape is None:
            side = math.isqrt(n_pixels)
            if side**2 != n_pixels:
                raise ValueError(
                    f"Got image_shape=None for {n_pixels} inputs, which make no square: pass image_shape, rows and columns."
                )
            image_shape = side, side
        if np.shape(image_shape) != (2,) or math.prod(image_shape) != n_pixels:
            raise ValueError(
                f"Got image_shape={image_shape!r} for {n_pixels} inputs: pass two numbers, rows and columns, whose product "
                f"is {n_pixels}."
            )
        self.image_shape = tuple(image_shape)
        self.weight_name = weight_name

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, image_shape: tuple[int, int] | None = None, ax: "Axes | None" = None, **kwargs: Any
    ) -> "FirstLayerDisplay":
        """Draw the first layer of a fitted network.

        Where training standardises the inputs, the weights are those for standardised inputs, which can be compared across
        pixels; `coefs_` are those for the raw inputs.

        Parameters
        ----------
        estimator : estimator
            A fitted network.
        image_shape : tuple of int, default=None
            Rows and columns of an image; None if it is as high as it is wide.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        display : FirstLayerDisplay
            The display, drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not a network.
        ValueError
            If the inputs do not form an image of that shape.
        ImportError
            If matplotlib is not installed.
        """
        check_drawable(cls, estimator)
        coefs, weight_name = trained_weights(estimator)
        return cls(coefs[0], image_shape=image_shape, weight_name=weight_name).plot(ax, **kwargs)

    def plot(
        self, ax: "Axes | None" = None, *, max_units: int = 16, colorbar: bool = True, **kwargs: Any
    ) -> "FirstLayerDisplay":
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        max_units : int, default=16
            Largest number of units to show; they are the first ones.
        colorbar : bool, default=True
            Whether to draw a colour bar.
        **kwargs : dict
            Passed to matplotlib's `Axes.imshow`, such as `cmap`.

        Returns
        -------
        self : FirstLayerDisplay
            The display, with what was drawn in its attributes.

        Raises
        ------
        ValueError
            If `max_units` is not a whole number of at least 1.
        """
        check_count("max_units", max_units)
        ax = axes_for(self, ax)
        height, width = self.image_shape
        n_units = self.weights.shape[1]
        n_shown = min(n_units, max_units)
        n_columns = math.ceil(math.sqrt(n_shown))
        n_rows = math.ceil(n_shown / n_columns)
        # NaN shows the background: below each image, to its right, and in places without a unit.
        images = np.full((n_rows * n_columns, height + 1, width + 1), np.nan)
        images[:n_shown, :-1, :-1] = self.weights[:, :n_shown].T.reshape(n_shown, height, width)
        rows = images.reshape(n_rows, n_columns, height + 1, width + 1).swapaxes(1, 2)
        mosaic = rows.reshape(n_rows * (height + 1), n_columns * (width + 1))[:-1, :-1]
        limits = symmetric_limits(self.weights[:, :n_shown])
        self.image_ = ax.imshow(mosaic, **{"cmap": CMAP, "interpolation": "nearest", **limits, **kwargs})
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=ax, label=self.weight_name) if colorbar else None
        units = f"all {n_units} units" if n_shown == n_units else f"first {n_shown} of {n_units} units"
        ax.set(title=f"first layer, {units}", xticks=[], yticks=[], facecolor=GAP)
        return self
