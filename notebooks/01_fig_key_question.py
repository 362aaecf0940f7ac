# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Poster, opening figure: how well will an encoder perform on a new task?
#
# **Question of the poster.** How will a pre-trained encoder perform on a new task, given its performance on a reference task?
# The poster asks this without numbers and makes no claim here, so this page has no verdict.
#
# **Method.** The encoder is frozen. The best tau-Lipschitz head of each task is fitted on training samples and measured on
# test samples. The paper profile uses CLIP and adds the zero-shot head of its text tower.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
encoder: str = "efficientnet_lite0"  # [encoder] name in ENCODERS
reference: str = "fashion_mnist"  # [data set] reference task
# fmt: off
targets: list[str] = ["mnist", "digits", "glyphs_latin", "glyphs_greek", "emoji_noto", "emoji_twemoji"]  # [data set] target tasks
# fmt: on
zero_shot: bool = False  # [true needs clip: in encoder] add the zero-shot head of the text tower
tau: float = 0.2  # [> 0] Lipschitz constant of the best head, nats per unit of feature
n: int = 600  # [>= 1] train samples per task
n_test: int = 400  # [>= 1] test samples per task
seed: int = 0  # [seed] of the samples

# %%
import page

from taskrel_core.experiments.linear_heads import LinearHead
from taskrel_core.experiments.run import run
from taskrel_core.figures.key_question import key_question
from taskrel_core.figures.names import named

# %%
heads = ["best", "zero_shot"] if zero_shot else ["best"]
sizes = {"tau": tau, "n": n, "n_test": n_test, "seed": seed, "profile": profile}
table = run(LinearHead(task, encoder, head, **sizes) for task in [reference, *targets] for head in heads)

# %%
page.figure(
    key_question(table, reference),
    "key-question",
    table=table,
    alt="Two panels of dots with error bars, one row per task: accuracy and loss, with a dotted line at the value of the "
    "reference and ticks at chance.",
    caption="Accuracy on the reference does not determine accuracy on a target. "
    f"{named(encoder)}, best head of each task (tau = {tau}, {n} training samples), {n_test} test samples; bars: two standard "
    "errors.",
)

# %%
best = table[table["head"] == "best"].set_index("target")
others = best.drop(index=reference)
low, high = others["accuracy"].idxmin(), others["accuracy"].idxmax()
here = best.loc[reference]
spread = others["loss"] / others["chance"]
page.glue(
    "ours",
    f"with an accuracy of {here['accuracy']:.2f} on the reference, the encoder reaches {others.loc[low, 'accuracy']:.2f} "
    f"({named(low)}) to {others.loc[high, 'accuracy']:.2f} ({named(high)}) on {len(others)} targets",
)

# %%
apart = (others["accuracy"] - here["accuracy"]).abs() > 2 * (others["accuracy_se"] + here["accuracy_se"])
page.glue(
    "apart",
    f"{int(apart.sum())} of {len(apart)} targets differ from the reference by more than two standard errors of each; the loss "
    f"over that of chance is {here['loss'] / here['chance']:.2f} on the reference and {spread.min():.2f} to "
    f"{spread.max():.2f} (range) on the targets",
)

# %% [markdown]
# {glue}`apart`. One number on the reference cannot predict these differences between targets; the three terms of
# {eq}`eq-bound` are meant to. Whether reference accuracy ranks *encoders* on one target is a different question, answered by
# the controls of page 06.
