"""Displays: the artists hold the numbers of the network, and say what they are."""

import subprocess
import sys
import warnings
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropOutlierDetector
from skbackprop.callbacks import GradientMonitor
from skbackprop.display import FirstLayerDisplay, GradientFlowDisplay, LossCurveDisplay, NetworkDisplay
from skbackprop.display._loss_curve import _score_name
from skbackprop.losses import BinaryLogLoss, SigmoidSquaredError
from skbackprop.optimizers import Optimizer

CALLBACKS = "scikit-learn has had callbacks since 1.9"
X, y = load_iris(return_X_y=True)
rng = np.random.RandomState(0)
DISPLAYS = [FirstLayerDisplay, GradientFlowDisplay, LossCurveDisplay, NetworkDisplay]


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def images():
    """A classifier of images of 8 x 8 pixels in three classes, with pixels of different scale."""
    pixels = rng.randn(60, 64) * np.logspace(-2, 2, 64)
    return SigmoidBackpropClassifier((20,), random_state=0).fit(pixels, np.repeat(["a", "b", "c"], 20))


def make(**parameters):
    return SigmoidBackpropClassifier(**{"hidden_layer_sizes": (5,), "random_state": 0, **parameters})


def drawn(display):
    """The display, after matplotlib has really drawn it (warnings are errors)."""
    display.figure_.canvas.draw()
    return display


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def from_estimator(display, estimator, **options):
    data = (X, y) if display is GradientFlowDisplay else ()
    return display.from_estimator(estimator, *data, **options)


# What all displays share ---------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("display", DISPLAYS)
def test_without_matplotlib_the_error_says_what_to_install(display, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=rf'{display.__name__}.from_estimator .*pip install "skbackprop\[plot\]"'):
        from_estimator(display, make())
    with pytest.raises(ImportError, match=r"LossCurveDisplay\.plot needs matplotlib"):
        LossCurveDisplay([1.0]).plot()


def test_matplotlib_is_not_imported_with_the_module():
    script = "import sys, skbackprop.display; print('matplotlib' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


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


# Loss curves ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_curves_are_the_training_and_the_validation_loss(early_stopping):
    classifier = make(early_stopping=early_stopping).fit(X, y, X_val=X[::3], y_val=y[::3])
    display = drawn(LossCurveDisplay.from_estimator(classifier))
    epochs = np.arange(1, classifier.n_iter_ + 1)
    np.testing.assert_array_equal(display.training_line_.get_xydata(), np.c_[epochs, classifier.loss_curve_])
    scores = np.array(classifier.validation_scores_)
    np.testing.assert_array_equal(display.validation_line_.get_xydata(), np.c_[epochs, -scores])
    best = scores.argmax()
    np.testing.assert_array_equal(display.best_.get_xydata(), [[best + 1, -scores[best]]])
    assert display.score_ax_ is None
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "log_loss (nats a sample)")
    assert legend(display.ax_) == ["training loss", "validation loss", f"best epoch, {best + 1}"]


def test_without_validation_the_best_epoch_is_that_of_the_smallest_training_loss():
    losses = [3.0, 1.0, np.nan, 2.0, np.inf]
    display = drawn(LossCurveDisplay(losses).plot())
    assert display.validation_line_ is None
    np.testing.assert_array_equal(display.best_.get_xydata(), [[2, 1]])
    assert drawn(LossCurveDisplay([np.nan, np.inf]).plot()).best_ is None


def test_likelihoods_may_be_larger_than_one():
    display = LossCurveDisplay([1.0, -2.0], validation=[-1.0, -0.5]).plot()
    np.testing.assert_array_equal(display.best_.get_xydata(), [[1, -1]])


def test_scores_have_an_axis_of_their_own_which_several_networks_share():
    ax = Figure().subplots()
    displays = [
        LossCurveDisplay.from_estimator(
            make(activation=activation, early_stopping=True, scoring="accuracy").fit(X, y), ax=ax, label=activation
        )
        for activation in ("logistic", "relu")
    ]
    first, second = map(drawn, displays)
    assert first.score_ax_ is second.score_ax_ is not ax
    assert len(ax.figure.axes) == 2
    assert (ax.get_ylabel(), first.score_ax_.get_ylabel()) == ("log_loss (nats a sample)", "validation accuracy")
    assert ax.get_legend() is None
    assert {name.split(",")[0] for name in legend(first.score_ax_)} == {
        f"{activation}: {name}"
        for activation in ("logistic", "relu")
        for name in ("training loss", "validation accuracy", "best epoch")
    }
    assert first.training_line_.get_color() == first.validation_line_.get_color() == first.best_.get_color()
    assert first.training_line_.get_color() != second.training_line_.get_color()
    scores = second.validation
    np.testing.assert_array_equal(
        second.best_.get_xydata(), [[np.flatnonzero(scores == scores.max())[-1] + 1, scores.max()]]
    )


@pytest.mark.parametrize("init", ["auto", "glorot"])
def test_of_equal_scores_the_epoch_is_marked_whose_weights_are_kept(init):
    settings = {"early_stopping": True, "scoring": "accuracy", "init": init, "learning_rate_init": 0.05}
    classifier = make(**settings).fit(X, y)
    scores = np.array(classifier.validation_scores_)
    assert np.sum(scores == scores.max()) > 1
    display = drawn(LossCurveDisplay.from_estimator(classifier))
    epoch = display.best_.get_xdata()[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        to_there, not_quite = (make(**settings).set_params(max_iter=stop).fit(X, y) for stop in (epoch, epoch - 1))
    assert np.array_equal(to_there.coefs_[0], classifier.coefs_[0])
    assert not np.array_equal(not_quite.coefs_[0], classifier.coefs_[0])


def test_different_losses_on_the_same_axes_are_both_named():
    ax = Figure().subplots()
    LossCurveDisplay.from_estimator(make().fit(X, y), ax=ax)
    assert ax.get_ylabel() == "log_loss (nats a sample)"
    for _ in range(2):
        LossCurveDisplay.from_estimator(make(loss="squared_error").fit(X, y), ax=ax)
        assert ax.get_ylabel() == "log_loss (nats a sample) or squared_error"


@pytest.mark.parametrize(
    ("loss", "label"),
    [
        ("squared_error", "squared_error"),
        (BinaryLogLoss(), "BinaryLogLoss (nats a sample)"),
        (SigmoidSquaredError(), "SigmoidSquaredError"),
    ],
)
def test_only_likelihoods_are_in_nats(loss, label):
    display = LossCurveDisplay.from_estimator(make(loss=loss).fit(X, y == 1))
    assert display.ax_.get_ylabel() == label


def test_a_minimiser_has_iterations():
    display = LossCurveDisplay.from_estimator(make(solver="lbfgs", max_iter=1000).fit(X, y))
    assert display.ax_.get_xlabel() == "iteration"
    assert legend(display.ax_)[-1].startswith("best iteration, ")


def test_networks_of_scikit_learn_are_drawn_too():
    classifier = MLPClassifier((5,), early_stopping=True, max_iter=500, learning_rate_init=0.01, random_state=0).fit(X, y)
    display = drawn(LossCurveDisplay.from_estimator(classifier))
    np.testing.assert_array_equal(display.validation_line_.get_ydata(), classifier.validation_scores_)
    assert (display.ax_.get_ylabel(), display.score_ax_.get_ylabel()) == ("log_loss", "validation accuracy")
    network = drawn(NetworkDisplay.from_estimator(classifier))
    assert network.weight_name == "weight"
    np.testing.assert_array_equal(network.coefs[0], classifier.coefs_[0])


def rate(estimator, X, y):
    return estimator.score(X, y)


@pytest.mark.parametrize(
    ("scoring", "name"),
    [
        ("loss", None),
        (None, "accuracy"),
        ("neg_log_loss", "neg_log_loss"),
        (rate, "rate"),
        (make_scorer(accuracy_score), "accuracy_score"),
    ],
)
def test_the_name_of_the_score(scoring, name):
    assert _score_name(make(scoring=scoring)) == name


def test_the_score_of_a_regressor_is_r_squared():
    regressor = MLPRegressor(hidden_layer_sizes=(5,), early_stopping=True, max_iter=500, random_state=0).fit(X, X[:, 0])
    display = drawn(LossCurveDisplay.from_estimator(regressor))
    assert (display.ax_.get_ylabel(), display.score_ax_.get_ylabel()) == ("squared_error", "validation R²")
    np.testing.assert_array_equal(display.validation_line_.get_ydata(), regressor.validation_scores_)


def test_epochs_without_a_score_are_left_out_of_the_validation_curve():
    before, classifier = 3, make()
    for epoch in range(5):
        held_out = {"X_val": X, "y_val": y} if epoch >= before else {}
        classifier.partial_fit(X, y, classes=[0, 1, 2], **held_out)
    display = drawn(LossCurveDisplay.from_estimator(classifier))
    values = display.validation_line_.get_ydata()
    assert np.isnan(values[:before]).all()
    np.testing.assert_array_equal(values[before:], -np.array(classifier.validation_scores_))


def test_the_epoch_that_diverged_has_no_score():
    # Each step multiplies the weights by a large number, so that float32 overflows after a few epochs.
    settings = {"solver": "sgd", "momentum": 0, "learning_rate": "constant", "learning_rate_init": 1.0, "alpha": 1e5}
    classifier = make(batch_size=len(X), clip_norm=None, **settings)
    with pytest.warns(ConvergenceWarning):
        classifier.fit(X.astype(np.float32), y, X_val=X, y_val=y)
    assert len(classifier.validation_scores_) == len(classifier.loss_curve_) - 1 > 0
    display = drawn(LossCurveDisplay.from_estimator(classifier))
    np.testing.assert_array_equal(display.validation[:-1], -np.array(classifier.validation_scores_))
    assert np.isnan(display.validation[-1])


def test_one_epoch_is_a_point():
    assert LossCurveDisplay([1.0]).plot().training_line_.get_marker() == "."
    assert LossCurveDisplay([1.0, 2.0]).plot().training_line_.get_marker() == "None"


def test_styles_are_passed_on_under_long_and_short_names():
    display = LossCurveDisplay([2.0, 1.0], validation=[3.0, 2.0]).plot(c="red", linewidth=3)
    for line in (display.training_line_, display.validation_line_):
        assert (line.get_color(), line.get_linewidth()) == ("red", 3)


def test_a_value_an_epoch():
    with pytest.raises(ValueError, match=r"Got validation of shape \(1,\) for training_losses of shape \(2,\)"):
        LossCurveDisplay([1.0, 2.0], validation=[1.0])
    with pytest.raises(ValueError, match=r"Got training_losses of shape \(\): pass an array of shape \(n_epochs,\)"):
        LossCurveDisplay(1.0)


# Gradient flow -------------------------------------------------------------------------------------------------------

NORMS = np.logspace(-6, 0, 12).reshape(3, 4)


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


# The network ---------------------------------------------------------------------------------------------------------


def texts(display):
    return [text.get_text() for text in display.texts_]


def test_every_weight_is_an_edge_with_its_colour_and_width():
    coefs = [np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -0.1]]), np.array([[-4.0], [0.2], [0.3]])]
    display = drawn(NetworkDisplay(coefs).plot())
    weights = np.concatenate([coef.ravel() for coef in coefs])
    values = display.edges_.get_array()
    np.testing.assert_array_equal(np.sort(values), np.sort(weights))
    assert (np.diff(np.abs(values)) >= 0).all()
    assert (np.diff(display.edges_.get_linewidths()) >= 0).all()
    assert display.edges_.get_clim() == (-4, 4)
    centres = [units.get_offsets() for units in display.units_]
    assert [len(units) for units in centres] == [2, 3, 1]
    # Each edge runs from the unit of its row to that of its column.
    for segment, value in zip(display.edges_.get_segments(), values, strict=True):
        layer = int(segment[0, 0])
        below = np.flatnonzero((centres[layer] == segment[0]).all(axis=1))
        above = np.flatnonzero((centres[layer + 1] == segment[1]).all(axis=1))
        assert coefs[layer][below[0], above[0]] == value
    assert texts(display) == ["inputs\n2 units", "hidden 1\n3 units", "outputs\n1 unit"]
    assert display.colorbar_.ax.get_ylabel() == "weight"


@pytest.mark.parametrize("max_units", [1, 2, 5, 16])
def test_of_a_large_layer_the_first_and_last_units_are_shown(max_units):
    coefs = [rng.randn(40, 17), rng.randn(17, 3)]
    display = drawn(NetworkDisplay(coefs).plot(max_units=max_units))
    n_first, n_shown = (max_units + 1) // 2, [min(size, max_units) for size in (40, 17, 3)]
    assert [len(units.get_offsets()) for units in display.units_] == n_shown
    assert [text for text in texts(display) if "more" in text] == [
        f"⋮\n{size - max_units} more" for size in (40, 17, 3) if size > max_units
    ]
    shown = [np.r_[:size] if size <= max_units else np.r_[:size][[*range(n_first), *range(n_first - max_units, 0)]]
             for size in (40, 17, 3)]  # fmt: skip
    expected = np.concatenate([coefs[layer][np.ix_(shown[layer], shown[layer + 1])].ravel() for layer in (0, 1)])
    np.testing.assert_array_equal(np.sort(display.edges_.get_array()), np.sort(expected))


def test_layers_inputs_and_classes_are_named():
    frame, target = load_iris(return_X_y=True, as_frame=True)
    classifier = make(activation="relu").fit(frame, np.array(["setosa", "versicolor", "virginica"])[target])
    display = drawn(NetworkDisplay.from_estimator(classifier))
    assert texts(display) == [
        *("inputs\n4 units", "hidden 1\n5 units\nrelu", "outputs\n3 units\nsoftmax"),
        *frame.columns,
        *("setosa", "versicolor", "virginica"),
    ]
    heights = [text.xy[1] for text in display.texts_[3:7]]
    np.testing.assert_array_equal(heights, display.units_[0].get_offsets()[:, 1])
    # Names that do not belong to the units shown are left out.
    assert frame.columns[0] not in texts(NetworkDisplay.from_estimator(classifier, max_units=3))


def test_the_output_unit_of_two_classes_belongs_to_the_second():
    display = NetworkDisplay.from_estimator(make(hidden_layer_sizes=()).fit(X, np.where(y == 1, "yes", "no")))
    assert texts(display) == ["inputs\n4 units", "outputs\n1 unit\nlogistic", "yes"]


def test_each_hidden_layer_has_its_own_activation():
    classifier = make(hidden_layer_sizes=(3, 2), activation=["tanh", "relu"]).fit(X, y)
    assert texts(NetworkDisplay.from_estimator(classifier))[1:3] == ["hidden 1\n3 units\ntanh", "hidden 2\n2 units\nrelu"]


@pytest.mark.parametrize("figsize", [(6.4, 4.8), (3, 2), (12, 3)])
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_nothing_that_is_written_overlaps_or_leaves_the_axes(figsize, layout):
    names = ["a" * 40, "sepal width (cm)", "x", "petal width (cm)"]
    ax = Figure(figsize=figsize, layout=layout).subplots()
    coefs = [rng.randn(4, 20), rng.randn(20, 20), rng.randn(20, 10)]
    display = drawn(NetworkDisplay(coefs, input_names=names, output_names=[f"digit {k}" for k in range(10)]).plot(ax))
    boxes = [text.get_window_extent() for text in display.texts_]
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])
        assert display.figure_.bbox.padded(1).containsx(box.x0)
        assert display.figure_.bbox.padded(1).containsx(box.x1)


def test_a_network_of_zeros_is_drawn_in_white():
    display = drawn(NetworkDisplay([np.zeros((2, 2))]).plot(colorbar=False))
    assert display.edges_.get_clim() == (-1, 1)
    assert display.colorbar_ is None


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


@pytest.mark.parametrize(
    ("coefs", "names", "message"),
    [
        ([], {}, r"Got coefs of shapes \[\]: pass"),
        ([np.ones(3)], {}, r"Got coefs of shapes \[\(3,\)\]: pass"),
        ([np.ones((2, 3)), np.ones((2, 1))], {}, r"each fan_in being the fan_out of the layer before"),
        ([np.ones((2, 1))], {"input_names": ["a"]}, "Got 1 input_names: pass 2, or None"),
        ([np.ones((2, 1))], {"output_names": ["a", "b"]}, "Got 2 output_names: pass 1, or None"),
        ([np.ones((2, 1))], {"layer_names": ["a"]}, "Got 1 layer_names: pass 2, or None"),
    ],
)
def test_what_is_no_network(coefs, names, message):
    with pytest.raises(ValueError, match=message):
        NetworkDisplay(coefs, **names)


@pytest.mark.parametrize("max_units", [0, 2.5, "all"])
@pytest.mark.parametrize("display", [NetworkDisplay([np.ones((4, 1))]), FirstLayerDisplay(np.ones((4, 1)))])
def test_max_units_is_a_whole_number(display, max_units):
    with pytest.raises(ValueError, match=f"Got max_units={max_units!r}: pass a whole number"):
        display.plot(max_units=max_units)


# The first layer -----------------------------------------------------------------------------------------------------


def test_each_unit_is_an_image_of_its_weights(images):
    display = drawn(FirstLayerDisplay.from_estimator(images))
    mosaic = display.image_.get_array()
    assert mosaic.shape == (4 * 9 - 1, 4 * 9 - 1)
    for unit in range(16):
        row, column = 9 * (unit // 4), 9 * (unit % 4)
        np.testing.assert_array_equal(mosaic[row : row + 8, column : column + 8].ravel(), display.weights[:, unit])
    assert mosaic.mask.sum() == mosaic.size - 16 * 64
    low, high = display.image_.get_clim()
    assert -low == high == np.abs(display.weights[:, :16]).max()
    assert display.ax_.get_title() == "first layer, first 16 of 20 units"
    assert display.colorbar_.ax.get_ylabel() == "weight, for standardised inputs"


@pytest.mark.parametrize("n_units", [1, 2, 5, 16])
def test_as_many_images_as_units(n_units):
    weights = rng.randn(6, n_units)
    display = drawn(FirstLayerDisplay(weights, image_shape=(2, 3)).plot(colorbar=False, cmap="gray"))
    mosaic = display.image_.get_array()
    np.testing.assert_array_equal(np.sort(mosaic.compressed()), np.sort(weights.ravel()))
    assert display.ax_.get_title() == f"first layer, all {n_units} units"
    assert (display.colorbar_, display.image_.get_cmap().name) == (None, "gray")


@pytest.mark.parametrize(
    ("weights", "image_shape", "message"),
    [
        (np.ones(4), None, r"Got weights of shape \(4,\): pass"),
        (np.ones((6, 2)), None, "Got image_shape=None for 6 inputs, which make no square: pass image_shape"),
        (np.ones((6, 2)), (2, 2), r"Got image_shape=\(2, 2\) for 6 inputs: pass two numbers"),
        (np.ones((6, 2)), 6, "Got image_shape=6 for 6 inputs: pass two numbers"),
        (np.ones((6, 2)), (1, 2, 3), r"Got image_shape=\(1, 2, 3\) for 6 inputs: pass two numbers"),
    ],
)
def test_what_is_no_image(weights, image_shape, message):
    with pytest.raises(ValueError, match=message):
        FirstLayerDisplay(weights, image_shape=image_shape)
