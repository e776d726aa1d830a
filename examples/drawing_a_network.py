"""
Pictures of training and of a network
=====================================

A network for handwritten digits, drawn in four pictures of one figure: how training went and which weights early stopping
keeps, the network itself, and what each hidden unit looks for in an image.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skbackprop import SigmoidBackpropClassifier
from skbackprop.display import FirstLayerDisplay, LossCurveDisplay, NetworkDisplay

# %%
# Two networks, a small one and a large one, with early stopping.
SHARED = {"early_stopping": True, "n_iter_no_change": 10, "max_iter": 500, "random_state": 0}
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"Digits: images of 8 x 8 pixels, {len(X_train)} to train on, {len(X_test)} to test")
networks = []
best = []
for n_units in (12, 100):
    network = SigmoidBackpropClassifier((n_units,), **SHARED).fit(X_train, y_train)
    networks.append(network)
    best.append(int(np.argmax(network.validation_scores_)) + 1)
    loss, accuracy = -network.best_validation_score_, network.score(X_test, y_test)
    print(
        f"  {n_units:3} hidden units: {network.n_iter_} epochs, the best {best[-1]}; validation loss there {loss:.3f} nats"
    )
    print(f"      a sample; test accuracy {accuracy:.3f}")


# %%
# The displays draw into axes of one figure.
def draw(small, large, path):
    """Save a picture of the training of both networks, and of the weights of the small one."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(14, 10), layout="constrained")
    axes = figure.subplot_mosaic([["losses", "accuracy"], ["network", "images"]])
    for network, label in ((small, "12 units"), (large, "100 units")):
        LossCurveDisplay.from_estimator(network, ax=axes["losses"], label=label)
    axes["losses"].set_title("training of two networks, judged by the validation loss")
    judged_by_accuracy = SigmoidBackpropClassifier((12,), scoring="accuracy", **SHARED).fit(X_train, y_train)
    LossCurveDisplay.from_estimator(judged_by_accuracy, ax=axes["accuracy"], color="C2")
    axes["accuracy"].set_title("the small one again, judged by the validation accuracy")
    NetworkDisplay.from_estimator(small, ax=axes["network"])
    FirstLayerDisplay.from_estimator(small, ax=axes["images"])
    figure.savefig(path, dpi=100)


picture = sys.argv[1] if len(sys.argv) > 1 else "drawing_a_network.png"
try:
    draw(*networks, picture)
    print(f"\nPicture: {picture}")
except ImportError as error:
    print(f"\nNo picture: {error}")

# %%
# What is to be learnt from it:

# `coefs_` are for raw pixels, and so larger where a pixel varies little; times its standard deviation they can be compared.
strength = np.abs(networks[0].coefs_[0] * X_train.std(axis=0)[:, np.newaxis]).mean(axis=1).reshape(8, 8)
middle = np.zeros((8, 8), dtype=bool)
middle[1:7, 2:6] = True
ratio = strength[middle].mean() / strength[~middle].mean()
print(f"\nLearnt: the large network did best in epoch {best[1]} of {networks[1].n_iter_}; its weights are kept.")
print(f"The small one gives the {middle.sum()} pixels in the middle {ratio:.1f} times as much weight as those around them.")
