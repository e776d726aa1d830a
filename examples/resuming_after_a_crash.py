"""
Resuming after a crash
======================

Training that is killed half-way and resumed ends with the same weights as without a break. The process that trains is
really killed (SIGKILL: it cannot clean up); called with the path of a file, this script is that process. Training uses
shuffled batches, dropout and early stopping, so that each epoch depends on what was drawn before.
"""

import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from hashlib import sha256
from io import StringIO
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skbackprop import SigmoidBackpropClassifier
from skbackprop.callbacks import Checkpoint, ValidationMonitor, resume

KILLED_IN = 30
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
settings = {"dropout": 0.2, "early_stopping": True, "n_iter_no_change": 15, "random_state": 0}
network = SigmoidBackpropClassifier((100, 50), **settings)

try:
    network.set_callbacks()
except ImportError as error:
    print(error)
    sys.exit()
if len(sys.argv) > 1:
    # The line that `verbose` prints for each epoch tells the other process how far this one is.
    network.set_params(verbose=True).set_callbacks(Checkpoint(sys.argv[1])).fit(X_train, y_train)
    sys.exit()


# %%
# Two fits are the same if a hash of their weights is.
def fingerprint(fitted):
    """Return a hash of the weights and biases, which changes if a single bit of them does."""
    return sha256(b"".join(array.tobytes() for array in fitted.coefs_ + fitted.intercepts_)).hexdigest()[:16]


def report(name, fitted):
    """Print how training went."""
    accuracy = fitted.score(X_test, y_test)
    print(f"  {name:33} {fitted.n_iter_:3} epochs, test accuracy {accuracy:.4f}, weights {fingerprint(fitted)}")


# %%
# The other process trains, and is killed.
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "digits.checkpoint"
print(f"Digits: {len(X_train)} samples to train on, {len(X_test)} to test. A process of its own trains:")
with subprocess.Popen([sys.executable, sys.argv[0], path], stdout=subprocess.PIPE, text=True) as process:
    for number, line in enumerate(process.stdout, 1):
        if number in {1, KILLED_IN}:
            print(f"  {line.strip()}")
        if number == KILLED_IN:
            process.kill()
            break
print(f"Killed: its exit code is {process.returncode}. It leaves a checkpoint of {path.stat().st_size / 1024:.0f} KiB.\n")

# %%
# Here training goes on from the file, and once more from the start without a break.
monitor = ValidationMonitor(X_test, y_test)
order = np.random.RandomState(0).permutation(len(X_train))
# All parameters are saved, also `verbose`: its lines are left out here.
with redirect_stdout(StringIO()):
    resumed = resume(path, X_train, y_train, callbacks=[monitor])
first = monitor.get_logs().data[0]["epoch"]
print(f"Resumed from the checkpoint of epoch {first - 1}, in this process:")
report("resumed", resumed)
straight = network.fit(X_train, y_train)
report("never interrupted", straight)
try:
    resume(path, X_train[order], y_train[order])
except ValueError as error:
    print(f"  resumed, samples in another order: {error}")
folder.cleanup()

# %%
# One curve lies on the other.
try:
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
    for name, fitted, style in (("never interrupted", straight, "C0-"), ("killed and resumed", resumed, "C1--")):
        ax.semilogy(range(1, fitted.n_iter_ + 1), -np.array(fitted.validation_scores_), style, label=name)
    ax.axvline(first - 0.5, color="0.2", linestyle=":", label="killed here")
    ax.set(xlabel="epoch", ylabel="validation loss (nats a sample)")
    ax.legend()
    figure.savefig("resuming_after_a_crash.png", dpi=110)
except ModuleNotFoundError:
    print("\nNo picture: matplotlib is not installed.")

# %%
# What is to be learnt from it:
same = fingerprint(resumed) == fingerprint(straight) and resumed.loss_curve_ == straight.loss_curve_
print(f"\nLearnt: the resumed network is {'bit for bit' if same else 'NOT'} the one that was never interrupted.")
print("A checkpoint holds weights, optimizer, random state and patience, but no samples: pass the same, in the same order.")
