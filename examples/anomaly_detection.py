"""
Anomaly detection
=================

Malignant samples and strange digits, unseen in training. Each detector is trained on half of the normal samples, and ranks
the other half together with the anomalies.
"""

import sys

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM

from skbackprop import SigmoidBackpropOutlierDetector


def detectors(seed):
    """Return the detectors."""
    ours = SigmoidBackpropOutlierDetector(random_state=seed)
    return [ours, IsolationForest(random_state=seed), LocalOutlierFactor(novelty=True), OneClassSVM()]


def split(X, is_normal, seed):
    """Return half of the normal samples, all other samples, and which of these are normal."""
    known, rest = train_test_split(X[is_normal], test_size=0.5, random_state=seed)
    return known, np.concatenate([rest, X[~is_normal]]), np.arange(len(X) - len(known)) < len(rest)


def areas(X, is_normal, seed):
    """Return the area under each detector's ROC curve, of standardised samples (which ours and the forest do not need)."""
    known, rest, truth = split(X, is_normal, seed)
    scaler = StandardScaler().fit(known)
    known, rest = scaler.transform(known), scaler.transform(rest)
    return [roc_auc_score(truth, detector.fit(known).score_samples(rest)) for detector in detectors(seed)]


# %%
# The ranking, beside that of scikit-learn's detectors: 1 is perfect, 0.5 is chance.
X, y = load_breast_cancer(return_X_y=True)
digits, names = load_digits(return_X_y=True)
benign = np.transpose([areas(X, y == 1, seed) for seed in range(5)])
single = np.transpose([areas(digits, names == digit, digit) for digit in range(10)])
print("Area under the ROC curve of breast cancer (benign is normal, five splits) and digits (each in turn is normal)\n")
for detector, *results in zip(detectors(0), benign, single, strict=True):
    print(f"  {type(detector).__name__:30}" + "".join(f"{result.mean():10.3f} +- {result.std():.3f}" for result in results))

# %%
# Where to draw the line? By the training samples themselves, or by normal samples that were held out.
known, rest, truth = split(X, y == 1, 0)
known, held_out = train_test_split(known, random_state=0)
detector = SigmoidBackpropOutlierDetector(random_state=0).fit(known)
scores = detector.score_samples(rest)
of_held_out = np.quantile(detector.score_samples(held_out), 0.1)
thresholds = {"training samples (offset_)": detector.offset_, "benign samples held out": of_held_out}
print("\nBreast cancer, first split: a sample is an outlier if it scores lower than nine tenths of known samples")
for name, threshold in thresholds.items():
    found = (scores[~truth] < threshold).mean()
    alarms = (scores[truth] < threshold).mean()
    print(f"  by {name:26}: {found:.0%} of malignant samples found, {alarms:.0%} false alarms")


# %%
# The scores of both kinds of samples, and both lines.
def plot(scores, truth, thresholds, path):
    """Save a picture of the scores and of both thresholds."""
    import matplotlib.pyplot as plt

    ax = (figure := plt.figure(figsize=(9, 4.8), layout="constrained")).subplots()
    for kind, label, color in ((truth, "benign, not trained on", "C0"), (~truth, "malignant", "C3")):
        ax.hist(scores[kind], np.linspace(scores.min(), scores.max(), 40), alpha=0.6, color=color, label=label)
    for (label, threshold), style in zip(thresholds.items(), ("--", "-"), strict=True):
        ax.axvline(threshold, color="0.2", linestyle=style, label=f"a tenth of {label} is lower")
    ax.set(title="breast cancer: outliers are those to the left", xlabel="score_samples", ylabel="samples")
    ax.set_xlim(right=0.5)
    ax.legend(loc="upper left")
    figure.savefig(path, dpi=110)


picture = sys.argv[1] if len(sys.argv) > 1 else "anomaly_detection.png"
try:
    plot(scores, truth, thresholds, picture)
    print(f"\nPicture: {picture}")
except ModuleNotFoundError:
    print("\nNo picture: matplotlib is not installed.")
# %%
# What is to be learnt from it:
print("\nLearnt: autoencoders of normal samples reconstruct anomalies badly, and here rank them as well as others do, or")
print("better. They overfit their training samples: take the threshold from normal samples that were held out.")
