"""What the partitions' targets define together: classes, weights of classes, numbers of outputs."""

import numpy as np

from .._estimators.labels import Labels, refuse_weights_of_one_class, warn_of_one_hot
from .._estimators.parameters import own_classes
from .._estimators.samples import FLOATS, validated
from .._estimators.words import shown
from ._cluster import Partitions, client_of
from ._collections import blocks_of, refuse_local
from ._samples import RemoteSamples

TRAINING, VALIDATION = ("X", "y", "sample_weight"), ("X_val", "y_val", "sample_weight_val")


def plain_class(estimator):
    """Return the class that an estimator is for data in memory."""
    return own_classes(type(estimator))[1]


def _shell(estimator):
    """Return a plain estimator that checks samples as this one would; the other parameters need not travel."""
    parameters = estimator.get_params(deep=False)
    return plain_class(estimator)(**{name: parameters[name] for name in ("loss", "quantile") if name in parameters})


def partitions_of(estimator, kind, data, names=TRAINING, reset=True):
    """Return the partitions of inputs, targets and weights on the workers, and the facts about those that are not empty.

    The estimator is given the client, and the number and the names of the features, or checked against these.
    """
    refuse_local(dict(zip(names, data, strict=True)), type(estimator).__name__, plain_class(estimator).__name__)
    estimator.client_ = client = client_of(estimator)
    partitions = Partitions(client, kind, _shell(estimator), blocks_of(*data, names))
    facts = partitions.map("facts")
    if not facts:
        raise ValueError(f"Got {names[0]} with 0 samples in {len(partitions)} partitions: pass at least one sample.")
    first = facts[0]
    for fact in facts:
        if fact["n_features"] != first["n_features"] or not np.array_equal(fact["names"], first["names"]):
            raise ValueError(
                f"Got {names[0]} whose partitions {first['number']} and {fact['number']} have other features, "
                f"{first['n_features']} and {fact['n_features']}: pass the same columns in all."
            )
    row = np.zeros((1, first["n_features"]))
    if first["names"] is not None:
        import pandas as pd  # noqa: PLC0415 (whoever has such partitions has it)

        row = pd.DataFrame(row, columns=first["names"])
    validated(estimator, row, dtype=FLOATS, reset=reset)
    return partitions, facts


def refuse_no_weight(weights, name):
    """Raise if the weight of all samples is zero."""
    if not np.sum(weights):
        raise ValueError(f"Got {name} that is all zero: at least one weight must be positive.")


def labels_of(facts):
    """Return the labels that all partitions have together."""
    kinds = {"number" if fact["labels"].dtype.kind in "biuf" else fact["labels"].dtype.kind for fact in facts}
    widths = {len(fact["labels"]) if fact["several"] else 0 for fact in facts}
    if len(kinds) > 1 or len(widths) > 1:
        examples = shown([fact["labels"][0] for fact in facts])
        raise ValueError(
            f"Got partitions of y with labels of different kinds, such as {examples}: pass the same kind in all."
        )
    if facts[0]["several"]:
        # All that `Labels` asks of indicators is how many there are.
        indicators = np.zeros((1, len(facts[0]["labels"])), np.int64)
        if all(fact["one_hot"] for fact in facts):
            warn_of_one_hot(np.eye(*indicators.shape[1:] * 2, dtype=np.int64))
        return Labels.of(indicators)
    return Labels.of(np.concatenate([fact["labels"] for fact in facts]))


def labelled_samples(estimator, partitions, facts, weighted, names):
    """Return the samples of partitions with labels, which those of the estimator become, weighted by their classes."""
    labels, class_weight, name = estimator._labels, estimator.class_weight, names[2]
    partitions.change("encode", labels)
    several = labels.target_type == "multilabel-indicator"
    counts, weights = zip(*partitions.map("totals"), strict=True) if not several else ([None], [1.0])
    if weighted and not several:
        refuse_no_weight(weights, name)
    if class_weight is not None:
        if several and class_weight == "balanced":
            raise ValueError(
                "Got class_weight='balanced' with several labels a sample, whose frequencies no worker knows: pass "
                "a list of dicts of weights."
            )
        name = f"{name} times class_weight" if weighted else "class_weight"
        if not several:
            totals = np.sum(weights, axis=0, dtype=float)
            factors = labels.weighted(None, class_weight, np.arange(len(totals)))
            if class_weight == "balanced":
                factors = totals.sum() / (len(totals) * np.where(totals > 0, totals, 1.0))
            weights = [factors * part for part in weights]
            class_weight = dict(zip(labels.classes.tolist(), factors.tolist(), strict=True))
        partitions.change("weigh", class_weight)
    if not several and names is TRAINING:
        totals = np.sum(weights, axis=0, dtype=float)
        refuse_weights_of_one_class(totals, np.arange(len(totals)), name)
    n_outputs = len(labels.classes) if several or labels.target_type == "multiclass" else 1
    return RemoteSamples(partitions, facts, n_outputs, None if several else counts)
