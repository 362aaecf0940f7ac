"""Several values of several settings: every combination of them, and what differs in words."""

from itertools import product
from typing import Any


def combinations(**values: Any) -> list[dict[str, Any]]:
    """Return one dict for every combination of values; a list holds several, the first of which changes slowest.

    Example:
        >>> combinations(tau=[0.1, 0.2], seed=0)
        [{'tau': 0.1, 'seed': 0}, {'tau': 0.2, 'seed': 0}]
    """
    lists = [value if isinstance(value, list) else [value] for value in values.values()]
    return [dict(zip(values, each, strict=True)) for each in product(*lists)]


def differences(settings: list[dict[str, Any]]) -> list[str]:
    """Return in words what is particular to each of several settings; "as asked" where there is one alone.

    Example:
        >>> differences(combinations(tau=[0.1, 0.2], seed=0))
        ['tau 0.1', 'tau 0.2']
    """
    varied = [name for name in settings[0] if any(one[name] != settings[0][name] for one in settings)]
    return [", ".join(f"{name} {one[name]}" for name in varied) or "as asked" for one in settings]
