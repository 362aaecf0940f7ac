"""Problems with known answers, for the tests."""

from dataclasses import replace

import numpy as np
import torch

from taskrel_core import Task
from taskrel_core.method.settings import ExactSettings

FEW_STEPS = ExactSettings(
    pull_back_steps=6, map_starts=8, map_keep=2, rounds=3, joint_steps=8, joint_rounds=2, pseudo_rounds=2
)  # looser and faster, not less certified: for tests of what holds after any search
FEW_TURNS = replace(FEW_STEPS, full_turn=32, leading=16)  # and for features of encoders, which are wide


def gaussian_task(
    n: int, d: int, k: int, seed: int, separation: float = 2.0, prior: list[float] | None = None
) -> Task:
    """Classes are unit Gaussians around random means; every class appears while n >= k."""
    rng = np.random.default_rng(seed)
    y = rng.choice(k, size=n, p=prior)
    y[: min(n, k)] = np.arange(k)[: min(n, k)]
    means = rng.normal(size=(k, d)) * separation
    return Task(means[y] + rng.normal(size=(n, d)), y, k)


def rotation(d: int, seed: int) -> torch.Tensor:
    """A random orthogonal matrix."""
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(d, d, generator=generator, dtype=torch.float64)).Q


def turned_copy(task: Task, seed: int) -> tuple[Task, torch.Tensor]:
    """The task turned, shifted and relabelled, and where each class went: new label of old class j."""
    generator = torch.Generator().manual_seed(seed)
    new = torch.randperm(task.n_classes, generator=generator)
    z = task.z @ rotation(task.d, seed).T + 3.0
    return Task(z, new[task.labels], task.n_classes), new


def random_stochastic(rows: int, columns: int, seed: int) -> torch.Tensor:
    """A matrix with columns that sum to 1."""
    generator = torch.Generator().manual_seed(seed)
    return torch.softmax(3 * torch.randn(rows, columns, generator=generator, dtype=torch.float64), dim=0)
