# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # What the published objective does
#
# The published code departs from the theory in ways that its page does not tell ({doc}`../theory` lists the theory's side).
# Each panel takes one of them: the number as published beside the same with that one part put right. The objective here is
# written from its description, not copied. *Planted* problems have Gaussian classes whose class map is known; the other is
# a real pair with the LeNet of the small-scale study.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
pair: str = "fashion_mnist > mnist"  # [data set > data set] reference > target
label_costs: list[float] = [1.0, 10.0, 100.0, 1.0e4, 1.0e6, 1.0e8]  # [>= 0] LAMBDA; published: 1e6 and 1e8
tau: float = 0.2  # [> 0] Lipschitz constant, nats per unit of feature (authors' code, small scale)
steps: int = 300  # [>= 1] of the objective (published: 2,001)
n: int = 240  # [>= 1] samples of each task
n_fit: int = 5000  # [>= 1] samples that LeNet learns from
epochs: int = 10  # [>= 0] of LeNet
seeds: list[int] = [0, 1, 2]  # [seed] problem, start and batches differ for each seed

# %%
import page
import pandas as pd

from taskrel_core.experiments.departures import Departure
from taskrel_core.experiments.run import run
from taskrel_core.figures.departures import departures
from taskrel_core.figures.names import named

# %%
sizes = {"tau": tau, "steps": steps, "n": n, "n_fit": n_fit, "epochs": epochs, "profile": profile}
maps = run(
    [Departure(label_cost=cost, seed=seed, balanced=True, **sizes) for cost in label_costs for seed in seeds]
)

# %%
changes = [{}, {"squared": False}, {"soft_prior": False}, {"standardise": "joint"}]
cells = [(problem, seed, change) for problem in ("planted", pair) for seed in seeds for change in changes]
runs = run(
    [Departure(problem, seed=seed, balanced=True, **change, **sizes) for problem, seed, change in cells]
)

# %%
low = maps.assign(panel="map", line=maps["seed"].astype(str), x=maps["label_cost"])
views = [
    low.assign(group="as planted", value=low["recovered"]),
    low.assign(group="as the random start", value=low["from_start"], line=low["line"] + "s"),
]

# %%
runs["name"] = ["published" if not change else next(iter(change)) for _, _, change in cells]
runs["group"] = [
    problem if problem == "planted" else " → ".join(named(p) for p in problem.split(" > "))
    for problem, _, _ in cells
]
runs["line"] = runs["problem"] + runs["seed"].astype(str)
published = runs[runs["name"] == "published"]

# %%
for panel in ("with_inverse", "with_shares"):
    for x, column in (("published", "reported"), ("corrected", panel)):
        views.append(published.assign(panel=panel, x=x, value=published[column].astype(float)))
for panel in ("squared", "soft_prior", "standardise"):
    for x, rows in (("published", published), ("corrected", runs[runs["name"] == panel])):
        views.append(rows.assign(panel=panel, x=x, value=rows["reported"].astype(float)))
table = pd.concat(views, ignore_index=True)
table = table[[c for c in table if c not in ("name", "n_fit", "epochs", "origin", "log_k")]]

# %%
titles = {
    "map": "label cost: share of the map",
    "with_inverse": "tau: in z, with A⁻¹ (nats)",
    "squared": "cost squared: not squared (nats)",
    "soft_prior": "soft-max on a prior: none (nats)",
    "with_shares": "classes by 1/K: by share (nats)",
    "standardise": "each by itself: jointly (nats)",
}

# %%
page.figure(
    departures(table, titles),
    "authors-objective",
    table=table,
    alt="Six panels. First: share of the class map that is as planted, and as the random start says, against the label cost. "
    "The others: the reported number as published and with one part corrected, a line a run.",
    caption=f"One departure a panel, {len(seeds)} draws, {steps} steps; numbers are the sum that the code reports, in nats.",
)

# %%
by_cost = maps.groupby("label_cost")[["recovered", "from_start"]].mean()
change = {
    name: runs[runs["name"] == name]["reported"].astype(float).to_numpy()
    - published["reported"].astype(float).to_numpy()
    for name in ("squared", "soft_prior", "standardise")
}
later = {
    name: (published[name] - published["reported"]).astype(float) for name in ("with_inverse", "with_shares")
}
wide = {
    name: f"{pd.Series(v).min():+.2f} to {pd.Series(v).max():+.2f}" for name, v in {**change, **later}.items()
}

# %%
stretch = published["constant_in_z"] / published["constant"]
below = published["reported"].astype(float) < published["loss"]
page.glue(
    "map",
    "; ".join(f"{cost:g}: {r['recovered']:.0%} and {r['from_start']:.0%}" for cost, r in by_cost.iterrows()),
)
page.glue(
    "inverse",
    f"{stretch.min():.2f} to {stretch.max():.2f} times the one used, and the sum moves by {wide['with_inverse']} nats",
)
for name in ("squared", "soft_prior", "standardise", "with_shares"):
    page.glue(name, wide[name])

# %%
page.glue("prior", f"{runs['prior_moved'].max():.2f}")
page.glue("below", f"{int(below.sum())} of {len(below)}")
page.glue("nothing", f"{int(runs['reported'].isna().sum())} of {len(runs)}")
most = by_cost.loc[by_cost.index >= 1e6].mean()
page.glue(
    "ours",
    f"at label costs of 1e6 and more, {most['from_start']:.0%} of the class map is what the random start says and "
    f"{most['recovered']:.0%} is as planted; at {by_cost.index[0]:g}, {by_cost['recovered'].iloc[0]:.0%} is",
)
page.glue("verdict", "no claim of the poster")

# %% [markdown]
# **The label cost decides the map.** Share of the map that is as planted, and share that is as the random start of B says,
# at each label cost: {glue}`map`. Where the cost is large, the first plan follows the random soft labels, not the features,
# and confirms itself from then on.
#
# **tau is measured in the pulled-back features**, not in those of the target: the constant that the theorem needs is
# {glue}`inverse`.
#
# **The plan is solved for the plain cost, the objective squares it**: without the square the report moves by {glue}`squared`
# nats. **A soft-max is put over the prior**, a probability vector already: the objective then starts up to {glue}`prior`
# away from P_R in variation; without it the report moves by {glue}`soft_prior` nats. **Classes are averaged with 1/K**: by
# their shares, the sum moves by {glue}`with_shares` nats. **Each task is standardised by itself**, an affine map that the
# theory does not count: jointly, the report moves by {glue}`standardise` nats.
#
# With all of this, the reported number lies below the loss of its own classifier in {glue}`below` of the published runs:
# it is a report, not a bound, though often one that happens to lie above. In {glue}`nothing` runs it is no number at all:
# some target class gets no reference class, which the published code reports as 1e10. Planted classes have equal shares
# here, so nothing moves for them where only shares are corrected.
