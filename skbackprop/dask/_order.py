"""Which samples a step takes from each partition: how many, which all workers know, in an order of its own."""

from collections import OrderedDict

import numpy as np

# Boundaries of batches that are computed at a time, and how many such blocks are kept.
BLOCK = 64
MOST_BLOCKS = 4
# Halvings after which two thresholds are neighbours among the floats.
HALVINGS = 64


def permutation(seed, number, n_rows):
    """Return the order of a partition's rows in an epoch with that seed: each partition has a stream of its own."""
    return np.random.default_rng([seed, number]).permutation(n_rows)


def counts_up_to(ends, sizes):
    """Return how many samples of each partition are among the first of a shuffled epoch.

    Sample j of a partition of size m, in the partition's own order, stands at (j + 1/2) / m of the epoch; where several
    stand at the same place, those of the first partition come first. So each batch takes from each partition in proportion
    to its size, to within one sample (the divisor method of Webster, 1832).

    Parameters
    ----------
    ends : ndarray of int of shape (n_ends,)
        Numbers of samples, at most as many as there are.
    sizes : ndarray of int of shape (n_partitions,)

    Returns
    -------
    counts : ndarray of int of shape (n_ends, n_partitions)
        They sum to `ends`.
    """
    divisors = np.maximum(sizes, 1)

    def up_to(threshold):
        threshold = threshold[:, np.newaxis]
        counts = np.floor(sizes * threshold + 0.5)
        # Equal places are equal as quotients, which the product may have rounded apart.
        counts -= (counts - 0.5) / divisors > threshold
        counts += (counts + 0.5) / divisors <= threshold
        return np.clip(counts, 0, sizes).astype(np.int64)

    low, high = np.zeros(len(ends)), np.full(len(ends), 2.0)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        enough = up_to(middle).sum(axis=1) >= ends
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    counts = up_to(low)
    # Those that stand at the very place, the first of them as far as they are needed.
    tied = up_to(high) - counts
    needed = (ends - counts.sum(axis=1))[:, np.newaxis]
    before = tied.cumsum(axis=1) - tied
    return counts + np.clip(needed - before, 0, tied)


def consecutive_up_to(ends, sizes):
    """Return how many samples of each partition are among the first, one partition after the other."""
    offsets = sizes.cumsum() - sizes
    return np.clip(ends[:, np.newaxis] - offsets, 0, sizes)


class Shares:
    """The rows of each partition that a step takes, computed for many steps at a time.

    Parameters
    ----------
    sizes : sequence of int
        Number of samples of each partition.
    batch_size : int
    """

    def __init__(self, sizes, batch_size):
        self.sizes = np.array(sizes, np.int64)
        self.batch_size = batch_size
        self._blocks = OrderedDict()

    def of(self, batch, shuffled):
        """Return the first row of each partition in a batch, by its number, and the one after the last."""
        function = counts_up_to if shuffled else consecutive_up_to
        return self._boundary(batch, function), self._boundary(batch + 1, function)

    def _boundary(self, number, function):
        key = number // BLOCK, function
        if key not in self._blocks:
            ends = np.arange(key[0] * BLOCK, (key[0] + 1) * BLOCK) * self.batch_size
            self._blocks[key] = function(np.minimum(ends, self.sizes.sum()), self.sizes)
            while len(self._blocks) > MOST_BLOCKS:
                self._blocks.popitem(last=False)
        return self._blocks[key][number % BLOCK]


def order_of_epoch(seed, sizes, batch_size):
    """Return the numbers of all samples in the order in which the batches of a shuffled epoch take them.

    Within a batch those of the first partition come first. For tests and for those who want to know: nothing else makes an
    array of so many samples in one place.
    """
    shares, offsets = Shares(sizes, batch_size), np.cumsum([0, *sizes])
    orders = [
        offset + permutation(seed, number, size) for number, (offset, size) in enumerate(zip(offsets, sizes, strict=False))
    ]
    found = []
    for batch in range(-(-int(offsets[-1]) // batch_size)):
        found += [order[slice(*ends)] for order, *ends in zip(orders, *shares.of(batch, shuffled=True), strict=True)]
    return np.concatenate(found)
