"""The autoencoder: reconstructions as good as the best linear ones, tied weights, clean targets, a code with names."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from scipy.optimize import check_grad
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropAutoencoder
from skbackprop._engine.descent import tie
from skbackprop._engine.network import Network
from skbackprop._engine.objective import Objective
from skbackprop._engine.penalty import Penalty
from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import INITIALIZERS
from skbackprop.losses import HuberLoss, PoissonDeviance, Quantile, SquaredError

X, y = load_breast_cancer(return_X_y=True)
X = X[:, :8]
counts = load_digits().data[:300, 10:30]


# Few epochs are enough here; what the warnings say is tested where they are raised.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(**parameters):
    """A small network of few epochs."""
    return SigmoidBackpropAutoencoder(**{"hidden_layer_sizes": (7, 3, 7), "max_iter": 10, "random_state": 0, **parameters})


def assert_same_weights(one, other):
    """Weights agree bit for bit."""
    for a, b in zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)


# Code and reconstruction ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tied", [False, True])
def test_a_linear_autoencoder_reconstructs_as_well_as_principal_components(tied):
    standardised = StandardScaler().fit_transform(X)
    linear = make(
        activation="identity", hidden_layer_sizes=(3,), solver="lbfgs", alpha=0, max_iter=3000, tol=1e-7, tied=tied
    )
    linear.fit(X)
    components = PCA(3).fit(standardised)
    best = np.sum((standardised - components.inverse_transform(components.transform(standardised))) ** 2, axis=1)
    assert -2 * linear.score(X) == pytest.approx(best.mean(), rel=1e-4)
    np.testing.assert_allclose(-2 * linear.score_samples(X), best, atol=0.02 * best.max())


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "poisson", "gamma", Quantile(0.3)])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("tied", [True, False])
def test_the_decoded_code_is_the_reconstruction_that_is_judged(loss, standardize, tied):
    inputs = counts + 1.0
    autoencoder = make(loss=loss, standardize=standardize, tied=tied, max_iter=3).fit(inputs)
    reconstruction = autoencoder.inverse_transform(autoencoder.transform(inputs))
    assert reconstruction.shape == inputs.shape
    # Each loss by its definition, on targets scaled as its docstring says.
    location, scale = np.zeros(20), np.ones(20)
    if standardize:
        if loss in {"poisson", "gamma"}:
            scale = inputs.mean(axis=0)
        elif loss == "squared_error":
            location, scale = inputs.mean(axis=0), inputs.std(axis=0)
        else:
            quartiles = np.quantile(inputs, [0.25, 0.5, 0.75], axis=0, method="inverted_cdf")
            location, scale = quartiles[1], (quartiles[2] - quartiles[0]) / 1.349
            scale = np.where(scale > 0, scale, np.sqrt(np.mean((inputs - location) ** 2, axis=0)))
        scale = np.where(scale > 0, scale, 1)
    target, judged = (inputs - location) / scale, (reconstruction - location) / scale
    error = target - judged
    expected = {
        "squared_error": lambda: error**2 / 2,
        "absolute_error": lambda: np.abs(error),
        "huber": lambda: np.where(np.abs(error) < 1.35, error**2 / 2, 1.35 * (np.abs(error) - 0.675)),
        "poisson": lambda: target * np.log(target / judged) - target + judged,
        "gamma": lambda: np.log(judged / target) + target / judged - 1,
    }.get(loss, lambda: np.where(error > 0, 0.3 * error, -0.7 * error))()
    np.testing.assert_allclose(-autoencoder.score_samples(inputs), expected.sum(axis=1), rtol=1e-6, atol=1e-9)
    assert autoencoder.score(inputs) == pytest.approx(-expected.sum(axis=1).mean())


def test_the_code_is_the_narrowest_layer_by_the_formula():
    autoencoder = make(hidden_layer_sizes=(7, 3, 5, 3, 6), standardize=False).fit(X / X.max(axis=0))
    A = X / X.max(axis=0)
    for coef, intercept in zip(autoencoder.coefs_[:2], autoencoder.intercepts_[:2], strict=True):
        A = expit(A @ coef + intercept)
    np.testing.assert_allclose(autoencoder.transform(X / X.max(axis=0)), A, rtol=1e-9)
    np.testing.assert_array_equal(make().fit_transform(X), make().fit(X).transform(X))


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["sgd", "adam", "rprop", "lbfgs"])
@pytest.mark.parametrize("tied", [False, True])
def test_every_solver_learns_and_the_loss_reported_is_the_score(solver, tied):
    autoencoder = make(solver=solver, tied=tied, max_iter=60, alpha=0, learning_rate_init=0.01).fit(X)
    assert -2 * autoencoder.score(X) < 0.6 * X.shape[1]
    if solver == "lbfgs":
        assert autoencoder.loss_ == pytest.approx(-autoencoder.score(X))


def test_units_of_the_features_do_not_matter():
    units = np.logspace(-6, 6, 8)
    np.testing.assert_allclose(make().fit(units * X).transform(units * X), make().fit(X).transform(X), rtol=1e-6)


# Tied weights --------------------------------------------------------------------------------------------------------


def standardised_weights(autoencoder):
    """The weights as if features and reconstructions were standardised, from the user's data alone."""
    coefs = [coef.copy() for coef in autoencoder.coefs_]
    scale = X.std(axis=0)
    coefs[0] *= scale[:, np.newaxis]
    coefs[-1] /= scale
    return coefs


@pytest.mark.slow
@pytest.mark.parametrize(
    "solver", ["adam", "lbfgs", pytest.param("sgd", marks=pytest.mark.slow), pytest.param("rprop", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("hidden_layer_sizes", [(3,), (7, 7), (7, 3, 7), (6, 4, 4, 6)])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"alpha": 1.0, "early_stopping": True},
        pytest.param({"init": "glorot", "standardize": True}, marks=pytest.mark.slow),
    ],
)
def test_the_decoder_is_the_encoder_transposed(solver, hidden_layer_sizes, settings):
    autoencoder = make(solver=solver, hidden_layer_sizes=hidden_layer_sizes, tied=True, warm_start=True, **settings).fit(X)
    for _ in range(2):
        coefs = standardised_weights(autoencoder)
        for encoder, decoder in zip(coefs[: len(coefs) // 2], coefs[::-1], strict=False):
            np.testing.assert_allclose(decoder, encoder.T, rtol=1e-9, atol=1e-12)
        autoencoder.fit(X)


@pytest.mark.parametrize(
    "settings", [{"dropout": 0.2}, {"weight_decay": 0.01}, {"clip_norm": 0.1}, {"noise": 0.3}], ids=str
)
def test_what_changes_a_step_leaves_weights_tied(settings):
    coefs = standardised_weights(make(tied=True, **settings).fit(X))
    np.testing.assert_allclose(coefs[-1], coefs[0].T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"solver": "sgd"}, {"solver": "rprop"}, {"early_stopping": True}], ids=str)
def test_free_weights_are_tied_by_a_warm_start(settings):
    autoencoder = make(warm_start=True, **settings).fit(X)
    coefs = standardised_weights(autoencoder)
    assert not np.allclose(coefs[-1], coefs[0].T)
    coefs = standardised_weights(autoencoder.set_params(tied=True).fit(X))
    np.testing.assert_allclose(coefs[-1], coefs[0].T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("hidden", [(3,), (5, 5), (5, 2, 5)])
@pytest.mark.parametrize("activation", ["logistic", "tanh", "silu"])
def test_the_projected_gradient_is_that_of_the_loss_among_tied_networks(hidden, activation):
    network = Network((4, *hidden, 4), [ACTIVATIONS[activation]] * len(hidden), True, np.dtype(float))
    network.initialize(INITIALIZERS["uniform"], np.random.RandomState(0))
    tie(network.coefs)
    objective = Objective(network, SquaredError(), Penalty(network, 0.3))
    inputs = np.random.RandomState(1).randn(9, 4)
    # An orthonormal basis of the tied networks: the projections of all unit vectors span it.
    vectors = np.eye(network.theta.size)
    for vector in vectors:
        tie(network.layer_views(vector)[0])
    basis = np.linalg.svd(vectors)[2][: np.linalg.matrix_rank(vectors)]
    assert len(basis) < network.theta.size
    start = basis @ network.theta
    np.testing.assert_allclose(start @ basis, network.theta, atol=1e-12)

    def value(coordinates):
        network.theta[:] = coordinates @ basis
        return objective(inputs, inputs)

    def gradient(coordinates):
        value(coordinates)
        tie(network.layer_views(objective.gradient)[0])
        # It lies in the subspace: nothing is lost in its coordinates.
        np.testing.assert_allclose(basis @ objective.gradient @ basis, objective.gradient, atol=1e-12)
        return basis @ objective.gradient

    assert check_grad(value, gradient, start) < 1e-6


# Noise ---------------------------------------------------------------------------------------------------------------


def test_noise_is_on_the_inputs_while_targets_stay_clean():
    linear = {
        "activation": "identity",
        "hidden_layer_sizes": (8,),
        "alpha": 0,
        "learning_rate_init": 0.01,
        "batch_size": 64,
    }
    linear |= {"learning_rate": "auto", "max_iter": 400, "standardize": False, "tol": 0, "n_iter_no_change": np.inf}
    inputs = np.random.RandomState(0).randn(500, 8) * np.sqrt([4, 4, 4, 4, 1, 1, 1, 1])
    autoencoder = make(noise=1.0, **linear).fit(inputs)
    # The best linear map from x + noise to x is C (C + I)^-1 (Wiener, 1949).
    covariance = inputs.T @ inputs / 500
    wiener = covariance @ np.linalg.inv(covariance + np.eye(8))
    np.testing.assert_allclose(autoencoder.coefs_[0] @ autoencoder.coefs_[1], wiener, atol=0.1)
    free = make(**linear).fit(inputs)
    np.testing.assert_allclose(free.coefs_[0] @ free.coefs_[1], np.eye(8), atol=0.05)


def test_learnt_from_noisy_inputs_a_network_removes_noise():
    inputs = StandardScaler().fit_transform(X)
    noisy = inputs + 0.5 * np.random.RandomState(1).randn(*inputs.shape)
    errors = []
    for noise in (0.0, 0.5):
        autoencoder = make(noise=noise, hidden_layer_sizes=(50,), max_iter=100, standardize=False, alpha=0).fit(inputs)
        errors.append(np.mean((autoencoder.inverse_transform(autoencoder.transform(noisy)) - inputs) ** 2))
    assert errors[1] < 0.7 * min(errors[0], 0.25)


@pytest.mark.parametrize("solver", ["rprop", "lbfgs"])
def test_a_solver_of_one_unchanging_loss_refuses_noise(solver):
    with pytest.raises(ValueError, match=f"Got noise=0.1 with solver='{solver}'"):
        make(noise=0.1, solver=solver).fit(X)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"noise": 0.3},
        {"noise": 0.3, "dropout": 0.2, "tied": True},
        {"noise": 0.3, "early_stopping": True, "shuffle": False},
        {"noise": 0.3, "batch_size": len(X)},
        {"loss": "huber", "tied": True, "early_stopping": True},
        {"solver": "rprop", "tied": True},
        {"solver": "sgd", "tied": True, "weight_decay": 0.01, "loss": "poisson"},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ten_epochs_equal_five_and_a_warm_start_of_five(settings, dtype):
    inputs = X.astype(dtype)
    straight = make(**settings).fit(inputs)
    resumed = make(max_iter=5, warm_start=True, **settings).fit(inputs)
    resumed = pickle.loads(pickle.dumps(resumed)).fit(inputs)
    assert_same_weights(resumed, straight)
    assert resumed.loss_curve_ == straight.loss_curve_
    assert resumed.validation_scores_ == straight.validation_scores_


@pytest.mark.parametrize("settings", [{}, {"tied": True, "noise": 0.2}], ids=str)
def test_partial_fits_on_the_same_samples_equal_epochs_of_fit(settings):
    # "auto" counts the rows that were seen, and an epoch of `fit` would be several passes.
    settings = {"alpha": 0.01, "batch_size": 20, **settings}
    straight, steps = make(**settings).fit(X), make(**settings)
    for _ in range(10):
        steps.partial_fit(X)
    assert_same_weights(steps, straight)


# Inputs and outputs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_the_code_has_names_in_a_dataframe(library):
    names = [f"feature {i}" for i in range(8)]
    frame = pd.DataFrame(X, columns=names) if library == "pandas" else pl.DataFrame(X, schema=names)
    autoencoder = make().set_output(transform=library).fit(frame)
    # The names that scikit-learn finds: old versions of it find none in new ones of polars.
    found = getattr(StandardScaler().fit(frame), "feature_names_in_", None)
    assert library == "polars" or list(found) == names
    np.testing.assert_array_equal(getattr(autoencoder, "feature_names_in_", None), found)
    code = autoencoder.transform(frame)
    assert list(code.columns) == list(autoencoder.get_feature_names_out())
    assert list(code.columns) == [f"sigmoidbackpropautoencoder{i}" for i in range(3)]
    plain = make().fit(X)
    np.testing.assert_allclose(code, plain.transform(X), rtol=1e-9)
    np.testing.assert_allclose(autoencoder.inverse_transform(code), plain.inverse_transform(plain.transform(X)))
    if found is not None:
        with pytest.raises(ValueError, match="feature names"):
            autoencoder.transform(frame[names[::-1]])


def test_float32_stays_float32():
    single = make().fit(X.astype(np.float32))
    assert {part.dtype for part in single.coefs_ + single.intercepts_} == {np.dtype(np.float32)}
    code = single.transform(X.astype(np.float32))
    assert {code.dtype, single.inverse_transform(code).dtype} == {np.dtype(np.float32)}


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("standardize", [True, False])
def test_the_users_arrays_are_not_changed(noise, standardize):
    inputs = X.copy()
    autoencoder = make(noise=noise, standardize=standardize, max_iter=2, shuffle=False).fit(inputs, X_val=inputs)
    code = autoencoder.transform(inputs)
    before = code.copy()
    autoencoder.inverse_transform(code)
    autoencoder.score_samples(inputs)
    np.testing.assert_array_equal(inputs, X)
    np.testing.assert_array_equal(code, before)


@pytest.mark.parametrize("inputs", [X[:1], X[:, :1], np.ones((20, 3)), np.column_stack([X, np.zeros(len(X))])])
def test_meagre_inputs_give_finite_codes(inputs):
    autoencoder = make(tied=True).fit(inputs)
    assert np.isfinite(autoencoder.transform(inputs)).all()
    assert np.isfinite(autoencoder.score(inputs))


def test_validation_samples_are_judged_by_the_score():
    watched = make().fit(X[:400], X_val=X[400:])
    assert_same_weights(watched, make().fit(X[:400]))
    assert watched.validation_scores_[-1] == pytest.approx(watched.score(X[400:]))
    for scoring in (None, lambda autoencoder, inputs, targets: autoencoder.score(inputs, targets)):
        by_score = make(scoring=scoring).fit(X[:400], X_val=X[400:])
        np.testing.assert_allclose(by_score.validation_scores_, watched.validation_scores_)
    stopped = make(early_stopping=True, max_iter=500, n_iter_no_change=2, learning_rate_init=0.1).fit(
        X[:400], X_val=X[400:]
    )
    assert stopped.score(X[400:]) == pytest.approx(max(stopped.validation_scores_))
    assert stopped.n_iter_ < 500


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": ()}, "at least one layer, the code"),
        ({"hidden_layer_sizes": (5, 4), "tied": True}, r"Got hidden_layer_sizes=\(5, 4\): .* same backwards"),
        ({"loss": "quantile"}, "'loss' parameter"),
        ({"loss": SquaredError}, r"such as SquaredError\(\)"),
        ({"scoring": "r2"}, "'scoring' parameter"),
        ({"noise": -1.0}, "'noise' parameter"),
        ({"noise": np.inf}, "'noise' parameter"),
        ({"tied": "yes"}, "'tied' parameter"),
        ({"loss": "gamma"}, "Got targets down to 0 with loss='gamma'"),
    ],
)
def test_bad_parameters_are_named_and_leave_the_last_fit(parameters, message):
    autoencoder = make().fit(X)
    autoencoder.set_params(**parameters)
    before = pickle.dumps(autoencoder)
    with pytest.raises(ValueError, match=message):
        autoencoder.fit(X)
    assert pickle.dumps(autoencoder) == before


def test_bad_data_are_named():
    for inputs, message in [(np.where(X > 1000, np.nan, X), "NaN"), (1e200 * X, "overflows"), (X[0], "2D array")]:
        with pytest.raises(ValueError, match=message):
            make().fit(inputs)
    with pytest.raises(TypeError, match="Sparse"):
        make().fit(sp.csr_array(X))
    fitted = make().fit(X)
    with pytest.raises(ValueError, match="Got codes of 8 units where transform returns 3"):
        fitted.inverse_transform(X)
    with pytest.raises(ValueError, match="NaN"):
        fitted.inverse_transform(np.full((2, 3), np.nan))
    for method in ("transform", "inverse_transform", "score_samples", "score"):
        with pytest.raises(NotFittedError):
            getattr(make(), method)(X)


def test_a_deviance_refuses_to_judge_what_it_does_not_have():
    autoencoder = make(loss="poisson").fit(counts)
    with pytest.raises(
        ValueError, match="Negative values in data passed to SigmoidBackpropAutoencoder with loss='poisson'"
    ):
        autoencoder.fit(counts - 1)
    with pytest.raises(ValueError, match="Got targets down to -1 with loss='poisson'"):
        autoencoder.score_samples(counts - 1)
    assert autoencoder.__sklearn_tags__().input_tags.positive_only
    assert make(loss=PoissonDeviance()).__sklearn_tags__().input_tags.positive_only
    assert not make(loss=HuberLoss()).__sklearn_tags__().input_tags.positive_only


def test_training_goes_on_with_another_loss_only_if_it_reads_the_scores_alike():
    autoencoder = make(warm_start=True).fit(counts)
    with pytest.raises(ValueError, match="Got loss='poisson', whose output activation is 'exp'"):
        autoencoder.set_params(loss="poisson").fit(counts)
    assert np.isfinite(autoencoder.set_params(loss="huber").fit(counts).loss_)


# In the company of scikit-learn --------------------------------------------------------------------------------------


def test_pipeline_grid_search_clone_and_pickle():
    pipeline = make_pipeline(make(max_iter=60), LogisticRegression())
    assert pipeline.fit(X, y).score(X, y) > 0.85
    search = GridSearchCV(make(), {"hidden_layer_sizes": [(1,), (7,)], "alpha": [0.01]}, cv=2).fit(X)
    assert search.best_params_["hidden_layer_sizes"] == (7,)
    fitted = search.best_estimator_
    assert not hasattr(clone(fitted), "coefs_")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(X), fitted.transform(X))


def test_partial_fit_is_hidden_where_it_has_no_meaning():
    assert not hasattr(make(solver="lbfgs"), "partial_fit")
    assert hasattr(make(), "partial_fit")
