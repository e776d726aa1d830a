"""The learning rate as a function of training's progress."""

import math

from ._part import Part

__all__ = ["SCHEDULES", "Adaptive", "Auto", "Constant", "Cosine", "InverseScaling", "OneCycle", "Schedule"]


class Schedule(Part):
    """What the training loop asks of a learning-rate schedule.

    Attributes
    ----------
    every_step : bool, default=False
        Whether the rate changes within an epoch; else it is asked for once an epoch.
    shared : tuple of str, default=()
        Names of the estimator's parameters that are this part's settings when it is asked for by name.

    Examples
    --------
    >>> from skbackprop.schedules import InverseScaling
    >>> InverseScaling(power_t=0.5).next_rate(rate=0.1, initial=0.1, samples_seen=99, epoch=9.9, progress=0.1)
    0.01
    """

    every_step = False

    def next_rate(self, rate, initial, samples_seen, epoch, progress):
        """Return the learning rate for what comes next.

        Parameters
        ----------
        rate : float
            The rate so far.
        initial : float
            `learning_rate_init`.
        samples_seen : int
            Training samples seen so far.
        epoch : float
            Epochs that lie behind, those of earlier runs included.
        progress : float or None
            Share of this call's `max_iter` epochs that lies behind, in [0, 1]; None in `partial_fit`, which has no end.
        """
        return rate

    def is_complete(self, epoch, progress):
        """Return whether the schedule has come to its end, so that `max_iter` epochs are all that was meant to be."""
        return False

    def after_plateau(self, rate):
        """Return a lower rate to go on with when training no longer improves, or None, as here, to stop."""


class Constant(Schedule):
    """The rate = `learning_rate_init`, throughout."""


class InverseScaling(Schedule):
    """learning_rate_init / (samples seen + 1)^power_t, set once an epoch (Robbins and Monro, 1951).

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent.
    """

    shared = ("power_t",)

    def __init__(self, power_t=0.5):
        self.power_t = power_t

    def next_rate(self, rate, initial, samples_seen, epoch, progress):
        """Return the learning rate for the next epoch; see `Schedule.next_rate`."""
        return initial / (samples_seen + 1) ** self.power_t


class Adaptive(Schedule):
    """The rate / 5 at each plateau, until it is at most 1e-6; `learning_rate_init` until the first."""

    def after_plateau(self, rate):
        """Return a fifth of the rate, or None below 1e-6."""
        return None if rate <= 1e-6 else rate / 5


class Cosine(Schedule):
    """Half a cosine from `learning_rate_init` to zero over `max_iter` epochs (Loshchilov and Hutter, 2017).

    Examples
    --------
    >>> from skbackprop.schedules import Cosine
    >>> [round(Cosine().next_rate(0.1, 0.1, 0, 0, progress), 3) for progress in (0, 0.5, 1)]
    [0.1, 0.05, 0.0]
    """

    every_step = True

    def next_rate(self, rate, initial, samples_seen, epoch, progress):
        """Return the learning rate for the next step; see `Schedule.next_rate`."""
        return _half_cosine(initial, 0.0, progress or 0.0)

    def is_complete(self, epoch, progress):
        """Return whether the rate has fallen to zero."""
        return progress >= 1


class OneCycle(Schedule):
    """A rise from a 25th of `learning_rate_init` to all of it, then a fall to zero, each half a cosine (Smith, 2018).

    `partial_fit`, which has no end in sight, stays at the top of the cycle.

    Parameters
    ----------
    rise : float, default=0.3
        Share of the cycle in which the rate rises.
    n_epochs : int, default=None
        Length of the cycle; by default all of `max_iter`.

    Examples
    --------
    >>> from skbackprop.schedules import OneCycle
    >>> [round(OneCycle().next_rate(0.1, 0.1, 0, 0, progress), 3) for progress in (0, 0.3, 1)]
    [0.004, 0.1, 0.0]
    """

    every_step = True

    def __init__(self, rise=0.3, n_epochs=None):
        self.rise = rise
        self.n_epochs = n_epochs

    def next_rate(self, rate, initial, samples_seen, epoch, progress):
        """Return the learning rate for the next step; see `Schedule.next_rate`."""
        done = progress if self.n_epochs is None else epoch / self.n_epochs
        if progress is None:
            done = self.rise if done is None else min(done, self.rise)
        if done < self.rise:
            return _half_cosine(initial / 25, initial, done / self.rise)
        return _half_cosine(initial, 0.0, (done - self.rise) / (1 - self.rise))

    def is_complete(self, epoch, progress):
        """Return whether the rate has fallen to zero."""
        return (progress if self.n_epochs is None else epoch / self.n_epochs) >= 1


class Auto(OneCycle):
    """One cycle (Smith, 2018) over the first 100 epochs, whatever `max_iter`, then `learning_rate_init` / 100.

    In `fit` the rate depends on nothing but the epochs done, so that training in two halves is the same as in one go.

    Examples
    --------
    >>> from skbackprop.schedules import Auto
    >>> [round(Auto().next_rate(0.1, 0.1, 0, epoch, 1.0), 3) for epoch in (0, 30, 100)]
    [0.004, 0.1, 0.001]
    """

    # Within one of a hundred epochs the rate hardly changes.
    every_step = False

    def __init__(self):
        super().__init__(n_epochs=100)

    def next_rate(self, rate, initial, samples_seen, epoch, progress):
        """Return the learning rate for the next step; see `Schedule.next_rate`."""
        return max(super().next_rate(rate, initial, samples_seen, epoch, progress), 0.01 * initial)


def _half_cosine(start, end, share):
    """Return the value at a share, in [0, 1], of the way from start to end."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


SCHEDULES = {
    "auto": Auto,
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "cosine": Cosine,
    "one_cycle": OneCycle,
}
