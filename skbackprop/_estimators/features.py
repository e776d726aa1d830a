"""What a trained network knows inside: hidden activations as features, gradients with respect to the inputs."""

import numbers

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import gen_batches
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.metaestimators import available_if

from .._engine.objective import QUIET
from .._engine.prediction import input_gradient
from .annotations import Data
from .base import ROWS_AT_A_TIME, checked_inputs
from .by_hand import ERRORS, blames_weights, refuse_weights
from .parameters import hidden_sizes_of
from .prediction import hidden_activations, raw_scores
from .samples import finite


def _has_hidden_layers(estimator):
    """Return True, or say why `transform` is not there."""
    if not hidden_sizes_of(estimator):
        raise AttributeError("transform is not available with hidden_layer_sizes=(): it returns hidden activations.")
    return True


class FeaturesMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Adds `transform` and `input_gradient` to an estimator."""

    @property
    def _n_features_out(self):
        """Number of features that `transform` returns, for their names."""
        return self.coefs_[-1].shape[0]

    @np.errstate(**QUIET)
    def transform(self, X: Data, layer: int = -1) -> np.ndarray:
        """Return the activations of a hidden layer, as features for another estimator.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        layer : int, default=-1
            Number of the hidden layer: 0 is the first, -1 the last.

        Returns
        -------
        A : ndarray of shape (n_samples, n_units)
            Activations of the layer's units.

        Raises
        ------
        ValueError
            If there is no such layer.
        """
        X, n_hidden = checked_inputs(self, X), len(self._activations)
        if not isinstance(layer, numbers.Integral) or not -n_hidden <= layer < n_hidden:
            raise ValueError(
                f"Got layer={layer!r} for a network of {n_hidden} hidden layers: pass a whole number from {-n_hidden} to "
                f"{n_hidden - 1}."
            )
        if layer % n_hidden != n_hidden - 1 and _get_output_config("transform", self)["dense"] != "default":
            raise ValueError(
                f"Got layer={layer} with set_output, whose names are those of the last layer: pass layer=-1, or "
                "set_output(transform='default')."
            )
        try:
            return finite(hidden_activations(self.coefs_, self.intercepts_, self._activations, X, layer % n_hidden), self)
        except ERRORS:
            refuse_weights(self)
            raise

    @np.errstate(**QUIET)
    @blames_weights
    def input_gradient(self, X: Data, output: int | None = None) -> np.ndarray:
        """Return the gradient of an output with respect to the inputs: how much each feature of a sample matters to it.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
        output : int, default=None
            Number of the output unit, from 0; by default the one with the largest raw score of each sample.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features)
            Derivatives of the raw score (before the link, such as softmax or exp) per unit of each feature (Simonyan et
            al., 2014).

        Raises
        ------
        ValueError
            If there is no such output.
        """
        X = checked_inputs(self, X)
        n_outputs = len(self.intercepts_[-1])
        if output is not None and not (isinstance(output, numbers.Integral) and 0 <= output < n_outputs):
            raise ValueError(
                f"Got output={output!r} for a network of {n_outputs} outputs: pass a whole number from 0 to "
                f"{n_outputs - 1}, or None."
            )
        network = self.coefs_, self.intercepts_, self._activations
        outputs = np.full(X.shape[0], output, np.intp) if output is not None else raw_scores(*network, X).argmax(axis=1)
        chunks = gen_batches(X.shape[0], ROWS_AT_A_TIME)
        return finite(np.concatenate([input_gradient(*network, X[rows], outputs[rows]) for rows in chunks]), self)


# Not in the class body: what `set_output` wraps there loses the condition.
for name in ("transform", "fit_transform"):
    setattr(FeaturesMixin, name, available_if(_has_hidden_layers)(getattr(FeaturesMixin, name)))
