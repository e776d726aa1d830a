"""The outlier detector: what is planted is found, scores do not depend on company, an error leaves the last fit alone."""

import math
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropOutlierDetector
from skbackprop._estimators import scaling as scaling_module
from skbackprop.losses import PoissonDeviance

X, y = load_breast_cancer(return_X_y=True)


# Few epochs are enough here; what the warnings say is tested where they are raised.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(**parameters):
    """A small detector of few epochs."""
    return SigmoidBackpropOutlierDetector(
        **{"hidden_layer_sizes": (10,), "max_iter": 20, "random_state": 0, "n_estimators": 2, **parameters}
    )


def weights(detector):
    """All parameters of all autoencoders."""
    return np.concatenate([part.ravel() for e in detector.estimators_ for part in e.coefs_ + e.intercepts_])


# What it finds -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_malignant_tumours_are_told_from_benign_ones_as_well_as_by_an_isolation_forest():
    benign = X[y == 1]
    train, rest, labels = (
        benign[::2],
        np.vstack([benign[1::2], X[y == 0]]),
        np.r_[np.ones(len(benign[1::2])), np.zeros(212)],
    )
    ours = roc_auc_score(labels, SigmoidBackpropOutlierDetector(random_state=0).fit(train).score_samples(rest))
    theirs = roc_auc_score(labels, IsolationForest(random_state=0).fit(train).score_samples(rest))
    assert ours > 0.9
    assert ours > theirs - 0.02


def test_a_sample_that_breaks_the_pattern_scores_lowest_though_each_feature_is_common():
    rng = np.random.RandomState(0)
    line = rng.randn(300, 1) @ np.ones((1, 4)) + 0.1 * rng.randn(300, 4)
    planted = np.array([2.0, 1.0, 0.5])[:, np.newaxis] * [1.0, -1.0, 1.0, -1.0]
    detector = make(hidden_layer_sizes=(100,), max_iter=None, contamination=0.01).fit(line)
    common, scores = detector.score_samples(line), detector.score_samples(planted)
    assert (np.diff(scores) > 0).all()
    assert scores[1] < common.min()
    assert scores[2] < np.median(common)
    np.testing.assert_array_equal(detector.predict(planted[:2]), [-1, -1])


@pytest.mark.parametrize("contamination", [0.05, 0.1, 0.5])
def test_contamination_is_the_share_of_training_samples_called_outliers(contamination):
    detector = make(contamination=contamination).fit(X)
    assert np.mean(detector.predict(X) == -1) == pytest.approx(contamination, abs=1 / len(X))
    np.testing.assert_allclose(detector.decision_function(X), detector.score_samples(X) - detector.offset_)
    np.testing.assert_array_equal(detector.predict(X), np.where(detector.decision_function(X) < 0, -1, 1))
    np.testing.assert_array_equal(make(contamination=contamination).fit_predict(X), detector.predict(X))


def test_scores_are_the_mean_of_standardised_log_errors_of_the_training_samples():
    detector = make(n_estimators=3).fit(X)
    standardised = np.clip(StandardScaler().fit_transform(X), -20, 20)
    errors = np.log([-estimator.score_samples(standardised) for estimator in detector.estimators_])
    expected = -((errors.T - errors.mean(axis=1)) / errors.std(axis=1)).mean(axis=1)
    np.testing.assert_allclose(detector.score_samples(X), expected)
    assert detector.score_samples(X).mean() == pytest.approx(0, abs=1e-9)


# What scores depend on -----------------------------------------------------------------------------------------------


def test_a_score_does_not_depend_on_company():
    detector = make().fit(X)
    alone = np.concatenate([detector.score_samples(X[[row]]) for row in range(20)])
    np.testing.assert_allclose(alone, detector.score_samples(X)[:20], rtol=1e-9)


def test_large_inputs_are_standardised_as_small_ones(monkeypatch):
    expected = make().fit(X)
    monkeypatch.setattr(scaling_module, "COPY_BYTES", 0)
    np.testing.assert_array_equal(make().fit(X).score_samples(X), expected.score_samples(X))
    np.testing.assert_array_equal(expected.score_samples(X), make().fit(X).score_samples(X))


def test_units_of_the_features_do_not_matter():
    units = np.logspace(-6, 6, X.shape[1])
    np.testing.assert_allclose(make().fit(units * X).score_samples(units * X), make().fit(X).score_samples(X), rtol=1e-3)


def test_far_out_is_clipped():
    detector = make().fit(X)
    mean, scale = X.mean(axis=0), X.std(axis=0)
    at_the_bound = detector.score_samples((mean + 20 * scale)[np.newaxis])
    np.testing.assert_allclose(detector.score_samples((mean + 1e9 * scale)[np.newaxis]), at_the_bound, rtol=1e-6)
    assert np.isfinite(detector.score_samples(np.full((1, 30), 1e308))).all()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_in_any_number_of_processes():
    one = make().fit(X)
    np.testing.assert_array_equal(weights(make(n_jobs=2).fit(X)), weights(one))
    np.testing.assert_array_equal(weights(make(random_state=np.random.RandomState(0)).fit(X)), weights(one))
    assert not np.array_equal(weights(make(random_state=1).fit(X)), weights(one))
    assert not np.array_equal(one.estimators_[0].coefs_[0], one.estimators_[1].coefs_[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "n_held_out", "size"),
    [
        ({}, 0, 256),
        ({"batch_size": 50}, 0, 50),
        ({"batch_size": "auto"}, 0, 200),
        ({"batch_size": None}, 0, 20),
        ({"batch_size": None, "init": "glorot"}, 0, 200),
        ({"early_stopping": True}, 60, 256),
        ({"solver": "rprop", "noise": 0.0}, 0, 600),
        ({"solver": "lbfgs", "noise": 0.0}, 0, 600),
    ],
    ids=str,
)
@pytest.mark.parametrize("n_samples", [40, 600])
def test_without_max_iter_training_takes_about_600_steps(settings, n_held_out, size, n_samples):
    if n_samples == 40:
        n_held_out, size = (4 if n_held_out else 0), min(size if settings.get("batch_size") else 40, 40)
        size = min(size, 40 - n_held_out)
    inputs = np.random.RandomState(0).randn(n_samples, 3)
    with warnings.catch_warnings():
        # None of a batch size larger than the data either.
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        settings = {**settings, "tol": 0, "n_iter_no_change": np.inf, "n_estimators": 1, "hidden_layer_sizes": (2,)}
        detector = make(max_iter=None, **settings).fit(inputs)
    steps_an_epoch = math.ceil((n_samples - n_held_out) / size)
    assert detector.estimators_[0].max_iter == math.ceil(600 / steps_an_epoch)
    if settings.get("solver") != "lbfgs":
        assert detector.n_iter_ == math.ceil(600 / steps_an_epoch)


# Data and parameters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inputs", [X[:1], np.ones((30, 3)), X[:, :1], X[:30].astype(np.float32), X[:30].astype(int)])
def test_meagre_inputs_give_finite_scores(inputs):
    assert np.isfinite(make(max_iter=5).fit(inputs).score_samples(inputs)).all()


def test_a_constant_feature_that_changes_is_found():
    inputs = np.column_stack([X[:, :3], np.full(len(X), 4.0)])
    changed = inputs[:20].copy()
    changed[:, 3] = 9.0
    detector = make().fit(inputs)
    assert (detector.score_samples(changed) < detector.score_samples(inputs[:20])).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"solver": "lbfgs"}, "Got noise=0.1 with solver='lbfgs'"),
        ({"loss": "poisson"}, "'loss' parameter"),
        ({"loss": PoissonDeviance()}, "Negative values in data"),
        ({"contamination": 0.6}, "'contamination' parameter"),
        ({"n_estimators": 0}, "'n_estimators' parameter"),
        ({"hidden_layer_sizes": ()}, "at least one layer"),
        ({"max_iter": 0}, "'max_iter' parameter"),
    ],
)
def test_bad_parameters_are_named_and_leave_the_last_fit(parameters, message):
    detector = make().fit(pd.DataFrame(X).rename(columns=str))
    detector.set_params(**parameters)
    before = pickle.dumps(detector)
    with pytest.raises(ValueError, match=message):
        detector.fit(X[:, :5])
    assert pickle.dumps(detector) == before


def test_bad_data_are_named():
    for inputs, message in [(np.where(X > 1000, np.nan, X), "NaN"), (1e200 * X, "overflows"), (X[0], "2D array")]:
        with pytest.raises(ValueError, match=message):
            make().fit(inputs)
    with pytest.raises(NotFittedError):
        make().score_samples(X)
    with pytest.raises(ValueError, match="5 features"):
        make().fit(X).predict(X[:, :5])


def test_names_of_another_fit_are_forgotten():
    detector = make(max_iter=2).fit(pd.DataFrame(X).rename(columns=str))
    assert list(detector.feature_names_in_) == [str(i) for i in range(30)]
    assert not hasattr(detector.fit(X), "feature_names_in_")


def test_the_users_arrays_are_not_changed():
    inputs = X.copy()
    make().fit(inputs).predict(inputs)
    np.testing.assert_array_equal(inputs, X)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
@pytest.mark.parametrize("settings", [{}, {"early_stopping": True}, {"solver": "sgd"}, {"dropout": 0.2}], ids=str)
def test_every_loss_with_every_option_beats_chance(loss, settings):
    detector = make(loss=loss, max_iter=60, learning_rate_init=0.01, **settings).fit(X[y == 1])
    assert roc_auc_score(y, detector.score_samples(X)) > 0.75


def test_pipeline_clone_and_pickle():
    detector = clone(make()).fit(X)
    assert not hasattr(clone(detector), "estimators_")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(detector)).score_samples(X), detector.score_samples(X))
    assert set(make_pipeline(StandardScaler(), make()).fit(X).predict(X)) == {-1, 1}
