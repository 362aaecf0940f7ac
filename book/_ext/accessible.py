"""Small repairs of what the theme and the builder write, each a finding of axe-core in the browser test."""

from pathlib import Path

from sphinx.application import Sphinx

# What is written, what it should be, and why.
REPAIRS = (
    # The name that is read aloud must hold the words that are seen.
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
    (
        'search-button-field search-button__button" title="Search" aria-label="Search" data-bs-placement="bottom" '
        'data-bs-toggle="tooltip">',
        'search-button-field search-button__button">',
    ),
    # Entries of a bibliography are no list items.
    ('<div role="list" class="citation-list">', '<div class="citation-list">'),
    # What scrolls must be reached by keyboard.
    (
        '<div class="pst-scrollable-table-container">',
        '<div class="pst-scrollable-table-container" tabindex="0">',
    ),
)


def repair(app: Sphinx, error: Exception | None) -> None:
    """Rewrite the built pages."""
    if error is not None or "html" not in app.builder.name:
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        for written, meant in REPAIRS:
            text = text.replace(written, meant)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the pass over the built pages."""
    app.connect("build-finished", repair)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
