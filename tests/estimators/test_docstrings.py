"""What the estimators share of their docstrings: every parameter once, with its own default, none that is not there."""

import inspect
import re
import warnings

import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from skbackprop import (
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
)
from skbackprop._estimators.docstrings import share_documentation
from skbackprop._estimators.parameters import PARAMETERS
from skbackprop.neural_network import MLPClassifier, MLPRegressor
from skbackprop.preprocessing import PiecewiseLinearEncoder

TOOLTIP = "param-doc-description"

ESTIMATORS = [
    SigmoidBackpropAutoencoder,
    SigmoidBackpropClassifier,
    SigmoidBackpropOutlierDetector,
    SigmoidBackpropRegressor,
]


def section(estimator, title):
    """The entries of a section of a numpydoc docstring: the names, comma-separated, and what stands behind the colon."""
    text = inspect.getdoc(estimator).split(f"{title}\n{'-' * len(title)}\n")[1]
    text = re.split(r"\n\n\S[^\n]*\n-{3,}\n", text)[0].replace("\\\n", "")
    return re.findall(r"(?m)^(\w[\w, ]*) : (.*)$", text)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_each_parameter_is_documented_once_and_no_other(estimator):
    names = [name for name, _ in section(estimator, "Parameters")]
    assert names == list(inspect.signature(estimator).parameters)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_each_default_is_the_signatures(estimator):
    signature = inspect.signature(estimator).parameters
    for name, kind in section(estimator, "Parameters"):
        default = signature[name].default
        expected = f'"{default}"' if isinstance(default, str) else str(default)
        assert re.search(r"default=(.*)$", kind)[1] == expected, name


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_no_gap_or_brace_is_left(estimator):
    text = inspect.getdoc(estimator)
    assert "PARAMETERS" not in text
    assert "ATTRIBUTES" not in text
    assert "{{" not in text
    assert "}}" not in text


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_fitted_attributes_are_those_documented(estimator):
    X, y = load_iris(return_X_y=True, as_frame=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = estimator(max_iter=1).fit(X, y)
    names = {name for name, _ in section(estimator, "Attributes")}
    assert names == {name for name in vars(fitted) if name.endswith("_") and not name.startswith("_")}


def test_shared_entries_fill_the_gaps_of_a_class():
    @share_documentation
    class Small:
        """Small.

        Parameters
        ----------
        {PARAMETERS}
        own : int
            Its own.

        Attributes
        ----------
        {ATTRIBUTES}
        """

        def __init__(self, alpha=0.25, own=1, solver="sgd"):
            pass

    text = inspect.getdoc(Small)
    assert re.search(r"(?m)^alpha : float.*, default=0\.25$", text)
    assert 'Optimizer, default="sgd"' in text
    assert "tol :" not in text
    assert text.index("alpha :") < text.index("own :") < text.index("solver :")
    assert "coefs_ : list of ndarray" in text


@pytest.mark.parametrize("estimator", [*ESTIMATORS, MLPClassifier, MLPRegressor, PiecewiseLinearEncoder])
def test_a_notebook_links_to_the_page_of_a_class_and_has_a_tooltip_for_each_parameter(estimator):
    module = estimator.__module__.partition("._")[0]
    link = estimator()._get_doc_link()
    assert link.startswith("https://")
    assert link.endswith(f"/{module}.{estimator.__name__}.html")
    if TOOLTIP not in StandardScaler()._repr_html_inner():
        pytest.skip("scikit-learn has had tooltips since 1.8")
    view = estimator()._repr_html_inner()
    for name in inspect.signature(estimator).parameters:
        tooltip = rf'{link}#[^"]*">\s*{name}\s*<span class="{TOOLTIP}"[^>]*>\s*{name}: .*default=.*<br><br>\w'
        assert re.search(tooltip, view), name


def test_a_class_of_the_users_own_does_not_link_to_ours():
    class Own(SigmoidBackpropClassifier):
        pass

    assert Own()._get_doc_link() == ""


def test_a_class_without_a_docstring_is_left_alone():
    class Silent:
        def __init__(self, alpha=1):
            pass

    assert not share_documentation(Silent).__doc__


def test_shared_entries_are_sentences():
    for name, entry in PARAMETERS.items():
        # What early stopping watches, each estimator says itself.
        if name != "scoring":
            assert entry.kind, name
            assert re.fullmatch(r"[A-Z].*\.", entry.words), name
