"""Neural networks for scikit-learn, trained by backpropagation."""

from ._classifier import SigmoidBackpropClassifier

__all__ = ["SigmoidBackpropClassifier"]
__version__ = "0.1.0"
