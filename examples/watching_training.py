"""
Watching training
=================

Progress bars and losses of each epoch, for a pipeline and for a grid search: callbacks of scikit-learn 1.9.
"""

import sys
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from skbackprop import SigmoidBackpropClassifier
from skbackprop.callbacks import ValidationMonitor
from skbackprop.display import LossCurveDisplay

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ImportError:
    print("Watching training needs scikit-learn 1.9 or later, which has callbacks: upgrade scikit-learn.")
    sys.exit()
ALPHAS = (0.0, 0.04)


def fit(model):
    """Fit a model under a progress bar, if there is one."""
    try:
        model.set_callbacks(ProgressBar())
    except ImportError:
        print("  No progress bar: rich is not installed, run pip install rich.")
    return model.fit(X_train, y_train)


def losses(*place):
    """Return the training and the validation losses, by epoch, of the fit whose tasks are at a place of the last run."""
    for monitor, name in ((training, "neg_log_loss"), (validation, "loss")):
        rows = [row for row in monitor.get_logs().data if row["task_id_path"][: len(place)] == place]
        yield [abs(row[name]) for row in rows if row["task_name"] == "epoch"]


# %%
# Monitors are set on the network, and get their validation samples as they reach it.
X, y = load_digits(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, train_size=600, stratify=y, random_state=0)
# A Normalizer has no progress to report, and these networks are trained for too long on purpose.
warnings.filterwarnings("ignore", "The estimator Normalizer does not support callbacks|Training stopped at max_iter")
training = ScoringMonitor(scoring="neg_log_loss")
validation = ValidationMonitor(Normalizer().transform(X_val), y_val)
settings = {"max_iter": 60, "n_iter_no_change": 60, "learning_rate": "constant", "learning_rate_init": 0.002}
network = SigmoidBackpropClassifier((100, 50), "relu", alpha=0, random_state=0, **settings)
print(f"1. A pipeline, with {len(X_train)} images of digits to train on and {len(X_val)} to judge each epoch")
model = fit(make_pipeline(Normalizer(), network.set_callbacks(training, validation)))
curves = {"alone, alpha=0": list(losses())}
# %%
# In a search each fit is recorded apart, also in other processes.
print("\n2. A search over pipelines, in two processes")
fit(GridSearchCV(model.set_callbacks(), {"sigmoidbackpropclassifier__alpha": ALPHAS}, cv=2, n_jobs=2))
for k, alpha in enumerate(ALPHAS):
    curves[f"search, alpha={alpha:g}"] = np.mean([list(losses(0, 0, 2 * k + split)) for split in range(2)], axis=0)
print("\nValidation loss (nats a sample)")
for name, (_, validated) in curves.items():
    best = np.argmin(validated) + 1
    print(f"  {name:18} {min(validated):.3f} in the best epoch, {best:2}; {validated[-1]:.3f} in the last")


# %%
# The losses, of the pipeline on the left and of the search on the right.
def plot(curves, path):
    """Save a picture of the losses, of the pipeline on the left and of the search on the right."""
    import matplotlib.pyplot as plt

    left, right = (figure := plt.figure(figsize=(12, 5), layout="constrained")).subplots(ncols=2, sharey=True)
    for (name, (trained, validated)), ax in zip(curves.items(), (left, right, right), strict=True):
        LossCurveDisplay(trained, validation=validated, loss_name="log-loss (nats a sample)", label=name).plot(ax)
        ax.legend(loc="upper right")
    left.set(title="a pipeline", ylim=(0, 0.4))  # the first epochs, of higher losses, are left out
    right.set(title="a search, means of 2 splits", ylabel="")
    figure.savefig(path, dpi=100)


picture = sys.argv[1] if len(sys.argv) > 1 else "watching_training.png"
try:
    plot(curves, picture)
    print(f"Picture: {picture}")
except ImportError as error:
    print(f"No picture: {error}")
# %%
# What is to be learnt from it:
print("\nLearnt: without a penalty the training loss falls to the end, but the validation loss rises again (overfitting).")
print("Early stopping would keep the weights of the best epoch; with a penalty it falls further, and for longer.")
