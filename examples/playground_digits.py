"""
Handwritten digits, as a page to look into
==========================================

A network learns to read digits, as a page in the browser to look into: playground_digits.py [page.html].

Its inputs are the 64 pixels of an image: the page shows the image, and a click on a pixel shows what its weight does.
"""

import sys
import tempfile
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skbackprop import SigmoidBackpropClassifier
from skbackprop.playground import export_html

X_train, X_test, y_train, y_test = train_test_split(*load_digits(return_X_y=True), random_state=0)
path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "playground_digits.html"
network = SigmoidBackpropClassifier((16,), early_stopping=True, random_state=0)
page = export_html(network, X_train, y_train, path, epochs=60, image_shape=(8, 8), title="Handwritten digits")

(fitted,) = page.estimators
print(f"{len(X_train)} images of 8 x 8 pixels, 16 hidden units, {fitted.n_iter_} epochs;", end=" ")
print(f"{fitted.score(X_test, y_test):.1%} of {len(X_test)} others right")
print(f"Page: {path}, {path.stat().st_size / 1000:.0f} kB. Open it in a browser; it needs nothing else.\n")
print(
    "Click on a pixel for its weight, and move its slider: the probabilities follow. The first pixel, x1, is white in all"
)
print("images: its weight is multiplied by 0, so the loss has nothing to say of it, and the penalty alone takes it to 0.")

# %%
# The page itself, as a cell of a notebook shows it:
page
