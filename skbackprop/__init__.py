"""Neural networks for scikit-learn, trained by backpropagation in NumPy."""

from ._autoencoder import SigmoidBackpropAutoencoder
from ._classifier import SigmoidBackpropClassifier
from ._outlier import SigmoidBackpropOutlierDetector
from ._regressor import SigmoidBackpropRegressor

__all__ = [
    "SigmoidBackpropAutoencoder",
    "SigmoidBackpropClassifier",
    "SigmoidBackpropOutlierDetector",
    "SigmoidBackpropRegressor",
]
__version__ = "0.1.0"
