"""The learning rate as a function of training's progress."""

__all__ = ["SCHEDULES", "Adaptive", "Constant", "InverseScaling", "Schedule"]


class Schedule:
    """What the training loop asks of a learning-rate schedule.

    Attributes
    ----------
    every_step : bool, default=False
        Whether the rate changes within an epoch; else it is asked for once an epoch.

    Examples
    --------
    >>> from skbackprop.schedules import InverseScaling
    >>> InverseScaling(power_t=0.5).next_rate(rate=0.1, initial=0.1, samples_seen=99, progress=0.1)
    0.01
    """

    every_step = False

    def next_rate(self, rate, initial, samples_seen, progress):
        """Return the learning rate for what comes next.

        Parameters
        ----------
        rate : float
            The rate so far.
        initial : float
            `learning_rate_init`.
        samples_seen : int
            Training samples seen so far.
        progress : float
            Share of the planned training that lies behind, in [0, 1].
        """
        return rate

    def after_plateau(self, rate):
        """Return a lower rate to go on with when training no longer improves, or None, as here, to stop."""


class Constant(Schedule):
    """`learning_rate_init` throughout."""


class InverseScaling(Schedule):
    """learning_rate_init / (samples seen + 1)^power_t, set once an epoch (Robbins and Monro, 1951).

    Parameters
    ----------
    power_t : float, default=0.5
        The exponent.
    """

    def __init__(self, power_t=0.5):
        self.power_t = power_t

    def next_rate(self, rate, initial, samples_seen, progress):
        """Return the learning rate for the next epoch; see `Schedule.next_rate`."""
        return initial / (samples_seen + 1) ** self.power_t


class Adaptive(Schedule):
    """A fifth of the rate at each plateau, until it is at most 1e-6."""

    def after_plateau(self, rate):
        """Return a fifth of the rate, or None below 1e-6."""
        return None if rate <= 1e-6 else rate / 5


SCHEDULES = {"constant": Constant, "invscaling": InverseScaling, "adaptive": Adaptive}
