"""Saving a fit while it runs, and going on with it after a crash."""

import io
import json
import os
import stat
import tempfile
from collections.abc import Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal
from zlib import crc32

import joblib

from .._estimators.annotations import Data
from .._estimators.base import BaseBackprop
from .._estimators.callback_bridge import epochs_a_task, running_callbacks
from .._estimators.parameters import check_count, optimizer_of
from .._estimators.plain import trusted_types
from .._estimators.state import TrainingState, interrupted
from .._estimators.versions import versions
from .._estimators.words import check_choice, shown

# The first line of a checkpoint. The second holds the checksum of all that follows it, the third, in JSON, the length of
# what comes last, in which format that is, and the versions that wrote it.
FIRST_LINE = b"skbackprop checkpoint 3\n"
# No line of the header is longer.
LONGEST_LINE = 1000
FORMATS = ("pickle", "skops")


def check_network(callback, estimator):
    """Raise unless the estimator has epochs: on any other a callback would silently do nothing."""
    if not isinstance(estimator, BaseBackprop):
        raise TypeError(
            f"Got a {type(callback).__name__} on {type(estimator).__name__}, which has no epochs: set it on a network "
            "itself, such as pipeline[-1] or search.estimator."
        )


class Checkpoint:
    """Saves the estimator while it is fitted, with all that training needs to go on exactly; see `resume`.

    A checkpoint replaces the one before in one step, so there is a whole one at any moment. Its first lines are text that
    says which versions wrote it.

    Parameters
    ----------
    path : str or path-like
        The file, or a symbolic link to it, which stays one. Fits that run at the same time need a file each.
    every : int, default=1
        Epochs from one checkpoint to the next; the last epoch always has one. With `max_iter` above 1000, callbacks are
        told of some epochs only; a checkpoint that is due is then written at the next of these.
    format : {"pickle", "skops"}, default="pickle"
        A pickle can run anything when it is read. What skops writes holds data and the names of types, and is read only if
        these are trusted; it takes a few milliseconds longer. It needs skops.

    Raises
    ------
    ValueError
        If `every` is not a whole number of at least 1, or there is no such format, or, at the start of a fit, for a solver
        without epochs ("lbfgs"), for parameters that skops cannot save, or if there is something else than a plain file,
        such as a pipe.
    ImportError
        If the format is "skops", which is not installed.
    TypeError
        If `path` is no path, or, at the start of a fit, for an estimator without epochs, such as a pipeline.
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
    >>> classifier = SigmoidBackpropClassifier(tol=0.01, random_state=0).set_callbacks(Checkpoint(path, every=10)).fit(X, y)
    >>> again = resume(path, X, y)
    >>> bool((again.coefs_[0] == classifier.coefs_[0]).all())
    True
    """

    def __init__(self, path: str | os.PathLike, every: int = 1, format: Literal["pickle", "skops"] = "pickle") -> None:
        check_count("every", every)
        check_choice("format", format, FORMATS)
        if format == "skops":
            _skops()
        self.path = Path(_decoded(path))
        self.every = every
        self.format = format

    def setup(self, estimator: Any, context: Any) -> None:
        """Refuse what cannot be resumed or written, before an epoch is trained in vain."""
        check_network(self, estimator)
        if not self._target.parent.is_dir():
            raise FileNotFoundError(f"Got path={str(self.path)!r}, in a folder that does not exist: make the folder first.")
        if self.path.is_dir():
            raise IsADirectoryError(f"Got path={str(self.path)!r}, which is a folder: pass the path of a file.")
        if self.path.exists() and not self.path.is_file():
            raise ValueError(f"Got path={str(self.path)!r}, which is no plain file: pass the path of a file.")
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
        if self.format == "skops":
            _refuse_what_skops_cannot_save(estimator)

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

    @property
    def _target(self):
        """The file that a symbolic link leads to, else the file itself."""
        return Path(os.path.realpath(self.path))

    def _write(self, estimator):
        """Write a file beside the old one, and then put it in its place in one step."""
        buffer = io.BytesIO()
        (_skops() if self.format == "skops" else joblib).dump(estimator, buffer)
        content = buffer.getbuffer()
        about = {"length": len(content), "format": self.format, "versions": versions()}
        about = json.dumps(about).encode() + b"\n"
        target = self._target
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with open(descriptor, "wb") as file:
                file.write(FIRST_LINE + _checksum(about, content) + about)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            # The file is closed by now, since Windows moves no open files.
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise


def _decoded(path):
    """Return a path as a str, or raise."""
    try:
        return os.fsdecode(path)
    except TypeError:
        raise TypeError(f"Got path={shown(path)}: pass a str, or a path-like object such as a pathlib.Path.") from None


def _checksum(about: bytes, content: bytes) -> bytes:
    """Return the second line: eight hexadecimal digits."""
    return f"{crc32(content, crc32(about)):08x}\n".encode()


def _skops():
    """Return the module `skops.io`, or raise."""
    try:
        import skops.io  # noqa: PLC0415 (optional)
    except ImportError as error:
        raise ImportError(
            "A checkpoint of format 'skops' needs skops, which is not installed: run pip install \"skbackprop[skops]\"."
        ) from error
    return skops.io


def _refuse_what_skops_cannot_save(estimator):
    """Raise for parameters that skops writes but cannot read again, such as a lambda: the checkpoint would be lost."""
    skops = _skops()
    try:
        content = skops.dumps(estimator.get_params(deep=False))
        skops.loads(content, trusted=skops.get_untrusted_types(data=content))
    except Exception as error:
        raise ValueError(
            f"Got a Checkpoint of format 'skops' with parameters that skops cannot save ({type(error).__name__}: {error}): "
            "use format='pickle', or parameters of types that can be imported."
        ) from error


def resume(
    path: str | os.PathLike,
    X: Data,
    y: Data | None = None,
    *,
    callbacks: Sequence = (),
    trusted: Sequence[str | type] | None = None,
    **fit_parameters: Any,
) -> Any:
    """Resume a fit from its last checkpoint; it ends exactly where it would have ended.

    Parameters
    ----------
    path : str or path-like
        The file that `Checkpoint` wrote, of either format. A pickle can run anything: pass `trusted` to refuse it, or
        resume only from files that you trust.
    X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        Inputs of the interrupted fit, in the same order.
    y : array-like, default=None
        Labels or targets of the interrupted fit.
    callbacks : sequence of callbacks, default=()
        Callbacks for the rest of the fit, such as a `Checkpoint` with the same path.
    trusted : sequence of str or type, default=None
        What a file of format "skops" may hold besides `skbackprop.TRUSTED_TYPES`, such as a loss of your own, by its class
        or as "module.name". Where it is given, be it empty, a pickle is refused.
    **fit_parameters
        What else was passed to `fit`: `sample_weight`, `X_val` and so on.

    Returns
    -------
    estimator : estimator
        The fitted estimator. A time limit (`max_time`) starts anew.

    Raises
    ------
    ValueError
        If the file is not a checkpoint, or not a whole one, or a pickle where `trusted` is given, or the samples, their
        order or what else is passed to `fit` differ from those of the interrupted fit.
    TypeError
        If `path` is no path, such as an open file, or `trusted` no list. skops' own error, a child of it, if the file names
        a type that is not trusted.
    ImportError
        If the file's format is "skops", which is not installed.
    FileNotFoundError
        If there is no such file.

    Warns
    -----
    InconsistentVersionWarning
        If another version of this package wrote it; scikit-learn's class, or a child of it.

    Examples
    --------
    See `Checkpoint`.

    >>> from skbackprop.callbacks import resume
    >>> resume("no such file", [[0.0]])
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'no such file'
    """
    if trusted is not None and not isinstance(trusted, list | tuple):
        raise TypeError(f"Got trusted={shown(trusted)}: pass a list of types, or of their names.")
    estimator = _read(_decoded(path), trusted)
    interrupted(estimator)
    if callbacks:
        estimator.set_callbacks(*callbacks)
    return estimator.fit(X, y, **fit_parameters)


def _read(path, trusted):
    """Return the estimator in a checkpoint; of what is none, no more is read than its first lines."""
    # Neither a folder nor a pipe, from which there may be nothing to read for ever.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise _refused(path, "no plain file")
    with open(path, "rb") as file:
        if file.read(len(FIRST_LINE)) != FIRST_LINE:
            raise _refused(path, "not a checkpoint that this version reads")
        checksum, about = (file.readline(LONGEST_LINE) for _ in range(2))
        try:
            length, kind = itemgetter("length", "format")(json.loads(about))
        except (ValueError, TypeError, KeyError):
            length = kind = None
        # Not more than the file has, whatever the header says.
        size = os.fstat(file.fileno()).st_size - file.tell()
        content = file.read() if length == size else None
    if content is None or checksum != _checksum(about, content):
        raise _refused(path, "a checkpoint that is cut short or damaged")
    if kind not in FORMATS:
        raise _refused(path, "not a checkpoint that this version reads")
    if kind == "pickle" and trusted is not None:
        raise ValueError(
            f"Got {path!r}, which is a pickle, with trusted={shown(trusted)}: pass a checkpoint of format 'skops', or "
            "leave trusted out and so trust all that the file holds."
        )
    load, passed_on = joblib.load, Warning
    if kind == "skops":
        load = partial(_skops().load, trusted=[*trusted_types(), *(trusted or ())])
        passed_on = Warning, _skops().exceptions.UntrustedTypesFoundException
    try:
        estimator = load(io.BytesIO(content))
        # What another version wrote may lack a parameter of this one.
        estimator.get_params(deep=False)
        holds = isinstance(estimator, BaseBackprop) and isinstance(estimator._training_state, TrainingState)
    except passed_on:
        raise
    except Exception as error:
        raise _refused(path, f"a checkpoint whose content cannot be read ({type(error).__name__}: {error})") from error
    if not holds:
        raise _refused(path, "a checkpoint of something else than a network")
    return estimator


def _refused(path, kind):
    """Return the error for a file of that kind."""
    return ValueError(f"Got {path!r}, which is {kind}: pass a file that skbackprop.callbacks.Checkpoint wrote.")
