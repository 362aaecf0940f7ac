"""Random weights in the formats of the published checkpoints, under the names that the encoders look for."""

import json
from pathlib import Path

import torch
from torch import nn

from taskrel_core import ENCODERS
from taskrel_core.assets.torchvision_import import import_torchvision

MODELS = import_torchvision().models
MEAN, DEVIATION = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def network(kind: str, seed: int = 0) -> nn.Module:
    """Return a network of torchvision with random weights and statistics."""
    torch.manual_seed(seed)
    net = getattr(MODELS, kind)(weights=None)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return net.eval()


def prefixed(state: dict, prefix: str) -> dict:
    """Return the state with longer names."""
    return {prefix + key: value for key, value in state.items()}


def supervised(root: Path, kind: str) -> nn.Module:
    """A file of torchvision."""
    net = network(kind)
    torch.save(net.state_dict(), root / ENCODERS[kind].file)
    return net


def moco_v3(root: Path) -> nn.Module:
    """Two encoders with projectors, a predictor, and the optimiser's state."""
    net, extra = network("resnet50"), nn.Linear(3, 2).state_dict()
    state = {k: v for k, v in net.state_dict().items() if not k.startswith("fc.")}
    both = {}
    for encoder in ("base_encoder", "momentum_encoder"):
        both |= prefixed(state, f"module.{encoder}.") | prefixed(extra, f"module.{encoder}.fc.0.")
    both |= prefixed(extra, "module.predictor.0.")
    whole = {
        "epoch": 1000,
        "arch": "resnet50",
        "state_dict": both,
        "optimizer": {"state": {}, "param_groups": []},
    }
    torch.save(whole, root / ENCODERS["moco_v3_resnet50"].file)
    return net


def swav(root: Path) -> nn.Module:
    """Flat names, with the projection head and the prototypes."""
    net, extra = network("resnet50"), nn.Linear(3, 2)
    state = {k: v for k, v in net.state_dict().items() if not k.startswith("fc.")}
    more = prefixed(extra.state_dict(), "projection_head.0.") | {"prototypes.weight": extra.weight.data}
    torch.save(prefixed(state | more, "module."), root / ENCODERS["swav_resnet50"].file)
    return net


def simclr(root: Path) -> nn.Module:
    """A converted TensorFlow checkpoint, with its linear layer."""
    net = network("resnet50")
    torch.save({"state_dict": net.state_dict()}, root / ENCODERS["simclr_resnet50"].file)
    return net


def robust(root: Path, eps: str = "3") -> nn.Module:
    """The network twice, the second time inside its attacker, each behind a normaliser; and the training's state."""
    net = network("resnet18", seed=round(100 * float(eps)))
    scale = {"new_mean": MEAN[:, None, None], "new_std": DEVIATION[:, None, None]}
    state = prefixed(net.state_dict(), "module.model.") | prefixed(scale, "module.normalizer.")
    state |= prefixed(net.state_dict(), "module.attacker.model.") | prefixed(
        scale, "module.attacker.normalize."
    )
    whole = {"model": state, "optimizer": {"state": {}, "param_groups": []}, "schedule": None, "epoch": 90}
    torch.save(whole, root / ENCODERS[f"resnet18_l2_eps{eps}"].file)
    return net


def mae(root: Path, decoder: bool = False) -> nn.Module:
    """The names of timm's network below one entry; some files have the decoder too."""
    from timm.models import create_model

    torch.manual_seed(0)
    net = create_model("vit_base_patch16_224", num_classes=0).eval()
    state = net.state_dict()
    if decoder:
        state = state | {"mask_token": torch.zeros(1, 1, 512), "decoder_embed.bias": torch.zeros(512)}
    torch.save({"model": state}, root / ENCODERS["mae_vit_b_16"].file)
    return net


TINY_CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}


def tiny_clip(library, root: Path) -> str:
    """Make a small architecture and a set of weights known to open_clip, and return its model name."""
    (root / "tiny-clip.json").write_text(json.dumps(TINY_CLIP))
    library.add_model_config(root / "tiny-clip.json")
    return "tiny-clip"
