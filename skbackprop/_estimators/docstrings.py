"""What every estimator's docstring says of the parameters and attributes that all of them have, written once."""

import inspect
from textwrap import indent

from .parameters import PARAMETERS, choices

ATTRIBUTES = """\
coefs_, intercepts_ : list of ndarray
    Weights and biases of each layer, of shapes (fan_in, fan_out) and (fan_out,).
loss_ : float
    Loss of the last epoch, penalty included: the very loss that is descended, in nats a sample if it is a likelihood's.
loss_curve_ : list of float
    Loss of each epoch, or iteration, with every solver.
best_loss_ : float or None
    Smallest value of `loss_curve_`; None with early stopping.
validation_scores_ : list of float or None
    Score of the validation samples after each epoch, larger being better (for "loss" its negative); None without any.
best_validation_score_ : float or None
    Largest of them.
n_iter_ : int
    Epochs, or iterations, of the last call.
t_ : int
    Training samples seen so far.
n_layers_, n_outputs_ : int
    Number of layers, inputs and outputs counted, and of output units (one for two classes).
out_activation_ : str
    Link from raw scores to predictions.
n_features_in_, feature_names_in_ : int and ndarray of shape (n_features_in_,)
    Number of features, and their names if they have any.
"""


def share_documentation(cls):
    """Fill the gaps in a class's docstring: {PARAMETERS}, with their defaults here, {ATTRIBUTES}, and {LOSSES}, by name."""
    entries = []
    for name, parameter in inspect.signature(cls).parameters.items():
        if name in PARAMETERS and PARAMETERS[name].text:
            kind, words = PARAMETERS[name].text.split("\n", 1)
            default = f'"{parameter.default}"' if isinstance(parameter.default, str) else parameter.default
            entries.append(f"{name} : {kind}, default={default}\n{words}")
    # Run with -OO there are no docstrings.
    text = cls.__doc__ or ""
    for gap, shared in {"PARAMETERS": "".join(entries), "ATTRIBUTES": ATTRIBUTES}.items():
        text = text.replace(f"    {{{gap}}}\n", indent(shared, "    "))
    if "{LOSSES}" in text:
        text = text.replace("{LOSSES}", choices(sorted(cls._parameter_constraints["loss"][0].options)))
    cls.__doc__ = text
    return cls
