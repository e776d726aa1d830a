"""Rules about the code: imports point down, modules and functions stay small, what is public is documented."""

import ast
import importlib
import inspect
import json
import pkgutil
import sys
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import pytest

import skbackprop
from skbackprop._estimators.callback_bridge import CallbackSupportMixin, ScoringMonitor

PACKAGE = Path(skbackprop.__file__).parent
# What lies where: the folders are the floors, the modules beside them are named here. Nothing imports from a higher floor.
FLOORS = {
    **dict.fromkeys(("_blas", "_part", "activations", "initializers", "losses", "optimizers", "schedules"), 0),
    **dict.fromkeys(("_engine", "functional"), 1),
    **dict.fromkeys(("_estimators", "neural_network", "preprocessing"), 2),
    **dict.fromkeys(("callbacks", "dask", "display", "export", "inspection", "onnx", "playground"), 3),
}
ALLOWED = {
    0: {"numpy", "scipy"},
    1: {"numpy", "scipy"},
    2: {"numpy", "scipy", "sklearn", "joblib", "threadpoolctl"},
    3: {"numpy", "scipy", "sklearn", "joblib", "matplotlib", "onnx", "skl2onnx", "skops", "dask", "distributed", "pandas"},
}
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = [path for path in FILES if path != PACKAGE / "__init__.py"]
PUBLIC = sorted(module.name for module in pkgutil.iter_modules([str(PACKAGE)]) if not module.name.startswith("_"))
# What a module cannot be imported without.
NEEDS = {"onnx": "skl2onnx"}
MISSING = {name for name, needed in NEEDS.items() if find_spec(needed) is None}


def name_of(path):
    """The dotted name of a module, below the package; that of the package itself is empty."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def label(path):
    return str(path.relative_to(PACKAGE))


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
            assert name in ALLOWED[floor] | sys.stdlib_module_names, f"{name_of(path)} imports {name}"


def test_no_module_imports_itself_in_a_circle():
    graph = {name_of(path): {name[1:] for name in imports(path) if name.startswith(".")} for path in MODULES}
    while graph:
        leaves = {name for name, needs in graph.items() if not needs & graph.keys()}
        assert leaves, f"a circle among {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in leaves}


def test_the_package_shows_its_architecture_at_a_glance():
    # Neither is code: py.typed tells type checkers that there are annotations.
    assert len([path for path in PACKAGE.iterdir() if path.name not in {"__pycache__", "py.typed"}]) <= 20
    for folder in {path.parent for path in MODULES} - {PACKAGE}:
        assert folder.parent == PACKAGE, "no second level of folders"
        assert len(list(folder.glob("*.py"))) > 2, "no folder of one file"


@pytest.mark.parametrize("path", FILES, ids=label)
def test_no_file_is_longer_than_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", FILES, ids=label)
def test_no_function_is_longer_than_60_lines_docstring_apart(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) else None
            length = node.end_lineno - node.lineno + 1
            length -= docstring.end_lineno - docstring.lineno + 1 if docstring else 0
            assert length <= 60, f"{label(path)}: {node.name} has {length} lines"


def classes():
    """Every class that the package defines, by its dotted name."""
    for path in (path for path in FILES if name_of(path).split(".")[0] not in MISSING):
        module = importlib.import_module(".".join(filter(None, ["skbackprop", name_of(path)])))
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                yield f"{module.__name__}.{value.__qualname__}", value


def is_method(value):
    """Whether a class's attribute is a function, bare or as a property or the like; `available_if` has its own in `fn`."""
    kinds = (property, cached_property, classmethod, staticmethod)
    return inspect.isfunction(value) or isinstance(value, kinds) or inspect.isfunction(getattr(value, "fn", None))


def methods_of(value):
    """The methods and properties that a class has from this package, by name.

    What stands in for a class that an old scikit-learn lacks is not of this package.
    """
    package = [cls for cls in value.__mro__ if cls.__module__.split(".")[0] == "skbackprop"]
    own = [cls for cls in package if cls not in (CallbackSupportMixin, ScoringMonitor)]
    return {name: method for cls in reversed(own) for name, method in vars(cls).items() if is_method(method)}


CLASSES = dict(classes())


@pytest.mark.parametrize("name", CLASSES)
def test_no_class_has_more_than_25_methods(name):
    """Private ones and properties count, and those that it inherits from classes of this package."""
    methods = methods_of(CLASSES[name])
    assert len(methods) <= 25, f"{name} has {len(methods)}: {sorted(methods)}"


def public_modules():
    """Modules without underscore."""
    for name in sorted(set(PUBLIC) - MISSING):
        yield importlib.import_module(f"skbackprop.{name}")


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
        if inspect.signature(value).return_annotation is not None:
            assert "Returns\n-------" in text


# What scikit-learn leaves out where it validates its own docstrings: a return value may have a name, a docstring begins on
# its first line.
IGNORED = {"RT02", "GL01", "GL02"}
# An extended summary, examples and "See Also" are for classes; a property has no parameters.
OF_CLASSES = {"ES01", "EX01", "SA01"}
OF_PROPERTIES = {"PR02", "GL08"}
# The methods of callbacks are documented by scikit-learn's protocol.
HOOKS = {"setup", "teardown", "on_fit_task_begin", "on_fit_task_end"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("value", {id(v): v for v in public_objects()}.values(), ids=lambda value: value.__qualname__)
def test_numpydoc_finds_no_fault_with_public_docstrings(value):
    """By the rules that scikit-learn has for its own."""
    from numpydoc.validate import validate  # noqa: PLC0415 (slow)

    path = f"{value.__module__}.{value.__qualname__}"
    ignored = {path: IGNORED if inspect.isclass(value) else IGNORED | OF_CLASSES}
    for name, method in methods_of(value).items() if inspect.isclass(value) else ():
        if not name.startswith("_") and name not in HOOKS:
            ignored[f"{path}.{name}"] = IGNORED | OF_CLASSES | (OF_PROPERTIES if isinstance(method, property) else set())
    faults = [
        (path, *fault) for path, codes in ignored.items() for fault in validate(path)["errors"] if fault[0] not in codes
    ]
    assert not faults


def test_every_public_module_is_reached_with_the_package_and_nothing_heavy_is_imported(run_python):
    """In a fresh process, where no other test has imported a module before."""
    script = (
        "import json, sys, skbackprop\n"
        f"names, needy = {PUBLIC}, {sorted(NEEDS)}\n"
        "listed = [name for name in names if name in dir(skbackprop)]\n"
        "found = {name: f'skbackprop.{name}' if name in needy else getattr(skbackprop, name).__name__ for name in names}\n"
        "reached = [name for name in names if found[name] == f'skbackprop.{name}']\n"
        "heavy = 'torch', 'pandas', 'matplotlib', 'dask', 'distributed', 'onnx'\n"
        "heavy = [name for name in heavy if name in sys.modules]\n"
        "print(json.dumps([listed, reached, heavy]))\n"
    )
    listed, reached, heavy = json.loads(run_python(script).stdout)
    assert listed == reached == PUBLIC
    # scikit-learn itself may import pandas where it is installed.
    assert set(heavy) <= {"pandas"}
