# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Scaling out
#
# The rows behind a page are independent of one another, so they can be computed on any machine:
#
# ```bash
# # Dask workers of this machine
# TASKREL_BACKEND=dask make reproduce
# # a cluster that runs already
# TASKREL_BACKEND=dask TASKREL_SCHEDULER=tcp://host:8786 make reproduce
# ```
#
# Each worker needs this package (the same commit) and the data of its rows. It stores rows in its own `TASKREL_CACHE`; on a
# shared file system all workers can use one. The caller stores the rows too. If a worker fails, only its current row is lost.
#
# **One setting matters.** By default Dask workers return memory to the system immediately, which slows several workers on one
# machine. Workers started by this package keep their memory; for your own cluster, set this in its Dask configuration:
#
# ```yaml
# distributed:
#   nanny:
#     pre-spawn-environ:
#       MALLOC_TRIM_THRESHOLD_: 536870912
# ```

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
workers: list[int] = [1, 2]  # [>= 1] Dask workers of one thread each
rows: int = 12  # [>= 1] exact bounds that the workers share
seeds: list[int] = [
    0,
    100,
    200,
    300,
    400,
]  # [seed] seeds of the repeats, each that of its first bound
sizes: dict[str, int] = {"n": 2000, "d": 256, "k": 10}  # [>= 1] sizes of each bound's problem
large: dict[str, int] = {
    "n": 10000,
    "n_reference": 50000,
    "d": 768,
    "k": 100,
    "k_reference": 1000,
}  # [>= 1] sizes of one large problem
threads: int = 2  # [>= 1] threads for the large problem
pair: list[str] = [
    "fashion_mnist",
    "mnist",
]  # [data set, 2 items, may repeat] reference and target of the bound in mixed precision
encoder: str = "efficientnet_lite0"  # [encoder] encoder that is run in float32 and in bfloat16

# %%
import page

from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.run import run
from taskrel_core.experiments.speed import Timing

# %%
kinds = {"cluster": "Dask", "processes": "plain processes"}
shared = [
    Timing(kind, **sizes, rows=rows, workers=w, seed=seed, profile=profile)
    for seed in seeds
    for kind in kinds
    for w in workers
]
table = run(shared, jobs=1)
table["computed by"] = table["what"].map(kinds.get)
table["rows per minute"] = 60 * table["rows"] / table["seconds"]
alone = table.groupby(["what", "seed"])["rows per minute"].transform("first")
table["against one"] = table["rows per minute"] / alone

# %%
grouped = table.groupby(["computed by", "workers"], sort=False)
shown = grouped[["seconds", "rows per minute", "against one"]].median().reset_index()
for end in ("min", "max"):
    shown[f"{end}imum"] = grouped["against one"].agg(end).to_numpy()
page.table(
    shown,
    "scaling",
    f"{rows} exact bounds ({sizes['n']} x {sizes['n']} samples, {sizes['d']} features, {sizes['k']} classes), each worker one "
    f"thread of {table['cpu'].iloc[0]}: medians of {len(seeds)} repeats, with the smallest and largest speed-up over one worker; "
    "plain processes show what the cores of this machine allow",
    "{:.2f}",
    data=table,
)

# %%
big = run([Timing("exact", **large, threads=threads, profile=profile)], jobs=1).iloc[0]
page.glue(
    "large",
    f"{big['k_reference']} x {big['k']} classes, {big['n_reference']:,} x {big['n']:,} samples, {big['d']} features: "
    f"{big['seconds'] / 60:.1f} minutes with {big['threads']} threads and {big['peak_mb'] / 1024:.1f} GB "
    f"({big['cpu']}, {big['device']})",
)

# %%
bounds = run(
    [
        Experiment(*pair, f"{encoder}{at}", 0.2, n_reference=500, n_target=500, profile=profile)
        for at in ("", "@bfloat16")
    ]
)["bound"]
page.glue(
    "precision",
    f"{bounds[0]:.4f} nats from features in float32, {bounds[1]:.4f} in bfloat16 ({encoder}, {' to '.join(pair)}, "
    "one-sided, tau 0.2, 500 samples each)",
)

# %%
last = [
    f"{row['against one']:.2f} (range {row['minimum']:.2f} to {row['maximum']:.2f})"
    for _, row in shown[shown["workers"] == workers[-1]].iterrows()
]
page.glue(
    "ours",
    f"{workers[-1]} Dask workers compute {last[0]} times as many rows per minute as one. {workers[-1]} plain processes compute "
    f"{last[1]} times as many as one (medians of {len(seeds)} repeats)",
)
page.glue("grid", f"{15 * 3 * 3} fine-tunings and {15 * 3 * 3} cells of scores")

# %% [markdown]
# **One large problem**, the size of the paper's own setting: {glue}`large`.
#
# **The cost of a grid** is rows times seconds per row, divided by the workers: {glue}`ours`. A row of features and bounds needs
# the memory of its features twice, in double precision (8 bytes per number), and that of the transport of its largest class,
# 8 bytes per pair of points. The correlation table of the paper profile is {glue}`grid` (15 encoders, 3 targets, 3 seeds);
# fine-tuning dominates. On a GPU (`TASKREL_DEVICE=cuda`) encoders, fine-tuning, heads and the steps on feature map and head
# run in double precision; exact transport, Procrustes and the published objective stay on the CPU. Device handling is tested on
# a simulated GPU; the speed-up on a real one has not been measured.
#
# **Mixed precision** concerns features only: an encoder's name with `@bfloat16` or `@float16` runs its network so; heads,
# transport and bound remain in double precision. Effect on a bound: {glue}`precision`. Features are computed in batches, with at
# most 4,096 decoded images in memory.
#
# **On Slurm**, `dask_jobqueue.SLURMCluster(cores=1, memory="8GB", walltime="04:00:00")` starts workers as jobs;
# `TASKREL_SCHEDULER` takes its `cluster.scheduler_address`. **On Kubernetes**, the Dask operator's `KubeCluster` does the same,
# with an image that contains this package and a volume for `TASKREL_CACHE`. Neither was tested here; the tests use the
# scheduler and workers that both start.
