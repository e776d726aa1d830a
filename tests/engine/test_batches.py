"""Order and batches: every sample once an epoch, in scikit-learn's order, without a copy of X."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import kstest
from sklearn.utils import shuffle as shuffled

from skbackprop._engine.batches import Batches
from skbackprop._estimators.scaling import Scaling

X = np.arange(46.0).reshape(23, 2)
Y = np.arange(23, dtype=np.uint8)[:, None]


def epoch(batches):
    """Inputs, targets and weights of an epoch, as copies."""
    return [
        (part.toarray() if sp.issparse(part) else part.copy(), targets.copy(), None if weight is None else weight.copy())
        for part, targets, weight in batches.epoch()
    ]


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array, sp.csr_matrix])
@pytest.mark.parametrize("shuffle", [True, False])
def test_an_epoch_holds_every_sample_once_with_its_target_and_weight(container, shuffle):
    weight = np.arange(23.0) + 1
    batches = Batches(container(X), Y, weight, 5, shuffle, np.random.RandomState(0))
    for _ in range(2):
        parts = epoch(batches)
        assert [len(part) for part, _, _ in parts] == [5, 5, 5, 5, 3]
        inputs, targets = np.concatenate([p for p, _, _ in parts]), np.concatenate([t for _, t, _ in parts])
        np.testing.assert_array_equal(np.sort(inputs[:, 0]), X[:, 0])
        np.testing.assert_array_equal(inputs[:, 0] / 2, targets[:, 0])
        weights = np.concatenate([w for _, _, w in parts])[:, 0] * batches.mean_weight
        np.testing.assert_allclose(weights, targets[:, 0] + 1)


def test_the_order_is_scikit_learns():
    batches, order = Batches(X, Y, None, 5, True, np.random.RandomState(7)), np.arange(23)
    random_state = np.random.RandomState(7)
    for _ in range(3):
        order = shuffled(order, random_state=random_state)
        np.testing.assert_array_equal(np.concatenate([t for _, t, _ in epoch(batches)])[:, 0], order)


@pytest.mark.parametrize("shuffle", [True, False])
def test_only_the_rows_asked_for_are_used(shuffle):
    rows = np.array([20, 3, 5, 7])
    targets = np.concatenate([t for _, t, _ in epoch(Batches(X, Y, None, 3, shuffle, np.random.RandomState(0), rows))])
    assert set(targets[:, 0]) == set(rows)
    if not shuffle:
        np.testing.assert_array_equal(targets[:, 0], rows)


def test_weights_are_divided_by_the_mean_of_their_sizes():
    batches = Batches(X, Y, np.where(np.arange(23) % 2, 2.0, -4.0), 23, False, None)
    assert batches.mean_weight == pytest.approx((12 * 4 + 11 * 2) / 23)
    assert Batches(X, Y, np.zeros(23), 23, False, None).mean_weight == 1


def test_a_shuffled_epoch_allocates_next_to_nothing():
    large = np.zeros((20_000, 50), np.float32)
    batches = Batches(large, np.zeros((20_000, 1), np.uint8), None, 200, True, np.random.RandomState(0))
    peaks = []
    for _ in range(5):
        tracemalloc.start()
        for _ in batches.epoch():
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Buffers are made in the first, and threads of other tests may allocate in some.
    assert min(peaks) < 0.01 * large.nbytes


# Noise ---------------------------------------------------------------------------------------------------------------


def noisy(data, targets, noise=0.5, batch_size=5, shuffle=False, seed=0, **settings):
    """Batches with noise."""
    random_state, generator = np.random.RandomState(0), np.random.default_rng(seed)
    return Batches(data, targets, None, batch_size, shuffle, random_state, noise=noise, generator=generator, **settings)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [64, 10_000])
def test_noise_is_normal_of_that_deviation_and_leaves_targets_and_data_alone(dtype, batch_size):
    data = np.random.RandomState(0).randn(10_000, 3).astype(dtype)
    before = data.copy()
    # Inputs are targets, as an autoencoder has it.
    parts = epoch(noisy(data, data, batch_size=batch_size))
    inputs, targets = (np.concatenate([part[i] for part in parts]) for i in range(2))
    assert inputs.dtype == dtype
    np.testing.assert_array_equal(targets, before)
    np.testing.assert_array_equal(data, before)
    added = inputs - before
    assert kstest(added.ravel() / 0.5, "norm").pvalue > 0.001
    np.testing.assert_allclose(np.cov(added.T), 0.25 * np.eye(3), atol=0.02)


@pytest.mark.parametrize("batch_size", [5, 23])
def test_noise_is_drawn_anew_each_time_from_the_generator(batch_size):
    batches, again = (noisy(X, Y, batch_size=batch_size) for _ in range(2))
    first, second = (np.concatenate([part[0] for part in epoch(batches)]) for _ in range(2))
    assert (first != second).all()
    np.testing.assert_array_equal(np.concatenate([part[0] for part in epoch(again)]), first)
    assert (np.concatenate([part[0] for part in epoch(noisy(X, Y, seed=1))]) != first).all()


def test_noise_is_in_units_of_standardised_inputs_and_does_not_touch_the_order():
    scaling = Scaling(np.array([10.0, 20.0]), np.array([2.0, 4.0]), 2.0)
    parts = epoch(noisy(X, Y, noise=1e-9, shuffle=True, scaling=scaling))
    quiet = epoch(Batches(X, Y, None, 5, True, np.random.RandomState(0), scaling=scaling))
    for (inputs, targets, _), (expected, same, _) in zip(parts, quiet, strict=True):
        np.testing.assert_allclose(inputs, expected, atol=1e-8)
        assert not np.array_equal(inputs, expected)
        np.testing.assert_array_equal(targets, same)


def test_only_the_noisy_batch_is_a_copy_of_memory_mapped_data(tmp_path):
    np.save(tmp_path / "data.npy", X)
    mapped = np.load(tmp_path / "data.npy", mmap_mode="r")
    assert len(epoch(noisy(mapped, Y, batch_size=23))) == 1
    np.testing.assert_array_equal(np.load(tmp_path / "data.npy"), X)
