"""Drop what asks the network, or complains without a server, from each page."""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx


def keep_local(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Remove thebe (unused, and it loads itself from elsewhere) and scripts that Sphinx below 8.3 adds twice."""
    seen, kept = set(), []
    for script in context.get("script_files", []):
        name, body = (
            str(getattr(script, "filename", script) or ""),
            getattr(script, "attributes", {}).get("body", ""),
        )
        if "thebe" in f"{name}{body}".lower() or (name, body) in seen:
            continue
        seen.add((name, body))
        kept.append(script)
    context["script_files"] = kept


def tidy_pages(app: Sphinx, error: Exception | None) -> None:
    """Remove font preloads, which a browser refuses to a page opened as a file, and the settings of thebe."""
    if error is not None or "html" not in app.builder.name:
        return
    unwanted = re.compile(
        r'<link rel="preload" as="font"[^>]*>\s*|<link [^>]*thebe[^>]*>\s*'
        r'|<script type="text/x-thebe-config">.*?</script>\s*|<script>kernelName = [^<]*</script>\s*',
        re.DOTALL,
    )
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        path.write_text(unwanted.sub("", text), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", keep_local, priority=999)
    app.connect("build-finished", tidy_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
