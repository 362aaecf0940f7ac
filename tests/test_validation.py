"""The checks of single values: what passes, in which type, and the text of each refusal."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from taskrel_core import Task, relatedness, transferability
from taskrel_core._validation import check_choice, check_count, check_positive, check_same_width


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.array(3), torch.tensor(3)])
def test_counts_become_plain_integers(value):
    count = check_count(value, "n")
    assert count == 3
    assert type(count) is int


@pytest.mark.parametrize(
    "value",
    [
        2.0,
        "3",
        None,
        True,
        np.bool_(True),
        torch.tensor(True),
        np.float64(2),
        torch.tensor(2.0),
        [3],
        np.ones(1, int),
    ],
)
def test_a_count_must_be_whole(value):
    with pytest.raises(TypeError, match=r"n must be an integer of at least 1, got .*; give a whole number"):
        check_count(value, "n")


def test_a_count_has_a_least_value():
    assert check_count(0, "seed", 0) == 0
    with pytest.raises(ValueError, match="seed must be at least 0, got -1; give a larger whole number"):
        check_count(-1, "seed", 0)
    with pytest.raises(ValueError, match="seed must be at most 9, got 10; give a smaller whole number"):
        check_count(10, "seed", 0, 9)


@pytest.mark.parametrize(
    "value",
    [2, 2.0, np.float32(2), np.int16(2), np.array(2.0), torch.tensor(2), torch.tensor(2.0), Fraction(2)],
)
def test_positive_numbers_become_plain_floats(value):
    number = check_positive(value, "tau")
    assert number == 2.0
    assert type(number) is float


@pytest.mark.parametrize("value", [0, -0.1, float("nan"), float("inf"), 10**400, torch.tensor(-1.0)])
def test_not_positive_is_refused(value):
    with pytest.raises(
        ValueError, match=r"tau must be finite and above 0, got .*; give for instance tau=0.02"
    ):
        check_positive(value, "tau")


@pytest.mark.parametrize(
    "value", ["0.1", None, True, np.bool_(True), torch.tensor(True), [0.1], np.ones(1), 1j, torch.ones(2)]
)
def test_not_a_number_is_refused(value):
    with pytest.raises(TypeError, match=r"tau must be a number above 0, got .*; give for instance tau=0.02"):
        check_positive(value, "tau")


def test_choices_are_listed_when_none_fits():
    assert check_choice("b", "mode", ("a", "b")) == "b"
    with pytest.raises(ValueError, match="mode must be one of a, b, got 'c'; choose one of them"):
        check_choice("c", "mode", ("a", "b"))


@pytest.mark.parametrize("value", [None, 1, ["a"], np.array(["a", "b"]), torch.zeros(2)])
def test_a_choice_is_a_text(value):
    with pytest.raises(ValueError, match="mode must be one of a, b, got "):
        check_choice(value, "mode", ("a", "b"))


@pytest.mark.parametrize("kind", [np.int64, np.array, torch.tensor])
def test_every_kind_of_number_gives_the_same_result(kind):
    z, y = np.random.default_rng(0).normal(size=(20, 3)), np.arange(20) % 3
    plain = relatedness(Task(z, y, 3), Task(z[::-1] + 1, y, 3), 2, seed=3)
    tasks = Task(z, y, kind(3)), Task(z[::-1] + 1, y, kind(y.max() + 1))
    assert relatedness(*tasks, kind(2), seed=kind(3)).bound == plain.bound
    assert type(tasks[0].n_classes) is int


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: relatedness(t, "digits"), "target must be a taskrel_core.Task, got str; make one: Task"),
        (lambda t: relatedness(t.z, t), "reference must be a taskrel_core.Task, got Tensor"),
        (lambda t: transferability(None, 1), "target must be a taskrel_core.Task, got NoneType"),
        (lambda t: relatedness(t, t, True), "tau must be a number above 0, got True"),
        (lambda t: relatedness(t, t, seed="0"), "seed must be an integer of at least 0, got '0'"),
        (lambda t: relatedness(t, t, settings={}), "settings must be ExactSettings, got dict; leave it out"),
        (lambda t: relatedness(t, t, gradient=1), "gradient must be GradientSettings, got int; leave it out"),
        (lambda t: Task(t.z, t.y, "2"), "n_classes must be an integer of at least 1, got '2'"),
    ],
)
def test_a_wrong_type_is_refused_in_our_own_words(call, message):
    with pytest.raises(TypeError, match=message):
        call(Task(np.eye(2), [0, 1], 2))


def test_a_seed_is_one_that_every_library_takes():
    task = Task(np.eye(2), [0, 1], 2)
    with pytest.raises(ValueError, match="seed must be at most 4294967295, got 4294967296"):
        relatedness(task, task, seed=2**32)


def test_widths_must_agree():
    check_same_width(torch.zeros(3, 2), torch.zeros(9, 2), "x", "y")
    with pytest.raises(
        ValueError, match="x and y must have the same width, got 2 and 4; take the features of both"
    ):
        check_same_width(torch.zeros(3, 2), torch.zeros(3, 4), "x", "y")
