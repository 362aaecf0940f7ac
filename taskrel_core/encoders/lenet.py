"""LeNet of the authors' small-scale study, trained on a reference and kept after each epoch."""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from .. import environment
from ..assets.content import atomic

__all__ = ["LeNet", "train_lenet"]


class LeNet(nn.Module):
    """conv20-5x5, pool, conv50-5x5, pool, FC200 with dropout (authors' code), a ReLU after each pool (our choice)."""

    def __init__(self, n_classes: int):
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
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


def train_lenet(
    images: np.ndarray, labels: np.ndarray, n_classes: int, seed: int, epochs: int, key: str
) -> Callable[[Tensor], Tensor]:
    """Return the feature function of a LeNet trained for ``epochs``; a state is kept after every epoch.

    Fewer epochs with the same seed and data are an earlier point of the same training.

    Args:
        images: float32 (n, 1, 28, 28) in [0, 1].
        labels: int64 (n,).
        n_classes: K.
        seed: of weights, order and dropout.
        epochs: passes over the data; 0 leaves the random start.
        key: content key of data and settings other than ``epochs``; names the cached files.

    Raises:
        ValueError: the cached state is damaged; the message names the file.
    """
    folder = environment.cache_dir() / "weights" / "lenet"
    path = folder / f"{key[:24]}-{epochs:03d}.pt"
    if not path.exists():
        _train(images, labels, n_classes, seed, epochs, folder, key[:24])
    with torch.random.fork_rng(
        devices=[]
    ):  # its random start is not used, so the caller's numbers are not either
        net = LeNet(n_classes)
    try:
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} is damaged ({reason}); delete it and run again") from error
    return net.to(environment.device()).eval().features


def _train(
    images: np.ndarray, labels: np.ndarray, n_classes: int, seed: int, epochs: int, folder: Path, stem: str
) -> None:
    """Adam 1e-3, beta1 .5, decay 5e-4, batch 256 (authors' code), saving the state after each epoch."""
    x = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)  # twice as fast on a CPU
    y = torch.from_numpy(labels)
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        net = LeNet(n_classes).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        net.mean.copy_(x.mean())
        net.scale.copy_(x.std().clamp(min=1e-6))
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999), weight_decay=5e-4)
        _save(net, folder / f"{stem}-000.pt")
        for epoch in tqdm(range(1, epochs + 1), desc="training LeNet", leave=False):
            net.train()
            for rows in torch.randperm(len(x)).split(256):
                optimiser.zero_grad()
                nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
                optimiser.step()
            _save(net, folder / f"{stem}-{epoch:03d}.pt")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Train in one thread: the layers are small, so a second one gains little, and loses much where cores are shared.

    It also makes the weights independent of the number of cores.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _save(net: nn.Module, path: Path) -> None:
    with atomic(path) as scratch:
        torch.save(net.state_dict(), scratch)
