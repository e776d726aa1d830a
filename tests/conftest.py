"""Data that many tests share, and the surroundings of all."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

# `python -m pytest` looks for the package beside the tests first. What is installed is tested, with its compiled engine,
# unless PYTHONPATH names this folder.
ROOT = str(Path(__file__).parents[1])
if ROOT in sys.path and ROOT not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
    position = sys.path.index(ROOT)
    sys.path.remove(ROOT)
    if find_spec("skbackprop") is None:
        sys.path.insert(position, ROOT)

# Threads would only add noise: the networks here are tiny.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
# Pictures are drawn without a window.
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# "ci" gives the same examples each time; HYPOTHESIS_PROFILE=thorough looks for new ones. A fit has no deadline.
_settings = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow], "database": None}
settings.register_profile("ci", max_examples=200, derandomize=True, **_settings)
settings.register_profile("thorough", max_examples=2000, **_settings)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# Read by a type checker; one of them would not run.
collect_ignore = ["annotations/correct.py", "annotations/wrong.py"]


def pytest_collection_modifyitems(items):
    """Examples are not run where what they need is missing; nor are pages, where the tests are without the checkout."""
    checkout = Path(ROOT, "docs").is_dir()
    for item in items:
        for module, needed in {"callbacks": "sklearn.callback", "dask": "distributed"}.items():
            if f"::skbackprop.{module}." in item.nodeid and find_spec(needed) is None:
                item.add_marker(pytest.mark.skip(reason=f"{needed} is not there"))
        if item.get_closest_marker("checkout") and not checkout:
            item.add_marker(pytest.mark.skip(reason="the pages and the examples are not beside the tests"))


@pytest.fixture(scope="session")
def targets():
    """150 samples of 6 features with targets of each kind, by name."""
    rng = np.random.RandomState(0)
    X = rng.randn(150, 6)
    binary = (X[:, 0] + X[:, 1] ** 2 > 1).astype(int)
    multiclass = np.digitize(X[:, 0] + 0.5 * rng.randn(150), [-0.5, 0.5])
    multilabel = np.column_stack([binary, X[:, 2] > 0, X[:, 3] > 0.3]).astype(int)
    return X, {"binary": binary, "multiclass": multiclass, "multilabel": multilabel}


@pytest.fixture(scope="session")
def weight():
    """Weights of the samples of `targets`."""
    return np.random.RandomState(1).uniform(0, 3, 150)


@pytest.fixture
def numpy_engine(monkeypatch):
    """For comparisons, to the last bit, with parts of one's own, with which NumPy's loop trains."""
    monkeypatch.setenv("SKBACKPROP_ENGINE", "numpy")


@pytest.fixture
def run_python(tmp_path):
    """Run a script in a fresh process, which finds the package under test and not what lies in this folder."""
    package = str(Path(find_spec("skbackprop").origin).parents[1])

    def run(script, *options, env=os.environ):
        command, env = [sys.executable, *options, "-c", script], {**env, "PYTHONPATH": package}
        result = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result

    return run


@pytest.fixture(autouse=True)
def _figures_are_closed():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
