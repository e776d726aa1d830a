"""Other libraries distribute searches and predictions: joblib's backends of Dask and Ray, and dask-ml."""

import joblib
import numpy as np
import pytest
from dask_helpers import data
from sklearn.model_selection import GridSearchCV

from skbackprop import SigmoidBackpropClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
GRID = {"alpha": [0.001, 1.0], "hidden_layer_sizes": [(4,), (8,)]}


def search():
    return GridSearchCV(SigmoidBackpropClassifier(max_iter=5, random_state=0), GRID, cv=3, scoring="neg_log_loss")


def assert_same_search(found, expected):
    np.testing.assert_allclose(found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"], rtol=1e-10)
    assert found.best_params_ == expected.best_params_


def test_grid_search_on_dask(client):
    X, y = data("classifier")
    with joblib.parallel_config(backend="dask"):
        found = search().fit(X, y)
    assert_same_search(found, search().fit(X, y))


@pytest.mark.slow
def test_grid_search_on_ray(run_python):
    """In a process of its own, for Ray warns of much."""
    pytest.importorskip("ray")
    script = (
        "import joblib, ray\n"
        "from ray.util.joblib import register_ray\n"
        "from sklearn.datasets import load_iris\n"
        "from sklearn.model_selection import GridSearchCV\n"
        "from skbackprop import SigmoidBackpropClassifier\n"
        "ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)\n"
        "register_ray()\n"
        "network = SigmoidBackpropClassifier(max_iter=5, random_state=0)\n"
        "search = GridSearchCV(network, {'alpha': [0.001, 1.0]}, cv=3, scoring='neg_log_loss')\n"
        "expected = search.fit(*load_iris(return_X_y=True)).cv_results_['mean_test_score']\n"
        "with joblib.parallel_config(backend='ray'):\n"
        "    found = search.fit(*load_iris(return_X_y=True)).cv_results_['mean_test_score']\n"
        "ray.shutdown()\n"
        "print(abs(found - expected).max() < 1e-12)\n"
    )
    assert run_python(script).stdout.split()[-1] == "True"


@pytest.mark.slow
def test_dask_ml(client, run_python):
    """In a process of its own, for dask-ml warns of much."""
    pytest.importorskip("dask_ml")
    script = (
        "import dask.array as da, numpy as np\n"
        "from dask_ml.wrappers import Incremental, ParallelPostFit\n"
        "from sklearn.datasets import load_iris\n"
        "from skbackprop import SigmoidBackpropClassifier\n"
        "X, y = load_iris(return_X_y=True)\n"
        "order = np.random.RandomState(0).permutation(150)\n"
        "X, y = X[order], y[order]\n"
        "blocks = da.from_array(X, chunks=(50, 4)), da.from_array(y, chunks=50)\n"
        "incremental = Incremental(SigmoidBackpropClassifier(random_state=0), shuffle_blocks=False)\n"
        "incremental.fit(*blocks, classes=[0, 1, 2])\n"
        "expected = SigmoidBackpropClassifier(random_state=0)\n"
        "for start in (0, 50, 100):\n"
        "    expected.partial_fit(X[start : start + 50], y[start : start + 50], classes=[0, 1, 2])\n"
        "print(abs(incremental.estimator_.coefs_[0] - expected.coefs_[0]).max() == 0)\n"
        "after = ParallelPostFit(SigmoidBackpropClassifier(max_iter=5, random_state=0)).fit(X, y)\n"
        "print(np.array_equal(after.predict(blocks[0]).compute(), after.estimator.predict(X)))\n"
    )
    assert run_python(script).stdout.split() == ["True", "True"]
