"""
The notebook's three weights, as a page
=======================================

The three weights of the teaching notebook, as the first page of a lecture: playground_notebook.py [page.html].

One sigmoid unit without bias, the squared error, four samples: the answer is the first input. Weights and inputs are few
enough to follow every number.
"""

import sys
import tempfile
from pathlib import Path

from skbackprop import SigmoidBackpropClassifier
from skbackprop.playground import export_html

X = [[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1]]
y = [0, 1, 1, 0]
# Plain descent on all samples, from weights of U(-1, 1). The notebook adds up the gradients of the four samples, training
# here takes their mean: four times the rate is the same step.
PLAIN = {"solver": "sgd", "momentum": 0, "learning_rate": "constant", "learning_rate_init": 4, "batch_size": 4,
         "shuffle": False, "alpha": 0, "clip_norm": None, "standardize": False, "tol": 0, "random_state": 0}  # fmt: skip
unit = SigmoidBackpropClassifier((), loss="squared_error", init="uniform", fit_intercept=False, **PLAIN)
path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "playground_notebook.html"
words = {"class_names": ["no", "yes"], "title": "Three weights learn that the answer is the first input"}
page = export_html(unit, X, y, path, epochs=1000, **words)

(fitted,) = page.estimators
print("weights:", fitted.coefs_[0].ravel().round(3))
print("probability of 1 for the new input 1, 0, 0:", fitted.predict_proba([[1, 0, 0]])[0, 1].round(4))
print(f"\nPage: {path}, {path.stat().st_size / 1000:.0f} kB.")
print("Choose the weight from x2: one sample pulls it up, another one down by as much, so it stays near zero. The one")
print("from x3, which is 1 throughout, is the bias that the unit does not have.")

# %%
# The page itself, as a cell of a notebook shows it:
page
