"""The seven verdicts of the book, one meaning each, and the rules that several pages share."""

from collections.abc import Mapping

VERDICTS = {
    "supported": "the rule of the page is met by what was measured here",
    "supported with caveat": "the main condition of the rule is met, a further one is not; the page names it",
    "inconclusive": "the data of this book cannot tell",
    "not supported": "the data of this book contradict the claim",
    "not run here": "data or encoders could not be obtained",
    "arithmetic check": "recomputed from printed values, or true by construction; nothing empirical is at stake",
    "theorem": "proved, and checked on every row",
}


def split(text: str) -> list[tuple[str, str]]:
    """Return the parts of a verdict, ("", verdict) or (aspect, verdict) each.

    Args:
        text: one verdict, or several as ``aspect: verdict, aspect: verdict``.

    Raises:
        ValueError: one of them is none of the seven.
    """
    parts = []
    for part in text.split(", "):
        aspect, _, verdict = part.rpartition(": ")
        if verdict not in VERDICTS:
            raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}, got {verdict!r}; use its words")
        parts.append((aspect, verdict))
    return parts


def joined(found: Mapping[str, str]) -> str:
    """Return several verdicts as one text, which ``split`` reads."""
    return ", ".join(f"{aspect}: {verdict}" for aspect, verdict in found.items())


def of_interval(low: float, high: float) -> str:
    """Judge an oriented effect by its 95 % interval: above 0 supported, below not supported, else inconclusive."""
    if low > 0:
        return "supported"
    return "not supported" if high < 0 else "inconclusive"


def by_interval(low: float, high: float, above: str, below: str, unclear: str) -> str:
    """Return the words for an interval that lies above 0, below it, or holds it."""
    return {"supported": above, "not supported": below}.get(of_interval(low, high), unclear)


def of_gap(smallest: float, largest: float, small: float = 0.5) -> str:
    """Judge gaps over (chance - transferability): 1 and more is vacuous.

    Args:
        smallest: ratio of all rows.
        largest: ratio of all rows.
        small: below which a ratio counts as small.

    Returns:
        "supported" if all ratios are below ``small``, "supported with caveat" if all are below 1, "not supported" if none
        is, else "inconclusive".
    """
    if largest < 1:
        return "supported" if largest < small else "supported with caveat"
    return "not supported" if smallest >= 1 else "inconclusive"


def of_stability(low: float, high: float, most: float = 0.1) -> str:
    """Judge the 95 % interval of a change of r: within ``most`` supported, all beyond it not supported, else inconclusive."""
    if max(abs(low), abs(high)) <= most:
        return "supported"
    return "not supported" if low > most or high < -most else "inconclusive"
