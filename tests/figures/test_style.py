"""Colours can be told from the page, light and dark: letters by 4.5:1, lines by 3:1 (WCAG 2.2, AA)."""

import re
from pathlib import Path

import pytest

from taskrel_core.figures import style

from .contrast import DARK, WHITE, contrast, inverted, least

ROOT = Path(__file__).resolve().parents[2]
SHEET = (ROOT / "book/_static/taskrel.css").read_text(encoding="utf-8")
VERDICTS = ["", "supported", "supported-with-caveat", "not-supported", "arithmetic-check", "theorem"]


def test_contrast_is_that_of_known_pairs():
    assert contrast("black", "white") == pytest.approx(21)
    assert contrast("#767676", "white") == pytest.approx(4.54, abs=0.01)
    assert inverted("#000000") == pytest.approx([1, 1, 1])
    assert inverted("#808080") == pytest.approx([0.498] * 3, abs=0.001)


@pytest.mark.parametrize("colour", [*style.COLOURS, style.GREY])
def test_lines_and_letters_of_a_colour_can_be_seen_in_both_modes(colour):
    assert least(colour) >= 3
    assert least(style.ink(colour)) >= 4.5


def test_the_dark_mode_of_figures_is_the_one_that_is_measured():
    assert "filter: invert(1) hue-rotate(180deg)" in SHEET


@pytest.mark.parametrize("verdict", VERDICTS)
def test_badges_can_be_read_and_dots_be_seen_in_both_modes(verdict):
    light, _, dark = SHEET.partition('html[data-theme="dark"] {\n  .verdict {')
    wanted = rf"\.{verdict} {{ --verdict: (#\w+)" if verdict else r"background: var\(--verdict, (#\w+)"
    for sheet, letters, page in ((light, "white", WHITE), (dark, "black", DARK)):
        (colour,) = re.findall(wanted, sheet)
        assert contrast(colour, letters) >= 4.5
        assert contrast(colour, page) >= 3
