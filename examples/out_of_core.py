"""
More data than memory
=====================

A folder of files that together are larger than what the process may hold is gone through file by file, epoch by epoch, with
``partial_fit``. Each file is mapped into memory, not read as a whole, and shuffled on its own; the order of the files is
shuffled, too. The memory of the process is watched: it does not grow with the number of files.
"""

import tempfile
from pathlib import Path

import numpy as np

from skbackprop import SigmoidBackpropClassifier

N_FILES, ROWS_A_FILE, N_FEATURES = 40, 20_000, 50


def resident():
    """Return the megabytes of memory of this process that no file backs; NaN where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("RssAnon"))


# %%
# The files: 40 of 8 megabytes each here; think of 40,000. Anything that has the shape of an array will do: the last section
# reads Parquet.
folder = tempfile.TemporaryDirectory()
rng = np.random.default_rng(0)
for number in range(N_FILES + 1):
    X = rng.standard_normal((ROWS_A_FILE, N_FEATURES))
    y = (X[:, 0] * X[:, 1] + X[:, 2] > 0.3 * rng.standard_normal(ROWS_A_FILE)).astype(np.int8)
    name = "test" if number == N_FILES else f"part-{number:03}"
    np.save(f"{folder.name}/{name}.X.npy", X)
    np.save(f"{folder.name}/{name}.y.npy", y)
paths = sorted(Path(folder.name).glob("part-*.X.npy"))
megabytes = sum(path.stat().st_size for path in paths) / 1e6
print(f"{len(paths)} files, {len(paths) * ROWS_A_FILE:,} samples, {megabytes:.0f} MB.")


def load(path):
    """Return the inputs, mapped into memory, and the labels of a file."""
    return np.load(path, mmap_mode="r"), np.load(str(path).replace(".X.", ".y."))


# %%
# An epoch is a pass over all files. ``partial_fit`` must be told of all classes at its first call; it standardises the
# features by those of the first file, and its optimizer goes on from call to call. ``batch_size`` is large, since there are
# samples enough.
network = SigmoidBackpropClassifier((64,), batch_size=200, random_state=0)
X_test, y_test = load(Path(folder.name) / "test.X.npy")
before = resident()
most = before
print("epoch   accuracy on another file   memory above the start (MB)")
for epoch in range(3):
    for number in rng.permutation(len(paths)):
        network.partial_fit(*load(paths[number]), classes=[0, 1])
        most = max(most, resident())
    print(f"{epoch + 1:5}   {network.score(X_test, y_test):24.3f}   {most - before:27.0f}")

# %%
# Of Parquet the parts of a file are its row groups, or batches of rows; pyarrow hands them out one by one.
try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    print("pyarrow is not installed: no Parquet here.")
else:
    X, y = load(paths[0])
    columns = {f"x{column}": X[:, column] for column in range(N_FEATURES)}
    pq.write_table(pa.table({**columns, "y": y}), f"{folder.name}/part.parquet", row_group_size=5000)
    for batch in pq.ParquetFile(f"{folder.name}/part.parquet").iter_batches(batch_size=5000):
        table = batch.to_pandas()
        network.partial_fit(table.drop(columns="y").to_numpy(), table["y"])
    print(f"After a Parquet file in batches of 5,000 rows: accuracy {network.score(X_test, y_test):.3f}.")

# %%
# What is to be learnt from it: memory is that of one file, whatever their number. One pass over many files is worth many
# passes over a few. Where a single machine is too slow, the same files are partitions for ``skbackprop.dask``.
folder.cleanup()
