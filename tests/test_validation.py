"""The checks of single values: what passes, in which type, and the text of each refusal."""

import numpy as np
import pytest
import torch

from taskrel_core._validation import check_choice, check_count, check_positive, check_same_width


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_counts_become_plain_integers(value):
    count = check_count(value, "n")
    assert count == 3
    assert type(count) is int


@pytest.mark.parametrize("value", [2.0, "3", None, True, np.float64(2)])
def test_a_count_must_be_whole(value):
    with pytest.raises(TypeError, match=r"n must be an integer of at least 1, got .*; give a whole number"):
        check_count(value, "n")


def test_a_count_has_a_least_value():
    assert check_count(0, "seed", 0) == 0
    with pytest.raises(ValueError, match="seed must be at least 0, got -1; give a larger whole number"):
        check_count(-1, "seed", 0)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int16(2)])
def test_positive_numbers_become_plain_floats(value):
    number = check_positive(value, "tau")
    assert number == 2.0
    assert type(number) is float


@pytest.mark.parametrize("value", [0, -0.1, float("nan"), float("inf")])
def test_not_positive_is_refused(value):
    with pytest.raises(
        ValueError, match=r"tau must be finite and above 0, got .*; give for instance tau=0.02"
    ):
        check_positive(value, "tau")


@pytest.mark.parametrize("value", ["0.1", None, True, [0.1]])
def test_not_a_number_is_refused(value):
    with pytest.raises(TypeError, match=r"tau must be a number above 0, got .*; give for instance tau=0.02"):
        check_positive(value, "tau")


def test_choices_are_listed_when_none_fits():
    assert check_choice("b", "mode", ("a", "b")) == "b"
    with pytest.raises(ValueError, match="mode must be one of a, b, got 'c'; choose one of them"):
        check_choice("c", "mode", ("a", "b"))


def test_widths_must_agree():
    check_same_width(torch.zeros(3, 2), torch.zeros(9, 2), "x", "y")
    with pytest.raises(
        ValueError, match="x and y must have the same width, got 2 and 4; take the features of both"
    ):
        check_same_width(torch.zeros(3, 2), torch.zeros(3, 4), "x", "y")
