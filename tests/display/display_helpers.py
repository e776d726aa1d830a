"""What the tests of the displays share."""

from sklearn.datasets import load_iris

from skbackprop import SigmoidBackpropClassifier

X, y = load_iris(return_X_y=True)


def make(**parameters):
    return SigmoidBackpropClassifier(
        **{"hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 300, "tol": 1e-3, **parameters}
    )


def drawn(display):
    """The display, after matplotlib has really drawn it (warnings are errors)."""
    display.figure_.canvas.draw()
    return display


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]
