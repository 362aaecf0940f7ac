# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Your task
#
# Any encoder, reference and target, from the command line. A folder of images `{train,test}/<class>/` is a task too:
#
# ```
# make notebook NB=13_your_task P="target=folder:/path/to/pictures encoder=efficientnet_lite0"
# ```
#
# Pictures of any size will do, they are resized to what the encoder takes; give each class some dozens. The bound is computed
# from the `train` part.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
reference: str = "mnist"  # [data set] may be folder:PATH
target: str = "glyphs_digits"  # [data set] may be folder:PATH
encoder: str = "lenet"  # [encoder] lenet and pca learn from the reference, the others do not
tau: float = 0.2  # [> 0] Lipschitz constant, nats per unit of feature
labels: str = "true"  # [true | pseudo] "pseudo": do not read the target's labels
n_reference: int = 1000  # [>= 1] reference samples
n_target: int = 1000  # [>= 1] target samples
n_fit: int = 5000  # [>= 1] samples that LeNet and PCA learn from
epochs: int = 10  # [>= 0] of LeNet
seed: int = 0  # [seed] of samples, encoder and search

# %%
import page
import pandas as pd

from taskrel_core import DATASETS
from taskrel_core.analysis.report import compared, pictures_read
from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.run import run
from taskrel_core.figures.names import named
from taskrel_core.figures.your_task import your_task

# %%
sizes = {"n_reference": n_reference, "n_target": n_target, "n_fit": n_fit, "epochs": epochs}
rows = run([Experiment(reference, target, encoder, tau, labels=labels, seed=seed, profile=profile, **sizes)])
page.rows(rows)
row = rows.iloc[0]

# %%
metrics = ["euclidean", "span", "logit", "one_sided"]
table = pd.DataFrame({"metric": metrics, "bound": [row[f"bound_{m}"] for m in metrics]})
table = table.assign(loss=row["loss"], transferability=row["transferability"], chance=row["chance"])
page.figure(
    your_task(table),
    "your-task",
    table=table,
    alt="Four bars, the bound under each ground cost, with lines for the best head, the transformed classifier and chance.",
    caption=f"From {named(reference)} to {named(target)} with "
    f"{named(encoder)}, tau = {tau}, labels: {labels}.",
)

# %%
shown = ["bound", "reweighted_loss", "label_mismatch", "distribution_mismatch", "loss", "accuracy"]
shown += ["transferability", "head_accuracy", "chance", "log_k"]
terms = pd.DataFrame({"quantity": shown, "value": [float(row[k]) for k in shown]})
page.table(
    terms, "your-task-numbers", f"All numbers of the row (one-sided cost); certified: {row['certified']}"
)

# %%
folders = {name: DATASETS[name].summary() for name in (reference, target) if name.startswith("folder:")}
for number, summary in enumerate(folders.values(), 1):
    page.table(pd.DataFrame(summary["pictures"]), f"your-pictures-{number}", pictures_read(summary))

# %%
relation, bound, chance = compared(row["bound"], row["chance"])
page.glue(
    "ours",
    f"from {named(reference)} to {named(target)} with {named(encoder)}, {row['n']} target samples: the one-sided bound is "
    f"{bound} nats, {relation} the loss of chance, {chance} (entropy of the class shares; log K = {row['log_k']:.3f}); "
    f"certified: {row['certified']}. The "
    f"transformed classifier loses {row['loss']:.3f}, the best head {row['transferability']:.3f}. With the paper's Euclidean "
    f"cost the bound is {row['bound_euclidean']:.3f}",
)

# %% [markdown]
# **How to read it.** `bound` is `reweighted_loss` + `label_mismatch` + `distribution_mismatch`. It holds for the samples that it
# was computed on, and says nothing certain about new pictures: accuracy and losses above are of those samples, too.
# The {doc}`tutorial <../tutorial>` says more, {doc}`../theory` why it holds.
