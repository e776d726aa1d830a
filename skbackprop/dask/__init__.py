"""The estimators on Dask: trained where the partitions of an array or a dataframe are, with the weights of one machine.

It needs the extra "dask". See docs/scaling.md.
"""

from ._estimators import DaskSigmoidBackpropClassifier, DaskSigmoidBackpropRegressor

__all__ = ["DaskSigmoidBackpropClassifier", "DaskSigmoidBackpropRegressor"]
