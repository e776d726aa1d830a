"""The picture of a network: every edge is a weight, and layers and units are named."""

import numpy as np
import pytest
from display_helpers import X, drawn, make, y
from matplotlib.figure import Figure
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier

from skbackprop.display import NetworkDisplay

rng = np.random.RandomState(0)


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


@pytest.mark.slow
@pytest.mark.parametrize(
    "max_units", [1, pytest.param(2, marks=pytest.mark.slow), 5, pytest.param(16, marks=pytest.mark.slow)]
)
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


@pytest.mark.slow
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
    assert texts(display) == ["inputs\n4 units", "outputs\n1 unit\nlogistic", "x1", "x2", "x3", "x4", "yes"]


def test_each_hidden_layer_has_its_own_activation():
    classifier = make(hidden_layer_sizes=(3, 2), activation=["tanh", "relu"]).fit(X, y)
    assert texts(NetworkDisplay.from_estimator(classifier))[1:3] == ["hidden 1\n3 units\ntanh", "hidden 2\n2 units\nrelu"]


@pytest.mark.slow
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


def test_biases_are_squares_in_the_colours_of_the_weights():
    coefs, biases = [rng.randn(2, 3), rng.randn(3, 1)], [np.array([0.5, -1.0, 0.0]), np.array([2.0])]
    display = drawn(NetworkDisplay(coefs, biases=biases).plot())
    for squares, expected in zip(display.biases_, biases, strict=True):
        np.testing.assert_array_equal(squares.get_array(), expected)
        assert squares.norm is display.edges_.norm
    assert drawn(NetworkDisplay(coefs).plot()).biases_ == []


@pytest.mark.parametrize("network", [make(), MLPClassifier((5,), max_iter=5)], ids=["ours", "scikit-learn's"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_units_are_coloured_by_what_they_put_out_for_a_sample(network):
    network.fit(X, y)
    display = drawn(NetworkDisplay.from_estimator(network, sample=X[70]))
    inputs, _, output = (units.get_array() for units in display.units_)
    standardized = hasattr(network, "_scaling")
    np.testing.assert_allclose(inputs, (X[70] - X.mean(axis=0)) / X.std(axis=0) if standardized else X[70])
    np.testing.assert_allclose(output, network.predict_proba(X[70:71])[0], atol=1e-9)
    # Weights and biases are those between what the units put out.
    hidden = display.activations[1]
    scores = hidden @ display.coefs[1] + display.biases[1]
    np.testing.assert_allclose(np.exp(scores) / np.exp(scores).sum(), output, atol=1e-9)
    if standardized:
        raw = display.activations[0] @ display.coefs[0] + display.biases[0]
        np.testing.assert_allclose(1 / (1 + np.exp(-raw)), hidden, atol=1e-9)


def test_a_sample_has_the_features_of_the_network():
    with pytest.raises(ValueError, match="Got a sample of 3 features: pass one of 4"):
        NetworkDisplay.from_estimator(make().fit(X, y), sample=X[0, :3])


@pytest.mark.parametrize(
    ("coefs", "names", "message"),
    [
        ([], {}, r"Got coefs of shapes \[\]: pass"),
        ([np.ones(3)], {}, r"Got coefs of shapes \[\(3,\)\]: pass"),
        ([np.ones((2, 3)), np.ones((2, 1))], {}, r"each fan_in being the fan_out of the layer before"),
        ([np.ones((2, 1))], {"input_names": ["a"]}, "Got 1 input_names: pass 2, or None"),
        ([np.ones((2, 1))], {"output_names": ["a", "b"]}, "Got 2 output_names: pass 1, or None"),
        ([np.ones((2, 1))], {"layer_names": ["a"]}, "Got 1 layer_names: pass 2, or None"),
        (
            [np.ones((2, 1))],
            {"biases": [[0.0, 1.0]]},
            r"Got biases of \[2\] numbers: pass one array for each layer, of \[1\]",
        ),
        ([np.ones((2, 1))], {"activations": [[0.0]]}, r"Got activations of \[1\] numbers: .* of \[2, 1\]"),
    ],
)
def test_what_is_no_network(coefs, names, message):
    with pytest.raises(ValueError, match=message):
        NetworkDisplay(coefs, **names)
