"""
The decision boundary over the epochs
=====================================

How the border between two half moons comes to be, in frames for a slide and as an animated GIF, and how scikit-learn's
`DecisionBoundaryDisplay` draws it for any epoch: boundary_over_epochs.py [film.gif].
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression

from skbackprop import SigmoidBackpropClassifier

X, y = make_moons(400, noise=0.2, random_state=0)
network = SigmoidBackpropClassifier((12, 8), max_iter=120, random_state=0)
path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "boundary_over_epochs.gif"

# %%
# A film trains a clone of the network, and draws a row of frames. White is where the network is undecided.
EPOCHS = range(0, 121, 4)
try:
    import matplotlib.pyplot as plt
    from sklearn.inspection import DecisionBoundaryDisplay

    from skbackprop.display import BoundaryFilm

    film = BoundaryFilm.from_estimator(network, X, y, epochs=EPOCHS)
    film.save(path)
    print(f"Film: {path}, {len(film.estimators)} frames, {path.stat().st_size / 1000:.0f} kB")
except ImportError as error:
    sys.exit(f"No film: {error}")

# sphinx_gallery_thumbnail_number = 2

# %%
# `film.estimators` are the fitted networks of these epochs, for whatever takes a fitted estimator: here the border alone,
# where `decision_function` is 0, of some of them in one picture.
figure, ax = plt.subplots(figsize=(6, 4.5), layout="constrained")
colors = plt.colormaps["viridis"](np.linspace(0, 0.95, 6))
for frame, color in zip(range(0, 31, 6), colors, strict=True):
    line = {"plot_method": "contour", "levels": [0], "colors": [color], "linewidths": 2.5}
    DecisionBoundaryDisplay.from_estimator(film.estimators[frame], X, response_method="decision_function", ax=ax, **line)
    ax.plot([], [], color=color, label=film.titles[frame])
ax.scatter(*X.T, c=y, cmap="coolwarm", s=8, alpha=0.5)
ax.legend()

# %%
# What is to be learnt from it:
straight = LogisticRegression().fit(X, y).score(X, y)
scores = np.array([estimator.score(X, y) for estimator in film.estimators])
for frame in range(0, 31, 3):
    probability = film.estimators[frame].predict_proba(X).max(axis=1)
    sure = np.mean(probability > 0.9)
    print(f"{film.titles[frame]:9} {scores[frame]:6.1%} right, surer than 90 % of {sure:4.0%} of the points")
bends = EPOCHS[np.flatnonzero(scores < straight + 0.05)[-1] + 1]
print(f"\nLearnt: the border is straight at first, as that of a logistic regression, which has {straight:.1%} right.")
print(f"It takes until epoch {bends} to bend so far that another 5 % are right.")
