"""
Quickstart: from four samples to handwritten digits
===================================================

From the teaching notebook's four samples to a grid search on handwritten digits, and to a file, in a few seconds.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import VarianceThreshold
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline

from skbackprop import SigmoidBackpropClassifier
from skbackprop.functional import backpropagation, sigmoid

# %%
# The notebook: four samples with three features, of which the first is the target. ``backpropagation`` is its loop.
print("1. The notebook: 4 samples, 3 features, one sigmoid unit without bias, squared error")
X = np.array([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]], dtype=float)
y = np.array([0, 1, 1, 0])
weights = backpropagation(X, y, learning_rate=1, num_iterations=10_000)
print(f"   Weights after 10,000 iterations: {weights.ravel()}")
print(f"   Output for the new sample [1, 0, 0]: {sigmoid([1, 0, 0] @ weights)[0]:.8f} (y is the first feature, here 1)")

# %%
# Each choice that the notebook makes is a parameter of the classifier.
print("\n2. The same model as a scikit-learn classifier")
notebook = SigmoidBackpropClassifier(
    hidden_layer_sizes=(),  # the inputs feed the output unit directly
    loss="squared_error",
    init="uniform",  # initial weights from U(-1, 1)
    fit_intercept=False,
    solver="sgd",
    momentum=0,
    alpha=0,
    learning_rate_init=4,  # n_samples: the classifier averages over the samples where the notebook sums
    batch_size=4,
    shuffle=False,
    max_iter=10_000,
    tol=0,
    n_iter_no_change=np.inf,
    random_state=0,
)
with warnings.catch_warnings():
    # It warns that it stopped at max_iter before it converged, as intended: the notebook has no other stopping rule.
    warnings.simplefilter("ignore", ConvergenceWarning)
    notebook.fit(X, y)
same = np.allclose(notebook.coefs_[0], weights, rtol=1e-12)
print(f"   Weights equal to the notebook's, to twelve digits: {same}")
first = notebook.loss_curve_[0]
print(f"   Training loss, half the mean squared error: {first:.8f} in the first epoch, {notebook.loss_:.8f} in the last")

# %%
# Images of digits, in a pipeline and a grid search as with any estimator of scikit-learn.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
print(f"\n3. Handwritten digits: 8 x 8 pixels, 10 classes, {len(X_train)} samples to train on, {len(X_test)} to test")
drop_constant = VarianceThreshold()  # the pixels that no digit touches; the network itself standardises the others
pipeline = Pipeline([("drop", drop_constant), ("network", SigmoidBackpropClassifier(max_iter=300, random_state=0))])
grid = {"network__hidden_layer_sizes": [(), (50,), (100,)], "network__alpha": [1e-4, 0.1]}
search = GridSearchCV(pipeline, grid, cv=3).fit(X_train, y_train)
for parameters, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
    hidden = parameters["network__hidden_layer_sizes"]
    alpha = parameters["network__alpha"]
    print(f"   hidden layers {hidden!s:6}, penalty alpha {alpha:<6}: mean accuracy {score:.3f} on the 3 folds held out")
best = search.best_estimator_["network"]
print(f"   Best: {best.hidden_layer_sizes}, alpha {best.alpha}; trained again on all {len(X_train)}, {best.n_iter_} epochs")
print(f"   Test accuracy, the share of {len(X_test)} unseen digits classified rightly: {search.score(X_test, y_test):.3f}")

# %%
# What was fitted is a file, and the same model when it is loaded.
print("\n4. Saved and loaded")
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.joblib"
    joblib.dump(search.best_estimator_, path)
    size = path.stat().st_size
    loaded = joblib.load(path)
same = all(np.array_equal(getattr(loaded, f)(X_test), getattr(search, f)(X_test)) for f in ("predict", "predict_proba"))
n_parameters = sum(part.size for part in best.coefs_ + best.intercepts_)
print(f"   File: {size} bytes for {n_parameters} weights and biases of 8 bytes each, the pipeline and the settings")
print(f"   Predictions and probabilities of all {len(X_test)} test samples identical after loading: {same}")

# %%
# The test images that it is least sure of.


def plot(path):
    """Save a picture of the ten images, with the digit that each is read as and its probability."""
    import matplotlib.pyplot as plt

    probabilities = search.predict_proba(X_test)
    doubtful = probabilities.max(axis=1).argsort()[:10]
    figure, axes = plt.subplots(2, 5, figsize=(8, 4), layout="constrained")
    for ax, row in zip(axes.flat, doubtful, strict=True):
        ax.imshow(X_test[row].reshape(8, 8), cmap="gray_r")
        read = probabilities[row].argmax()
        right = "rightly" if read == y_test[row] else f"but it is {y_test[row]}"
        ax.set_title(f"{read} ({probabilities[row, read]:.0%}), {right}", fontsize="small")
        ax.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=110)


picture = sys.argv[1] if len(sys.argv) > 1 else "quickstart.png"
try:
    plot(picture)
    print(f"\nPicture: {picture}")
except ModuleNotFoundError:
    print("\nNo picture: matplotlib is not installed.")

# %%
# What is to be learnt from it:
print("\nLearnt: one gradient-descent loop trains the notebook's single unit and the network for digits; only parameters")
print("differ. The classifier works in a Pipeline, in a GridSearchCV and with joblib like any estimator of scikit-learn.")
