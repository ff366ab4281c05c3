"""The site: `make docs` builds it from these pages and from the docstrings."""

import importlib.metadata
import os
import re
from pathlib import Path
from typing import Any

project = "autogluon-causalmix"
author = "the autogluon-causalmix developers"
release = importlib.metadata.version(project)

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path: list[str] = []
html_copy_source = False
html_theme_options = {
    "navbar_center": [],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"**": ["globaltoc.html"]}

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True

autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
autosummary_generate = False
add_module_names = False

ROOT = Path(__file__).parents[1]
LOG = "_generated/log"
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?:plugins|benchmarks)[\w/.-]*\)")
"""Links to the repository's code, which is not part of the site: their text stays."""


def _rewrite(_: Any, page: str, source: list[str]) -> None:
    up = "../" * page.count("/")
    text = re.sub(r"\((?:\.\./)+benchmarks/LOG\.md\)", f"({up}{LOG}.md)", source[0])
    source[0] = OUTSIDE.sub(r"\1", text)


def setup(app: Any) -> None:
    """Take the log of benchmarks into the site."""
    log = Path(__file__).parent / f"{LOG}.md"
    log.parent.mkdir(exist_ok=True)
    log.write_text((ROOT / "benchmarks" / "LOG.md").read_text(encoding="utf-8"), encoding="utf-8")
    app.connect("source-read", _rewrite)


# A page is built offline and on any machine.
os.environ.setdefault("CAUSALMIX_OFFLINE", "1")
os.environ.setdefault("PYTHONPATH", str(ROOT))
