"""See it learn: a page for the browser in which a training runs as a film, and any weight shows its chain rule.

The page is one file that needs nothing else, neither a network nor a library. Its scripts train on in the browser by the
rules that the estimator itself trains by.
"""

from ._export import Page, export_html

__all__ = ["Page", "export_html"]
