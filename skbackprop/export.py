"""A fitted network as one file of C, for machines on which no Python runs."""

import os
import re
import string
from typing import TypeAlias

import numpy as np

from ._estimators.advice import warn_user
from ._estimators.autoencoder import SigmoidBackpropAutoencoder
from ._estimators.by_hand import refuse_weights
from ._estimators.classifier import SigmoidBackpropClassifier
from ._estimators.regressor import SigmoidBackpropRegressor
from ._estimators.versions import versions
from ._estimators.words import shown
from .activations import ELU, GELU, Identity, Logistic, ReLU, SiLU, Tanh
from .losses import BinaryLogLoss, CategoricalLogLoss, PoissonDeviance, RegressionLoss

__all__ = ["to_c"]

_Network: TypeAlias = SigmoidBackpropClassifier | SigmoidBackpropRegressor | SigmoidBackpropAutoencoder

# By the method that makes it in Python, what the C file calls each activation. It is the method that counts, so that a part
# of the user's own that takes it over from ours is known as well.
ACTIVATIONS_IN_C = {
    Identity.forward: None,
    Logistic.forward: "logistic",
    Tanh.forward: "tanh",
    ReLU.forward: "relu",
    SiLU.forward: "silu",
    GELU.forward: "gelu",
    ELU.forward: "elu",
}
# The same for what makes predictions of raw scores.
LINKS_IN_C = {
    RegressionLoss.predict: None,
    PoissonDeviance.predict: "exp",
    BinaryLogLoss.predict: "logistic",
    CategoricalLogLoss.predict: "softmax",
}
# What becomes of one raw score z. NaN stays NaN; where expf overflows, the result is right all the same.
EXPRESSIONS = {
    "logistic": "1.0f / (1.0f + expf(-z))",
    "tanh": "tanhf(z)",
    "relu": "z < 0.0f ? 0.0f : z",
    "silu": "z / (1.0f + expf(-z))",
    "gelu": "0.5f * z * erfcf(-0.70710678f * z)",
    "elu": "z < 0.0f ? expm1f(z) : z",
    "exp": "expf(z)",
    "log_logistic": "(z < 0.0f ? z : 0.0f) - log1pf(expf(z < 0.0f ? z : -z))",
}
# With larger biases in the first layer, probabilities were seen to differ by more than 1e-5 from those in float64.
LARGE_BIAS = 250
# In these the capital letters stand for what differs from file to file.
ELEMENTWISE = """
static void PREFIX_NAME(float *values, int n)
{
    int i;
    for (i = 0; i < n; i++) {
        const float z = values[i];
        values[i] = EXPRESSION;
    }
}
"""
SOFTMAX = """
/* The largest is taken off first, so that nothing overflows. */
static void PREFIX_softmax(float *values, int n)
{
    float largest = values[0], sum = 0.0f;
    int i;
    for (i = 1; i < n; i++)
        largest = values[i] > largest ? values[i] : largest;
    for (i = 0; i < n; i++) {
        values[i] = expf(values[i] - largest);
        sum += values[i];
    }
    for (i = 0; i < n; i++)
        values[i] /= sum;
}
"""
DENSE = """
/* The raw scores of a layer: each unit has a bias, and a row of weights. */
static void PREFIX_dense(const float *weights, const float *biases, const float *below, int n_below,
                         float *units, int n_units)
{
    int i, unit;
    for (unit = 0; unit < n_units; unit++) {
        float sum = biases[unit];
        for (i = 0; i < n_below; i++)
            sum += weights[i] * below[i];
        units[unit] = sum;
        weights += n_below;
    }
}
"""
PREDICT_BINARY = """
float score;
PREFIX_raw_scores(x, &score);
return isfinite(score) ? score > 0.0f : -1;
"""
PREDICT_MULTICLASS = """
int i, best = 0;
PREFIX_raw_scores(x, PREFIX_scores);
for (i = 0; i < N_OUTPUTS; i++) {
    if (!isfinite(PREFIX_scores[i]))
        return -1;
    best = PREFIX_scores[i] > PREFIX_scores[best] ? i : best;
}
return best;
"""
PREDICT_MULTILABEL = """
int i;
PREFIX_raw_scores(x, PREFIX_scores);
for (i = 0; i < N_OUTPUTS; i++)
    labels[i] = isfinite(PREFIX_scores[i]) ? PREFIX_scores[i] > 0.0f : -1;
"""
HEADER = """
/* A network of {layers}, from a {kind}.

   Written by {versions}. It is C99, and C++ as well, and needs <math.h> alone.
   The weights and biases take {weights} bytes, the buffers {buffers}, which all calls share: make one call at a time.
   To call the functions from another file, copy the declarations there, as they stand. */
"""


def to_c(estimator: _Network, path: str | os.PathLike, *, prefix: str = "network") -> None:
    """Write a fitted network as one file of C that predicts for one sample at a time.

    The file is C99, and C++ as well, and needs nothing besides `<math.h>`. It computes in float, allocates no memory, and
    holds the weights as constants; inputs and outputs are in the units of `fit`. Its first lines tell how much memory it
    takes, and declare its functions (PREFIX stands for `prefix`):

    - of a classifier, ``int PREFIX_predict(const float *x)``, the number of the class, or -1 where a raw score is not
      finite, as for an input of NaN; ``void PREFIX_predict_proba(const float *x, float *probabilities)``; and the labels of
      the classes, ``PREFIX_classes``, as ``long`` if they are whole numbers of 32 bits, else as text;
    - of one that was fitted to several labels a sample, ``void PREFIX_predict(const float *x, int *labels)`` instead;
    - of a regressor, ``void PREFIX_predict(const float *x, float *y)``;
    - of an autoencoder, ``void PREFIX_transform(const float *x, float *code)`` and
      ``void PREFIX_inverse_transform(const float *code, float *reconstruction)``.

    Parameters
    ----------
    estimator : SigmoidBackpropClassifier, SigmoidBackpropRegressor or SigmoidBackpropAutoencoder
        A fitted network, of activations and a loss that have a name.
    path : str or path-like
        Where to write the file; one that is there is replaced.
    prefix : str, default="network"
        What the names in the file begin with, for a program that holds several networks.

    Raises
    ------
    TypeError
        If the estimator is none of these.
    ValueError
        If it has a part of the user's own, or weights that are not finite in float, or if the prefix is no C identifier.

    Warns
    -----
    UserWarning
        If the biases of the first layer are so large that the seven digits of a float are too few: where the mean of a
        feature is hundreds of times its standard deviation.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_iris
    >>> from skbackprop import SigmoidBackpropClassifier
    >>> from skbackprop.export import to_c
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = SigmoidBackpropClassifier((8,), tol=0.01, random_state=0).fit(X, y)
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "iris.c")
    ...     to_c(classifier, path, prefix="iris")
    ...     "int iris_predict(const float *x);" in path.read_text()
    True
    """
    if not isinstance(estimator, _Network):
        what = f"the class {estimator.__name__}" if isinstance(estimator, type) else type(estimator).__name__
        raise TypeError(
            f"Got {what} as the estimator: pass a classifier, regressor or autoencoder of this package; of a pipeline, its "
            "last step."
        )
    if not (isinstance(prefix, str) and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", prefix)):
        raise ValueError(
            f"Got prefix={shown(prefix)}, which is no C identifier: pass letters, digits and underscores, no digit first."
        )
    refuse_weights(estimator)
    text = _CFile(estimator, prefix).text()
    bias = np.abs(estimator.intercepts_[0]).max()
    if bias > LARGE_BIAS and (len(estimator.coefs_) > 1 or isinstance(estimator, SigmoidBackpropClassifier)):
        warn_user(
            f"The biases of the first layer are up to {bias:.3g}, for which a float's seven digits are few: in C, outputs "
            "may differ by more than 1e-5; if the means of some features are hundreds of times their standard deviations, "
            "subtract them before fit, and in C."
        )
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


class _CFile:
    """What the file consists of: public functions and their declarations, and the helpers and buffers that these need."""

    def __init__(self, estimator, prefix):
        self.estimator, self.prefix = estimator, prefix
        self.coefs = [_floats(f"coefs_[{layer}]", coef) for layer, coef in enumerate(estimator.coefs_)]
        self.intercepts = [_floats(f"intercepts_[{layer}]", part) for layer, part in enumerate(estimator.intercepts_)]
        self.activations = [_name_in_c(ACTIVATIONS_IN_C, part, "forward") for part in estimator._activations]
        self.link = _name_in_c(LINKS_IN_C, estimator._loss, "predict")
        self.sizes = [len(self.coefs[0]), *map(len, self.intercepts)]
        # Texts and, of the buffers, sizes.
        self.helpers, self.buffers, self.declarations, self.functions, self.labels = {"dense": DENSE}, {}, [], [], ""
        if isinstance(estimator, SigmoidBackpropClassifier):
            self._add_classifier()
        elif isinstance(estimator, SigmoidBackpropRegressor):
            comment = (
                f"Predicts the {_counted(self.sizes[-1], 'target')} of a sample of {_counted(self.sizes[0], 'feature')}."
            )
            body = [*self._layers("x", "y"), *self._applied(self.link, "y", self.sizes[-1])]
            self._add("void PREFIX_predict(const float *x, float *y)", body, comment)
        else:
            self._add_autoencoder()

    def text(self):
        """Return the file."""
        weights = [
            f"static const float PREFIX_{name}_{layer}[{values.size}] = {{\n{_lines(values)}\n}};"
            for layer, (coef, intercept) in enumerate(zip(self.coefs, self.intercepts, strict=True), 1)
            # In C a row is what one unit multiplies.
            for name, values in (("weights", coef.T), ("biases", intercept))
        ]
        buffers = "\n".join(f"static float PREFIX_{name}[{size}];" for name, size in self.buffers.items())
        declared = ['#ifdef __cplusplus\nextern "C" {\n#endif', *self.declarations, "#ifdef __cplusplus\n}\n#endif"]
        parts = [self._header(), "#include <math.h>", *declared, *weights, buffers, *self.helpers.values(), *self.functions]
        text = "\n\n".join(part.strip() for part in parts if part)
        # Labels may be any text, also that which is replaced.
        return text.replace("PREFIX", self.prefix) + "\n" + self.labels

    def _header(self):
        """Return a comment on what the file is, what wrote it, and what memory it takes."""
        names = ["features", *(name or "identity" for name in self.activations), "outputs"]
        n_weights = sum(part.size for part in (*self.coefs, *self.intercepts))
        return HEADER.format(
            layers=", ".join(f"{size} {name}" for size, name in zip(self.sizes, names, strict=True)),
            versions=", ".join(map(" ".join, versions().items())),
            kind=type(self.estimator).__name__,
            weights=4 * n_weights,
            buffers=4 * sum(self.buffers.values()),
        )

    def _add_classifier(self):
        """Add the functions of a classifier, and its labels."""
        kind, n_outputs = self.estimator._labels.target_type, self.sizes[-1]
        classes = np.asarray(self.estimator.classes_)
        if len(classes) < 2:
            raise ValueError("Got a classifier of one class: fit it to samples of at least two classes.")
        sample = f"a sample of {_counted(self.sizes[0], 'feature')}"
        self._add("static void PREFIX_raw_scores(const float *x, float *scores)", self._layers("x", "scores"))
        if kind != "binary":
            self.buffers["scores"] = n_outputs
        if kind == "multilabel-indicator":
            signature, body = "void PREFIX_predict(const float *x, int *labels)", PREDICT_MULTILABEL
            comment = f"Predicts the {n_outputs} labels of {sample}, 0 or 1 each; -1 where the raw score is not finite."
        else:
            signature, body = (
                "int PREFIX_predict(const float *x)",
                PREDICT_BINARY if kind == "binary" else PREDICT_MULTICLASS,
            )
            comment = f"Returns the number of the class of {sample}, from 0; -1 where a raw score is not finite."
            of_type, labels = _labels(classes)
            table = f"{of_type}{self.prefix}_classes[{len(classes)}]"
            self.declarations.append(f"/* The labels of the classes. */\nextern {table};")
            self.labels = f"\n{table} = {{\n{labels}\n}};\n"
        self._add(signature, body.replace("N_OUTPUTS", str(n_outputs)).strip().splitlines(), comment)
        self._add_probabilities(kind, len(classes))

    def _add_probabilities(self, kind, n_classes):
        """Add the function for the probabilities of a classifier."""
        body = ["PREFIX_raw_scores(x, probabilities);"]
        links = [self.link]
        if kind == "binary":
            body = ["PREFIX_raw_scores(x, probabilities + 1);", "probabilities[0] = -probabilities[1];"]
        elif kind == "multiclass" and self.link != "softmax":
            # Units that know nothing of each other: their probabilities are made to sum to one.
            links = ["log_logistic", "softmax"]
        for link in links:
            body += self._applied(link, "probabilities", n_classes)
        comment = f"Predicts the {n_classes} probabilities of the {'labels' if kind.endswith('indicator') else 'classes'}."
        self._add("void PREFIX_predict_proba(const float *x, float *probabilities)", body, comment)

    def _add_autoencoder(self):
        """Add the functions of an autoencoder."""
        # The narrowest hidden layer, the first of several.
        n_units = min(self.sizes[1:-1])
        code = self.sizes.index(n_units, 1)
        features, units = _counted(self.sizes[0], "feature"), _counted(n_units, "unit")
        self._add(
            "void PREFIX_transform(const float *x, float *code)",
            self._layers("x", "code", stop=code),
            f"Computes the code, of {units}, of a sample of {features}.",
        )
        linked = self._applied(self.link, "reconstruction", self.sizes[-1])
        self._add(
            "void PREFIX_inverse_transform(const float *code, float *reconstruction)",
            [*self._layers("code", "reconstruction", start=code), *linked],
            f"Reconstructs the {features} that a code of {units} stands for.",
        )

    def _add(self, signature, body, comment=None):
        """Add a function, which is declared for other files if there is a comment on it."""
        if comment is not None:
            self.declarations.append(f"/* {comment} */\n{signature};")
        lines = "\n".join(f"    {line}" for line in body)
        self.functions.append(f"{signature}\n{{\n{lines}\n}}")

    def _layers(self, below, above, start=0, stop=None):
        """Return statements that compute layers from the array `below` into the array `above`."""
        stop = len(self.coefs) if stop is None else stop
        statements = []
        for layer in range(start, stop):
            n_below, n_units = self.sizes[layer : layer + 2]
            units = above
            if layer < stop - 1:
                # Two buffers take turns.
                buffer = f"buffer_{(layer - start) % 2 + 1}"
                self.buffers[buffer] = max(n_units, self.buffers.get(buffer, 0))
                units = f"PREFIX_{buffer}"
            parameters = f"PREFIX_weights_{layer + 1}, PREFIX_biases_{layer + 1}"
            statements.append(f"PREFIX_dense({parameters}, {below}, {n_below}, {units}, {n_units});")
            if layer < len(self.activations):
                statements += self._applied(self.activations[layer], units, n_units)
            below = units
        return statements

    def _applied(self, name, values, n_values):
        """Return a statement that applies an activation or a link to values, or none for the identity."""
        if name is None:
            return []
        text = SOFTMAX if name == "softmax" else ELEMENTWISE.replace("NAME", name).replace("EXPRESSION", EXPRESSIONS[name])
        self.helpers[name] = text
        return [f"PREFIX_{name}({values}, {n_values});"]


def _name_in_c(names, part, method):
    """Return the name of an activation or a link, or raise for one of the user's own."""
    function = getattr(getattr(part, method), "__func__", None)
    if function not in names:
        what = "activation" if names is ACTIVATIONS_IN_C else "loss"
        raise ValueError(
            f"Got the {what} {shown(part)}, whose {method} is not of this package: to_c can write only those that have a "
            "name; fit with one of these."
        )
    return names[function]


def _floats(name, values):
    """Return weights as float, or raise if they are out of its range."""
    with np.errstate(over="ignore"):
        floats = values.astype(np.float32)
    if not np.isfinite(floats).all():
        raise ValueError(
            f"Got {name} with values up to {np.abs(values).max():.3g}, which are infinite in float: scale the features or "
            "the targets, and fit anew."
        )
    return floats


def _lines(values):
    """Return floats as literals, as short as they can be and still the same number, eight a line."""
    literals = [f"{value!s}f" for value in values.ravel()]
    return ",\n".join("    " + ", ".join(literals[start : start + 8]) for start in range(0, len(literals), 8))


def _labels(classes):
    """Return the type of a table of labels, up to its name, and its entries: numbers of 32 bits, or text."""
    limits = np.iinfo(np.int32)
    if classes.dtype.kind in "iub" and limits.min < classes.min() and classes.max() <= limits.max:
        return "const long ", ",\n".join(f"    {int(label)}" for label in classes)
    return "const char *const ", ",\n".join(f"    {_literal(str(label))}" for label in classes)


def _literal(text):
    """Return text as a literal: UTF-8, escaped unless it means the same in all character sets."""
    plain = set(string.ascii_letters + string.digits + " _-+.,:;/()")
    octets = text.encode("utf-8", "surrogatepass")
    return '"' + "".join(chr(octet) if chr(octet) in plain else f"\\{octet:03o}" for octet in octets) + '"'


def _counted(n, noun):
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
