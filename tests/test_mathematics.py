"""The page on the mathematics quotes the code: each line that it quotes stands in the function that it names."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

import skbackprop

pytestmark = pytest.mark.checkout

PACKAGE = Path(skbackprop.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "mathematics.md"
TEXT = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
# "`name` in `file.py`: `line`, `line`": the quoted lines end with the sentence.
STATEMENT = re.compile(r"`([^`]+)`\s+in\s+`([^`]+\.py)`:((?:[^`.;]|`[^`]*`)*)")
STATEMENTS = [
    (TEXT.count("\n", 0, found.start()) + 1, found[1], found[2], re.findall(r"`([^`]+)`", found[3]))
    for found in STATEMENT.finditer(TEXT)
]


@cache
def parsed(path):
    """The text of a file and its syntax tree."""
    text = path.read_text(encoding="utf-8")
    return text, ast.parse(text)


def sources(path, name):
    """The sources of what has a name, such as that of a function, `Class.method` or a constant."""
    text, tree = parsed(path)
    nodes = [tree]
    for part in name.split("."):
        nodes = [child for node in nodes for child in getattr(node, "body", []) if part in names(child)]
    return [ast.get_source_segment(text, node) for node in nodes]


def names(node):
    """The names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return {target.id for target in targets if isinstance(target, ast.Name)}


def without_spaces(code):
    return "".join(code.split())


def wrong(name, file, quotes, package=PACKAGE):
    """What is wrong with a statement of the page, in words; nothing if all is right."""
    if not (package / file).is_file():
        return f"there is no file {file}"
    found = sources(package / file, name)
    if not found:
        return f"there is no {name} in {file}"
    missing = [quote for quote in quotes if not any(without_spaces(quote) in without_spaces(code) for code in found)]
    return f"not in {name} in {file}: " + ", ".join(f"`{quote}`" for quote in missing) if missing else None


@pytest.mark.slow
@pytest.mark.parametrize(("line", "name", "file", "quotes"), STATEMENTS, ids=[f"line {line}" for line, *_ in STATEMENTS])
def test_the_quoted_lines_stand_in_the_code_that_is_named(line, name, file, quotes):
    assert quotes, f"{PAGE.name}, line {line}: nothing is quoted of {name} in {file}"
    reason = wrong(name, file, quotes)
    assert reason is None, f"{PAGE.name}, line {line}: {reason}"


def test_no_statement_of_the_page_is_passed_over():
    # Whatever is said to stand in a file is checked above.
    assert len(STATEMENTS) == len(re.findall(r"\bin\s+`[^`]+\.py`", TEXT)) == TEXT.count(".py`")
    assert len(STATEMENTS) > 60


FOLDED = """Delta, see below.

:::{dropdown} In the code
- `f` in `a.py`:

  ```python
  x = 1.5
  g(x)
  ```
- the slope by `A.h` in `b.py`:

  ```python
  x.y
  ```
:::

- One.
- $z.$ two.

  :::{dropdown} In the code
  - The rest computed by `f` in `a.py`:

    ```python
    h
    ```
  :::
"""


def test_on_the_site_quoted_lines_are_folded_away():
    spec = importlib.util.spec_from_file_location("quotes", PAGE.parent / "quotes.py")
    spec.loader.exec_module(quotes := importlib.util.module_from_spec(spec))
    text = [
        "Delta, see below. Computed by `f` in `a.py`: `x = 1.5`, `g(x)`; and the slope by `A.h` in\n`b.py`: `x.y`.\n\n"
        "- One.\n- $z.$ two. The rest computed by `f` in `a.py`: `h`.\n"
    ]
    quotes.fold(None, "mathematics", text)
    assert text[0] == FOLDED.rstrip()
    page = [TEXT]
    quotes.fold(None, "mathematics", page)
    dropdowns = "".join(re.findall(r"^ *:::{dropdown}.*?^ *:::$", page[0], re.MULTILINE | re.DOTALL))
    assert dropdowns.count(".py`:\n") == page[0].count(".py`:") == len(STATEMENTS)
    for *_, quoted in STATEMENTS:
        assert all(f" {' '.join(quote.split())}\n" in dropdowns for quote in quoted)


def test_what_is_not_there_is_found_out(tmp_path):
    (tmp_path / "a.py").write_text("LIMIT = 3\n\n\nclass A:\n    def f(self):\n        return g(\n            1, 2)\n")
    assert wrong("A.f", "a.py", ["return g(1, 2)"], tmp_path) is None
    assert wrong("LIMIT", "a.py", ["LIMIT = 3"], tmp_path) is None
    assert wrong("A.f", "b.py", ["return g(1, 2)"], tmp_path) == "there is no file b.py"
    assert wrong("A.g", "a.py", ["return g(1, 2)"], tmp_path) == "there is no A.g in a.py"
    assert wrong("A.f", "a.py", ["g(1", "LIMIT = 3"], tmp_path) == "not in A.f in a.py: `LIMIT = 3`"
