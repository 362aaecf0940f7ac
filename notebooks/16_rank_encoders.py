# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Which encoder for my task?
#
# By default the encoders stand in the order of a cross-validated linear probe on the target's samples. The probe depends on the
# target, has a standard error and costs little once features are there. The bound adds a certificate. It is the one-sided bound
# at tau = 8 / √d with features standardised by their own task. Its search takes a third of the usual steps, which makes it some
# per cent larger and leaves it certified.
#
# The advice rests on shipped rows: scores and fine-tuning of page {doc}`06 <06_tab_correlation>`, fewer labels and pseudo-labels
# of pages 07 and 08. There probe and fine-tuning, as ways to choose, are judged on held-back pictures, one in six of the target,
# not cross-validated. "Reference accuracy" takes the encoder that is best on the reference, whatever the target. {glue}`cost`.
#
# With few encoders and targets the intervals are wide. Where those of two ways overlap widely, neither can be called better.
#
# Without `encoders=` the page ranks all that packages carry under a free licence. The reference is Twemoji unless `reference=`
# names another. All rows:
# {download}`CSV <../_generated/rows.16_rank_encoders.csv>`, {download}`JSON lines <../_generated/rows.16_rank_encoders.jsonl>`.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
target: list[str] = [
    "emoji_noto"
]  # [data set] target task; folder:PATH for pictures of your own; features:FILE.npz, one per encoder
encoders: list[str] = []  # [encoder, may be empty for all free encoders] encoders to rank
reference: list[str] = [
    "emoji_twemoji"
]  # [data set, may be empty] reference task of the bound; features:FILE.npz with such a target
tau: list[float] = []  # [> 0, may be empty] Lipschitz constants, nats per unit of feature; none: 8 / sqrt(d)
labels: list[str] = ["true"]  # [true | pseudo] labels of the target; "pseudo": its own are not read
share: list[float] = [1.0]  # [> 0, <= 1] fraction of each class of the target samples
n_target: list[int] = [500]  # [>= 1] largest number of target samples
n_reference: list[int] = [500]  # [>= 1] largest number of reference samples
size: int = 0  # [>= 0] side of the pictures, pixels; 0: what each encoder takes
seed: list[int] = [0]  # [seed] seed of samples and search
by: str = "auto"  # [auto | probe | logme | knn | bound | loss] score that orders the encoders; auto: probe, without labels bound

# %%
import page
import pandas as pd

from taskrel_core import DATASETS
from taskrel_core.analysis import advice as advise
from taskrel_core.analysis.accuracy import select_learning_rate
from taskrel_core.analysis.report import pictures_read
from taskrel_core.experiments.few_shot_scores import SCORES as FEW_SHOT
from taskrel_core.experiments.rank import book_rows, default_encoders, study_rows, sweep
from taskrel_core.experiments.scoring import SCORES
from taskrel_core.figures import rank_encoders as draw
from taskrel_core.figures.names import SCORE_NAMES, WAY_NAMES, named

# %%
lists = {
    "tau": tau or [None],
    "labels": labels,
    "share": share,
    "n_target": n_target,
    "n_reference": n_reference,
}
lists |= {"seed": seed, "size": [size or None], "profile": [profile]}
order = None if by == "auto" else by
rankings = sweep(target, encoders, reference, order, **lists)
everything = pd.concat(rankings, ignore_index=True)
page.rows(everything.assign(encoder=everything["name"]))

# %%
first = rankings[0]
lead = f"{draw.encoder_label(str(first['name'].iloc[0]))} is first of {len(first)} by {WAY_NAMES[str(first['by'].iloc[0])]}"
page.figure(
    draw.ranked_encoders(first),
    "rank-encoders",
    table=first,
    alt="Above: for each encoder the accuracy of its cross-validated probe with its standard error, best on top. Below: its "
    "certified bound, and the region above chance shaded.",
    caption=f"{lead}. {named(str(first['target'].iloc[0]))}, {first['n'].iloc[0]} samples of {first['k'].iloc[0]} classes"
    f"{'; the first of ' + str(len(rankings)) + ' settings' if len(rankings) > 1 else ''}.",
)

# %%
shown = {"name": "encoder", "place": "place", "probe": "probe", "logme": "LogME", "knn": "k-NN"}
shown |= {"bound": "bound", "loss": "loss", "d": "width"}
shown |= {"parameters": "parameters", "licence": "licence", "seconds": "seconds"}
lines = first.assign(
    name=first["name"].map(draw.encoder_label),
    parameters=(first["parameters"].astype(float) / 1e6).round(2),
    logme=first["logme"].map("{:+z.3f}".format, na_action="ignore"),  # small next to accuracies
    seconds=first["seconds"].round().astype("Int64"),
)
agreed = advise.concordance(first, ["probe", "logme", "knn", "bound"])

# %%
page.table(
    lines[list(shown)].rename(columns=shown | {"parameters": "parameters, M"}).astype({"place": int}),
    "rank-encoders",
    "Accuracies of the probe and of 5 nearest neighbours are cross-validated; bound, and loss of the classifier that it "
    f"bounds, in nats (chance {first['chance'].iloc[0]:.3f}, log K {first['log_k'].iloc[0]:.3f}). Kendall's W of probe, "
    f"LogME, k-NN and bound, where known: {agreed:.2f} (1: all order the encoders alike). Seconds: features and all scores",
    floatfmt="{:.2f}",
    data=everything,
)

# %%
for number, name in enumerate((name for name in target if name.startswith("folder:")), 1):
    summary = DATASETS[name].summary()
    page.table(pd.DataFrame(summary["pictures"]), f"your-pictures-{number}", pictures_read(summary))

# %%
for score in dict.fromkeys([str(first["by"].iloc[0]), "bound"] if len(rankings) > 1 else []):
    page.figure(
        draw.sweep(everything, score, WAY_NAMES[score]),
        f"rank-sweep-{score}",
        table=everything[["setting", "place", "name", score]],
        alt=f"One line per encoder over the {len(rankings)} settings of the sweep.",
        caption=f"{WAY_NAMES[score].capitalize()} of each encoder under each of the {len(rankings)} settings.",
    )

# %% [markdown]
# ## How good is the advice?
#
# {glue}`sure`.

# %%
scores, trainings = book_rows()
line_up = default_encoders()
scores, trainings = (rows[rows["encoder"].isin(line_up)] for rows in (scores, trainings))
accuracies = select_learning_rate(trainings)
ways_there = WAY_NAMES | {"probe": "probe on held-back pictures"}
relations = ["one_sided", "logit", "paper"]
asked = {name: SCORES[name] for name in [*relations, "logme", "leep", "nleep", "gbc", "reference_accuracy"]}
whole = scores[(scores["share"] == 1) & (scores["labels"] == "true")]
losses = advise.regrets(advise.advice(whole, trainings, accuracies, asked))

# %%
page.figure(
    draw.regret(losses, ways_there),
    "rank-regret",
    table=losses,
    alt="For each way to choose an encoder a mark for the mean accuracy lost against the best encoder, with its interval.",
    caption=f"What following each score costs: fine-tuned accuracy of the best of {losses['encoders'].max()} encoders less that "
    f"of the one picked, mean over {losses['targets'].max()} targets (95 % CI: encoders and targets resampled). "
    "Blue: relatedness; green: other metrics; grey: controls.",
)

# %%
fewer = {
    "all labels": whole[whole["draw"] == 0],  # as the others: one sample of reference classes
    "10 % of the labels": scores[scores["share"] == 0.1],
    "1 % of the labels": scores[scores["share"] == 0.01],
    "pseudo-labels (logit)": scores[(scores["share"] == 1) & (scores["labels"] == "logit")],
    "pseudo-labels (Euclidean)": scores[(scores["share"] == 1) & (scores["labels"] == "paper")],
}
common = set.intersection(*(set(part["target"]) for part in fewer.values()))

# %%
points = {}
for name, part in fewer.items():
    ways = advise.advice(part[part["target"].isin(common)], trainings, accuracies, asked)
    points[name] = 100 * advise.regrets(ways).set_index("way")["regret"]
points = pd.DataFrame(points).loc[list(asked)]

# %%
page.table(
    points.rename(index=SCORE_NAMES).rename_axis("score").reset_index(),
    "rank-fewer-labels",
    f"Accuracy lost, points, by what the scores may read, mean over {len(common)} targets (those for which all five were "
    "computed). A score of the reference alone reads no labels of the target",
    "{:.1f}",
)

# %%
ways = ["probe", "knn", "logme", "one_sided_loss", "one_sided", "euclidean", "reference_accuracy"]
chosen = {name: FEW_SHOT[name] for name in ways}
lost = {name: advise.study_regrets(t, s, chosen) for name, (s, t) in study_rows().items()}
studies = pd.concat([rows.assign(study=name) for name, rows in lost.items()])
cell = [f"{100 * r.regret:.1f} [{100 * r.low:.1f}, {100 * r.high:.1f}]" for r in studies.itertuples()]
wide = studies.assign(cell=cell).pivot(index="way", columns="study", values="cell")

# %%
page.table(
    wide.reindex(studies["way"].unique()).rename(index=WAY_NAMES).rename_axis("way to choose").reset_index(),
    "rank-studies",
    "Few-shot accuracy lost, points, by following one way to choose in the studies of "
    + " and ".join(
        f"{rows['encoders'].max()} {name} on {rows['targets'].max()} targets" for name, rows in lost.items()
    )
    + " (95 % CI: encoders and targets resampled). Fine-tuning: every encoder once, judged on held-back pictures",
    data=studies,
)

# %%
labelled = first.assign(name=first["name"].map(draw.encoder_label))
careful = advise.cautions(labelled, WAY_NAMES, ["probe", "logme", "knn", "bound"])
page.glue("answer", ". ".join([advise.recommendation(labelled, WAY_NAMES), *careful]))
page.glue("sure", advise.experience(losses, ways_there, str(first["by"].iloc[0])))
page.glue(
    "cost",
    f"One fine-tuning of these {accuracies['encoder'].nunique()} encoders takes {accuracies['seconds'].median():.0f} s, one line "
    f"of the ranking above {first['seconds'].median():.0f} s, features included where they were not given (medians)",
)
page.glue("ours", lead)
