"""Calls that are right: a type checker finds no fault with them, and they run."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skbackprop
from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
    tabular_network,
)
from skbackprop.activations import Activation, Tanh
from skbackprop.callbacks import Checkpoint, GradientMonitor, ValidationMonitor, resume
from skbackprop.display import LossCurveDisplay
from skbackprop.export import to_c
from skbackprop.functional import backpropagation, sigmoid
from skbackprop.initializers import Glorot
from skbackprop.inspection import check_gradients, gradient_flow, trace_backpropagation
from skbackprop.losses import HuberLoss
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.optimizers import LBFGS, SGD, Adam
from skbackprop.preprocessing import PiecewiseLinearEncoder
from skbackprop.schedules import Cosine

X, y = load_iris(return_X_y=True)
QUICK = 3


# Constructors --------------------------------------------------------------------------------------------------------

SigmoidBackpropClassifier(alpha=0.01, standardize=False, scoring=None, verbose=1)
SigmoidBackpropClassifier((10, 5), activation=["tanh", "relu"], batch_size=32, clip_norm=None)
SigmoidBackpropClassifier(10, "logistic", solver="lbfgs", random_state=np.random.RandomState(0), max_time=1.5)
SigmoidBackpropClassifier("100-50", class_weight={0: 1.0, 1: 2.0}, n_iter_no_change=np.inf, early_stopping="cv")
SigmoidBackpropClassifier([10, 5], activation=[Tanh(), "gelu"], solver=Adam(beta_1=0.8), class_weight="balanced")
SigmoidBackpropRegressor("poisson", (10,), learning_rate=Cosine(), init=Glorot(), standardize_targets=False)
SigmoidBackpropRegressor(loss=HuberLoss(delta=2), tol=0, weight_decay=0, dropout=0.5, scoring="r2", n_jobs=-1)
SigmoidBackpropAutoencoder(hidden_layer_sizes=np.array([4, 2, 4]), tied=True, noise=0.1, alpha="auto")
SigmoidBackpropOutlierDetector(max_iter=None, contamination=0.05, n_estimators=2, solver=SGD(momentum=0.5))
MLPRegressor(loss="squared_error", solver=LBFGS(), early_stopping=True)
for solver in ("adam", "sgd"):
    SigmoidBackpropClassifier(solver=solver)


class Square(Activation):
    """An activation of the user's own."""

    def forward(self, A, cache):
        """Square the raw scores."""
        np.multiply(A, A, A)

    def backward(self, A, cache, delta):
        """Multiply by the derivative."""
        np.multiply(delta, 2 * np.sqrt(A), delta)


class Halved:
    """A rule of the user's own that has no base class."""

    def initial_state(self, theta):
        """Return nothing to remember."""
        return {}

    def update(self, theta, gradient, state, learning_rate, loss):
        """Take half a step."""
        theta -= 0.5 * learning_rate * gradient


SigmoidBackpropClassifier(activation=Square(), solver=Halved())


# Methods and attributes ----------------------------------------------------------------------------------------------

classifier = SigmoidBackpropClassifier((10,), max_iter=QUICK, n_iter_no_change=2).fit(X, y)
shape: tuple[int, ...] = classifier.coefs_[0].shape
biases: np.ndarray = classifier.intercepts_[-1]
half = 0.5 if classifier.alpha == "auto" else classifier.alpha / 2
loss: float = classifier.loss_ + min(classifier.loss_curve_)
if classifier.validation_scores_ is not None:
    best = max(classifier.validation_scores_)
epochs = range(classifier.n_iter_)
names = [str(name) for name in classifier.classes_]
with TemporaryDirectory() as folder:
    to_c(classifier, Path(folder) / "network.c", prefix="iris")
probabilities = classifier.predict_proba(X[:5]).sum(axis=1)
margins = classifier.decision_function(X)[:, 0] + classifier.predict_log_proba(X)[:, 0]
hidden = classifier.transform(X, layer=0).mean() + classifier.input_gradient(X, output=1).mean()
accuracy = classifier.score(X, y)
classifier.set_params(alpha=0.1).fit(X.tolist(), list(y), sample_weight=np.ones(len(y)), X_val=X, y_val=y)
classifier.partial_fit(X, y, classes=[0, 1, 2]).predict(X).astype(int)
SigmoidBackpropClassifier(max_iter=QUICK, n_iter_no_change=2).fit(scipy.sparse.csr_array(X), pd.Series(y))
SigmoidBackpropClassifier(max_iter=QUICK, n_iter_no_change=2).fit(pd.DataFrame(X), [str(label) for label in y])

X_numbers, y_numbers = load_diabetes(return_X_y=True)
regressor = SigmoidBackpropRegressor(max_iter=QUICK, n_iter_no_change=2, verbose=False).fit(X_numbers, y_numbers)
error = float(np.abs(regressor.predict(X_numbers) - y_numbers).mean()) + regressor.quantile
code = SigmoidBackpropAutoencoder((4, 2, 4), max_iter=QUICK, n_iter_no_change=2).fit(X)
distance = np.abs(code.inverse_transform(code.transform(X)) - X).max() + code.score(X)
detector = SigmoidBackpropOutlierDetector((8,), max_iter=QUICK).fit(X)
outliers = X[detector.predict(X) == -1], detector.offset_ + detector.score_samples(X).min(), detector.estimators_[0].coefs_
MLPClassifier(max_iter=QUICK, n_iter_no_change=2).fit(X, y).predict(X)


# With scikit-learn, and the other modules -------------------------------------------------------------------------------

pipeline = make_pipeline(StandardScaler(), SigmoidBackpropClassifier(max_iter=QUICK, n_iter_no_change=2)).fit(X, y)
search = GridSearchCV(classifier, {"alpha": [0.01, 0.1]}, cv=2).fit(X, y)
scores = cross_val_score(regressor, X_numbers, y_numbers, cv=2)
table = pd.DataFrame({"town": ["Rome", "Oslo"] * 20, "age": range(40)})
tabular_network("classifier", max_iter=QUICK, random_state=0, n_iter_no_change=2).fit(table, table["age"] > 20)
ramps = PiecewiseLinearEncoder(n_bins=4).fit(X).transform(X).shape
edges = PiecewiseLinearEncoder().fit(X).edges_[0].max()
report = check_gradients(classifier, X, y, max_entries=None)
passed = report.passed and report.layers[0].weights_error < 1
diagnosis: str = gradient_flow(classifier, X, y).diagnosis
delta = trace_backpropagation(classifier, X[:4], y[:4]).layers[0].delta.shape
weights = backpropagation([[0, 1], [1, 1]], [0, 1], learning_rate=1, num_iterations=10)
value = sigmoid(0.5) + sigmoid([1, 2])
classes = [skbackprop.losses.Loss, skbackprop.display.LossCurveDisplay, skbackprop.schedules.SCHEDULES["cosine"]]


def watched(path: Path) -> float:
    """Train with callbacks, which scikit-learn has since 1.9, and resume: for the type checker alone."""
    monitor = ValidationMonitor(X, y, scoring="accuracy")
    network = SigmoidBackpropClassifier().set_callbacks(monitor, GradientMonitor(), Checkpoint(path, every=5)).fit(X, y)
    rows = monitor.get_logs().data
    axes = LossCurveDisplay.from_estimator(network, label="iris").ax_
    axes.set_title("a title")
    return resume(path, X, y).score(X, y) + len(rows)
