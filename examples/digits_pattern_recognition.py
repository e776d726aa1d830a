"""
Handwritten digits, and which pixels decide
===========================================

How well digits are classified, and by which pixels. The last hidden layer serves as features for simpler classifiers, and
the gradient of an output with respect to the pixels shows which of them speak for a digit.
"""

import sys

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skbackprop import SigmoidBackpropClassifier

# %%
# Two hidden layers, and the defaults but for the number of epochs.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
network = SigmoidBackpropClassifier((64, 32), max_iter=300, random_state=0).fit(X_train, y_train)
read = network.predict(X_test)
print(f"Test accuracy {network.score(X_test, y_test):.3f}; rows are the {len(y_test)} test digits, columns what is read:")
print(confusion_matrix(y_test, read))

# %%
# ``transform`` gives the activations of the last hidden layer: features for other classifiers.
print("\nTest accuracy of other classifiers, on pixels and on the last hidden layer's activations")
for other in (GaussianNB(), KNeighborsClassifier()):
    on_pixels = other.fit(X_train, y_train).score(X_test, y_test)
    on_features = other.fit(network.transform(X_train), y_train).score(network.transform(X_test), y_test)
    print(f"  {type(other).__name__:22} {on_pixels:.3f} on 64 pixels, {on_features:.3f} on 32 hidden units")

# %%
# What a pixel adds to the raw score of a digit is its difference from the mean image, times the gradient. If that is right,
# images without the five pixels that add most are hard to read.


def contributions(X, output=None):
    """Return what each pixel adds to a digit's raw score: its difference from the mean image, times the gradient."""
    return (X - X_train.mean(axis=0)) * network.input_gradient(X, output)


def accuracy_without(order):
    """Return the accuracy on test images whose first pixels in some order are replaced by those of the mean image."""
    changed = X_test.copy()
    pixels = order[:, :5]
    np.put_along_axis(changed, pixels, X_train.mean(axis=0)[pixels], axis=1)
    return network.score(changed, y_test)


by_gradient = accuracy_without(np.argsort(-contributions(X_test), axis=1))
at_random = accuracy_without(np.random.default_rng(0).random(X_test.shape).argsort(axis=1))
print("\nTest accuracy with 5 of 64 pixels replaced by those of the mean image")
print(f"  {at_random:.3f} if drawn at random, {by_gradient:.3f} if they speak most for the digit that is read")


# %%
# Two images that are read rightly and four that are not; in red what speaks for a digit, in blue what speaks against it.
def plot(rows, path):
    """Save a picture of test images and, below each, of what speaks for the digit read and for the right one."""
    import matplotlib.pyplot as plt

    axes = (figure := plt.figure(figsize=(10, 6), layout="constrained")).subplots(3, len(rows))
    for (image, for_read, for_right), x, right, name in zip(axes.T, X_test[rows], y_test[rows], read[rows], strict=True):
        image.imshow(x.reshape(8, 8), cmap="gray_r")
        image.set_title(f"read as {name},\n" + ("rightly" if name == right else f"but it is {right}"))
        for ax, digit in ((for_read, name), (for_right, right)):
            added = contributions(x[np.newaxis], digit).reshape(8, 8)
            drawn = ax.imshow(added, cmap="RdBu_r", vmin=-1.5, vmax=1.5)
            ax.set_title(f"for {digit}")
    for ax, label in zip(axes[:, 0], ("test image", "for the digit read", "for the right digit"), strict=True):
        ax.set_ylabel(label)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    figure.colorbar(drawn, ax=axes[1:], extend="both", label="contribution to the raw score (nats)")
    figure.savefig(path, dpi=110)


picture = sys.argv[1] if len(sys.argv) > 1 else "digits_pattern_recognition.png"
wrong = np.flatnonzero(read != y_test)[:4]
try:
    plot([0, 1, *wrong], picture)
    print(f"\nPicture: {picture}")
except ModuleNotFoundError:
    print("\nNo picture: matplotlib is not installed.")
# %%
# What is to be learnt from it:
print("\nLearnt: the hidden layers bring the images of a digit together, so that naive Bayes, which looks at features one")
print("by one, names most digits; and the gradient finds the pixels that count: without five, nearly half are misread.")
