"""Looking inside training: whether the gradient is right, what a step computes, and whether the error reaches every layer.

Each function looks at one step on all the samples given, in the order given: pass a batch. They never change the
estimator. Layers are numbered from 1, the layer that the inputs feed. What the functions return prints as text in a
terminal and shows as tables in a notebook.

`fit` standardises the inputs (parameter `standardize`), so the network that is really trained sees standardised ones.
Inputs, weights, gradients and updates here are those of that network; `coefs_` and `intercepts_` are in the units of `X`,
and so differ in the first layer.
"""

from ._check import GradientCheck, LayerCheck, WorstEntry, check_gradients
from ._flow import GradientFlow, LayerFlow, gradient_flow
from ._trace import BackpropagationTrace, LayerTrace, trace_backpropagation

__all__ = [
    "BackpropagationTrace",
    "GradientCheck",
    "GradientFlow",
    "LayerCheck",
    "LayerFlow",
    "LayerTrace",
    "WorstEntry",
    "check_gradients",
    "gradient_flow",
    "trace_backpropagation",
]
