"""Data that the tests of the inspection share."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def weight():
    return np.random.RandomState(1).uniform(0, 3, 150)
