# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # A better encoder for the reference
#
# **The poster's claim.** An encoder that improves on the reference transfers better to *related* targets. Here a LeNet
# learns the reference step by step; after some of its epochs we ask what the best head reaches on each target, and what
# the bound promises. Which targets are related is decided before looking: the digit tasks are, clothes and letters are not.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
reference: str = "mnist"  # [data set] what the encoder learns
related: list[str] = ["digits", "glyphs_digits"]  # [data set] targets with the same classes
unrelated: list[str] = ["fashion_mnist", "glyphs_latin"]  # [data set] targets with other classes
steps: list[int] = [0, 1, 3, 10]  # [>= 0] epochs after which the encoder is measured
tau: float = 0.2  # [> 0] Lipschitz constant, nats per unit of feature
n_reference: int = 1000  # [>= 1] reference samples
n_target: int = 1000  # [>= 1] target samples
n_fit: int = 5000  # [>= 1] samples that the encoder learns from
seeds: list[int] = [0, 1]  # [seed] encoder, samples and search differ for each seed

# %%
import page
import pandas as pd

from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.run import run
from taskrel_core.figures.better_encoder import better_encoder

# %%
sizes = {"n_reference": n_reference, "n_target": n_target, "n_fit": n_fit, "profile": profile}
table = run(
    Experiment(reference, target, "lenet", tau, epochs=epochs, seed=seed, **sizes)
    for target in [*related, *unrelated]
    for epochs in steps
    for seed in seeds
)
page.rows(table)
table["related"] = table["target"].isin(related)

# %%
page.figure(
    better_encoder(table),
    "better-encoder",
    table=table,
    alt="Two panels of lines, transferability and bound of each target divided by chance, against the encoder's accuracy on "
    "the reference.",
    caption=f"While a LeNet learns {reference} ({steps} epochs); lines: mean, bands: range over {len(seeds)} draws.",
)

# %%
relative = table.assign(t=table["transferability"] / table["chance"], b=table["bound"] / table["chance"])
ends = relative[relative["epochs"].isin([steps[0], steps[-1]])].pivot_table(
    index=["related", "target", "seed"], columns="epochs", values=["t", "b"]
)
fall = pd.DataFrame({k: ends[k][steps[0]] - ends[k][steps[-1]] for k in ("t", "b")}).reset_index()
summary = fall.groupby(["related", "target"], as_index=False)[["t", "b"]].mean()
summary.columns = ["related", "target", "fall of transferability / chance", "fall of bound / chance"]
page.table(
    summary, "better-encoder", "How far the loss and the bound fall from the untrained to the last encoder"
)

# %%
by = fall.groupby("related")[["t", "b"]].agg(["mean", "min", "max"])
page.glue(
    "ours",
    f"transferability / chance falls by {by.loc[True, ('t', 'mean')]:.2f} "
    f"[{by.loc[True, ('t', 'min')]:.2f}, {by.loc[True, ('t', 'max')]:.2f}] on related and "
    f"{by.loc[False, ('t', 'mean')]:.2f} [{by.loc[False, ('t', 'min')]:.2f}, {by.loc[False, ('t', 'max')]:.2f}] on others",
)
holds = by.loc[True, ("t", "min")] > 0 and by.loc[True, ("t", "mean")] > by.loc[False, ("t", "mean")]
page.glue(
    "verdict", "holds" if holds else "holds in sign" if by.loc[True, ("t", "mean")] > 0 else "does not hold"
)
