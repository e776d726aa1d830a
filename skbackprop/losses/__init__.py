"""Losses on raw scores: value, gradient and prediction (the link) in one class.

A loss sees the network's raw scores `Z`, before the output activation, so a saturated unit has an exact loss. Losses are
in nats where they are negative log-likelihoods; each is summed over the outputs of a sample. To use one of your own, pass
an instance of a class with the methods of `Loss`, or for regression of `RegressionLoss`, to an estimator.
"""

from ._base import Loss
from ._classification import CLASSIFICATION_LOSSES, BinaryLogLoss, CategoricalLogLoss, SigmoidSquaredError
from ._regression import (
    REGRESSION_LOSSES,
    AbsoluteError,
    GammaDeviance,
    HuberLoss,
    PoissonDeviance,
    Quantile,
    RegressionLoss,
    SquaredError,
)

__all__ = [
    "CLASSIFICATION_LOSSES",
    "REGRESSION_LOSSES",
    "AbsoluteError",
    "BinaryLogLoss",
    "CategoricalLogLoss",
    "GammaDeviance",
    "HuberLoss",
    "Loss",
    "PoissonDeviance",
    "Quantile",
    "RegressionLoss",
    "SigmoidSquaredError",
    "SquaredError",
]
