"""How the small encoders are pre-trained: a recipe for each, the same list for every architecture, and the training.

The recipes were fixed before any target was looked at. Sources are train parts only.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from ..data.datasets import DATASETS
from ..encoders.small_networks import DIM, NETWORKS, SIDE, prepared
from ..extraction import sample

__all__ = ["RECIPES", "Pretraining", "train"]

VERSION = 1  # raise when a change of this file moves weights
RECORDED = 3  # first steps whose losses are kept, to compare a repetition with
TEMPERATURE = 0.5  # Chen et al. 2020
SHIFT = 4  # pixels by which pictures are moved at most
PATCH = 4  # side in pixels of what a masked picture lacks


@dataclass(frozen=True)
class Pretraining:
    """What determines the weights of a small encoder.

    Attributes:
        architecture: name in NETWORKS.
        source: name in DATASETS, or "" for random weights.
        objective: name in OBJECTIVES.
        epochs: passes over the sample; 0 leaves the random start.
        n: images of the source's train part, sampled with ``seed``; None: all.
        classes: labels that are kept; None: all.
        noise: fraction of the labels that are replaced by random ones.
        attack: L2 radius of the adversary, for pixels in [0, 1]; 0: none.
        flip: mirror half of the pictures.
        seed: of sample, weights, order and augmentation.
        batch: images in a batch.
        lr: largest of a one-cycle schedule, for AdamW.
        weight_decay: of AdamW.
    """

    architecture: str
    source: str = "tiny_imagenet"
    objective: str = "classes"
    epochs: int = 3
    n: int | None = None
    classes: tuple[int, ...] | None = None
    noise: float = 0.0
    attack: float = 0.0
    flip: bool = True
    seed: int = 0
    batch: int = 128
    lr: float = 3e-3
    weight_decay: float = 0.05

    @property
    def summary(self) -> str:
        """What it is trained on, in a few words."""
        if not self.source:
            return "none: random"
        parts = [
            self.source,
            "" if self.objective == "classes" else self.objective,
            f"{self.n} images" if self.n else "",
            f"{len(self.classes)} classes" if self.classes else "",
            f"{self.noise:.0%} of labels random" if self.noise else "",
            f"adversary of L2 radius {self.attack}" if self.attack else "",
            f"{self.epochs} epoch{'s' * (self.epochs > 1)}",
        ]
        return ", ".join(part for part in parts if part)


TWENTY = tuple(range(0, 200, 10))

RECIPES: Mapping[str, Mapping[str, Any]] = {
    "random": {"source": "", "objective": "none", "epochs": 0},
    "fashion_mnist": {"source": "fashion_mnist", "n": 20000, "epochs": 2},
    "mnist": {"source": "mnist", "n": 20000, "epochs": 2, "flip": False},
    "glyphs_latin": {"source": "glyphs_latin", "epochs": 5, "flip": False},
    "emoji_twemoji": {"source": "emoji_twemoji", "epochs": 24},
    "cifar10": {"source": "cifar10", "epochs": 5},
    "tiny_1": {"epochs": 1},
    "tiny_tenth": {"n": 2000, "epochs": 16},
    "tiny_20_classes": {"classes": TWENTY, "epochs": 16},
    "tiny_3": {},
    "rotation": {"objective": "rotation"},
    "tiny_noisy": {"noise": 0.6},
    "masked": {"objective": "masked"},
    "tiny_8": {"epochs": 8},
    "adversarial_weak": {"attack": 0.25},
    "adversarial_strong": {"attack": 1.0},
    "contrastive": {"objective": "contrastive", "batch": 256},
}

# From trunk, head, images in [-1, 1], labels and the adversary's radius to the loss, and the fraction of right answers.
Objective = Callable[[nn.Module, nn.Module, Tensor, Tensor, float], tuple[Tensor, float]]


def _classified(scores: Tensor, y: Tensor) -> tuple[Tensor, float]:
    return nn.functional.cross_entropy(scores, y), float((scores.argmax(1) == y).float().mean())


def _classes(trunk: nn.Module, head: nn.Module, x: Tensor, y: Tensor, radius: float) -> tuple[Tensor, float]:
    """Cross-entropy of the labels, at the adversary's pictures if there is one."""
    x = _moved(x)
    if radius:
        x = _attacked(nn.Sequential(trunk, head), x, y, 2 * radius)  # pixels span [-1, 1]
    return _classified(head(trunk(x)), y)


def _attacked(net: nn.Module, x: Tensor, y: Tensor, radius: float) -> Tensor:
    """Return pictures within an L2 ball, one gradient step from a random start (after Wong et al. 2020)."""
    start = _normed(torch.randn_like(x)) * radius * torch.rand(len(x), 1, 1, 1)
    start.requires_grad_(True)
    (slope,) = torch.autograd.grad(nn.functional.cross_entropy(net(x + start), y), start)
    shift = (start + 1.25 * radius * _normed(slope)).detach()
    length = shift.flatten(1).norm(dim=1).clamp(min=radius)[:, None, None, None]
    return (x + shift * (radius / length)).clamp(-1, 1)


def _normed(x: Tensor) -> Tensor:
    return x / x.flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None, None]


def _rotation(trunk: nn.Module, head: nn.Module, x: Tensor, *_: object) -> tuple[Tensor, float]:
    """Cross-entropy of the quarter turns that a picture was given (Gidaris et al. 2018)."""
    x, turns = _moved(x), torch.randint(4, (len(x),))
    turned = torch.stack([torch.rot90(image, int(k), (1, 2)) for image, k in zip(x, turns, strict=True)])
    return _classified(head(trunk(turned)), turns)


def _masked(trunk: nn.Module, head: nn.Module, x: Tensor, *_: object) -> tuple[Tensor, float]:
    """Mean squared error of whole pictures, from features of pictures half of whose patches are grey."""
    x = _moved(x)
    kept = (torch.rand(len(x), 1, SIDE // PATCH, SIDE // PATCH) < 0.5).float()
    seen = x * nn.functional.interpolate(kept, scale_factor=PATCH)
    return nn.functional.mse_loss(head(trunk(seen)), x.flatten(1)), float("nan")


def _contrastive(trunk: nn.Module, head: nn.Module, x: Tensor, *_: object) -> tuple[Tensor, float]:
    """NT-Xent: which of the other pictures is another view of this one (Chen et al. 2020)."""
    n = len(x)
    z = nn.functional.normalize(head(trunk(torch.cat([_view(x), _view(x)]))), dim=1)
    scores = z @ z.T / TEMPERATURE - 1e9 * torch.eye(2 * n)
    return _classified(scores, torch.arange(2 * n).roll(n))


def _moved(x: Tensor) -> Tensor:
    """Shift each picture by a few pixels; what comes in at the border repeats the border."""
    dx, dy = torch.randint(-SHIFT, SHIFT + 1, (2, len(x), 1, 1))
    across = (torch.arange(SIDE) + dx).clamp(0, SIDE - 1)
    down = (torch.arange(SIDE)[:, None] + dy).clamp(0, SIDE - 1)
    return x[torch.arange(len(x))[:, None, None], :, down, across].permute(0, 3, 1, 2)


def _view(x: Tensor) -> Tensor:
    """Return a random crop of at least 30 % of each picture, resized, in other brightness and contrast, some grey."""
    side = torch.empty(len(x), 1, 1).uniform_(0.3, 1).sqrt()
    centre = (torch.rand(len(x), 2, 1) * 2 - 1) * (1 - side)
    where = torch.cat([side * torch.eye(2), centre], 2)
    grid = nn.functional.affine_grid(where, list(x.shape), align_corners=False)
    view = nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    grey = torch.rand(len(x), 1, 1, 1) < 0.2
    view = torch.where(grey, view.mean(1, keepdim=True), view)
    contrast = torch.empty(len(x), 1, 1, 1).uniform_(0.6, 1.4)
    return view * contrast + torch.empty(len(x), 3, 1, 1).uniform_(-0.3, 0.3)


def _projection(_: int) -> nn.Module:
    return nn.Sequential(nn.Linear(DIM, DIM), nn.ReLU(), nn.Linear(DIM, 64))


OBJECTIVES: Mapping[str, tuple[Callable[[int], nn.Module], Objective]] = {
    "classes": (lambda k: nn.Linear(DIM, k), _classes),
    "rotation": (lambda _: nn.Linear(DIM, 4), _rotation),
    "masked": (lambda _: nn.Linear(DIM, 3 * SIDE * SIDE), _masked),
    "contrastive": (_projection, _contrastive),
}


def train(recipe: Pretraining, steps: int | None = None) -> tuple[nn.Module, dict[str, Any]]:
    """Pre-train in one thread, and return the trunk in evaluation mode and facts of the training.

    Args:
        recipe: what to train, and how.
        steps: stop after so many steps of the same training; None: after all of them.

    Returns:
        Trunk, and a dict: ``images`` and ``steps`` trained with, ``first_losses``, ``final_loss`` and
        ``final_accuracy`` (means of the last epoch, with augmentation; None where the objective has none), ``seconds``
        of CPU time.

    Raises:
        KeyError: an unknown architecture, source or objective.
        MissingAsset: the source is not on this machine.
    """
    threads, started = torch.get_num_threads(), time.process_time()
    torch.set_num_threads(1)  # others' weights would depend on the number of cores
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            trunk = NETWORKS[recipe.architecture]()
            trunk.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
            facts = _descend(trunk, recipe, steps) if recipe.epochs else {}
    finally:
        torch.set_num_threads(threads)
    return trunk.eval(), facts | {"seconds": round(time.process_time() - started, 1)}


def _descend(trunk: nn.Module, recipe: Pretraining, steps: int | None) -> dict[str, Any]:
    """Train a trunk in place."""
    x, y, k = _material(recipe)
    make_head, objective = OBJECTIVES[recipe.objective]
    head = make_head(k)
    weights = [*trunk.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, recipe.lr, weight_decay=recipe.weight_decay)
    per_epoch = -(-len(y) // recipe.batch)
    total = recipe.epochs * per_epoch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, total_steps=total + 1)
    losses, rights = [], []
    trunk.train()
    for _ in tqdm(range(recipe.epochs), desc=f"{recipe.architecture} on {recipe.source}", leave=False):
        for rows in torch.randperm(len(y)).tensor_split(per_epoch):
            if len(losses) == steps:
                break
            batch = x[rows].float() / 127.5 - 1
            if recipe.flip:
                batch = torch.where(torch.rand(len(batch), 1, 1, 1) < 0.5, batch.flip(3), batch)
            loss, right = objective(trunk, head, batch, y[rows], recipe.attack)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            rights.append(right)
    accuracy = float(np.mean(rights[-per_epoch:]))
    return {
        "images": len(y),
        "steps": len(losses),
        "first_losses": losses[:RECORDED],
        "final_loss": round(float(np.mean(losses[-per_epoch:])), 4),
        "final_accuracy": None if np.isnan(accuracy) else round(accuracy, 4),
    }


def _material(recipe: Pretraining) -> tuple[Tensor, Tensor, int]:
    """Pictures uint8 (n, 3, 32, 32), labels (n,) with the noise that was asked for, number of classes."""
    data = DATASETS[recipe.source]
    images, labels = sample(data, "train", recipe.n, recipe.seed, recipe.classes)
    k = len(recipe.classes or data.class_names)
    rng = np.random.default_rng(recipe.seed)
    wrong = rng.random(len(labels)) < recipe.noise
    labels = np.where(wrong, rng.integers(0, k, len(labels)), labels)
    pixels = np.round((prepared(images, SIDE) + 1) * 127.5).astype(np.uint8)
    return torch.from_numpy(pixels), torch.from_numpy(labels), k
