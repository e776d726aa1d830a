"""What the tests of the inspection share."""

import warnings

from sklearn.exceptions import ConvergenceWarning

from skbackprop import SigmoidBackpropClassifier


def make(**parameters):
    """A classifier of a small network, trained for one step on all samples as they stand."""
    settings = {"hidden_layer_sizes": (6, 5), "random_state": 0, "max_iter": 1, "shuffle": False, "batch_size": 150}
    return SigmoidBackpropClassifier(**{**settings, **parameters})


def fit(classifier, *arguments):
    """Fit without the warning that one epoch is few."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(*arguments)
