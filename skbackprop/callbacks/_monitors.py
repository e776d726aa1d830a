"""Records of each epoch: losses and scores of held-out samples, and the gradients of the layers."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.validation import _num_samples

from .._estimators.annotations import Data, Weights
from .._estimators.base import losses_of
from .._estimators.callback_bridge import ScoringMonitor
from .._estimators.parameters import check_count
from .._estimators.scoring import refuse_weights_with
from .._estimators.words import check_choice, shown
from ..inspection import gradient_flow
from ._checkpoint import check_network


class ValidationMonitor(ScoringMonitor):
    """Records the loss, and any scores, of held-out samples after each epoch; see `get_logs` of `ScoringMonitor`.

    It does not change training. In a pipeline, set it on the network, and pass the samples as they reach the network. A
    row also holds the number of the epoch, counted from 1: with `max_iter` above 1000 only some epochs are recorded.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples, as `fit` takes them.
    y : array-like, default=None
        Labels or targets, as `fit` takes them; for an autoencoder None.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the samples.
    scoring : str, list of str, or dict of str to scorer, default=()
        Scores to record besides the loss.

    Raises
    ------
    ValueError
        If there is no such score or, in a fit, if the network cannot judge the samples.
    TypeError
        At the start of a fit, for an estimator without epochs, such as a pipeline.

    See Also
    --------
    GradientMonitor : Records of the layers' gradients.
    sklearn.callback.ScoringMonitor : Records of scores alone.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.callbacks import ValidationMonitor
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = ValidationMonitor(X[::2], y[::2], scoring="accuracy")
    >>> classifier = SigmoidBackpropClassifier(tol=0.001, random_state=0).set_callbacks(monitor).fit(X[1::2], y[1::2])
    >>> rows = monitor.get_logs().data
    >>> rows[19]["epoch"], rows[0]["loss"] > rows[19]["loss"], rows[0]["accuracy"] < rows[19]["accuracy"]
    (20, True, True)
    """

    def __init__(
        self,
        X: Data,
        y: Data | None = None,
        *,
        sample_weight: Weights = None,
        scoring: str | Sequence[str] | dict[str, Any] = (),
    ) -> None:
        if isinstance(scoring, str):
            scoring = [scoring]
        if not isinstance(scoring, list | tuple | dict):
            raise ValueError(
                f"Got scoring={shown(scoring)}: pass the name of a score, a list of names, or a dict of names to scorers."
            )
        scorers = scoring if isinstance(scoring, dict) else {name: name for name in scoring}
        for scorer in scorers.values():
            if isinstance(scorer, str):
                check_choice("scoring", scorer, get_scorer_names())
        scorers = {name: get_scorer(scorer) for name, scorer in scorers.items()}
        if sample_weight is not None:
            for name, scorer in scorers.items():
                refuse_weights_with(name, scorer)
        super().__init__(scoring=partial(_scores, scorers))
        self.X = X
        self.y = y
        self.metadata = None if sample_weight is None else {"sample_weight": sample_weight}

    def setup(self, estimator: Any, context: Any) -> None:
        """Refuse an estimator without epochs, and a network that needs targets to be judged by where there are none."""
        check_network(self, estimator)
        if self.y is None and get_tags(estimator).target_tags.required:
            raise ValueError(f"Got y=None in a ValidationMonitor on {type(estimator).__name__}: pass labels or targets.")
        super().setup(estimator, context)

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> None:
        """Record the epoch."""
        if context.task_name == "epoch":
            data = {"X": self.X, "y": self.X if self.y is None else self.y, "metadata": self.metadata}
            try:
                super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator, **data)
            except ValueError as error:
                raise ValueError(f"The samples of the ValidationMonitor cannot be judged: {error}") from error


def _scores(scorers, estimator, X, y, **weights):
    """Return what `ValidationMonitor` records of an epoch: the mean loss, in the units of training's, and the scores."""
    scores = {name: scorer(estimator, X, y, **weights) for name, scorer in scorers.items()}
    samples = estimator._encode_validation(X, y, weights.get("sample_weight"), estimator.coefs_[0].dtype)
    losses = losses_of(estimator, samples.X, samples.Y)
    return {"epoch": estimator.n_iter_, "loss": float(np.average(losses, weights=samples.sample_weight)), **scores}


class GradientMonitor(ScoringMonitor):
    """Records the norm of each layer's gradient and the share of its units that are saturated, after each epoch.

    In a pipeline, set it on the network. With `max_iter` above 1000 only some epochs are recorded.

    Parameters
    ----------
    max_samples : int, default=1000
        Largest number of samples to look at; they are spread evenly over the training samples.

    Attributes
    ----------
    epochs_ : ndarray of shape (n_epochs,)
        Numbers of the epochs of the last run, counted from 1.
    gradient_norms_ : ndarray of shape (n_epochs, n_layers)
        Euclidean norms of the gradients of the weights in the last run, layer by layer from the inputs up.
    saturated_fractions_ : ndarray of shape (n_epochs, n_hidden_layers)
        Shares of saturated units in the last run: of the pairs of a sample and a unit, those whose derivative is under a
        twentieth of the activation's largest.

    Raises
    ------
    ValueError
        If `max_samples` is not a whole number of at least 1.
    TypeError
        At the start of a fit, for an estimator without epochs, such as a pipeline or an outlier detector.
    sklearn.exceptions.NotFittedError
        If the attributes are read before a fit.

    See Also
    --------
    ValidationMonitor : Records of losses and scores of held-out samples.
    skbackprop.display.GradientFlowDisplay : Draws what is recorded.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.callbacks import GradientMonitor
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = GradientMonitor()
    >>> classifier = SigmoidBackpropClassifier((20, 10), random_state=0).set_callbacks(monitor).fit(X, y)
    >>> monitor.gradient_norms_.shape, monitor.saturated_fractions_.shape
    ((100, 3), (100, 2))
    """

    def __init__(self, max_samples: int = 1000) -> None:
        check_count("max_samples", max_samples)
        super().__init__(scoring=_gradients)
        self.max_samples = max_samples

    def setup(self, estimator: Any, context: Any) -> None:
        """Refuse an estimator without epochs."""
        check_network(self, estimator)
        super().setup(estimator, context)

    def on_fit_task_end(
        self,
        estimator: Any,
        context: Any,
        *,
        X: Any = None,
        y: Any = None,
        metadata: dict | None = None,
        fitted_estimator: Any = None,
    ) -> None:
        """Record the epoch."""
        if context.task_name == "epoch":
            n_samples = _num_samples(X)
            rows = np.linspace(0, n_samples - 1, min(n_samples, self.max_samples)).astype(int)
            part = {name: _safe_indexing(value, rows) for name, value in (metadata or {}).items()}
            data = {"X": _safe_indexing(X, rows), "y": _safe_indexing(X if y is None else y, rows), "metadata": part}
            super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator, **data)

    @property
    def epochs_(self) -> np.ndarray:
        """Numbers of the epochs of the last run, of shape (n_epochs,)."""
        return np.array([row["epoch"] for row in self._rows()])

    @property
    def gradient_norms_(self) -> np.ndarray:
        """Norms of the gradients of the last run, of shape (n_epochs, n_layers)."""
        return self._table("gradient_norm")

    @property
    def saturated_fractions_(self) -> np.ndarray:
        """Shares of saturated units of the last run, of shape (n_epochs, n_hidden_layers)."""
        return self._table("saturated")

    def _rows(self):
        """Return the rows of the last run or, of several fits in it, those of the last: in a search, the refit."""
        if not self._log:
            raise NotFittedError("This GradientMonitor has recorded nothing yet: fit a network that it is set on.")
        rows = self.get_logs().data
        # The rows are sorted by the depth of a task first, and the refit of a search is less deep than its other fits.
        last = max(row["parent_task_id_path"] for row in rows)
        return [row for row in rows if row["parent_task_id_path"] == last]

    def _table(self, prefix):
        """Return the columns of that prefix, a row for each epoch and a column for each layer."""
        return np.array([[value for name, value in row.items() if name.startswith(prefix)] for row in self._rows()])


def _gradients(estimator, X, y, sample_weight=None):
    """Return what `GradientMonitor` records of an epoch, by the names of the columns; layers count from the inputs up."""
    layers = gradient_flow(estimator, X, y, sample_weight).layers
    norms = {f"gradient_norm_{k}": layer.gradient_norm for k, layer in enumerate(layers, 1)}
    saturated = {f"saturated_{k}": layer.saturated for k, layer in enumerate(layers[:-1], 1)}
    return {"epoch": estimator.n_iter_, **norms, **saturated}
