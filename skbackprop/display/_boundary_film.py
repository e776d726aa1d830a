"""Display of what a network predicts over the epochs: its decision boundary, or the curve that it fits, frame by frame."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from .._estimators.annotations import Data
from .._estimators.parameters import check_count
from .._estimators.words import shown
from ._plotting import check_matplotlib, step_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours of classes or of targets that the colour-blind tell apart (Okabe and Ito, 2008), and of numbers (cividis, 2018).
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#b8a800", "#777777"]
CMAP = "cividis"
MARKERS = "os^D"
# From half of the probability on, a class colours the map, the more so the larger its probability.
LEVELS = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
STRENGTHS = [0.1, 0.2, 0.3, 0.4, 0.5]
# Colours of a map of numbers, and points of a curve.
N_COLORS = 24
N_POINTS = 200
# Room around the samples, as a share of what they span.
MARGIN = 0.08
# Frames that a film has by default, besides that of the initial weights.
N_STEPS = 30
# Inches of a frame.
WIDTH, HEIGHT = 3.2, 3.2
ANIMATIONS = (".gif", ".png", ".apng")


def _span(values):
    """Return the ends of an axis on which there is some room around values."""
    low, high = float(np.min(values)), float(np.max(values))
    room = MARGIN * ((high - low) or 1.0)
    return low - room, high + room


class BoundaryFilm:
    """What a network predicts over the epochs: a frame for each epoch, in a row or as an animation.

    With two features a frame is a map. For classes it is coloured where one of them has at least half of the probability:
    where two colours meet is the decision boundary. For numbers it has the colour of what is predicted, as the samples have
    that of their targets. With one feature a frame shows the curve that is predicted.

    Create it with `from_estimator`, which trains a network, or from estimators that are fitted.

    Parameters
    ----------
    estimators : sequence of estimator
        Fitted classifiers or regressors, one for each frame: the same network at several epochs or, say, trees of several
        depths.
    X : array-like of shape (n_samples, 1) or (n_samples, 2)
        Samples to draw.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets; with two features, one for each sample.
    titles : sequence of str, default=None
        Title of each frame; None for none.
    feature_names : sequence of str, default=None
        Names of the features; None for x1 and x2.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        What the frames are drawn on.
    figure_ : matplotlib Figure
        The figure of these axes.

    Raises
    ------
    ValueError
        If there is no estimator, there are more than two features or, with two, more than one target for a sample, or there
        are not as many titles or names as frames or features.

    See Also
    --------
    sklearn.inspection.DecisionBoundaryDisplay : Draws the map of a frame.
    skbackprop.playground.export_html : A page in the browser, with more to see.

    Examples
    --------
    >>> from sklearn.datasets import make_moons
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skbackprop.display import BoundaryFilm
    >>> X, y = make_moons(100, noise=0.2, random_state=0)
    >>> trees = [DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y) for depth in (1, 2, 4)]
    >>> BoundaryFilm(trees, X, y, titles=["depth 1", "depth 2", "depth 4"]).feature_names
    ['x1', 'x2']
    """

    axes_: "list[Axes]"
    figure_: "Figure"

    def __init__(self, estimators: Sequence[Any], X: Data, y: ArrayLike, *, titles: Sequence[str] | None = None,
                 feature_names: Sequence[str] | None = None) -> None:  # fmt: skip
        self.estimators = list(estimators)
        self.X, self.y = _checked(X, y)
        self.titles = _names("titles", titles, [""] * len(self.estimators))
        self.feature_names = _names("feature_names", feature_names, [f"x{1 + at}" for at in range(self.X.shape[1])])
        if not self.estimators:
            raise ValueError("Got no estimators: pass a fitted one for each frame.")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Data,
        y: ArrayLike,
        *,
        epochs: Sequence[int] | None = None,
        feature_names: Sequence[str] | None = None,
        ax: "Axes | Sequence[Axes] | None" = None,
        **kwargs: Any,
    ) -> "BoundaryFilm":
        """Train a clone of an estimator, and draw a row of frames.

        The training is that of `fit`, with the parameters of the estimator; a frame shows what `fit` would keep if it ended
        there. `save` writes the same frames as an animation.

        Parameters
        ----------
        estimator : estimator
            A classifier or a regressor of this package, or scikit-learn's `MLPClassifier` or `MLPRegressor`, whose
            parameters ours is then trained with. Only its parameters count, whether it is fitted or not, and it stays as it
            is.
        X : {array-like, dataframe} of shape (n_samples, 1) or (n_samples, 2)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets, as for `fit`; with two features, one for each sample.
        epochs : sequence of int, default=None
            Epochs of the frames, 0 being the initial weights; None for 31, or as many as there are, from the initial
            weights to those that `fit` keeps.
        feature_names : sequence of str, default=None
            Names of the features; None for those of a dataframe, else x1 and x2.
        ax : matplotlib Axes or sequence of them, default=None
            Axes to draw on, one for each frame; None makes new ones.
        **kwargs : dict
            Passed to `plot`.

        Returns
        -------
        film : BoundaryFilm
            The display, drawn.

        Raises
        ------
        TypeError
            If the estimator is not such a network, or the inputs are sparse.
        ValueError
            If the data or parameters are not valid for training, there are more than two features or, with two, more than
            one target for a sample, or training ends before one of the epochs.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> from sklearn.datasets import make_moons
        >>> from skbackprop import SigmoidBackpropClassifier
        >>> from skbackprop.display import BoundaryFilm
        >>> X, y = make_moons(100, noise=0.2, random_state=0)
        >>> network = SigmoidBackpropClassifier((8,), max_iter=50, random_state=0)
        >>> film = BoundaryFilm.from_estimator(network, X, y, epochs=[0, 5, 50])
        >>> film.titles
        ['epoch 0', 'epoch 5', 'epoch 50']
        """
        check_matplotlib(f"{cls.__name__}.from_estimator")
        from ..playground._recording import record  # noqa: PLC0415 (only this needs it)

        if feature_names is None and hasattr(X, "columns"):
            feature_names = [str(name) for name in X.columns]
        X, y = _checked(X, y)
        if epochs is not None:
            epochs = np.asarray(epochs)
            if epochs.ndim != 1 or epochs.dtype.kind not in "iu" or not epochs.size or epochs.min() < 0:
                raise ValueError(f"Got epochs={shown(epochs)}: pass a sequence of whole numbers of at least 0, or None.")
        recording = record(estimator, X, y)
        kept, last = recording.kept_epoch, len(recording.latest) - 1
        step = step_name(recording.estimator)
        if epochs is None:
            epochs = np.unique(np.linspace(0, kept, N_STEPS + 1).round().astype(int))
        elif epochs.max() > last:
            raise ValueError(
                f"Got {step} {epochs.max()} where training ended with {step} {last}: pass none beyond it, a larger "
                "max_iter, or parameters that let training go on, such as tol=0."
            )
        titles = [f"{step} {epoch}{', kept' if epoch == kept < last else ''}" for epoch in epochs]
        frames = [recording.fitted_at(epoch) for epoch in epochs]
        return cls(frames, X, y, titles=titles, feature_names=feature_names).plot(ax, **kwargs)

    def plot(self, ax: "Axes | Sequence[Axes] | None" = None, *, max_frames: int = 6, **kwargs: Any) -> "BoundaryFilm":
        """Draw a row of frames.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, default=None
            Axes to draw on, one for each frame; None makes new ones, side by side.
        max_frames : int, default=6
            Largest number of frames to draw on new axes: of more, some from the first to the last.
        **kwargs : dict
            Passed to matplotlib's `Axes.scatter` for the samples, such as `s` or `alpha`.

        Returns
        -------
        self : BoundaryFilm
            The display, with what was drawn in its attributes.

        Raises
        ------
        ValueError
            If `max_frames` is not a whole number of at least 1, or there are more axes than frames, or
            none.
        """
        check_count("max_frames", max_frames)
        check_matplotlib(f"{type(self).__name__}.plot")
        n_frames = len(self.estimators)
        given = ax
        if given is None:
            import matplotlib.pyplot as plt  # noqa: PLC0415 (optional)

            n_shown = min(n_frames, max_frames)
            size = WIDTH * n_shown, HEIGHT
            _, given = plt.subplots(1, n_shown, sharex=True, sharey=True, figsize=size, layout="constrained")
        given = list(np.ravel(np.asarray(given, dtype=object)))
        if not 1 <= len(given) <= n_frames:
            raise ValueError(f"Got {len(given)} axes for {n_frames} frames: pass one for each frame, or fewer.")
        self.axes_ = given
        self.figure_ = given[0].figure
        # The last one, if there is room for one only.
        frames = np.linspace(n_frames - 1, 0, len(self.axes_)).round().astype(int)[::-1]
        for axes, frame in zip(self.axes_, frames, strict=True):
            self._draw(axes, frame, kwargs)
        for axes in self.axes_[1:]:
            axes.set_ylabel("")
        if ax is None:
            _add_legend(self.axes_[-1])
        return self

    def save(
        self, path: str | os.PathLike, *, frames_per_second: float = 5, dots_per_inch: float = 120, **kwargs: Any
    ) -> None:
        """Write all frames as an animation that begins again a second after its end.

        Parameters
        ----------
        path : str or path-like
            The file to write: an animated GIF if it ends in .gif, an animated PNG if it ends in .png or .apng.
        frames_per_second : float, default=5
            Frames that are shown in a second.
        dots_per_inch : float, default=120
            Resolution; a frame is 5 x 4 inches.
        **kwargs : dict
            Passed to matplotlib's `Axes.scatter` for the samples.

        Raises
        ------
        ValueError
            If the name of the file ends otherwise, or `frames_per_second` is not positive.
        FileNotFoundError
            If the folder of the file does not exist.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn.datasets import make_moons
        >>> from skbackprop import SigmoidBackpropClassifier
        >>> from skbackprop.display import BoundaryFilm
        >>> X, y = make_moons(100, noise=0.2, random_state=0)
        >>> network = SigmoidBackpropClassifier((8,), max_iter=20, random_state=0)
        >>> film = BoundaryFilm.from_estimator(network, X, y, epochs=range(0, 21, 10))
        >>> path = Path(tempfile.mkdtemp()) / "moons.gif"
        >>> film.save(path)
        >>> path.read_bytes()[:3]
        b'GIF'
        """
        check_matplotlib(f"{type(self).__name__}.save")
        if Path(path).suffix.lower() not in ANIMATIONS:
            raise ValueError(f"Got path={str(path)!r}: pass a name that ends in {', '.join(ANIMATIONS[:-1])} or .apng.")
        if not frames_per_second > 0:
            raise ValueError(f"Got frames_per_second={shown(frames_per_second)}: pass a positive number.")
        from matplotlib.animation import PillowWriter  # noqa: PLC0415 (optional)
        from matplotlib.figure import Figure  # noqa: PLC0415 (optional)

        axes = Figure(figsize=(5, 4), layout="constrained").subplots()
        writer = PillowWriter(fps=frames_per_second)
        with writer.saving(axes.figure, path, dots_per_inch):
            for frame in range(len(self.estimators)):
                axes.clear()
                self._draw(axes, frame, kwargs)
                if frame == 0:
                    _add_legend(axes)
                writer.grab_frame()
            # What is seen longest is how it ends.
            for _ in range(round(frames_per_second)):
                writer.grab_frame()

    def _draw(self, axes, frame, style):
        """Draw a frame."""
        estimator = self.estimators[frame]
        if self.X.shape[1] == 1:
            self._draw_curves(axes, estimator, style)
        elif hasattr(estimator, "classes_"):
            self._draw_classes(axes, estimator, style)
        else:
            self._draw_numbers(axes, estimator, style)
        axes.set_xlim(_span(self.X[:, 0]))
        axes.set_xlabel(self.feature_names[0])
        axes.set_title(self.titles[frame])

    def _draw_map(self, axes, estimator, **options):
        """Draw a map over two features, wide enough for all samples."""
        spans = [_span(feature) for feature in self.X.T]
        # The map reaches as far as the samples that it is given: two opposite corners, whatever the units of the features.
        corners = np.column_stack(spans)
        DecisionBoundaryDisplay.from_estimator(estimator, corners, eps=0, ax=axes, zorder=-1, **options)
        axes.set_ylim(spans[1])
        axes.set_ylabel(self.feature_names[1])

    def _draw_classes(self, axes, estimator, style):
        """Draw where each class has at least half of the probability, and the samples in the colours of their classes."""
        from matplotlib.colors import to_rgb  # noqa: PLC0415 (optional)

        for at, label in enumerate(estimator.classes_):
            color, marker = COLORS[at % len(COLORS)], MARKERS[at % len(MARKERS)]
            colors = [1 - strength * (1 - np.array(to_rgb(color))) for strength in STRENGTHS]
            one = {"response_method": "predict_proba", "class_of_interest": label}
            self._draw_map(axes, estimator, **one, levels=LEVELS, colors=colors)
            samples = self.X[self.y == label]
            look = {"color": color, "marker": marker, "edgecolor": "white", "linewidth": 0.5, "s": 18, "label": str(label)}
            axes.scatter(*samples.T, **{**look, **style})

    def _draw_numbers(self, axes, estimator, style):
        """Draw what is predicted, and the samples, in the same colours."""
        low, high = self.y.min(), self.y.max()
        levels = np.linspace(low, high if high > low else low + 1, N_COLORS + 1)
        limits = {"vmin": levels[0], "vmax": levels[-1], "cmap": CMAP}
        self._draw_map(axes, estimator, levels=levels, extend="both", **limits)
        axes.scatter(*self.X.T, **{"c": self.y, **limits, "edgecolor": "white", "linewidth": 0.7, "s": 22, **style})

    def _draw_curves(self, axes, estimator, style):
        """Draw what is predicted over one feature, a curve for each target or class; for two classes that of the second."""
        grid = np.linspace(*_span(self.X), N_POINTS)
        classes = getattr(estimator, "classes_", None)
        predicted = (estimator.predict if classes is None else estimator.predict_proba)(grid[:, np.newaxis])
        predicted = np.reshape(predicted, (N_POINTS, -1))
        targets = np.reshape(self.y, (len(self.y), -1))
        if classes is not None:
            if len(classes) == 2 and targets.shape[1] == 1:
                classes, predicted = classes[1:], predicted[:, 1:]
            targets = targets if targets.shape[1] > 1 else targets == classes
        n_curves = predicted.shape[1]
        names = [f"y{1 + at}" for at in range(n_curves)] if classes is None else [str(label) for label in classes]
        for at, (curve, target) in enumerate(zip(predicted.T, targets.T, strict=True)):
            color = COLORS[at % len(COLORS)]
            axes.scatter(self.X, target, **{"color": color, "alpha": 0.5, "linewidth": 0, "s": 18, **style})
            axes.plot(grid, curve, color=color, linewidth=2.5, label=names[at] if n_curves > 1 else None)
        axes.set_ylim(_span(targets))
        axes.set_ylabel("y" if classes is None else "probability" if n_curves > 1 else f"probability of {names[0]}")


def _add_legend(axes):
    """Say beside all axes of a figure what the colours stand for, where that is said of these."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        axes.figure.legend(handles, labels, loc="outside right center")


def _checked(X, y):
    """Return samples and targets as arrays; raise unless they can be drawn."""
    X, y = check_array(X, input_name="X"), np.asarray(y)
    check_consistent_length(X, y)
    if X.shape[1] > 2:
        raise ValueError(f"Got X of {X.shape[1]} features: pass one, for a curve, or two, for a map.")
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y)
    if X.shape[1] == 2 and y.ndim > 1:
        raise ValueError(f"Got y of shape {y.shape} with two features: pass one target for each sample, or one feature.")
    return X, y


def _names(parameter, names, default):
    """Return names as text, those of the user if there are as many as there should be."""
    if names is not None and len(names) != len(default):
        raise ValueError(f"Got {len(names)} {parameter}: pass {len(default)}, or None.")
    return [str(name) for name in (default if names is None else names)]
