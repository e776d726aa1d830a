"""Display of a network: its units as circles and its weights as lines."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._estimators.parameters import check_count
from .._estimators.words import shown
from ._plotting import (
    CMAP,
    axes_for,
    check_drawable,
    outputs_of_units,
    symmetric_limits,
    trained_biases,
    trained_weights,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# Widths in points of the lines for the weakest and the strongest weight.
THINNEST, THICKEST = 0.2, 2.5
# Longer names are cut off at this many letters.
LONGEST_NAME = 24
POINTS_AN_INCH = 72


class _Column(NamedTuple):
    """The units of a layer that are shown, their heights, and the height of the ellipsis for the others, or None."""

    units: np.ndarray
    heights: np.ndarray
    gap: float | None


def _column(size, max_units):
    """Return the first and the last units of a layer, one below the other around height 0.

    The ellipsis takes the place of two units between them.
    """
    if size <= max_units:
        return _Column(np.arange(size), (size - 1) / 2 - np.arange(size), None)
    n_first = (max_units + 1) // 2
    rows = np.r_[:n_first, n_first + 2 : max_units + 2]
    units = np.r_[:n_first, size - max_units + n_first : size]
    middle = (max_units + 1) / 2
    return _Column(units, middle - rows, middle - n_first - 0.5)


def _stretched(columns):
    """Return the columns, those of few units spread out, though at most twice as far, and the number of rows."""
    rows = [2 * column.heights[0] + 1 for column in columns]
    factors = [min(2.0, max(rows) / own) for own in rows]
    stretched = [
        _Column(units, heights * factor, gap and gap * factor)
        for (units, heights, gap), factor in zip(columns, factors, strict=True)
    ]
    return stretched, max(rows)


def _short(name):
    """Return a name that is short enough to be drawn."""
    name = str(name)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _width(text):
    """Return the width of the widest line, in units of the size of the letters."""
    from matplotlib.textpath import TextPath  # noqa: PLC0415 (optional)

    return max(TextPath((0, 0), line, size=1).get_extents().x1 if line.strip() else 0.0 for line in text.split("\n"))


def _of_units(name, layers, sizes):
    """Return a number for each unit of some layers as arrays, or None of None; raise unless there are as many as units."""
    if layers is None:
        return None
    layers = [np.ravel(np.asarray(layer, dtype=float)) for layer in layers]
    found = [len(layer) for layer in layers]
    if found != list(sizes):
        raise ValueError(f"Got {name} of {shown(found)} numbers: pass one array for each layer, of {shown(list(sizes))}.")
    return layers


class NetworkDisplay:
    """A network as a drawing: a circle for each unit, and a line for each weight.

    The colour of a line is the sign of its weight, and its width the size. A bias is a square at its unit, in the same
    colours; a unit has the colour of what it puts out for a sample, if one is given. Create it with `from_estimator`, or
    from weights.

    Parameters
    ----------
    coefs : list of array-like
        Weights of each layer, of shape (fan_in, fan_out).
    layer_names : list of str, default=None
        Name of each layer, beginning with the inputs; None for "inputs", "hidden 1", ..., "outputs". The number of units is
        written below the first line of the name.
    input_names, output_names : array-like of str, default=None
        Names of the inputs and of the output units.
    weight_name : str, default="weight"
        Label of the colour bar.
    biases : list of array-like, default=None
        Biases of each layer, of shape (fan_out,); None draws none.
    activations : list of array-like, default=None
        What the units of each layer put out for a sample, beginning with the inputs; None leaves the units white. The
        largest of each layer, or 1 if all are smaller, is the darkest.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What is drawn on.
    figure_ : matplotlib Figure
        The figure of these axes.
    edges_ : matplotlib LineCollection
        The weights between the units that are shown, from the weakest to the strongest.
    units_ : list of matplotlib PathCollection
        The units that are shown, by layer.
    biases_ : list of matplotlib PathCollection
        The biases of these units, by layer without the inputs; empty without `biases`.
    texts_ : list of matplotlib Text
        Names, sizes and ellipses.
    colorbar_ : matplotlib Colorbar or None
        Shows which colour is which weight.

    Raises
    ------
    ValueError
        If the shapes of the weights do not fit together, or the number of names, biases or activations is not that of the
        layers, inputs or outputs.

    See Also
    --------
    FirstLayerDisplay : The first layer alone, as images.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.display import NetworkDisplay
    >>> display = NetworkDisplay([np.ones((2, 3)), np.ones((3, 1))], input_names=["width", "height"])
    >>> display.layer_sizes
    [2, 3, 1]
    """

    ax_: "Axes"
    figure_: "Figure"
    edges_: "LineCollection"
    units_: "list[PathCollection]"
    biases_: "list[PathCollection]"
    texts_: "list[Text]"
    colorbar_: "Colorbar | None"

    def __init__(self, coefs: Sequence[ArrayLike], *, layer_names: Sequence[str] | None = None,
                 input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None,
                 weight_name: str = "weight", biases: Sequence[ArrayLike] | None = None,
                 activations: Sequence[ArrayLike] | None = None) -> None:  # fmt: skip
        self.coefs = [np.asarray(coef, dtype=float) for coef in coefs]
        shapes = [coef.shape for coef in self.coefs]
        fit = all(len(shape) == 2 for shape in shapes)
        if not shapes or not fit or any(below[1] != above[0] for below, above in pairwise(shapes)):
            raise ValueError(
                f"Got coefs of shapes {shown(shapes)}: pass an array of shape (fan_in, fan_out) for each layer, each "
                "fan_in being the fan_out of the layer before."
            )
        self.layer_sizes = [shapes[0][0], *(shape[1] for shape in shapes)]
        n_hidden = len(shapes) - 1
        if layer_names is None:
            layer_names = ["inputs", *(f"hidden {layer + 1}" for layer in range(n_hidden)), "outputs"]
        self.layer_names = layer_names
        self.input_names = input_names
        self.output_names = output_names
        self.weight_name = weight_name
        sizes = {"layer_names": n_hidden + 2, "input_names": self.layer_sizes[0], "output_names": self.layer_sizes[-1]}
        for name, size in sizes.items():
            names = getattr(self, name)
            if names is not None and len(names) != size:
                raise ValueError(f"Got {len(names)} {name}: pass {size}, or None.")
        self.biases = _of_units("biases", biases, self.layer_sizes[1:])
        self.activations = _of_units("activations", activations, self.layer_sizes)

    @classmethod
    def from_estimator(cls, estimator: Any, *, sample: ArrayLike | None = None, ax: "Axes | None" = None,
                       **kwargs: Any) -> "NetworkDisplay":  # fmt: skip
        """Draw a fitted network.

        Inputs have the names of the dataframe that the network was fitted to, else x1, x2 and so on; the outputs of a
        classifier are the classes. Where training standardises the inputs, weights and biases of the first layer are those
        for standardised inputs, which can be compared with each other and with those of the other layers; `coefs_` are
        those for the raw inputs.

        Parameters
        ----------
        estimator : estimator
            A fitted network.
        sample : array-like of shape (n_features,), default=None
            Colours the units by what they put out for this sample; of the inputs it is the standardised values, where
            training standardises them.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        display : NetworkDisplay
            The display, drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator is not a network.
        ValueError
            If `sample` has another number of features than the network.
        ImportError
            If matplotlib is not installed.
        """
        check_drawable(cls, estimator)
        coefs, weight_name = trained_weights(estimator)
        activations = estimator.activation
        if not isinstance(activations, list | tuple):
            activations = [activations] * (len(coefs) - 1)
        names = [name if isinstance(name, str) else type(name).__name__ for name in activations]
        hidden = [f"hidden {layer}\n{name}" for layer, name in enumerate(names, start=1)]
        classes = getattr(estimator, "classes_", None)
        if classes is not None:
            # For two classes there is one output unit, which stands for the second.
            classes = classes[-coefs[-1].shape[1] :]
        columns = getattr(estimator, "feature_names_in_", None)
        return cls(
            coefs,
            layer_names=["inputs", *hidden, f"outputs\n{estimator.out_activation_}"],
            input_names=[f"x{number}" for number in range(1, len(coefs[0]) + 1)] if columns is None else columns,
            output_names=classes,
            weight_name=weight_name,
            biases=trained_biases(estimator) if getattr(estimator, "fit_intercept", True) else None,
            activations=None if sample is None else outputs_of_units(estimator, sample),
        ).plot(ax, **kwargs)

    def plot(self, ax: "Axes | None" = None, *, max_units: int = 16, colorbar: bool = True) -> "NetworkDisplay":
        """Draw the network.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes new ones.
        max_units : int, default=16
            Largest number of units to show of a layer: the first and the last. An ellipsis and a number stand for the
            others; inputs or outputs that are not all shown have no names.
        colorbar : bool, default=True
            Whether to draw a colour bar.

        Returns
        -------
        self : NetworkDisplay
            The display, with what was drawn in its attributes.

        Raises
        ------
        ValueError
            If `max_units` is not a whole number of at least 1.
        """
        check_count("max_units", max_units)
        ax = axes_for(self, ax, figsize=(max(6.4, 1.2 * len(self.layer_sizes) + 1), 4.8))
        columns, n_rows = _stretched([_column(size, max_units) for size in self.layer_sizes])
        ax.set_axis_off()
        self._draw_edges(columns)
        self.colorbar_ = self.figure_.colorbar(self.edges_, ax=ax, label=self.weight_name) if colorbar else None
        names = [
            None if names is None or len(names) > max_units else [_short(name) for name in names]
            for names in (self.input_names, self.output_names)
        ]
        titles = []
        for layer_name, n_units in zip(self.layer_names, self.layer_sizes, strict=True):
            first, *others = layer_name.split("\n")
            titles.append("\n".join([first, f"{n_units} unit{'' if n_units == 1 else 's'}", *others]))
        size, top = self._set_limits(n_rows, titles, names)
        self.texts_ = []
        self.units_ = []
        self.biases_ = []
        for layer, (column, title) in enumerate(zip(columns, titles, strict=True)):
            self._draw_units(layer, column, size)
            if column.gap is not None:
                others = f"⋮\n{self.layer_sizes[layer] - len(column.units)} more"
                background = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
                self._write(layer, column.gap, others, size, bbox=background, zorder=4, linespacing=1.0)
            self._write(layer, top, title, size, va="top")
        for layer, side, shift, given in ((0, "right", -size, names[0]), (len(columns) - 1, "left", size, names[1])):
            for name, height in zip(given or [], columns[layer].heights, strict=False):
                self._write(layer, height, name, size, shift=shift, ha=side)
        return self

    def _draw_edges(self, columns):
        """Draw the weights between the units that are shown, with the strongest on top."""
        from matplotlib.collections import LineCollection  # noqa: PLC0415 (optional)

        weights = []
        segments = []
        for layer, (below, above) in enumerate(pairwise(columns)):
            weights.extend(self.coefs[layer][np.ix_(below.units, above.units)].ravel())
            segments += [((layer, start), (layer + 1, end)) for start in below.heights for end in above.heights]
        order = np.argsort(np.abs(weights), kind="stable")
        weights = np.array(weights)[order]
        limits = symmetric_limits(weights)
        widths = THINNEST + (THICKEST - THINNEST) * np.abs(weights) / limits["vmax"]
        self.edges_ = LineCollection(np.array(segments)[order], linewidths=widths, cmap=CMAP, zorder=1)
        self.edges_.set_array(weights)
        self.edges_.set_clim(**limits)
        self.ax_.add_collection(self.edges_)

    def _draw_units(self, layer, column, size):
        """Draw the units that are shown of a layer, and their biases."""
        places = np.full(len(column.units), layer), column.heights
        style = {"edgecolor": "black", "zorder": 3}
        colors = {"facecolor": "white"}
        if self.activations is not None:
            values = self.activations[layer]
            limits = symmetric_limits(np.append(values, 1.0))
            colors = {"c": values[column.units], "cmap": CMAP, **limits}
        self.units_.append(self.ax_.scatter(*places, s=(0.8 * size) ** 2, **colors, **style))
        if self.biases is not None and layer:
            from matplotlib.transforms import ScaledTranslation  # noqa: PLC0415 (optional)

            # In the colours of the weights, at the lower edge of the circle.
            bottom = ScaledTranslation(0, -0.4 * size / POINTS_AN_INCH, self.figure_.dpi_scale_trans)
            colors = {"c": self.biases[layer - 1][column.units], "cmap": CMAP, "norm": self.edges_.norm}
            place = {"transform": self.ax_.transData + bottom, "marker": "s", "s": (0.4 * size) ** 2, "linewidths": 0.5}
            self.biases_.append(self.ax_.scatter(*places, **place, **colors, edgecolor="black", zorder=3.5))

    def _set_limits(self, n_rows, titles, names):
        """Make room for titles and names; return the size of the letters, in points, and the top of the titles."""
        if self.figure_.get_layout_engine() is not None:
            # The layout decides how large the axes are, and does so when it draws.
            self.figure_.draw_without_rendering()
        box = self.ax_.get_window_extent()
        width, height = (length * POINTS_AN_INCH / self.figure_.dpi for length in (box.width, box.height))
        widest = max(map(_width, titles))
        n_lines = max(title.count("\n") + 1 for title in titles)
        # Half a title, or the names, stand beside the outer columns; widths here are in units of the letters' size.
        sides = [max(widest / 2, 2 + max(map(_width, given or [""]))) for given in names]
        least_width = sum(sides) + 1.15 * widest * (len(titles) - 1)
        size = min(10.0, width / least_width, height / (1.2 * n_rows + 1.5 * n_lines))
        a_layer = (width / size - sum(sides)) / (len(titles) - 1)
        self.ax_.set_xlim(-sides[0] / a_layer, len(titles) - 1 + sides[1] / a_layer)
        a_row = (height - 1.5 * n_lines * size) / (n_rows + 1)
        top = (n_rows + 1) / 2 + 1.5 * n_lines * size / a_row
        self.ax_.set_ylim(-(n_rows + 1) / 2, top)
        return size, top

    def _write(self, layer, height, text, size, shift=0.0, ha="center", va="center", **style):
        """Write a text at a layer and a height, shifted to the right by some points."""
        style = {"fontsize": size, "xytext": (shift, 0), "textcoords": "offset points", "ha": ha, "va": va, **style}
        self.texts_.append(self.ax_.annotate(text, (layer, height), **style))
