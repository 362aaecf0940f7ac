# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # What others printed
#
# Correlations between a score and accuracy are printed without intervals, and rarely beside the numbers that they come
# from. Two projects printed both accuracies and scores or correlations for ten supervised ImageNet encoders: a library of
# transfer learning {cite:p}`tllib2020` and the code of SFDA {cite:p}`shao2022not`. So each correlation can be computed again,
# with an interval, and against the other source's accuracies of the same encoders.
#
# **What comes out.** {glue}`answer`
#
# **The poster's averages** are plain means of its own cells: {glue}`means`. The means of LEEP and of the paper's own score
# are {glue}`leep`: on the poster's own numbers the paper's score is not the strongest in size, but no cell of it has the
# wrong sign, which is true of only some of the others.

# %% tags=["parameters"]
profile: str = "embedded"  # which size of everything
facts: str = "notebooks/facts"  # folder of the printed numbers
resamples: int = 2000  # bootstrap draws, of encoders
seed: int = 0  # of the draws

# %%
import page
import pandas as pd

from taskrel_core.figures import NAMES
from taskrel_core.published import poster, poster_means, published, recomputed, tables_agree
from taskrel_core.score_figures import SCORE_NAMES, score_correlations

# %%
numbers = published(facts)
table = recomputed(numbers, resamples, seed)
agreement = tables_agree(numbers, resamples, seed).set_index("target")
printed = poster(facts)
means = poster_means(printed)

# %%
shown = pd.DataFrame(
    {
        "target": table["target"].map(lambda name: NAMES.get(name, name)),
        "score": table["score"].map(SCORE_NAMES),
        "r": [f"{r.pearson:+.2f} [{r.low:+.2f}, {r.high:+.2f}]" for r in table.itertuples()],
        "printed": table["printed"],
        "follows": table["agrees"].map({True: "yes", False: "no"}),
        "r, other accuracies": [
            f"{r.other:+.2f} [{r.other_low:+.2f}, {r.other_high:+.2f}]" for r in table.itertuples()
        ],
    }
)

# %%
page.table(
    shown,
    "published-scores",
    f"Pearson r of the library's scores with its own accuracies, n = {int(table['n'].max())} encoders, 95 % interval: encoders "
    "resampled; the r that it prints, and whether that follows from its own columns; r with the other source's accuracies "
    "of the same encoders",
    "{:+.2f}",
    data=table,
)

# %%
dots = table.assign(score=shown["target"], target=shown["score"])
page.figure(
    score_correlations(dots).figure,
    "published-scores-dots",
    table=table,
    alt="For each target four marks, one a score, with wide intervals on a scale of Pearson's r from -1 to 1.",
    caption="The same as a picture: with ten encoders most intervals overlap.",
)

# %%
cells = printed[(printed["table"] == "correlation") & (printed["target"] != "average")].rename(
    columns={"column": "score"}
)
cells = cells.assign(low=cells["pearson"], high=cells["pearson"], target=cells["target"].str.title())
signs = means.set_index("score")["expected"]
named = cells["score"].map(
    lambda s: f"{SCORE_NAMES.get(s, 'task-relatedness')} ({signs[s]})".replace("-)", "−)")
)
page.figure(
    score_correlations(cells.assign(score=named)).figure,
    "published-scores-poster",
    table=cells,
    alt="The poster's nine scores, three marks each, one a target; some have a mark on the wrong side.",
    caption="The poster's own correlations; in brackets the right sign. It gives no n and no interval.",
)

# %%
wrong = table.groupby("target")["agrees"].agg(lambda cells: int((~cells).sum()))
bad = [f"{NAMES.get(t, t)} ({n} of 4)" for t, n in wrong[wrong > 0].items()]
ranks = agreement["pearson"]
flips = int((table["pearson"] * table["other"] < 0).sum())
page.glue(
    "answer",
    f"{int(table['agrees'].sum())} of {len(table)} printed correlations follow from the library's own columns; those "
    "that do not: "
    f"{', '.join(bad)}. The two accuracy tables of the same encoders correlate with r from {ranks.min():+.2f} "
    f"({ranks.idxmin()}) to {ranks.max():+.2f} ({ranks.idxmax()}), and {flips} correlations change sign with the table that "
    f"they are computed against. {int((table['low'] > 0).sum())} of {len(table)} intervals exclude zero.",
)

# %%
by = means.assign(name=means["score"].map({**SCORE_NAMES, "ours": "task-relatedness"})).set_index("score")
page.glue(
    "means",
    ", ".join(f"{m.name} {m.mean:+.2f} (printed {m.printed:+.2f})" for m in by.itertuples(index=False)),
)
page.glue("leep", f"{by.loc['leep', 'mean']:+.2f} and {by.loc['ours', 'mean']:+.2f}")

# %%
followed = int((abs(by["mean"] - by["printed"]) < 0.01).sum())
page.glue(
    "ours",
    f"{followed} of {len(by)} printed averages are the means of their cells; LEEP {by.loc['leep', 'mean']:+.2f}, the paper's "
    f"score {by.loc['ours', 'mean']:+.2f}; the right sign in every cell: {', '.join(by['name'][by['right'] == by['of']])}",
)
page.glue("verdict", "holds" if by["mean"].abs().idxmax() == "ours" else "holds in sign")
