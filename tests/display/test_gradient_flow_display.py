"""The gradient's flow: the lines hold the norms of each layer, and say what they are."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from display_helpers import X, drawn, legend, make, y
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

from skbackprop.callbacks import GradientMonitor
from skbackprop.display import GradientFlowDisplay
from skbackprop.optimizers import Optimizer

CALLBACKS = "scikit-learn has had callbacks since 1.9"
NORMS = np.logspace(-6, 0, 12).reshape(3, 4)


@pytest.mark.slow
def test_each_layer_has_a_line_over_the_epochs():
    monitor = SimpleNamespace(gradient_norms_=NORMS)
    display = drawn(GradientFlowDisplay.from_monitor(monitor, loss_unit="nats"))
    assert len(display.lines_) == 4
    for layer, line in enumerate(display.lines_):
        np.testing.assert_array_equal(line.get_xydata(), np.c_[[1, 2, 3], NORMS[:, layer]])
    ax = display.ax_
    assert (ax.get_xlabel(), ax.get_yscale()) == ("epoch", "log")
    assert ax.get_ylabel() == "norm of the gradient (nats per unit of weight)"
    assert display.colorbar_.ax.get_ylabel() == "layer of weights (1 is fed by the inputs)"
    np.testing.assert_array_equal(display.colorbar_.get_ticks(), [1, 2, 3, 4])
    colours = [tuple(display.colorbar_.cmap(display.colorbar_.norm(layer))) for layer in (1, 2, 3, 4)]
    assert colours == [tuple(line.get_color()) for line in display.lines_]


def test_two_networks_share_axes_and_colour_bar():
    ax = Figure().subplots()
    first = GradientFlowDisplay(NORMS, label="logistic").plot(ax)
    second = drawn(GradientFlowDisplay(NORMS * 2, label="relu").plot(ax, ls="--"))
    assert first.colorbar_ is second.colorbar_
    assert len(ax.figure.axes) == 2
    assert legend(ax) == ["logistic", "relu"]
    assert {line.get_linestyle() for line in second.lines_} == {"--"}
    assert ax.get_ylabel() == "norm of the gradient"


def test_a_very_deep_network_numbers_some_of_its_layers():
    display = drawn(GradientFlowDisplay(np.ones((2, 60))).plot())
    ticks = display.colorbar_.get_ticks()
    assert (ticks[0], ticks[-1], len(ticks)) == (1, 60, 10)


def test_norms_at_one_moment_are_a_line_over_the_layers():
    ax = Figure().subplots()
    for label, norms in (("logistic", NORMS[0]), ("relu", NORMS[1])):
        display = drawn(GradientFlowDisplay(norms, label=label).plot(ax))
        np.testing.assert_array_equal(display.lines_[0].get_xydata(), np.c_[[1, 2, 3, 4], norms])
    assert (ax.get_xlabel(), ax.get_yscale()) == ("layer of weights (1 is fed by the inputs)", "log")
    assert legend(ax) == ["logistic", "relu"]


@pytest.mark.parametrize("norms", [[0.02, 0.03], [0.02, 0.0, 0.03], [0.1, 0.1], [[0.09, 0.02], [0.05, 0.04]]])
def test_norms_of_about_the_same_size_are_shown_within_a_decade(norms):
    display = drawn(GradientFlowDisplay(norms).plot())
    low, high = display.ax_.get_ylim()
    assert 10 <= high / low < 20
    labels = [label.get_text() for label in display.ax_.get_yticklabels(minor=True)]
    assert not any(labels)
    # Others on the same axes still find room.
    GradientFlowDisplay(NORMS[0], label="another").plot(display.ax_)
    assert display.ax_.get_ylim()[0] < NORMS.min()


def test_norms_of_exactly_zero_are_marked_at_the_bottom():
    display = drawn(GradientFlowDisplay([0.0, 0.1, 0.0], label="dead").plot())
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), [np.nan, 0.1, np.nan])
    np.testing.assert_array_equal(display.zeros_[0].get_xydata(), [[1, 0], [3, 0]])
    assert legend(display.ax_) == ["dead", "dead: exactly 0"]
    assert len(drawn(GradientFlowDisplay(np.zeros((3, 2))).plot()).zeros_) == 2
    assert GradientFlowDisplay(NORMS).plot().zeros_ == []


def test_the_norms_of_an_estimator_are_those_of_inspection(monkeypatch):
    def gradient_flow(estimator, X, y=None, sample_weight=None):
        asked.append((estimator, X, y, sample_weight))
        return SimpleNamespace(layers=[SimpleNamespace(gradient_norm=norm) for norm in NORMS[0]])

    asked, classifier, weight = [], make().fit(X, y), np.ones(len(X))
    monkeypatch.setitem(sys.modules, "skbackprop.inspection", SimpleNamespace(gradient_flow=gradient_flow))
    display = drawn(GradientFlowDisplay.from_estimator(classifier, X, y, sample_weight=weight, label="logistic"))
    assert len(asked) == 1
    assert all(got is given for got, given in zip(asked[0], (classifier, X, y, weight), strict=True))
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), NORMS[0])
    assert display.ax_.get_ylabel() == "norm of the gradient (nats per unit of weight)"
    classifier = make(loss="squared_error").fit(X, y)
    assert GradientFlowDisplay.from_estimator(classifier, X, y).ax_.get_ylabel() == "norm of the gradient"


class LastGradient(Optimizer):
    """Changes nothing and keeps the gradient it is given."""

    full_batch = True

    def update(self, theta, gradient, state, learning_rate, loss):
        self.gradient = gradient.copy()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_norms_of_an_estimator_are_those_of_the_gradient_that_training_descends():
    ax = Figure().subplots()
    for activation in ("logistic", "relu"):
        settings = {"activation": activation, "init": "glorot", "standardize": True, "alpha": 0, "max_iter": 1}
        classifier = make(hidden_layer_sizes=(10,) * 6, solver=(last := LastGradient()), **settings).fit(X, y)
        display = drawn(GradientFlowDisplay.from_estimator(classifier, X, y, ax=ax, label=activation))
        ends = np.cumsum([coef.size for coef in classifier.coefs_])
        expected = [np.linalg.norm(part) for part in np.split(last.gradient, ends)[:-1]]
        np.testing.assert_allclose(display.lines_[0].get_ydata(), expected, rtol=1e-9)
    assert legend(ax) == ["logistic", "relu"]


def test_what_is_no_array_of_norms():
    with pytest.raises(ValueError, match=r"Got gradient_norms of shape \(\): pass an array of shape"):
        GradientFlowDisplay(1.0)
    with pytest.raises(NotFittedError, match="This SimpleNamespace has no gradient_norms_ yet"):
        GradientFlowDisplay.from_monitor(SimpleNamespace())
    with pytest.raises(TypeError, match="Got the class SimpleNamespace: pass the instance"):
        GradientFlowDisplay.from_monitor(SimpleNamespace)
    with pytest.raises(ValueError, match=r"Got epochs of shape \(2,\) for 3 rows"):
        GradientFlowDisplay(NORMS, epochs=[1, 2])


def test_a_monitor_may_number_its_epochs():
    norms = NORMS.copy()
    norms[1, 0] = 0
    display = drawn(GradientFlowDisplay.from_monitor(SimpleNamespace(gradient_norms_=norms, epochs_=[3, 6, 7])))
    for line in display.lines_:
        np.testing.assert_array_equal(line.get_xdata(), [3, 6, 7])
    np.testing.assert_array_equal(display.zeros_[0].get_xdata(), [6])


def test_a_callback_without_a_fit_cannot_be_drawn():
    pytest.importorskip("sklearn.callback", reason=CALLBACKS)
    with pytest.raises(NotFittedError, match="This GradientMonitor has no gradient_norms_ yet"):
        GradientFlowDisplay.from_monitor(GradientMonitor())
