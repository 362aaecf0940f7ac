"""What each figure shows: the numbers of its table at the places of its marks, under the names that readers know."""

from itertools import pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.text import Text

from taskrel_core.data.datasets import DATASETS
from taskrel_core.encoders.base import ENCODERS
from taskrel_core.experiments.few_shot_scores import SCORES as FEW_SHOT_SCORES
from taskrel_core.experiments.pretraining import RECIPES
from taskrel_core.experiments.rank import ORDERS
from taskrel_core.experiments.scoring import SCORES
from taskrel_core.figures.ablation import ablation
from taskrel_core.figures.better_encoder import better_encoder
from taskrel_core.figures.correlation import accuracies_reached, score_correlations, score_scatter
from taskrel_core.figures.key_question import key_question, one_encoder
from taskrel_core.figures.limited_data import limited_data
from taskrel_core.figures.names import NAMES, SCORE_NAMES, WAY_NAMES, candidate_name, named
from taskrel_core.figures.panels import apart
from taskrel_core.figures.published import against_printed
from taskrel_core.figures.rank_encoders import encoder_label, ranked_encoders, regret, sweep
from taskrel_core.figures.small_encoders import changed_correlations
from taskrel_core.figures.small_gap import small_gap
from taskrel_core.figures.style import GREY, TERM_COLOURS
from taskrel_core.figures.task_pairs import task_pairs
from taskrel_core.figures.transformation import transformation
from taskrel_core.figures.your_task import your_task

from .contrast import least


@pytest.fixture(autouse=True)
def no_window():
    """No window is opened; what was drawn can be told from a light and from a dark page."""
    with mpl.rc_context({"backend": "agg"}):
        yield
        faint = [found for number in plt.get_fignums() for found in too_faint(plt.figure(number))]
        plt.close("all")
    assert not faint


def too_faint(figure):
    """Letters and opaque lines of too little contrast."""
    for text in figure.findobj(Text):
        if text.get_text().strip() and least(text.get_color()) < 4.5:
            yield f"{text.get_text()!r} in {text.get_color()}"
    for line in figure.findobj(Line2D):
        colour = line.get_color() if line.get_linestyle() != "None" else line.get_markeredgecolor()
        if line.get_alpha() is None and least(colour) < 3:
            yield f"line in {colour}"


def marks(ax):
    """Places of single marks, (x, y)."""
    single = [line for line in ax.lines if len(line.get_xdata()) == 1]
    return [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in single]


def test_readers_know_every_score_and_name():
    assert set(SCORES) <= set(SCORE_NAMES)
    assert named("folder:anywhere") == "your pictures"
    assert named("features:any.npz") == "your features"
    assert set(ORDERS) <= set(WAY_NAMES)
    assert named("never_heard_of") == "never_heard_of"
    known = {"span", "euclidean", "logit", "one_sided", "fixed_all", "learned_a", "learned_all", "imagenet"}
    published = {"aircraft", "caltech101", "cars", "cifar100", "dtd", "pets", "sun397"}
    assert set(NAMES) <= {*DATASETS, *ENCODERS, *RECIPES, *known, *published}
    assert set(FEW_SHOT_SCORES) <= {*SCORE_NAMES, "otce"}


def test_bound_and_best_head_stand_on_one_line_and_above_chance_is_shaded():
    row = {
        "pair": "a → b",
        "tau": 0.02,
        "bound": 1.75,
        "transferability": 0.9,
        "chance": 2.3,
        "fixed_all": 2.0,
    }
    table = pd.DataFrame([row | {"metric": "euclidean"}, row | {"metric": "one_sided", "bound": 1.0}])
    others = table.assign(tau=0.5, bound=1.5, fixed_all=np.nan)
    table = pd.concat([table.assign(ratio=[1.5, 0.25]), others.assign(ratio=[3.0, 0.5])])
    ax, below = small_gap(table, 0.02)
    assert {(0.9, 0.0), (1.75, 0.0), (1.0, 0.0), (2.0, 0.0)} <= set(marks(ax))
    assert ax.patches[0].get_x() == pytest.approx(2.3)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a →\nb"]
    lines = [line for line in below.lines if list(line.get_xdata()) == [0.02, 0.5]]
    assert [line.get_ydata().tolist() for line in lines] == [[1.5, 3.0], [0.25, 0.5]]
    assert below.patches[0].get_y() == 1
    assert [text.get_text() for text in below.texts[:2]] == ["Euclidean cost", "one-sided cost"]


def test_pairs_are_placed_by_what_chance_makes_comparable_with_the_baseline_beneath():
    table = pd.DataFrame({"target": ["mnist", "usps"], "best": [1.0, 0.5], "chance": 2.0})
    table = table.assign(class_distance=[3.0, 9.0], bound_euclidean=[2.4, 3.0], bound_span=[1.5, 1.0])
    (ax, other), (beneath, _) = task_pairs({"one": table, "two": table}, ["euclidean", "span"])
    places = [tuple(dots.get_offsets()[0]) for dots in ax.collections]
    assert places == [(0.5, 1.2), (0.5, 0.75), (0.25, 1.5), (0.25, 0.5)]
    assert [len(dots.get_facecolors()) for dots in ax.collections] == [0, 1, 0, 1]  # the last cost is filled
    assert ax.get_aspect() == 1
    assert "y = x" in [text.get_text() for text in ax.texts]
    assert [tuple(dots.get_offsets()[0]) for dots in beneath.collections] == [(3.0, 0.5), (9.0, 0.25)]
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == [
        "MNIST", "USPS", "Euclidean cost", "span cost",
    ]  # fmt: skip
    assert ax.get_ylim() == other.get_ylim()


def test_the_terms_of_the_chain_add_up_to_the_bound():
    points = pd.DataFrame({"step": list("abcde"), "x": 0.0, "y": [0.0, 1, 2, 3, 4], "label": "a"})
    points = points.assign(colour=0, weight=1.0)
    terms = pd.DataFrame(
        {"term": ["one", "two", "three", "bound", "loss"], "nats": [0.5, 0.25, 0.25, 1.0, 0.4]}
    )
    bars = transformation(points, terms)[-1].patches
    assert [bar.get_width() for bar in bars] == [0.5, 0.25, 0.25, 0.4]
    assert bars[2].get_x() + bars[2].get_width() == pytest.approx(1.0)


def test_a_better_encoder_is_a_line_through_the_means_of_its_seeds_beside_a_hollow_control_in_the_row_of_its_target():
    table = pd.DataFrame({"epochs": [0, 0, 3, 3], "seed": [0, 1, 0, 1], "target": "digits", "chance": 2.0})
    table = table.assign(
        reference_accuracy=[0.1, 0.3, 0.8, 1.0],
        transferability=[2, 1, 0.5, 0.1],
        bound=2.0,
        related=False,
        head_accuracy=0.5,
    )
    control = table.assign(transferability=1.5)
    top, ((loss, accuracy),) = better_encoder(
        pd.concat([table.assign(control=False), control.assign(control=True)], ignore_index=True),
        pd.DataFrame({"target": "digits", "related": False, "beyond": [0.1, 0.3]}),
    )
    assert marks(top) == [(pytest.approx(0.2), 0.0)]
    assert list(top.lines[0].get_xdata()) == [0.1, 0.3]
    assert [tick.get_text() for tick in top.get_yticklabels()] == ["digits 8x8 (unrelated)"]
    other, line, bound = loss.lines
    assert line.get_ydata() == pytest.approx([0.75, 0.15])
    assert other.get_ydata() == pytest.approx([0.75, 0.75])
    assert (other.get_mfc(), other.get_ls()) == ("none", "--")
    assert bound.get_ydata() == pytest.approx([1, 1])  # that of the control is not learned
    assert len(accuracy.lines) == 2
    assert loss.get_title(loc="left") == "digits 8x8 (unrelated)"
    assert [tick.get_text() for tick in loss.get_xticklabels()] == ["0\n0.20", "3\n0.90"]
    assert loss.figure.legends[0].get_texts()[0].get_text() == "control: random labels"


def test_each_score_has_its_mean_over_the_dots_of_its_targets():
    mean = pd.DataFrame(
        {"score": ["probe", "paper"], "mean_r": [0.7, -0.2], "low": [0.6, -0.3], "high": [0.8, -0.1]}
    ).assign(kind=["control", "relatedness"])
    each = pd.DataFrame({"score": "paper", "target": ["mnist", "usps"], "pearson": [0.5, -0.1]})
    ax = score_correlations(mean, each)
    assert {(0.7, 0.0), (-0.2, 1.0)} <= set(marks(ax))
    assert any(list(line.get_xdata()) == [0.5, -0.1] for line in ax.lines)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [
        "cross-validated probe",
        "relatedness, Euclidean, tau 0.02",
    ]
    assert [tick.get_fontweight() for tick in ax.get_yticklabels()] == ["normal", "bold"]  # what is judged
    assert [(area.get_y(), area.get_height()) for area in ax.patches] == [(0.5, 1.0)]


def test_encoders_are_labelled_and_sized_by_their_width():
    table = pd.DataFrame(
        {"target": "mnist", "encoder": ["pca", "lenet", "vgg16"], "score": "logme", "value": [1.0, 2.0, 6.0]}
    )
    ax = score_scatter(
        table.assign(fine_tuned=[0.2, 0.3, 0.7]), ["logme"], {"pca": 10, "lenet": 20, "vgg16": 40}
    )[0]
    (dots,) = ax.collections
    assert np.asarray(dots.get_offsets()).mean(0) == pytest.approx([0, 0])
    assert sorted(dots.get_sizes() / dots.get_sizes().min()) == pytest.approx([1, 2, 4])
    assert {text.get_text() for text in ax.texts} == {"pixel PCA", "LeNet", "VGG16 trunk"}


def test_accuracy_and_probe_stand_in_the_row_of_their_encoder():
    table = pd.DataFrame(
        {"target": "mnist", "encoder": ["vgg16", "pca"], "fine_tuned": [0.9, 0.5], "probe": [0.4, 0.3]}
    )
    ax = accuracies_reached(table.assign(fine_tuned_se=0.01), ["pca", "vgg16"])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["pixel PCA", "VGG16 trunk"]
    assert ax.lines[-1].get_xdata() == pytest.approx([0.3, 0.4])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("own 16 8 in_sample", "16 own components, tau = 8 / √m"),
        ("joint 8 4 in_sample loss", "8 joint components, tau = 4 / √m: loss"),
        ("classes 9 8 held_out", "9 class discriminants, tau = 8 / √m, held out"),
        ("all 16 8 in_sample", "all features, tau = 8 / √d"),
    ],
)
def test_a_candidate_is_named_in_words(text, name):
    assert candidate_name(text) == name


def test_each_target_has_a_panel_and_each_encoder_is_named_once_above_its_place():
    table = pd.DataFrame({"target": ["mnist"] * 3 + ["usps"] * 3, "encoder": ["pca", "vgg16", "lenet"] * 2})
    table = table.assign(reference_accuracy=[0.4, 0.6, 0.601] * 2, fine_tuned=[0.9, 0.7, 0.8] * 2)
    ax, other = key_question(table)
    assert [a.get_ylabel() for a in (ax, other)] == ["MNIST", "USPS"]
    assert (ax.lines[-1].get_xdata() == [0.4, 0.6, 0.601]).all()
    assert (ax.lines[-1].get_ydata() == [0.9, 0.7, 0.8]).all()
    assert [(text.get_text(), text.xy[0]) for text in ax.texts] == [
        ("pixel PCA", 0.4), ("VGG16 trunk", 0.6), ("LeNet", 0.601),
    ]  # fmt: skip
    assert not other.texts
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_labels_are_moved_apart_in_their_order_and_no_further_than_needed():
    moved = apart([0.5, 0.0, 0.55, 2.0], 0.2)
    assert moved == pytest.approx([0.425, 0.0, 0.625, 2.0])
    assert apart([1.0], 0.2).tolist() == [1.0]


def test_the_reference_is_named_and_its_value_carried_down():
    table = pd.DataFrame(
        {"target": ["mnist", "usps"], "head": "best", "accuracy": [0.9, 0.6], "loss": [0.3, 1.0]}
    )
    table = table.assign(accuracy_se=0.01, loss_se=0.1, largest_class=0.1, chance=2.3)
    axes = one_encoder(table, "mnist")
    assert [tick.get_text() for tick in axes[0].get_yticklabels()] == ["MNIST (reference)", "USPS"]
    assert any(list(line.get_xdata()) == [0.9, 0.9] for line in axes[0].lines)


def test_a_printed_value_that_does_not_follow_is_joined_to_the_recomputed_one():
    table = pd.DataFrame(
        {"target": ["Pets", "DTD"], "score": "LEEP", "pearson": [0.5, 0.6], "low": 0.1, "high": 0.9}
    )
    ax = against_printed(table.assign(printed=[-0.1, 0.6], agrees=[False, True])).flat[0]
    ends = [[list(end) for end in line] for lines in ax.collections for line in lines.get_segments()]
    assert ends == [[[0.1, 0], [0.9, 0]], [[0.1, 1], [0.9, 1]], [[0.5, 0], [-0.1, 0]]]
    assert ax.get_title(loc="left") == "LEEP: 1 of 2 differ"
    assert [line.get_xdata().tolist() for line in ax.lines[:2]] == [[-0.1, 0.6], [0.5, 0.6]]


def test_limited_data_has_a_line_per_score_in_order_of_the_fraction():
    table = pd.DataFrame({"score": "logme", "target": "mnist", "share": [1.0, 0.1], "pearson": [0.9, 0.2]})
    ax = limited_data(table.assign(low=0.1, high=0.95), {"logme": "other metric"})
    assert ax.lines[0].get_xdata() == pytest.approx([0.1, 1.0])
    assert ax.lines[0].get_ydata() == pytest.approx([0.2, 0.9])


def test_modes_are_joined_from_left_to_right():
    table = pd.DataFrame(
        {"pair": "a → b", "mode": ["fixed_all", "learned_all"], "bound": [3.0, 2.0], "chance": 2.3}
    )
    ax = ablation(table.assign(low=table["bound"] - 0.1, high=table["bound"] + 0.1))
    assert ax.lines[0].get_xdata() == pytest.approx([3.0, 2.0])
    assert ax.get_legend_handles_labels()[1] == ["FixedAll", "LearnedAll"]


def test_the_last_bar_of_ones_own_task_is_split_into_terms_that_add_up_to_the_bound():
    table = pd.DataFrame({"metric": ["euclidean", "logit"], "bound": [3.0, 2.0], "loss": 1.0})
    table = table.assign(transferability=0.8, chance=2.3, reweighted_loss=1.2, label_mismatch=0.3)
    ax = your_task(table)
    shade, *bars = ax.patches
    assert shade.get_x() == pytest.approx(2.3)
    assert [bar.get_width() for bar in bars] == pytest.approx([3.0, 1.2, 0.3, 0.5])
    assert bars[3].get_x() == pytest.approx(1.5)
    assert [to_hex(bar.get_facecolor()).upper() for bar in bars] == [GREY, *TERM_COLOURS]
    assert {line.get_xdata()[0] for line in ax.lines} == {0.8, 1.0, 2.3}
    ax.figure.canvas.draw()
    boxes = [Text.get_window_extent(text) for text in ax.texts]  # without the lines to them
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_encoders_stand_in_their_order_with_the_probes_error_and_the_bound_against_chance():
    table = pd.DataFrame(
        {"name": ["vgg16", "file:/a/b.pt@timm:x"], "probe": [0.9, 0.5], "n": 100, "bound": [1.0, 2.5]}
    )
    left, right = ranked_encoders(table.assign(largest_class=0.3, chance=2.0))
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["VGG16 trunk", "b.pt@timm:x"]
    points = left.containers[0]
    assert points[0].get_xdata() == pytest.approx([0.9, 0.5])
    assert points[2][0].get_segments()[1][:, 0] == pytest.approx([0.45, 0.55])
    assert right.lines[0].get_xdata() == pytest.approx([1.0, 2.5])
    assert left.get_ylim()[0] > left.get_ylim()[1]  # the first is on top
    assert encoder_label("features:/x/mine.npz") == "mine.npz"


def test_a_ranking_without_a_bound_has_a_picture():
    table = pd.DataFrame({"name": ["pca"], "probe": [0.9], "n": 100, "bound": [np.nan]})
    ranked_encoders(table.assign(largest_class=0.3, chance=2.0))


def test_a_sweep_has_a_line_per_encoder_in_the_order_of_its_settings():
    table = pd.DataFrame(
        {"name": list("abab"), "setting": ["tau 2", "tau 2", "tau 1", "tau 1"], "bound": [1, 2, 3, 4]}
    )
    ax = sweep(table, "bound", "bound, nats")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 3], [2, 4]]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["tau 2", "tau 1"]


def test_what_following_a_score_costs_is_in_points_with_its_interval():
    table = pd.DataFrame(
        {"way": ["logme", "random"], "regret": [0.01, 0.05], "low": [0.0, 0.04], "high": [0.03, 0.06]}
    )
    ax = regret(table, WAY_NAMES)
    intervals, points = ax.collections
    assert [x for x, _ in points.get_offsets()] == pytest.approx([1, 5])
    assert intervals.get_segments()[0][:, 0] == pytest.approx([0, 3])
    assert [to_hex(colour) for colour in points.get_facecolors()] == ["#009e73", GREY]  # a metric, a control
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["LogME", "any encoder"]


def test_a_score_has_a_mark_for_each_condition_at_its_correlation():
    row = {"score": "logme", "kind": "other metric", "low": 0.1, "high": 0.9}
    many = [row | {"condition": name, "mean_r": r} for name, r in (("all", 0.7), ("few", 0.5), ("none", 0.2))]
    ax = changed_correlations(pd.DataFrame(many))
    assert {x for x, _ in marks(ax)} == {0.7, 0.5, 0.2}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["all", "few", "none"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["LogME"]
