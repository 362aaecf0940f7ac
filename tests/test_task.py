"""A task: what it copies, what it counts, and what it refuses, with the text of each refusal."""

import numpy as np
import pytest
import torch

from taskrel_core import Task


def test_numpy_and_torch_give_the_same_task_in_float64():
    z, y = (
        np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32),
        np.array([0, 2, 2, 0, 2], np.uint8),
    )
    from_numpy, from_torch = Task(z, y, 4), Task(torch.tensor(z), torch.tensor(y), 4)
    assert from_numpy.z.dtype == torch.float64
    assert from_numpy.y.dtype == torch.int64
    assert torch.equal(from_numpy.z, from_torch.z)
    assert torch.equal(from_numpy.y, from_torch.y)
    assert (len(from_numpy), from_numpy.d) == (5, 2)


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_the_task_owns_a_copy(kind):
    z, y = kind([[1.0], [2.0]]), kind([0, 1])
    task = Task(z, y, 2)
    z[0], y[0] = 9.0, 1
    assert task.z[0, 0] == 1.0
    assert task.y[0] == 0


def test_prior_counts_absent_classes_as_0_and_samples_keep_their_order():
    task = Task([[1.0], [2.0], [3.0], [4.0]], [3, 0, 3, 3], 5)
    assert task.prior.tolist() == [0.25, 0.0, 0.0, 0.75, 0.0]
    taken = task.take(torch.tensor([3, 1]))
    assert taken.z[:, 0].tolist() == [4.0, 2.0]
    assert taken.y.tolist() == [3, 0]


BAD = [
    (([[np.nan], [1.0]], [0, 1], 2), ValueError, r"z must be finite, got NaN or infinity \(first in row 0\)"),
    (([[0.0], [-np.inf]], [0, 1], 2), ValueError, r"first in row 1\); drop or repair such rows"),
    ((np.zeros(3), [0, 1, 1], 2), ValueError, r"z must have shape \(n, d\) .* got \(3,\); give one row"),
    ((np.zeros((0, 2)), [], 2), ValueError, r"with n, d >= 1, got \(0, 2\)"),
    ((np.zeros((2, 1), complex), [0, 1], 2), TypeError, "z must hold real numbers, got torch.complex128"),
    (
        ([[1.0], [2.0, 3.0]], [0, 1], 2),
        TypeError,
        "z must be a numpy array or a torch tensor of numbers, got list",
    ),
    (("no", [0], 1), TypeError, "z must be a numpy array or a torch tensor of numbers, got str"),
    (([[0.0]], [0, 1], 2), ValueError, r"y must have shape \(1,\), one label per row of z, got \(2,\)"),
    (([[0.0]], [[1, 0]], 2), ValueError, r"one-hot labels become classes by y.argmax\(1\)"),
    (([[0.0]], [0.0], 2), TypeError, "y must hold integers, got torch.float64; convert with"),
    (([[0.0]], [True], 2), TypeError, "y must hold integers, got torch.bool"),
    (
        ([[0.0], [0.0]], [0, 2], 2),
        ValueError,
        r"y must lie in 0..1 \(n_classes=2\), got values from 0 to 2; number",
    ),
    (([[0.0]], [-1], 2), ValueError, "got values from -1 to -1; number the classes from 0"),
    (([[0.0]], [0], 0), ValueError, "n_classes must be at least 1, got 0; give a larger whole number"),
    (([[0.0]], [0], -3), ValueError, "n_classes must be at least 1, got -3"),
]


@pytest.mark.parametrize(("arguments", "error", "text"), BAD)
def test_bad_input_is_refused_with_the_way_out(arguments, error, text):
    with pytest.raises(error, match=text):
        Task(*arguments)


def test_without_labels_only_the_features_can_be_read():
    task = Task([[1.0], [2.0]], None, 3, "blank")
    assert task.take(torch.tensor([1])).y is None
    for read in (lambda: task.prior, lambda: task.labels):
        with pytest.raises(ValueError, match=r"task 'blank' has y=None, .* give y, or use labels='pseudo'"):
            read()


@pytest.mark.parametrize(
    ("y", "k", "chance"),
    [
        ([0, 1, 2], 3, np.log(3)),
        ([0] * 114 + [1] * 6, 2, -(0.95 * np.log(0.95) + 0.05 * np.log(0.05))),
        ([0, 0, 1, 1], 5, np.log(2)),  # classes without samples cost nothing
        ([1, 1, 1], 2, 0.0),
    ],
)
def test_chance_is_the_entropy_of_the_class_shares(y, k, chance):
    assert Task(np.ones((len(y), 2)), y, k).chance == pytest.approx(chance, abs=1e-12)
