"""A Sphinx extension: mathematics as MathML, which browsers draw without fonts or scripts from a network."""

from docutils.nodes import SkipNode
from latex2mathml.converter import convert


def visit_inline(translator, node):
    """Write a formula within a sentence."""
    translator.body.append(convert(node.astext()))
    raise SkipNode


def visit_block(translator, node):
    """Write a formula of its own."""
    translator.body.append(f'<div class="mathematics">{convert(node.astext(), display="block")}</div>')
    raise SkipNode


def setup(app):
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
