"""Loss curves: the lines hold the numbers of the training, and say what they are."""

import warnings

import numpy as np
import pytest
from display_helpers import X, drawn, legend, make, y
from matplotlib.figure import Figure
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skbackprop.display import LossCurveDisplay
from skbackprop.display._loss_curve import _score_name
from skbackprop.losses import BinaryLogLoss, SigmoidSquaredError


@pytest.mark.slow
@pytest.mark.parametrize("early_stopping", [True, False])
def test_the_curves_are_the_training_and_the_validation_loss(early_stopping):
    classifier = make(early_stopping=early_stopping).fit(X, y, X_val=X[::3], y_val=y[::3])
    display = drawn(LossCurveDisplay.from_estimator(classifier))
    epochs = np.arange(1, classifier.n_iter_ + 1)
    np.testing.assert_array_equal(display.training_line_.get_xydata(), np.c_[epochs, classifier.loss_curve_])
    scores = np.array(classifier.validation_scores_)
    np.testing.assert_array_equal(display.validation_line_.get_xydata(), np.c_[epochs, -scores])
    assert display.score_ax_ is None
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("epoch", "log_loss (nats a sample)")
    best = scores.argmax()
    marks = [f"best epoch, {best + 1}"] if early_stopping else []
    assert legend(display.ax_) == ["training loss", "validation loss", *marks]
    if early_stopping:
        np.testing.assert_array_equal(display.best_.get_xydata(), [[best + 1, -scores[best]]])


@pytest.mark.parametrize(
    "network",
    [
        make(),
        make(early_stopping="cv", n_folds=2),
        make(solver="lbfgs"),
        MLPClassifier((5,), max_iter=5, random_state=0),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_no_epoch_is_marked_where_the_weights_of_none_were_chosen(network):
    assert drawn(LossCurveDisplay.from_estimator(network.fit(X, y))).best_ is None


def test_only_the_best_validation_is_marked():
    losses = [3.0, 1.0, np.nan, 2.0, np.inf]
    display = drawn(LossCurveDisplay(losses).plot())
    assert display.validation_line_ is display.best_ is None
    display = drawn(LossCurveDisplay([5.0, 4.0, 3.0, 2.0, 1.0], validation=losses).plot())
    np.testing.assert_array_equal(display.best_.get_xydata(), [[2, 1]])
    assert drawn(LossCurveDisplay(losses, validation=losses, mark_best=False).plot()).best_ is None
    assert drawn(LossCurveDisplay([2.0, 1.0], validation=[np.nan, np.inf]).plot()).best_ is None


def test_likelihoods_may_be_larger_than_one():
    display = LossCurveDisplay([1.0, -2.0], validation=[-1.0, -0.5]).plot()
    np.testing.assert_array_equal(display.best_.get_xydata(), [[1, -1]])


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert legend(display.ax_) == ["training loss"]


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
    assert len(classifier.validation_scores_) == len(classifier.loss_curve_) > 1
    display = drawn(LossCurveDisplay.from_estimator(classifier))
    np.testing.assert_array_equal(display.validation, -np.array(classifier.validation_scores_))
    assert np.isfinite(display.validation[:-1]).all()
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
