"""Settings of Sphinx for these pages; `make docs` builds them."""

import os
import re
import sys
from pathlib import Path

DOCS = Path(__file__).parent
BUILD = DOCS / "_build"
sys.path[:0] = [str(DOCS / "_ext"), str(DOCS), str(DOCS.parent / "src")]

from sphinx.application import Sphinx  # noqa: E402

from brainstate import __version__, typing  # noqa: E402

project = "brainstate"
author = "the brainstate developers"
project_copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "cards",
    "mathml",
    "rooms",
]
html_math_renderer = "mathml"
exclude_patterns = ["_build", "_ext"]

# ---------------------------------------------------------------- what docstrings look like

napoleon_numpy_docstring = False
default_role = "py:obj"  # single backticks: a link where there is such a name
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
autodoc_type_aliases = {name: f"brainstate.typing.{name}" for name in typing.__all__}
python_maximum_signature_line_length = 110
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# ---------------------------------------------------------------- pages and their cells

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_show_tb = True  # a cell that fails is a warning, and warnings are errors
nb_execution_timeout = 120
nb_output_stderr = "warn"
nb_merge_streams = True

# Cells run in kernels of this environment, with settings of their own and nobody else's.
IPYTHON = BUILD / "ipython" / "profile_default"
IPYTHON.mkdir(parents=True, exist_ok=True)
IPYTHON.joinpath("ipython_kernel_config.py").write_text((DOCS / "kernel_config.py").read_text())
os.environ |= {
    "IPYTHONDIR": str(BUILD / "ipython"),
    "JUPYTER_PREFER_ENV_PATH": "1",
    "JAX_COMPILATION_CACHE_DIR": str(BUILD / "xla"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1",
    "PYTHONPATH": os.pathsep.join(
        [str(DOCS.parent / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    ),
}

# ---------------------------------------------------------------- looks

html_theme = "furo"
html_title = f"brainstate {release}"
html_static_path = ["_static"]
html_css_files = ["brainstate.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"


def without_links_out(app: Sphinx, name: str, source: list[str]) -> None:
    """Keep the words of links to files of the repository that are no pages here."""
    source[0] = re.sub(r"\[([^\]]+)\]\(\.\./(?:benchmarks|src|tests)/[^)]*\)", r"\1", source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", without_links_out)
