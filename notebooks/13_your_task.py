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

# %% tags=["parameters"]
profile: str = "embedded"  # which size of everything
reference: str = "mnist"  # a data set's name, or folder:PATH
target: str = "glyphs_digits"  # a data set's name, or folder:PATH
encoder: str = "lenet"  # lenet and pca learn from the reference, efficientnet_lite0 and random_net do not
tau: float = 0.2  # Lipschitz constant, nats per unit of feature
labels: str = "true"  # "pseudo": do not read the target's labels
n_reference: int = 1000  # reference samples
n_target: int = 1000  # target samples
n_fit: int = 5000  # samples that LeNet and PCA learn from
epochs: int = 10  # of LeNet
seed: int = 0  # of samples, encoder and search

# %%
import page
import pandas as pd

from taskrel_core.figures import named, your_task
from taskrel_core.pipeline import Experiment, run

# %%
sizes = {
    "n_reference": n_reference,
    "n_target": n_target,
    "n_fit": n_fit,
    "epochs": epochs,
    "profile": profile,
}
rows = run([Experiment(reference, target, encoder, tau, labels=labels, seed=seed, **sizes)])
page.rows(rows)
row = rows.iloc[0]

# %%
metrics = ["euclidean", "span", "logit", "one_sided"]
table = pd.DataFrame({"metric": metrics, "bound": [row[f"bound_{m}"] for m in metrics]})
table = table.assign(loss=row["loss"], transferability=row["transferability"], log_k=row["log_k"])
ax = your_task(table)
page.figure(
    ax.figure,
    "your-task",
    table=table,
    alt="Four bars, the bound under each ground cost, with lines for the best head, the transformed classifier and log K.",
    caption=f"From {named(reference)} to {named(target)} with "
    f"{named(encoder)}, tau = {tau}, labels: {labels}.",
)

# %%
shown = [
    "bound",
    "reweighted_loss",
    "label_mismatch",
    "loss",
    "accuracy",
    "transferability",
    "head_accuracy",
    "log_k",
]
terms = pd.DataFrame({"quantity": shown, "value": [float(row[k]) for k in shown]})
page.table(
    terms, "your-task-numbers", f"All numbers of the row (one-sided cost); certified: {row['certified']}"
)
