"""What users are told of how a run ended: what is not in force yet, and the cause where it is plain."""

import tracemalloc
import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import OptimizeResult
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop._estimators import remedies
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.optimizers import LBFGS, Rprop

IRIS = load_iris(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
NOISE = np.random.RandomState(0).standard_normal((200, 5)), np.random.RandomState(1).randint(2, size=200)
# Epochs enough to tell, and steps too small to learn anything.
LAZY = {"learning_rate_init": 1e-9, "max_iter": 8, "random_state": 0}


def told(estimator, data):
    """The words of the only warning of a fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(*data)
    assert [warning.category for warning in caught] == [ConvergenceWarning]
    return str(caught[0].message)


def advice(estimator, data):
    """What is advised where nothing was learnt."""
    words = told(estimator, data)
    assert words.startswith("The network has not learnt: after ")
    return words.partition("always predicting the same; ")[2]


# What is not in force yet ----------------------------------------------------------------------------------------------

RATE = "change learning_rate_init (now 1e-09)"
ADVICE = {
    "all defaults but the rate": (SigmoidBackpropClassifier(**LAZY), CANCER, f"{RATE} or try another activation."),
    "raw features": (
        SigmoidBackpropClassifier(**LAZY, standardize=False),
        CANCER,
        f"standardise X, {RATE} or try another activation.",
    ),
    "features that the user has standardised": (
        make_pipeline(StandardScaler(), SigmoidBackpropClassifier(**LAZY, standardize=False)),
        CANCER,
        f"{RATE} or try another activation.",
    ),
    "raw sparse features": (
        SigmoidBackpropClassifier(**LAZY, standardize=False),
        (sparse.csr_array(CANCER[0]), CANCER[1]),
        f"standardise X, {RATE} or try another activation.",
    ),
    "another init": (
        SigmoidBackpropClassifier(**LAZY, init="glorot", standardize=True),
        CANCER,
        f"{RATE}, try init='auto' or try another activation.",
    ),
    "no hidden layer": (SigmoidBackpropClassifier((), **LAZY), IRIS, f"{RATE} or add a hidden layer."),
    "scikit-learn's, which has neither init nor standardize": (
        MLPClassifier(**LAZY, activation="logistic"),
        CANCER,
        f"standardise X, {RATE} or try another activation.",
    ),
    "a regressor": (
        SigmoidBackpropRegressor(**LAZY, standardize=False),
        (1e3 * DIABETES[0], DIABETES[1]),
        f"standardise X, {RATE} or try another activation.",
    ),
}


@pytest.mark.parametrize(("estimator", "data", "words"), ADVICE.values(), ids=ADVICE)
def test_only_what_is_not_in_force_is_advised(estimator, data, words):
    # Whether the loss still falls is not the same for all: more epochs are advised, or training ended on a plateau.
    network = estimator[-1] if hasattr(estimator, "steps") else estimator
    network.set_params(n_iter_no_change=6, tol=1e-2, max_iter=50)
    assert advice(estimator, data) == words


def test_more_epochs_are_advised_where_there_were_too_few():
    network = SigmoidBackpropClassifier(**LAZY, n_iter_no_change=np.inf)
    assert f"{RATE}, raise max_iter (now 8) or " in advice(network, CANCER)
    network.set_params(max_iter=10**6, max_time=0.5)
    assert f"{RATE}, raise max_time (now 0.5) or " in advice(network, CANCER)


@pytest.mark.parametrize("solver", ["rprop", Rprop()])
def test_a_solver_without_a_rate_is_not_told_to_change_it(solver):
    words = advice(SigmoidBackpropClassifier((5,), solver=solver, activation=Dead(), random_state=0, max_iter=20), NOISE)
    assert "learning_rate_init" not in words
    assert words.endswith("try another activation.")


class Dead:
    """Units that pass nothing on."""

    def forward(self, A, cache):
        A[...] = 0

    def backward(self, A, cache, delta):
        delta[...] = 0


# The penalty -----------------------------------------------------------------------------------------------------------

PENALISED = {
    "classes": (SigmoidBackpropClassifier, IRIS, {"alpha": 1000}),
    "deep": (SigmoidBackpropClassifier, IRIS, {"alpha": 10.0, "hidden_layer_sizes": (50, 50)}),
    "no hidden layer": (SigmoidBackpropClassifier, IRIS, {"alpha": 1e5, "hidden_layer_sizes": ()}),
    "another init": (SigmoidBackpropClassifier, CANCER, {"alpha": 100.0, "hidden_layer_sizes": (50, 50), "init": "glorot"}),
    "numbers": (SigmoidBackpropRegressor, DIABETES, {"alpha": 100}),
    "reconstructions": (SigmoidBackpropAutoencoder, (IRIS[0],), {"alpha": 1000, "hidden_layer_sizes": (10, 2, 10)}),
    "scikit-learn's": (MLPClassifier, load_digits(return_X_y=True), {"alpha": 10_000, "hidden_layer_sizes": (20,)}),
    "decay": (SigmoidBackpropClassifier, CANCER, {"weight_decay": 200.0}),
    "decay of sgd": (
        SigmoidBackpropClassifier,
        CANCER,
        {"weight_decay": 50.0, "solver": "sgd", "learning_rate_init": 0.01},
    ),
    "which converges in few iterations": (SigmoidBackpropClassifier, IRIS, {"alpha": 1e6, "solver": "lbfgs"}),
    "which all samples descend": (SigmoidBackpropRegressor, DIABETES, {"alpha": 1e6, "solver": "rprop"}),
    "whose steps are still far from zero": (SigmoidBackpropRegressor, DIABETES, {"alpha": 1e6, "solver": "sgd"}),
}


@pytest.mark.parametrize(("kind", "data", "parameters"), PENALISED.values(), ids=PENALISED)
def test_the_penalty_is_named_where_it_is_the_cause(kind, data, parameters):
    name, strength = next((name, parameters[name]) for name in ("alpha", "weight_decay") if name in parameters)
    words = advice(kind(**parameters, random_state=0, max_iter=60), data)
    assert words == f"the penalty holds its weights near zero: lower {name} (now {strength})."


def test_both_penalties_are_named_where_there_are_both():
    words = advice(SigmoidBackpropClassifier(alpha=100.0, weight_decay=200.0, random_state=0), CANCER)
    assert words.endswith("lower alpha (now 100.0) or lower weight_decay (now 200.0).")


@pytest.mark.parametrize(
    "parameters",
    [
        {"alpha": 0.0001},
        {"alpha": 0.01},
        {"weight_decay": 0.01},
        {"solver": "adamw"},
        {"alpha": 1.0, "hidden_layer_sizes": ()},
    ],
)
def test_the_penalty_is_not_named_where_it_is_not(parameters):
    words = advice(SigmoidBackpropClassifier(**{**LAZY, **parameters}, n_iter_no_change=np.inf), CANCER)
    assert "penalty" not in words
    assert RATE in words


def test_the_penalty_is_named_in_a_second_fit_too():
    network = SigmoidBackpropClassifier(alpha=1000, warm_start=True, random_state=0)
    assert "lower alpha" in advice(network, IRIS)
    assert "lower alpha" in advice(network, IRIS)


def test_the_penalty_is_named_where_it_has_not_done_its_work_yet():
    words = advice(MLPClassifier((10,), alpha=1e6, max_iter=60, random_state=0), IRIS)
    assert words == "the penalty is larger than all that there is to be learnt: lower alpha (now 1000000.0)."


def test_the_penalty_is_named_where_it_makes_training_diverge():
    network = MLPClassifier((10,), solver="sgd", alpha=1e6, max_iter=60, random_state=0)
    assert "diverged" in told(network, IRIS)
    assert told(network, IRIS).endswith(
        "lower alpha (now 1000000.0), lower learning_rate_init (now 0.001) or standardise X."
    )


# Other causes ----------------------------------------------------------------------------------------------------------


SAME = np.full((100, 3), 7.1)
HALVES = np.arange(100) % 2


@pytest.mark.parametrize("solver", ["adam", "sgd", "rprop", "lbfgs"])
@pytest.mark.parametrize("X", [SAME, SAME.astype(np.float32), sparse.csr_array(SAME), SAME + 1e-15 * NOISE[0][:100, :3]])
def test_features_that_do_not_vary_are_named(X, solver):
    network = SigmoidBackpropClassifier((5,), solver=solver, max_iter=30, random_state=0)
    assert advice(network, (X, HALVES)) == "all rows of X are the same: pass features that vary."


@pytest.mark.parametrize(("solver", "clip_norm"), [("adam", 1e-12), ("adamw", 1e-12), ("sgd", 1e-12), ("sgd", 1e-4)])
@pytest.mark.parametrize("max_iter", [3, 30])
def test_a_limit_on_the_gradient_is_named_where_it_keeps_the_steps_short(solver, clip_norm, max_iter):
    network = SigmoidBackpropClassifier((10,), solver=solver, clip_norm=clip_norm, max_iter=max_iter, random_state=0)
    assert advice(network, IRIS) == f"clip_norm keeps its steps short: raise clip_norm (now {clip_norm})."


@pytest.mark.parametrize("parameters", [{"clip_norm": 0.5}, {"clip_norm": 1e-12, "learning_rate_init": 1e-30}, {}])
def test_and_not_where_it_does_not(parameters):
    words = advice(SigmoidBackpropClassifier(**{**LAZY, **parameters}, n_iter_no_change=np.inf), CANCER)
    assert "clip_norm" not in words
    assert "change learning_rate_init" in words


@pytest.mark.parametrize("loss", ["huber", "absolute_error", "quantile"])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize(("value", "words"), [(1e308, "1e+308"), (-1e100, "-1e+100")])
def test_a_target_far_from_all_others_is_named(loss, solver, value, words):
    y = DIABETES[1].copy()
    y[5] = value
    network = SigmoidBackpropRegressor(loss, (10,), solver=solver, max_iter=20, random_state=0)
    assert advice(network, (DIABETES[0], y)) == (
        f"values far from all others, such as {words}, make most of that loss: correct them in y, or leave them out."
    )


def test_a_feature_far_from_all_others_is_named():
    X = DIABETES[0].copy()
    X[3] = 1e100
    words = advice(SigmoidBackpropRegressor(hidden_layer_sizes=(10,), max_iter=30, random_state=0), (X, DIABETES[1]))
    assert words.startswith("check X for extreme values, such as 1e+100, ")


@pytest.mark.parametrize("name", ["standardize_targets", "MLPRegressor"])
def test_tiny_targets_are_to_be_standardised(name):
    settings = {"hidden_layer_sizes": (10,), "max_iter": 20, "random_state": 0}
    network = MLPRegressor(**settings) if name == "MLPRegressor" else SigmoidBackpropRegressor(**settings, **{name: False})
    assert "standardise y" in advice(network, (DIABETES[0], 1e-7 * DIABETES[1]))
    # Of a constant there is nothing to learn.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network.set_params(tol=1.0, n_iter_no_change=7).fit(DIABETES[0], np.full(len(DIABETES[0]), 0.1))


HOLDING = {
    "dropout": {"dropout": 0.999},
    "epsilon": {"epsilon": 1e6},
    "tol": {"tol": 10.0, "solver": "lbfgs"},
    "power_t": {"power_t": 50.0, "learning_rate": "invscaling", "solver": "sgd", "learning_rate_init": 1e-9},
}


@pytest.mark.parametrize("name", HOLDING)
def test_other_settings_that_hold_a_network_back_are_named(name):
    network = SigmoidBackpropClassifier((10,), **HOLDING[name], max_iter=20, random_state=0)
    assert advice(network, IRIS) == f"lower {name} (now {HOLDING[name][name]})."


def test_early_stopping_that_keeps_weights_of_the_base_rate_says_so():
    generator = np.random.RandomState(0)
    noise = generator.standard_normal((200, 5)), generator.randint(2, size=200)
    network = SigmoidBackpropClassifier((10,), early_stopping=True, random_state=0)
    assert advice(network, noise) == (
        "what it learnt later did not hold on the validation samples, so that early weights are kept: pass more samples or "
        "better features."
    )
    # The labels are learnt by heart all the same.
    assert network.loss_ < 0.68
    # A few accuracies may hide what is learnt.
    network = MLPClassifier((20,), early_stopping=True, max_iter=40, random_state=0)
    assert advice(network, CANCER).endswith("kept: standardise X, pass more samples or better features.")


QUIET = [(SigmoidBackpropClassifier, IRIS), (SigmoidBackpropClassifier, CANCER), (SigmoidBackpropRegressor, DIABETES)]


@pytest.mark.parametrize(
    "settings", [{}, {"early_stopping": True}, {"solver": "lbfgs"}, {"alpha": 1.0}, {"clip_norm": 0.01}]
)
@pytest.mark.parametrize(("kind", "data"), QUIET, ids=["iris", "cancer", "diabetes"])
def test_a_network_that_learns_is_not_told_that_it_does_not(kind, data, settings):
    for max_iter in (2, 30):
        network = kind(hidden_layer_sizes=(5,), max_iter=max_iter, random_state=0, **settings)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            network.fit(*data)
        assert not any("not learnt" in str(warning.message) for warning in caught)


def test_advice_is_made_where_there_is_something_to_warn_of(monkeypatch):
    monkeypatch.delattr(remedies, "_some_rows")
    network = SigmoidBackpropClassifier(**LAZY, standardize=False).set_params(max_iter=1)
    assert "max_iter" in told(network, CANCER)
    with pytest.raises(NameError, match="_some_rows"):
        network.set_params(max_iter=6).fit(*CANCER)


def test_advice_makes_no_copy_of_the_data():
    X = np.random.RandomState(0).standard_normal((50_000, 20)) + 1
    network = SigmoidBackpropClassifier((1,), **LAZY, standardize=False, batch_size=1000).set_params(max_iter=6)
    tracemalloc.start()
    try:
        assert "standardise X" in advice(network, (X, np.arange(50_000) % 2))
        assert tracemalloc.get_traced_memory()[1] < X.nbytes / 2
    finally:
        tracemalloc.stop()


# Other ends of a run ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"init": "glorot"}, "lower learning_rate_init (now 1000.0) or standardise X."),
        ({"init": "glorot", "standardize": True}, "lower learning_rate_init (now 1000.0)."),
        ({}, "lower learning_rate_init (now 1000.0)."),
    ],
)
def test_a_network_that_diverges_is_told_what_is_not_in_force(parameters, words):
    network = SigmoidBackpropRegressor(
        hidden_layer_sizes=(10, 10), activation="relu", solver="sgd", learning_rate="constant", learning_rate_init=1000.0,
        clip_norm=None, batch_size=20, standardize_targets=False, random_state=0, **parameters
    )  # fmt: skip
    found = told(network, (1e4 * DIABETES[0], 1e4 * DIABETES[1]))
    assert "not finite" in found or "diverged" in found
    assert found.endswith(words)


@pytest.mark.parametrize(
    ("standardize", "words"),
    [(True, "raise max_fun (now 3) or raise tol."), (False, "raise max_fun (now 3), raise tol or standardise X.")],
)
def test_lbfgs_is_told_to_standardise_only_what_is_not(standardize, words):
    network = SigmoidBackpropClassifier(solver="lbfgs", max_fun=3, standardize=standardize, random_state=0)
    assert told(network, CANCER).endswith(words)


class Stuck(LBFGS):
    """Finds no better point after a few."""

    def minimize(self, *arguments):
        return OptimizeResult({**super().minimize(*arguments), "status": 2, "nit": 3})


def test_where_no_better_point_was_found_more_evaluations_are_not_advised():
    words = told(SigmoidBackpropClassifier(solver=Stuck(), max_iter=20, random_state=0), CANCER)
    assert words == "Training stopped before it converged, for want of a better point: raise tol."


def test_scikit_learns_regressor_is_not_told_of_parameters_that_it_does_not_have():
    network = MLPRegressor(solver="sgd", learning_rate_init=1e-12, max_iter=10, random_state=0, n_iter_no_change=20)
    assert "init='auto'" not in told(network, DIABETES)
