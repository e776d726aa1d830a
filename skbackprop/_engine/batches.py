"""Order and batches of the training samples."""

from functools import cached_property
from itertools import chain, repeat

import numpy as np
from scipy.sparse import issparse


class Batches:
    """Training samples in batches, an epoch at a time, gathered into buffers that are used again and again.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Inputs, float32 or float64; a dense array in C order, which may be memory-mapped and is never copied as a whole.
    Y : ndarray of shape (n_samples, n_outputs)
        Encoded targets, of any numeric type.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the samples; divided by the mean of their absolute values. Dividing by the whole set's mean, not by each
        batch's own, leaves a light sample light in whatever company.
    batch_size : int
        Samples in a batch; the last of an epoch holds the rest.
    shuffle : bool
        Whether to draw a new order for each epoch.
    random_state : numpy.random.RandomState
        Source of the order.
    rows : ndarray of int, default=None
        Which rows of `X` to train on, in which order; by default all, as they stand. A shuffle builds on this order.
    scaling : Scaling, default=None
        Standardises each batch of a dense `X`.
    noise : float, default=0.0
        Standard deviation of the normal noise that is added to each batch of a dense `X`, anew each time.
    generator : numpy.random.Generator, default=None
        Source of that noise.
    passes : int, default=1
        How often an epoch goes through all samples.

    Attributes
    ----------
    mean_weight : float
        What the weights were divided by.
    n_batches : int
        Batches in a pass.
    order : ndarray of int or None
        Order of the rows in the last epoch; None as long as they are taken as they stand.
    """

    def __init__(self, X, Y, sample_weight, batch_size, shuffle, random_state, rows=None, scaling=None,
                 noise=0.0, generator=None, passes=1):  # fmt: skip
        # A plain view of a memory-mapped array, which the network's products ask for.
        self.X, self.Y, self.sample_weight = X if issparse(X) else np.asarray(X), Y, None
        self.n_samples = X.shape[0] if rows is None else len(rows)
        # Of one sample there is but one order: to shuffle it would draw nothing.
        shuffle = shuffle and self.n_samples > 1
        self.batch_size, self.shuffle, self.random_state = batch_size, shuffle, random_state
        self.passes = passes
        self.mean_weight = 1.0
        if sample_weight is not None:
            # Sorted, for a sum in another order may be rounded to another.
            used = np.abs(sample_weight if rows is None else sample_weight[np.sort(rows)])
            # All weights zero: every gradient is zero, whatever they are divided by.
            self.mean_weight = float(used.mean()) or 1.0
            self.sample_weight = (sample_weight / self.mean_weight).astype(X.dtype, copy=False)
        self.scaling, self.noise, self.generator, self.order = scaling, noise, generator, None
        if shuffle or noise or rows is not None or scaling is not None:
            self.order = np.arange(self.n_samples) if rows is None else np.array(rows, np.intp)
        starts = range(0, self.n_samples, batch_size)
        self._slices = [slice(start, min(start + batch_size, self.n_samples)) for start in starts]
        self.n_batches = len(self._slices)

    @cached_property
    def _buffers(self):
        """Room for batches of each size, made when the first is gathered: the compiled engine does without."""
        return {size: self._new_buffers(size) for size in {rows.stop - rows.start for rows in self._slices}}

    @cached_property
    def _full_batch(self):
        """A full batch in a fixed order, which never changes: it is gathered once; None if there are others."""
        return None if self.shuffle or self.noise or self.n_batches > 1 else next(self.gather())

    def _new_buffers(self, n_rows):
        """Room for one batch: inputs, targets as stored, targets as the network wants them, weights."""
        n_outputs = self.Y.shape[1]
        # Fortran order, as the network's raw scores.
        Y = np.empty((n_rows, n_outputs), self.X.dtype, order="F")
        if self.order is None:
            return None, None, Y, None
        X = None if issparse(self.X) else np.empty((n_rows, self.X.shape[1]), self.X.dtype)
        weight = None if self.sample_weight is None else np.empty((n_rows, 1), self.X.dtype)
        return X, np.empty((n_rows, n_outputs), self.Y.dtype), Y, weight

    def epoch(self):
        """Return an iterable over the batches of one epoch.

        Returns
        -------
        batches : iterable of (X, Y, sample_weight)
            Of shapes (n_rows, n_features), (n_rows, n_outputs) and (n_rows, 1), the last perhaps None; each batch must be
            done with before the next is asked for.
        """
        if self._full_batch:
            return repeat(self._full_batch, self.passes)
        return chain.from_iterable(self.gather() for _ in range(self.passes))

    def gather(self):
        """Yield the batches of one pass."""
        if self.shuffle:
            # Shuffling the last order again, in place, is what scikit-learn does, and gives its batches.
            self.random_state.shuffle(self.order)
        for rows in self._slices:
            X_buffer, gathered, Y, weight = self._buffers[rows.stop - rows.start]
            if self.order is None:
                X = self.X[rows]
                np.copyto(Y, self.Y[rows])
                weight = None if self.sample_weight is None else self.sample_weight[rows, np.newaxis]
            else:
                indices = self.order[rows]
                # The method, with "clip" (the indices are in range), spares a copy and the dispatch of np.take.
                X = self.X[indices] if X_buffer is None else self.X.take(indices, 0, X_buffer, "clip")
                if self.scaling is not None:
                    self.scaling.apply_in_place(X)
                if self.noise:
                    X += X.dtype.type(self.noise) * self.generator.standard_normal(X.shape, X.dtype)
                np.copyto(Y, self.Y.take(indices, 0, gathered, "clip"))
                if weight is not None:
                    self.sample_weight.take(indices, 0, weight[:, 0], "clip")
            yield X, Y, weight
