"""scikit-learn's own checks, in many configurations, without exceptions but those that are impossible by nature."""

import os
from inspect import signature

import pytest
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_inplace_ensure_writeable,
    check_param_validation,
    check_set_output_transform,
    check_set_output_transform_pandas,
    check_set_output_transform_polars,
    check_transformer_get_feature_names_out,
    check_transformer_get_feature_names_out_pandas,
    estimator_checks_generator,
)

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)

CLASSIFIERS = [
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
    {"early_stopping": "cv", "n_folds": 3},
]
REGRESSORS = [
    {},
    *({"loss": loss} for loss in ("absolute_error", "huber", "poisson", "quantile", "gamma")),
    {"solver": "sgd", "standardize_targets": False},
    {"solver": "rprop", "loss": "huber"},
    {"solver": "lbfgs"},
    {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": (20, 10), "dropout": 0.1},
    {"standardize": False, "learning_rate": "constant", "batch_size": "auto", "activation": "relu", "init": "glorot"},
    {"fit_intercept": False},
    {"hidden_layer_sizes": (20, 10)},
    {"early_stopping": True},
    {"early_stopping": True, "scoring": "r2", "solver": "lbfgs"},
    {"early_stopping": "cv"},
]
AUTOENCODERS = [
    {},
    {"loss": "huber", "solver": "rprop", "hidden_layer_sizes": (5,)},
    {"loss": "poisson", "fit_intercept": False},
    {"tied": True, "solver": "lbfgs", "loss": "absolute_error"},
    {"noise": 0.2, "standardize": False, "activation": "relu", "init": "glorot"},
    {"early_stopping": True, "tied": True, "noise": 0.2},
]
DETECTORS = [
    {},
    {"n_estimators": 1, "loss": "huber", "contamination": 0.2},
    # Well trained, for the checks want an outlier among training samples, and "auto" promises none.
    {"n_estimators": 4, "contamination": "auto", "hidden_layer_sizes": (100,), "max_iter": 100},
    {"solver": "lbfgs", "noise": 0.0},
    {"early_stopping": True, "tol": 0.01},
    {"batch_size": None, "dropout": 0.1},
]
# Small networks and few epochs, since the checks fit hundreds of times.
SMALL_CODE = {"hidden_layer_sizes": (10, 5, 10), "max_iter": 20}
SMALL_DETECTOR = {"hidden_layer_sizes": (20,), "max_iter": 30, "n_estimators": 2}
ESTIMATORS = [
    *(SigmoidBackpropClassifier(**settings) for settings in CLASSIFIERS),
    *(SigmoidBackpropRegressor(**settings) for settings in REGRESSORS),
    *(SigmoidBackpropAutoencoder(**{**SMALL_CODE, **settings}) for settings in AUTOENCODERS),
    *(SigmoidBackpropOutlierDetector(**{**SMALL_DETECTOR, **settings}) for settings in DETECTORS),
]
DEFAULTS = [
    SigmoidBackpropClassifier(),
    SigmoidBackpropRegressor(),
    SigmoidBackpropAutoencoder(**SMALL_CODE),
    SigmoidBackpropOutlierDetector(**SMALL_DETECTOR),
]


def expected_failures(estimator):
    """What randomness fails by nature, since it differs when rows are repeated; and zeros."""
    failures = {}
    if getattr(estimator, "loss", None) == "gamma":
        reason = "the check passes targets of 0, which a gamma deviance does not have"
        names = ("general", "n_iter", "preserve_dtypes")
        failures.update({f"check_transformer_{name}": reason for name in names})
    if "sample_weight" in signature(estimator.fit).parameters and (estimator.early_stopping or estimator.dropout):
        reason = "a random hold-out of repeated rows is not that of weighted rows, nor are the units that drop out for them"
        failures.update({f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")})
    return failures


# Every check runs for the defaults of each class. For the other configurations those run that train on valid data and look
# at the outcome, which parameters can change. These here depend on nothing but the class: they look at its constructor, its
# methods and its tags, or end in the validation that comes before any parameter has a say.
OF_THE_CLASS = {
    # Constructor, parameters and signatures.
    "check_array_api_input",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_fit_score_takes_y",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_outlier_contamination",
    "check_parameters_default_constructible",
    "check_regressors_no_decision_function",
    "check_set_params",
    # Used before a fit.
    "check_estimators_unfitted",
    "check_transformers_unfitted",
    # What is refused, and what is noted of the inputs.
    "check_classifiers_regression_target",
    "check_complex_data",
    "check_estimators_empty_data_messages",
    "check_estimators_nan_inf",
    "check_fit1d",
    "check_fit2d_predict1d",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_requires_y_none",
    "check_sample_weights_shape",
    # Containers that validation turns into the same arrays. (A sparse matrix stays one, so its checks are not among these.)
    "check_classifier_data_not_an_array",
    "check_classifiers_multilabel_representation_invariance",
    "check_dtype_object",
    "check_regressor_data_not_an_array",
    "check_sample_weights_list",
    "check_sample_weights_not_an_array",
    "check_sample_weights_pandas_series",
    "check_supervised_y_2d",
    "check_transformer_data_not_an_array",
}


def runs():
    """Each configuration with each check that can say something about it; slow are those that may train."""
    for configuration in ESTIMATORS:
        is_default = repr(configuration) in map(repr, DEFAULTS)
        described = "".join(repr(configuration).split())
        failures = expected_failures(configuration)
        for estimator, check in estimator_checks_generator(configuration):
            name = check.func.__name__
            if is_default or name not in OF_THE_CLASS:
                marks = [] if configuration is ESTIMATORS[0] and name in OF_THE_CLASS else [pytest.mark.slow]
                marks += [pytest.mark.xfail(reason=failures[name])] if name in failures else []
                options = ",".join(f"{key}={value}" for key, value in check.keywords.items())
                label = f"{described}-{name}({options})".removesuffix("()")
                yield pytest.param(estimator, check, marks=marks, id=label)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), list(runs()))
def test_scikit_learns_checks(estimator, check):
    # One check skips itself, check_array_api_input: it runs in a process of its own, below.
    check(estimator)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", DEFAULTS, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize(
    "check",
    [
        check_param_validation,
        check_dataframe_column_names_consistency,
        check_inplace_ensure_writeable,
        check_set_output_transform,
        check_set_output_transform_pandas,
        pytest.param(check_set_output_transform_polars, marks=pytest.mark.slow),
        check_transformer_get_feature_names_out,
        check_transformer_get_feature_names_out_pandas,
    ],
    ids=lambda check: check.__name__,
)
def test_the_stricter_checks_that_scikit_learn_runs_on_itself(estimator, check):
    if "transform" in check.__name__ and not hasattr(estimator, "transform"):
        assert isinstance(estimator, SigmoidBackpropOutlierDetector)
        return
    check(type(estimator).__name__, estimator)


@pytest.mark.slow
def test_array_api_dispatch_switched_on_changes_nothing(run_python):
    script = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from sklearn.utils.estimator_checks import check_estimator\n"
        "from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor\n"
        "for estimator in (SigmoidBackpropClassifier(), SigmoidBackpropRegressor()):\n"
        "    records = check_estimator(estimator, on_fail=None, on_skip=None)\n"
        "    bad = [r['check_name'] for r in records if r['status'] != 'passed']\n"
        "    assert len(records) > 50 and not bad, bad\n"
    )
    run_python(script, env={**os.environ, "SCIPY_ARRAY_API": "1"})
