"""Classifier and regressor that are trained where the partitions of a Dask collection are."""

import inspect
import re
from typing import Any, NoReturn, TypeVar

import numpy as np
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._estimators import by_hand
from .._estimators.classifier import SigmoidBackpropClassifier, class_loss_of
from .._estimators.parameters import store
from .._estimators.regressor import SigmoidBackpropRegressor
from .._estimators.samples import Problem
from .._estimators.scoring import scorer_of
from .._estimators.state import draft_of
from .._estimators.targets import loss_of, refuse_another_link
from ._collections import is_collection, lazily, refuse_local
from ._encoding import (
    TRAINING,
    VALIDATION,
    labelled_samples,
    labels_of,
    partitions_of,
    plain_class,
    refuse_no_weight,
)
from ._partition import LabelledPartition, NumberedPartition
from ._samples import RemoteSamples

Fitted = TypeVar("Fitted", bound="OnDask")

CLIENT = """client : distributed.Client or None, default=None
    The client of the cluster to train on; None is the one that was made last. It is not saved with the estimator."""
PREDICTS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "input_gradient")


def _refuse_partial_fit(estimator) -> NoReturn:
    raise AttributeError(
        f"partial_fit is not available in {type(estimator).__name__}: call fit, with warm_start=True if need be, or use "
        f"{plain_class(estimator).__name__} inside dask_ml.wrappers.Incremental."
    )


def on_dask(plain):
    """Return a decorator of a child of a plain estimator: it takes the same parameters, and `client`."""

    def decorate(cls):
        signature = inspect.signature(plain.__init__)
        client = inspect.Parameter("client", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Any)
        signature = signature.replace(parameters=[*signature.parameters.values(), client])

        def __init__(self, *arguments: Any, **keywords: Any) -> None:  # noqa: N807
            bound = signature.bind(self, *arguments, **keywords)
            bound.apply_defaults()
            store(self, bound.arguments)

        __init__.__signature__ = signature
        __init__.__annotations__ = {**plain.__init__.__annotations__, "client": Any}
        cls.__init__ = __init__
        cls._parameter_constraints = {**plain._parameter_constraints, "client": [None, HasMethods(["submit"])]}
        for name in PREDICTS:
            method = inspect.getattr_static(plain, name, None)
            if hasattr(method, "check"):
                # One that is there under a condition.
                setattr(cls, name, available_if(method.check)(lazily(method.fn)))
            elif method is not None:
                setattr(cls, name, lazily(method))
        cls.__doc__ = _documented(cls, plain)
        return cls

    return decorate


def _documented(cls, plain):
    """Return a docstring with the parameters and attributes of the plain class."""
    # Run with -OO there are no docstrings.
    if not cls.__doc__:
        return cls.__doc__
    theirs = plain.__doc__
    shared = theirs[theirs.find("Parameters\n------") : theirs.find("\n\nSee Also\n------")]
    shared = shared.replace("\n\nAttributes\n----------\n", f"\n{CLIENT}\n\nAttributes\n----------\n", 1)
    # What is of cross-validation is not to be had here.
    shared = re.sub(r"\noof_\w+ : (.|\n)*?(?=\n\w)", "", shared)
    attribute = "client_ : distributed.Client\n    The client that trained it; not there after loading from a file."
    return inspect.cleandoc(cls.__doc__).replace("{AS_PLAIN}", f"{shared}\n{attribute}")


class OnDask:
    """What estimators share that are trained on Dask's collections."""

    client: Any
    client_: Any

    def _fit(self, X, y, sample_weight, validation, incremental=False, **labels):
        """Refuse what is not to be had, and fit."""
        refuse_local({"X": X, "y": y, "sample_weight": sample_weight}, type(self).__name__, plain_class(self).__name__)
        if self.early_stopping == "cv":
            raise ValueError(
                f"Got early_stopping='cv' in {type(self).__name__}, which trains one network: use early_stopping=True."
            )
        # Validation samples in memory can be scored here.
        remote = is_collection(validation[0]) or (self.early_stopping and validation[0] is None)
        if remote and scorer_of(self) is not None:
            raise ValueError(
                f"Got scoring={self.scoring!r} with validation samples on the workers, of which only the loss is a sum: "
                "use scoring='loss', or pass X_val and y_val as arrays in memory."
            )
        return super()._fit(X, y, sample_weight, validation, incremental, **labels)

    @available_if(_refuse_partial_fit)
    def partial_fit(self) -> NoReturn:
        """Not there."""
        raise NotImplementedError

    def to_local(self) -> Any:
        """Return the plain estimator, fitted: for prediction on data in memory, and for files that need no Dask.

        Returns
        -------
        estimator : SigmoidBackpropClassifier or SigmoidBackpropRegressor
            It shares its arrays with this one.

        Raises
        ------
        NotFittedError
            If this one is not fitted.
        """
        check_is_fitted(self, "coefs_")
        local = object.__new__(plain_class(self))
        local.__dict__.update(vars(self))
        for name in ("client", "client_"):
            vars(local).pop(name, None)
        if (state := vars(local).get("_training_state")) is not None:
            # The order of the samples, and which are held out, were those of the partitions.
            local._training_state = draft_of(state)
            local._training_state.match(None, splits=False, in_order=True)
        return local

    def __getstate__(self):
        """Return what is saved: all but the client."""
        state = {**super().__getstate__(), "client": None}
        state.pop("client_", None)
        return state

    def __sklearn_clone__(self):
        """Return a clone with the same client, which cannot be copied."""
        draft = draft_of(self)
        draft.client = None
        clone = super(OnDask, draft).__sklearn_clone__()
        clone.client = self.client
        return clone


@on_dask(SigmoidBackpropClassifier)
class DaskSigmoidBackpropClassifier(OnDask, SigmoidBackpropClassifier):
    """A neural network for classification, trained where the partitions of a Dask collection are.

    A step sums the gradient over the partitions, on the workers that hold them, so its weights are those that
    `SigmoidBackpropClassifier` has of the same samples: exactly, but for rounding, with all samples at each step, or with
    batches of samples as they stand (`shuffle=False`). A shuffled batch takes from each partition in proportion to its
    size, in a random order of the partition's own. `fit` takes Dask arrays and dataframes, `predict` and the like return
    Dask arrays for these. See docs/scaling.md.

    {AS_PLAIN}

    See Also
    --------
    skbackprop.SigmoidBackpropClassifier : The same for data in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop.dask import DaskSigmoidBackpropClassifier
    >>> client = Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0")
    >>> X, y = (da.from_array(part, chunks=50) for part in load_iris(return_X_y=True))
    >>> classifier = DaskSigmoidBackpropClassifier(solver="lbfgs", random_state=0).fit(X, y)
    >>> bool((classifier.predict(X) == y).mean().compute() > 0.95)
    True
    >>> classifier.to_local().predict([[5.1, 3.5, 1.4, 0.2]])
    array([0])
    >>> client.close()
    """

    def _encode(self, X, y, sample_weight, *, resume, incremental):
        data = X, y, sample_weight
        partitions, facts = partitions_of(self, LabelledPartition, data, reset=not resume)
        labels = labels_of(facts)
        if resume:
            self._labels.refuse_others(labels.classes, incremental)
        else:
            self._labels, self.classes_ = labels, labels.classes
        self.oof_decision_function_ = None
        samples = labelled_samples(self, partitions, facts, sample_weight is not None, TRAINING)
        return Problem(_in_the_type_of(samples, self, resume), class_loss_of(self, self._labels.target_type))

    def _encode_validation(self, X, y, sample_weight, dtype):
        if not is_collection(X):
            return super()._encode_validation(X, y, sample_weight, dtype)
        partitions, facts = partitions_of(self, LabelledPartition, (X, y, sample_weight), VALIDATION, reset=False)
        return labelled_samples(self, partitions, facts, sample_weight is not None, VALIDATION)


@on_dask(SigmoidBackpropRegressor)
class DaskSigmoidBackpropRegressor(OnDask, SigmoidBackpropRegressor):
    """A neural network for regression, trained where the partitions of a Dask collection are.

    A step sums the gradient over the partitions, on the workers that hold them, so its weights are those that
    `SigmoidBackpropRegressor` has of the same samples: exactly, but for rounding, with all samples at each step, or with
    batches of samples as they stand (`shuffle=False`). A shuffled batch takes from each partition in proportion to its
    size, in a random order of the partition's own. `fit` takes Dask arrays and dataframes, `predict` and the like return
    Dask arrays for these. See docs/scaling.md.

    {AS_PLAIN}

    See Also
    --------
    skbackprop.SigmoidBackpropRegressor : The same for data in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sklearn.datasets import load_diabetes
    >>> from skbackprop.dask import DaskSigmoidBackpropRegressor
    >>> client = Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0")
    >>> X, y = (da.from_array(part, chunks=150) for part in load_diabetes(return_X_y=True))
    >>> regressor = DaskSigmoidBackpropRegressor(solver="lbfgs", tol=0.001, random_state=0).fit(X, y)
    >>> regressor.predict(X)
    dask.array<concatenate, shape=(442,), dtype=float64, chunksize=(150,), chunktype=numpy.ndarray>
    >>> client.close()
    """

    def _encode(self, X, y, sample_weight, *, resume, incremental):
        loss = loss_of(self)
        samples = self._remote((X, y, sample_weight), TRAINING, not resume)
        if resume:
            refuse_another_link(self, loss)
        self.oof_prediction_ = None
        return Problem(_in_the_type_of(samples, self, resume), loss, numeric=True, scale_targets=self.standardize_targets)

    def _encode_validation(self, X, y, sample_weight, dtype):
        if not is_collection(X):
            return super()._encode_validation(X, y, sample_weight, dtype)
        return self._remote((X, y, sample_weight), VALIDATION, reset=False)

    def _remote(self, data, names, reset):
        """Return samples on the workers."""
        partitions, facts = partitions_of(self, NumberedPartition, data, names, reset)
        n_outputs = facts[0]["n_outputs"]
        if reset:
            self.n_outputs_ = n_outputs
        found = {fact["n_outputs"] for fact in facts} | {self.n_outputs_}
        if len(found) > 1:
            raise ValueError(
                f"Got {names[1]} with numbers of outputs that differ, {sorted(found)}: pass as many everywhere."
            )
        if data[2] is not None:
            refuse_no_weight([weight for _, weight in partitions.map("weight_of", False)], names[2])
        return RemoteSamples(partitions, facts, n_outputs)


def _in_the_type_of(samples, estimator, resume):
    """Return samples in the type in which training goes on."""
    if resume:
        samples.X = samples.X._replace(dtype=np.dtype(by_hand.float_type(estimator)))
    return samples
