# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Computational cost
#
# **Method.** Time and memory of the exact method (Euclidean cost, everything learned) and of the published objective, on planted
# problems; samples, features and classes are varied one at a time. Two further lines show a single transport problem with a
# given class map, over all points and class by class; the exact method solves about a dozen of the latter. Each point was
# measured in a separate process; `FRESH=1` measures them on your machine. Times of the published objective are extrapolated
# from a few steps to all 2,001.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
n: list[int] = [500, 1000, 2000, 4000, 8000]  # [>= 1] samples of each task
d: list[int] = [64, 256, 1024]  # [>= 1] number of features
k: list[int] = [5, 10, 25, 100]  # [>= 2] classes of each task
usual: dict[str, int] = {"n": 2000, "d": 256, "k": 10}  # [>= 1] default sizes
steps: int = 20  # [>= 1] measured steps of the published objective, whose time is extrapolated to all 2,001
threads: int = 1  # [>= 1] threads of torch and the solvers

# %%
import page

from taskrel_core.experiments.run import run
from taskrel_core.experiments.speed import Timing
from taskrel_core.figures.speed import WAYS, speed

# %%
series = [
    (name, {**usual, name: value}) for name, values in {"n": n, "d": d, "k": k}.items() for value in values
]
settings = {"steps": steps, "threads": threads, "profile": profile}
rows = run([Timing(way, **sizes, **settings) for _, sizes in series for way in WAYS], jobs=1)
rows["series"] = [name for name, _ in series for _ in WAYS]

# %%
# The default sizes are a point of each series, and one problem.
wide = rows.pivot_table(index=["n", "d", "k"], columns="what", values="seconds")
ratio, transport = wide["authors"] / wide["exact"], wide["plain"] / wide["by_class"]
minute = {way: bool(wide[way].max() < 60) for way in ("exact", "authors")}
caveat = "Hence the caveat: the published objective takes up to an estimated" * (
    minute["exact"] > minute["authors"]
)
told = (
    f"on {len(ratio)} problems the exact solver takes {wide['exact'].min():.1f} to {wide['exact'].max():.0f} s. The published "
    f"objective takes an estimated {wide['authors'].min():.0f} to {wide['authors'].max():,.0f} s for its 2,001 steps"
)

# %%
page.figure(
    speed(rows),
    "speed",
    table=rows,
    alt="Six panels of lines on logarithmic axes: seconds above and peak memory below, against samples, features and classes, "
    "for the exact method, the published objective, one plain transport, and one transport by class.",
    caption=f"{told}. Wall time and peak memory, {rows['device'].iloc[0]} ({rows['cpu'].iloc[0]}, "
    f"{threads} thread); the published objective measured over {steps} steps and taken up to 2,001.",
)

# %%
page.glue("ours", f"{told}. {caveat} {wide['authors'].max() / 60:.0f} minutes" if caveat else told)
page.glue(
    "ratio",
    f"Over the {len(ratio)} problems the median ratio of the two is {ratio.median():.0f}, the largest {ratio.max():.0f}. One "
    f"transport problem solved class by class is {transport.min():.1f} to {transport.max():.0f} times faster than one over all",
)

# %%
page.verdict(
    "not supported" if not minute["exact"] else "supported" if minute["authors"] else "supported with caveat",
    "supported if the exact solver and the published objective each take less than a minute on every problem, with caveat if "
    "only the exact solver does, not supported if it does not",
)

# %% [markdown]
# {glue}`ratio`. A row measured on a GPU says so in the column device.
