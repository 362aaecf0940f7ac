"""From text to values: what is typed after ``P=`` or stands in a profile file, read as each parameter's type says.

YAML's own guesses (012 is octal, 1:30 is ninety, no is false, " #" starts a comment) are not made: text stays text, and
the declared type says what it is.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any

NAME = r"[A-Za-z_]\w*"
END = rf"(?=\s+{NAME}=|\s*$)"
QUOTED = r"\"[^\"]*\"|'[^']*'"
INSIDE = rf"(?:{QUOTED}|[^\"'])*?"
GIVEN = re.compile(
    rf"\s*({NAME})=((?:{QUOTED}){END}|\[{INSIDE}\]{END}|\{{{INSIDE}\}}{END}|.*?{END})", re.DOTALL
)
WHOLE = re.compile(r"[+-]?\d+(_\d+)*")
EITHER = " | list["  # of a type such as "float | list[float]"
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Refused(ValueError):
    """The command line, the environment or a profile file asks for something that cannot be done."""


def assignments(texts: list[str]) -> dict[str, str]:
    """Split 'a=1 b=[1, 2] c="x y=z"' at the names; the values are data and never run.

    Raises:
        Refused: a word is no assignment, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in map(str.strip, texts):
        at = 0
        while at < len(text):
            match = GIVEN.match(text, at)
            if match is None:
                raise Refused(
                    f'parameters are written name=value, got {text[at:]!r}; for instance P="tau=0.1 seeds=[0, 1]"'
                )
            name, at = match[1], match.end()
            if name in found:
                raise Refused(f"{name} is given twice, {found[name]!r} and {match[2]!r}; give it once")
            found[name] = match[2]
    return found


def parse(text: str, hint: str) -> Any:
    """Take lists and dicts apart as the type says, with or without their brackets; the parts stay text."""
    text = text.strip()
    if EITHER in hint:  # one value, or several to be tried in turn
        one, several = hint.split(" | ")
        found = parse(text, several)
        return found if len(found) > 1 or text.startswith("[") else parse(text, one)
    if hint.startswith("list[") and not text.startswith("{"):
        inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        return [_unquoted(item) for item in _items(inner)]
    if hint.startswith("dict[") and not text.startswith("["):
        inner = text[1:-1] if text.startswith("{") and text.endswith("}") else text
        found: dict[str, str] = {}
        for item in _items(inner):
            match = re.fullmatch(rf"({QUOTED}|.*?):\s+(.*)", item, re.DOTALL) or re.fullmatch(
                rf"({QUOTED}|.*):(.*)", item, re.DOTALL
            )
            if match is None:
                raise TypeError(f"must be {hint}, written {{name: value}}, got {item!r}")
            if _unquoted(match[1]) in found:
                raise TypeError(f"must have each name once, got {match[1]!r} twice")
            found[_unquoted(match[1])] = _unquoted(match[2])
        return found
    return _unquoted(text)


def coerce(value: Any, hint: str, name: str = "value") -> Any:
    """Return ``value``, of which parts may be text, as the annotation says.

    Raises:
        TypeError: it is something else.
    """
    if EITHER in hint:
        return coerce(value, hint.split(" | ")[isinstance(value, list)], name)
    if hint.startswith("list[") and isinstance(value, list):
        return [coerce(item, hint[5:-1], f"each item of {name}") for item in value]
    if hint.startswith("dict[str, ") and isinstance(value, dict):
        return {coerce(k, "str", name): coerce(v, hint[10:-1], f"{name}: {k}") for k, v in value.items()}
    read = {"int": _int, "float": _float, "bool": _bool, "str": lambda v: v if isinstance(v, str) else None}
    found = read[hint](value) if hint in read else None
    if found is None:
        raise TypeError(f"{name} must be {hint}, got {value!r}")
    return found


def _int(value: Any) -> int | None:
    if type(value) is int:
        return value
    if isinstance(value, str) and WHOLE.fullmatch(value):
        return int(value)
    number = _float(value)  # 1e3 is a whole number
    return int(number) if number is not None and number.is_integer() else None


def _float(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _bool(value: Any) -> bool | None:
    text = str(value).lower() if isinstance(value, str | bool) else ""
    return True if text in TRUE else False if text in FALSE else None


def _items(text: str) -> Iterator[str]:
    """Yield what commas separate, outside of quotes and brackets; nothing of an empty text."""
    depth, quote, start = 0, "", 0
    for k, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and not text[start:k].strip() and text.find(letter, k + 1) > 0:
            quote = letter
        elif letter in "[{" or (letter in "]}" and depth):
            depth += 1 if letter in "[{" else -1
        elif letter == "," and not depth:
            yield text[start:k].strip()
            start = k + 1
    if text[start:].strip():
        yield text[start:].strip()


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if re.fullmatch(QUOTED, text) else text


def close(name: str, known: Iterable[str]) -> str:
    """Return " (did you mean ...?)" where a known name is like this one, else nothing."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def written(value: Any, inside: bool = False) -> str:
    """Return a value as text that reads as the same value, in quotes only where it must be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(k, True)}: {written(v, True)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(item, True) for item in value) + "]"
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else repr(value)
    special = r"[,\[\]{}:\"']|^$" if inside else rf"\s{NAME}=|^[\[{{\"']"
    quote = "'" if '"' in value else '"'
    return f"{quote}{value}{quote}" if re.search(special, value) or value != value.strip() else value


def literal(value: Any) -> str:
    """Return a value as it is typed, as a MyST literal on one line that no text can leave."""
    text = " ".join((value if isinstance(value, str) else written(value)).split())
    return f"`` {text.replace('`', chr(39))} ``" if text else "none"
