# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Little data: small encoders
#
# **The poster's claim.** The correlation remains high with little target data. Page {doc}`07 <07_fig_limited_data>` has the
# poster's figure with eight real encoders, too few to decide; here are the {doc}`small encoders of one width
# <17_tab_small_encoders>`.
#
# **Method.** The accuracies are those of that page, after fine-tuning on 20 labelled pictures per class. What a score sees
# changes: the same 20 pictures per class, or the first 5 of them. The interval of a change resamples pre-trainings and targets
# together, the same resamples under both conditions. `labels=paper` adds pseudo-labels, Eq. {eq}`eq-pseudo`, which take about
# half a minute for each pair of encoder and target. Page {doc}`08 <08_tab_pseudo_labels>` has them for real encoders.
#
# **Verdicts.** Sign and stability are two questions: a correlation can be stable and have the wrong sign.

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
    "animal_silhouettes",
    "pacs_art",
    "intel_scenes",
    "mnist_m",
]  # [data set] over which correlations are averaged
encoders: list[
    str
] = []  # [encoder, may be empty for all small encoders, 3 or more] encoders that scores rank
rates: list[float] = [5e-4, 1.5e-3]  # [> 0] learning rates, of which held-back samples select one per cell
seeds: list[int] = [0, 1, 2]  # [seed] seeds of fine-tuning; the first selects the learning rate
per_class: int = 20  # [>= 2] pictures per class of fine-tuning, and of scores with full data
few: int = 5  # [>= 2] pictures per class that scores see with little data
labels: list[
    str
] = []  # [paper | logit, may be empty] forms whose pseudo-labels scores see as a further condition
sizes: dict[str, int] = {"epochs": 10, "batch": 32, "n_test": 1000}  # [>= 1] sizes of each fine-tuning
groups: list[str] = [
    "euclidean",
    "one_sided",
    "neighbours",
    "published",
]  # [euclidean | calibrated | one_sided | published | neighbours] groups of scores
resamples: int = 10000  # [>= 2] bootstrap samples of pre-trainings and targets together

# %%
import page
import pandas as pd

from taskrel_core import ENCODERS
from taskrel_core.analysis.conditions import changes, condition_verdicts, finding, side_by_side, told
from taskrel_core.analysis.few_shot import STATIC, study_cells
from taskrel_core.experiments.few_shot import trained
from taskrel_core.experiments.few_shot_scores import KINDS, SCORES, FewShotScores
from taskrel_core.experiments.run import run
from taskrel_core.figures.names import SCORE_NAMES
from taskrel_core.figures.small_encoders import changed_correlations

# %%
encoders = encoders or [name for name in ENCODERS if name.startswith("small:")]
cells = [(target, encoder) for target in targets for encoder in encoders]
trainings = trained(cells, rates, seeds, per_class=per_class, profile=profile, **sizes)

# %%
about = {"k_reference": k_reference, "n_reference": n_reference, "profile": profile}
conditions = {
    f"{per_class} per class": {"per_class": per_class},
    f"{few} per class": {"per_class": few},
}
who_labels = {"paper": "Euclidean", "logit": "logit"}
conditions |= {f"pseudo-labels ({who_labels[w]})": {"per_class": per_class, "labels": w} for w in labels}
scores = {
    name: run(FewShotScores(reference, *cell, group, **about, **what) for group in groups for cell in cells)
    for name, what in conditions.items()
}

# %%
study = {name: [study_cells(trainings, rows, SCORES)] for name, rows in scores.items()}
table = changes(study, resamples)
table = table.assign(kind=[KINDS.get(name, "control") for name in table["score"]])
table = table[table["score"] != STATIC]  # it sees no sample
order = table.groupby("score")["mean_r"].first().sort_values(ascending=False).index
table = table.set_index("score").loc[order].reset_index()

# %%
page.figure(
    changed_correlations(table),
    "little-data",
    table=table,
    alt="One row per score, best first: its mean correlation with accuracy under each condition, each "
    "with an interval, on a scale from -1 to 1.",
    caption=f"{finding(table)} Mean r with few-shot accuracy, {len(encoders)} encoders, {len(targets)} targets, 95 % CI. Blue: "
    "relatedness; pink: its parts; green: other metrics; grey: controls.",
)

# %%
judged = table["score"] == "euclidean"
first = pd.concat([table[judged], table[~judged]])
page.table(
    side_by_side(first, SCORE_NAMES | {"euclidean": f"**{SCORE_NAMES['euclidean']}**"}),
    "little-data",
    "The Euclidean bound, which the verdicts judge, then the other scores, best first: mean r with few-shot accuracy under each "
    "condition, and its change, 95 % CI; positive: as claimed",
    data=table,
)

# %%
paper = told(table, SCORE_NAMES, ["euclidean"])
page.glue("answer", f"{paper} {finding(table)} Brackets: 95 % CI; positive: as claimed.")
page.glue("ours", f"{paper} Brackets: 95 % CI")
page.verdict(
    condition_verdicts(table),
    "sign: supported if the 95 % interval of the Euclidean bound's mean r with little data lies above 0, not supported if below, "
    "else inconclusive; stability: supported if the 95 % interval of its change lies within 0.1 of 0, not supported if all of it "
    "lies beyond, else inconclusive",
)
