"""Pictures of training and of trained networks, in the style of scikit-learn's displays; they need matplotlib.

Each display has a class method `from_estimator` that draws a network, a constructor that takes what is drawn, and `plot`,
which draws it. Afterwards `ax_` and `figure_` hold matplotlib's axes and figure, and further attributes that end
in an underscore what was drawn. Install matplotlib with `pip install "skbackprop[plot]"`.
"""

from ._boundary_film import BoundaryFilm
from ._first_layer import FirstLayerDisplay
from ._gradient_flow import GradientFlowDisplay
from ._loss_curve import LossCurveDisplay
from ._network import NetworkDisplay

__all__ = ["BoundaryFilm", "FirstLayerDisplay", "GradientFlowDisplay", "LossCurveDisplay", "NetworkDisplay"]
