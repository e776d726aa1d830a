"""Saving a fit while it runs, and going on with it after a crash."""

import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import joblib
from sklearn.utils.validation import _num_samples

from .._estimators.annotations import Data
from .._estimators.base import BaseBackprop
from .._estimators.callback_bridge import epochs_a_task, running_callbacks
from .._estimators.parameters import check_count, optimizer_of
from .._estimators.state import interrupted

# The first bytes of a checkpoint; the checksum and the length of what follows come next.
HEADER = b"skbackprop checkpoint 1\n"


def check_network(callback, estimator):
    """Raise unless the estimator has epochs: on any other a callback would silently do nothing."""
    if not isinstance(estimator, BaseBackprop):
        raise TypeError(
            f"Got a {type(callback).__name__} on {type(estimator).__name__}, which has no epochs: set it on a network "
            "itself, such as pipeline[-1] or search.estimator."
        )


class Checkpoint:
    """Saves the estimator while it is fitted, with all that training needs to go on exactly; see `resume`.

    A checkpoint replaces the one before in one step, so there is a whole one at any moment.

    Parameters
    ----------
    path : str or path-like
        The file. Fits that run at the same time need a file each.
    every : int, default=1
        Epochs from one checkpoint to the next; the last epoch always has one. With `max_iter` above 1000, callbacks are
        told of some epochs only; a checkpoint that is due is then written at the next of these.

    Raises
    ------
    ValueError
        If `every` is not a whole number of at least 1, or, at the start of a fit, for a solver without epochs ("lbfgs").
    TypeError
        At the start of a fit, for an estimator without epochs, such as a pipeline.
    FileNotFoundError, IsADirectoryError
        At the start of a fit, if the folder of the file does not exist, or the file is a folder.

    See Also
    --------
    resume : Goes on from a checkpoint.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.callbacks import Checkpoint, resume
    >>> X, y = load_iris(return_X_y=True)
    >>> path = Path(tempfile.mkdtemp()) / "iris.checkpoint"
    >>> classifier = SigmoidBackpropClassifier(tol=1e-3, random_state=0).set_callbacks(Checkpoint(path, every=10)).fit(X, y)
    >>> again = resume(path, X, y)
    >>> bool((again.coefs_[0] == classifier.coefs_[0]).all())
    True
    """

    def __init__(self, path: str | os.PathLike, every: int = 1) -> None:
        check_count("every", every)
        self.path = Path(path)
        self.every = every

    def setup(self, estimator: Any, context: Any) -> None:
        """Refuse what cannot be resumed or written, before an epoch is trained in vain."""
        check_network(self, estimator)
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"Got path={str(self.path)!r}, in a folder that does not exist: make the folder first.")
        if self.path.is_dir():
            raise IsADirectoryError(f"Got path={str(self.path)!r}, which is a folder: pass the path of a file.")
        if estimator.early_stopping == "cv":
            raise ValueError(
                "Got a Checkpoint with early_stopping='cv', whose fit is that of several networks and cannot be resumed: "
                "use early_stopping=True or False."
            )
        if optimizer_of(estimator).minimizes:
            raise ValueError(
                f"Got a Checkpoint with solver={estimator.solver!r}, whose memory of the curvature cannot be saved: use "
                "solver='adam', 'sgd' or 'rprop'."
            )

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any = None) -> None:
        """Save if a checkpoint is due, or training has ended."""
        if context.task_name != "epoch":
            return
        fitted = vars(fitted_estimator)
        n_epochs = fitted["n_iter_"]
        max_iter = fitted["max_iter"]
        ended = fitted["_training_state"].reason != "max_iter" or n_epochs == max_iter
        if ended or n_epochs // self.every > (n_epochs - epochs_a_task(max_iter)) // self.every:
            for name in ("_skl_callbacks", "_parent_callback_ctx", *running_callbacks(fitted_estimator)):
                fitted.pop(name, None)
            self._write(fitted_estimator)

    def _write(self, estimator):
        """Write a file beside the old one, and then put it in its place in one step."""
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
            # The file is closed by now, since Windows moves no open files.
            os.replace(name, self.path)
        except BaseException:
            os.unlink(name)
            raise


def resume(
    path: str | os.PathLike, X: Data, y: Data | None = None, *, callbacks: Sequence = (), **fit_parameters: Any
) -> Any:
    """Resume a fit from its last checkpoint; it ends exactly where it would have ended.

    Parameters
    ----------
    path : str or path-like
        The file that `Checkpoint` wrote. It is unpickled: resume only from files that you trust.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Inputs of the interrupted fit; other samples, or another order, give other weights.
    y : array-like, default=None
        Labels or targets of the interrupted fit.
    callbacks : sequence of callbacks, default=()
        Callbacks for the rest of the fit, such as a `Checkpoint` with the same path.
    **fit_parameters
        What else was passed to `fit`: `sample_weight`, `X_val` and so on.

    Returns
    -------
    estimator : estimator
        The fitted estimator. A time limit (`max_time`) starts anew.

    Raises
    ------
    ValueError
        If the file is not a checkpoint, or not a whole one, or the number of samples differs.
    FileNotFoundError
        If there is no such file.

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
