"""Standardisation inside fit: an affine map that nobody notices but the optimizer."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropClassifier, _scaling
from skbackprop._network import Network, raw_scores
from skbackprop._scaling import Scaling
from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import INITIALIZERS

X, y = load_wine(return_X_y=True)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def make(**parameters):
    return SigmoidBackpropClassifier(**{"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0, **parameters})


@pytest.mark.parametrize("weight", [None, np.random.RandomState(0).randint(0, 3, len(X)).astype(float)])
def test_means_and_deviations_are_weighted_and_constants_stay(monkeypatch, weight):
    monkeypatch.setattr(_scaling, "CHUNK_BYTES", 5000)
    inputs = np.column_stack([X, np.full(len(X), 7.0)])
    scaling = Scaling.of(inputs, weight, center=True)
    rows = np.arange(len(X)) if weight is None else np.repeat(np.arange(len(X)), weight.astype(int))
    np.testing.assert_allclose(scaling.mean, inputs[rows].mean(axis=0))
    np.testing.assert_allclose(scaling.scale[:-1], X[rows].std(axis=0))
    assert scaling.scale[-1] == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_folding_gives_raw_inputs_the_scores_of_standardised_ones_and_unfolding_undoes_it(dtype):
    inputs = X.astype(dtype)
    scaling = Scaling.of(inputs, None, center=True)
    network = Network((13, 5, 3), [ACTIVATIONS["tanh"]], True, np.dtype(dtype))
    network.initialize(INITIALIZERS["uniform"], np.random.RandomState(0))
    folded = network.twin()
    np.copyto(folded.theta, network.theta)
    scaling.fold(folded)
    tolerance = {"rtol": 1e3 * np.finfo(dtype).eps, "atol": 1e3 * np.finfo(dtype).eps}
    scores = [
        raw_scores(n.coefs, n.intercepts, n.activations, inputs_)
        for n, inputs_ in [(network, scaling.apply(inputs)[0]), (folded, inputs)]
    ]
    np.testing.assert_allclose(*scores, **tolerance)
    scaling.unfold(folded)
    np.testing.assert_allclose(folded.theta, network.theta, **tolerance)


@pytest.mark.parametrize("solver", ["sgd", "adam", "rprop", "lbfgs"])
def test_raw_inputs_are_learnt_as_standardised_ones(solver):
    scaled = StandardScaler().fit_transform(X)
    raw = make(solver=solver).fit(X, y)
    standardised = make(solver=solver, standardize=False).fit(scaled, y)
    np.testing.assert_allclose(raw.predict_proba(X), standardised.predict_proba(scaled), atol=1e-6)
    assert raw.score(X, y) > 0.8


def test_batch_by_batch_is_the_same_as_all_at_once(monkeypatch):
    at_once = make().fit(X, y)
    monkeypatch.setattr(_scaling, "COPY_BYTES", 0)
    for shuffle in (True, False):
        np.testing.assert_allclose(
            make(shuffle=shuffle).fit(X, y).predict_proba(X),
            (at_once if shuffle else make(shuffle=False).fit(X, y)).predict_proba(X),
            atol=1e-9,
        )


def test_sparse_inputs_are_scaled_and_stay_sparse():
    sparse = sp.csr_matrix(X * (np.median(X, axis=0) < X))
    scaling = Scaling.of(sparse, None, center=True)
    assert not scaling.mean.any()
    scaled, left = scaling.apply(sparse)
    assert sp.issparse(scaled)
    assert left is None
    np.testing.assert_allclose(scaled.toarray(), sparse.toarray() / sparse.toarray().std(axis=0))
    before = sparse.copy()
    classifier = make(max_iter=100).fit(sparse, y)
    assert classifier.score(sparse, y) > 0.9
    assert (before != sparse).nnz == 0
    np.testing.assert_allclose(classifier.predict_proba(sparse), classifier.predict_proba(sparse.toarray()))


def test_without_biases_nothing_is_centred():
    classifier = make(fit_intercept=False).fit(X, y)
    assert not classifier._scaling.mean.any()
    assert not any(intercept.any() for intercept in classifier.intercepts_)


def test_auto_belongs_to_the_recipe():
    assert make().fit(X, y)._scaling is not None
    for parameters in ({"init": "glorot"}, {"init": "uniform"}, {"standardize": False}):
        assert make(**parameters).fit(X, y)._scaling is None
    assert make(init="glorot", standardize=True).fit(X, y)._scaling is not None


def test_training_goes_on_from_weights_that_the_user_changed():
    classifier = make(warm_start=True, learning_rate_init=1e-12).fit(X, y)
    classifier.coefs_[0][:] = 0
    classifier.intercepts_[0][:] = 0
    before = classifier.predict_proba(X)
    np.testing.assert_allclose(classifier.fit(X, y).predict_proba(X), before, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_no_scale_is_too_wild(scale):
    inputs = X * np.logspace(-6, 6, 13) * scale
    assert make(max_iter=100).fit(inputs, y).score(inputs, y) > 0.97
