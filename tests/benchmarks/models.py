"""The models that learn real tables, each with its defaults: ours, scikit-learn's, and RealMLP where it is installed.

Each is made from the task, which of the columns are numbers, and a seed.
"""

import numpy as np
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbackprop import SigmoidBackpropClassifier, SigmoidBackpropRegressor


def default(task, is_number, seed):
    """Return our network with its defaults."""
    kind = SigmoidBackpropClassifier if task == "classification" else SigmoidBackpropRegressor
    return kind(random_state=seed)


def stopped(task, is_number, seed):
    """Return our network with silu and one network stopped on each of five folds."""
    return default(task, is_number, seed).set_params(activation="silu", early_stopping="cv")


def encoded(task, is_number, seed):
    """Return the same behind an encoding of the numbers."""
    # Asked for where it is used, so that older versions can be measured too.
    from skbackprop.preprocessing import PiecewiseLinearEncoder  # noqa: PLC0415

    numbers = (PiecewiseLinearEncoder(), np.flatnonzero(is_number))
    return make_pipeline(make_column_transformer(numbers, remainder="passthrough"), stopped(task, is_number, seed))


def for_tables(task, is_number, seed):
    """Return our pipeline for tables."""
    from skbackprop import tabular_network  # noqa: PLC0415 (as above)

    return tabular_network("classifier" if task == "classification" else "regressor", random_state=seed)


def boosted_trees(task, is_number, seed):
    """Return HistGradientBoosting."""
    kind = HistGradientBoostingClassifier if task == "classification" else HistGradientBoostingRegressor
    return kind(random_state=seed)


def forest(task, is_number, seed):
    """Return a random forest."""
    kind = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return kind(random_state=seed)


def linear(task, is_number, seed):
    """Return a linear model, on standardised columns."""
    return make_pipeline(StandardScaler(), LogisticRegression() if task == "classification" else Ridge())


def mlp(task, is_number, seed):
    """Return scikit-learn's network, on standardised columns and for standardised targets."""
    kind = MLPClassifier if task == "classification" else MLPRegressor
    model = make_pipeline(StandardScaler(), kind(random_state=seed))
    return model if task == "classification" else TransformedTargetRegressor(model, transformer=StandardScaler())


def real_mlp(task, is_number, seed):
    """Return RealMLP (Holzmüller et al., 2024), on one processor."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor  # noqa: PLC0415 (optional)

    kind = RealMLP_TD_Classifier if task == "classification" else RealMLP_TD_Regressor
    return kind(random_state=seed, device="cpu", n_threads=1)


MODELS = {
    "ours": default,
    "encoded": encoded,
    "tabular_network": for_tables,
    "linear": linear,
    "MLP": mlp,
    "RandomForest": forest,
    "HistGradientBoosting": boosted_trees,
    "RealMLP": real_mlp,
}
