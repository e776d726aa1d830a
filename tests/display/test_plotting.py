"""What all displays share: the networks they take, axes, names of weights, and matplotlib only where it draws."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from display_helpers import X, drawn, make, y
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropOutlierDetector
from skbackprop.display import BoundaryFilm, FirstLayerDisplay, GradientFlowDisplay, LossCurveDisplay, NetworkDisplay

DISPLAYS = [FirstLayerDisplay, GradientFlowDisplay, LossCurveDisplay, NetworkDisplay]


def from_estimator(display, estimator, **options):
    data = (X, y) if display in {GradientFlowDisplay, BoundaryFilm} else ()
    return display.from_estimator(estimator, *data, **options)


@pytest.mark.slow
@pytest.mark.parametrize("display", DISPLAYS)
def test_a_fitted_network_is_asked_for(display):
    with pytest.raises(NotFittedError):
        from_estimator(display, make())
    pipeline = make_pipeline(StandardScaler(), make()).fit(X, y)
    with pytest.raises(TypeError, match=r"Got Pipeline, which has no .*pipeline\[-1\]"):
        from_estimator(display, pipeline)
    detector = SigmoidBackpropOutlierDetector((3,), n_estimators=1, random_state=0).fit(X)
    with pytest.raises(TypeError, match=r"Got SigmoidBackpropOutlierDetector, which has no .*detector.estimators_\[0\]"):
        from_estimator(display, detector)


@pytest.mark.parametrize("display", [*DISPLAYS, BoundaryFilm])
def test_without_matplotlib_the_error_says_what_to_install(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=rf'{display.__name__}.from_estimator .*pip install "skbackprop\[plot\]"'):
        from_estimator(display, make())
    with pytest.raises(ImportError, match=r"LossCurveDisplay\.plot needs matplotlib"):
        LossCurveDisplay([1.0]).plot()


@pytest.mark.slow
def test_matplotlib_is_not_imported_with_the_module(run_python):
    script = "import sys, skbackprop.display; print('matplotlib' in sys.modules)"
    assert run_python(script).stdout.strip() == "False"


@pytest.mark.slow
@pytest.mark.parametrize(
    "display",
    [
        FirstLayerDisplay(np.ones((4, 2))),
        GradientFlowDisplay([[1.0, 2.0]]),
        GradientFlowDisplay([1.0, 2.0]),
        LossCurveDisplay([1.0], validation=[0.5], score_name="R²"),
        NetworkDisplay([np.ones((2, 1))]),
    ],
    ids=lambda display: type(display).__name__,
)
def test_axes_are_those_given_or_new(display):
    ax = Figure().subplots()
    assert display.plot(ax) is display
    assert (display.ax_, display.figure_) == (ax, ax.figure)
    assert not plt.get_fignums()
    drawn(display.plot())
    assert display.ax_ is not ax
    assert plt.get_fignums()


@pytest.mark.slow
def test_networks_of_scikit_learn_are_drawn_too():
    classifier = MLPClassifier((5,), early_stopping=True, max_iter=500, learning_rate_init=0.01, random_state=0).fit(X, y)
    display = drawn(LossCurveDisplay.from_estimator(classifier))
    np.testing.assert_array_equal(display.validation_line_.get_ydata(), classifier.validation_scores_)
    assert (display.ax_.get_ylabel(), display.score_ax_.get_ylabel()) == ("log_loss", "validation accuracy")
    network = drawn(NetworkDisplay.from_estimator(classifier))
    assert network.weight_name == "weight"
    np.testing.assert_array_equal(network.coefs[0], classifier.coefs_[0])


@pytest.mark.slow
def test_weights_are_those_of_the_standardised_inputs_where_training_has_them():
    scales = np.array([1e-3, 1.0, 10.0, 1e3])
    raw = make().fit(X * scales, y)
    plain = make(standardize=False).fit(StandardScaler().fit_transform(X), y)
    for display in (NetworkDisplay.from_estimator(raw), FirstLayerDisplay.from_estimator(raw, image_shape=(2, 2))):
        weights = display.coefs[0] if isinstance(display, NetworkDisplay) else display.weights
        np.testing.assert_allclose(weights, plain.coefs_[0], atol=1e-6)
        assert display.colorbar_.ax.get_ylabel() == "weight, for standardised inputs"
    display = NetworkDisplay.from_estimator(plain)
    np.testing.assert_array_equal(display.coefs[0], plain.coefs_[0])
    assert display.colorbar_.ax.get_ylabel() == "weight"


@pytest.mark.parametrize("max_units", [0, 2.5, "all"])
@pytest.mark.parametrize("display", [NetworkDisplay([np.ones((4, 1))]), FirstLayerDisplay(np.ones((4, 1)))])
def test_max_units_is_a_whole_number(display, max_units):
    with pytest.raises(ValueError, match=f"Got max_units={max_units!r}: pass a whole number"):
        display.plot(max_units=max_units)
