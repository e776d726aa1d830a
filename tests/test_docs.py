"""The pages are run as their readers run them: what each block of code prints is what the page says that it prints."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skbackprop
from skbackprop._estimators.docstrings import PAGES as REFERENCE

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).parents[1]
FILES = [*ROOT.glob("README.md"), *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in FILES}
PAGES = {name: text for name, text in TEXTS.items() if "```python" in text}
SLOW = {"README.md", "deploy.md", "mathematics.md", "migration.md", "start.md", "table.md", "watching.md"}
# What a page cannot do without. The output of migration.md is that of scikit-learn 1.9 beside ours.
NEEDS = {
    "deploy.md": ["skl2onnx", "onnxruntime", "skops"],
    "migration.md": ["sklearn.callback"],
    "scaling.md": ["distributed"],
    "watching.md": ["sklearn.callback", "matplotlib.pyplot"],
}

# A block of code, and the output that directly follows it, if there is any.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
# What the paragraph ahead of a block says to its readers, and what is then not compared: seconds; or numbers and spaces,
# and which entry of an array it is.
DIFFERENT = {
    "your seconds will differ": r"\d+\.\d s\b",
    "your numbers will differ": r"[\d.]+(e-\d+)?|(weights|biases) \[[\d, ]+\]| +",
}
# What distributed may say, on a busy machine, of a cluster that has ended.
LEFT_BEHIND = re.compile(r"Future exception was never retrieved\n.*TimeoutError.*\n(?:.*\n)*?TimeoutError: Timeout\n")
END = "-- the end of a block --"
SITE = REFERENCE.partition("generated/")[0]


def blocks(text):
    """For each block of a page its first line, its code, the output on the page, and the paragraph ahead of it."""
    for block in BLOCK.finditer(text):
        ahead = text[: block.start()]
        yield ahead.count("\n") + 1, block[1], block[2] or "", " ".join(ahead.rstrip().split("\n\n")[-1].split())


def run(text, folder):
    """What each block of a page prints, and what is written to stderr: warnings that readers would see, and errors."""
    lines = [""] * text.count("\n")
    for start, code, _, _ in blocks(text):
        # Each line is where it is on the page, so that a traceback has the page's line numbers.
        block = [*code.splitlines(), f"print({END!r})"]
        lines[start : start + len(block)] = block
    script = folder / "page.py"
    script.write_text("\n".join(lines), encoding="utf-8")
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(Path(skbackprop.__file__).parents[1])}
    # Readers see warnings, whatever another module has switched off for processes of its own.
    environment.pop("PYTHONWARNINGS", None)
    command = [sys.executable, script.name]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return result.stdout.split(f"{END}\n")[:-1], result.stderr


def comparable(output, ahead):
    """An output without what the page says will differ."""
    for note, pattern in DIFFERENT.items():
        if note in ahead:
            output = re.sub(pattern, "_", output)
    return output


def prose(text):
    """A page without its blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text):
    """What links to the headings of a page end with."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in PAGES])
def test_the_blocks_print_what_the_page_says(name, tmp_path):
    for module in NEEDS.get(name, []):
        pytest.importorskip(module)
    printed, errors = run(PAGES[name], tmp_path)
    assert LEFT_BEHIND.sub("", errors) == ""
    for (line, _, expected, ahead), output in zip(blocks(PAGES[name]), printed, strict=True):
        assert comparable(output, ahead) == comparable(expected, ahead), f"{name}, line {line}"


def test_no_block_is_passed_over():
    assert {"README.md", "migration.md", "mathematics.md", "start.md", "watching.md"} <= set(PAGES)
    for name, text in PAGES.items():
        found = list(blocks(text))
        assert len(found) == text.count("```py"), f"{name}: a block of code is not found"
        assert sum(bool(output) for _, _, output, _ in found) == text.count("```text"), (
            f"{name}: an output follows no block"
        )


# A link that is defined at the end of a page.
DEFINITION = re.compile(r"^\[(\w+)\]: (\S+)$", re.MULTILINE)


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name):
    folder = ROOT if name == "README.md" else ROOT / "docs"
    text = DEFINITION.sub(r"[\1](\2)", prose(TEXTS[name]))
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text)
    assert len(links) == text.count("](") - text.count("](http")
    for file, anchor in links:
        target = folder / file if file else folder / name
        assert target.exists(), f"{name}: there is no {file}"
        assert not anchor or anchor in anchors(TEXTS[target.name]), f"{name}: there is no #{anchor} in {target.name}"


def test_the_readme_links_to_the_site_where_it_stands_alone():
    """And defines each link that it uses."""
    definitions = dict(DEFINITION.findall(TEXTS["README.md"]))
    assert set(re.findall(r"\]\[(\w+)\]", TEXTS["README.md"])) == set(definitions)
    published = {"docs": "", "examples": "auto_examples/"}
    for name, target in definitions.items():
        folder, _, path = target.partition("/")
        path = path.replace("README.rst", "index.html").replace(".py", ".html").replace(".md", ".html")
        definitions[name] = SITE + published[folder] + path
    assert dict(DEFINITION.findall(TEXTS["pypi.md"])) == definitions


def test_the_reference_lists_all_that_is_public():
    pytest.importorskip("skl2onnx")
    reference = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    for module in (skbackprop, *(getattr(skbackprop, name) for name in sorted(skbackprop._MODULES))):
        for name in module.__all__:
            assert re.search(rf"^   {name}$|``{name}``", reference, re.MULTILINE), f"{module.__name__}.{name}"


def test_parameters_by_purpose_are_those_of_the_estimators():
    reference = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    table = reference.partition("     - Parameters\n")[2].partition("\n\n")[0]
    named = set(re.findall(r"\w+", " ".join(re.findall(r"^     - (.*(?:\n       .*)*)", table, re.MULTILINE))))
    estimators = [getattr(skbackprop, name) for name in skbackprop.__all__ if name.startswith("Sigmoid")]
    assert named == {name for estimator in estimators for name in inspect.signature(estimator).parameters}


PAGE_WITH_FAULTS = """Text (your seconds
will differ):

```python
print(1, "0.5 s")
```

```text
2 0.7 s
```

```python
import warnings

warnings.warn("careful", stacklevel=1)
1 / 0
```
"""


def test_what_is_not_as_the_page_says_is_found_out(tmp_path):
    printed, errors = run(PAGE_WITH_FAULTS, tmp_path)
    (_, _, expected, ahead), (_, _, nothing, _) = blocks(PAGE_WITH_FAULTS)
    assert (printed, expected, nothing) == (["1 0.5 s\n"], "2 0.7 s\n", "")
    assert (comparable(printed[0], ahead), comparable(expected, ahead)) == ("1 _\n", "2 _\n")
    assert "UserWarning: careful" in errors
    assert "line 16, in <module>" in errors
    assert "ZeroDivisionError" in errors
