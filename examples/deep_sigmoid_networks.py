"""
Deep sigmoid networks, and why they learn
=========================================

scikit-learn's initial weights against the default ones, on networks of up to twenty hidden layers.
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
STARTS = {"glorot": 'scikit-learn\'s initial weights, init="glorot"', "auto": 'default initial weights, init="auto"'}
# All that would otherwise depend on `init` is set, so that both are trained in the same way; alpha is scikit-learn's.
SHARED = {"standardize": True, "learning_rate": "one_cycle", "batch_size": 32, "alpha": 0.0001, "clip_norm": 1}


# %%
# A solver of one's own that leaves the weights as they are, and keeps the gradient: what would the first step be?
class FirstGradient(Optimizer):
    """Leaves the weights as they are and keeps the gradient: of the weights, layer after layer, then of the biases."""

    full_batch = True

    def update(self, theta, gradient, state, learning_rate, loss):
        self.gradient = gradient.copy()


def gradient_norms(init, X, y):
    """Return the norm of the gradient of each layer's weights at the first step, on all samples, without the penalty."""
    settings = {**SHARED, "init": init, "solver": (first := FirstGradient()), "alpha": 0, "clip_norm": None, "max_iter": 2}
    network = SigmoidBackpropClassifier((WIDTH,) * DEPTHS[-1], **settings, random_state=0)
    with warnings.catch_warnings():
        # It warns that the network has not learnt, as is intended here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(X, y)
    ends = np.cumsum([coef.size for coef in network.coefs_])
    return [float(np.linalg.norm(part)) for part in np.split(first.gradient, ends)[:-1]]


# %%
# The gradient of each layer at the first step; then networks of four depths, trained from both kinds of initial weights.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"Digits: {len(X_train)} samples to train on, {len(X_test)} to test; {WIDTH} sigmoid units in each hidden layer")
norms = {init: gradient_norms(init, X_train, y_train) for init in STARTS}
accuracies = {}
for init, name in STARTS.items():
    settings = {**SHARED, "init": init, "random_state": 0}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        networks = [SigmoidBackpropClassifier((WIDTH,) * n, **settings).fit(X_train, y_train) for n in DEPTHS]
    accuracies[init] = [network.score(X_test, y_test) for network in networks]
    print(f"\n{name}")
    for depth, accuracy in zip(DEPTHS, accuracies[init], strict=True):
        print(f"  {depth:2} hidden layers: test accuracy {accuracy:.3f}")
    print(f"  networks that warned that they have not learnt: {sum('not learnt' in str(w.message) for w in caught)}")
    print(f"  norm of the gradient of each layer's weights, {DEPTHS[-1]} hidden layers, first step, from the inputs up:")
    print("   ", *(f"{norm:.0e}" for norm in norms[init]))


# %%
# Left, the gradient from the inputs up; right, what the networks have learnt.
def plot(norms, accuracies, path):
    """Save a picture of the norms against the layer, and of the accuracies against the depth."""
    import matplotlib.pyplot as plt

    left, right = (figure := plt.figure(figsize=(11, 4.5), layout="constrained")).subplots(ncols=2)
    for (init, name), style in zip(STARTS.items(), ("s--", "o-"), strict=True):
        left.semilogy(range(1, len(norms[init]) + 1), norms[init], style, label=name)
        right.plot(DEPTHS, accuracies[init], style, label=name)
    left.set(title=f"{DEPTHS[-1]} hidden layers, first step", xticks=[1, *range(5, DEPTHS[-1] + 1, 5)])
    left.set(xlabel="layer of weights (1 is fed by the inputs)", ylabel="norm of the gradient (nats per unit of weight)")
    right.set(title="after training", xlabel="hidden layers", xticks=DEPTHS, ylabel="test accuracy", ylim=(0, 1.02))
    left.legend(loc="lower right")
    right.legend(loc="center right")
    figure.savefig(path, dpi=120)


picture = sys.argv[1] if len(sys.argv) > 1 else "deep_sigmoid_networks.png"
try:
    plot(norms, accuracies, picture)
    print(f"\nPicture: {picture}")
except ModuleNotFoundError:
    print("\nNo picture: matplotlib is not installed.")
# %%
# What is to be learnt from it:

# Compared are the weights between hidden layers: the first layer of weights is fed by pixels, the last feeds the outputs.
theirs, ours = ((norms[init][-2] / norms[init][1]) ** (1 / (DEPTHS[-1] - 2)) for init in STARTS)
print("\nLearnt: with scikit-learn's initial weights the gradient vanishes: at each hidden layer going down it shrinks")
print(f"{theirs:.1f}-fold, so the lower layers of deep networks do not move. By default it keeps its size")
print(f"({ours:.2f}-fold), and networks of every depth learn.")
