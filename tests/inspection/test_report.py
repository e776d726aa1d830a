"""What is shown, as text and as tables."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from inspection_helpers import make

from skbackprop import SigmoidBackpropRegressor
from skbackprop.activations import Tanh
from skbackprop.inspection import check_gradients, gradient_flow, trace_backpropagation
from skbackprop.inspection._report import NEGATIVE, POSITIVE, Named
from skbackprop.losses import BinaryLogLoss


class Page(HTMLParser):
    """Checks that tags are closed in order, and collects the text of the cells."""

    def __init__(self, html):
        super().__init__()
        self.open, self.cells, self.tags, self.styles = [], [], [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)
        self.styles.append(dict(attrs).get("style", ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.cells.append(data)


def test_small_arrays_are_shown_in_full_as_text_and_as_tables(targets):
    X, y = targets[0][:4], targets[1]["binary"][:4]
    y = np.array([0, 1, 1, 0])
    trace = trace_backpropagation(make(hidden_layer_sizes=(3,), batch_size=4), X, y)
    page = Page(trace._repr_html_())
    for layer in trace.layers:
        for value in np.concatenate([np.ravel(array) for array in layer[1:] if np.ndim(array)]):
            assert f"{value + 0.0:.4g}" in [cell.strip() for cell in page.cells]
            assert f"{value + 0.0:.4g}" in str(trace).split()
        assert f"inputs.T @ delta + {layer.penalty:.4g} * weights" in str(trace)
    assert page.tags.count("details") == page.tags.count("summary") == 4
    headings = [line for line in str(trace).splitlines() if line.startswith(("Forward", "Backward"))]
    assert [heading.split(" (")[0] for heading in headings] == [
        "Forward, layer 1",
        "Forward, layer 2",
        "Backward, layer 2",
        "Backward, layer 1",
    ]


def test_rows_and_columns_have_names():
    X = pd.DataFrame({"age": [1.0, 2.0, 3.0, 5.0], "<size>": [4.0, 1.0, 0.0, 2.0]})
    trace = trace_backpropagation(make(hidden_layer_sizes=(2,), batch_size=4), X, ["no", "yes", "no", "yes"])
    assert (trace.input_names, trace.output_names) == (["age", "<size>"], ["yes"])
    names = [f"sample {number}" for number in (1, 2, 3, 4)]
    cells = Page(trace._repr_html_()).cells
    # Below the title, the formula and the names of the columns, each row begins with its name.
    start = cells.index("raw scores") + 4
    assert cells[start : start + 2] == ["unit 1", "unit 2"]
    assert cells[start + 2 : start + 14 : 3] == names
    assert {"age", "<size>", "yes"} < set(cells)
    plain = trace_backpropagation(make(hidden_layer_sizes=(2,), batch_size=4), X.to_numpy(), [1, 0, 2, 1])
    assert (plain.input_names, plain.output_names) == (None, ["0", "1", "2"])
    assert {"x1", "x2", "unit 1", "0", "2"} < set(Page(plain._repr_html_()).cells)


def test_targets_that_are_no_classes_are_numbered():
    trace = trace_backpropagation(SigmoidBackpropRegressor(random_state=0), [[0.0], [1.0]], [[0.0, 1.0], [2.0, 0.0]])
    assert trace.output_names is None
    assert {"output 1", "output 2"} < set(Page(trace._repr_html_()).cells)


def test_a_column_has_its_points_below_each_other_and_the_colours_of_signs():
    array = np.array([[1.5, 0.0], [-0.25, 1e-7], [12.0, np.nan]])
    page = Page(Named("error", "", array).html())
    cells = [cell for cell in page.cells if cell.strip() and cell not in {"error", " ", "3 x 2"}]
    # A number without a point ends where the points of the others are.
    assert [cell.find(".") if "." in cell else len(cell.rstrip()) for cell in cells[::2]] == [1, 2, 2]
    assert cells[::2] == ["1.5 ", "-0.25", "12   "]
    styles = [style for tag, style in zip(page.tags, page.styles, strict=True) if tag == "td"]
    assert [POSITIVE in style for style in styles] == [True, False, False, True, True, False]
    assert [NEGATIVE in style for style in styles] == [False, False, True, False, False, False]


def test_large_arrays_are_summed_up(targets):
    trace = trace_backpropagation(make(hidden_layer_sizes=(30,)), sp.csr_array(targets[0]), targets[1]["binary"])
    text = str(trace)
    assert len(text) < 4000
    assert "delta (150 x 30)" in text
    assert "900 values stored" in text
    assert f"from {trace.layers[0].delta.min():.4g} to {trace.layers[0].delta.max():.4g}" in text
    assert "150 x 30" in Page(trace._repr_html_()).cells


@pytest.mark.parametrize("inspect", [check_gradients, gradient_flow])
def test_reports_hold_a_row_a_layer_and_the_verdict(targets, inspect):
    class Markup(Tanh):
        def __repr__(self):
            return "<b>&"

    report = inspect(make(activation=Markup()), targets[0], targets[1]["binary"])
    assert repr(report) == str(report)
    assert report.verdict in str(report).splitlines()
    page = Page(report._repr_html_())
    assert page.tags.count("tr") == 4
    assert "b" not in page.tags
    assert report.verdict in page.cells


def test_formulas_are_those_of_the_loss(targets):
    X, y = targets[0], targets[1]["binary"]
    assert "here activations - targets" in str(trace_backpropagation(make(), X, y))
    squared = trace_backpropagation(make(loss="squared_error"), X, y)
    assert "here activations - targets" not in str(squared)
    assert "Half the squared error" in str(squared)
    assert repr(BinaryLogLoss()) in str(trace_backpropagation(make(), X, y))
