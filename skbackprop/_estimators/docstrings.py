"""What every estimator's docstring says of the parameters and attributes that all of them have, written once."""

import inspect
import re
from textwrap import fill

from .base import BaseBackprop
from .parameters import PARAMETERS, choices

WIDTH = 120
# Where a notebook's view of an estimator links to: the pages that Sphinx makes of the docstrings.
PAGES = "https://skbackprop.readthedocs.io/en/stable/generated/{estimator_module}.{estimator_name}.html"


def share_documentation(cls):
    """Fill the gaps in a class's docstring: {PARAMETERS}, with their defaults here, {ATTRIBUTES}, and {LOSSES}, by name.

    The parameters, its own among them, are put in the order of the signature. In a notebook the class links to its page,
    and shows the entry of a parameter as a tooltip.
    """
    cls._doc_link_module = "skbackprop"
    cls._doc_link_template = PAGES
    # Run with -OO there are no docstrings.
    if not cls.__doc__:
        return cls
    signature = inspect.signature(cls).parameters
    # Without indentation, which Python takes away since 3.13.
    text = inspect.cleandoc(cls.__doc__)
    names = [name for name, entry in PARAMETERS.items() if name in signature and entry.words]
    shared = [_entry(name, signature[name].default) for name in names]
    attributes = inspect.cleandoc(BaseBackprop.__doc__).partition("Attributes\n----------\n")[2]
    text = text.replace("{PARAMETERS}", "\n".join(shared)).replace("{ATTRIBUTES}", attributes)
    if "{LOSSES}" in text:
        text = text.replace("{LOSSES}", choices(sorted(cls._parameter_constraints["loss"][0].options)))
    before, title, after = text.partition("Parameters\n----------\n")
    section, blank, after = after.partition("\n\n")
    entries = re.split(r"\n(?=\w+ : )", section)
    entries.sort(key=lambda entry: list(signature).index(entry.partition(" : ")[0]))
    cls.__doc__ = "".join([before, title, "\n".join(entries), blank, after])
    return cls


def _entry(name, default):
    """Return the entry of a shared parameter: its type, its default here, and what is said of it."""
    kind, words = PARAMETERS[name].kind, PARAMETERS[name].words
    default = f'"{default}"' if isinstance(default, str) else default
    words = fill(words, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    return f"{name} : {kind}, default={default}\n{words}"
