"""
The vanishing gradient, seen while it happens
=============================================

Four networks of six hidden layers learn the digits, while a callback records the gradient of each layer: where it vanishes,
and what helps.
"""

import sys
import warnings
from textwrap import fill

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skbackprop import SigmoidBackpropClassifier
from skbackprop.callbacks import GradientMonitor
from skbackprop.display import GradientFlowDisplay
from skbackprop.inspection import gradient_flow

HIDDEN = (30,) * 6
LOWEST = 1e-5  # of the gradients that the picture shows
NETWORKS = {
    'sigmoid units, init="glorot"': {"activation": "logistic", "init": "glorot"},
    'sigmoid units, init="glorot", no penalty': {"activation": "logistic", "init": "glorot", "alpha": 0},
    'rectified units, init="glorot"': {"activation": "relu", "init": "glorot"},
    'sigmoid units, default init="auto"': {"activation": "logistic", "init": "auto"},
}
# All that would otherwise depend on `init` is set, so that all networks are trained in the same way.
SHARED = {"standardize": True, "learning_rate": "one_cycle", "batch_size": 32, "alpha": 0.01, "clip_norm": 1}


# %%
# The monitors are callbacks. ``gradient_flow`` looks at a network before and after training.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"Digits: {len(X_train)} samples to train on, {len(X_test)} to test; hidden layers of {HIDDEN} units")
try:
    monitors = {name: GradientMonitor() for name in NETWORKS}
except ImportError as error:
    print(error)
    sys.exit()
accuracies = {}
for name, settings in NETWORKS.items():
    network = SigmoidBackpropClassifier(HIDDEN, **{**SHARED, **settings}, max_iter=60, random_state=0)
    before = gradient_flow(network, X_train, y_train)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        network.set_callbacks(monitors[name]).fit(X_train, y_train)
    accuracies[name] = network.score(X_test, y_test)
    norms = monitors[name].gradient_norms_
    print(f"\n{name}: test accuracy {accuracies[name]:.3f}")
    for when, flow in (("before", before), ("after", gradient_flow(network, X_train, y_train))):
        print(fill(f"{when} training: {flow.verdict}", 118, initial_indent="  ", subsequent_indent="    "))
    shares = [f"{norms[epoch - 1, 0] / norms[epoch - 1, -1]:.0e} in epoch {epoch}" for epoch in (1, 5, 20, len(norms))]
    print("  gradient of the lowest layer, divided by that of the highest:", ", ".join(shares))
    for warning in caught:
        print(fill(f"warned: {warning.message}", 118, initial_indent="  ", subsequent_indent="    "))


# %%
# The gradient of each layer over the epochs. Where it vanishes, those of the lowest layers leave the picture at the bottom.
def plot(monitors, accuracies, path):
    """Save a picture of the gradient of each layer over the epochs, one network beside the other."""
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=(11, 7), layout="constrained")
    all_axes = figure.subplots(2, 2, sharex=True, sharey=True)
    for ax, (name, monitor) in zip(all_axes.flat, monitors.items(), strict=True):
        display = GradientFlowDisplay.from_monitor(monitor, ax=ax, loss_unit="nats")
        colours, label = display.colorbar_.mappable, display.colorbar_.ax.get_ylabel()
        display.colorbar_.remove()
        ax.set_title(f"{name}\ntest accuracy {accuracies[name]:.3f}", fontsize="medium")
        ax.label_outer()
    # The colours are the same in all of them; where lines are apart they have names, too.
    figure.colorbar(colours, ax=all_axes, label=label, ticks=range(1, len(HIDDEN) + 2)).minorticks_off()
    ax.set_ylim(LOWEST, 2)
    first = all_axes[0, 0]
    ends = [(k, *line.get_xydata()[-1]) for k, line in enumerate(first.lines, 1)]
    for k, epoch, norm in ends:
        first.annotate(f"layer {k}" if norm > LOWEST else "", (epoch, norm), (0, 4), textcoords="offset points", ha="right")
    below = ", ".join(str(k) for k, _, norm in ends if norm <= LOWEST)
    first.text(0.99, 0.03, f"layers {below}: down to {min(ends)[2]:.0e}", transform=first.transAxes, ha="right")
    figure.savefig(path, dpi=100)


picture = sys.argv[1] if len(sys.argv) > 1 else "vanishing_gradient.png"
try:
    plot(monitors, accuracies, picture)
    print(f"\nPicture: {picture}")
except ImportError as error:
    print(f"\nNo picture: {error}")

# %%
# What is to be learnt from it:
vanished, bare, rectified, default = (f"{accuracy:.0%} right" for accuracy in accuracies.values())
print(f"""
Learnt: with init="glorot" next to nothing of the error reaches the lower sigmoid layers. Adam divides each gradient by its
size and could do with that little ({bare} without a penalty); but an L2 penalty of {SHARED["alpha"]} on the weights is
large beside it, and takes them to almost zero ({vanished}). A steeper activation ({rectified}), or initial weights that
make up for the flat one ({default}), let the error through from the first epoch on.""")
