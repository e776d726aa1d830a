"""Files of C: compiled, they predict what the estimators predict."""

import ctypes
import re
import shutil
import subprocess
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop.activations import ACTIVATIONS
from skbackprop.export import to_c
from skbackprop.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES, BinaryLogLoss, HuberLoss
from skbackprop.neural_network import MLPClassifier, MLPRegressor

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")
needs_gxx = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Wshadow", "-Werror"]

rng = np.random.RandomState(0)
# Of several scales, and exact in float.
X = (rng.randn(60, 4) * [1, 10, 0.1, 100] + [0, 20, 0, 50]).astype(np.float32).astype(np.float64)
NUMBERS = np.column_stack([X[:, 0] + X[:, 2], X[:, 0] ** 2])
CODES = np.digitize(X[:, 0], [-0.5, 0.5])
TARGETS = {
    "binary": np.where(CODES > 0, "yes", "no"),
    "multiclass": CODES * 10 - 5,
    "multilabel-indicator": (NUMBERS > 0.3).astype(int),
}
# An estimator and targets for each kind of output.
KINDS = {
    **{
        f"{kind}_{loss}": (SigmoidBackpropClassifier(loss=loss), TARGETS[kind])
        for loss, kinds in CLASSIFICATION_LOSSES.items()
        for kind in kinds
    },
    **{loss: (SigmoidBackpropRegressor(loss), NUMBERS[:, 1] + 0.1) for loss in REGRESSION_LOSSES},
    "two_numbers": (SigmoidBackpropRegressor(), NUMBERS),
    "autoencoder": (SigmoidBackpropAutoencoder(), None),
    "as_in_scikit_learn": (MLPClassifier(), CODES),
    "numbers_as_in_scikit_learn": (MLPRegressor(), NUMBERS),
}


def quietly_fitted(estimator, X, y):
    """After a few epochs, which are too few to converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.set_params(max_iter=4, random_state=0).fit(X, y)


def fitted(kind, activation="logistic", hidden_layer_sizes=(6, 3, 5), **parameters):
    estimator, y = KINDS[kind]
    estimator = clone(estimator).set_params(hidden_layer_sizes=hidden_layer_sizes, activation=activation, **parameters)
    return quietly_fitted(estimator, X, y)


def compiled(folder, *paths, compiler=("gcc", "-std=c99")):
    """The library that files of C make together."""
    library = folder / "library.so"
    command = [*compiler, *STRICT, "-shared", "-fPIC", "-o", str(library), *map(str, paths), "-lm"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return ctypes.CDLL(str(library))


def called(function, samples, n_outputs=None, dtype=np.float32):
    """What a function of C makes of each sample: what it writes into an array, or returns."""
    samples = np.ascontiguousarray(samples, np.float32)
    if n_outputs is None:
        return np.array([function(ctypes.c_void_p(sample.ctypes.data)) for sample in samples])
    outputs = np.full((len(samples), n_outputs), 99, dtype)
    for sample, output in zip(samples, outputs, strict=True):
        function(ctypes.c_void_p(sample.ctypes.data), ctypes.c_void_p(output.ctypes.data))
    return outputs


def assert_same(library, prefix, estimator, samples=X):
    """Each function of the library predicts what the estimator does."""

    def function(name):
        return getattr(library, f"{prefix}_{name}")

    def assert_close(actual, expected):
        np.testing.assert_allclose(actual, expected.reshape(actual.shape), rtol=1e-5, atol=1e-5)

    if isinstance(estimator, SigmoidBackpropAutoencoder):
        code = estimator.transform(samples)
        assert_close(called(function("transform"), samples, code.shape[1]), code)
        code = code.astype(np.float32)
        # In units of the features, of which the largest is 100.
        actual = called(function("inverse_transform"), code, samples.shape[1])
        assert_close(actual / 100, estimator.inverse_transform(code.astype(np.float64)) / 100)
    elif hasattr(estimator, "classes_"):
        probabilities, labels = estimator.predict_proba(samples), estimator.predict(samples)
        assert_close(called(function("predict_proba"), samples, probabilities.shape[1]), probabilities)
        if labels.ndim == 1:
            np.testing.assert_array_equal(estimator.classes_[called(function("predict"), samples)], labels)
        else:
            np.testing.assert_array_equal(called(function("predict"), samples, labels.shape[1], np.intc), labels)
    else:
        y = estimator.predict(samples)
        assert_close(called(function("predict"), samples, y.size // len(y)), y)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Networks of each kind with each activation, all in one library: their names do not clash."""
    folder = tmp_path_factory.mktemp("table")
    estimators = {f"{kind}_{name}".replace("-", "_"): fitted(kind, name) for kind in KINDS for name in ACTIVATIONS}
    for prefix, estimator in estimators.items():
        to_c(estimator, folder / f"{prefix}.c", prefix=prefix)
    (folder / "all.c").write_text("".join(f'#include "{prefix}.c"\n' for prefix in estimators))
    return compiled(folder, folder / "all.c"), estimators


@needs_gcc
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_c_predicts_what_the_estimator_does(table, kind, activation):
    library, estimators = table
    prefix = f"{kind}_{activation}".replace("-", "_")
    assert_same(library, prefix, estimators[prefix])


SHAPES = {
    "no hidden layer": {"hidden_layer_sizes": ()},
    "one hidden layer": {"hidden_layer_sizes": (7,)},
    "one unit a layer": {"hidden_layer_sizes": (1, 1)},
    "an activation a layer": {"hidden_layer_sizes": (5, 2, 9, 3), "activation": ["gelu", "identity", "tanh", "elu"]},
    "without biases": {"fit_intercept": False},
    "several networks in one": {"hidden_layer_sizes": (4,), "early_stopping": "cv", "n_folds": 2},
}


@needs_gcc
@pytest.mark.parametrize("shape", SHAPES)
def test_networks_of_every_shape(shape, tmp_path):
    estimator = fitted("multiclass_log_loss", **SHAPES[shape])
    to_c(estimator, tmp_path / "network.c")
    assert_same(compiled(tmp_path, tmp_path / "network.c"), "network", estimator)


@needs_gcc
def test_weights_that_were_set_by_hand(tmp_path):
    estimator = SigmoidBackpropClassifier(activation="tanh")
    estimator.coefs_, estimator.intercepts_ = [rng.randn(4, 3) / 100, rng.randn(3, 3)], [rng.randn(3), rng.randn(3)]
    estimator.classes_, estimator.out_activation_ = np.array(["a", "b", "c"]), "softmax"
    to_c(estimator, tmp_path / "network.c")
    assert_same(compiled(tmp_path, tmp_path / "network.c"), "network", estimator)


@needs_gcc
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "log_loss" in kind or "squared_error" in kind])
def test_raw_scores_too_large_for_exp_give_probabilities(kind, tmp_path):
    estimator = fitted(kind)
    estimator.coefs_ = [*estimator.coefs_[:-1], 1e4 * estimator.coefs_[-1]]
    to_c(estimator, tmp_path / "network.c")
    assert_same(compiled(tmp_path, tmp_path / "network.c"), "network", estimator)


@needs_gcc
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_samples_with_nan_have_no_class(table, activation):
    library, _ = table
    sample = np.where(np.arange(4) == 1, np.nan, X[:1])
    for kind in ("binary", "multiclass"):
        prefix = f"{kind}_log_loss_{activation}"
        assert called(getattr(library, f"{prefix}_predict"), sample).tolist() == [-1]
        assert np.isnan(called(getattr(library, f"{prefix}_predict_proba"), sample, 2 + (kind == "multiclass"))).all()
    predict = getattr(library, f"multilabel_indicator_log_loss_{activation}_predict")
    assert called(predict, sample, 2, np.intc).tolist() == [[-1, -1]]


@needs_gcc
def test_large_and_tiny_weights_keep_every_bit(tmp_path):
    estimator = fitted("two_numbers", hidden_layer_sizes=())
    numbers = np.array([3.4028235e38, 1e-45, 1.1754944e-38, -0.1, 1 / 3, 16777217, 1, 1e10], np.float32)
    estimator.coefs_ = [numbers.reshape(4, 2)]
    estimator.intercepts_ = [np.zeros(2)]
    to_c(estimator, tmp_path / "network.c")
    library = compiled(tmp_path, tmp_path / "network.c")
    np.testing.assert_array_equal(called(library.network_predict, np.eye(4), 2), numbers.reshape(4, 2))


LABELS = {
    "numbers": [-(2**31) + 1, 0, 2**31 - 1],
    "numbers of more than 32 bits": [-(2**31), 0, 2**31],
    "truth": [False, True],
    "text": ["", 'a "quote"', "\\n, 100 %, what??!", "line\nbreak", "naïve ▲ 1", "PREFIX_predict"],
    "whole fractions": [1.0, 2.0],
}


@needs_gcc
@pytest.mark.parametrize("name", LABELS)
def test_labels_are_in_a_table(name, tmp_path):
    labels = np.sort(LABELS[name])
    estimator = quietly_fitted(SigmoidBackpropClassifier(()), X, labels[np.arange(len(X)) % len(labels)])
    to_c(estimator, tmp_path / "network.c")
    library = compiled(tmp_path, tmp_path / "network.c")
    as_text = labels.dtype.kind in "Uf" or "more" in name
    found = ((ctypes.c_char_p if as_text else ctypes.c_long) * len(labels)).in_dll(library, "network_classes")
    assert list(found) == ([str(label).encode() for label in labels] if as_text else labels.tolist())


MAIN = """
#include <stdio.h>
DECLARATIONS
int main(void)
{
    const float x[4] = {0.5f, 20.0f, 0.0f, 50.0f};
    float y[1];
    second_predict(x, y);
    printf("%s %.5f", first_classes[first_predict(x)], (double)y[0]);
    return 0;
}
"""


@needs_gcc
@pytest.mark.parametrize(
    "compiler", [("gcc", "-std=c99"), pytest.param(("g++", "-x", "c++", "-std=c++98"), marks=needs_gxx)]
)
def test_two_networks_in_one_program(compiler, tmp_path):
    """Each compiled on its own, in C, and called from C and from C++ by their own declarations."""
    first, second = fitted("binary_log_loss"), fitted("poisson")
    declarations = []
    for prefix, estimator in (("first", first), ("second", second)):
        path = tmp_path / f"{prefix}.c"
        to_c(estimator, path, prefix=prefix)
        subprocess.run(["gcc", "-std=c99", *STRICT, "-c", path, "-o", path.with_suffix(".o")], check=True)
        declarations.append(re.search("^#ifdef.*?^}\n#endif\n", path.read_text(), re.DOTALL | re.MULTILINE)[0])
    (tmp_path / "main.c").write_text(MAIN.replace("DECLARATIONS", "\n".join(declarations)))
    subprocess.run([*compiler, *STRICT, "-c", tmp_path / "main.c", "-o", tmp_path / "main.o"], check=True)
    objects = [tmp_path / f"{name}.o" for name in ("main", "first", "second")]
    subprocess.run([compiler[0], *objects, "-o", tmp_path / "program", "-lm"], check=True)
    printed = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout.split()
    sample = [[0.5, 20, 0, 50]]
    assert printed[0] == first.predict(sample)[0]
    assert float(printed[1]) == pytest.approx(second.predict(sample)[0], abs=2e-5)


@needs_gxx
@pytest.mark.parametrize("standard", ["c++98", "c++20"])
@pytest.mark.parametrize(
    "kind", ["binary_log_loss", "multiclass_squared_error", "multilabel-indicator_log_loss", "autoencoder"]
)
def test_a_file_is_c_plus_plus_as_well(kind, standard, tmp_path):
    """With names that C can call."""
    estimator = fitted(kind, ["elu", "gelu", "silu"])
    to_c(estimator, tmp_path / "network.c")
    library = compiled(tmp_path, tmp_path / "network.c", compiler=("g++", "-x", "c++", f"-std={standard}"))
    assert_same(library, "network", estimator)


def test_the_first_lines_say_what_the_file_takes(tmp_path):
    to_c(fitted("multiclass_log_loss", "relu", (6, 2)), tmp_path / "network.c")
    header = " ".join((tmp_path / "network.c").read_text().split("*/")[0].split())
    assert "4 features, 6 relu, 2 relu, 3 outputs" in header
    assert "skbackprop 0.1.0" in header
    # 30 + 14 + 9 weights and biases; 6 + 2 activations and 3 scores.
    assert "take 212 bytes" in header
    assert "the buffers 44" in header


class Half:
    """An activation of the user's own."""

    def forward(self, A, cache):
        A *= 0.5

    def backward(self, A, cache, delta):
        delta *= 0.5


class CubicLink(HuberLoss):
    """A loss of the user's own with another link."""

    def predict(self, Z):
        return Z**3


class Heavier(BinaryLogLoss):
    """A loss of the user's own with a link of ours."""


def test_parts_of_the_users_own_are_refused_by_what_they_predict(tmp_path):
    path = tmp_path / "network.c"
    with pytest.raises(ValueError, match=r"Got the activation .*Half.*fit with one of these"):
        to_c(fitted("binary_log_loss", Half()), path)
    with pytest.raises(ValueError, match=r"Got the loss CubicLink\(.*\), whose predict"):
        to_c(fitted("two_numbers", loss=CubicLink()), path)
    assert not path.exists()
    to_c(fitted("binary_log_loss", loss=Heavier()), path)


def test_what_cannot_be_written_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "network.c"
    path.write_text("an earlier file")
    network = fitted("multiclass_log_loss")
    for other in (make_pipeline(network), SigmoidBackpropOutlierDetector(), SigmoidBackpropClassifier, SimpleNamespace()):
        with pytest.raises(TypeError, match=r"Got .* as the estimator: pass a classifier, regressor or autoencoder"):
            to_c(other, path)
    with pytest.raises(NotFittedError):
        to_c(SigmoidBackpropClassifier(), path)
    for prefix in ("", "1st", "two words", "naïve", "a;b", None):
        with pytest.raises(ValueError, match="which is no C identifier"):
            to_c(network, path, prefix=prefix)
    with pytest.raises(ValueError, match="Got a classifier of one class"):
        to_c(quietly_fitted(MLPClassifier(), X, np.zeros(len(X))), path)
    for value, message in ((np.nan, r"NaN or infinity in coefs_\[0\]"), (1e39, r"coefs_\[0\] with values up to 1e\+39")):
        network.coefs_ = [np.full_like(network.coefs_[0], value), *network.coefs_[1:]]
        with pytest.raises(ValueError, match=message):
            to_c(network, path)
    assert path.read_text() == "an earlier file"


def test_features_too_far_from_zero_for_float_are_warned_of(tmp_path):
    years = np.column_stack([X, X[:, 2] + 2000])
    classifier = quietly_fitted(SigmoidBackpropClassifier((5,)), years, CODES)
    with pytest.warns(UserWarning, match=r"biases of the first layer are up to .*subtract them before fit, and in C"):
        to_c(classifier, tmp_path / "network.c")
