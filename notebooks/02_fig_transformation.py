# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # What each transformation does
#
# **The poster's claim.** A classifier of lions, wolves and bees becomes one of cats and dogs in three steps: change the
# class prior, map the labels, move the features. Below, the three steps are *computed*, on points in a plane: nobody
# tells the method which class belongs to which, nor how the target is turned.
#
# {eq}`eq-prior`, {eq}`eq-labelmap` and {eq}`eq-features` define the steps. The panels' positions are results of
# `relatedness`, not an illustration.

# %% tags=["parameters"]
profile: str = "embedded"  # [profile] which size of everything
n: int = 120  # [>= 2] points per class
tau: float = 1.0  # [> 0] Lipschitz constant of the loss, nats per unit of the plane
turn: float = 110.0  # [>= -360, <= 360] by how many degrees the target is turned against the reference
seed: int = 0  # [seed] of the points

# %%
import numpy as np
import page
import pandas as pd

from taskrel_core import Task, relatedness
from taskrel_core.figures.transformation import transformation

# %%
rng = np.random.default_rng(seed)
names_r, names_t = ["Lion", "Wolf", "Bee"], ["Dog", "Cat"]
spread = np.array([[0.8, 0.2], [0.25, 0.7], [0.3, 0.3]])
means_r = np.array([[-2.2, 0.0], [1.8, 1.2], [0.4, -1.2]])
y_r = np.repeat([0, 1, 2], n)
z_r = means_r[y_r] + spread[y_r] * rng.normal(size=(3 * n, 2))

# %%
angle = np.deg2rad(turn)
rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
# Dogs look like wolves, cats like lions, and dogs are twice as many.
of_target = np.repeat([1, 0], [n, n // 2])
z_t = means_r[of_target] + spread[of_target] * rng.normal(size=(len(of_target), 2))
z_t = z_t @ rotation.T + 0.5
reference, target = Task(z_r, y_r, 3, "Lion, Wolf, Bee"), Task(z_t, 1 - of_target, 2, "Dog, Cat")

# %%
r = relatedness(reference, target, tau=tau, seed=seed)
mapped = r.transform.B.argmax(0).numpy()[y_r]
weight = (r.transform.prior / reference.prior).numpy()[y_r]
moved = r.transform.apply(z_r).numpy()
said = ", ".join(f"{a} to {names_t[i]}" for a, i in zip(names_r[:2], r.transform.B.argmax(0), strict=False))
pd.DataFrame(r.transform.B.numpy(), index=names_t, columns=names_r).round(3)

# %%
steps = [
    ("R: reference", z_r, np.array(names_r)[y_r], y_r, np.ones(len(y_r))),
    ("R': new prior", z_r, np.array(names_r)[y_r], y_r, weight),
    ("R'': labels mapped", z_r, np.array(names_t)[mapped], mapped + 3, weight),
    ("R''': features moved", moved, np.array(names_t)[mapped], mapped + 3, weight),
    ("T: target", z_t, np.array(names_t)[1 - of_target], 4 - of_target, np.ones(len(z_t))),
]
parts = [
    pd.DataFrame({"step": s, "x": z[:, 0], "y": z[:, 1], "label": label, "colour": c, "weight": w})
    for s, z, label, c, w in steps
]
table = pd.concat(parts).query("weight > 0")

# %%
page.figure(
    transformation(table),
    "transformation",
    table=table,
    alt="Five panels of points in a plane: three reference classes; the same without bees; relabelled as dogs and cats; "
    "turned onto the target; the target.",
    caption=f"The chain from the reference to the target. Bees get prior {float(r.transform.prior[2]):.2f}; the map sends "
    f"{said}; A turns the plane by {np.rad2deg(np.arctan2(*r.transform.A.numpy()[[1, 0], 0])):.0f}° "
    f"(planted: {turn:.0f}°).",
)

# %%
names = [
    "re-weighted reference loss",
    "label mismatch",
    "tau x distribution mismatch",
    "bound",
    "loss of h_R'''",
]
values = [r.reweighted_loss, r.label_mismatch, r.tau * r.distribution_mismatch, r.bound, r.loss]
terms = pd.DataFrame({"term": names, "nats": values})
page.table(terms, "transformation-terms", "The three terms, their sum, and the loss that they bound")

# %%
recovered = bool((r.transform.B.argmax(0)[:2].numpy() == [1, 0]).all())
page.glue(
    "ours", f"the planted map is {'recovered' if recovered else 'not recovered'}, certified: {r.certified}"
)
page.glue("verdict", "holds" if recovered and r.bound >= r.loss else "does not hold")
