"""Neural networks for scikit-learn, trained by backpropagation."""

from importlib import import_module
from typing import TYPE_CHECKING

from ._estimators.autoencoder import SigmoidBackpropAutoencoder
from ._estimators.classifier import SigmoidBackpropClassifier
from ._estimators.outlier import SigmoidBackpropOutlierDetector
from ._estimators.regressor import SigmoidBackpropRegressor
from ._estimators.versions import show_versions

__all__ = [
    "TRUSTED_TYPES",
    "SigmoidBackpropAutoencoder",
    "SigmoidBackpropClassifier",
    "SigmoidBackpropOutlierDetector",
    "SigmoidBackpropRegressor",
    "show_versions",
    "tabular_network",
]
__version__ = "0.1.0"

# Imported when they are asked for.
_MODULES = {
    "activations", "callbacks", "dask", "display", "export", "functional", "initializers", "inspection", "losses",
    "neural_network", "onnx", "optimizers", "playground", "preprocessing", "schedules",
}  # fmt: skip

if TYPE_CHECKING:
    from . import activations as activations
    from . import callbacks as callbacks
    from . import dask as dask
    from . import display as display
    from . import export as export
    from . import functional as functional
    from . import initializers as initializers
    from . import inspection as inspection
    from . import losses as losses
    from . import neural_network as neural_network
    from . import onnx as onnx
    from . import optimizers as optimizers
    from . import playground as playground
    from . import preprocessing as preprocessing
    from . import schedules as schedules
    from .preprocessing import tabular_network

    TRUSTED_TYPES: tuple[str, ...]
else:

    def __getattr__(name):
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name == "tabular_network":
            return import_module(f"{__name__}.preprocessing").tabular_network
        if name == "TRUSTED_TYPES":
            return import_module(f"{__name__}._estimators.plain").trusted_types()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_MODULES, *__all__})
