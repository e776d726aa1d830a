"""The learning rate as a function of training's progress."""

import math

from ._part import Part

__all__ = ["SCHEDULES", "Adaptive", "Constant", "Cosine", "InverseScaling", "OneCycle", "Schedule", "WarmUp"]


class Schedule(Part):
    """What the training loop asks of a learning-rate schedule.

    One of your own is a class with the methods `next_rate` and `after_plateau`; what else is asked for is taken from here.

    Attributes
    ----------
    every_step : bool, default=False
        Whether the rate changes within an epoch; else it is asked for once an epoch.
    averages : bool, default=False
        Whether a running mean of the weights is scored and published: at a rate that never falls they do not come to
        rest.
    shared : tuple of str, default=()
        Names of the estimator's parameters that are this part's settings when it is asked for by name.

    See Also
    --------
    SCHEDULES : The schedules that have a name.

    Examples
    --------
    >>> from skbackprop.schedules import InverseScaling
    >>> InverseScaling(power_t=0.5).next_rate(rate=0.1, initial=0.1, samples_seen=99, epoch=9.9, progress=0.1, steps=9)
    0.01
    """

    every_step: bool = False
    averages: bool = False

    def next_rate(self, rate: float, initial: float, samples_seen: int, epoch: float, progress: float | None,
                  steps: int) -> float:  # fmt: skip
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
        steps : int
            Steps that lie behind, those of earlier runs included.

        Returns
        -------
        rate : float
            The learning rate of the next step, or of the next epoch.
        """
        return rate

    def rises(self, progress: float | None, steps: int) -> bool:
        """Return whether the rate has still to rise, so that it is too soon to call it a plateau.

        Parameters
        ----------
        progress : float or None
            As in `next_rate`.
        steps : int
            As in `next_rate`.

        Returns
        -------
        rises : bool
            Whether it has.
        """
        return False

    def after_plateau(self, rate: float) -> float | None:
        """Return a lower rate to go on with when training no longer improves, or None, as here, to stop.

        Parameters
        ----------
        rate : float
            The rate so far.

        Returns
        -------
        lower : float or None
            The rate from now on, or None.
        """


class Constant(Schedule):
    """The rate = `learning_rate_init`, throughout.

    The weights then do not come to rest while batches are noisy.

    See Also
    --------
    Schedule : What the training loop asks of a learning-rate schedule.
    Adaptive : The same, lowered at each plateau.

    Examples
    --------
    >>> from skbackprop.schedules import Constant
    >>> Constant().next_rate(0.1, 0.1, samples_seen=1000, epoch=10, progress=0.5, steps=100)
    0.1
    """


class InverseScaling(Schedule):
    """The rate = learning_rate_init / (samples seen + 1)^power_t, set once an epoch (Robbins and Monro, 1951).

    As in scikit-learn, where it is for "sgd".

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent.

    See Also
    --------
    Schedule : What the training loop asks of a learning-rate schedule.
    Cosine : A fall that reaches zero with the last epoch.

    Examples
    --------
    >>> from skbackprop.schedules import InverseScaling
    >>> InverseScaling().next_rate(0.1, 0.1, samples_seen=99, epoch=1, progress=0.1, steps=1)
    0.01
    """

    shared = ("power_t",)

    def __init__(self, power_t: float = 0.5) -> None:
        self.power_t = power_t

    def next_rate(self, rate: float, initial: float, samples_seen: int, epoch: float, progress: float | None,
                  steps: int) -> float:  # fmt: skip
        """Return the learning rate for the next epoch; see `Schedule.next_rate`."""
        return initial / (samples_seen + 1) ** self.power_t


class Adaptive(Schedule):
    """The rate / 5 at each plateau, until it is at most 1e-6; `learning_rate_init` until the first.

    As in scikit-learn, where it is for "sgd".

    See Also
    --------
    Schedule : What the training loop asks of a learning-rate schedule.
    Constant : The rate that does not fall.

    Examples
    --------
    >>> from skbackprop.schedules import Adaptive
    >>> Adaptive().after_plateau(0.5), Adaptive().after_plateau(1e-6)
    (0.1, None)
    """

    def after_plateau(self, rate: float) -> float | None:
        """Return a fifth of the rate, or None below 1e-6."""
        return None if rate <= 1e-6 else rate / 5


class Cosine(Schedule):
    """Half a cosine from `learning_rate_init` to zero over `max_iter` epochs (Loshchilov and Hutter, 2017).

    In `partial_fit`, which has no end in sight, the rate stays at the top.

    See Also
    --------
    Schedule : What the training loop asks of a learning-rate schedule.
    OneCycle : The same fall after a rise.

    Examples
    --------
    >>> from skbackprop.schedules import Cosine
    >>> [round(Cosine().next_rate(0.1, 0.1, 0, 0, progress, 0), 3) for progress in (0, 0.5, 1)]
    [0.1, 0.05, 0.0]
    """

    every_step = True

    def next_rate(self, rate: float, initial: float, samples_seen: int, epoch: float, progress: float | None,
                  steps: int) -> float:  # fmt: skip
        """Return the learning rate for the next step; see `Schedule.next_rate`."""
        return _half_cosine(initial, 0.0, progress or 0.0)


class OneCycle(Schedule):
    """A rise from a 25th of `learning_rate_init` to all of it, then a fall to zero, each half a cosine (Smith, 2018).

    `partial_fit`, which has no end in sight, stays at the top of the cycle.

    Parameters
    ----------
    rise : float, default=0.3
        Share of the cycle in which the rate rises.

    See Also
    --------
    Schedule : What the training loop asks of a learning-rate schedule.
    Cosine : The fall alone.

    Examples
    --------
    >>> from skbackprop.schedules import OneCycle
    >>> [round(OneCycle().next_rate(0.1, 0.1, 0, 0, progress, 0), 3) for progress in (0, 0.3, 1)]
    [0.004, 0.1, 0.0]
    """

    every_step = True

    def __init__(self, rise: float = 0.3) -> None:
        self.rise = rise

    def next_rate(self, rate: float, initial: float, samples_seen: int, epoch: float, progress: float | None,
                  steps: int) -> float:  # fmt: skip
        """Return the learning rate for the next step; see `Schedule.next_rate`."""
        if progress is None:
            return initial
        if progress < self.rise:
            return _half_cosine(initial / 25, initial, progress / self.rise)
        return _half_cosine(initial, 0.0, (progress - self.rise) / (1 - self.rise))

    def rises(self, progress: float | None, steps: int) -> bool:
        """Return whether the top of the cycle is still to come."""
        return progress is not None and progress < self.rise


class WarmUp(Schedule):
    """A linear rise to `learning_rate_init` over the first steps, and then no end (Goyal et al., 2017).

    The rate depends on nothing but the steps done, so that training in two halves is the same as in one go.

    Parameters
    ----------
    n_steps : int, default=100
        Length of the rise.

    See Also
    --------
    Schedule : What the training loop asks of a learning-rate schedule.
    Constant : The rate without the rise.

    Examples
    --------
    >>> from skbackprop.schedules import WarmUp
    >>> [WarmUp().next_rate(0.1, 0.1, 0, 0, None, steps) for steps in (0, 49, 99, 100_000)]
    [0.001, 0.05, 0.1, 0.1]
    """

    every_step = True
    averages = True

    def __init__(self, n_steps: int = 100) -> None:
        self.n_steps = n_steps

    def next_rate(self, rate: float, initial: float, samples_seen: int, epoch: float, progress: float | None,
                  steps: int) -> float:  # fmt: skip
        """Return the learning rate for the next step; see `Schedule.next_rate`."""
        return initial * min(1.0, (steps + 1) / self.n_steps)

    def rises(self, progress: float | None, steps: int) -> bool:
        """Return whether the first steps are still to come."""
        return steps < self.n_steps


def _half_cosine(start, end, share):
    """Return the value at a share, in [0, 1], of the way from start to end."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


SCHEDULES: dict[str, type[Schedule]] = {
    "auto": WarmUp,
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "cosine": Cosine,
    "one_cycle": OneCycle,
}
