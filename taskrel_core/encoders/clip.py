"""CLIP by name, ``clip:MODEL/PRETRAINED``, for every pair that open_clip knows, and the zero-shot head from its text tower.

Features are the image embeddings of norm 1, so that zero-shot classification is a linear softmax head on them.
"""

import difflib
import logging
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from .. import environment
from .._registry import MissingAsset, UnknownName
from ..assets.cache import keep_file
from ..assets.sources import Source, SourceFailed
from ..assets.torchvision_import import import_torchvision
from ..method.head import Head
from .base import register
from .checkpoints import PublishedFile
from .preprocessing import Preset

PREFIX = "clip:"
TEMPLATES = ("a photo of a {}.", "a picture of the {}.", "an image of one {}.")  # our choice

# Registered by name; width and side in pixels are here so that listing them needs no open_clip.
LISTED = {
    "clip:ViT-B-32/openai": (512, 224),
    "clip:ViT-B-16/openai": (512, 224),
    "clip:ViT-L-14/openai": (768, 224),
    "clip:RN50/openai": (1024, 224),
    "clip:RN101/openai": (512, 224),
    "clip:ViT-B-32/laion2b_s34b_b79k": (512, 224),
}

TEXTS = 128  # class names embedded at a time
HUB = "https://huggingface.co"


class Tower(nn.Module):
    """The image tower of a CLIP model, prepared images (n, 3, side, side) -> embeddings (n, dim) of norm 1."""

    def __init__(self, visual: nn.Module):
        super().__init__()
        self.visual = visual

    def forward(self, x: Tensor) -> Tensor:
        """Return embeddings, (n, dim)."""
        z = self.visual(x)
        return F.normalize(z[0] if isinstance(z, tuple) else z, dim=1)  # some towers give their tokens too


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip(PublishedFile):
    """One model of open_clip with one set of weights; ``file`` is without its suffix."""

    model: str
    pretrained: str
    licence: str = "of its weights: see open_clip's list"
    source_task: str = "pictures and their captions"

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names under which the file is looked for."""
        return tuple(self.file + suffix for suffix in (".safetensors", ".pt", ".bin"))

    def download(self) -> Path:
        """Return open_clip's download in the cache."""
        about = _published(self.model, self.pretrained)
        origin = about.get("hf_hub") or about.get("url")
        hint = (
            f"Encoder {self.name!r} needs its weights (0.3 GB and more) from {origin}, as state dict or safetensors. "
            f"Put them into a folder as {self.file}.safetensors or .pt, and set TASKREL_DATA to that folder."
        )
        source = Source("open_clip's download", partial(_fetch, about))
        return keep_file(f"{self.file}.safetensors", [source], None, hint)

    def whole(self) -> Any:
        """Return the model with both towers, in evaluation mode; nothing in the file is run.

        Raises:
            MissingAsset: as ``path``.
            ValueError: the file is damaged, is a TorchScript archive, or holds other weights than the model's.
        """
        path, about = self.path(), _published(self.model, self.pretrained)
        try:
            with _quiet():
                model = _open_clip().create_model(
                    self.model,
                    pretrained=str(path),
                    weights_only=True,
                    force_quick_gelu=about.get("quick_gelu", False),
                    force_preprocess_cfg=_preprocessing(about),
                )
            return model.eval()
        except ImportError as error:
            raise MissingAsset(
                f"encoder {self.name!r} needs {error.name}: python -m pip install {error.name}"
            ) from error
        except Exception as error:  # the reader raises what its library does: many types
            raise ValueError(
                f"{path} is not a state dict of {self.name!r} ({' '.join(str(error).split())[:400]}); where it is a "
                "TorchScript archive, which is code, take open_clip's safetensors copy instead"
            ) from error

    def load(self) -> tuple[Tower, None]:
        """Return the image tower; raises as ``whole``."""
        return Tower(self.whole().visual), None


def _published(model: str, pretrained: str) -> dict[str, Any]:
    """What open_clip knows of a set of weights."""
    return _open_clip().get_pretrained_cfg(model, pretrained)


def _preprocessing(about: Mapping[str, Any]) -> dict[str, Any]:
    return {key: about[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in about}


def _fetch(about: Mapping[str, Any], scratch: Path) -> Path:
    """Download weights with open_clip, as safetensors."""
    if about.get("hf_hub"):
        with urlopen(HUB, timeout=10):  # where it does not answer, its client would try for minutes
            pass
    try:
        found = Path(_open_clip().download_pretrained(about, cache_dir=str(scratch)))
    except (RuntimeError, AssertionError) as error:
        raise SourceFailed(str(error)) from error
    if found.suffix == ".safetensors":
        return found
    from open_clip.factory import load_state_dict
    from safetensors.torch import save_file

    try:
        state = load_state_dict(str(found), weights_only=True)
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise SourceFailed(f"{found.name} is more than tensors") from error
    save_file({key: value.contiguous().clone() for key, value in state.items()}, scratch / "it.safetensors")
    return scratch / "it.safetensors"


def _entry(name: str, dim: int, side: int) -> Clip:
    model, _, pretrained = name.removeprefix(PREFIX).rpartition("/")

    def transform() -> Callable[..., Any]:
        settings = _preprocessing(_published(model, pretrained))
        return _open_clip().image_transform(side, is_train=False, **settings)

    return Clip(
        name=name,
        model=model,
        pretrained=pretrained,
        file=f"clip_{model}_{pretrained}",
        dim=dim,
        input_size=side,
        normalization=Preset(transform),
    )


for _name, _facts in LISTED.items():
    register(_entry(_name, *_facts))


@lru_cache(16)  # one object for one name, so that its network stays loaded
def clip(name: str) -> Clip | None:
    """Return the encoder ``clip:MODEL/PRETRAINED``, or None for a name of another kind.

    Raises:
        MissingAsset: open_clip is not installed.
        UnknownName: open_clip knows no such pair; the message has the nearest.
    """
    if not name.startswith(PREFIX):
        return None
    pair = tuple(name.removeprefix(PREFIX).rpartition("/")[::2])
    known = _open_clip().list_pretrained()
    if pair not in known:
        names = [f"{PREFIX}{model}/{tag}" for model, tag in known]
        near = difflib.get_close_matches(name, names, 5, 0.5) or names[:5]
        raise UnknownName(f"unknown encoder {name!r}; open_clip knows {len(names)}, near: {', '.join(near)}")
    config = _open_clip().get_model_config(pair[0])
    side = config["vision_cfg"].get("image_size", 224)
    return _entry(name, config["embed_dim"], side if isinstance(side, int) else side[0])


def zero_shot_head(encoder: str, class_names: Sequence[str], templates: Sequence[str] = TEMPLATES) -> Head:
    """Return the head that CLIP's text tower makes of class names: a reference head made without images.

    Row k is the model's scale times the mean embedding, brought to norm 1, of the name in each template. On features of
    the encoder (norm 1, not standardised) its probabilities are CLIP's own zero-shot ones; its Lipschitz constant is
    the largest distance between two of its rows, as for any head.

    Args:
        encoder: ``clip:MODEL/PRETRAINED``.
        class_names: names of the K classes, in order of their labels.
        templates: texts with {} for the name; the default ones are ours.

    Raises:
        KeyError: an unknown encoder, or one without a text tower.
        MissingAsset: its weights or open_clip are not on this machine.
        ValueError: no names, or a template without a place for one.

    Example:
        >>> head = zero_shot_head("clip:ViT-B-32/openai", ["cat", "dog"])  # doctest: +SKIP
        >>> try:
        ...     zero_shot_head("lenet", ["cat", "dog"])
        ... except KeyError as error:
        ...     print(error)
        encoder must have a text tower, got 'lenet'; give clip:MODEL/PRETRAINED
    """
    entry = clip(encoder)
    if entry is None:
        raise UnknownName(f"encoder must have a text tower, got {encoder!r}; give clip:MODEL/PRETRAINED")
    if not class_names or not templates or any("{}" not in t for t in templates):
        raise ValueError(
            f"class_names must hold a name and templates a text with {{}}, got {class_names!r}, {templates!r}"
        )
    device = environment.device()
    model = entry.whole().to(device)
    texts = [t.format(name.replace("_", " ")) for name in class_names for t in templates]
    batches = _open_clip().get_tokenizer(entry.model)(texts).split(TEXTS)
    with torch.inference_mode():
        parts = tqdm(batches, desc=f"names for {encoder}", leave=False, delay=2)
        embedded = torch.cat([F.normalize(model.encode_text(part.to(device)), dim=1) for part in parts])
        rows = F.normalize(embedded.reshape(len(class_names), len(templates), -1).mean(1), dim=1)
        weight = (model.logit_scale.exp() * rows).cpu().double().clone()
    return Head(weight, torch.zeros(len(weight), dtype=torch.float64))


def _open_clip() -> ModuleType:
    import_torchvision()  # first: where it has to be repaired, open_clip's own import would fail
    try:
        import open_clip
    except ImportError as error:
        raise MissingAsset(
            "encoders clip:... need open_clip; install it: python -m pip install 'taskrel[paper]', in this folder "
            "'.[paper]'"
        ) from error
    return open_clip


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence open_clip's remarks on weights given as a file, and preserve the caller's RNG state."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", UserWarning)
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
