"""Class labels as numbers, and what each weighs."""

import math
import numbers
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from .advice import warn_user
from .words import MOST, listed, shown

# Types of what stands for a value that is missing, besides NaN.
MISSING = {"NoneType", "NAType", "NaTType"}


class Labels(NamedTuple):
    """The classes of a problem and its kind.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels.
    target_type : {"binary", "multiclass", "multilabel-indicator"}
        As `sklearn.utils.multiclass.type_of_target` names it.
    """

    classes: np.ndarray
    target_type: str

    @classmethod
    def of(cls, y, classes=None, least=2):
        """Return the labels found in checked `y`, or those announced, which must be `least` at least."""
        if y.ndim == 2:
            return cls(np.arange(y.shape[1]), "multilabel-indicator")
        if classes is not None:
            refuse_missing(classes, "classes")
        classes = np.unique(y if classes is None else classes)
        if len(classes) < least:
            raise ValueError(
                f"Got samples of one class, {shown(classes.tolist())}: a classifier needs samples of at least two classes."
            )
        return cls(classes, "binary" if len(classes) <= 2 else "multiclass")

    def refuse_others(self, labels, incremental):
        """Raise unless training can go on with these labels: with just these classes."""
        # The same classes are mostly passed in their order, which is seen sooner than it is made.
        if type(labels) is np.ndarray and np.array_equal(labels, self.classes):
            return
        found = self.classes if self.target_type == "multilabel-indicator" else np.unique(labels)
        if np.array_equal(found, self.classes):
            return
        if incremental:
            raise ValueError(
                f"Got classes={shown(found.tolist())} where an earlier call set {shown(self.classes.tolist())}: pass the "
                "same, or none."
            )
        # In scikit-learn's words, which its own tests compare.
        before, now = (np.array2string(classes, threshold=MOST) for classes in (self.classes, found))
        raise ValueError(
            "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously got "
            f"{before}, `y` has {now}"
        )

    def codes(self, y):
        """Return the position of each label among the classes, or label indicators as they are."""
        multilabel = self.target_type == "multilabel-indicator"
        if (y.ndim == 2) != multilabel or (multilabel and y.shape[1] != len(self.classes)):
            raise ValueError(
                f"Got y of shape {y.shape} for {self.target_type} targets with {len(self.classes)} classes: pass targets "
                "of the same kind as before, or fit anew."
            )
        if multilabel:
            return y
        codes = self.classes.searchsorted(y)
        known = self.classes.take(codes, mode="clip") == y
        if not known.all():
            raise ValueError(
                f"Got y with the classes {shown(np.unique(y[~known]).tolist())}, which are not among "
                f"{shown(self.classes.tolist())}: leave those rows out, or fit anew with samples of every class."
            )
        return codes

    def indicators(self, codes):
        """Return the targets of the output units, of shape (n_samples, n_outputs), a byte each."""
        if self.target_type == "multiclass":
            codes = codes[:, np.newaxis] == np.arange(len(self.classes))
        return codes.astype(np.uint8).reshape(len(codes), -1)

    def binarizer(self):
        """Return scikit-learn's transformer from labels to targets, for code that reads its networks."""
        n_classes = len(self.classes)
        multilabel = self.target_type == "multilabel-indicator"
        return LabelBinarizer().fit([[1] * n_classes, [0] * n_classes] if multilabel else self.classes)

    def weighted(self, sample_weight, class_weight, codes):
        """Return the product of sample weights and class weights, or None if there are neither."""
        if class_weight is None:
            return sample_weight
        if class_weight != "balanced":
            _refuse_class_weight(class_weight, codes.ndim == 1)
        if codes.ndim == 2:
            factor = compute_sample_weight(class_weight, codes)
        elif class_weight == "balanced":
            # As in scikit-learn, but of weights instead of rows, so that a weight of 2 equals two rows.
            totals = np.bincount(codes, weights=sample_weight, minlength=len(self.classes))
            factor = (totals.sum() / (len(self.classes) * np.where(totals > 0, totals, 1.0)))[codes]
        else:
            known = dict.fromkeys(self.classes.tolist())
            lacking = [label for label in known if label not in class_weight]
            if lacking and not class_weight.keys() <= known.keys():
                raise ValueError(
                    f"Got class_weight={shown(class_weight)} with classes that are not in y, while {shown(lacking)} are "
                    "not in class_weight: give weights to the classes of y."
                )
            factor = compute_class_weight(class_weight, classes=self.classes, y=self.classes)
            if np.count_nonzero(factor) < 2:
                raise ValueError(
                    "Got class_weight that is zero for all classes, or all but one: give at least two classes a positive "
                    "weight."
                )
            factor = factor[codes]
        return factor if sample_weight is None else sample_weight * factor


def refuse_missing(labels, name):
    """Raise for labels, which the user calls by that name, some of which are missing: None, NaN, or pandas' NA or NaT."""
    if labels is None or issparse(labels) or getattr(getattr(labels, "dtype", None), "kind", "O") not in "OmM":
        return
    values = np.asarray(labels, dtype=object).ravel()
    kinds = set(map(type, values))
    # Most labels are of types none of which is missing.
    doubtful = {kind for kind in kinds if issubclass(kind, float | np.floating | np.datetime64)}
    doubtful |= {kind for kind in kinds if kind.__name__ in MISSING}
    for value in values if doubtful else []:
        if type(value) in doubtful and (type(value).__name__ in MISSING or np.isnan(value)):
            raise ValueError(
                f"Got {value} in {name}, where a label is missing: leave those rows out, or name that class too."
            )


def checked_labels(y):
    """Return labels as an array of shape (n_samples,), or (n_samples, n_labels) of 0/1 indicators, or raise."""
    # Of whole numbers and text in a column nothing else is to be said than scikit-learn's warning of very many classes.
    if y.ndim == 1 and y.dtype.kind in "iubU" and (len(y) <= 20 or len(np.unique(y)) <= len(y) // 2):
        return y
    try:
        check_classification_targets(y)
        target_type = type_of_target(y, input_name="y")
    except TypeError as error:
        kinds = sorted({type(label).__name__ for label in y.ravel()})
        raise ValueError(
            f"Got labels of the types {listed(kinds)} in y: pass labels of one type, such as strings."
        ) from error
    if target_type == "multiclass-multioutput":
        raise ValueError(
            f"Got y of shape {y.shape} with several classes in a column: pass one column of classes, or 0/1 indicators, or "
            "wrap the classifier in sklearn.multioutput.MultiOutputClassifier."
        )
    if issparse(y):
        y = y.toarray()
    return y if target_type == "multilabel-indicator" else column_or_1d(y, warn=True)


def warn_of_one_hot(labels):
    """Warn of label indicators that look like exclusive classes: with exactly one 1 in each row."""
    if labels.ndim == 2 and np.all(labels.sum(axis=1) == 1):
        warn_user(
            "Got y with exactly one 1 in each row, which is trained as several labels a sample, each on its own: for "
            "classes that exclude each other pass their numbers, y.argmax(axis=1)."
        )


def refuse_weights_of_one_class(sample_weight, codes, name):
    """Raise for weights of samples, which the user calls by that name, that leave one class alone to learn from."""
    if sample_weight is not None and codes.ndim == 1 and len(np.unique(codes[sample_weight > 0])) == 1:
        raise ValueError(
            f"Got {name} that is zero but for one class: give samples of at least two classes a positive weight."
        )


def _refuse_class_weight(class_weight, one_column):
    """Raise unless all weights in a dict, or in a list of dicts for several labels, are finite and not negative."""
    if one_column and not isinstance(class_weight, dict):
        raise ValueError(
            f'Got class_weight={shown(class_weight)}: pass class_weight="balanced", or class_weight={{label: weight}}.'
        )
    for weights in class_weight if isinstance(class_weight, list) else [class_weight]:
        if not isinstance(weights, dict):
            raise ValueError(
                f"Got class_weight with {shown(weights)} in a list: pass a list of dicts, {{0: weight, 1: weight}} for "
                'each label, or class_weight="balanced".'
            )
        for label, weight in weights.items():
            if not (isinstance(weight, numbers.Real) and 0 <= weight < math.inf):
                raise ValueError(
                    f"Got class_weight with {shown(weight)} for the class {shown(label)}: pass finite weights of 0 or "
                    "larger."
                )
