# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Is the gap small?
#
# **The poster's claim.** Task-relatedness, the sum of three terms, lies only a small gap above transferability, the loss
# of the best head on the target. The claim has no yardstick on the poster, so each bar below carries two: *chance*, the
# entropy of the class shares (log K where they are equal), and *FixedAll*, the bound when nothing is learned.
#
# Each pair appears twice: with the paper's Euclidean transport, and with transport measured through the head
# ({eq}`eq-costs`). Both are certified. A bound above chance is vacuous.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
pairs: list[str] = [
    "fashion_mnist > digits",
    "mnist > digits",
    "fashion_mnist > mnist",
]  # [data set > data set, may repeat] reference > target
encoders: list[str] = ["lenet", "lenet", "lenet"]  # [encoder, one per item of pairs, may repeat] of each pair
tau: float = 0.02  # [> 0] Lipschitz constant, nats per unit of feature (authors' code, large scale)
n_reference: int = 2000  # [>= 1] reference samples
n_target: int = 1000  # [>= 1] target samples
n_fit: int = 5000  # [>= 1] samples that LeNet learns from
epochs: int = 10  # [>= 0] of LeNet
seeds: list[int] = [0, 1, 2]  # [seed] samples, encoder and search differ for each seed

# %%
import page
import pandas as pd

from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.run import run
from taskrel_core.figures.names import named
from taskrel_core.figures.small_gap import small_gap

# %%
sizes = {"n_reference": n_reference, "n_target": n_target, "n_fit": n_fit, "epochs": epochs}
rows = run(
    Experiment(*pair.split(" > "), encoder, tau, mode=mode, seed=seed, profile=profile, **sizes)
    for pair, encoder in zip(pairs, encoders, strict=True)
    for mode in ("learned_all", "fixed_all")
    for seed in seeds
)
page.rows(rows)

# %%
both = rows["reference"].map(named) + " → " + rows["target"].map(named)
rows["pair"] = both + ", " + rows["encoder"].map(named)
fixed = rows[rows["mode"] == "fixed_all"].set_index(["pair", "seed"])["bound_euclidean"]
learned = rows[rows["mode"] == "learned_all"]
views = []
for metric in ("euclidean", "one_sided"):
    view = learned.assign(metric=metric, bound=learned[f"bound_{metric}"])
    view["transport"] = view["bound"] - view["reweighted_loss"] - view["label_mismatch"]
    view["fixed_all"] = fixed.loc[list(zip(view["pair"], view["seed"], strict=True))].to_numpy()
    views.append(view)
table = pd.concat(views).sort_values(["pair", "metric", "seed"])

# %%
page.figure(
    small_gap(table),
    "small-gap",
    table=table,
    alt="Horizontal stacked bars of the three terms for each pair, once with Euclidean and once with one-sided transport, "
    "with marks for transferability, chance and the FixedAll bound.",
    caption=f"Three terms (bars, mean over {len(seeds)} draws; black line: smallest to largest bound), tau = {tau}.",
)

# %%
table["gap"] = table["bound"] - table["transferability"]
table["bound / chance"] = table["bound"] / table["chance"]
columns = ["transferability", "loss", "bound", "gap", "bound / chance", "accuracy", "head_accuracy"]
summary = table.groupby(["pair", "metric"], as_index=False)[columns].mean()
page.table(
    summary,
    "small-gap",
    "Means over the draws, in nats; accuracy of the transformed classifier and of the best head",
)

# %%
gap = table.groupby("metric")["gap"].agg(["mean", "min", "max"])
below = table["bound / chance"].lt(1).groupby(table["metric"]).mean()
page.glue(
    "ours",
    f"mean gap {gap.loc['euclidean', 'mean']:.3f} nats Euclidean, {gap.loc['one_sided', 'mean']:.3f} one-sided "
    f"[{gap.loc['one_sided', 'min']:.3f}, {gap.loc['one_sided', 'max']:.3f}]; below chance in "
    f"{below['euclidean']:.0%} and {below['one_sided']:.0%} of the rows (tau {tau})",
)
small = below["one_sided"] == 1 and gap.loc["one_sided", "mean"] < 0.1 * table["chance"].mean()
page.glue(
    "verdict",
    "holds with transport through the head; vacuous with the Euclidean cost" if small else "does not hold",
)
page.glue("certified", f"{int(learned['certified'].sum())} of {len(learned)}")
