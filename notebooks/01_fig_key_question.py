# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Poster, opening figure: how well will an encoder perform on a new task?
#
# **Question of the poster.** How will a pre-trained encoder perform on a new task, given its performance on a reference task?
# The poster asks this without numbers and makes no claim here, so this page has no verdict.
#
# **Encoders.** Reference accuracy is that of the best tau-Lipschitz head on held-out samples of the reference; accuracy on the
# target is measured after fine-tuning. Both are those of page 06, whose rows this page reads.
#
# **One encoder.** The encoder is frozen. The best tau-Lipschitz head of each task is fitted on training samples and measured on
# test samples. The paper profile uses CLIP and adds the zero-shot head of its text tower.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] profile, which sets data, encoders and sizes
reference: str = "tiny_imagenet"  # [data set] data set from whose classes the reference is sampled
k_reference: int = 10  # [>= 2] classes per sample of classes
draws: list[int] = [0, 1, 2]  # [seed] seeds of the reference classes, whose accuracies are averaged
targets: list[str] = [
    "cifar10",
    "dtd10",
    "flowers5",
    "emoji_noto",
    "fashion_mnist",
]  # [data set] target tasks
# The line-up of encoders is in params/, with the learning rate of each.
rates: dict[str, float] = {
    "efficientnet_lite0": 2e-4,
    "squeezenet": 2e-4,
    "mobilenet_v2": 2e-4,
}  # [trainable encoder: > 0] learning rate of each encoder
floors: list[str] = []  # [encoder, may be empty] encoders with random weights, left out
seeds: list[int] = [0, 1, 2]  # [seed] seeds of the fine-tuning, whose accuracies are averaged
sizes: dict[str, int] = {
    "n": 1200,
    "n_test": 1000,
    "epochs": 2,
}  # [>= 1] samples, test samples and epochs of the fine-tuning
n_reference: int = 1000  # [>= 1] reference samples
encoder: str = "efficientnet_lite0"  # [encoder] encoder of the second figure
tasks: list[str] = [
    "fashion_mnist",
    "mnist",
    "digits",
    "glyphs_latin",
    "glyphs_greek",
    "emoji_noto",
    "emoji_twemoji",
]  # [data set, 2 or more] tasks of the second figure; the first is its reference
zero_shot: bool = False  # [true needs clip: in encoder] add the zero-shot head of the text tower
tau: float = 0.2  # [> 0] Lipschitz constant of the best head, nats per unit of feature
n: int = 600  # [>= 1] train samples per task of the second figure
n_test: int = 400  # [>= 1] test samples per task of the second figure
seed: int = 0  # [seed] seed of the samples of the second figure

# %%
import page

from taskrel_core.analysis.accuracy import select_learning_rate
from taskrel_core.analysis.ranking import join_scores
from taskrel_core.analysis.resampling import interval_text
from taskrel_core.analysis.study import mean_correlations
from taskrel_core.analysis.verdicts import by_interval
from taskrel_core.analysis.width import encoder_cells
from taskrel_core.experiments.fine_tuning import FineTuning
from taskrel_core.experiments.linear_heads import LinearHead
from taskrel_core.experiments.run import run
from taskrel_core.experiments.scoring import SCORES, Scoring
from taskrel_core.figures.key_question import key_question, one_encoder
from taskrel_core.figures.names import named

# %%
trained = [name for name in rates if name not in floors]
cells = [(target, name) for target in targets for name in trained]
trainings = run(
    FineTuning(target, name, lr=rates[name], seed=k, profile=profile, **sizes)
    for target, name in cells
    for k in seeds
)
given = {"k_reference": k_reference, "n_reference": n_reference, "n_target": sizes["n"], "profile": profile}
scores = run(
    Scoring(reference, *cell, draw=draw, baselines="all" if draw == draws[0] else "source", **given)
    for draw in draws
    for cell in cells
)

# %%
accuracies = select_learning_rate(trainings)
table = join_scores(scores, accuracies, ["reference_accuracy"]).rename(
    columns={"value": "reference_accuracy"}
)
study = encoder_cells(trainings, scores, ["reference_accuracy"], SCORES, trained)
mean = mean_correlations(study).loc["reference_accuracy"]
words = (
    "tend to be better on the targets",
    "tend to be worse on the targets",
    "are not clearly better on the targets",
)
tendency = by_interval(mean["low"], mean["high"], *words)

# %%
page.figure(
    key_question(table),
    "key-question",
    table=table,
    alt="One scatter plot per target, one above the other: accuracy after fine-tuning against accuracy on the reference; each "
    "encoder is named once, at a line through all plots.",
    caption=f"Encoders that are better on the reference ({named(reference)}) {tendency}: mean r = {interval_text(mean)} over "
    f"{len(targets)} targets (95 % CI, encoders and targets resampled). Means over {len(seeds)} seeds of "
    f"fine-tuning and {len(draws)} "
    "samples of reference classes.",
)

# %%
best = table.loc[table.groupby("target")["fine_tuned"].idxmax()]
first = table.loc[table["reference_accuracy"].idxmax(), "encoder"]
page.glue(
    "ours",
    f"over {len(trained)} trained encoders, accuracy on the reference ({named(reference)}, {k_reference} classes) correlates "
    f"with fine-tuned accuracy: mean r = {interval_text(mean)} (95 % CI) over {len(targets)} targets. {named(first)}, "
    f"the best on the reference, is the best on {int((best['encoder'] == first).sum()) or 'none'} of the targets",
)

# %% [markdown]
# ## One encoder on several tasks

# %%
heads = ["best", "zero_shot"] if zero_shot else ["best"]
of_one = {"tau": tau, "n": n, "n_test": n_test, "seed": seed, "profile": profile}
alone = run(LinearHead(task, encoder, head, **of_one) for task in tasks for head in heads)

# %%
every = alone[alone["head"] == "best"].set_index("target")
here, others = every.loc[tasks[0]], every.drop(index=tasks[0])
spread = others["loss"] / others["chance"]
apart = (others["accuracy"] - here["accuracy"]).abs() > 2 * (others["accuracy_se"] + here["accuracy_se"])
reached = (
    f"with an accuracy of {here['accuracy']:.2f} on {named(tasks[0])}, {named(encoder)} reaches "
    f"{others['accuracy'].min():.2f} to {others['accuracy'].max():.2f} (range) on {len(others)} targets"
)

# %%
page.figure(
    one_encoder(alone, tasks[0]),
    "one-encoder",
    table=alone,
    alt="Two panels of dots with error bars, one row per task: accuracy and loss, with a dotted line at the value of the "
    "reference and ticks at chance.",
    caption=f"{reached}. Best head of each task (tau = {tau}, {n} training samples), {n_test} test "
    "samples; bars: two standard errors.",
)

# %%
page.glue(
    "apart",
    f"The accuracy on {int(apart.sum())} of the {len(others)} targets differs from that on {named(tasks[0])} by more than "
    f"twice the sum of both standard errors. The loss / chance is {here['loss'] / here['chance']:.2f} on {named(tasks[0])} and "
    f"{spread.min():.2f} to {spread.max():.2f} (range) on the targets",
)

# %% [markdown]
# {glue}`apart`. One number on the reference cannot predict these differences between targets; the three terms of
# Eq. {eq}`eq-bound` are meant to.
