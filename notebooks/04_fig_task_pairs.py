# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Relatedness over pairs of tasks
#
# **The poster's claim.** Over pairs of small tasks, relatedness follows transferability. Here: all ordered pairs of the
# small tasks that packages carry, with the LeNet trained on each reference. A point's horizontal place is what the best
# tau-Lipschitz head reaches on the target, its height the certified bound; both are divided
# by the loss of chance, the entropy of the class shares.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
tasks: list[str] = [
    "mnist",
    "fashion_mnist",
    "digits",
    "glyphs_digits",
    "glyphs_latin",
    "glyphs_greek",
]  # [data set, 2 or more] all pairs
tau: float = 0.2  # [> 0] Lipschitz constant, nats per unit of feature (authors' code, small scale)
n_reference: int = 1000  # [>= 1] reference samples
n_target: int = 1000  # [>= 1] target samples
n_fit: int = 5000  # [>= 1] samples that LeNet learns from
epochs: int = 10  # [>= 0] of LeNet
seed: int = 0  # [seed] of samples, encoder and search

# %%
import page
import pandas as pd

from taskrel_core.analysis.correlation import correlate
from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.run import run
from taskrel_core.figures.task_pairs import task_pairs

# %%
sizes = {"n_reference": n_reference, "n_target": n_target, "n_fit": n_fit, "epochs": epochs}
pairs = [(a, b) for a in tasks for b in tasks if a != b]
table = run(Experiment(a, b, "lenet", tau, seed=seed, profile=profile, **sizes) for a, b in pairs)
page.rows(table)

# %%
page.figure(
    task_pairs(table, ["euclidean", "one_sided"]),
    "task-pairs",
    table=table,
    alt="Two scatter plots of bound against transferability over all ordered task pairs; with the Euclidean cost all points "
    "lie above chance, with the one-sided cost near the diagonal.",
    caption=f"Bound against transferability over {len(table)} ordered pairs, tau = {tau}; grey line: a tight bound.",
)

# %%
lines = []
for metric in ("euclidean", "span", "logit", "one_sided"):
    ratio = table[f"bound_{metric}"] / table["chance"]
    c = correlate(ratio, table["transferability"] / table["chance"], groups=table["target"], seed=seed)
    below = float((ratio < 1).mean())
    lines.append(
        {"cost": metric, "pearson": c.value, "low": c.low, "high": c.high, "n": c.n, "below chance": below}
    )
correlations = pd.DataFrame(lines)
caption = "Correlation of bound and transferability; intervals: 95 %, whole targets resampled; fraction of bounds below chance"
page.table(correlations, "task-pairs-correlations", caption)

# %%
euclidean, one_sided = correlations.iloc[0], correlations.iloc[-1]
page.glue("pairs", f"{len(table)}")
page.glue("below", f"{one_sided['below chance']:.0%}")
page.glue("below-euclidean", f"{euclidean['below chance']:.0%}")
page.glue("certified", f"{int(table['certified'].sum())} of {len(table)}")
page.glue(
    "ours",
    f"r = {one_sided['pearson']:+.2f} [{one_sided['low']:+.2f}, {one_sided['high']:+.2f}] one-sided, "
    f"{euclidean['pearson']:+.2f} [{euclidean['low']:+.2f}, {euclidean['high']:+.2f}] Euclidean, n = {len(table)} pairs",
)
page.glue(
    "verdict",
    "holds" if one_sided["low"] > 0 else "holds in sign" if one_sided["pearson"] > 0 else "does not hold",
)
