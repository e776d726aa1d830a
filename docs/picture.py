"""The picture of the README, drawn anew: python docs/picture.py."""

import warnings
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.neural_network import MLPClassifier

from skbackprop import SigmoidBackpropClassifier

# The same layers, steps and rate.
SHARED = {
    "activation": "logistic",
    "batch_size": 20,
    "learning_rate_init": 0.004,
    "n_iter_no_change": 100,
    "random_state": 0,
}
X, y = make_moons(400, noise=0.15, random_state=0)
colors = {"cmap": "RdBu_r", "vmin": 0, "vmax": 1}
figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
for kind, ax in zip((MLPClassifier, SigmoidBackpropClassifier), axes, strict=False):
    classifier = kind((30,) * 6, max_iter=100, **SHARED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(X, y)
    print(f"{kind.__name__}: log-loss {classifier.loss_curve_[-1]:.3f}, accuracy {classifier.score(X, y):.3f}")
    DecisionBoundaryDisplay.from_estimator(
        classifier,
        X,
        response_method="predict_proba",
        plot_method="pcolormesh",
        ax=ax,
        eps=0.3,
        grid_resolution=200,
        alpha=0.6,
        **colors,
    )
    ax.scatter(*X.T, c=y, s=10, edgecolor="white", linewidth=0.4, **colors)
    ax.set(title=kind.__name__, xlabel="", ylabel="", xticks=[], yticks=[])
    axes[2].plot(classifier.loss_curve_, color="tab:gray" if kind is MLPClassifier else "tab:red", label=kind.__name__)
axes[2].set(title="Log-loss", xlabel="epoch", ylim=0)
axes[2].legend(frameon=False)
file = BytesIO()
figure.savefig(file, dpi=120)
# 128 colours are enough.
Image.open(file).convert("RGB").quantize(128).save(Path(__file__).parent / "_static" / "readme.png", optimize=True)
