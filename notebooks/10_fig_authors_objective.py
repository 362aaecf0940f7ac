# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Departures of the published objective from the theory
#
# **Method.** The published objective, Eq. {eq}`eq-authors`, departs from the theory in six ways. Each panel shows one: the
# reported value as published, and with that one part corrected. We implemented the objective from a description of the authors'
# public code, which goes with the first arXiv version (2023). *Planted* problems have Gaussian classes with a known class map;
# the other problem is a real pair of tasks with a LeNet.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] profile, which sets data, encoders and sizes
pair: str = "fashion_mnist > mnist"  # [data set > data set] real pair of tasks, reference > target
label_costs: list[float] = [
    1.0,
    10.0,
    100.0,
    1.0e4,
    1.0e6,
    1.0e8,
]  # [>= 0] label costs (LAMBDA); published: 1e6 and 1e8
tau: float = 0.2  # [> 0] Lipschitz constant, nats per unit of feature (authors' code, small scale)
steps: int = 300  # [>= 1] steps of the objective (published: 2,001)
n: int = 240  # [>= 1] samples of each task
n_fit: int = 5000  # [>= 1] samples that LeNet learns from
epochs: int = 10  # [>= 0] training epochs of LeNet
seeds: list[int] = [0, 1, 2]  # [seed] seeds of the problem, the start and the batches

# %%
import page
import pandas as pd

from taskrel_core.analysis.report import in_tens
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
    "map": "label map recovered, by label cost",
    "with_inverse": "Lipschitz constant with A⁻¹",
    "squared": "transport cost without the square",
    "soft_prior": "prior without soft-max",
    "with_shares": "classes weighted by frequency",
    "standardise": "tasks standardised jointly",
}

# %%
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
by_cost = maps.groupby("label_cost")[["recovered", "from_start"]].mean()
low, high = by_cost.iloc[0], by_cost.iloc[-1]
map_kept = (
    f"at a label cost of {in_tens(high.name)} the optimiser keeps {high['from_start']:.0%} of its random initial label map "
    f"({high['recovered']:.0%} correct); at {in_tens(low.name)} it recovers {low['recovered']:.0%}"
)
sizes = {name: pd.Series(v).abs().mean() for name, v in {**change, **later}.items()}

# %%
largest = max(sizes, key=sizes.__getitem__)
words = {
    "with_inverse": "Including A⁻¹ in the Lipschitz constant",
    "squared": "Leaving out the square of the transport cost",
    "soft_prior": "Leaving out the soft-max of the prior",
    "with_shares": "Weighting the classes by frequency",
    "standardise": "Standardising both tasks jointly",
}
lost = int(published["reported"].isna().sum())

# %%
page.figure(
    departures(table, titles),
    "authors-objective",
    table=table,
    alt="Six panels. First: fraction of the label map as planted, and as in the random start, against the label cost. The "
    "others: the reported value as published and with one part corrected, one line per run.",
    caption=f"{map_kept}. {words[largest]} changes the reported value most. {len(seeds)} seeds, {steps} steps; reported values "
    f"in nats{f'; not finite and left out: {lost} of {len(published)} published runs' * (lost > 0)}.",
)

# %%
page.table(
    by_cost.mul(100)
    .rename(columns={"recovered": "as planted, %", "from_start": "as in the random start, %"})
    .rename(index=in_tens)
    .rename_axis("label cost")
    .reset_index(),
    "authors-objective-map",
    "Fraction of the label map B as planted, and as in its random start, at each label cost. Published: 10⁶ and 10⁸",
    "{:.0f}",
)

# %%
stretch = published["constant_in_z"] / published["constant"]
finite = published[published["reported"].notna()]
below = finite["reported"].astype(float) < finite["loss"]
page.glue(
    "inverse",
    f"{stretch.min():.2f} to {stretch.max():.2f} times the one used, and the sum moves by {wide['with_inverse']} nats",
)
for name in ("squared", "soft_prior", "standardise", "with_shares"):
    page.glue(name, wide[name])

# %%
page.glue("prior", f"{runs['prior_moved'].max():.2f}")
page.glue("below", f"{int(below.sum())} of {len(below)}")
page.glue(
    "nothing",
    f"{int(runs['reported'].isna().sum())} of {len(runs)} runs ({runs['problem'].nunique()} problems, {len(seeds)} seeds, "
    f"{len(changes)} variants)",
)
page.glue("ours", map_kept)

# %% [markdown]
# **The label cost determines the map.** At a high label cost the first transport plan follows the random soft labels instead of
# the features, and later steps keep it.
#
# **The Lipschitz constant is measured in the transformed features**, not in those of the target: the constant that the theorem
# requires is {glue}`inverse`.
#
# **The plan is solved for the distance, the objective uses its square**: without the square the reported value changes by
# {glue}`squared` nats. **A soft-max is applied to the prior**, already a probability vector: the objective starts up to
# {glue}`prior` away from $P_R$ in total variation, and without it the value changes by {glue}`soft_prior` nats. **Classes are
# averaged with 1/K**: weighted by frequency, the sum changes by {glue}`with_shares` nats. **Each task is standardised
# separately**, an affine map that the theory does not account for: jointly, the value changes by {glue}`standardise` nats.
#
# The reported value is not guaranteed to bound the loss: it lies below the loss of its classifier in {glue}`below` of the finite
# published runs. In {glue}`nothing` it is not finite, since some target class receives no reference class, which the published
# code reports as 10¹⁰. Planted classes have equal frequencies, so the correction of the weights changes nothing there.
