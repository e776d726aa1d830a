"""The first layer: each image holds the weights of a unit."""

import numpy as np
import pytest
from display_helpers import drawn

from skbackprop import SigmoidBackpropClassifier
from skbackprop.display import FirstLayerDisplay

rng = np.random.RandomState(0)


@pytest.fixture(scope="module")
def images():
    """A classifier of images of 8 x 8 pixels in three classes, with pixels of different scale."""
    pixels = rng.randn(60, 64) * np.logspace(-2, 2, 64)
    return SigmoidBackpropClassifier((20,), tol=0.01, random_state=0).fit(pixels, np.repeat(["a", "b", "c"], 20))


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
