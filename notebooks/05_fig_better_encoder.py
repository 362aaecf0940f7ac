# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Poster, figure: a better encoder for the reference
#
# **Method.** A LeNet is trained on the reference. We measure the best head and the bound on each target after several epochs; 0
# is the untrained network. Which targets are related is a parameter; in the book, tasks with the same classes are, fixed in
# advance. The *control* is the same network, trained in the same way on permuted labels of the same pictures; of it, the loss
# of the best head is measured. The control shows the effect of training as such; the difference is the effect of the labels.
#
# **Statistics.** Two aspects are judged. *Improvement (loss)*: the loss of the best head, divided by chance, decreases on
# related targets; its accuracy is reported, not judged. *Specificity*: the decrease beyond that of the control is larger on
# related than on unrelated targets. Each is a mean over targets, with Student's 95 % confidence interval over seeds.
#
# **Limits.** The interval covers seeds, not targets: there are few of each kind, and another choice may give another answer.
# In a few epochs the control learns little of the permuted labels.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] profile, which sets data, encoders and sizes
reference: str = "mnist"  # [data set] task that the encoder learns
related: list[str] = ["digits", "glyphs_digits"]  # [data set] targets with the same classes
unrelated: list[str] = [
    "fashion_mnist",
    "glyphs_latin",
]  # [data set, none of related] targets with other classes
steps: list[int] = [0, 1, 3, 10]  # [>= 0, 2 or more] training epochs after which the encoder is measured
tau: float = 0.2  # [> 0] Lipschitz constant, nats per unit of feature
n_reference: int = 1000  # [>= 1] reference samples
n_target: int = 1000  # [>= 1] target samples
n_fit: int = 5000  # [>= 1] samples that the encoder learns from
seeds: list[int] = [0, 1, 2, 3, 4]  # [seed] seeds of the encoder, the samples and the search

# %%
import page

from taskrel_core.analysis.better_encoder import caveat, decreases, effects, said, verdicts_of
from taskrel_core.experiments.relatedness import Experiment
from taskrel_core.experiments.run import run
from taskrel_core.figures.better_encoder import better_encoder
from taskrel_core.figures.names import NAMES, named

# %%
sizes = {"n_reference": n_reference, "n_target": n_target, "n_fit": n_fit, "profile": profile}
each = [(target, epochs, seed) for target in [*related, *unrelated] for epochs in steps for seed in seeds]
learned = [Experiment(reference, t, "lenet", tau, epochs=e, seed=s, **sizes) for t, e, s in each]
# Untrained, the control is the same network; its best head does not depend on what the bound learns.
shuffled = [
    Experiment(reference, t, "lenet_shuffled", tau, epochs=e, seed=s, mode="fixed_all", **sizes) if e else row
    for (t, e, s), row in zip(each, learned, strict=True)
]
rows = run([*learned, *shuffled])
page.rows(rows.drop_duplicates())
table = rows.assign(
    related=rows["target"].isin(related), control=[False] * len(learned) + [True] * len(shuffled)
)
fall = decreases(table)
found = effects(fall)

# %%
page.figure(
    better_encoder(table, fall),
    "better-encoder",
    table=table,
    alt="Above, a mark per target: how much further its loss decreases than that of the control. Beneath, a row per target: "
    "loss of the best head with the bound above it, and accuracy, after several epochs; a coloured line for the encoder that "
    "learns the reference, a grey dashed one for the control, trained on random labels.",
    caption=f"While the encoder learns the reference, the loss / chance decreases by {found['related'].mean():.2f} on related "
    f"and by {found['unrelated'].mean():.2f} on unrelated targets. With a control that learns random labels it "
    f"decreases by {found['control_related'].mean():.2f} and by {found['control_unrelated'].mean():.2f}. Reference: "
    f"{named(reference)}; mean, and range as a line (above) or band, over {len(seeds)} seeds.",
)

# %%
summary = fall.groupby(["related", "target"], as_index=False)[
    ["learned", "control", "beyond", "bound", "accuracy"]
].mean()
summary.insert(0, "target", summary.pop("target"))  # which stays in sight on a phone
page.table(
    summary.replace({"target": NAMES, "related": {True: "yes", False: "no"}}).set_axis(
        ["target", "related", "loss", "loss, control", "beyond the control", "bound", "accuracy"], axis=1
    ),
    "better-encoder",
    f"Decrease of loss and bound from {min(steps)} to {max(steps)} epochs, divided by chance, and rise of the best head's "
    f"accuracy; mean over {len(seeds)} seeds",
    "{:.3f}",
    data=summary,
)

# %%
but = caveat(fall, {t: named(t) for t in fall["target"]})
page.glue(
    "ours",
    f"on related targets the loss / chance of the best head decreases by {said(found['related'])}. The accuracy "
    f"of that head changes by {found['accuracy_related'].mean():+.3f}, on unrelated targets by "
    f"{found['accuracy_unrelated'].mean():+.3f}. Beyond the control, the loss decreases further on related than on unrelated "
    f"targets by {said(found['specificity'])}{f'. {but}' if but else ''}",
)
rises = [
    f"{rise:+.3f} ({named(t)})" for t, rise in fall.groupby("target", sort=False)["accuracy"].mean().items()
]

# %%
page.glue(
    "parts",
    f"On unrelated targets the loss decreases by {said(found['unrelated'])}. That of the control decreases by "
    f"{said(found['control_related'])} on related targets, by {said(found['control_unrelated'])} on unrelated ones",
)
page.glue("rises", f"The accuracy of the best head changes by {', '.join(rises)}")

# %%
page.verdict(
    verdicts_of(fall),
    "Improvement (loss), by the 95 % CI of the decrease on related targets: supported if above 0, not supported if below, else "
    "inconclusive. Specificity, by that of the decrease beyond the control, related minus unrelated targets: likewise; with "
    "caveat if some unrelated target gains as much beyond the control as some related one",
)

# %% [markdown]
# {glue}`parts`. {glue}`rises`.
