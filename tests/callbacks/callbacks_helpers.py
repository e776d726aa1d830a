"""What the tests of the callbacks share."""

import warnings

import numpy as np
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning

X, y = load_iris(return_X_y=True)
X, y = X[np.random.RandomState(0).permutation(150)], y[np.random.RandomState(0).permutation(150)]
NETWORK = {"hidden_layer_sizes": (6, 5), "max_iter": 12, "random_state": 0}


class CrashError(Exception):
    """The power fails."""


class Crash:
    """Stops the fit by an exception at the end of an epoch; the checkpoint before it has been written."""

    def __init__(self, epoch):
        self.epoch = epoch

    def setup(self, estimator, context):
        """Do nothing."""

    def teardown(self, estimator, context):
        """Do nothing."""

    def on_fit_task_begin(self, estimator, context):
        """Do nothing."""

    def on_fit_task_end(self, estimator, context):
        """Crash."""
        if context.task_name == "epoch" and context.task_id + 1 == self.epoch:
            raise CrashError


def quietly(method, *arguments, **keywords):
    """Call without the warning that twelve epochs are few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return method(*arguments, **keywords)


def assert_same(one, other):
    """Weights and the record of training agree, bit for bit."""
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    for name in ("loss_curve_", "validation_scores_", "best_validation_score_", "best_loss_", "n_iter_", "t_", "loss_"):
        assert getattr(one, name) == getattr(other, name), name
