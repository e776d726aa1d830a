"""Collections of every kind in, lazy predictions out; what goes with an estimator: clones, files, callbacks."""

import pickle

import numpy as np
import pytest
from dask_helpers import KINDS, assert_same_weights, collections, data
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skbackprop import SigmoidBackpropClassifier
from skbackprop.dask import DaskSigmoidBackpropClassifier

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")
pd = pytest.importorskip("pandas")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SETTINGS = {"solver": "lbfgs", "max_iter": 10, "tol": 0, "random_state": 0}


def frame(kind):
    X, y = data(kind)
    return pd.DataFrame(X, columns=list("abcdef")), pd.Series(y, name="target")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("divisions", ["known", "unknown"])
def test_dataframes(kind, divisions, client):
    plain, remote = KINDS[kind]
    X, y = frame(kind)
    table = dd.from_pandas(X.assign(target=y), npartitions=3)
    if divisions == "unknown":
        table = table.clear_divisions()
    found = remote(**SETTINGS).fit(table[list("abcdef")], table["target"])
    expected = plain(**SETTINGS).fit(X, y)
    assert found.feature_names_in_.tolist() == list("abcdef")
    assert_same_weights(found, expected)
    predicted = found.predict(table[list("abcdef")])
    assert isinstance(predicted, da.Array)
    np.testing.assert_allclose(predicted.compute(), expected.predict(X), rtol=1e-8)
    with pytest.raises(ValueError, match="feature names should match"):
        found.set_params(warm_start=True).fit(table[list("abcdfe")], table["target"])


def test_text_labels_and_arrays_of_unknown_chunks(client):
    X, y = data("classifier")
    names = np.array(["low", "middle", "high"])[y]
    X_unknown, y_unknown = (part[part[:, 0] > -9] if part.ndim == 2 else part[part != "none"]
                            for part in collections(3, X, names))  # fmt: skip
    found = DaskSigmoidBackpropClassifier(**SETTINGS).fit(X_unknown, y_unknown)
    expected = SigmoidBackpropClassifier(**SETTINGS).fit(X, names)
    assert found.classes_.tolist() == ["high", "low", "middle"]
    assert_same_weights(found, expected)
    predicted = found.predict(X_unknown)
    assert np.isnan(predicted.shape[0])
    np.testing.assert_array_equal(predicted.compute(), expected.predict(X))


def test_columns_in_several_chunks(client):
    X, y = data("classifier")
    X_cut, (y_cut,) = da.from_array(X, chunks=(150, 4)), collections(2, y)
    found = DaskSigmoidBackpropClassifier(**SETTINGS).fit(X_cut, y_cut.rechunk(150))
    assert_same_weights(found, SigmoidBackpropClassifier(**SETTINGS).fit(X, y))
    np.testing.assert_array_equal(found.predict(X_cut).compute(), found.to_local().predict(X))


def test_sparse_blocks_are_refused(client):
    X, y = collections(2, *data("classifier"))
    with pytest.raises(TypeError, match="In partition 0: got sparse X"):
        DaskSigmoidBackpropClassifier(**SETTINGS).fit(X.map_blocks(csr_array, dtype=float), y)


def refuse(block):
    raise AssertionError("This is not to be computed.")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform",
                                    "input_gradient"])  # fmt: skip
@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_lazy(kind, method, client):
    remote = KINDS[kind][1]
    X, y = data(kind)
    (X_dask, y_dask) = collections(3, X, y)
    fitted = remote(**SETTINGS).fit(X_dask, y_dask)
    if not hasattr(fitted, method):
        assert kind == "regressor"
        return
    getattr(fitted, method)(X_dask.map_blocks(refuse, meta=X[:0]))
    predicted = getattr(fitted, method)(X_dask)
    expected = getattr(fitted.to_local(), method)(X)
    assert (predicted.shape, predicted.dtype) == (expected.shape, expected.dtype)
    assert predicted.chunks[0] == X_dask.chunks[0]
    np.testing.assert_allclose(predicted.compute(), expected)
    # In memory, at once.
    np.testing.assert_array_equal(getattr(fitted, method)(X), expected)


def test_the_local_estimator_needs_no_dask(client, tmp_path, run_python):
    X, y = data("classifier")
    fitted = DaskSigmoidBackpropClassifier(warm_start=True, max_iter=3, random_state=0).fit(*collections(3, X, y))
    local = fitted.to_local()
    assert type(local) is SigmoidBackpropClassifier
    assert_same_weights(local, fitted, 0)
    (tmp_path / "local").write_bytes(pickle.dumps(local))
    np.save(tmp_path / "X.npy", X)
    script = (
        "import pickle, sys, numpy as np\n"
        "sys.modules['dask'] = sys.modules['distributed'] = None\n"
        "local = pickle.load(open('local', 'rb'))\n"
        "print(local.predict(np.load('X.npy')).sum())\n"
        "assert not any(name.startswith('skbackprop.dask') for name in sys.modules)\n"
    )
    assert int(run_python(script).stdout) == local.predict(X).sum()
    # It can go on, with an order of its own.
    local.fit(X, y)
    assert local.t_ > fitted.t_
    with pytest.raises(NotFittedError):
        DaskSigmoidBackpropClassifier().to_local()


def test_clones_and_files(client):
    fitted = DaskSigmoidBackpropClassifier(client=client, **SETTINGS).fit(*collections(3, *data("classifier")))
    assert fitted.client_ is client
    copied = clone(fitted)
    assert copied.client is client
    assert not hasattr(copied, "coefs_")
    loaded = pickle.loads(pickle.dumps(fitted))
    assert loaded.client is None
    assert not hasattr(loaded, "client_")
    assert_same_weights(loaded, fitted, 0)


def test_the_parameters_are_those_of_the_plain_class():
    plain, remote = SigmoidBackpropClassifier(), DaskSigmoidBackpropClassifier()
    assert remote.get_params() == {**plain.get_params(), "client": None}
    assert DaskSigmoidBackpropClassifier((5,), "relu", solver="sgd").get_params()["activation"] == "relu"
    with pytest.raises(TypeError, match="activaton"):
        DaskSigmoidBackpropClassifier(activaton="relu")
    # In its entry the default is that of the signature.
    assert "client : distributed.Client or None, default=None" in DaskSigmoidBackpropClassifier.__doc__
    assert "oof_" not in DaskSigmoidBackpropClassifier.__doc__


def test_callbacks_and_checkpoints(client, tmp_path):
    pytest.importorskip("sklearn.callback")
    from skbackprop.callbacks import Checkpoint, ValidationMonitor, resume  # noqa: PLC0415

    X, y = data("classifier")
    X_dask, y_dask = collections(3, X, y)
    settings = {"max_iter": 8, "tol": 0, "random_state": 0}
    expected = DaskSigmoidBackpropClassifier(**settings).fit(X_dask, y_dask)

    class Stop:
        """Stops after some epochs, as if the machine had crashed."""

        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            if context.task_name == "epoch" and fitted_estimator.n_iter_ == 5:
                raise RuntimeError("crash")

    checkpoint = Checkpoint(tmp_path / "checkpoint", every=2)
    with pytest.raises(RuntimeError, match="crash"):
        DaskSigmoidBackpropClassifier(**settings).set_callbacks(checkpoint, Stop()).fit(X_dask, y_dask)
    resumed = resume(tmp_path / "checkpoint", X_dask, y_dask)
    assert type(resumed) is DaskSigmoidBackpropClassifier
    assert_same_weights(resumed, expected, 0)
    with pytest.raises(ValueError, match="X other than in the interrupted fit"):
        resume(tmp_path / "checkpoint", X_dask + 1.0, y_dask)
    monitor = ValidationMonitor(X, y, scoring="accuracy")
    DaskSigmoidBackpropClassifier(**settings).set_callbacks(monitor).fit(X_dask, y_dask)


def test_verbose(client, capsys):
    DaskSigmoidBackpropClassifier(verbose=True, max_iter=2, random_state=0).fit(*collections(3, *data("classifier")))
    assert "Epoch 2/2" in capsys.readouterr().out


def test_advice(client):
    """A few samples are looked at: what is wrong is named as on one machine."""
    X, y = data("regressor")
    with pytest.warns(match="all rows of X are the same"):
        KINDS["regressor"][1](max_iter=10, random_state=0).fit(*collections(3, np.ones_like(X), y))
