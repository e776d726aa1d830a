"""scikit-learn's own networks, trained faster: the import is all that changes.

`MLPClassifier` and `MLPRegressor` have the parameters, defaults and rules of the classes in `sklearn.neural_network` and,
with the same `random_state`, their weights. What differs all the same is listed in docs/migration.md.
"""

import inspect
import math
import numbers
from dataclasses import replace
from typing import NoReturn

import sklearn.neural_network

from ._estimators.annotations import Activations, Auto, EarlyStopping, RandomState, Schedule, Sizes, Solver
from ._estimators.annotations import RegressionLoss as RegressionLossLike
from ._estimators.callback_bridge import running_callbacks
from ._estimators.classifier import SigmoidBackpropClassifier
from ._estimators.regressor import SigmoidBackpropRegressor
from ._estimators.state import TrainingState, draft_of
from .losses._scikit_learn import AS_THERE

__all__ = ["MLPClassifier", "MLPRegressor"]

# What scikit-learn's networks have no parameter for.
FIXED = {"init": "glorot", "standardize": False, "clip_norm": None, "scoring": None}


def _as_there(cls):
    """Fill the gap {AS_THERE} in a class's docstring by what scikit-learn says, and allow only its own parameters."""
    theirs = inspect.cleandoc(getattr(sklearn.neural_network, cls.__name__).__doc__ or "")
    shared = theirs[theirs.find("Parameters\n------") : theirs.find("\n\nSee Also\n------")]
    names = inspect.signature(cls).parameters
    if "loss" in names and "\nloss : " not in shared:
        # Before scikit-learn 1.7 there was no choice of losses.
        loss = "loss : str, default='squared_error'\n    What training descends; see `skbackprop.losses`.\n\n"
        shared = shared.replace("hidden_layer_sizes : ", f"{loss}hidden_layer_sizes : ", 1)
    cls.__doc__ = inspect.cleandoc(cls.__doc__ or "").replace("{AS_THERE}", shared)
    cls._parameter_constraints = {name: cls._parameter_constraints[name] for name in names}
    return cls


def _state_as_there(estimator, incremental):
    """Return what scikit-learn keeps of earlier calls: no order of samples and, except in `partial_fit`, no optimizer."""
    state = getattr(estimator, "_training_state", None)
    if state is None or state.unfinished:
        return state
    source, shuffled = state.random_state, state.shuffled
    if isinstance(estimator.random_state, numbers.Integral):
        source, shuffled = estimator.random_state, ()
    if incremental:
        # Parts belong to one state.
        parts, state = vars(state).pop("parts", None), draft_of(state)
        vars(state).update(random_state=source, shuffled=shuffled, parts=parts, rows=None, held_out=None)
        return state
    patience = replace(state.patience, count=estimator._no_improvement_count)
    # After early stopping training goes on from the best weights.
    theta = state.theta if patience.best_theta is None else patience.best_theta
    kept = {"patience": patience, "judged_by": state.judged_by, "theta": theta, "checksum": state.checksum}
    return TrainingState(source, shuffled=shuffled, **kept)


class _TrainedAsThere:
    """Training by scikit-learn's rules, where ours are others."""

    def _encode(self, X, y, sample_weight, **how):
        problem = super()._encode(X, y, sample_weight, **how)
        # Proportions are kept in a split of two classes only, and "lbfgs" holds nothing out.
        strata = problem.strata if problem.samples.Y.shape[1] == 1 else None
        return problem._replace(strata=strata, splits=self.solver != "lbfgs", own_weight=True)

    def _fit(self, X, y, sample_weight, validation, incremental=False, **labels):
        if incremental and self.early_stopping and all(part is None for part in validation):
            raise ValueError("partial_fit does not support early_stopping=True without X_val and y_val.")
        before = dict(vars(self))
        try:
            self._training_state = _state_as_there(self, incremental)
            super()._fit(X, y, sample_weight, validation, incremental, **labels)
            stopped_early = self.best_loss_ is None
            # (Interrupted within the first epoch, it has no loss.)
            if self.n_iter_ and not (math.isfinite(self.loss_) or stopped_early):
                raise ValueError(
                    "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                    "preprocessed."
                )
        except BaseException:
            # A failed fit changes nothing.
            self.__dict__ = {**before, **running_callbacks(self)}
            raise
        return self


@_as_there
class MLPClassifier(_TrainedAsThere, SigmoidBackpropClassifier):
    """The `MLPClassifier` of scikit-learn, trained several times faster.

    It has the methods of `SigmoidBackpropClassifier`, such as `transform`, but for `decision_function`.

    {AS_THERE}

    See Also
    --------
    sklearn.neural_network.MLPClassifier : The class that this one stands in for.
    skbackprop.SigmoidBackpropClassifier : The one with better defaults and more parameters.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop.neural_network import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> MLPClassifier(max_iter=1000, random_state=0).fit(X, y)
    MLPClassifier(max_iter=1000, random_state=0)
    """

    # From one it learns nothing, but a fold without the other class need not be an error.
    _least_classes = 1

    def __init__(self, hidden_layer_sizes: Sizes = (100,), activation: Activations = "relu", *,
                 solver: Solver = "adam", alpha: float | Auto = 0.0001, batch_size: int | Auto | None = "auto",
                 learning_rate: Schedule = "constant", learning_rate_init: float = 0.001, power_t: float = 0.5,
                 max_iter: int = 200, shuffle: bool = True, random_state: RandomState = None, tol: float = 1e-4,
                 verbose: bool | int = False, warm_start: bool = False, momentum: float = 0.9,
                 nesterovs_momentum: bool = True, early_stopping: EarlyStopping = False, validation_fraction: float = 0.1,
                 beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: float = 10,
                 max_fun: int = 15000) -> None:  # fmt: skip
        given = {name: value for name, value in locals().items() if name not in {"self", "__class__"}}
        super().__init__(**given, **FIXED)

    def _encode(self, X, y, sample_weight, **how):
        problem = super()._encode(X, y, sample_weight, **how)
        # The exact values would lead the line search of "lbfgs" elsewhere where samples are confidently wrong.
        return problem._replace(loss=AS_THERE[type(problem.loss)]())

    @property
    def decision_function(self) -> NoReturn:
        """Not there, as in scikit-learn: what prefers raw scores to probabilities would come to other results."""
        raise AttributeError("decision_function is not available, as in scikit-learn: see SigmoidBackpropClassifier.")


@_as_there
class MLPRegressor(_TrainedAsThere, SigmoidBackpropRegressor):
    """The `MLPRegressor` of scikit-learn, trained several times faster.

    It has the methods of `SigmoidBackpropRegressor`, such as `transform`, and its losses. The parameter `loss` comes first,
    as in scikit-learn since 1.7; older versions do not have it.

    {AS_THERE}

    See Also
    --------
    sklearn.neural_network.MLPRegressor : The class that this one stands in for.
    skbackprop.SigmoidBackpropRegressor : The one with better defaults and more parameters.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skbackprop.neural_network import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> MLPRegressor("poisson", max_iter=1000, random_state=0).fit(X, y)
    MLPRegressor(loss='poisson', max_iter=1000, random_state=0)
    """

    def __init__(self, loss: RegressionLossLike = "squared_error",
                 hidden_layer_sizes: Sizes = (100,), activation: Activations = "relu", *,
                 solver: Solver = "adam", alpha: float | Auto = 0.0001, batch_size: int | Auto | None = "auto",
                 learning_rate: Schedule = "constant", learning_rate_init: float = 0.001, power_t: float = 0.5,
                 max_iter: int = 200, shuffle: bool = True, random_state: RandomState = None, tol: float = 1e-4,
                 verbose: bool | int = False, warm_start: bool = False, momentum: float = 0.9,
                 nesterovs_momentum: bool = True, early_stopping: EarlyStopping = False, validation_fraction: float = 0.1,
                 beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: float = 10,
                 max_fun: int = 15000) -> None:  # fmt: skip
        given = {name: value for name, value in locals().items() if name not in {"self", "__class__"}}
        super().__init__(**given, **FIXED)

    def _encode(self, X, y, sample_weight, **how):
        problem = super()._encode(X, y, sample_weight, **how)
        averaged = self.loss == "squared_error" and problem.samples.Y.shape[1] > 1
        return problem._replace(loss=AS_THERE[type(problem.loss)]()) if averaged else problem
