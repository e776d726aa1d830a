"""skops files of every estimator name public types alone, and training goes on from them bit for bit."""

import copy

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skbackprop
from skbackprop import (
    TRUSTED_TYPES,
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
    tabular_network,
)
from skbackprop.activations import ACTIVATIONS
from skbackprop.initializers import INITIALIZERS
from skbackprop.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES, HuberLoss
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.optimizers import OPTIMIZERS
from skbackprop.preprocessing import PiecewiseLinearEncoder
from skbackprop.schedules import SCHEDULES

skops = pytest.importorskip("skops.io")

X, y = load_iris(return_X_y=True)
X, y = X[::2], y[::2]
NAMES = np.array(["setosa", "versicolor", "virginica"], dtype=object)[y]
SETTINGS = {"hidden_layer_sizes": (4, 3), "max_iter": 3, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def through_skops(estimator, trusted=TRUSTED_TYPES):
    return skops.loads(skops.dumps(estimator), trusted=trusted)


def assert_same(one, other):
    """Weights, the record of training and predictions agree, bit for bit."""
    for name in ("coefs_", "intercepts_", "loss_curve_", "validation_scores_", "best_loss_", "t_", "n_iter_"):
        if hasattr(one, name):
            np.testing.assert_equal(getattr(other, name), getattr(one, name))
    for method in ("predict", "predict_proba", "transform", "score_samples"):
        if hasattr(one, method):
            np.testing.assert_array_equal(getattr(other, method)(X), getattr(one, method)(X))


CASES = {
    "strings": (SigmoidBackpropClassifier(**SETTINGS, early_stopping=True, dropout=0.2), NAMES),
    "labels": (SigmoidBackpropClassifier(**SETTINGS), np.eye(3, dtype=int)[y][:, :2]),
    "booleans": (SigmoidBackpropClassifier(**SETTINGS, class_weight={False: 1.0, True: 2.0}), y == 1),
    "small batches": (SigmoidBackpropClassifier(**SETTINGS, batch_size=16), y),
    "folds": (SigmoidBackpropClassifier(**SETTINGS, early_stopping="cv", n_folds=2), y),
    "rprop": (SigmoidBackpropClassifier(**{**SETTINGS, "random_state": np.random.RandomState(3)}, solver="rprop"), y),
    "regressor": (SigmoidBackpropRegressor(**SETTINGS, loss="poisson", solver="sgd"), y),
    "autoencoder": (SigmoidBackpropAutoencoder((4, 2, 4), max_iter=3, random_state=0, noise=0.1, tied=True), None),
    "detector": (SigmoidBackpropOutlierDetector(**SETTINGS), None),
    "MLPClassifier": (MLPClassifier(**SETTINGS), y),
    "MLPRegressor": (MLPRegressor(**SETTINGS), np.c_[y, 2 * y]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_loaded_estimator_predicts_and_goes_on_as_the_saved_one(name):
    estimator, target = copy.deepcopy(CASES[name])
    if hasattr(estimator, "warm_start") and estimator.early_stopping != "cv":
        estimator.set_params(warm_start=True)
    estimator.fit(X, target)
    loaded = through_skops(estimator)
    assert str({**loaded.get_params(), "random_state": 0}) == str({**estimator.get_params(), "random_state": 0})
    assert_same(estimator, loaded)
    assert_same(estimator.fit(X, target), loaded.fit(X, target))
    if hasattr(estimator, "partial_fit"):
        # The second call is by the parts that the first has left.
        for _ in range(3):
            estimator.partial_fit(X, target)
            assert_same(estimator, loaded.partial_fit(X, target))
            loaded = through_skops(loaded)


TABLES = {"activation": ACTIVATIONS, "init": INITIALIZERS, "solver": OPTIMIZERS, "learning_rate": SCHEDULES}


def parts():
    """A classifier or regressor with each part that has a name, passed as an instance."""
    for parameter, table in TABLES.items():
        for part in table.values():
            yield SigmoidBackpropClassifier(**SETTINGS, **{parameter: part() if isinstance(part, type) else part})
    for kinds in CLASSIFICATION_LOSSES.values():
        yield SigmoidBackpropClassifier(**SETTINGS, loss=kinds["multiclass"]())
    for loss in [*(loss() for loss in REGRESSION_LOSSES.values()), HuberLoss(delta=2.0)]:
        yield SigmoidBackpropRegressor(**SETTINGS, loss=loss)


@pytest.mark.parametrize("estimator", list(parts()), ids=str)
def test_every_part_can_be_loaded(estimator):
    estimator.fit(X, y + 1)
    loaded = through_skops(estimator)
    assert repr(loaded) == repr(estimator)
    assert_same(estimator, loaded)
    assert_same(clone(estimator).fit(X, y + 1), clone(loaded).fit(X, y + 1))


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), PiecewiseLinearEncoder(), SigmoidBackpropClassifier(**SETTINGS)),
        OneVsRestClassifier(SigmoidBackpropClassifier(**SETTINGS)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_holds_a_network_can_be_loaded(model):
    model = model.fit(X, y)
    np.testing.assert_array_equal(through_skops(model).predict_proba(X), model.predict_proba(X))


def test_a_pipeline_for_a_table_can_be_loaded():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"long": X[:, 2], "name": NAMES})
    model = tabular_network("classifier", max_iter=3, early_stopping=False, random_state=0).fit(table, y)
    # The type that scikit-learn's imputer keeps.
    loaded = through_skops(model, trusted=[*TRUSTED_TYPES, "numpy.dtype"])
    np.testing.assert_array_equal(loaded.predict_proba(table), model.predict_proba(table))


class OwnLoss(HuberLoss):
    """A loss of the user's own."""


class Shell:
    """What a file should not name."""

    def __setstate__(self, state):
        pytest.fail("it was run")


@pytest.mark.parametrize("attribute", ["loss", "_loss", "_training_state", "classes_", "anything"])
def test_a_file_that_names_another_type_is_refused(attribute):
    classifier = SigmoidBackpropClassifier(**SETTINGS).fit(X, y)
    shell = Shell()
    shell.command = "echo"
    vars(classifier)[attribute] = [shell]
    with pytest.raises(TypeError, match=r"^Untrusted types found in the file: \['test_skops\.Shell'\]"):
        through_skops(classifier)


def test_a_part_of_the_users_own_is_theirs_to_trust():
    regressor = SigmoidBackpropRegressor(**SETTINGS, loss=OwnLoss()).fit(X, y)
    with pytest.raises(TypeError, match="Untrusted types found"):
        through_skops(regressor)
    assert_same(regressor, through_skops(regressor, trusted=[*TRUSTED_TYPES, OwnLoss]))


def test_another_version_warns_once(monkeypatch):
    detector = SigmoidBackpropOutlierDetector(**SETTINGS).fit(X)
    content = skops.dumps(detector)
    monkeypatch.setattr(skbackprop, "__version__", "0.0.1")
    with pytest.warns(InconsistentVersionWarning, match="is loaded by skbackprop 0.0.1") as caught:
        skops.loads(content, trusted=TRUSTED_TYPES)
    assert len(caught) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_logs_and_loads_in_its_default_format(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow.sklearn")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    model = make_pipeline(StandardScaler(), SigmoidBackpropClassifier(**SETTINGS)).fit(X, y)
    # What is installed is not to be looked for, which takes seconds.
    logged = mlflow.log_model(model, name="model", skops_trusted_types=list(TRUSTED_TYPES), pip_requirements=[])
    assert list(tmp_path.rglob("model.skops"))
    np.testing.assert_array_equal(mlflow.load_model(logged.model_uri).predict_proba(X), model.predict_proba(X))
