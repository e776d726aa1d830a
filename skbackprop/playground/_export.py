"""A page of one file, made of the package's template, style and scripts, and of recorded fits."""

import os
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from .._estimators.annotations import Data
from .._estimators.parameters import check_count
from .._estimators.words import shown
from ._film import data_of, film_of, labels_of, refuse_what_no_page_shows
from ._packing import as_json
from ._recording import record

# Each builds on those before it: the mathematics, what a film is, its views, the page.
SCRIPTS = (
    "arrays", "activations", "losses", "network", "random", "optimizers", "training", "film", "elements", "colors",
    "time_bar", "loss_view", "network_view", "data_view", "what_if", "flow_view", "weights_view", "chain_rule",
    "train_here", "page",
)  # fmt: skip
# Where a page's parts go.
PLACES = re.compile(r"\{\{ (\w+) \}\}")
HEIGHT = 900


class Page:
    """Result of `export_html`.

    In a Jupyter cell it shows the page itself, in a frame of its own.

    Parameters
    ----------
    path : Path
        The file.
    html : str
        What it holds.
    estimators : list of estimator
        The estimators that were trained, fitted.

    Attributes
    ----------
    path : Path
        The parameter.
    html : str
        The parameter.
    estimators : list of estimator
        The parameter.

    See Also
    --------
    export_html : Writes the page.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skbackprop.playground import Page
    >>> Page(Path("page.html"), "<!DOCTYPE html>", [])
    Page('page.html', 15 bytes)
    """

    path: Path
    html: str
    estimators: list

    def __init__(self, path: Path, html: str, estimators: list) -> None:
        self.path = path
        self.html = html
        self.estimators = estimators

    def __repr__(self) -> str:
        return f"Page({str(self.path)!r}, {len(self.html.encode())} bytes)"

    def _repr_html_(self):
        """Return the page within a frame, which keeps its style and scripts from the notebook's."""
        frame = f'style="width: 100%; height: {HEIGHT}px; border: 0" title="A training, epoch by epoch"'
        return f'<iframe srcdoc="{escape(self.html)}" {frame}></iframe>'


def export_html(estimator: Any, X: Data, y: Data, path: str | os.PathLike, *, epochs: int | None = None,
                feature_names: Sequence[str] | None = None, class_names: Sequence[str] | None = None,
                image_shape: tuple[int, int] | None = None, title: str | None = None) -> Page:  # fmt: skip
    """Train a clone of an estimator, and write a page that shows the training as a film.

    The page has a slider over epochs and steps, the loss curves, the network, the data with what is predicted for them, the
    size of each layer's gradient, and the chain rule for any weight in numbers. It trains on in the browser by the
    estimator's own rule. It is one file that needs nothing else, for a browser or, as what is returned, for a Jupyter cell.

    Parameters
    ----------
    estimator : estimator or list of two estimators
        A classifier or a regressor of this package, or scikit-learn's `MLPClassifier` or `MLPRegressor`, whose parameters
        ours is then trained with. Only its parameters count, whether it is fitted or not, and it stays as it is. Two are
        shown side by side.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Inputs.
    y : array-like
        Targets, as for `fit`.
    path : str or path-like
        The file to write.
    epochs : int, default=None
        Most epochs; None for the estimator's own `max_iter`.
    feature_names : sequence of str, default=None
        Names of the features; None for those of a dataframe, else x1, x2 and so on.
    class_names : sequence of str, default=None
        Names of the classes, or of several targets, in their order; None for the labels themselves.
    image_shape : tuple of int, default=None
        Height and width of images whose pixels are the features; None takes 25, 36 or another square of features without
        names for square ones.
    title : str, default=None
        Title of the page; None for one of its own.

    Returns
    -------
    page : Page
        With the `path` of the file and the fitted `estimators`.

    Raises
    ------
    TypeError
        If `estimator` is neither one nor two such networks.
    ValueError
        If the data or parameters are not valid for training, a number of names is not that of the features or classes, an
        activation or a loss is one of the user's own, which a browser does not know, or the network is too large.
    FileNotFoundError
        If the folder of the file does not exist.

    See Also
    --------
    skbackprop.inspection.trace_backpropagation : One step in numbers.
    skbackprop.inspection.gradient_flow : Whether the error reaches every layer.

    Notes
    -----
    A page stays below a megabyte: of a small network it holds up to two thousand samples and all epochs. For larger ones
    some epochs, and a part of the samples, stand for all, and the page says so.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import make_moons
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.playground import export_html
    >>> X, y = make_moons(100, noise=0.2, random_state=0)
    >>> path = Path(tempfile.mkdtemp()) / "moons.html"
    >>> page = export_html(SigmoidBackpropClassifier((4,), random_state=0), X, y, path, epochs=5)
    >>> page.estimators[0].n_iter_, path.stat().st_size < 1_000_000
    (5, True)
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"Got path={str(path)!r}, whose folder does not exist: make it first, or pass another path."
        )
    if epochs is not None:
        check_count("epochs", epochs, ", or None for max_iter")
    estimators = list(estimator) if isinstance(estimator, list | tuple) else [estimator]
    if len(estimators) not in {1, 2}:
        raise ValueError(f"Got a list of {len(estimators)} estimators: pass one, or a list of two.")
    recordings = [record(each, X, y, epochs, refuse_what_no_page_shows) for each in estimators]
    _refuse_different(recordings)
    data, chosen = data_of(recordings, feature_names, class_names, image_shape)
    labels = labels_of(recordings)
    films = [film_of(recording, label, chosen, len(recordings))
             for recording, label in zip(recordings, labels, strict=True)]  # fmt: skip
    title = "How a network learns" if title is None else str(title)
    html = _filled({"title": escape(title), "data": as_json({"title": title, **data, "films": films})})
    path.write_text(html, encoding="utf-8")
    return Page(path, html, [recording.estimator for recording in recordings])


def _refuse_different(recordings):
    """Raise unless all recordings learn the same targets from the same samples."""
    first, *others = (recording.samples for recording in recordings)
    if not all(np.array_equal(first.Y, other.Y) for other in others):
        names = shown([type(recording.estimator).__name__ for recording in recordings])
        raise ValueError(f"Got {names}, which do not learn the same of y: pass two classifiers, or two regressors.")


def _filled(parts):
    """Return the template with its places filled, by these parts or by files of the package."""
    folder = files(__package__)

    def script(name):
        # In a page of one file a module has nowhere to import from: it becomes a function that returns what it exports.
        text = (folder / f"{name}.js").read_text(encoding="utf-8")
        text = re.sub(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', r"const \1 = \2;", text, flags=re.MULTILINE)
        exported = re.findall(r"^export (?:class|const|function) (\w+)", text, re.MULTILINE)
        text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
        return f"const {name} = (() => {{\n{text}\nreturn {{ {', '.join(exported)} }};\n}})();"

    def part(match):
        name = match[1]
        if name == "style":
            return (folder / "style.css").read_text(encoding="utf-8")
        return "\n".join(map(script, SCRIPTS)) if name == "scripts" else parts[name]

    return PLACES.sub(part, (folder / "template.html").read_text(encoding="utf-8"))
