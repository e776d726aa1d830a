"""Pickles say which versions wrote them; another version of this package warns, once a pickle."""

import copy
import io
import pickle
import warnings

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skbackprop
from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
    tabular_network,
)
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.preprocessing import PiecewiseLinearEncoder

X, y = load_iris(return_X_y=True)
SETTINGS = {"hidden_layer_sizes": (2,), "max_iter": 1, "random_state": 0}
ALONE = {
    "classifier": SigmoidBackpropClassifier(**SETTINGS),
    "regressor": SigmoidBackpropRegressor(**SETTINGS),
    "autoencoder": SigmoidBackpropAutoencoder(**SETTINGS),
    "MLPClassifier": MLPClassifier(**SETTINGS),
    "MLPRegressor": MLPRegressor(**SETTINGS),
    "encoder": PiecewiseLinearEncoder(),
}
SEVERAL = {
    "detector": SigmoidBackpropOutlierDetector(**SETTINGS),
    "pipeline": make_pipeline(StandardScaler(), SigmoidBackpropClassifier(**SETTINGS)),
    "table": tabular_network("classifier").set_params(network__max_iter=1, network__early_stopping=False),
    "vote": VotingClassifier(
        [(str(seed), SigmoidBackpropClassifier(**{**SETTINGS, "random_state": seed})) for seed in (0, 1)]
    ),
}


def fitted(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(X, y)


def with_joblib(estimator):
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()


WAYS = {"pickle": (pickle.dumps, pickle.loads), "joblib": (with_joblib, lambda saved: joblib.load(io.BytesIO(saved)))}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [*ALONE, *SEVERAL])
def test_another_version_warns_once_and_loads(name, way, monkeypatch):
    (save, load), estimator = WAYS[way], fitted({**ALONE, **SEVERAL}[name])
    monkeypatch.setattr(skbackprop, "__version__", "0.0.1")
    saved = save(estimator)
    monkeypatch.undo()
    # Each time that it is loaded.
    for _ in range(2):
        with pytest.warns(InconsistentVersionWarning) as caught:
            loaded = load(saved)
        assert len(caught) == 1
        assert f"was saved by skbackprop 0.0.1, scikit-learn {sklearn.__version__}, NumPy {np.__version__}" in str(
            caught[0].message
        )
        assert f"is loaded by skbackprop {skbackprop.__version__}, " in str(caught[0].message)
    for method in ("predict", "transform"):
        if hasattr(estimator, method):
            np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(estimator, method)(X))
    # It is then of the version that loaded it.
    load(save(loaded))


@pytest.mark.parametrize("name", [*ALONE, *SEVERAL])
def test_the_same_version_is_silent_and_leaves_no_trace(name):
    estimator = fitted({**ALONE, **SEVERAL}[name])
    for other in (*(load(save(estimator)) for save, load in WAYS.values()), copy.copy(estimator), copy.deepcopy(estimator)):
        assert vars(other).keys() == vars(estimator).keys()
    assert f"{skbackprop.__version__}".encode() in pickle.dumps(estimator)


@pytest.mark.parametrize("name", ALONE)
def test_the_versions_are_in_the_state(name):
    state = ALONE[name].__getstate__()
    expected = {"skbackprop": skbackprop.__version__, "scikit-learn": sklearn.__version__, "NumPy": np.__version__}
    assert state["_versions"] == expected
    assert state.keys() == vars(ALONE[name]).keys() | {"_versions"}


def test_a_pickle_that_does_not_say_what_wrote_it_is_of_another_version():
    state = fitted(SigmoidBackpropClassifier(**SETTINGS)).__getstate__()
    del state["_versions"]
    with pytest.warns(InconsistentVersionWarning, match=r"saved by skbackprop \(an unknown version\) and is loaded by"):
        SigmoidBackpropClassifier().__setstate__(state)


def test_a_child_says_what_wrote_it_too(monkeypatch):
    class Child(SigmoidBackpropClassifier):
        """A class of the user's own."""

    state = copy.deepcopy(Child().__getstate__())
    monkeypatch.setattr(skbackprop, "__version__", "9.9")
    with pytest.warns(InconsistentVersionWarning, match=r"Child was saved by .* loaded by skbackprop 9\.9"):
        Child().__setstate__(state)


def test_the_warning_is_silenced_as_scikit_learns():
    state = {**SigmoidBackpropClassifier().__getstate__(), "_versions": {"skbackprop": "0.0.1"}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        SigmoidBackpropClassifier().__setstate__(state)
