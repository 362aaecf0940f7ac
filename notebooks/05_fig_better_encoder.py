# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Poster, figure: a better encoder for the reference
#
# **Method.** A LeNet is trained on the reference. We measure transferability and bound on each target after 0, 1, 3 and 10
# epochs (in this profile). Which targets are related was fixed in advance: tasks with the same classes are, others are not.
#
# **Limits.** Two aspects are judged. *Improvement*: the loss falls on related targets. *Specificity*: it falls more there than on
# unrelated ones. A control whose encoder learns random labels was not run, so an improvement that any training brings cannot be
# told from one that the reference brings.

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

from taskrel_core.analysis.verdicts import of_interval
from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.run import run
from taskrel_core.figures.better_encoder import better_encoder
from taskrel_core.figures.names import NAMES, named

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
    "the reference: all fall, solid lines of related and dashed lines of unrelated targets alike.",
    caption="As the encoder improves on the reference, the loss falls on related (solid) and unrelated (dashed) targets alike. "
    f"{named(reference)}, {', '.join(map(str, steps))} epochs; lines: mean, bands: range over {len(seeds)} seeds.",
)

# %%
relative = table.assign(t=table["transferability"] / table["chance"], b=table["bound"] / table["chance"])
ends = relative[relative["epochs"].isin([steps[0], steps[-1]])].pivot_table(
    index=["related", "target", "seed"], columns="epochs", values=["t", "b"]
)
fall = pd.DataFrame({k: ends[k][steps[0]] - ends[k][steps[-1]] for k in ("t", "b")}).reset_index()
summary = fall.groupby(["related", "target"], as_index=False)[["t", "b"]].mean()
summary.columns = ["related", "target", "decrease of transferability / chance", "decrease of bound / chance"]
page.table(
    summary.replace({"target": NAMES, "related": {True: "yes", False: "no"}}),
    "better-encoder",
    f"Decrease from the untrained to the last encoder, mean over {len(seeds)} seeds",
    "{:.2f}",
    data=summary,
)

# %%
ends_of = (("min", "max"), ("max", "min"))
by = fall.groupby("related")[["t", "b"]].agg(["mean", "min", "max"])
page.glue(
    "ours",
    f"transferability / chance decreases by {by.loc[True, ('t', 'mean')]:.2f} on related targets (range "
    f"{by.loc[True, ('t', 'min')]:.2f} to {by.loc[True, ('t', 'max')]:.2f}), and by {by.loc[False, ('t', 'mean')]:.2f} on "
    f"unrelated ones (range {by.loc[False, ('t', 'min')]:.2f} to {by.loc[False, ('t', 'max')]:.2f})",
)

# %%
page.verdict(
    {
        "improvement": of_interval(*by.loc[True, [("t", "min"), ("t", "max")]]),
        "specificity": of_interval(*(by.loc[True, ("t", a)] - by.loc[False, ("t", b)] for a, b in ends_of)),
    },
    "improvement: supported if the loss falls on related targets in every run, not supported if in none. Specificity: supported "
    "if every decrease on related targets exceeds every one on unrelated targets, not supported if the reverse. Else "
    "inconclusive",
)
