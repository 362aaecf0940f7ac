# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Re-analysis of published correlations
#
# **Method.** Correlations between scores and accuracy are usually published without intervals. A library of transfer learning
# {cite:p}`tllib2020` published accuracies, four scores and correlations of ten supervised ImageNet encoders; the code of SFDA
# {cite:p}`shao2022not` published accuracies of the same encoders from other fine-tunings. Each correlation is recomputed here
# with an interval, and against the other accuracies.
#
# **Do published correlations follow from the published columns?** {glue}`follows`
#
# **Do the accuracies matter?** {glue}`matters`
#
# **What can be concluded from ten encoders?** {glue}`allows`

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
facts: str = "notebooks/facts"  # [folder] folder of the printed numbers
resamples: int = 2000  # [>= 1] bootstrap resamples of encoders
seed: int = 0  # [seed] seed of the resamples

# %%
import page
import pandas as pd

from taskrel_core.analysis.published import (
    compare_accuracies,
    largest_gap_first,
    poster_means,
    read_poster,
    read_published,
    recompute,
)
from taskrel_core.analysis.report import compared
from taskrel_core.figures.names import NAMES, SCORE_NAMES
from taskrel_core.figures.published import against_printed, against_two_tables, poster_cells

# %%
numbers = read_published(facts)
table = largest_gap_first(recompute(numbers, resamples, seed))
agreement = compare_accuracies(numbers, resamples, seed).set_index("target")
agreement = agreement.loc[table["target"].unique()].reset_index().replace({"target": NAMES})
named = table.replace({"target": NAMES, "score": SCORE_NAMES, "copy_of": SCORE_NAMES})

# %%
agrees = table["agrees"] & table["tau_agrees"]
by_target = agrees.groupby(named["target"], sort=False).any()
never = by_target.index[~by_target]
page.figure(
    against_printed(named),
    "published-scores-printed",
    table=named,
    alt="A panel for each score, a row for each target: a dot with an interval for r as recomputed and a tick for r as "
    "printed; a thick bar joins them where they differ.",
    caption=f"{int(agrees.sum())} of {len(table)} printed correlations are those of the printed columns; none is on "
    f"{' and '.join(never) or 'no target'}. Scores and accuracies of {int(table['n'].max())} encoders.",
)

# %%
rows = list(named.itertuples())
shown = pd.DataFrame({"target, score": named["target"] + ", " + named["score"]})
shown["r, own accuracies"] = [f"{r.pearson:+z.2f} [{r.low:+z.2f}, {r.high:+z.2f}]" for r in rows]
shown["printed r (less own)"] = [f"{r.printed:+z.2f} ({r.printed - r.pearson:+z.2f})" for r in rows]
shown["weighted τ (printed)"] = [f"{r.weighted_tau:+z.2f} ({r.printed_tau:+z.2f})" for r in rows]
shown["both follow"] = ["yes" if r.agrees and r.tau_agrees else "**no**" for r in rows]
shown["r, other accuracies"] = [f"{r.other:+z.2f} [{r.other_low:+z.2f}, {r.other_high:+z.2f}]" for r in rows]

# %%
page.table(
    shown,
    "published-scores",
    f"The library's scores against its own accuracies, n = {int(table['n'].max())} encoders: Pearson's r (95 % interval: "
    "encoders resampled) and weighted Kendall τ, each beside what the library prints; whether both follow from its columns, "
    "within rounding; and r with the accuracies of SFDA's code. Largest difference of printed and own r first",
    data=table,
)

# %%
inside = table["other"].between(table["low"], table["high"])
page.figure(
    against_two_tables(named, agreement),
    "published-scores-dots",
    table=pd.concat([named, agreement.assign(score="the two accuracy tables")]),
    alt="A panel for each score, a row for each target: two marks with their intervals. A last panel: the two accuracy tables.",
    caption=f"With the accuracies of another fine-tuning r stays within its interval in {int(inside.sum())} of {len(inside)} "
    "cells. r with the library's accuracies and with those of SFDA's code; then how far the two tables agree.",
)

# %%
copies = named[named["copy_of"] != ""]
wrong = named[~agrees].groupby("target", sort=False)["score"].agg(list)
every = table["score"].nunique()
bad = ", ".join(f"{t} ({'all' if len(s) == every else ', '.join(s)})" for t, s in wrong.items())
copied = ", ".join(f"{r.score} is a copy of {r.copy_of} on {r.target}" for r in copies.itertuples())
off = (named["pearson"] - named["printed"]).abs()
page.glue(
    "follows",
    f"{int(agrees.sum())} of {len(table)} do, r and weighted τ alike, within rounding. The others do not: {bad}; the "
    f"largest gap is {off.max():.2f} ({named['score'][off.idxmax()]} on {named['target'][off.idxmax()]}). In the columns "
    f"themselves, {copied}; its printed r is not the copy's. SFDA's code prints weighted τ without the scores behind them, "
    "so those cannot be checked.",
)

# %%
apart = named[(named["difference_low"] > 0) | (named["difference_high"] < 0)]
flips = int((table["pearson"] * table["other"] < 0).sum())
best = table.groupby("target")[["pearson", "other"]].idxmax()
changed = int((best["pearson"] != best["other"]).sum())
least, most = agreement.loc[agreement["pearson"].idxmin()], agreement.loc[agreement["pearson"].idxmax()]
page.glue(
    "matters",
    f"The two tables of accuracies correlate with r from {least['pearson']:+.2f} [{least['low']:+.2f}, {least['high']:+.2f}] "
    f"({least['target']}) to {most['pearson']:+.2f} [{most['low']:+.2f}, {most['high']:+.2f}] ({most['target']}). Against the "
    f"other table {flips} of {len(table)} correlations change sign. On {changed} of {len(best)} targets another score leads. "
    f"Of the {len(table)} differences {len(apart)} have an interval that excludes zero "
    f"({', '.join(apart['score'] + ' on ' + apart['target'])}). About {0.05 * len(table):.1f} are expected by coincidence.",
)

# %%
width = (table["high"] - table["low"]).median()
ranked = table.sort_values("pearson", ascending=False).groupby("target")
first, second = (ranked.nth(k).set_index("target").sort_index() for k in (0, 1))
overlap = int((first["low"] <= second["high"]).sum())
page.glue(
    "allows",
    f"Little about a single cell: half of the intervals are wider than {width:.2f}. {int((table['low'] > 0).sum())} "
    f"of {len(table)} lie above zero with the library's accuracies, {int((table['other_low'] > 0).sum())} with those of SFDA's "
    f"code. The intervals of the best and the next best score overlap on {overlap} of {table['target'].nunique()} targets.",
)

# %% [markdown]
# ## The averages in the poster's table
#
# The poster prints nine scores on three targets and the mean of each row, but neither the number of encoders nor an interval.
# {glue}`means`

# %%
printed = read_poster(facts)
means = largest_gap_first(poster_means(printed), "mean")
means["name"] = means["score"].map({**SCORE_NAMES, "ours": "relatedness"})
cells = printed[(printed["table"] == "correlation") & (printed["target"] != "average")]
cells = cells.rename(columns={"column": "score"}).replace({"target": NAMES})
page.figure(
    poster_cells(cells, means),
    "published-scores-poster",
    table=cells.merge(means, on="score"),
    alt="One row per score, with a mark for each target and a bar for their mean; the side of the wrong sign is shaded.",
    caption=f"{int(means['agrees'].sum())} of {len(means)} printed averages follow from their cells within rounding. In "
    "brackets the sign that is right for the score; at the right the mean of the cells as computed here, and as printed; "
    "largest difference of the two first.",
)

# %%
by = means.set_index("score")
size = cells.assign(r=cells["pearson"].abs()).pivot(index="target", columns="score", values="r")
ahead = size.index[size["leep"] > size["ours"]]
right = by["name"][by["right"] == by["of"]]
gap = (by["mean"] - by["printed"]).abs().idxmax()
leep, ours = by.loc["leep"], by.loc["ours"]
above = int((by["mean"].abs() > abs(ours["mean"])).sum())

# %%
page.glue(
    "means",
    f"{int(by['agrees'].sum())} of {len(by)} printed averages are within 0.01 of the means of their cells, which the rounding "
    f"of cells and averages to two digits allows. The largest difference is that of {by['name'][gap]}: {by['mean'][gap]:+.3f}, "
    f"printed {by['printed'][gap]:+.2f}. In size, the mean of LEEP ({leep['mean']:+.3f}) is "
    f"{compared(abs(leep['mean']), abs(ours['mean']))[0]} that of relatedness ({ours['mean']:+.3f}). Its cell is above on "
    f"{len(ahead)} of {len(size)} targets ({', '.join(ahead)}). Scores with the right sign in every cell: {', '.join(right)}. "
    "Without the number of encoders no interval can be given for these differences.",
)

# %%
page.glue(
    "ours",
    f"{int(by['agrees'].sum())} of {len(by)} printed averages follow from their cells, within rounding of both. By absolute "
    f"value {by['name'][by['mean'].abs().idxmax()]} is largest; relatedness is number {above + 1} of {len(by)}. Scores with the "
    f"claimed sign in every cell: {', '.join(right)}",
)
page.verdict(
    "arithmetic check" if by["agrees"].all() else "not supported",
    "an arithmetic check of printed averages; not supported if one does not follow from its cells within rounding",
)
