"""Drop what asks the network, or complains without a server, from each page."""

import re
from typing import Any

from sphinx.application import Sphinx

UNWANTED = re.compile(
    r'<link rel="preload" as="font"[^>]*>\s*|<link [^>]*thebe[^>]*>\s*'
    r'|<script type="text/x-thebe-config">.*?</script>\s*|<script>kernelName = [^<]*</script>\s*',
    re.DOTALL,
)


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


def tidy(page: str) -> str:
    """Return a built page without font preloads, which a browser refuses to a page opened as a file, and without thebe."""
    return UNWANTED.sub("", page)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", keep_local, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
