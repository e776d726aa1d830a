"""A Sphinx extension: the lines of code that the page of mathematics quotes are folded away below their paragraph.

The page says "Computed by `name` in `file.py`: `line`, `line`." where it is read as a file. On the site such sentences
would be in the way of the equations.
"""

import re
from itertools import pairwise

STATEMENT = re.compile(
    r"(?P<lead>.*?)`(?P<name>[^`]+)`\s+in\s+`(?P<file>[^`]+\.py)`:(?P<quotes>(?:[^`;]|`[^`]*`)*)", re.DOTALL
)
# Code and mathematics, whose full stops end no sentence.
OPAQUE = re.compile(r"`[^`]*`|\$[^$]*\$")
END = re.compile(r"(?<=\.)\s+|(?<=\.\))\s+")
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def sentences(text):
    """Return the sentences of a text, each with the white space that follows it."""
    masked = OPAQUE.sub(lambda found: "x" * len(found[0]), text)
    cuts = [0, *(found.end() for found in END.finditer(masked)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


def items(sentence):
    """Return the statements of a sentence as items of a list, each with the quoted lines as a block."""
    for found in STATEMENT.finditer(sentence):
        lead = " ".join(found["lead"].split()).strip(";,. ")
        lead = re.sub(r"^(Computed by|Given by|by)$", "", lead.removeprefix("and "))
        lines = "\n".join("  " + " ".join(quote.split()) for quote in re.findall(r"`([^`]+)`", found["quotes"]))
        yield f"- {lead} `{found['name']}` in `{found['file']}`:\n\n  ```python\n{lines}\n  ```".replace("-  ", "- ")


def folded(block):
    """Return a paragraph or a list without the sentences that quote code, and these below it, folded away."""
    kept, quoted = [], []
    for sentence in sentences(block):
        found = [] if block.startswith("|") else list(items(sentence))
        quoted += found
        # A list goes on in the next line.
        kept.append(sentence if not found else "\n" if sentence.endswith("\n") else "")
    if not quoted:
        return block
    indent = " " * (len(block) - len(block.lstrip())) or "  " * block.startswith("- ")
    below = ["", ":::{dropdown} In the code", *"\n".join(quoted).split("\n"), ":::"]
    return "".join(kept).rstrip() + "\n" + "\n".join(f"{indent}{line}".rstrip() for line in below)


def fold(app, name, source):
    """Fold the quoted lines of the page of mathematics away."""
    if name != "mathematics":
        return
    parts = re.split(f"({FENCED.pattern})", source[0], flags=FENCED.flags)
    blocks = (re.split(r"(\n\s*\n)", part) if k % 2 == 0 else [part] for k, part in enumerate(parts))
    source[0] = "".join(folded(block) if k % 2 == 0 else block for part in blocks for k, block in enumerate(part))


def setup(app):
    """Register what is above."""
    app.connect("source-read", fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
