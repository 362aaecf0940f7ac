# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # The key question
#
# **The poster's question.** One encoder, frozen; a head for each task. Its accuracy and loss on a reference are known. Do
# they say what it reaches on other tasks? If they did, no further measure would be needed. The poster draws this
# question without numbers; here it is asked of an encoder that packages carry (in the paper profile: of CLIP, with the
# zero-shot head of its text tower as one more head).

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
encoder: str = "efficientnet_lite0"  # [encoder] name in ENCODERS
reference: str = "fashion_mnist"  # [data set] the task whose numbers are known
# fmt: off
targets: list[str] = ["mnist", "digits", "glyphs_latin", "glyphs_greek", "emoji_noto", "emoji_twemoji"]  # [data set] the others
# fmt: on
zero_shot: bool = False  # [true needs clip: in encoder] also the head of the text tower
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
    alt="Two panels of dots with error bars, one row a task: accuracy on the left, loss on the right, with a dotted line at "
    "the reference's value and ticks where chance lies.",
    caption=f"{named(encoder)}, the best head of each task (tau = {tau}, {n} samples), measured on {n_test} others; "
    "bars: two standard errors.",
)

# %%
best = table[table["head"] == "best"].set_index("target")
others = best.drop(index=reference)
low, high = others["accuracy"].idxmin(), others["accuracy"].idxmax()
here = best.loc[reference]
spread = others["loss"] / others["chance"]
page.glue(
    "ours",
    f"accuracy {here['accuracy']:.2f} on the reference, {others.loc[low, 'accuracy']:.2f} ({named(low)}) to "
    f"{others.loc[high, 'accuracy']:.2f} ({named(high)}) on {len(others)} targets; loss over that of chance "
    f"{here['loss'] / here['chance']:.2f} on the reference, {spread.min():.2f} to {spread.max():.2f} on them",
)

# %%
apart = (others["accuracy"] - here["accuracy"]).abs() > 2 * (others["accuracy_se"] + here["accuracy_se"])
page.glue(
    "verdict",
    f"{int(apart.sum())} of {len(apart)} targets differ from it by more than two standard errors of each",
)

# %% [markdown]
# **The answer here:** {glue}`ours`; {glue}`verdict`. Targets differ from one another, and one number on the reference
# cannot predict all of theirs: what is missing is how each target is related to the reference, which is what the three
# terms of {eq}`eq-bound` measure.
