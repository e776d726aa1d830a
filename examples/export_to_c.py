"""
Digits read without Python
==========================

A network as a file of C, compiled into a program and compared.

Such a file runs where there is neither an operating system nor a megabyte of memory. Here a program for this machine is
made of it, with gcc; without gcc the example ends with the file. ``export_to_c.py digits.c`` keeps the file.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skbackprop import SigmoidBackpropClassifier
from skbackprop.export import to_c

# What one writes oneself: declarations, copied from the first lines of the file, and calls.
MAIN = r"""
#include <stdio.h>

extern const long digits_classes[10];
int digits_predict(const float *x);
void digits_predict_proba(const float *x, float *probabilities);

int main(void)
{
    float x[64], probabilities[10];
    int i = 0, number;
    while (scanf("%f", &x[i]) == 1) {
        if (++i < 64)
            continue;
        i = 0;
        number = digits_predict(x);
        digits_predict_proba(x, probabilities);
        printf("%ld %.9g\n", digits_classes[number], (double)probabilities[number]);
    }
    return 0;
}
"""


def output_of(program, text=""):
    """Return what a program prints when it is given a text to read."""
    return subprocess.run(list(map(str, program)), input=text, capture_output=True, text=True, check=True).stdout


# %%
# A small network.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
network = SigmoidBackpropClassifier((16,), activation="relu", tol=0.001, random_state=0).fit(X_train, y_train)
print(f"1. A network of 16 hidden units reads {network.score(X_test, y_test):.1%} of {len(X_test)} unseen digits rightly.")

# %%
# The file, and a program made of it that reads the pixels of the test images.
with tempfile.TemporaryDirectory() as folder:
    path = Path(sys.argv[1] if sys.argv[1:] else Path(folder) / "digits.c")
    to_c(network, path, prefix="digits")
    print(f"\n2. As a file of C it has {len(path.read_text().splitlines())} lines. The first:\n")
    print("\n".join(f"   {line}".rstrip() for line in path.read_text().partition("\n#ifdef")[0].splitlines()))

    if shutil.which("gcc") is None:
        print("\nThere is no gcc on this machine to compile it with.")
        sys.exit()
    main, program, code = (Path(folder) / name for name in ("main.c", "program", "digits.o"))
    main.write_text(MAIN)
    output_of(["gcc", "-std=c99", "-Os", "-c", path, "-o", code])
    output_of(["gcc", "-std=c99", "-Os", main, code, "-lm", "-o", program])
    print("\n3. Compiled for this machine, with -Os, it is a program that reads pixels and prints digits.")
    lines = output_of([program], "\n".join(" ".join(f"{pixel:.9g}" for pixel in sample) for sample in X_test))

# %%
# Does the program say what Python says?
labels, probabilities = np.array([line.split() for line in lines.splitlines()], float).T
same = np.count_nonzero(labels == network.predict(X_test))
difference = np.abs(probabilities - network.predict_proba(X_test).max(axis=1)).max()
print(f"   It names the digit that Python names for {same} of {len(X_test)} samples.")
print(f"   Its probabilities differ from Python's, which are computed in float64, by up to {difference:.0e}.")

# %%
# The digits that it is least sure of: what it says, and how sure it is.
try:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 6, figsize=(8, 3.2), layout="constrained")
    for ax, sample in zip(axes.flat, np.argsort(probabilities), strict=False):
        ax.imshow(X_test[sample].reshape(8, 8), cmap="gray_r")
        ax.set(title=f"{labels[sample]:.0f}, {probabilities[sample]:.0%} sure", xticks=[], yticks=[])
    figure.savefig("export_to_c.png", dpi=110)
except ModuleNotFoundError:
    print("\nNo picture: matplotlib is not installed.")

# %%
# What is to be learnt from it:
print(
    "\nLearnt: a trained network is a few products of matrices. In C, with scaling folded into the weights, it takes five"
)
print("kilobytes, and no library but the mathematics of the compiler.")
