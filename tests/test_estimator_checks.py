"""scikit-learn's own checks, in many configurations, without exceptions but one that no hold-out can pass."""

import os
import subprocess
import sys

import pytest
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from skbackprop import SigmoidBackpropClassifier

CONFIGURATIONS = [
    {},
    {"solver": "sgd"},
    {"solver": "rprop"},
    {"solver": "lbfgs"},
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (20, 10)},
    {"loss": "squared_error"},
    {"class_weight": "balanced"},
    {"activation": "relu", "init": "glorot"},
    {"activation": "silu"},
    {"fit_intercept": False},
    {"weight_decay": 0.01},
    {"early_stopping": True},
    {"early_stopping": True, "scoring": "neg_log_loss"},
    {"early_stopping": True, "scoring": None},
    {"standardize": False, "learning_rate": "constant", "batch_size": "auto"},
    {"learning_rate": "one_cycle", "clip_norm": 1.0},
    {"early_stopping": True, "solver": "lbfgs"},
]


def expected_failures(estimator):
    """What a random hold-out fails by nature, since its rows differ when rows are repeated."""
    if not estimator.early_stopping:
        return {}
    reason = "a random hold-out of repeated rows is not that of weighted rows"
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")}


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [SigmoidBackpropClassifier(**configuration) for configuration in CONFIGURATIONS],
    expected_failed_checks=expected_failures,
)
def test_scikit_learns_checks(estimator, check):
    # One check skips itself, check_array_api_input: it runs in a process of its own, below.
    check(estimator)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", [check_param_validation, check_dataframe_column_names_consistency])
def test_the_stricter_checks_that_scikit_learn_runs_on_itself(check):
    check("SigmoidBackpropClassifier", SigmoidBackpropClassifier())


def test_array_api_dispatch_switched_on_changes_nothing():
    script = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from sklearn.utils.estimator_checks import check_estimator\n"
        "from skbackprop import SigmoidBackpropClassifier\n"
        "records = check_estimator(SigmoidBackpropClassifier(), on_fail=None, on_skip=None)\n"
        "bad = [r['check_name'] for r in records if r['status'] != 'passed']\n"
        "assert len(records) > 50 and not bad, bad\n"
    )
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    result = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
