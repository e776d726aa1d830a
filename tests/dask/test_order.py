"""Which samples make a batch."""

import numpy as np
import pytest

from skbackprop.dask._order import Shares, consecutive_up_to, counts_up_to, order_of_epoch


@pytest.mark.parametrize("seed", range(20))
def test_counts_are_those_of_the_sorted_places(seed):
    """The oracle sorts the places of all samples, (j + 1/2) / m, then by the partition."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 30, rng.integers(1, 7)) + (np.arange(1) == 0)
    places = sorted(((j + 0.5) / size, number) for number, size in enumerate(sizes) for j in range(size))
    ends = np.arange(sizes.sum() + 1)
    numbers = np.array([number for _, number in places])
    expected = [np.bincount(numbers[:end], minlength=len(sizes)) for end in ends]
    np.testing.assert_array_equal(counts_up_to(ends, sizes), expected)


def test_counts_of_large_partitions_are_in_proportion():
    sizes = np.array([3_000_000_000, 1_000_000_000, 17, 0, 6_000_000_000])
    ends = np.array([0, 10_000, 20_000, 5_000_000_000, sizes.sum()])
    counts = counts_up_to(ends, sizes)
    np.testing.assert_array_equal(counts.sum(axis=1), ends)
    assert np.all(np.abs(counts - ends[:, np.newaxis] * (sizes / sizes.sum())) <= len(sizes))


def test_consecutive_samples():
    counts = consecutive_up_to(np.array([0, 3, 5, 8, 9]), np.array([4, 0, 5]))
    assert counts.tolist() == [[0, 0, 0], [3, 0, 0], [4, 0, 1], [4, 0, 4], [4, 0, 5]]


@pytest.mark.parametrize("sizes", [[10], [3, 0, 7], [50, 61, 1]])
def test_an_epoch_takes_each_sample_once(sizes):
    order = order_of_epoch(0, sizes, 4)
    assert sorted(order) == list(range(sum(sizes)))
    assert not np.array_equal(order, order_of_epoch(1, sizes, 4))
    # Whole blocks of boundaries, and parts of them.
    shares = Shares(sizes, 1)
    for batch in range(sum(sizes)):
        start, stop = shares.of(batch, shuffled=True)
        assert (stop - start).sum() == 1
        assert np.all(stop >= start)
