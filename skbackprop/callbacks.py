"""Callbacks of this package's own, for `set_callbacks` of an estimator (scikit-learn 1.9 or later), and how to resume.

`ValidationMonitor` and `GradientMonitor` keep their records as scikit-learn's `ScoringMonitor` does: for each run of a fit
its own, also when the fits run in other processes.
"""

import io
import os
import tempfile
from pathlib import Path
from zlib import crc32

import joblib
import numpy as np
from sklearn.metrics import get_scorer
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from ._callback_bridge import ScoringMonitor, running_callbacks
from .inspection import gradient_flow

__all__ = ["Checkpoint", "GradientMonitor", "ValidationMonitor", "resume"]

# The first bytes of a checkpoint; the checksum and the length of what follows come next.
HEADER = b"skbackprop checkpoint 1\n"


class Checkpoint:
    """Saves the estimator while it is fitted, with all that training needs in order to go on exactly; see `resume`.

    A checkpoint replaces the one before in one step, so that at any moment there is a whole one.

    Parameters
    ----------
    path : str or path-like
        The file. Fits that run at the same time need a file each.
    every : int, default=1
        Epochs from one checkpoint to the next; the last epoch has one in any case.

    Raises
    ------
    ValueError
        If `every` is less than 1, or, at the start of a fit, for a solver without epochs ("lbfgs").

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.callbacks import Checkpoint, resume
    >>> X, y = load_iris(return_X_y=True)
    >>> path = Path(tempfile.mkdtemp()) / "iris.checkpoint"
    >>> classifier = SigmoidBackpropClassifier(random_state=0).set_callbacks(Checkpoint(path, every=10)).fit(X, y)
    >>> again = resume(path, X, y)
    >>> bool((again.coefs_[0] == classifier.coefs_[0]).all())
    True
    """

    def __init__(self, path, every=1):
        if not every >= 1:
            raise ValueError(f"Got every={every!r}: pass a number of epochs, 1 or more.")
        self.path, self.every = Path(path), every

    def setup(self, estimator, context):
        """Refuse what cannot be resumed."""
        if hasattr(estimator._make_optimizer(), "minimize"):
            raise ValueError(
                f"Got a Checkpoint with solver={estimator.solver!r}, whose memory of the curvature cannot be saved: use "
                "solver='adam', 'sgd' or 'rprop'."
            )

    def teardown(self, estimator, context):
        """Do nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Save every so many epochs."""
        if context.task_name != "epoch":
            return
        fitted = vars(fitted_estimator)
        ended = fitted["_training_state"]["reason"] != "max_iter" or fitted["n_iter_"] == fitted_estimator.max_iter
        if ended or fitted["n_iter_"] % self.every == 0:
            for name in ("_skl_callbacks", "_parent_callback_ctx", *running_callbacks(fitted_estimator)):
                fitted.pop(name, None)
            self._write(fitted_estimator)

    def _write(self, estimator):
        """Write the file beside its place, and then put it there in one step."""
        buffer = io.BytesIO()
        joblib.dump(estimator, buffer)
        content = buffer.getbuffer()
        with tempfile.NamedTemporaryFile(dir=self.path.parent, prefix=f".{self.path.name}.", delete=False) as file:
            try:
                file.write(HEADER + f"{crc32(content):08x} {len(content)}\n".encode())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, self.path)
            except BaseException:
                os.unlink(file.name)
                raise


def resume(path, X, y=None, *, callbacks=(), **fit_parameters):
    """Go on with a fit from its last checkpoint, to exactly where it would have ended.

    Parameters
    ----------
    path : str or path-like
        What `Checkpoint` wrote. It is unpickled: resume only from files that you trust.
    X, y
        The samples of the interrupted fit; others, or in another order, give other weights.
    callbacks : sequence of callbacks, default=()
        For the rest of the fit; a `Checkpoint` for the same path, say.
    **fit_parameters
        What else was passed to `fit`: `sample_weight`, `X_val` and so on.

    Returns
    -------
    estimator : estimator
        Fitted. A time limit (`max_time`) is counted anew.

    Raises
    ------
    ValueError
        If the file is no checkpoint, or not a whole one, or the number of samples is another.
    FileNotFoundError
        If there is none.

    Examples
    --------
    See `Checkpoint`.

    >>> from skbackprop.callbacks import resume
    >>> resume("no such file", [[0.0]])
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'no such file'
    """
    estimator = _read(path)
    n_samples = estimator._training_state["n_samples"]
    given = _num_samples(X)
    if given != n_samples:
        raise ValueError(f"Got {given} samples to resume a fit of {n_samples}: pass the samples of the interrupted fit.")
    estimator._training_state["unfinished"] = True
    if callbacks:
        estimator.set_callbacks(*callbacks)
    return estimator.fit(X, y, **fit_parameters)


def _read(path):
    """Return the estimator in a checkpoint."""
    content = Path(path).read_bytes()
    header, _, rest = content[len(HEADER) :].partition(b"\n")
    try:
        checksum, length = header.split()
        whole = content.startswith(HEADER) and len(rest) == int(length) and crc32(rest) == int(checksum, 16)
    except ValueError:
        whole = False
    if not whole:
        kind = "a checkpoint that is cut short or damaged" if content.startswith(HEADER) else "not a checkpoint"
        raise ValueError(f"Got {str(path)!r}, which is {kind}: pass a file that skbackprop.callbacks.Checkpoint wrote.")
    return joblib.load(io.BytesIO(rest))


class ValidationMonitor(ScoringMonitor):
    """Records the loss, and any scores, of held-out samples after each epoch; see `get_logs` of `ScoringMonitor`.

    It changes nothing. In a pipeline, the samples must be as they reach the network.

    Parameters
    ----------
    X, y : array-like
        Samples, and labels or targets, as `fit` takes them; of an autoencoder `y` is None.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    scoring : str, list of str, or dict of str to scorer, default=()
        Scores to record besides the loss.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.callbacks import ValidationMonitor
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = ValidationMonitor(X[::2], y[::2], scoring="accuracy")
    >>> classifier = SigmoidBackpropClassifier(random_state=0).set_callbacks(monitor).fit(X[1::2], y[1::2])
    >>> rows = monitor.get_logs().data
    >>> sorted(rows[0])[:2], rows[0]["loss"] > rows[99]["loss"]
    (['accuracy', 'estimator_name'], True)
    """

    def __init__(self, X, y=None, *, sample_weight=None, scoring=()):
        if isinstance(scoring, str):
            scoring = [scoring]
        if not isinstance(scoring, dict):
            scoring = {name: get_scorer(name) for name in scoring}
        super().__init__(scoring=_Scores(scoring))
        self.X, self.y, self.metadata = X, y, None if sample_weight is None else {"sample_weight": sample_weight}

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Record the epoch."""
        if context.task_name == "epoch":
            y = self.X if self.y is None else self.y
            super().on_fit_task_end(
                estimator, context, X=self.X, y=y, fitted_estimator=fitted_estimator, metadata=self.metadata
            )


class _Scores:
    """A scorer that returns the mean loss, in the units of the training loss, and other scores.

    Parameters
    ----------
    scorers : dict of str to callable
    """

    def __init__(self, scorers):
        self.scorers = scorers

    def __call__(self, estimator, X, y, **weights):
        """Return a dict of scores."""
        scores = {name: scorer(estimator, X, y, **weights) for name, scorer in self.scorers.items()}
        return {"loss": estimator._validation_loss(X, y, **weights), **scores}


class GradientMonitor(ScoringMonitor):
    """Records the norm of each layer's gradient and the share of its units that are saturated, after each epoch.

    Parameters
    ----------
    max_samples : int, default=1000
        At most so many samples, evenly spread over those of the training, are looked at.

    Attributes
    ----------
    gradient_norms_ : ndarray of shape (n_epochs, n_layers)
        Of the last run: Euclidean norms of the gradients of the weights, layer by layer from the inputs up.
    saturated_fractions_ : ndarray of shape (n_epochs, n_hidden_layers)
        Of the last run: shares of pairs of a sample and a unit whose derivative is under a twentieth of the largest.

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

    def __init__(self, max_samples=1000):
        if not max_samples >= 1:
            raise ValueError(f"Got max_samples={max_samples!r}: pass a number of samples, 1 or more.")
        super().__init__(scoring=_gradients)
        self.max_samples = max_samples

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None):
        """Record the epoch."""
        if context.task_name == "epoch":
            n_samples = _num_samples(X)
            rows = np.linspace(0, n_samples - 1, min(n_samples, self.max_samples)).astype(int)
            part = {name: _safe_indexing(value, rows) for name, value in (metadata or {}).items()}
            X, y = (None if data is None else _safe_indexing(data, rows) for data in (X, y))
            super().on_fit_task_end(
                estimator, context, X=X, y=X if y is None else y, metadata=part, fitted_estimator=fitted_estimator
            )

    @property
    def gradient_norms_(self):
        """Norms of the gradients of the last run, of shape (n_epochs, n_layers)."""
        return self._table("gradient_norm")

    @property
    def saturated_fractions_(self):
        """Shares of saturated units of the last run, of shape (n_epochs, n_hidden_layers)."""
        return self._table("saturated")

    def _table(self, prefix):
        """Return what was recorded under a name, layer by layer; of several fits in a run, that of the last."""
        rows = self.get_logs().data
        rows = [row for row in rows if row["parent_task_id_path"] == rows[-1]["parent_task_id_path"]]
        names = sorted((name for name in rows[0] if name.startswith(prefix)), key=lambda name: int(name.split("_")[-1]))
        return np.array([[row[name] for name in names] for row in rows])


def _gradients(estimator, X, y, sample_weight=None):
    """Return what `GradientMonitor` records, under the names of columns."""
    layers = gradient_flow(estimator, X, y, sample_weight).layers
    norms = {f"gradient_norm_{k}": layer.gradient_norm for k, layer in enumerate(layers, 1)}
    return {**norms, **{f"saturated_{k}": layer.saturated for k, layer in enumerate(layers[:-1], 1)}}
