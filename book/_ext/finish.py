"""The last pass over the built pages: what no template of the theme lets us change before."""

from pathlib import Path

import accessible
import offline
from sphinx.application import Sphinx


def rewrite(app: Sphinx, error: Exception | None) -> None:
    """Rewrite the pages of a book that was built."""
    if error is not None or "html" not in app.builder.name:
        return
    for path in Path(app.outdir).rglob("*.html"):
        path.write_text(accessible.repair(offline.tidy(path.read_text(encoding="utf-8"))), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the pass."""
    app.connect("build-finished", rewrite)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
