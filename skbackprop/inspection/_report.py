"""Reports that print as text in a terminal and show as HTML in a notebook."""

from html import escape
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

# Arrays of more rows or columns than this are summarised.
MOST = 10
# Styles of what is shown as HTML. Colours are translucent, for pages that are light and pages that are dark.
CELL = 'style="text-align: right; padding: 0 0.6em"'
VALUE = "text-align: right; padding: 0 0.4em; font-family: monospace; white-space: pre"
NAME = (
    'style="text-align: right; padding: 0 0.4em; font-weight: normal; opacity: 0.7; max-width: 10em; overflow: hidden; '
    'text-overflow: ellipsis; white-space: nowrap"'
)
SIDE_BY_SIDE = 'style="display: flex; flex-wrap: wrap; gap: 0.7em 1.6em; margin: 0.4em 0 0.8em"'
SCROLLED = 'style="overflow-x: auto; max-width: 100%"'
POSITIVE, NEGATIVE = "214, 96, 77", "67, 147, 195"


def number(value):
    """Return a number with four significant digits."""
    return f"{value + 0.0:.4g}"


def _shape(array):
    """Return the shape of an array as words: "4 x 3", or "3" for a vector."""
    return " x ".join(str(size) for size in array.shape)


def _cells(array):
    """Return the values of a small array as rows of strings, or None for one that is too large to show."""
    if max(array.shape) > MOST:
        return None
    return [[number(value) for value in row] for row in _values(array).tolist()]


def _values(array):
    """Return the values of an array in rows."""
    return np.atleast_2d(array.toarray() if issparse(array) else array)


def _on_the_point(cells):
    """Return a column of numbers as strings of one width, their decimal points below each other."""
    parts = [cell.partition(".") for cell in cells]
    ends = [point + fraction for _, point, fraction in parts]
    most = max(map(len, ends))
    return [whole + end.ljust(most) for (whole, _, _), end in zip(parts, ends, strict=True)]


def _style(share):
    """Return the style of a cell, whose value is such a share of the largest: as in displays red above 0, blue below."""
    if not share or not np.isfinite(share):
        return f'style="{VALUE}"'
    return f'style="{VALUE}; background: rgba({POSITIVE if share > 0 else NEGATIVE}, {0.08 + 0.42 * abs(share):.2f})"'


def _summary(array):
    """Return the range of an array in words."""
    values = array.data if issparse(array) else array
    stored = f", {array.nnz} values stored" if issparse(array) else ""
    if not values.size:
        return f"all zero{stored}"
    return f"from {number(values.min())} to {number(values.max())}, mean {number(values.mean())}{stored}"


def _aligned(rows, indent, left=0):
    """Return rows of strings as lines of columns, the first `left` columns flush left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [f"{cell:{'<' if i < left else '>'}{widths[i]}}" for i, cell in enumerate(row)]
        yield " " * indent + "  ".join(cells).rstrip()


def _html_rows(rows, tag="td"):
    """Return rows of strings as rows of an HTML table."""
    return "".join("<tr>" + "".join(f"<{tag} {CELL}>{escape(cell)}</{tag}>" for cell in row) + "</tr>" for row in rows)


class Paragraph(NamedTuple):
    """A sentence or two."""

    words: str

    def text(self):
        """Return it as text."""
        return self.words

    def html(self):
        """Return it as HTML."""
        return f"<p style='margin: 0.2em 0'>{escape(self.words)}</p>"


class Table(NamedTuple):
    """Rows of strings below a header; as text the first column is flush left."""

    header: list
    rows: list

    def text(self):
        """Return it as text."""
        return "\n".join(_aligned([self.header, *self.rows], 0, left=1))

    def html(self):
        """Return it as HTML."""
        head = _html_rows([self.header], tag="th")
        return f"<table><thead>{head}</thead><tbody>{_html_rows(self.rows)}</tbody></table>"


class Named(NamedTuple):
    """An array with its name, its formula, and the names of its rows and columns."""

    name: str
    formula: str
    array: np.ndarray
    rows: list = ()
    columns: list = ()

    def text(self):
        """Return it as text, a small array in full below its formula."""
        cells = _cells(self.array)
        title = f"  {self.name} ({_shape(self.array)})" + (f" = {self.formula}" if self.formula else "")
        return "\n".join([title, *([" " * 6 + _summary(self.array)] if cells is None else _aligned(cells, 6))])

    def html(self):
        """Return it as HTML, a small array as a table whose cells have the colour of their sign."""
        title = f"<b>{escape(self.name)}</b> <small>{_shape(self.array)}</small>"
        formula = f"<div style='max-width: 20em'><small>= {escape(self.formula)}</small></div>" if self.formula else ""
        cells = _cells(self.array)
        shown = f"<div>{escape(_summary(self.array))}</div>" if cells is None else self._table(cells)
        return f"<div {SCROLLED}>{title}{formula}{shown}</div>"

    def _table(self, cells):
        values = _values(self.array)
        largest = np.abs(values[np.isfinite(values)]).max(initial=0.0) or 1.0
        columns = zip(*map(_on_the_point, zip(*cells, strict=True)), strict=True)
        names = self.rows if len(self.rows) == len(cells) else [""] * len(cells)
        head = "".join(f"<th {NAME}>{escape(str(name))}</th>" for name in ("", *self.columns))
        body = ""
        for name, row, strings in zip(names, values.tolist(), columns, strict=True):
            entries = (f"<td {_style(value / largest)}>{cell}</td>" for value, cell in zip(row, strings, strict=True))
            body += f"<tr><th {NAME}>{escape(str(name))}</th>{''.join(entries)}</tr>"
        return f'<table style="margin: 0.2em 0"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


class Section(NamedTuple):
    """A title, and arrays below it, which the reader of a page may fold away."""

    title: str
    arrays: list

    def text(self):
        """Return it as text, the title underlined."""
        return "\n".join([f"\n{self.title}", "-" * len(self.title), *(array.text() for array in self.arrays)])

    def html(self):
        """Return it as HTML, with the arrays side by side."""
        arrays = "".join(array.html() for array in self.arrays)
        summary = f"<summary style='cursor: pointer'><b>{escape(self.title)}</b></summary>"
        return f"<details open>{summary}<div {SIDE_BY_SIDE}>{arrays}</div></details>"


class Report:
    """Base of what inspection returns: a child lists its parts, which are printed as text or shown as HTML."""

    def _parts(self):
        """Return a list of Paragraph, Table and Section."""
        raise NotImplementedError

    def __repr__(self):
        return "\n".join(part.text() for part in self._parts()).strip("\n")

    def _repr_html_(self):
        return f"<div>{''.join(part.html() for part in self._parts())}</div>"
