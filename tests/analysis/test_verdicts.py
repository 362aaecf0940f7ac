"""The seven verdicts: their rules, and that no other word passes for one."""

import pytest

from taskrel_core.analysis.verdicts import VERDICTS, by_interval, joined, of_gap, of_interval, split


def test_there_are_seven_and_a_text_of_several_is_read_back():
    assert len(VERDICTS) == 7
    found = {"sign": "inconclusive", "stability": "supported with caveat"}
    assert dict(split(joined(found))) == found
    assert split("theorem") == [("", "theorem")]


def test_another_word_is_refused_by_name():
    with pytest.raises(ValueError, match=r"verdict must be one of supported, .*, got 'holds'; use its words"):
        split("sign: holds")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.5, "supported"), (-0.5, -0.1, "not supported"), (-0.1, 0.5, "inconclusive")],
)
def test_an_interval_is_judged_by_the_side_of_zero(low, high, verdict):
    assert of_interval(low, high) == verdict
    words = {"supported": "up", "not supported": "down", "inconclusive": "open"}
    assert by_interval(low, high, "up", "down", "open") == words[verdict]


@pytest.mark.parametrize(
    ("smallest", "largest", "verdict"),
    [
        (0.1, 0.3, "supported"),
        (0.1, 0.9, "supported with caveat"),
        (0.9, 1.5, "inconclusive"),
        (1.0, 1.6, "not supported"),
    ],
)
def test_a_gap_is_judged_against_what_is_left_below_chance(smallest, largest, verdict):
    assert of_gap(smallest, largest) == verdict
