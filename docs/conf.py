"""Settings of the site: `pip install -r docs/requirements.txt && sphinx-build -W docs site`.

The notebooks come with the outputs that are stored in them: nothing runs while it is built.
"""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))  # for the extension `notebook_pages` beside this file

pyproject = (DOCS.parent / "pyproject.toml").read_text(encoding="utf-8")
repository = re.search(r'^Repository = "(.+)"', pyproject, re.MULTILINE)[1]

project = html_title = "DCGAN, step by step"
language = "en"
extensions = ["myst_nb", "notebook_pages", "sphinx.ext.mathjax"]
# What stands beside the pages: `notebook_pages` copies the notebooks in and the folders over.
exclude_patterns = ["_static", "draw", "student", "classroom/decks", "classroom/lecture-*"]
# A line for Colab, such as `!python`, is no Python.
suppress_warnings = ["misc.highlighting_failure"]

nb_execution_mode = "off"
myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3
mathjax_path = "mathjax/tex-mml-chtml.js"

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_favicon = "_static/favicon.png"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_css_files = ["site.css"]
html_copy_source = True  # the theme's download button takes the notebooks from there
html_sourcelink_suffix = ""
html_show_copyright = html_show_sphinx = False
html_theme_options = {
    "repository_url": repository,
    "repository_branch": "main",
    "use_repository_button": True,
    "use_download_button": True,
    "home_page_in_toc": True,
    "navbar_persistent": [],  # the search stands beside the pages' list already
    "show_toc_level": 2,
}
