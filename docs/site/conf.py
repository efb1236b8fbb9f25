"""How Sphinx makes the manual from the Markdown files that GitHub shows, too."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from IPython.lib.lexers import IPython3Lexer
from myst_parser.parsers.sphinx_ import MystParser

import claude_magic

ROOT = Path(__file__).parents[2]

project = "claude-magic"
author = "the authors of claude-magic"
release = version = claude_magic.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

# The source folder is the repository, so that links between its files are links of the site.
root_doc = "docs/index"
include_patterns = ["docs/*.md", "notebooks/*.ipynb", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
exclude_patterns = [".*", "build", "dist", "tests", "claude_magic", "docs/site", "jupyter-config"]
templates_path = ["templates"]
default_role = "code"  # docstrings are written so
add_module_names = False

myst_heading_anchors = 3  # as GitHub makes them
myst_enable_extensions = ["colon_fence"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"

html_theme = "pydata_sphinx_theme"
html_title = f"claude-magic {release}"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "article_header_end": ["lesson-button"],
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
    "show_prev_next": True,
}
html_sidebars = {"**": ["contents"]}

# The lesson that goes with a page of the manual; every other page leads to all lessons.
LESSONS = {
    "docs/first-cells": "01-first-message",
    "docs/options": "01-first-message",
    "docs/conversations": "02-conversations",
    "docs/completions": "02-conversations",
    "docs/variables-and-attachments": "03-variables-and-files",
    "docs/structured-replies": "04-structured-replies",
    "docs/replay-and-budget": "05-replay-and-cost",
    "docs/journal": "05-replay-and-cost",
    "docs/seeing-the-api": "06-seeing-the-api",
    "docs/comparing": "07-comparing",
    "docs/workbench": "07-comparing",
    "docs/tools": "08-tools",
    "docs/batches": "09-batches-and-files",
    "docs/files": "09-batches-and-files",
    "docs/endpoints": "10-any-endpoint",
    "docs/organization": "10-any-endpoint",
    "docs/clouds": "11-clouds",
}


class LessonParser(MystParser):  # type: ignore[misc]  # docutils is untyped
    """Shows a lesson as a page: its text, and its cells as code."""

    supported = ("lesson",)

    def parse(self, inputstring: str, document: Any) -> None:
        super().parse("\n\n".join(map(_markdown, json.loads(inputstring)["cells"])), document)


def _markdown(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    return source if cell["cell_type"] == "markdown" else f"````ipython3\n{source}\n````"


def add_contents(app: Any, name: str, source: list[str]) -> None:
    """Makes the list of pages in the index the contents of the manual: its bold lines are their captions."""
    if name != root_doc:
        return
    captions = re.split(r"^\*\*(.+)\*\*$", source[0], flags=re.MULTILINE)[1:]
    for caption, pages in zip(captions[::2], captions[1::2], strict=True):
        names = re.findall(r"\]\(((?:\.\./)?[\w-]+)\.md\)", pages)
        source[0] += "\n".join(["\n", ":::{toctree}", ":hidden:", f":caption: {caption}", *names, ":::", ""])
    lessons = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    names = [f"/notebooks/{lesson}" for lesson in lessons]
    source[0] += "\n".join(["\n", ":::{toctree}", ":hidden:", ":caption: Lessons", *names, ":::", ""])


def add_lesson(app: Any, name: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Gives a page the lesson of its button."""
    context["lesson"] = name.partition("notebooks/")[2] or LESSONS.get(name, "")


def setup(app: Any) -> None:
    app.add_source_suffix(".ipynb", "lesson")
    app.add_source_parser(LessonParser)
    app.add_lexer("python", IPython3Lexer)  # the manual's Python is cells
    app.connect("source-read", add_contents)
    app.connect("html-page-context", add_lesson)
