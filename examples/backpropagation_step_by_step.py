"""
One step of backpropagation, explained
======================================

All arrays of one step, the chain rule by hand, and the gradient checked; ``backpropagation_step_by_step.py trace.html``
also writes the step as a page, with its numbers beside each other.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, load_iris

from skbackprop import SigmoidBackpropClassifier
from skbackprop.activations import Tanh
from skbackprop.inspection import check_gradients, gradient_flow, trace_backpropagation

# %%
# Four flowers and a network of two hidden units. The trace has all that one step of gradient descent computes: forward,
# from the inputs to the loss; backward, from the error of the outputs to the gradient; and the update.
iris = load_iris()
rows = [60, 70, 110, 120]
columns = [2, 3]
X, y = iris.data[np.ix_(rows, columns)], iris.target_names[iris.target[rows]]
print("1. Four flowers, a network of two sigmoid units, one step of gradient descent\n")
for flower, name in zip(X, y, strict=True):
    print(f"   petal {flower[0]} cm long and {flower[1]} cm wide: {name}")
settings = {"solver": "sgd", "momentum": 0, "learning_rate": "constant", "learning_rate_init": 0.5, "alpha": 0}
network = SigmoidBackpropClassifier((2,), **settings, batch_size=4, shuffle=False, random_state=0)
trace = trace_backpropagation(network, X, y)
print(f"\n{trace}")

# %%
# A notebook shows the same numbers side by side, in the colour of their sign.
trace.input_names = ["petal length", "petal width"]  # those of a dataframe's columns it has by itself
trace

# %%
# The network before the step, and what the step adds to each weight and bias (the squares): blue below 0, red above.
try:
    import matplotlib.pyplot as plt

    from skbackprop.display import NetworkDisplay

    figure, axes = plt.subplots(ncols=2, figsize=(11, 2.8), layout="constrained")
    names = {"input_names": trace.input_names, "output_names": trace.output_names}
    for ax, end, title in zip(axes, ("", "_update"), ("before the step", "what the step adds"), strict=True):
        weights, biases = ([getattr(layer, part + end) for layer in trace.layers] for part in ("weights", "biases"))
        NetworkDisplay(weights, biases=biases, weight_name="weight or bias", **names).plot(ax=ax)
        ax.set_title(title)
    figure.savefig("backpropagation_step_by_step.png", dpi=110)
except ModuleNotFoundError:
    print("\nNo picture: matplotlib is not installed.")

# %%
# The chain rule, by hand: the error goes back through the weights, and each unit multiplies it by its derivative.
print("\n2. The same by hand: the chain rule in four lines")
hidden, output = trace.layers
error = output.activations - trace.targets  # of the log-loss of a sigmoid, by its raw score
output_delta = error / len(X)
hidden_delta = output_delta @ output.weights.T * hidden.activations * (1 - hidden.activations)
by_hand = [inputs.T @ delta for inputs, delta in ((hidden.inputs, hidden_delta), (output.inputs, output_delta))]
differences = [np.abs(a - layer.weights_gradient).max() for a, layer in zip(by_hand, trace.layers, strict=True)]
print(f"   Largest difference from the gradient above: {max(differences):.1e}")
step = all(np.allclose(layer.weights_update, -0.5 * layer.weights_gradient) for layer in trace.layers)
print(f"   The update is the gradient, times the learning rate, downhill: {step}")

# %%
# Is it right? Each weight is moved a little to either side, and the difference of the loss compared with the gradient. A
# wrong derivative is found, and the layer that it is in.
print("\n3. Is the gradient right? All flowers, two hidden layers; then the same with a mistake in one derivative\n")


class Slip(Tanh):
    """The hyperbolic tangent with the sigmoid's derivative, a (1 - a)."""

    def backward(self, A, cache, delta):
        delta *= A * (1 - A)


for activation in (["logistic", "tanh"], ["logistic", Slip()]):
    network = SigmoidBackpropClassifier((5, 4), activation, random_state=0)
    print(check_gradients(network, iris.data, iris.target), "\n")

# %%
# In a deep network of sigmoid units, how much of the error is left at the lowest layer?
print("4. Does the error reach every layer? Digits, ten hidden layers, initial weights of scikit-learn and by default\n")
digits = load_digits()
diagnoses = {}
for init in ("glorot", "auto"):
    network = SigmoidBackpropClassifier((30,) * 10, init=init, standardize=True, random_state=0)
    diagnoses[init] = gradient_flow(network, digits.data, digits.target)
    print(diagnoses[init], "\n")

# %%
# What is to be learnt from it:
if len(sys.argv) > 1:
    Path(sys.argv[1]).write_text(f"<!DOCTYPE html><meta charset='utf-8'>{trace._repr_html_()}")
    print(f"The trace as a notebook shows it: {sys.argv[1]}\n")
print("Learnt: for each layer a step is one matrix product up and one down, and the chain rule is an element-wise product.")
print("Differences of the loss find a wrong derivative and the layer that it is in. With scikit-learn's initial weights")
theirs, ours = (diagnoses[init].diagnosis for init in ("glorot", "auto"))
print(f"the gradient through ten sigmoid layers is {theirs}, with the default ones it is {ours}.")
