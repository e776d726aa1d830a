"""Dask's collections: what is taken for training, block by block, and predictions for them, which are collections again."""

from functools import wraps

import numpy as np

from .._estimators.state import draft_of


def is_collection(value):
    """Return whether a value is of Dask; it is not imported, for without it there is none."""
    return type(value).__module__.partition(".")[0] in {"dask", "dask_expr"} and hasattr(value, "dask")


def refuse_local(values, name, plain):
    """Raise for data that are not of Dask, among some with their names."""
    for what, value in values.items():
        if value is not None and not is_collection(value):
            raise TypeError(
                f"Got {what} of type {type(value).__name__} in {name}, which is trained on Dask arrays and dataframes: use "
                f"{plain} for data in memory, or make a collection of it, as dask.array.from_array does."
            )


def _blocks(table, name, one_column=False):
    """Return the blocks of rows of a collection as a list of `Delayed`."""
    if hasattr(table, "numblocks"):
        if table.ndim == 2 and table.numblocks[1] > 1:
            table = table.rechunk({1: -1})
        if table.ndim not in {1, 2} or (one_column and table.ndim != 1):
            wanted = "(n_samples,)" if one_column else "one or two dimensions"
            raise ValueError(f"Got {name} with {table.ndim} dimensions: pass {wanted}.")
        return table.to_delayed().ravel().tolist()
    if not hasattr(table, "npartitions") or not hasattr(table, "to_delayed"):
        raise TypeError(f"Got {name} of type {type(table).__name__}: pass a Dask array, dataframe or series.")
    blocks = table.to_delayed()
    return blocks if isinstance(blocks, list) else blocks.ravel().tolist()


def blocks_of(X, y, sample_weight, names=("X", "y", "sample_weight")):
    """Return the blocks of inputs, targets and weights that belong together, or raise if they do not fit."""
    known = getattr(X, "chunks", None)
    parts = []
    for table in (X, y, sample_weight):
        chunks = getattr(table, "chunks", None)
        # What has other chunks, of known sizes, can be cut anew.
        if known and chunks and chunks[0] != known[0] and not np.isnan([*chunks[0], *known[0]]).any():
            if sum(chunks[0]) != sum(known[0]):
                raise ValueError(
                    f"Got {names[0]} of {sum(known[0])} samples and another part of {sum(chunks[0])}: pass as many of each."
                )
            table = table.rechunk({0: known[0]})  # noqa: PLW2901
        parts.append(table)
    blocks = [
        [] if table is None else _blocks(table, name, one_column=name == names[2])
        for table, name in zip(parts, names, strict=True)
    ]
    blocks[2] = blocks[2] or [None] * len(blocks[0])
    if len({len(some) for some in blocks}) > 1:
        found = ", ".join(f"{len(some)} of {name}" for some, name in zip(blocks, names, strict=True))
        raise ValueError(f"Got partitions that do not fit together, {found}: pass as many of each, cut at the same rows.")
    return list(zip(*blocks, strict=True))


# Predictions -----------------------------------------------------------------------------------------------------------


def lazily(method):
    """Return a method of prediction that gives, for a collection, a Dask array of what it would return for each block."""

    @wraps(method)
    def predict(estimator, X, *arguments, **keywords):
        if not is_collection(X):
            return method(estimator, X, *arguments, **keywords)
        local = estimator.to_local()
        predictor = getattr(local, method.__name__)
        anonymous = draft_of(local)
        vars(anonymous).pop("feature_names_in_", None)
        row = np.zeros((1, local.n_features_in_), np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64)
        example = np.asarray(getattr(anonymous, method.__name__)(row, *arguments, **keywords))
        return _of_each_block(X, predictor, arguments, keywords, example[:0])

    return predict


def _of_each_block(X, predictor, arguments, keywords, empty):
    """Return a Dask array of the predictions for each block, whose type and shape `empty` tells."""
    import dask  # noqa: PLC0415 (optional)
    import dask.array as da  # noqa: PLC0415

    chunks = X.chunks[0] if hasattr(X, "chunks") else (np.nan,) * X.npartitions
    # Once for all blocks, not with each.
    predict = dask.delayed(_predicted)
    predictor = dask.delayed(predictor, pure=False)
    parts = [
        da.from_delayed(predict(predictor, block, arguments, keywords, empty), (size, *empty.shape[1:]), meta=empty)
        for block, size in zip(_blocks(X, "X"), chunks, strict=True)
    ]
    return da.concatenate(parts, axis=0, allow_unknown_chunksizes=True)


def _predicted(predictor, block, arguments, keywords, empty):
    """Return the predictions for a block, which may be empty."""
    return np.asarray(predictor(block, *arguments, **keywords)) if len(block) else empty
