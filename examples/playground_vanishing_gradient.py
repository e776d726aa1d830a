"""
The vanishing gradient, seen and cured on one page
==================================================

The vanishing gradient seen and cured, two trainings side by side: playground_vanishing_gradient.py [page.html].

Six layers of sigmoid units learn two half moons, once from scikit-learn's initial weights and once from the default ones.
"""

import sys
import tempfile
from pathlib import Path

from sklearn.datasets import make_moons

from skbackprop import SigmoidBackpropClassifier
from skbackprop.inspection import gradient_flow
from skbackprop.playground import export_html

# All that would otherwise depend on `init` is set, so that both networks are trained in the same way.
SHARED = {"standardize": True, "solver": "sgd", "learning_rate": "constant", "learning_rate_init": 0.1, "batch_size": 32,
          "alpha": 0.001, "clip_norm": None, "tol": 0, "n_iter_no_change": 100, "random_state": 0}  # fmt: skip
X, y = make_moons(300, noise=0.2, random_state=0)
path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "playground_vanishing_gradient.html"
networks = [SigmoidBackpropClassifier((8,) * 6, init=init, **SHARED) for init in ("glorot", "auto")]
page = export_html(networks, X, y, path, epochs=60, title="The vanishing gradient, seen and cured")

for network, fitted in zip(networks, page.estimators, strict=True):
    print(f"init={network.init!r}: {fitted.score(X, y):.1%} right after {fitted.n_iter_} epochs")
    print(f"  before training: {gradient_flow(network, X, y).verdict}")
print(f"\nPage: {path}, {path.stat().st_size / 1000:.0f} kB. Go to epoch 0 and look at the gradient flow: on the left")
print(
    "the bars shrink from layer to layer, and for as long as they do, the loss stays where it is; on the right they do not."
)

# %%
# The page itself, as a cell of a notebook shows it:
page
