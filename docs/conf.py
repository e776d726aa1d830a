"""How the site is built, without a network: `sphinx-build -W docs docs/_build/html`.

What is needed is the extra "docs". While writing, `-D plot_gallery=0` leaves the examples unrun.
"""

import re
import subprocess
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import matplotlib as mpl  # noqa: E402

import skbackprop  # noqa: E402

mpl.use("agg")

project = "skbackprop"
author = "The skbackprop developers"
copyright = author
version = release = skbackprop.__version__

extensions = [
    "mathml",
    "myst_parser",
    "numpydoc",
    "quotes",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
# (pypi.md: the links of the README where it stands alone.)
exclude_patterns = ["_build", "inventories", "pypi.md"]
templates_path = ["_templates"]
# scikit-learn's docstrings, which ours inherit, refer to pages and terms of its own.
suppress_warnings = ["ref.ref", "ref.term"]

# -- pages in Markdown
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

# -- the reference
default_role = "py:obj"
smartquotes = False
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
# Where others document what our docstrings name: a file, so that no network is asked.
intersphinx_mapping = {
    "sklearn": ("https://scikit-learn.org/stable/", "inventories/sklearn.txt"),
}

# -- the gallery, in the order of a course
COURSE = [
    "quickstart.py",
    "backpropagation_step_by_step.py",
    "playground_notebook.py",
    "drawing_a_network.py",
    "boundary_over_epochs.py",
    "playground_moons.py",
    "digits_pattern_recognition.py",
    "playground_digits.py",
    "mixed_table.py",
    "diabetes_regression.py",
    "anomaly_detection.py",
    "watching_training.py",
    "vanishing_gradient.py",
    "playground_vanishing_gradient.py",
    "deep_sigmoid_networks.py",
    "resuming_after_a_crash.py",
    "out_of_core.py",
    "export_to_c.py",
    "cartpole_reinforce.py",
    "cartpole_q_learning.py",
]
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "within_subsection_order": COURSE.index,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "backreferences_dir": "generated/backreferences",
    "doc_module": "skbackprop",
}

# -- the theme
html_theme = "pydata_sphinx_theme"
html_title = "skbackprop"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 7,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Pages that have none below them.
html_sidebars = {name: [] for name in ("index", "start", "table", "mathematics")}


def link_to_the_gallery(app, name, source):
    """Let links to an example, which lead to its file where the page is read as a file, lead to its page of the gallery."""
    source[0] = re.sub(r"\]\(\.\./examples/(\w+)\.py\)", r"](auto_examples/\1.rst)", source[0])


def link_to_pages(app, what, name, obj, options, lines):
    """Let docstrings, which name the file of a page, lead to the page."""
    lines[:] = [re.sub(r"docs/(\w+)\.md", r":doc:`/\1`", line) for line in lines]


def write_the_page(app, exception):
    """Run the example whose page the landing page shows in a frame."""
    if exception is None and app.builder.format == "html":
        example = HERE.parent / "examples" / "playground_moons.py"
        page = Path(app.outdir) / "playground_moons.html"
        subprocess.run([sys.executable, str(example), str(page)], check=True, stdout=subprocess.DEVNULL)


def setup(app):
    """Register what is above."""
    # A build that is not asked for warnings by examples has none.
    warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
    app.connect("source-read", link_to_the_gallery)
    app.connect("autodoc-process-docstring", link_to_pages)
    app.connect("build-finished", write_the_page)
