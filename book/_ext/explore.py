"""The directive ``{explore}``: the rows behind the pages, to pick from. Their file is made when the book is built."""

import json
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from docutils import nodes
from ledger import called
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from taskrel_core.experiments.scoring import PAPER_TAU, SCORES
from taskrel_core.figures.names import NAMES, SCORE_NAMES, TERMS
from taskrel_core.figures.style import GREY, TERM_COLOURS

# What a reader picks, in this order, and what each is called.
FIELDS = {
    "reference": "reference",
    "target": "target",
    "encoder": "encoder",
    "transport": "transport measured",
    "tau": "tau, nats per unit",
    "learns": "what is learned",
    "labels": "labels of the target",
    "samples": "target samples",
    "draw": "seed of the samples",
    "page": "page of the book",
}
MODES = {"learned_all": "A, B, prior D", "learned_a": "A alone", "fixed_all": "nothing"}
LOSSES = {"loss": "loss of the transformed classifier", "transferability": "loss of the best head"}
ACCURACIES = {
    "accuracy": "accuracy of the transformed classifier",
    "head_accuracy": "accuracy of the best head",
}
REACHED = {"fine_tuned": "accuracy, fine-tuned end to end", "probe": "accuracy of a linear probe"}
# Column of a row of scores: how its transport is measured, and its tau.
FORMS = {
    "paper": ("Euclidean", f"{PAPER_TAU:g}"),
    "calibrated": ("Euclidean", "calibrated"),
    "logit": ("logit, held out", "8 / √d"),
    "one_sided": ("one-sided, held out", "8 / √d"),
    "logit_in": ("logit", "8 / √d"),
    "one_sided_in": ("one-sided", "8 / √d"),
}
# Pages without bounds of their own, and the page whose rows are on the same tasks or of the same kind.
RELATED = {
    "01_fig_key_question": "06_tab_correlation",
    "02_fig_transformation": "09_tab_transform_ablation",
    "10_fig_authors_objective": "03_fig_small_gap",
    "11_fig_certificate": "04_fig_task_pairs",
    "12_fig_speed": "09_tab_transform_ablation",
    "14_tab_published_scores": "06_tab_correlation",
    "17_tab_small_encoders": "06_tab_correlation",
    "18_fig_transport_term": "06_tab_correlation",
    "19_tab_search": "06_tab_correlation",
    "20_tab_packaged_encoders": "06_tab_correlation",
    "21_fig_little_data": "06_tab_correlation",
}
VEGA = ("vega/vega.min.js", "vega/vega-lite.min.js", "vega/vega-embed.min.js")
SCRIPTS = (*VEGA, "explore-rows.js", "explore.js")


class Explore(SphinxDirective):
    """Controls, the place where the picture and the numbers go, and the scripts that fill it."""

    def run(self) -> list[nodes.Node]:
        self.env.note_reread()
        controls = "".join(
            f'<label for="explore-{name}">{escape(text)}<select id="explore-{name}" name="{name}"></select></label>'
            for name, text in FIELDS.items()
        )
        body = (
            f'<form class="explore" aria-label="Which row">{controls}</form>\n'
            '<p id="explore-said" role="status"></p>\n'
            '<div id="explore-terms" class="explore-chart"></div>\n<div id="explore-ranks" class="explore-chart"></div>\n'
            '<div class="pst-scrollable-table-container"><table class="table" id="explore-numbers"></table></div>\n'
            "<noscript>This page needs JavaScript; the same numbers are in the files linked from each page.</noscript>\n"
        )
        scripts = "".join(f'<script defer src="{path}"></script>' for path in SCRIPTS)
        return [nodes.raw("", body + scripts, format="html")]


class Explored(SphinxRole):
    """The role ``{explored}``: its word "pages", and the numbers of those whose rows the explore page has."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the words; the directive has the page read again whenever the book is built."""
        rows = collected(Path(self.env.srcdir))["rows"]
        return [nodes.Text(f"{self.text} {listed({row['page'] for row in rows})}")], []


def listed(pages: Iterable[str]) -> str:
    """Return the numbers of pages, runs of three or more as a range: "03 to 05, 13 and 16"; "none yet" without any."""
    runs: list[list[str]] = []
    for number in sorted({page.partition("_")[0] for page in pages}):
        if runs and number.isdigit() and runs[-1][-1].isdigit() and int(number) == int(runs[-1][-1]) + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [part for run in runs for part in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else run)]
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]])) or "none yet"


class ExploreLink(SphinxRole):
    """A link to the explore page with the most telling row of a page chosen, or one of a related page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the link; in a book of one page it leads to the chapter."""
        to = self.env.app.builder.get_relative_uri(self.env.docname, "explore")
        page = RELATED.get(self.text, self.text)
        choice = "" if "#" in to else f"?page={page}"  # the theme takes what follows # for a name
        words = "explore" if page == self.text else "explore a related row"
        return [nodes.reference("", words, refuri=to + choice, internal=True)], []


def collected(source: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that the pages kept, one a bound, the most telling first, and what several bounds share."""
    found: dict[str, list[dict[str, Any]]] = {"rows": [], "cells": []}
    for path in sorted((source / "_generated").glob("rows.*.csv")):
        table = pd.read_csv(path, low_memory=False, dtype={"labels": str})  # "true" is a word
        name = path.name.removeprefix("rows.").removesuffix(".csv")
        if "paper" in table:
            asked = [score for score in SCORES if score in table and score not in FORMS]
            for (_, row), ranks in zip(table.iterrows(), _ranks(table, [*asked, *FORMS]), strict=True):
                found["cells"].append(_cell(row, asked) | ranks)
                found["rows"] += list(_forms(row, name, len(found["cells"]) - 1))
        elif {"bound", *list(TERMS)[:2]} <= set(table):  # others are trainings, or candidates of a search
            found["rows"] += [_row(row, name) for _, row in table.iterrows() if not pd.isna(row["bound"])]
    found["rows"].sort(key=_dullness)
    return found


def _dullness(row: dict[str, Any]) -> tuple[bool, bool, float]:
    """Certified bounds with their terms come first, and those furthest below chance."""
    return not row.get("certified", True), "terms" not in row, row["bound"] / row.get("chance", row["log_k"])


def _common(row: pd.Series, page: str) -> dict[str, Any]:
    reference = NAMES.get(row["reference"], row["reference"])
    some, draw = row.get("k_reference"), row.get("draw")
    drawn = str(int(row["seed"] if draw is None else draw))
    return {
        "page": page,
        "reference": reference if draw is None or pd.isna(some) else f"{reference}, {int(some)} classes",
        "target": NAMES.get(row["target"], row["target"]),
        "encoder": NAMES.get(row["encoder"], row["encoder"]),
        "learns": MODES[row.get("mode", "learned_all")],
        "labels": row["labels"] if row["labels"] in ("true", "pseudo") else f"pseudo, by {row['labels']}",
        "samples": int(row["n"]),
        "draw": f"{drawn}, part {int(row['part'])}" if row.get("part") else drawn,
        "log_k": _short(row["log_k"]),
        **_known(row, {"chance": "chance"}),
    }


def _row(row: pd.Series, page: str) -> dict[str, Any]:
    """A row of the method: three terms, the bounds under the other costs, and the truth."""
    lenet, many = row["encoder"] in ("lenet", "lenet_shuffled"), "s" * (row.get("epochs") != 1)
    trained = {"encoder": f"{NAMES[row['encoder']]}, {row['epochs']:.0f} epoch{many}"} if lenet else {}
    first, second, _ = TERMS
    rest = row["bound"] - row[first] - row[second]
    return {
        **_common(row, page),
        **trained,
        "transport": NAMES[row["metric"]],
        "tau": f"{row['tau_used'] if 'tau_used' in row else row['tau']:g}",
        "terms": [_short(value) for value in (row[first], row[second], rest)],
        "bound": _short(row["bound"]),
        "chain": _known(row, {f"bound_{m}": NAMES[m] for m in ("euclidean", "span", "logit", "one_sided")}),
        "truth": _known(row, LOSSES),
        "more": _known(row, ACCURACIES),
        "certified": bool(row["certified"]),
    }


def _forms(row: pd.Series, page: str, cell: int) -> Iterator[dict[str, Any]]:
    """A row for each form of relatedness that a row of scores holds."""
    for form, (transport, tau) in FORMS.items():
        if not pd.isna(row.get(form)):
            given = {
                "transport": transport,
                "tau": tau,
                "bound": _short(row[form]),
                "form": SCORE_NAMES[form],
            }
            yield _common(row, page) | given | {"cell": cell}


def _cell(row: pd.Series, asked: list[str]) -> dict[str, Any]:
    """What all forms of one row of scores share: accuracies and other scores."""
    return {
        "accuracies": _known(row, REACHED),
        "forms": _known(row, {form: SCORE_NAMES[form] for form in FORMS}),
        "scores": _known(row, {score: SCORE_NAMES[score] for score in asked}),
    }


def _ranks(table: pd.DataFrame, asked: list[str]) -> Iterator[dict[str, Any]]:
    """Yield for each row the place of its encoder among those of the same target and samples, 1 best, by each score."""
    same = [key for key in ("reference", "target", "labels", "share", "part", "draw", "size") if key in table]
    groups = table.groupby(same, dropna=False)
    placed = pd.DataFrame({s: groups[s].rank(ascending=not SCORES[s]) for s in asked if s in table})
    truth, sizes = groups["fine_tuned"].rank(ascending=False), groups["encoder"].transform("size")
    for k in table.index:
        ranks = _known(placed.loc[k], {score: SCORE_NAMES[score] for score in placed})
        yield {"ranks": ranks, "true_rank": _short(truth[k]), "of": int(sizes[k])}


def _known(row: pd.Series, names: dict[str, str]) -> dict[str, Any]:
    """What a row holds, under the names that readers see."""
    return {text: _short(row[name]) for name, text in names.items() if not pd.isna(row.get(name))}


def _short(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(f"{value:.5g}")


def write_rows(app: Sphinx, error: Exception | None) -> None:
    """Put the rows beside the pages, as a script: a page opened as a file may not read other files."""
    if error is None and "html" in app.builder.name:
        style = {"terms": list(TERMS.values()), "colours": TERM_COLOURS, "grey": GREY}
        found = collected(Path(app.srcdir))
        pages = {row["page"]: called(row["page"]) for row in found["rows"]}
        whole = found | style | {"fields": list(FIELDS), "pages": pages}
        text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
        Path(app.outdir, "explore-rows.js").write_text(f"window.TASKREL = {text};\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive, and what makes its file."""
    app.add_directive("explore", Explore)
    app.add_role("explore", ExploreLink())
    app.add_role("explored", Explored())
    app.connect("build-finished", write_rows)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
