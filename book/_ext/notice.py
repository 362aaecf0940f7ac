"""A line above every page where the book was made from stand-in data, so that no number of it is taken for a result."""

from html import escape
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx


def announce(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Put the runner's notice, if it left one, where the theme shows announcements."""
    path = Path(app.srcdir) / "executed/_run/notice.txt"
    if path.exists():
        context["theme_announcement"] = escape(path.read_text(encoding="utf-8").strip())


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", announce, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
