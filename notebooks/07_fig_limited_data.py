# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Poster, figure: limited target data
#
# **Method.** Each score sees the same fraction of every class of the target, at least two samples per class, sampled several
# times. The smallest fraction leaves few samples: {glue}`least`. Accuracy remains that of fine-tuning on all samples, and the
# reference sample does not shrink. There is one sample of reference classes, where page 06 averages several, so that values
# differ. Controls that see no target are constant in the fraction.
#
# SFDA and H-score are not drawn: with no more samples than features (n <= d) they are at their maximum whatever the labels.
#
# **Verdicts.** Sign and stability are two questions. A score that follows the width of the features (page 06), which no sample
# changes, can be stable without telling anything about the target. {glue}`power`.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] profile, which sets data, encoders and sizes
reference: str = "tiny_imagenet"  # [data set] data set from whose classes the reference is sampled
k_reference: int = 10  # [>= 2] classes of the reference
draw: int = 0  # [seed] seed of the sample of reference classes
targets: list[str] = ["cifar10", "emoji_noto"]  # [data set] target tasks
shares: list[float] = [
    0.01,
    0.1,
    1.0,
]  # [> 0, <= 1, 2 or more] fractions of each class of the target, at least 2 samples
parts: list[int] = [0, 1, 2]  # [seed] seeds of each fraction below 1
# The line-up of encoders is in params/, with the learning rate of each.
rates: dict[str, float] = {
    "efficientnet_lite0": 2e-4,
    "squeezenet": 2e-4,
    "mobilenet_v2": 2e-4,
}  # [trainable encoder: > 0, 3 or more] learning rate of each encoder
floors: list[str] = []  # [encoder, may be empty] encoders with random weights, excluded
seeds: list[int] = [0, 1, 2]  # [seed] seeds of the fine-tuning, whose accuracies are averaged
# Of fine-tuning; a fraction of 1 sees the same n.
sizes: dict[str, int] = {"n": 1200, "n_test": 1000, "epochs": 2}  # [>= 1] samples, test samples and epochs
n_reference: int = 1000  # [>= 1] reference samples

# %%
import page
import pandas as pd

from taskrel_core.analysis import ranking
from taskrel_core.analysis.accuracy import select_learning_rate
from taskrel_core.analysis.conditions import below_zero, changes, from_first_to_last, stability_verdicts
from taskrel_core.analysis.encoder_report import power_text, sign_judged
from taskrel_core.analysis.width import encoder_cells, of_width, sign_verdict
from taskrel_core.experiments.fine_tuning import FineTuning
from taskrel_core.experiments.run import run
from taskrel_core.experiments.scoring import SCORES, Scoring
from taskrel_core.figures.limited_data import limited_data
from taskrel_core.figures.names import SCORE_NAMES

# %%
trained = [encoder for encoder in rates if encoder not in floors]
cells = [(target, encoder) for target in targets for encoder in trained]
trainings = run(
    FineTuning(target, encoder, lr=rates[encoder], seed=seed, profile=profile, **sizes)
    for target, encoder in cells
    for seed in seeds
)
accuracies = select_learning_rate(trainings)

# %%
settings = {"draw": draw, "k_reference": k_reference, "n_reference": n_reference, "n_target": sizes["n"]}
scores = run(
    Scoring(reference, target, encoder, share=share, part=part, profile=profile, **settings)
    for target in targets
    for share in shares
    for part in (parts if share < 1 else [0])
    for encoder in trained
)
page.rows(ranking.with_accuracies(scores, accuracies))

# %%
asked = [name for name in SCORES if scores[name].notna().any() and name != "otce"]
views = []
for (share, part), rows in scores.groupby(["share", "part"]):
    table = ranking.join_scores(rows, accuracies, asked)
    view = ranking.correlations(table, SCORES, {"trained": trained})
    views.append(view.assign(share=share, part=part, samples=int(rows["n"].median())))
each = ranking.oriented(pd.concat(views))
grouped = each.groupby(["score", "target", "share"], sort=False)
table = grouped["pearson"].agg(pearson="mean", low="min", high="max").reset_index()
table["n"] = grouped["n"].first().to_numpy()

# %%
least, full = min(shares), max(shares)
forms = {"paper": "the Euclidean form", "logit": "the logit form"}
study = {
    share: [
        encoder_cells(trainings, rows, [*forms], SCORES, trained)
        for _, rows in scores[scores["share"] == share].groupby("part")
    ]
    for share in (full, least)
}
names = (f"{100 * full:g} %", f"{100 * least:g} % of the samples")
moved = changes(dict(zip(names, study.values(), strict=True)), by="encoder")

# %%
drawn = {
    "paper": "relatedness",
    "logit": "relatedness",
    "logme": "other metric",
    "reference_accuracy": "control",
}
page.figure(
    limited_data(table, drawn),
    "limited-data",
    table=each,
    alt="Lines of mean r against the fraction of the target's samples, one per score: Euclidean and logit relatedness, LogME, "
    "reference accuracy; upwards is the claimed sign.",
    caption=f"{from_first_to_last(moved, forms)} Mean r over {len(targets)} targets, {len(trained)} trained encoders; band: "
    f"range over {len(parts)} samples.",
)

# %%
mean = pd.concat(ranking.over_targets(rows).assign(share=share) for share, rows in each.groupby("share"))
shown = mean.pivot(index="score", columns="share", values="pearson").loc[asked].rename(index=SCORE_NAMES)
shown.columns = [f"{100 * share:g} %" for share in shown.columns]
page.table(
    shown.reset_index(),
    "limited-data-means",
    f"Mean r over {len(targets)} targets and the samples of each fraction, n = {len(trained)} trained encoders; positive: as "
    "claimed",
    "{:+.2f}",
)

# %%
size = f"{len(trained)} encoders and {len(targets)} targets"
wrong = f"over {size} the Euclidean r is below 0, the wrong side, with the most and with the fewest samples. "
control = mean.set_index(["share", "score"])["pearson"][full, "reference_accuracy"]
page.glue(
    "ours",
    f"{wrong if below_zero(moved, 'paper') else f'{size}. '}{from_first_to_last(moved, forms)} "
    f"{sign_judged(study[full][0])} Reference accuracy (control) stays at {control:+.2f}",
)
of_least = scores[scores["share"] == least]["n"]
counts = f"{of_least.min():.0f}" + (f" to {of_least.max():.0f}" if of_least.nunique() > 1 else "")
page.glue("least", f"{100 * least:g} % is {counts} of up to {sizes['n']:,} samples")
page.glue("power", power_text(study[full][0], "logit", forms["logit"]))

# %%
page.verdict(
    {"sign": sign_verdict(of_width(study[full][0], "paper")), **stability_verdicts(moved, forms)},
    "Sign: by the rule of page 06, with the largest fraction. Stability, by the 95 % CI of the change of mean r from it to the "
    "smallest fraction (encoders and targets resampled together): supported if all of it is within 0.1 of 0, not supported if "
    "all of it is beyond 0.1, else inconclusive. Stability says nothing about the sign",
)
