"""Rules about the code: imports point down, modules and functions stay small, what is public is documented."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import skbackprop

PACKAGE = Path(skbackprop.__file__).parent
# What lies where: the folders are the floors, the modules beside them are named here. Nothing imports from a higher floor.
FLOORS = {
    **dict.fromkeys(("_blas", "_part", "activations", "initializers", "losses", "optimizers", "schedules"), 0),
    **dict.fromkeys(("_engine", "functional"), 1),
    "_estimators": 2,
    **dict.fromkeys(("callbacks", "display", "inspection"), 3),
}
ALLOWED = {
    0: {"numpy", "scipy"},
    1: {"numpy", "scipy"},
    2: {"numpy", "scipy", "sklearn", "joblib", "threadpoolctl"},
    3: {"numpy", "scipy", "sklearn", "joblib", "matplotlib"},
}
STANDARD_LIBRARY = {
    "abc",
    "copy",
    "dataclasses",
    "functools",
    "html",
    "inspect",
    "io",
    "itertools",
    "math",
    "numbers",
    "os",
    "pathlib",
    "re",
    "sys",
    "tempfile",
    "textwrap",
    "time",
    "typing",
    "warnings",
    "zlib",
}

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def name_of(path):
    """The dotted name of a module, below the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Modules that a module imports: those of the package dotted, with a dot in front; of others the top-level name."""
    package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) + 1 - node.level]
            yield "." + ".".join([*base, *([node.module] if node.module else [])])
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def floor_of(name):
    return FLOORS[name.split(".")[0]]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path):
    floor = floor_of(name_of(path))
    for name in imports(path):
        if name.startswith("."):
            assert floor_of(name[1:]) <= floor, f"{name_of(path)} imports {name} from a higher floor"
        else:
            assert name in ALLOWED[floor] | STANDARD_LIBRARY, f"{name_of(path)} imports {name}"


def test_no_module_imports_itself_in_a_circle():
    graph = {name_of(path): {name[1:] for name in imports(path) if name.startswith(".")} for path in MODULES}
    while graph:
        leaves = {name for name, needs in graph.items() if not needs & graph.keys()}
        assert leaves, f"a circle among {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in leaves}


def test_the_package_shows_its_architecture_at_a_glance():
    assert len([path for path in PACKAGE.iterdir() if path.name != "__pycache__"]) <= 16
    for folder in {path.parent for path in MODULES} - {PACKAGE}:
        assert folder.parent == PACKAGE, "no second level of folders"
        assert len(list(folder.glob("*.py"))) > 2, "no folder of one file"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_is_longer_than_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_is_longer_than_60_lines_docstring_apart(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) else None
            length = node.end_lineno - node.lineno + 1
            length -= docstring.end_lineno - docstring.lineno + 1 if docstring else 0
            assert length <= 60, f"{name_of(path)}.{node.name} has {length} lines"


def public_modules():
    """Modules without underscore."""
    for module in pkgutil.iter_modules([str(PACKAGE)]):
        if not module.name.startswith("_"):
            yield importlib.import_module(f"skbackprop.{module.name}")


@pytest.mark.parametrize("module", [skbackprop, *public_modules()], ids=lambda module: module.__name__)
def test_public_modules_say_what_is_public(module):
    assert module.__doc__
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert hasattr(module, name)
    own = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }
    assert own <= set(module.__all__)


def public_objects():
    """Public functions and classes."""
    for module in (skbackprop, *public_modules()):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) or inspect.isclass(value):
                yield value


@pytest.mark.parametrize("value", {id(v): v for v in public_objects()}.values(), ids=lambda value: value.__qualname__)
def test_public_objects_are_documented(value):
    text = inspect.getdoc(value)
    parameters = [name for name in inspect.signature(value).parameters if name not in {"args", "kwargs"}]
    for name in parameters:
        assert name in text, f"{value.__qualname__} does not document {name}"
    if inspect.isfunction(value):
        assert "Examples\n--------" in text
        assert "Returns\n-------" in text


def test_nothing_heavy_is_imported_with_the_package():
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    script = (
        "import sys, skbackprop; print([m for m in ('torch', 'pandas', 'matplotlib', 'dask', 'onnx') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    # scikit-learn itself may import pandas where it is installed.
    assert set(ast.literal_eval(result.stdout)) <= {"pandas"}
