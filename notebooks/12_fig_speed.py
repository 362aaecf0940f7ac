# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # What does it cost?
#
# Time and memory of the exact method (Euclidean cost, everything learned) beside the authors' objective, on planted
# problems whose numbers of samples, features and classes grow one at a time. The two lower lines are a single transport
# with the class map given, over all points at once and one class at a time: what the exact method repeats about a dozen
# times, and why it can. Every point was measured in a process of its own; `FRESH=1` measures them again on your machine.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
n: list[int] = [500, 1000, 2000, 4000, 8000]  # [>= 1] samples of each task
d: list[int] = [64, 256, 1024]  # [>= 1] features
k: list[int] = [5, 10, 25, 100]  # [>= 2] classes of each task
usual: dict[str, int] = {"n": 2000, "d": 256, "k": 10}  # [>= 1] the two that are not varied
steps: int = 20  # [>= 1] of the authors' objective that are measured; the time is extrapolated to all 2,001
threads: int = 1  # [>= 1] of torch and the solvers

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
page.figure(
    speed(rows),
    "speed",
    table=rows,
    alt="Six panels of lines on logarithmic axes: seconds above and peak memory below, against samples, features and classes, "
    "for the exact method, the authors' objective, one plain transport, and one transport by class.",
    caption=f"Wall time and peak memory, {rows['device'].iloc[0]} ({rows['cpu'].iloc[0]}, {threads} thread); the authors' "
    f"objective measured over {steps} steps and taken up to 2,001.",
)

# %%
wide = rows.pivot_table(index=["series", "n", "d", "k"], columns="what", values="seconds")
ratio, transport = wide["authors"] / wide["exact"], wide["plain"] / wide["by_class"]
page.glue(
    "ours",
    f"the exact method is {ratio.min():.0f} to {ratio.max():.0f} times faster than 2,001 steps of the authors' objective "
    f"(median {ratio.median():.0f}, {len(ratio)} problems); one transport by class is {transport.min():.1f} to "
    f"{transport.max():.0f} times faster than over all points",
)
page.glue("verdict", "no claim of the poster")

# %% [markdown]
# Over these problems, {glue}`ours`. Rows measured on a GPU would say so in the column device; none was available when
# these were measured.
