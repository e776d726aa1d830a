"""What every estimator's docstring says of the parameters and attributes that all of them have, written once."""

import inspect
from textwrap import fill, indent

from .base import BaseBackprop
from .parameters import PARAMETERS, choices

WIDTH = 120


def share_documentation(cls):
    """Fill the gaps in a class's docstring: {PARAMETERS}, with their defaults here, {ATTRIBUTES}, and {LOSSES}, by name."""
    entries, signature = [], inspect.signature(cls).parameters
    for name, entry in PARAMETERS.items():
        if name in signature and entry.words:
            default = signature[name].default
            default = f'"{default}"' if isinstance(default, str) else default
            words = fill(entry.words, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
            entries.append(f"{name} : {entry.kind}, default={default}\n{words}\n")
    # Run with -OO there are no docstrings.
    text = cls.__doc__ or ""
    attributes = inspect.cleandoc(BaseBackprop.__doc__ or "").partition("Attributes\n----------\n")[2]
    for gap, shared in {"PARAMETERS": "".join(entries), "ATTRIBUTES": f"{attributes}\n"}.items():
        text = text.replace(f"    {{{gap}}}\n", indent(shared, "    "))
    if "{LOSSES}" in text:
        text = text.replace("{LOSSES}", choices(sorted(cls._parameter_constraints["loss"][0].options)))
    cls.__doc__ = text
    return cls
