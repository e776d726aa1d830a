"""What a network predicts over the epochs: the frames are those of fit, and show what the estimators predict."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from display_helpers import drawn
from matplotlib.figure import Figure
from PIL import Image
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris, make_moons
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor
from skbackprop.activations import Tanh
from skbackprop.display import BoundaryFilm

X, y = make_moons(80, noise=0.2, random_state=0)
NAMES = np.array(["upper", "lower"])
# Without a schedule that looks at max_iter, a fit of some epochs is the beginning of a longer one.
STEADY = {"learning_rate": "constant", "tol": 0, "random_state": 0}


class OwnTanh(Tanh):
    """An activation of the user's own."""


def make(**parameters):
    return SigmoidBackpropClassifier(**{"hidden_layer_sizes": (4,), "max_iter": 12, "random_state": 0, **parameters})


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "estimator",
    [
        make(**STEADY),
        make(**STEADY, solver="sgd", activation=OwnTanh()),
        make(**STEADY, solver="lbfgs"),
        SigmoidBackpropRegressor(hidden_layer_sizes=(4,), max_iter=12, **STEADY),
        MLPClassifier((4,), max_iter=12, tol=0, random_state=0),
    ],
    ids=["adam", "sgd, own activation", "lbfgs", "regressor", "scikit-learn's"],
)
def test_a_frame_predicts_what_a_fit_that_ends_there_does(estimator):
    y_scaled = 100.0 + 30 * y
    film = BoundaryFilm.from_estimator(estimator, X, y_scaled, epochs=[1, 5, 12])
    assert not hasattr(estimator, "coefs_")
    for epoch, frame in zip([1, 5, 12], film.estimators, strict=True):
        fitted = clone(estimator).set_params(max_iter=epoch).fit(X, y_scaled)
        method = "predict_proba" if hasattr(fitted, "classes_") else "predict"
        expected = getattr(fitted, method)(X)
        np.testing.assert_allclose(getattr(frame, method)(X), expected, rtol=1e-9, atol=1e-9)
    assert film.titles[0] == ("iteration 1" if estimator.solver == "lbfgs" else "epoch 1")


def test_by_default_a_film_goes_from_the_initial_weights_to_those_that_are_kept():
    network = make(early_stopping=True, n_iter_no_change=3, max_iter=300, learning_rate_init=0.1)
    fitted = clone(network).fit(X, y)
    film = drawn(BoundaryFilm.from_estimator(network, X, y))
    kept = int(np.flatnonzero(fitted.validation_scores_ == np.max(fitted.validation_scores_))[-1]) + 1
    assert kept < fitted.n_iter_
    assert (film.titles[0], film.titles[-1]) == ("epoch 0", f"epoch {kept}, kept")
    assert len(film.estimators) == min(kept, 30) + 1
    np.testing.assert_array_equal(film.estimators[-1].predict_proba(X), fitted.predict_proba(X))


@pytest.mark.parametrize("scales", [(1, 1), (1000, 0.001)])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_map_has_the_colour_of_a_class_where_it_has_half_of_the_probability(n_classes, scales):
    inputs, labels = (X, NAMES[y]) if n_classes == 2 else (load_iris().data[:, 2:], load_iris().target)
    inputs = inputs * scales
    film = drawn(BoundaryFilm.from_estimator(make(), inputs, labels, epochs=[0, 12]))
    grid = np.random.RandomState(0).uniform(inputs.min(axis=0), inputs.max(axis=0), (300, 2))
    for axes, estimator in zip(film.axes_, film.estimators, strict=True):
        # A map of each class, and its samples.
        maps, dots = axes.collections[::2], axes.collections[1::2]
        assert len(maps) == len(dots) == n_classes
        for at, label in enumerate(estimator.classes_):
            np.testing.assert_array_equal(dots[at].get_offsets(), inputs[labels == label])
            inside = np.zeros(len(grid), dtype=int)
            for path in maps[at].get_paths():
                inside += path.contains_points(grid)
            probability = estimator.predict_proba(grid)[:, at]
            clear = np.abs(probability - 0.5) > 0.03
            np.testing.assert_array_equal(inside[clear] % 2 == 1, (probability > 0.5)[clear])
        assert axes.get_xlim()[0] < inputs[:, 0].min() < inputs[:, 0].max() < axes.get_xlim()[1]
        assert axes.get_ylim()[0] < inputs[:, 1].min() < inputs[:, 1].max() < axes.get_ylim()[1]
    assert [text.get_text() for text in film.figure_.legends[0].get_texts()] == [str(label) for label in np.unique(labels)]


def test_numbers_have_the_same_colours_in_the_map_as_in_the_samples():
    network = SigmoidBackpropRegressor(hidden_layer_sizes=(4,), max_iter=8, random_state=0)
    film = drawn(BoundaryFilm.from_estimator(network, X * [1000, 1], X[:, 0] - X[:, 1], epochs=[0, 8]))
    for axes in film.axes_:
        surface, dots = axes.collections
        assert surface.get_clim() == dots.get_clim() == film.axes_[0].collections[0].get_clim()
        assert surface.get_cmap() == dots.get_cmap()
    assert not film.figure_.legends


@pytest.mark.parametrize(
    ("estimator", "targets", "curves", "label"),
    [
        (LinearRegression(), X[:, 1], 1, "y"),
        (LinearRegression(), X, 2, "y"),
        (LogisticRegression(), NAMES[y], 1, "probability of upper"),
        (LogisticRegression(), np.digitize(X[:, 0], [0, 1]), 3, "probability"),
    ],
    ids=["number", "two numbers", "two classes", "three classes"],
)
def test_one_feature_has_a_curve(estimator, targets, curves, label):
    """Of any estimator."""
    inputs = X[:, :1]
    film = drawn(BoundaryFilm([estimator.fit(inputs, targets)], inputs, targets).plot())
    (axes,) = film.axes_
    lines = axes.get_lines()
    assert (len(lines), axes.get_ylabel()) == (curves, label)
    x = lines[0].get_xdata()
    predicted = (getattr(estimator, "predict_proba", None) or estimator.predict)(x[:, np.newaxis]).reshape(len(x), -1)
    for line, expected in zip(lines, predicted[:, -curves:].T, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), expected)
    assert bool(film.figure_.legends) == (curves > 1)


def test_several_labels_have_a_curve_each():
    targets = np.column_stack([y, X[:, 0] > 0])
    film = drawn(BoundaryFilm.from_estimator(make(), X[:, :1], targets, epochs=[12]))
    assert len(film.axes_[0].get_lines()) == 2
    np.testing.assert_array_equal(film.axes_[0].collections[1].get_offsets()[:, 1], targets[:, 1])


TREES = [DecisionTreeClassifier(max_depth=depth, random_state=0).fit(X, y) for depth in range(1, 9)]
TITLES = [f"depth {depth}" for depth in range(1, 9)]


@pytest.mark.parametrize(
    ("max_frames", "shown"), [(1, [8]), (2, [1, 8]), (3, [1, 5, 8]), (8, range(1, 9)), (20, range(1, 9))]
)
def test_a_row_goes_from_the_first_frame_to_the_last(max_frames, shown):
    film = BoundaryFilm(TREES, X, y, titles=TITLES).plot(max_frames=max_frames)
    assert [axes.get_title() for axes in film.axes_] == [f"depth {depth}" for depth in shown]
    assert [axes.get_ylabel() for axes in film.axes_] == ["x2", *[""] * (len(film.axes_) - 1)]


def test_axes_are_those_given():
    given = Figure().subplots(2, 2)
    film = BoundaryFilm(TREES, X, y, titles=TITLES).plot(given, s=3)
    assert film.axes_ == list(given.ravel())
    assert (film.figure_, film.figure_.legends) == (given[0, 0].figure, [])
    assert given[1, 1].collections[1].get_sizes() == [3]
    assert BoundaryFilm(TREES, X, y).plot(given[0, 0]).axes_ == [given[0, 0]]
    for axes in (given, []):
        film = BoundaryFilm(TREES[:1], X, y)
        with pytest.raises(ValueError, match=f"Got {np.size(axes)} axes for 1 frames"):
            film.plot(axes)
        assert not hasattr(film, "axes_")


@pytest.mark.parametrize("suffix", ["gif", "png", "apng"])
def test_an_animation_has_all_frames_and_rests_on_the_last(suffix, tmp_path):
    film = BoundaryFilm(TREES[:3], X, y)
    film.save(tmp_path / f"film.{suffix}", frames_per_second=4, dots_per_inch=50)
    with Image.open(tmp_path / f"film.{suffix}") as image:
        assert (image.n_frames, image.size, image.info["loop"]) == (3, (250, 200), 0)
        pictures, durations = [], []
        for frame in range(3):
            image.seek(frame)
            pictures.append(np.asarray(image.convert("RGB")))
            durations.append(image.info["duration"])
    assert durations == [250, 250, 1250]
    assert all(np.any(picture != other) for picture, other in pairwise(pictures))
    assert not hasattr(film, "axes_")


def test_names_are_those_of_a_dataframe_or_the_users_own():
    frame = pd.DataFrame(X, columns=["width", "height"])
    assert BoundaryFilm.from_estimator(make(), frame, y, epochs=[0]).feature_names == ["width", "height"]
    film = BoundaryFilm.from_estimator(make(), frame, pd.Series(y), epochs=[0], feature_names=["a", "b"])
    assert (film.axes_[0].get_xlabel(), film.axes_[0].get_ylabel()) == ("a", "b")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"X": np.ones((80, 3))}, ValueError, "Got X of 3 features: pass one, for a curve, or two, for a map"),
        ({"X": X[:-1]}, ValueError, "inconsistent numbers of samples"),
        ({"X": csr_array(X)}, TypeError, "Sparse data was passed"),
        ({"y": np.column_stack([y, y])}, ValueError, r"Got y of shape \(80, 2\) with two features"),
        ({"epochs": []}, ValueError, r"Got epochs=array\(\[\]\): pass a sequence of whole numbers"),
        ({"epochs": 5}, ValueError, "pass a sequence of whole numbers"),
        ({"epochs": [0.5]}, ValueError, "pass a sequence of whole numbers"),
        ({"epochs": [-1]}, ValueError, "pass a sequence of whole numbers"),
        ({"epochs": [0, 13]}, ValueError, "Got epoch 13 where training ended with epoch 12: pass none beyond it"),
        ({"feature_names": ["a"]}, ValueError, "Got 1 feature_names: pass 2, or None"),
        ({"estimator": LogisticRegression()}, TypeError, "Got LogisticRegression as the estimator"),
        ({"estimator": make(early_stopping="cv")}, ValueError, 'Got early_stopping="cv"'),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        BoundaryFilm.from_estimator(**{"estimator": make(), "X": X, "y": y, **changes})


def test_frames_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Got no estimators"):
        BoundaryFilm([], X, y)
    with pytest.raises(ValueError, match="Got 1 titles: pass 8, or None"):
        BoundaryFilm(TREES, X, y, titles=["one"])
    film = BoundaryFilm(TREES, X, y)
    with pytest.raises(ValueError, match="Got max_frames=0: pass a whole number"):
        film.plot(max_frames=0)
    with pytest.raises(ValueError, match=r"film\.mp4'\: pass a name that ends in \.gif, \.png or \.apng"):
        film.save(tmp_path / "film.mp4")
    with pytest.raises(ValueError, match="Got frames_per_second=0: pass a positive number"):
        film.save(tmp_path / "film.gif", frames_per_second=0)
    with pytest.raises(FileNotFoundError):
        film.save(tmp_path / "none" / "film.gif")
