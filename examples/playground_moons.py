"""
Two half moons, as a page to look into
======================================

A network learns two half moons, as a page in the browser to look into: playground_moons.py [page.html].
"""

import sys
import tempfile
from pathlib import Path

from sklearn.datasets import make_moons

from skbackprop import SigmoidBackpropClassifier
from skbackprop.playground import export_html

X, y = make_moons(500, noise=0.2, random_state=0)
path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "playground_moons.html"
network = SigmoidBackpropClassifier((12, 8), early_stopping=True, random_state=0)
names = {"feature_names": ["width", "height"], "class_names": ["upper moon", "lower moon"]}
page = export_html(network, X, y, path, epochs=150, title="Two half moons", **names)

(fitted,) = page.estimators
print(f"{len(X)} points, a network of 12 and 8 sigmoid units, {fitted.n_iter_} epochs; {fitted.score(X, y):.1%} right")
print(f"Page: {path}, {path.stat().st_size / 1000:.0f} kB. Open it in a browser; it needs nothing else.\n")
print("Play the film: the border between the colours begins straight, and bends as the units of the first layer find their")
print("places. Click on a weight: its derivative is a product of few factors, and the same as a difference quotient.")

# %%
# The page itself, as a cell of a notebook shows it:
page
