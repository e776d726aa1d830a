"""What parameters and data may be, for type checkers and editors; what is allowed at run time is in `parameters.py`."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.utils import metaestimators

Method = TypeVar("Method", bound=Callable)

# The names are those of the tables of activations, initializers, losses, optimizers and schedules.
ActivationName: TypeAlias = Literal["identity", "logistic", "sigmoid", "tanh", "relu", "silu", "gelu", "elu"]
InitializerName: TypeAlias = Literal["auto", "glorot", "uniform"]
OptimizerName: TypeAlias = Literal["sgd", "adam", "adamw", "rprop", "lbfgs"]
ScheduleName: TypeAlias = Literal["auto", "constant", "invscaling", "adaptive", "cosine", "one_cycle"]
ClassificationLossName: TypeAlias = Literal["log_loss", "squared_error"]
RegressionLossName: TypeAlias = Literal["squared_error", "absolute_error", "huber", "poisson", "quantile", "gamma"]


class _Frame(Protocol):
    """A dataframe, or a column of one."""

    @property
    def shape(self) -> tuple[int, ...]: ...


# Parts of the user's own need no base class.
class _Activation(Protocol):
    def forward(self, A: Any, cache: Any, /) -> Any: ...
    def backward(self, A: Any, cache: Any, delta: Any, /) -> Any: ...


class _Initializer(Protocol):
    def fill(self, coef: Any, intercept: Any, fed_by: Any, activation: Any, random_state: Any, /) -> Any: ...


class _Optimizer(Protocol):
    def initial_state(self, theta: Any, /) -> Any: ...
    def update(self, theta: Any, gradient: Any, state: Any, learning_rate: Any, loss: Any, /) -> Any: ...


class _Minimizer(Protocol):
    def minimize(self, function: Any, theta: Any, max_iter: Any, after_iteration: Any, /) -> Any: ...


class _Schedule(Protocol):
    def next_rate(self, rate: Any, initial: Any, samples: Any, epoch: Any, progress: Any, steps: Any, /) -> Any: ...
    def after_plateau(self, rate: Any, /) -> Any: ...


class _Loss(Protocol):
    def loss_gradient(self, Y: Any, Z: Any, values: Any, gradient: Any, scratch: Any, /) -> Any: ...
    def predict(self, Z: Any, /) -> Any: ...
    def constant_scores(self, Y: Any, sample_weight: Any, /) -> Any: ...


class _RegressionLoss(_Loss, Protocol):
    def location_scale(self, Y: Any, sample_weight: Any, /) -> Any: ...


Data: TypeAlias = ArrayLike | _Frame | sp.sparray | sp.spmatrix
Weights: TypeAlias = ArrayLike | None
Auto: TypeAlias = Literal["auto"]
Activations: TypeAlias = ActivationName | _Activation | Sequence[ActivationName | _Activation]
ClassificationLoss: TypeAlias = ClassificationLossName | _Loss
ClassWeight: TypeAlias = dict | Literal["balanced"] | list[dict] | None
EarlyStopping: TypeAlias = bool | Literal["cv"]
Init: TypeAlias = InitializerName | _Initializer
RandomState: TypeAlias = int | np.random.RandomState | None
RegressionLoss: TypeAlias = RegressionLossName | _RegressionLoss
Schedule: TypeAlias = ScheduleName | _Schedule
Scoring: TypeAlias = str | Callable[..., Any] | None
Sizes: TypeAlias = int | str | Sequence[int] | np.ndarray
Solver: TypeAlias = OptimizerName | _Optimizer | _Minimizer


class Parameters:
    """The parameters that every estimator has, as its constructor stores them."""

    hidden_layer_sizes: Sizes
    activation: Activations
    solver: Solver
    alpha: float | Auto
    batch_size: int | Auto | None
    learning_rate: Schedule
    learning_rate_init: float
    power_t: float
    max_iter: int | None
    shuffle: bool
    random_state: RandomState
    tol: float
    verbose: bool | int
    momentum: float
    nesterovs_momentum: bool
    early_stopping: EarlyStopping
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    init: Init
    fit_intercept: bool
    weight_decay: float
    dropout: float
    clip_norm: float | Auto | None
    max_time: float | None


def available_if(check: Callable[[Any], bool]) -> Callable[[Method], Method]:
    """Return scikit-learn's decorator of that name, which says nothing of types."""
    return metaestimators.available_if(check)
