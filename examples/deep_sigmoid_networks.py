"""Deep sigmoid networks: scikit-learn's first weights against the default ones, on handwritten digits.

Usage: python deep_sigmoid_networks.py [picture.png]. With matplotlib installed it draws what it prints.
"""

import sys
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skbackprop import SigmoidBackpropClassifier
from skbackprop.optimizers import Optimizer

DEPTHS, WIDTH = (1, 5, 10, 20), 50
STARTS = {"glorot": "scikit-learn's start (init='glorot')", "auto": "default start (init='auto')"}
# All that could depend on the start is given, so that both starts train in the same way.
SHARED = {"activation": "logistic", "standardize": True, "learning_rate": "one_cycle", "batch_size": 32, "random_state": 0}


class FirstGradient(Optimizer):
    """Changes nothing and keeps the gradient it is given: the weights' layer after layer, then the biases'."""

    full_batch = True

    def update(self, theta, gradient, state, learning_rate, loss):
        """Keep a copy of the gradient."""
        self.gradient = gradient.copy()


def gradient_norms(init, depth, X, y):
    """Return the norm of the gradient of each layer's weights before the first step, without the penalty's part."""
    first = FirstGradient()
    settings = {**SHARED, "solver": first, "alpha": 0, "max_iter": 1, "batch_size": len(X)}
    network = SigmoidBackpropClassifier((WIDTH,) * depth, init=init, **settings).fit(X, y)
    ends = np.cumsum([coef.size for coef in network.coefs_])
    return [float(np.linalg.norm(part)) for part in np.split(first.gradient, ends)[:-1]]


def plot(norms, accuracies, chance, path):
    """Save a picture of the norms against the layer, and of the accuracies against the depth."""
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("Agg")
    import matplotlib.pyplot as plt  # noqa: PLC0415

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for (init, name), style in zip(STARTS.items(), ("s--", "o-"), strict=True):
        left.semilogy(range(1, len(norms[init]) + 1), norms[init], style, label=name)
        right.plot(DEPTHS, accuracies[init], style, label=name)
    right.axhline(chance, color="grey", linestyle=":", label="always the most frequent digit")
    left.set(title=f"{DEPTHS[-1]} hidden layers, before the first step", xlabel="layer of weights (1: fed by the inputs)")
    left.set(ylabel="norm of the gradient (nats per unit of weight)", xticks=[1, *range(5, DEPTHS[-1] + 1, 5)])
    right.set(title="after training", xlabel="hidden layers", ylabel="test accuracy", ylim=(0, 1.02), xticks=DEPTHS)
    for axes in (left, right):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
chance = np.bincount(y_test).max() / len(y_test)
print(f"Digits: {len(X_train)} samples to train on, {len(X_test)} to test; always the same digit: accuracy {chance:.3f}")
norms, accuracies, n_warned = {}, {}, {}
for init, name in STARTS.items():
    norms[init], accuracies[init] = gradient_norms(init, DEPTHS[-1], X_train, y_train), []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        for depth in DEPTHS:
            network = SigmoidBackpropClassifier((WIDTH,) * depth, init=init, **SHARED).fit(X_train, y_train)
            accuracies[init].append(network.score(X_test, y_test))
            print(depth, network.n_iter_)
    for w in caught: print(w.message)
