"""Small repairs of what the theme and the builder write, each a finding of axe-core in the browser test."""

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


def repair(page: str) -> str:
    """Return a built page with the repairs."""
    for written, meant in REPAIRS:
        page = page.replace(written, meant)
    return page
