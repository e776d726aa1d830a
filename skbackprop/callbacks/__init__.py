"""Callbacks of this package, for an estimator's `set_callbacks` (scikit-learn 1.9 or later), and how to resume a fit.

`ValidationMonitor` and `GradientMonitor` keep their records as scikit-learn's `ScoringMonitor` does: each run of a fit has
its own, also when the fits run in other processes.
"""

from ._checkpoint import Checkpoint, resume
from ._monitors import GradientMonitor, ValidationMonitor

__all__ = ["Checkpoint", "GradientMonitor", "ValidationMonitor", "resume"]
