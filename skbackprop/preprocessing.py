"""Tables for networks: numbers encoded by ramps over their quantiles, and a pipeline for tables of mixed columns."""

import numbers
from itertools import pairwise
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.utils.validation import check_is_fitted

from ._estimators.annotations import Data, Weights
from ._estimators.classifier import SigmoidBackpropClassifier
from ._estimators.columns import refuse_dates
from ._estimators.docstrings import share_documentation
from ._estimators.parameters import COUNT
from ._estimators.regressor import SigmoidBackpropRegressor
from ._estimators.samples import FLOATS, checked_weights, validated
from ._estimators.versions import Versioned
from ._estimators.words import check_choice

__all__ = ["PiecewiseLinearEncoder", "tabular_network"]

_NETWORKS = {"classifier": SigmoidBackpropClassifier, "regressor": SigmoidBackpropRegressor}
_EARLY_STOPPING = "cv"

_Fitted = TypeVar("_Fitted", bound="PiecewiseLinearEncoder")


@share_documentation
class PiecewiseLinearEncoder(OneToOneFeatureMixin, TransformerMixin, Versioned, BaseEstimator):
    """Each column x, and its ramps min(max((x - e) / (e' - e), 0), 1) between quantiles e < e' (Gorishniy et al., 2022).

    A ramp is 0 up to one quantile of its column, 1 from the next one on, and a straight line between them. A network on
    these columns learns a curve in x as a weighted sum, where on x alone it would have to bend it out of its hidden units.

    Parameters
    ----------
    n_bins : int, default=8
        Most ramps of a column: its quantile bins, each with the same weight of samples. Equal quantiles are merged, so that
        a column of few values has fewer ramps. A single ramp would repeat its column, and is left out: a constant
        column and one of two values stay as they are.

    Attributes
    ----------
    edges_ : list of ndarray
        The distinct quantiles of each column.
    n_features_in_ : int
        Number of columns seen by `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if they are all strings.

    See Also
    --------
    tabular_network : A pipeline that encodes the numbers of a table so.
    sklearn.preprocessing.KBinsDiscretizer : Steps in place of ramps.

    Notes
    -----
    Nothing is standardised: the networks here do that themselves. NaN is refused, as by scikit-learn's `KBinsDiscretizer`
    and as by the networks, because it has no place between two quantiles; put a `SimpleImputer` before. Sparse columns
    are refused, too: most ramps of a column of zeros are not zero.

    References
    ----------
    Gorishniy, Y., Rubachev, I. and Babenko, A. (2022). On embeddings for numerical features in tabular deep learning.
    *NeurIPS* 35.

    Examples
    --------
    >>> import numpy as np
    >>> from skbackprop.preprocessing import PiecewiseLinearEncoder
    >>> encoder = PiecewiseLinearEncoder(n_bins=2).fit(np.array([[0.0], [1.0], [5.0]]))
    >>> encoder.transform(np.array([[0.0], [0.5], [3.0], [9.0]]))
    array([[0. , 0. , 0. ],
           [0.5, 0.5, 0. ],
           [3. , 1. , 0.5],
           [9. , 1. , 1. ]])
    >>> encoder.get_feature_names_out(["age"])
    array(['age', 'age_ramp_1', 'age_ramp_2'], dtype=object)
    """

    _parameter_constraints: dict = {"n_bins": [COUNT]}

    n_bins: int
    edges_: list[np.ndarray]
    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(self, n_bins: int = 8) -> None:
        self.n_bins = n_bins

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self: _Fitted, X: Data, y: Any = None, sample_weight: Weights = None) -> _Fitted:
        """Find the quantiles of each column.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            A weight counts like as many equal rows.

        Returns
        -------
        self : PiecewiseLinearEncoder
            The fitted encoder.
        """
        X = validated(self, X, dtype=FLOATS)
        weight = np.ones(len(X)) if sample_weight is None else checked_weights(sample_weight, X, any_sign=False)
        self.edges_ = [_quantiles(x, weight, self.n_bins) for x in X.T]
        self._outputs = _ramps(self.edges_)
        return self

    @np.errstate(over="ignore", under="ignore")
    def transform(self, X: Data) -> np.ndarray:
        """Return the columns, each followed by its ramps.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)

        Returns
        -------
        encoded : ndarray of shape (n_samples, n_outputs)
            In float32 if `X` is.
        """
        check_is_fitted(self)
        X = validated(self, X, dtype=FLOATS, reset=False)
        column, lower, width, least, most = self._outputs
        encoded = X.take(column.astype(np.intp), axis=1)
        encoded -= lower
        encoded /= width
        return np.clip(encoded, least, most, out=encoded)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the outputs, such as "age", "age_ramp_1", "age_ramp_2".

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns; by default those seen by `fit`, or "x0", "x1" and so on.

        Returns
        -------
        names : ndarray of str
            A name for each output.
        """
        names = super().get_feature_names_out(input_features)
        counts = np.bincount(self._outputs[0].astype(np.intp))
        suffixes = ["", *(f"_ramp_{ramp + 1}" for ramp in range(self.n_bins))]
        return np.array([name + end for name, count in zip(names, counts, strict=True) for end in suffixes[:count]], object)

    @property
    def _n_features_out(self):
        """Number of outputs, for their names."""
        return self._outputs.shape[1]

    def __sklearn_tags__(self):
        """Return the tags: float32 stays float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _ramps(edges_of_columns):
    """Return what each output is made of: the number of its column, what is taken off and divided by, and its range."""
    outputs = []
    for column, edges in enumerate(edges_of_columns):
        outputs.append((column, 0, 1, -np.inf, np.inf))
        if len(edges) > 2:
            outputs += [(column, lower, upper - lower, 0, 1) for lower, upper in pairwise(edges)]
    return np.array(outputs).T


def _quantiles(x, weight, n_bins):
    """Return the distinct weighted quantiles that part a column in bins; each is one of its values."""
    order = np.argsort(x)
    order = order[weight[order] > 0]
    weight_up_to = np.cumsum(weight[order], dtype=np.float64)
    # In this order of operations exact for whole weights, so that these equal repeated rows.
    levels = np.arange(n_bins + 1) * weight_up_to[-1] / n_bins
    return np.unique(x[order].take(np.searchsorted(weight_up_to, levels), mode="clip")).astype(np.float64)


def tabular_network(kind: Literal["classifier", "regressor"], **parameters: Any) -> Pipeline:
    """Return a pipeline for a table of mixed columns: what is not a number is encoded, then a network learns.

    - Categories (columns of strings, objects, booleans and pandas' and polars' categories) become one column a category.
      A missing value is a category of its own; those seen in fewer than three rows, all but the 100 most frequent, and
      those not seen at all are one.
    - Numbers that are missing become the median, beside a column that says so, and `PiecewiseLinearEncoder` encodes them.
    - Dates are refused: make numbers of them, such as the year, the day of the week or the days since an event.
    - The network has activation "silu" and early stopping, and standardises its inputs itself.

    The kinds of columns are those of a pandas or polars frame; a column of objects that are all numbers is one of numbers.

    Parameters
    ----------
    kind : {"classifier", "regressor"}
        What the network is: `SigmoidBackpropClassifier` or `SigmoidBackpropRegressor`.
    **parameters
        Parameters of the network, such as ``random_state=0``.

    Returns
    -------
    pipeline : Pipeline
        Its steps are "columns", with the parts "categories" and "numbers" (steps "imputer" and "encoder"), and "network";
        so ``columns__numbers__encoder__n_bins`` and ``network__alpha`` are among its parameters, and `fit` takes weights
        of samples as ``network__sample_weight``.

    Raises
    ------
    ValueError
        If the kind is another; in `fit`, if a column holds dates.

    Examples
    --------
    >>> import pandas as pd
    >>> from skbackprop import tabular_network
    >>> X = pd.DataFrame({"town": ["Rome", "Oslo", None, "Rome"] * 10, "age": [31, 52, None, 29] * 10})
    >>> model = tabular_network("classifier", random_state=0).fit(X, ["no", "yes", "yes", "no"] * 10)
    >>> model.predict(pd.DataFrame({"town": ["Paris"], "age": [55]}))
    array(['yes'], dtype='<U3')
    """
    check_choice("kind", kind, _NETWORKS)
    one_hot = OneHotEncoder(
        min_frequency=3, max_categories=100, handle_unknown="infrequent_if_exist", sparse_output=False, dtype=np.float32
    )
    one_missing = FunctionTransformer(_objects, feature_names_out="one-to-one")
    categories = Pipeline([("missing", one_missing), ("encoder", one_hot)])
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    numeric = Pipeline([("imputer", imputer), ("encoder", PiecewiseLinearEncoder())])
    columns = ColumnTransformer(
        [
            ("categories", categories, _categories),
            ("numbers", numeric, _numbers),
        ]
    )
    network = _NETWORKS[kind](**{"activation": "silu", "early_stopping": _EARLY_STOPPING, **parameters})
    return Pipeline([("columns", columns), ("network", network)])


def _objects(X):
    """Return an array of categories, with None for all that pandas takes for missing: the encoder does not know pandas.NA.

    A frame would be asked for its columns' names, which old versions of scikit-learn do not find in new ones of polars.
    """
    return X.to_numpy(dtype=object, na_value=None) if hasattr(X, "iloc") else np.asarray(X)


def _categories(X):
    """Return the positions of the columns that are categories."""
    return _columns(X, numeric=False)


def _numbers(X):
    """Return the positions of the columns that are numbers."""
    return _columns(X, numeric=True)


def _columns(X, numeric):
    """Return the positions of the columns that are numbers, or of those that are categories; raise if there are dates."""
    # Categories may be of anything.
    refuse_dates(X, categories=False)
    dtypes = X.dtypes if hasattr(X, "dtypes") else [X.dtype] * X.shape[1]
    return [position for position, dtype in enumerate(dtypes) if _is_numeric(X, position, dtype) == numeric]


def _is_numeric(X, position, dtype):
    """Return whether a column holds numbers."""
    if hasattr(dtype, "is_numeric"):
        return dtype.is_numeric()
    if dtype.kind == "O" and isinstance(dtype, np.dtype):
        values = X.iloc[:, position] if hasattr(X, "iloc") else X[:, position]
        return all(value is None or isinstance(value, numbers.Real) for value in values)
    return dtype.kind in "iufc"
