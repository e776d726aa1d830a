"""When to stop: the epochs without improvement, and the best weights."""

import math
from dataclasses import dataclass

import numpy as np

# Scores that differ by no more are equal: samples that weigh a millionth of the others should decide nothing.
EQUAL = 1e-6
# A network may learn single samples before it finds what they have in common, and validation scores fall until it does
# (Prechelt, 1998). They may recover as long as, in so many epochs, the training loss falls by such a share of the first.
FAST = 0.1
FAST_EPOCHS = 10


@dataclass
class Patience:
    """Counts the epochs without improvement and keeps the best weights."""

    # Least improvement that counts.
    tol: float
    # Epochs without one after which training has reached a plateau; int or infinity.
    n_iter_no_change: float
    # Whether of equal scores the latest is the best; whether one that is no worse than the best is an improvement if the
    # training loss has fallen, for accuracy does not see all that is learnt; whether many small steps make a large one; and
    # whether there is no plateau of validation scores while the training loss falls fast.
    latest: bool = True
    # Best score so far and the weights that went with it.
    best_score: float = -math.inf
    best_theta: np.ndarray | None = None
    # The score and the training loss that the next are compared with.
    reference_score: float = -math.inf
    reference_loss: float = math.inf
    # Epochs since the last improvement.
    count: int = 0
    # The first training loss and the latest; NaN where the scores are these themselves.
    first_loss: float = math.nan
    losses: tuple = ()

    def plateau(self, score, theta=None, loss=math.nan):
        """Take note of an epoch's score (larger is better) and, if it is the best, of `theta`; return whether to stop."""
        as_good = self.latest and score >= self.best_score - EQUAL
        # Written so that a score that is not a number counts as no improvement.
        improved = score >= self.reference_score + self.tol or (as_good and loss <= self.reference_loss - self.tol)
        self.count = 0 if improved else self.count + 1
        if score > self.best_score or as_good:
            self.best_score = max(score, self.best_score)
            if theta is not None:
                self.best_theta = theta.copy()
        if improved or not self.latest:
            self.reference_score, self.reference_loss = self.best_score, loss
        if math.isnan(self.first_loss):
            self.first_loss = loss
        self.losses = (*self.losses[-FAST_EPOCHS:], loss)
        return self.count > self.n_iter_no_change and not (self.latest and self.learns_fast)

    @property
    def learns_fast(self):
        """Whether the training loss falls fast, as far as it can be seen: a small `n_iter_no_change` may stop before."""
        known = len(self.losses) > FAST_EPOCHS
        return known and self.losses[0] - self.losses[-1] > FAST * abs(self.first_loss)
