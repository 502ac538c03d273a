"""How Sphinx makes the book from what build.py gathered."""

import re
from importlib.util import find_spec
from pathlib import Path

MATHJAX = Path(next(iter(find_spec("sphinx-mathjax-offline").submodule_search_locations))) / "static/mathjax"

project = "Machine learning of functions with symmetry"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
exclude_patterns = [".doctrees"]
language = "en"
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
myst_dmath_double_inline = True
html_theme = "furo"
html_title = project
html_static_path = [str(MATHJAX / "tex-svg-full.js"), "book.css", "book.js"]  # one file holds MathJax and its glyphs
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_copy_source = False
html_show_sphinx = False
mathjax_path = "tex-svg-full.js"
mathjax3_config = {"options": {"enableMenu": False}}
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
python_display_short_literal_types = True


def plain(paragraph: str) -> str:
    """A paragraph of a docstring, which is plain text with `code`, as reStructuredText."""
    parts = re.split(r"(`[^`]+`)", paragraph)  # between code and letters that touch it stands an escaped space, which vanishes
    return "".join(rf"\ `{' '.join(part.split())}`\ " if part.startswith("`") else re.sub(r"([*_|\\`])", r"\\\1", part)
                   for part in parts)


def docstring_as_text(app, what, name, obj, options, lines: list[str]) -> None:
    """Paragraphs stay; what is indented or drawn up in columns is shown as it stands."""
    rendered, paragraph = [], []
    for line in [*lines, ""]:
        if line.strip():
            paragraph.append(line)
            continue
        if any(row.startswith("  ") or "   " in row.strip() for row in paragraph):
            rendered += ["::", "", *(f"    {row}" for row in paragraph), ""]
        else:
            rendered += [*plain("\n".join(paragraph)).splitlines(), ""]
        paragraph = []
    lines[:] = rendered


def without_routing(app, what, name, obj, skip: bool, options) -> bool | None:
    """Methods that scikit-learn writes into every estimator are none of ours."""
    return True if re.fullmatch(r"set_\w+_request|get_metadata_routing", name.rpartition(".")[2]) else None


def setup(app) -> None:
    app.connect("autodoc-skip-member", without_routing)
    app.connect("autodoc-process-docstring", docstring_as_text)
