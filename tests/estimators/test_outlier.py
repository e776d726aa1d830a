"""The outlier detector: what is planted is found, scores do not depend on company, an error leaves the last fit alone."""

import math
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib import cbook
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine, make_blobs
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropAutoencoder, SigmoidBackpropOutlierDetector
from skbackprop._estimators import outlier
from skbackprop._estimators import scaling as scaling_module
from skbackprop.losses import PoissonDeviance

X, y = load_breast_cancer(return_X_y=True)
original = outlier._left_out


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


@pytest.mark.parametrize("n_estimators", [1, 2, 3, 6])
def test_scores_are_the_weighted_mean_of_log_errors_standardised_over_what_each_network_has_not_seen(
    n_estimators, monkeypatch
):
    left_out = []
    monkeypatch.setattr(outlier, "_left_out", lambda *arguments: left_out.append(original(*arguments)) or left_out[0])
    detector = make(n_estimators=n_estimators).fit(X)
    scaler = StandardScaler().fit(X)
    np.testing.assert_allclose((detector.mean_, detector.scale_), (scaler.mean_, scaler.scale_))
    standardised = np.clip(scaler.transform(X), -20, 20)
    errors = np.log([-estimator.score_samples(standardised) for estimator in detector.estimators_])
    published = (errors.T - detector.error_mean_) / detector.error_scale_
    if n_estimators > 1:
        unseen = [row[out] for row, out in zip(errors, left_out[0], strict=True)]
        errors = (errors.T - [row.mean() for row in unseen]).T / np.array([[row.std()] for row in unseen])
    else:
        errors = StandardScaler().fit_transform(errors.T).T
    np.testing.assert_allclose(published.T, errors)
    weights = np.exp(errors)
    np.testing.assert_allclose(detector.score_samples(X), -(weights * errors).sum(axis=0) / weights.sum(axis=0))


@pytest.mark.parametrize(
    ("n_samples", "n_estimators", "n_out"), [(100, 2, 1), (101, 3, 1), (100, 4, 2), (99, 5, 2), (100, 6, 3), (100, 1, 0)]
)
def test_each_sample_is_left_out_by_half_of_the_autoencoders(n_samples, n_estimators, n_out):
    left_out = original(n_samples, n_estimators, np.random.RandomState(0))
    np.testing.assert_array_equal(left_out.sum(axis=0), n_out)
    share = n_out / n_estimators
    np.testing.assert_allclose(left_out.mean(axis=1), share, atol=0.03)
    # Which they are has nothing to do with the order of the samples.
    assert np.abs(left_out[:, : n_samples // 2].mean(axis=1) - share).max() < 0.25
    assert not original(2 * n_estimators - 1, n_estimators, np.random.RandomState(0)).any()


def test_autoencoders_are_trained_on_what_they_do_not_leave_out(monkeypatch):
    seen = []

    def fit(self, X, y=None):
        seen.append(X)
        return fit_autoencoder(self, X)

    fit_autoencoder = SigmoidBackpropAutoencoder.fit
    monkeypatch.setattr(SigmoidBackpropAutoencoder, "fit", fit)
    make(n_estimators=4).fit(X)
    standardised = StandardScaler().fit_transform(X).clip(-20, 20).astype(np.float32)
    rows = {row.tobytes(): number for number, row in enumerate(standardised.round(3))}
    trained = [{rows[row.tobytes()] for row in part.round(3)} for part in seen]
    assert sum(map(len, trained)) == 2 * len(X)
    assert trained[0] | trained[2] == trained[1] | trained[3] == set(range(len(X)))


# The threshold -------------------------------------------------------------------------------------------------------


def normal_samples(name):
    """Normal samples: up to 1,000 to train on, and others."""
    rng = np.random.RandomState(0)
    samples = {
        "uniform": lambda: rng.uniform(size=(3000, 20)),
        "independent": lambda: rng.randn(2000, 60),
        "correlated": lambda: rng.randn(3000, 4) @ rng.randn(4, 20) + 0.1 * rng.randn(3000, 20),
        "clusters": lambda: make_blobs(3000, 10, centers=5, random_state=0)[0],
        "skewed": lambda: np.exp(rng.randn(3000, 8)),
        "heavy tails": lambda: rng.standard_t(3, size=(3000, 10)),
        "digits": lambda: load_digits().data,
        "benign tumours": lambda: X[y == 1],
        "wine": lambda: load_wine().data,
        "diabetes": lambda: load_diabetes().data,
    }[name]()
    samples = samples[rng.permutation(len(samples))]
    n_train = min(1000, 2 * len(samples) // 3)
    return samples[:n_train], samples[n_train:]


REAL = ["digits", "benign tumours", "wine", "diabetes"]
SYNTHETIC = ["uniform", "independent", "correlated", "clusters", "skewed", "heavy tails"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SYNTHETIC, *REAL])
def test_the_threshold_holds_on_new_normal_samples(name):
    """Of autoencoders that score what they were trained on up to 100 % of the new samples fall below it."""
    train, new = normal_samples(name)
    detector = SigmoidBackpropOutlierDetector(random_state=0).fit(train)
    assert np.mean(detector.predict(train) == -1) == pytest.approx(0.1, abs=1 / len(train))
    flagged = np.mean(detector.predict(new) == -1)
    # So far a share of so few may be from that of all: two standard errors.
    room = 2 * np.sqrt(0.1 * 0.9 / len(new))
    assert 0.05 - room < flagged < 0.2 + (room if len(new) < 1000 else 0)
    automatic = outlier._threshold(detector.score_samples(train), "auto")
    assert np.mean(detector.score_samples(new) < automatic) < 0.1 + room


def test_the_threshold_of_a_small_detector_holds_on_new_samples():
    train, new = normal_samples("uniform")
    detector = make(n_estimators=6, hidden_layer_sizes=(100,), max_iter=150).fit(train[:200])
    assert 0.05 < np.mean(detector.predict(new) == -1) < 0.2
    alone = make(n_estimators=1, hidden_layer_sizes=(100,), max_iter=150).fit(train[:200])
    assert np.mean(alone.predict(new) == -1) > 0.3


@pytest.mark.parametrize("n_samples", [1, 5, 11, 12, 40, 569])
def test_an_automatic_threshold_is_the_lower_fence_of_a_box_plot(n_samples):
    detector = make(contamination="auto", n_estimators=6).fit(X[:n_samples])
    box = cbook.boxplot_stats(detector.score_samples(X[:n_samples]))[0]
    assert detector.offset_ == pytest.approx(box["q1"] - 1.5 * box["iqr"])
    outliers = detector.score_samples(X[:n_samples])[detector.predict(X[:n_samples]) == -1]
    np.testing.assert_allclose(np.sort(outliers), np.sort(box["fliers"][box["fliers"] < box["q1"]]))


def test_an_automatic_threshold_finds_few_outliers_and_those_planted():
    rng = np.random.RandomState(0)
    clean, planted = rng.randn(400, 5), rng.uniform(6, 9, size=(20, 5))
    detector = make(contamination="auto", n_estimators=6).fit(clean)
    assert (detector.predict(planted) == -1).all()
    assert np.mean(detector.predict(rng.randn(1000, 5)) == -1) < 0.1
    # Among the training samples, too.
    mixed = make(contamination="auto", n_estimators=6).fit(np.vstack([clean, planted]))
    assert (mixed.predict(planted) == -1).all()
    assert np.mean(mixed.predict(clean) == -1) < 0.1


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
def test_without_max_iter_training_takes_about_400_steps(settings, n_held_out, size, n_samples):
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
    assert detector.estimators_[0].max_iter == math.ceil(400 / steps_an_epoch)
    if settings.get("solver") != "lbfgs":
        assert detector.n_iter_ == math.ceil(400 / steps_an_epoch)


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
        ({"contamination": 0.0}, "'contamination' parameter"),
        ({"contamination": "automatic"}, "'contamination' parameter"),
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


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_of_its_own_epochs_it_says_nothing_and_of_the_users_once(n_jobs):
    X = load_breast_cancer().data
    detector = SigmoidBackpropOutlierDetector((8,), n_estimators=2, n_jobs=n_jobs, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        detector.fit(X)
    with pytest.warns(ConvergenceWarning, match="In 2 of 2 autoencoders: Training stopped at max_iter=3 ") as told:
        detector.set_params(max_iter=3).fit(X)
    assert len(told) == 1
