"""The only file that knows scikit-learn's callbacks, which version 1.9 brought (and still calls experimental)."""

import copy
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from .annotations import Method

Fitted = TypeVar("Fitted")


class CallbackSupportMixin:
    """Says what is missing."""

    def set_callbacks(self: Fitted, *callbacks: Any) -> Fitted:
        """Raise: this scikit-learn has no callbacks."""
        raise ImportError("set_callbacks needs scikit-learn 1.9 or later, which has callbacks: upgrade scikit-learn.")


class ScoringMonitor:
    """Says what is missing."""

    get_logs: Callable[..., Any]

    def __init__(self, *, scoring: Any) -> None:
        raise ImportError(
            f"{type(self).__name__} needs scikit-learn 1.9 or later, which has callbacks: upgrade scikit-learn."
        )


def with_callbacks(method: Method) -> Method:
    """Return the method."""
    return method


# Type checkers go by the stand-ins: scikit-learn's own have no types.
if not TYPE_CHECKING:
    with suppress(ImportError):
        from sklearn.callback import CallbackSupportMixin, ScoringMonitor, with_callbacks

__all__ = ["CallbackBridge", "CallbackSupportMixin", "ScoringMonitor", "with_callbacks"]

# A progress bar's cost grows with the square of the number of tasks: epochs are grouped into so many at most.
MOST_TASKS = 1000


def epochs_a_task(n_epochs):
    """Return how many epochs of a fit of at most `n_epochs` make a task."""
    return -(-n_epochs // MOST_TASKS)


class CallbackBridge:
    """Tells the callbacks of an estimator of the tasks of a fit: the whole of it, and its epochs.

    Parameters
    ----------
    estimator : estimator
        The one that is fitted.
    X, y, sample_weight
        As the user passed them.
    n_parts : int
        Most epochs, or other parts, of the fit.
    parts_a_task : int, default=1
        How many of them make a task.
    """

    def __init__(self, estimator, X, y, sample_weight, n_parts, parts_a_task=1):
        self.parts_a_task = parts_a_task
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.context = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.root = estimator._init_callback_context(max_subtasks=-(-n_parts // parts_a_task))
        self.begin()

    @classmethod
    def of(cls, estimator, *arguments):
        """Return a bridge, or None for an estimator without callbacks, which then pays nothing."""
        return cls(estimator, *arguments) if getattr(estimator, "_skl_callbacks", None) else None

    def begin(self):
        """Tell of the beginning of the fit."""
        self.task, self.n_epochs = None, 0
        self.root.call_on_fit_task_begin(**self.context)

    def begin_epoch(self):
        """Tell of an epoch's beginning, if it begins a task."""
        if self.task is None:
            self.task = self.root.subcontext(task_name="epoch")
            self.task.call_on_fit_task_begin(**self.context)

    def end_epoch(self, last, snapshot):
        """Tell of an epoch's end, if it ends a task; return whether a callback wants to stop.

        Parameters
        ----------
        last : bool
            Whether no epoch will follow.
        snapshot : callable
            Returns the fitted attributes, as copies, asked for only if a callback wants to see them.
        """
        self.n_epochs += 1
        if not last and self.n_epochs % self.parts_a_task:
            return False
        self.begin_epoch()
        task, self.task = self.task, None
        return task.call_on_fit_task_end(**self.context, reconstruction_attributes=snapshot)

    def part(self, task_name):
        """Return a part of the fit that is the fit of another estimator, for `fit_part`."""
        return self.root.subcontext(task_name=task_name), self.context

    def network(self, n_epochs):
        """Return a bridge that tells of a part of the fit, the training of one of several networks, and of its epochs."""
        bridge = copy.copy(self)
        bridge.parts_a_task = epochs_a_task(n_epochs)
        bridge.root = self.root.subcontext(task_name="network", max_subtasks=-(-n_epochs // bridge.parts_a_task))
        return bridge

    def end(self):
        """Tell of the end of the fit."""
        self.root.call_on_fit_task_end(**self.context, reconstruction_attributes={})


def fit_part(estimator, X, part):
    """Fit an estimator, which may be in another process, as `part` of another's fit, if that has callbacks."""
    if part is None:
        return estimator.fit(X)
    task, context = part
    with task.propagate_callback_context(estimator):
        task.call_on_fit_task_begin(**context)
        estimator.fit(X)
    task.call_on_fit_task_end(**context)
    return estimator


def running_callbacks(estimator):
    """Return the attributes by which scikit-learn knows the callbacks of a fit that is going on."""
    names = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")
    return {name: vars(estimator)[name] for name in names if name in vars(estimator)}
