"""The mathematics of the page's scripts against the estimators: what is predicted, the gradient, and the steps."""

import numpy as np
import pytest
from playground_helpers import run_script
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_moons
from sklearn.neural_network import MLPClassifier as TheirClassifier

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop.activations import ACTIVATIONS
from skbackprop.inspection import trace_backpropagation
from skbackprop.losses import REGRESSION_LOSSES
from skbackprop.playground import export_html

MOONS = make_moons(90, noise=0.2, random_state=0)
IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
DIABETES = DIABETES[0][:120], DIABETES[1][:120]
EARLY = {"early_stopping": True, "class_weight": "balanced"}
CASES = {
    **{name: (SigmoidBackpropClassifier((4, 3), name), *MOONS) for name in ACTIVATIONS},
    **{f"loss {name}": (SigmoidBackpropRegressor(name, (4,)), *DIABETES) for name in REGRESSION_LOSSES},
    "softmax": (SigmoidBackpropClassifier((5,), **EARLY), *IRIS),
    "squared error, no layer": (SigmoidBackpropClassifier((), loss="squared_error", fit_intercept=False), *MOONS),
    "several labels": (SigmoidBackpropClassifier((3,)), IRIS[0], np.eye(3, dtype=int)[IRIS[1]][:, :2]),
    "few": (SigmoidBackpropClassifier((3,)), MOONS[0][:20], MOONS[1][:20]),
    "scikit-learn's": (TheirClassifier((4,)), *IRIS),
    "scikit-learn's sgd": (TheirClassifier((4,), solver="sgd", learning_rate="adaptive", early_stopping=True), *IRIS),
    **{
        f"sgd {name}": (SigmoidBackpropClassifier((3,), solver="sgd", init="glorot", learning_rate=name), *MOONS)
        for name in ("constant", "invscaling", "adaptive", "cosine", "one_cycle")
    },
    "momentum": (
        SigmoidBackpropClassifier((3,), solver="sgd", nesterovs_momentum=False, weight_decay=0.01, clip_norm=0.1),
        *MOONS,
    ),
    "plain": (SigmoidBackpropRegressor(hidden_layer_sizes=(3,), solver="sgd", momentum=0, batch_size=16), *DIABETES),
    "adamw": (SigmoidBackpropClassifier((3,), solver="adamw"), *MOONS),
    "lbfgs": (SigmoidBackpropClassifier((3,), solver="lbfgs"), *MOONS),
}


SCRIPT = """
const at = film.frameOf(film.keptEpoch);
const rows = [...Array(film.samples.n).keys()];
const predict = (row) => film.predict(film.weightsAt(at), film.standardized, row * film.nFeatures);
const predictions = rows.map((row) => Array.from(predict(row)));
const gradient = new Float64Array(film.network.nParameters);
const loss = film.lossOfRows(film.network, film.weightsAt(at), film.rows, film.rule.penaltyOfAll, gradient);
const steps = film.rule.exact ? stepped() : null;
function stepped() {
  const trainers = [film.trainerAt(0), film.trainerAt(film.frames - 3)];
  const starts = trainers.map((trainer) => [trainer.steps, trainer.stepsAnEpoch]);
  const losses = trainers.map((trainer) => [trainer.epoch(), trainer.epoch()]).flat();
  const recorded = [2, film.frames - 1].map((frame) => [film.weightsAt(frame, false), film.weightsAt(frame, true)]);
  return [starts, losses, trainers.map((trainer) => [trainer.theta, trainer.mean ?? trainer.theta]), recorded];
}
report([predictions, loss, gradient, steps]);
"""


@pytest.mark.parametrize("name", CASES)
def test_the_scripts_compute_what_the_estimator_does(name, tmp_path):
    """Predictions, the gradient and, from the initial weights as from later ones, the steps."""
    estimator, X, y = CASES[name]
    page = export_html(estimator.set_params(random_state=0), X, y, tmp_path / "page.html", epochs=6)
    fitted = page.estimators[0]
    predictions, loss, gradient, steps = run_script(SCRIPT, page, tmp_path)

    predictions = np.array(predictions)
    if hasattr(fitted, "classes_"):
        expected = fitted.predict_proba(X)[:, -predictions.shape[1] :]
    else:
        expected = fitted.predict(X).reshape(predictions.shape)
    np.testing.assert_allclose(predictions, expected, rtol=1e-5, atol=1e-5)

    if not fitted.early_stopping:
        trace = trace_backpropagation(fitted, X, y)
        expected = [layer.weights_gradient.ravel() for layer in trace.layers]
        expected += [layer.biases_gradient for layer in trace.layers if layer.biases_gradient is not None]
        np.testing.assert_allclose(gradient, np.concatenate(expected), atol=1e-5)
        assert loss == pytest.approx(trace.loss, abs=1e-5)

    assert (steps is None) == (name == "lbfgs")
    if steps is not None:
        (first, later), losses, reached, recorded = steps
        assert first[0] == 0
        assert later[0] == (fitted.n_iter_ - 2) * later[1] > 0
        np.testing.assert_allclose(reached, recorded, atol=1e-4)
        np.testing.assert_allclose(losses, [*fitted.loss_curve_[:2], *fitted.loss_curve_[-2:]], rtol=1e-4)


def test_steps_are_those_of_fit_between_frames_too(tmp_path):
    """Of a film with some of the epochs only."""
    X, y = load_digits(return_X_y=True)
    path = tmp_path / "page.html"
    page = export_html(SigmoidBackpropClassifier((30,), random_state=0, tol=0), X, y, path, epochs=32)
    script = """
    const frame = film.frames - 2;
    const trainer = film.trainerAt(frame);
    while (trainer.epochs < film.epochs[frame + 1]) trainer.epoch();
    report([film.frames, film.nEpochs, film.memoryFor(frame), trainer.theta, film.weightsAt(frame + 1, false)]);
    """
    n_frames, n_epochs, memory, reached, recorded = run_script(script, page, tmp_path)
    assert n_frames < n_epochs
    assert memory["possible"]
    assert memory["from"] > 0
    np.testing.assert_allclose(reached, recorded, atol=1e-4)
