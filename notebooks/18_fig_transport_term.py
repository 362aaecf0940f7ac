# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # What the transport term follows
#
# **Method.** The encoders, targets and samples are those of the table of small encoders. Features are standardised, so every
# encoder's features have the same mean square; what differs is over how many directions it is spread. The effective rank is
# exp of the entropy of the normalised spectrum (Roy and Vetterli, 2007): 1 where all variance lies in one direction. Two clouds
# of points that fill more directions are further apart, whatever their classes. The control is the same bound after the
# target's labels were permuted: what it has in common with the bound is not about the task.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
reference: str = "tiny_imagenet"  # [data set] from whose classes the reference is sampled
k_reference: int = 10  # [>= 2] classes of the reference
n_reference: int = 500  # [>= 1] reference samples
targets: list[str] = [
    "cifar10",
    "emoji_noto",
    "glyphs_greek",
    "flowers5",
    "usps",
    "dtd10",
    "fashion_mnist",
    "digits",
]  # [data set] over which each encoder's values are averaged
encoders: list[str] = []  # [encoder, may be empty] which; none: all small ones
lr: float = 1.5e-3  # [> 0] learning rate of the fine-tuning whose accuracy is shown
per_class: int = 20  # [>= 2] pictures per class
sizes: dict[str, int] = {"epochs": 10, "batch": 32, "n_test": 1000}  # [>= 1] of fine-tuning

# %%
import numpy as np
import page

from taskrel_core import ENCODERS
from taskrel_core.analysis.few_shot import pretraining
from taskrel_core.analysis.few_shot_report import spread
from taskrel_core.experiments.few_shot import FewShot
from taskrel_core.experiments.few_shot_scores import FewShotScores
from taskrel_core.experiments.run import run
from taskrel_core.figures.names import named
from taskrel_core.figures.small_encoders import spread_and_transport

# %%
encoders = encoders or [name for name in ENCODERS if name.startswith("small:")]
cells = [(target, encoder) for target in targets for encoder in encoders]
about = {"k_reference": k_reference, "n_reference": n_reference, "per_class": per_class, "profile": profile}
euclidean, controls = (
    run(FewShotScores(reference, *cell, group, **about) for cell in cells)
    for group in ("euclidean", "controls")
)
trained = run(FewShot(*cell, lr=lr, per_class=per_class, profile=profile, **sizes) for cell in cells)

# %%
cell = ["target", "encoder"]
table = euclidean[[*cell, "euclidean_transport"]].merge(
    controls[[*cell, "effective_rank", "permuted_transport"]], on=cell
)
table = table.merge(trained[[*cell, "fine_tuned"]], on=cell)
table = table.rename(columns={"euclidean_transport": "transport", "fine_tuned": "accuracy"})
shown = table.groupby("encoder", sort=False).mean(numeric_only=True).reset_index()
shown["family"] = shown["encoder"].map(pretraining).map(named)

# %%
with_rank = np.corrcoef(np.log(shown["effective_rank"]), shown["transport"])[0, 1]
page.figure(
    spread_and_transport(shown),
    "transport-term",
    table=shown,
    alt="One point per encoder: distribution mismatch against the effective rank of the features, coloured by accuracy; some "
    "pre-trainings are named.",
    caption=f"The distribution mismatch correlates with the log effective rank of an encoder's features by r = {with_rank:+.2f}. "
    f"Means over {len(targets)} targets; colour: mean accuracy after few-shot fine-tuning; crosses: means of some pre-trainings.",
)

# %%
page.glue("answer", spread(table, shown))
