# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # What the transport term follows
#
# **Method.** Encoders and samples are those of the {doc}`table of small encoders <17_tab_small_encoders>`, on the targets
# named below; that page has the mean r over all of its targets, with accuracies over several seeds, here of one seed at one
# learning rate. Features are standardised, so that all encoders have the same variance in total. They differ in how many
# directions it is spread over. The effective rank is exp of the entropy of the normalised spectrum
# {cite:p}`roy2007effective`: 1 where all variance lies in one direction. Two samples that fill more directions are further
# apart, whatever their classes. The control is the same term after the target's labels were permuted. What the two have in
# common does not depend on the task. The bootstrap of the mean r resamples pre-trainings and targets together.

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
encoders: list[str] = []  # [encoder, may be empty for all small encoders, 3 or more] points of the figure
lr: float = 1.5e-3  # [> 0] learning rate of the fine-tuning whose accuracy is shown
per_class: int = 20  # [>= 2] pictures per class
sizes: dict[str, int] = {"epochs": 10, "batch": 32, "n_test": 1000}  # [>= 1] sizes of each fine-tuning
resamples: int = 10000  # [>= 2] bootstrap samples of pre-trainings and targets together

# %%
import numpy as np
import page

from taskrel_core import ENCODERS
from taskrel_core.analysis.few_shot import pretraining, study_cells
from taskrel_core.analysis.few_shot_report import spread
from taskrel_core.analysis.study import mean_correlations
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
study = study_cells(trained, euclidean, {"euclidean": False})
paper = mean_correlations(study, resamples=resamples, by="family").loc["euclidean"]
page.glue("answer", spread(table, shown, paper))
