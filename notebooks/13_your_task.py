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
# ```bash
# make notebook NB=13_your_task P="target=folder:/path/to/pictures encoder=efficientnet_lite0"
# make notebook NB=13_your_task P="reference=features:/path/r.npz target=features:/path/t.npz tau=0.02,0.1,0.5"
# make notebook NB=13_your_task P="target=unlabelled:/path/to/pictures@5 labels=pseudo encoder=squeezenet"
# make notebook NB=13_your_task P="target=folder:/path/to/pictures share=0.1,0.5,1"
# ```
#
# Pictures of any size will do; they are resized to what the encoder takes; give each class some dozens. The bound is computed
# from the `train` part. Every parameter takes several values, each of which is tried; {ref}`own-names` lists what can be named.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
reference: str | list[str] = "mnist"  # [data set] reference task, also folder:PATH or features:FILE.npz
target: str | list[str] = "glyphs_digits"  # [data set] target task; unlabelled:PATH@K with labels=pseudo
encoder: str | list[str] = "lenet"  # [encoder] encoder of both tasks; lenet and pca learn from the reference
tau: float | list[float] = 0.2  # [> 0] Lipschitz constant, nats per unit of feature
labels: str | list[str] = "true"  # [true | pseudo] labels of the target; "pseudo": its own are not read
n_reference: int | list[int] = 1000  # [>= 1] reference samples
n_target: int | list[int] = 1000  # [>= 1] target samples
share: float | list[float] = 1.0  # [> 0, <= 1] fraction of each target class, at least two samples
n_fit: int | list[int] = 5000  # [>= 1] samples that LeNet and PCA learn from
epochs: int | list[int] = 10  # [>= 0] training epochs of LeNet
seed: int | list[int] = 0  # [seed] seed of samples, encoder and search

# %%
import page
import pandas as pd

from taskrel_core import DATASETS
from taskrel_core.analysis.report import compared, left_out, pictures_read
from taskrel_core.experiments.grid import combinations, differences
from taskrel_core.experiments.part import seen
from taskrel_core.experiments.relatedness import LABELLED
from taskrel_core.experiments.run import run
from taskrel_core.figures.names import named
from taskrel_core.figures.rank_encoders import sweep
from taskrel_core.figures.your_task import your_task

# %%
settings = {"reference": reference, "target": target, "encoder": encoder, "tau": tau, "labels": labels}
settings |= {"n_reference": n_reference, "n_target": n_target, "share": share}
settings = combinations(**settings, n_fit=n_fit, epochs=epochs, seed=seed)
rows = run([seen(**setting, profile=profile) for setting in settings])
rows["share"] = [setting["share"] for setting in settings]
page.rows(rows)
rows[[*LABELLED]] = rows[[*LABELLED]].astype(float)  # none where the target has no labels
row = rows.iloc[0]

# %%
metrics = ["euclidean", "span", "logit", "one_sided"]
table = pd.DataFrame({"metric": metrics, "bound": [row[f"bound_{m}"] for m in metrics]})
same = ["loss", "transferability", "chance", "reweighted_loss", "label_mismatch"]
table = table.assign(**{name: row[name] for name in same})
page.figure(
    your_task(table),
    "your-task",
    table=table,
    alt="Four bars, the bound under each ground cost, the one-sided one split into its three terms, with lines for the best "
    "head, the transformed classifier and chance; above chance is shaded.",
    caption=f"The one-sided bound is {compared(row['bound'], row['chance'])[0]} chance. From {named(row['reference'])} to "
    f"{named(row['target'])} with {named(row['encoder'])}, tau = {row['tau']}, labels: {row['labels']}"
    f"{'; the first of ' + str(len(rows)) + ' settings' if len(rows) > 1 else ''}.",
)

# %%
if len(rows) > 1:
    bounds = rows.assign(setting=differences(settings)).melt(
        "setting", [f"bound_{m}" for m in metrics], "name", "bound, nats"
    )
    bounds["name"] = bounds["name"].str.removeprefix("bound_")
    page.figure(
        sweep(bounds, "bound, nats", "bound, nats"),
        "your-sweep",
        table=bounds,
        alt=f"One line per ground cost over the {len(rows)} settings of the sweep.",
        caption=f"The bound under each ground cost, in each of the {len(rows)} settings.",
    )

# %%
shown = {
    "bound": "bound",
    "reweighted_loss": "re-weighted reference loss",
    "label_mismatch": "label mismatch",
    "distribution_mismatch": "distribution mismatch",
    "loss": "loss of the transformed classifier",
    "accuracy": "accuracy of the transformed classifier",
    "transferability": "loss of the best head",
    "head_accuracy": "accuracy of the best head",
    "chance": "loss of chance",
    "log_k": "log K",
}
guaranteed = f"the bound is {'' if row['certified'] else 'not '}certified"
terms = pd.DataFrame({"quantity": shown.values(), "value": [float(row[k]) for k in shown]})

# %%
worse = (
    row["head_accuracy"] < row["accuracy"] and row["transferability"] <= row["loss"]
)  # neither is known without labels
best = ". The best head has the lowest loss, here not the higher accuracy" if worse else ""
page.table(
    terms,
    "your-task-numbers",
    f"All numbers of the row (one-sided cost, nats but for accuracies); {guaranteed}{best}",
)

# %%
named_here = dict.fromkeys([*rows["reference"], *rows["target"]])
folders = {name: DATASETS[name].summary() for name in named_here if name.startswith("folder:")}
for number, summary in enumerate(folders.values(), 1):
    page.table(pd.DataFrame(summary["pictures"]), f"your-pictures-{number}", pictures_read(summary))

# %%
relation, bound, chance = compared(row["bound"], row["chance"], least=2)
by = "features of one encoder" if row["target"].startswith("features:") else named(row["encoder"])
losses = "The loss of the transformed classifier is not known without labels"
if pd.notna(row["loss"]):
    losses = (
        f"The transformed classifier has loss {row['loss']:.2f}, the best head {row['transferability']:.2f}"
    )
page.glue(
    "ours",
    f"from {named(row['reference'])} to {named(row['target'])} with {by}, {row['n']} target samples, the one-sided bound is "
    f"{bound} nats, {relation} the loss of chance, {chance} (entropy of the class frequencies). "
    f"{guaranteed[0].upper()}{guaranteed[1:]}. {losses}. With the Euclidean cost the bound is {row['bound_euclidean']:.2f}",
)

# %%
page.glue("part", left_out(rows))

# %% [markdown]
# **How to read it.** The bound is the sum of the three terms below it. It holds for the samples that it
# was computed on, and says nothing certain about new pictures: accuracy and losses above are of those samples, too.
# Stored features must be of one encoder, which is then not used. Without the target's labels nothing is certified, and losses
# and accuracies, which need them, are missing.
#
# **With a fraction of the samples** (`share` below 1) the bound is about that fraction alone: it is often lower, since fewer
# samples are easier to fit, but guarantees nothing for the samples left out, and the choice of the fraction moves it.
# {glue}`part`. The {doc}`tutorial <../tutorial>` says more, {doc}`../theory` why it holds.
# All rows: {download}`CSV <../_generated/rows.13_your_task.csv>`, {download}`JSON lines <../_generated/rows.13_your_task.jsonl>`.
