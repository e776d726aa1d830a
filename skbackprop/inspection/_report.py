"""Reports that print as text in a terminal and show as HTML in a notebook."""

from html import escape
from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse

# Arrays of more rows or columns than this are summarised.
MOST = 10
CELL = 'style="text-align: right; padding: 0 0.6em"'
LEFT = 'style="text-align: left; vertical-align: top"'


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
    values = np.atleast_2d(array.toarray() if issparse(array) else array)
    return [[number(value) for value in row] for row in values.tolist()]


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


class Heading(NamedTuple):
    """A title."""

    title: str

    def text(self):
        """Return it as text, underlined."""
        return f"\n{self.title}\n{'-' * len(self.title)}"

    def html(self):
        """Return it as HTML."""
        return f"<h4>{escape(self.title)}</h4>"


class Paragraph(NamedTuple):
    """A sentence or two."""

    words: str

    def text(self):
        """Return it as text."""
        return self.words

    def html(self):
        """Return it as HTML."""
        return f"<p>{escape(self.words)}</p>"


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


class Arrays(NamedTuple):
    """Named arrays with their formulas; a row is (name, formula, array)."""

    rows: list

    def text(self):
        """Return it as text, small arrays in full below their formula."""
        lines = []
        for name, formula, array in self.rows:
            cells = _cells(array)
            lines.append(f"  {name} ({_shape(array)})" + (f" = {formula}" if formula else ""))
            lines.extend([" " * 6 + _summary(array)] if cells is None else _aligned(cells, 6))
        return "\n".join(lines)

    def html(self):
        """Return it as one HTML table, with small arrays as tables inside."""
        head = "".join(f"<th {LEFT}>{title}</th>" for title in ("array", "shape", "how it comes about", "values"))
        body = ""
        for name, formula, array in self.rows:
            cells = _cells(array)
            values = escape(_summary(array)) if cells is None else f"<table>{_html_rows(cells)}</table>"
            columns = (f"<b>{escape(name)}</b>", _shape(array), escape(formula), values)
            body += "<tr>" + "".join(f"<td {LEFT}>{column}</td>" for column in columns) + "</tr>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class Report:
    """Base of what inspection returns: a child lists its parts, which are printed as text or shown as HTML."""

    def _parts(self):
        """Return a list of Heading, Paragraph, Table and Arrays."""
        raise NotImplementedError

    def __repr__(self):
        return "\n".join(part.text() for part in self._parts()).strip("\n")

    def _repr_html_(self):
        return f"<div>{''.join(part.html() for part in self._parts())}</div>"
