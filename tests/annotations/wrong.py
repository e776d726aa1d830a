"""Calls that are wrong, each of which a type checker finds; the comment is the rule that it goes by."""
# ruff: noqa: B018, F401

from skbackprop import (
    SigmoidBackpropClasifier,  # reportAttributeAccessIssue
    SigmoidBackpropClassifier,
    SigmoidBackpropRegressor,
)
from skbackprop.preprocessing import PiecewiseLinearEncoder

X, y = [[0.0], [1.0]], [0, 1]
SigmoidBackpropClassifier(alpha="large")  # reportArgumentType
SigmoidBackpropClassifier(activation=["tanh", "rleu"])  # reportArgumentType
SigmoidBackpropClassifier(hidden_layers=(10,))  # reportCallIssue
SigmoidBackpropRegressor((10,))  # reportArgumentType
SigmoidBackpropClassifier().fit(X)  # reportCallIssue
SigmoidBackpropClassifier().fit(X, y).coef_  # reportAttributeAccessIssue
SigmoidBackpropClassifier().fit(X, y).coefs_.shape  # reportAttributeAccessIssue
SigmoidBackpropRegressor(max_iter="100")  # reportArgumentType
SigmoidBackpropRegressor().partial_fit(X, y, classes=[0, 1])  # reportCallIssue
PiecewiseLinearEncoder().fit(X).edges  # reportAttributeAccessIssue
