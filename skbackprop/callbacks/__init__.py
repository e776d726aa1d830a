"""Callbacks of this package's own, for `set_callbacks` of an estimator (scikit-learn 1.9 or later), and how to resume.

`ValidationMonitor` and `GradientMonitor` keep their records as scikit-learn's `ScoringMonitor` does: for each run of a fit
its own, also when the fits run in other processes.
"""

import io
import numbers
import os
import tempfile
from pathlib import Path
from zlib import crc32

import joblib
import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.metrics import get_scorer
from sklearn.utils import _safe_indexing, get_tags
from sklearn.utils.validation import _num_samples

from .._estimators.base import BaseBackprop
from .._estimators.callback_bridge import ScoringMonitor, epochs_a_task, running_callbacks
from .._estimators.parameters import optimizer_of
from .._estimators.state import interrupted
from ..inspection import gradient_flow

__all__ = ["Checkpoint", "GradientMonitor", "ValidationMonitor", "resume"]

# The first bytes of a checkpoint; the checksum and the length of what follows come next.
HEADER = b"skbackprop checkpoint 1\n"


def _check_network(callback, estimator):
    """Raise unless the estimator that a callback is set on has epochs, for else the callback would silently do nothing."""
    if not isinstance(estimator, BaseBackprop):
        raise TypeError(
            f"Got a {type(callback).__name__} on {type(estimator).__name__}, which has no epochs: set it on a network "
            "itself, such as pipeline[-1] or search.estimator."
        )


def _check_count(name, value, what):
    """Raise unless `value` is a whole number of at least 1."""
    if not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"Got {name}={value!r}: pass a whole number of {what}, 1 or more.")


class Checkpoint:
    """Saves the estimator while it is fitted, with all that training needs in order to go on exactly; see `resume`.

    A checkpoint replaces the one before in one step, so that at any moment there is a whole one.

    Parameters
    ----------
    path : str or path-like
        The file. Fits that run at the same time need a file each.
    every : int, default=1
        Epochs from one checkpoint to the next; the last epoch has one in any case. Of a fit of more than 1000 epochs
        (`max_iter`) some are not told to callbacks; the next that is has the checkpoint then.

    Raises
    ------
    ValueError
        If `every` is no whole number of at least 1, or, at the start of a fit, for a solver without epochs ("lbfgs").
    TypeError
        At the start of a fit, for an estimator without epochs: a pipeline, say.
    FileNotFoundError, IsADirectoryError
        At the start of a fit, if the folder of the file does not exist, or the file is a folder.

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
        _check_count("every", every, "epochs")
        self.path, self.every = Path(path), every

    def setup(self, estimator, context):
        """Refuse what cannot be resumed or written, before an epoch is trained in vain."""
        _check_network(self, estimator)
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"Got path={str(self.path)!r}, in a folder that does not exist: make the folder first.")
        if self.path.is_dir():
            raise IsADirectoryError(f"Got path={str(self.path)!r}, which is a folder: pass the path of a file.")
        if optimizer_of(estimator).minimizes:
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
        n_epochs, max_iter = fitted["n_iter_"], fitted_estimator.max_iter
        ended = fitted["_training_state"].reason != "max_iter" or n_epochs == max_iter
        if ended or n_epochs // self.every > (n_epochs - epochs_a_task(max_iter)) // self.every:
            for name in ("_skl_callbacks", "_parent_callback_ctx", *running_callbacks(fitted_estimator)):
                fitted.pop(name, None)
            self._write(fitted_estimator)

    def _write(self, estimator):
        """Write the file beside its place, and then put it there in one step."""
        buffer = io.BytesIO()
        joblib.dump(estimator, buffer)
        content = buffer.getbuffer()
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with open(descriptor, "wb") as file:
                file.write(HEADER + f"{crc32(content):08x} {len(content)}\n".encode())
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            # Closed by now, for Windows moves no open files.
            os.replace(name, self.path)
        except BaseException:
            os.unlink(name)
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
    n_samples = interrupted(estimator).n_samples
    given = _num_samples(X)
    if given != n_samples:
        raise ValueError(f"Got {given} samples to resume a fit of {n_samples}: pass the samples of the interrupted fit.")
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

    It changes nothing. In a pipeline, set it on the network; the samples must be as they reach it. A row also has the
    number of the epoch, counted from 1: of a fit of more than 1000 epochs (`max_iter`) only some are recorded.

    Parameters
    ----------
    X, y : array-like
        Samples, and labels or targets, as `fit` takes them; of an autoencoder `y` is None.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights.
    scoring : str, list of str, or dict of str to scorer, default=()
        Scores to record besides the loss.

    Raises
    ------
    ValueError
        If there is no such score or, in a fit, if the network cannot judge the samples.
    TypeError
        At the start of a fit, for an estimator without epochs: a pipeline, say.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.callbacks import ValidationMonitor
    >>> X, y = load_iris(return_X_y=True)
    >>> monitor = ValidationMonitor(X[::2], y[::2], scoring="accuracy")
    >>> classifier = SigmoidBackpropClassifier(random_state=0).set_callbacks(monitor).fit(X[1::2], y[1::2])
    >>> rows = monitor.get_logs().data
    >>> rows[99]["epoch"], rows[0]["loss"] > rows[99]["loss"], rows[0]["accuracy"] < rows[99]["accuracy"]
    (100, True, True)
    """

    def __init__(self, X, y=None, *, sample_weight=None, scoring=()):
        if isinstance(scoring, str):
            scoring = [scoring]
        if not isinstance(scoring, list | tuple | dict):
            raise ValueError(
                f"Got scoring={scoring!r}: pass the name of a score, a list of names, or a dict of names to scorers."
            )
        scorers = scoring if isinstance(scoring, dict) else {name: name for name in scoring}
        super().__init__(scoring=_Scores({name: get_scorer(scorer) for name, scorer in scorers.items()}))
        self.X, self.y, self.metadata = X, y, None if sample_weight is None else {"sample_weight": sample_weight}

    def setup(self, estimator, context):
        """Refuse what has no epochs, and a network that is to be judged by targets without any."""
        _check_network(self, estimator)
        if self.y is None and get_tags(estimator).target_tags.required:
            raise ValueError(f"Got y=None in a ValidationMonitor on {type(estimator).__name__}: pass labels or targets.")
        super().setup(estimator, context)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Record the epoch."""
        if context.task_name == "epoch":
            y = self.X if self.y is None else self.y
            data = {"X": self.X, "y": y, "metadata": self.metadata}
            try:
                super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator, **data)
            except ValueError as error:
                raise ValueError(f"The samples of the ValidationMonitor cannot be judged: {error}") from error


class _Scores:
    """A scorer that returns the mean loss, in the units of the training loss, and other scores.

    Parameters
    ----------
    scorers : dict of str to callable
    """

    def __init__(self, scorers):
        self.scorers = scorers

    def __call__(self, estimator, X, y, **weights):
        """Return a dict of scores, and the number of the epoch."""
        scores = {name: scorer(estimator, X, y, **weights) for name, scorer in self.scorers.items()}
        return {"epoch": estimator.n_iter_, "loss": estimator._validation_loss(X, y, **weights), **scores}


class GradientMonitor(ScoringMonitor):
    """Records the norm of each layer's gradient and the share of its units that are saturated, after each epoch.

    In a pipeline, set it on the network. Of a fit of more than 1000 epochs (`max_iter`) only some are recorded.

    Parameters
    ----------
    max_samples : int, default=1000
        At most so many samples, evenly spread over those of the training, are looked at.

    Attributes
    ----------
    epochs_ : ndarray of shape (n_epochs,)
        Of the last run: numbers of the epochs, counted from 1.
    gradient_norms_ : ndarray of shape (n_epochs, n_layers)
        Of the last run: Euclidean norms of the gradients of the weights, layer by layer from the inputs up.
    saturated_fractions_ : ndarray of shape (n_epochs, n_hidden_layers)
        Of the last run: shares of pairs of a sample and a unit whose derivative is under a twentieth of the largest.

    Raises
    ------
    ValueError
        If `max_samples` is no whole number of at least 1.
    TypeError
        At the start of a fit, for an estimator without epochs: a pipeline or an outlier detector, say.
    sklearn.exceptions.NotFittedError
        If the attributes are asked for before a fit.

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
        _check_count("max_samples", max_samples, "samples")
        super().__init__(scoring=_gradients)
        self.max_samples = max_samples

    def setup(self, estimator, context):
        """Refuse what has no epochs."""
        _check_network(self, estimator)
        super().setup(estimator, context)

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
    def epochs_(self):
        """Numbers of the epochs of the last run, of shape (n_epochs,)."""
        return np.array([row["epoch"] for row in self._rows()])

    @property
    def gradient_norms_(self):
        """Norms of the gradients of the last run, of shape (n_epochs, n_layers)."""
        return self._table("gradient_norm")

    @property
    def saturated_fractions_(self):
        """Shares of saturated units of the last run, of shape (n_epochs, n_hidden_layers)."""
        return self._table("saturated")

    def _rows(self):
        """Return what was recorded in the last run; of several fits in it, in the last, which in a search is the refit."""
        if not self._log:
            raise NotFittedError("This GradientMonitor has recorded nothing yet: fit a network that it is set on.")
        rows = self.get_logs().data
        # They are sorted by the depth of a task first, and the refit of a search is less deep than its other fits.
        last = max(row["parent_task_id_path"] for row in rows)
        return [row for row in rows if row["parent_task_id_path"] == last]

    def _table(self, prefix):
        """Return what was recorded under a name, layer by layer."""
        rows = self._rows()
        names = sorted((name for name in rows[0] if name.startswith(prefix)), key=lambda name: int(name.split("_")[-1]))
        return np.array([[row[name] for name in names] for row in rows])


def _gradients(estimator, X, y, sample_weight=None):
    """Return what `GradientMonitor` records, under the names of columns, and the number of the epoch."""
    layers = gradient_flow(estimator, X, y, sample_weight).layers
    norms = {f"gradient_norm_{k}": layer.gradient_norm for k, layer in enumerate(layers, 1)}
    saturated = {f"saturated_{k}": layer.saturated for k, layer in enumerate(layers[:-1], 1)}
    return {"epoch": estimator.n_iter_, **norms, **saturated}
