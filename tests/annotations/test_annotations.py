"""What a type checker makes of the package: no fault in calls that are right, and each of those that are wrong."""

import inspect
import json
import re
import runpy
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest
from sklearn.base import BaseEstimator

import skbackprop
from skbackprop import activations, initializers, losses, optimizers, schedules
from skbackprop._estimators import annotations

FOLDER = Path(__file__).parent
PACKAGE = Path(skbackprop.__file__).parent
# (The module onnx cannot be imported without its extra.)
NAMES = skbackprop._MODULES - (set() if find_spec("skl2onnx") else {"onnx"})
MODULES = [skbackprop, *(getattr(skbackprop, name) for name in sorted(NAMES))]
PUBLIC = {
    value.__qualname__: value for module in MODULES for value in map(vars(module).get, module.__all__) if callable(value)
}


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    """What pyright finds in both files in basic mode: the line and the rule, by the name of the file.

    basedpyright is pyright with its JavaScript, and Node.js to run it on: nothing is downloaded.
    """
    pytest.importorskip("basedpyright", reason="basedpyright is not installed")
    project = tmp_path_factory.mktemp("project")
    names = ["correct.py", "wrong.py"]
    for name in names:
        shutil.copy(FOLDER / name, project)
    settings = {"include": names, "typeCheckingMode": "basic", "extraPaths": [str(PACKAGE.parent)]}
    (project / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [
        sys.executable,
        "-m",
        "basedpyright",
        "--outputjson",
        "--project",
        str(project),
        "--pythonpath",
        sys.executable,
    ]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert report["summary"]["filesAnalyzed"] == len(names)
    found = {name: [] for name in names}
    for fault in report["generalDiagnostics"]:
        found[Path(fault["file"]).name].append((fault["range"]["start"]["line"] + 1, fault["rule"], fault["message"]))
    return found


@pytest.mark.slow
def test_a_type_checker_finds_no_fault_in_calls_that_are_right(faults):
    assert faults["correct.py"] == []


@pytest.mark.slow
def test_a_type_checker_finds_each_call_that_is_wrong(faults):
    lines = (FOLDER / "wrong.py").read_text().splitlines()
    planted = [(number, match[1]) for number, line in enumerate(lines, 1) if (match := re.search(r"# (report\w+)$", line))]
    assert len(planted) >= 5
    assert [(line, rule) for line, rule, _ in faults["wrong.py"]] == planted


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_calls_that_are_right_run():
    runpy.run_path(str(FOLDER / "correct.py"))


def test_the_package_says_that_it_has_types():
    assert (PACKAGE / "py.typed").exists()


@pytest.mark.parametrize(
    ("names", "table"),
    [
        (annotations.ActivationName, activations.ACTIVATIONS),
        (annotations.InitializerName, initializers.INITIALIZERS),
        (annotations.OptimizerName, optimizers.OPTIMIZERS),
        (annotations.ScheduleName, schedules.SCHEDULES),
        (annotations.ClassificationLossName, losses.CLASSIFICATION_LOSSES),
        (annotations.RegressionLossName, losses.REGRESSION_LOSSES),
    ],
)
def test_the_names_that_are_annotated_are_those_of_the_table(names, table):
    assert get_args(names) == tuple(table)


def functions_of(value):
    """The public functions of an object that this package defines: itself, or its methods, the constructor included."""
    if not inspect.isclass(value):
        return [value]
    names = [name for name in dir(value) if name == "__init__" or not name.startswith("_")]
    members = [inspect.getattr_static(value, name) for name in names]
    # A property has its function in `fget`, a class method in `__func__`, what is there on a condition alone in `fn`.
    found = [getattr(member, name) for member in members for name in ("fget", "__func__", "fn") if hasattr(member, name)]
    return [item for item in [*members, *found] if inspect.isfunction(item) and item.__module__.startswith("skbackprop.")]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_is_annotated(name):
    for function in functions_of(PUBLIC[name]):
        signature = inspect.signature(function)
        bare = [name for name, entry in signature.parameters.items() if entry.annotation is entry.empty]
        assert set(bare) <= {"self", "cls"}, function
        assert signature.return_annotation is not signature.empty, function


@pytest.mark.parametrize("name", [name for name, value in PUBLIC.items() if inspect.isclass(value)])
def test_attributes_that_are_documented_are_annotated(name):
    cls = PUBLIC[name]
    text = inspect.getdoc(cls).partition("Attributes\n----------\n")[2].partition("\n\n")[0]
    documented = set(re.findall(r"(?m)^(\w+) : ", text))
    if issubclass(cls, BaseEstimator):
        documented |= set(inspect.signature(cls).parameters)
    annotated = {name for base in cls.__mro__ for name in inspect.get_annotations(base)}
    properties = {name for name in documented if isinstance(getattr(cls, name, None), property)}
    assert documented <= annotated | properties
