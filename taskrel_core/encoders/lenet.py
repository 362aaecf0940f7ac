"""LeNet of the authors' small-scale study, trained on a reference, its state kept after each epoch."""

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from .. import environment
from ..assets.content import atomic
from .base import OURS, Encode, FittedEncoder, TrainingSample, batched, register
from .preprocessing import grey

SIDE = 28  # pixels


class LeNet(nn.Module):
    """conv20-5x5, pool, conv50-5x5, pool, FC200 with dropout (authors' code), a ReLU after each pool (our choice)."""

    mean: Tensor
    scale: Tensor

    def __init__(self, n_classes: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 20, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(20, 50, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(800, 200),
            nn.ReLU(),
        )
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(200, n_classes))

    def features(self, x: Tensor) -> Tensor:
        """Return the 200 features after the last hidden layer, (n, 200)."""
        return self.trunk((x - self.mean) / self.scale)

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores, (n, K)."""
        return self.head(self.features(x))


def train_lenet(sample: TrainingSample) -> Encode:
    """Return the feature function of a LeNet trained on a sample; its state is cached after every epoch.

    Fewer epochs with the same seed and data are an earlier point of the same training; 0 is the random initialisation.

    Raises:
        ValueError: the cached state is damaged; the message names the file.
    """
    stem = environment.cache_dir() / "weights" / "lenet" / sample.key[:24]
    path = _state(stem, sample.epochs)
    if not path.exists():
        _train(sample, stem)
    with torch.random.fork_rng(devices=[]):  # preserves the caller's RNG state
        net = LeNet(sample.n_classes)
    try:
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} is damaged ({reason}); delete it and run again") from error
    trunk = net.to(environment.device()).eval().features
    return lambda images: batched(
        trunk, images, "lenet", 512, lambda part: torch.from_numpy(grey(part, SIDE))
    )


def _train(sample: TrainingSample, stem: Path) -> None:
    """Adam 1e-3, beta1 .5, decay 5e-4, batch 256 (authors' code), saving the state after each epoch."""
    images = torch.from_numpy(grey(sample.images, SIDE))
    x = images.contiguous(memory_format=torch.channels_last)  # twice as fast on a CPU
    y = torch.from_numpy(sample.labels)
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(sample.seed)
        net = LeNet(sample.n_classes)
        net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        net.mean.copy_(x.mean())
        net.scale.copy_(x.std().clamp(min=1e-6))
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999), weight_decay=5e-4)
        _save(net, _state(stem, 0))
        for epoch in tqdm(range(1, sample.epochs + 1), desc="training LeNet", leave=False):
            net.train()
            for rows in torch.randperm(len(x)).split(256):
                optimiser.zero_grad()
                nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
                optimiser.step()
            _save(net, _state(stem, epoch))


def _state(stem: Path, epoch: int) -> Path:
    return stem.with_name(f"{stem.name}-{epoch:03d}.pt")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Train in one thread: the layers are small, and the weights do not depend on the number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _save(net: nn.Module, path: Path) -> None:
    with atomic(path) as scratch:
        torch.save(net.state_dict(), scratch)


register(
    FittedEncoder(
        name="lenet",
        dim=200,
        source_task="the reference itself",
        licence=OURS,
        input_size=SIDE,
        recipe="lenet-2",
        learn=train_lenet,
    )
)
