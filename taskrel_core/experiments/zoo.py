"""``python -m taskrel_core.experiments.zoo [--ship] [ARCHITECTURE/PRETRAINING ...]``: train small encoders again.

Each is trained into the cache, one after another in one thread, and its features are compared with those of the
weights that the package carries. ``--ship`` puts the trained weights into the package instead, with their cards.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from .. import environment
from .._registry import did_you_mean
from ..assets.content import atomic, content_key, file_fingerprint
from ..data.datasets import DATASETS
from ..encoders.base import ENCODERS
from ..encoders.small import FOLDER, PREFIX, file_name, network
from ..encoders.small_networks import NETWORKS, SIDE, prepared
from .pretraining import RECIPES, VERSION, Pretraining, train

__all__ = ["NAMES", "compare", "main", "recipe_of", "ship", "trained"]

NAMES = tuple(f"{architecture}/{pretraining}" for pretraining in RECIPES for architecture in NETWORKS)
COMPARED = 200  # images on which two encoders are compared


def recipe_of(name: str) -> Pretraining:
    """Return the recipe of ``architecture/pretraining``.

    Raises:
        ValueError: there is no such pair.
    """
    architecture, _, pretraining = name.partition("/")
    if name not in NAMES:
        raise ValueError(
            f"a small encoder must be ARCHITECTURE/PRETRAINING, got {name!r}{did_you_mean(name, NAMES)}; "
            f"architectures: {', '.join(NETWORKS)}; pre-trainings: {', '.join(RECIPES)}"
        )
    return Pretraining(architecture, **RECIPES[pretraining])


def trained(name: str) -> Path:
    """Return the file of an encoder trained on this machine, its card beside it; train it if need be.

    Raises:
        MissingAsset: its source is not on this machine.
        ValueError: an unknown name.
    """
    recipe = recipe_of(name)
    source = DATASETS[recipe.source] if recipe.source else None
    determines = asdict(recipe) | {"version": VERSION, "data": source.version if source else ""}
    stem = f"{name.replace('/', '-')}-{content_key(determines)[:12]}"
    path = environment.cache_dir() / "zoo" / f"{stem}.safetensors"
    if path.exists() and path.with_suffix(".json").exists():
        return path
    trunk, facts = train(recipe)
    state = {key: value.half().contiguous() for key, value in trunk.state_dict().items() if value.ndim}
    with atomic(path) as scratch:
        scratch.write_bytes(save(state))
    card = {
        "source_task": recipe.summary,
        **asdict(recipe),
        "source_version": source.version if source else "",
        "source_licence": source.licence if source else "",
        "parameters": sum(weight.numel() for weight in trunk.parameters()),
        **facts,
        "sha256": file_fingerprint(path),
    }
    with atomic(path.with_suffix(".json")) as scratch:
        scratch.write_text(json.dumps(card))
    return path


def compare(name: str, path: Path) -> tuple[float, float, float]:
    """Compare weights trained here with those of the package, by features of the same pictures.

    Returns:
        Largest difference of the features, their standard deviation, and the correlation of the two.
    """
    images = DATASETS["digits"].images("test", np.arange(COMPARED))
    net = network(recipe_of(name).architecture, path)
    with torch.no_grad():
        ours = net(torch.from_numpy(prepared(images, SIDE).copy())).numpy()
    theirs = ENCODERS[PREFIX + name].features(images)
    together = np.corrcoef(ours.ravel(), theirs.ravel())[0, 1]
    return float(np.abs(ours - theirs).max()), float(theirs.std()), float(together)


def ship(paths: Mapping[str, Path], folder: Path) -> None:
    """Copy the files that ``trained`` returned, by name, into a folder, and add their cards to those in it."""
    table = folder / "cards.json"
    cards: dict[str, Any] = json.loads(table.read_text()) if table.exists() else {}
    for name, path in paths.items():
        shutil.copyfile(path, folder / file_name(name))
        cards[name] = json.loads(path.with_suffix(".json").read_text())
    lines = (f'"{name}": {json.dumps(cards[name])}' for name in NAMES if name in cards)
    with atomic(table) as scratch:
        scratch.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main(arguments: Sequence[str]) -> int:
    """Train what is named, by default all, and compare or ship it; return 2 for an unknown name."""
    names = [word for word in arguments if word != "--ship"] or NAMES
    try:
        for name in names:
            recipe_of(name)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    paths = {}
    for name in names:
        paths[name] = path = trained(name)
        seconds = json.loads(path.with_suffix(".json").read_text())["seconds"]
        said = f"{name:30} {seconds:7.1f} CPU s"
        if "--ship" not in arguments and PREFIX + name in ENCODERS:
            most, spread, r = compare(name, path)
            said += f"  features differ by at most {most:.2g} (sd {spread:.2g}), correlation {r:.4f}"
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
    if "--ship" in arguments:
        ship(paths, FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
