"""What a callback asks of the estimator that it is set on."""

from .._estimators.base import BaseBackprop


def check_network(callback, estimator):
    """Raise unless the estimator has epochs: on any other the callback would silently do nothing."""
    if not isinstance(estimator, BaseBackprop):
        raise TypeError(
            f"Got a {type(callback).__name__} on {type(estimator).__name__}, which has no epochs: set it on a network "
            "itself, such as pipeline[-1] or search.estimator."
        )
