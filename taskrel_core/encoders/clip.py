"""CLIP by name, ``clip:MODEL/PRETRAINED``, for every pair that open_clip knows, and the zero-shot head of its text tower.

Features are the image embeddings of norm 1, so that zero-shot classification is a linear softmax head on them.
"""

import difflib
import logging
import pickle
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
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
from .checkpoints import at_hand, fingerprint
from .preprocessing import Preset

__all__ = ["LISTED", "TEMPLATES", "Clip", "Tower", "clip", "zero_shot_head"]


PREFIX = "clip:"
TEMPLATES = ("a photo of a {}.", "a picture of the {}.", "an image of one {}.")  # our choice

# A few of them by name; dim and side in pixels stand here so that listing them needs no open_clip.
LISTED = {
    "clip:ViT-B-32/openai": (512, 224),
    "clip:ViT-B-16/openai": (512, 224),
    "clip:ViT-L-14/openai": (768, 224),
    "clip:RN50/openai": (1024, 224),
    "clip:RN101/openai": (512, 224),
    "clip:ViT-B-32/laion2b_s34b_b79k": (512, 224),
}

TEXTS = 128  # of them at a time
HUB = "https://huggingface.co"
PREPARATION = ("mean", "std", "interpolation", "resize_mode")


class Tower(nn.Module):
    """The image tower of a CLIP model, prepared images (n, 3, side, side) -> embeddings (n, dim) of norm 1."""

    def __init__(self, visual: nn.Module):
        super().__init__()
        self.visual = visual

    def forward(self, x: Tensor) -> Tensor:
        """Return embeddings, (n, dim)."""
        z = self.visual(x)
        return F.normalize(z[0] if isinstance(z, tuple) else z, dim=1)  # some towers give their tokens too


@dataclass(frozen=True)
class Clip:
    """One model of open_clip with one set of weights."""

    model: str
    pretrained: str
    licence: str = "of its weights: see open_clip's list"
    source_task: str = "pictures and their captions"
    head: bool = False

    @property
    def name(self) -> str:
        """Name of the encoder."""
        return f"{PREFIX}{self.model}/{self.pretrained}"

    @property
    def file(self) -> str:
        """Name of the weights in TASKREL_DATA and in the cache, without its suffix."""
        return f"clip_{self.model}_{self.pretrained}"

    @cached_property
    def _config(self) -> dict[str, Any]:
        return _open_clip().get_model_config(self.model)

    @property
    def dim(self) -> int:
        """Width of the embeddings."""
        return self._config["embed_dim"]

    @property
    def size(self) -> int:
        """Side of the images, pixels."""
        side = self._config["vision_cfg"].get("image_size", 224)
        return side if isinstance(side, int) else side[0]

    @property
    def version(self) -> str:
        """What determines the features: the weights at hand."""
        return fingerprint(self.path())

    def present(self) -> Path | None:
        """Return the weights in TASKREL_DATA, a .safetensors, .pt or .bin, or those fetched before, or None."""
        found = (at_hand(self.file + suffix) for suffix in (".safetensors", ".pt", ".bin"))
        return next(filter(None, found), None)

    def path(self) -> Path:
        """Return the weights: those present, else open_clip's download.

        Raises:
            MissingAsset: there are none, or open_clip is not installed.
        """
        given = self.present()
        if given is not None:
            return given
        about = _open_clip().get_pretrained_cfg(self.model, self.pretrained)
        origin = about.get("hf_hub") or about.get("url")
        hint = (
            f"Encoder {self.name!r} needs its weights (0.3 GB and more) from {origin}, as state dict or safetensors. "
            f"Put them into a folder as {self.file}.safetensors or .pt, and set TASKREL_DATA to that folder."
        )
        return keep_file(
            f"{self.file}.safetensors", [Source("open_clip's download", self._fetched)], None, hint
        )

    def _fetched(self, scratch: Path) -> Path:
        about = _open_clip().get_pretrained_cfg(self.model, self.pretrained)
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
        save_file(
            {key: value.contiguous().clone() for key, value in state.items()}, scratch / "it.safetensors"
        )
        return scratch / "it.safetensors"

    def whole(self) -> Any:
        """Return the model with both towers, in evaluation mode; nothing in the file is run.

        Raises:
            MissingAsset: as ``path``.
            ValueError: the file is damaged, is a TorchScript archive, or holds other weights than the model's.
        """
        path, library = self.path(), _open_clip()
        about = library.get_pretrained_cfg(self.model, self.pretrained)
        try:
            with _quiet():
                return library.create_model(
                    self.model,
                    pretrained=str(path),
                    weights_only=True,
                    force_quick_gelu=about.get("quick_gelu", False),
                    force_preprocess_cfg={key: about[key] for key in PREPARATION if key in about},
                ).eval()
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

    @property
    def look(self) -> Preset:
        """The preparation published with the weights."""

        def make() -> Callable[..., Any]:
            library = _open_clip()
            about = library.get_pretrained_cfg(self.model, self.pretrained)
            settings = {key: about[key] for key in PREPARATION if key in about}
            return library.image_transform(self.size, is_train=False, **settings)

        return Preset(make)

    def zero_shot(
        self, class_names: Sequence[str], templates: Sequence[str] = TEMPLATES
    ) -> tuple[Tensor, Tensor]:
        """Return weight (K, dim) and bias (K,) of the head that the text tower makes of class names.

        Row k is the model's scale times the mean embedding, brought to norm 1, of the name in each template. On
        embeddings of norm 1 the head gives CLIP's own zero-shot probabilities.

        Raises:
            ValueError: no names, or a template without a place for one; also as ``whole``.
        """
        if not class_names or not templates or any("{}" not in t for t in templates):
            raise ValueError(
                f"class_names must hold a name and templates a text with {{}}, got {class_names!r}, {templates!r}"
            )
        model = self.whole().to(environment.device())
        texts = [t.format(name.replace("_", " ")) for name in class_names for t in templates]
        tokens = _open_clip().get_tokenizer(self.model)(texts)
        with torch.inference_mode():
            parts = tqdm(tokens.split(TEXTS), desc=f"names for {self.name}", leave=False, delay=2)
            said = torch.cat(
                [F.normalize(model.encode_text(part.to(environment.device())), dim=1) for part in parts]
            )
            rows = F.normalize(said.reshape(len(class_names), len(templates), -1).mean(1), dim=1)
            weight = (model.logit_scale.exp() * rows).cpu().double().clone()
        return weight, torch.zeros(len(weight), dtype=torch.float64)


def clip(name: str) -> Clip | None:
    """Return the entry of ``clip:MODEL/PRETRAINED``, or None for a name of another kind.

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
    return Clip(*pair)


def zero_shot_head(encoder: str, class_names: Sequence[str], templates: Sequence[str] = TEMPLATES) -> Head:
    """Return the head that CLIP's text tower makes of class names: a reference head that no picture was used for.

    On features of the encoder (norm 1, not standardised) its probabilities are CLIP's own zero-shot ones; its Lipschitz
    constant is the largest distance of two of its rows, as for any head.

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
    model = clip(encoder)
    if model is None:
        raise UnknownName(f"encoder must have a text tower, got {encoder!r}; give clip:MODEL/PRETRAINED")
    return Head(*model.zero_shot(class_names, templates))


def _open_clip() -> ModuleType:
    import_torchvision()  # first: where it has to be mended, open_clip's own import would fail
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
    """For its maker of models: no remark on weights that are given as a file, and no random numbers used up."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", UserWarning)
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
