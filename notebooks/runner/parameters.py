"""The parameters of a notebook, declared once: its first code cell holds ``name: type = default  # [rule] meaning``.

A rule is a list of, separated by commas:

    > 0   >= 1   <= 1      bounds of every number          true | pseudo             the texts that it may be
    seed                   0 to 2**32 - 1                  data set, encoder         a name that the registries know
    folder                 a folder that is there          data set > data set       two of them
    trainable encoder      one that fine-tuning can train  true needs clip: in NAME  only if NAME begins so
    2 items, 2 or more     how many, else at least one     one per item of pairs     as many as another parameter has
    may be empty           also none                       may repeat                also the same item twice
    none of related        no item of another parameter
    may be empty for all small encoders, ... free encoders   none stands for all of this kind

A type such as ``float | list[float]`` takes one value, or several, each of which the notebook tries.
``encoder: > 0`` is for a dict: what its names are, then what its values are. A dict without it has the names of its
default, and values given for some of them leave the others as they are. Numbers are finite, whatever the rule.
"""

import ast
import math
import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from nbformat import NotebookNode

from . import assets
from .imports import ROOT
from .reading import Refused, close, coerce, parse

COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
BOUND = re.compile(r"(>=|<=|>|<) *(-?[\d.]+)")
LENGTH = re.compile(r"(\d+) (items|or more)")
AS_MANY = re.compile(r"one per item of (\w+)")
NONE_OF = re.compile(r"none of (\w+)")
NEEDS = re.compile(r"true needs (\S+) in (\w+)")
KINDS = ("data set", "encoder", "trainable encoder", "folder", "data set > data set")
EMPTY = re.compile(r"may be empty for all (small encoders|free encoders)")
WORDS = ("seed", "profile", "may be empty", "may repeat", *KINDS)


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell."""

    name: str
    hint: str
    default: Any
    rule: str
    meaning: str

    def __str__(self) -> str:
        rule = f"[{self.rule}] " if self.rule else ""
        return f"  {self.name}: {self.hint} = {self.default!r}  # {rule}{self.meaning}"

    @property
    def of_names(self) -> str:
        """The rule of a dict's names, or "" where they are those of its default."""
        return self.rule.rpartition(": ")[0] if self.hint.startswith("dict[") else ""

    @property
    def parts(self) -> list[str]:
        """The parts of the rule of its values."""
        rule = self.rule.rpartition(": ")[2] if self.hint.startswith("dict[") else self.rule
        return [part for part in re.split(r",\s*", rule) if part]


def declared(notebook: NotebookNode, stem: str) -> dict[str, Parameter]:
    """Return what the cell tagged ``parameters`` declares.

    Raises:
        Refused: a line has no type, or its default or rule cannot be understood.
    """
    found = {}
    for cell in notebook.cells:
        if "parameters" not in cell.metadata.get("tags", []):
            continue
        lines = cell.source.splitlines()
        for node in ast.parse(cell.source).body:
            if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value):
                raise Refused(
                    f"notebooks/{stem}.py: the parameters cell must hold lines 'name: type = value  # what it is', "
                    f"got {ast.unparse(node)!r}; give it a type and a value"
                )
            rest = lines[(node.end_lineno or 1) - 1].encode()[node.end_col_offset :].decode().strip(" #")
            match = re.match(r"\[(.*?)\] *", rest)
            hint, name = ast.unparse(node.annotation), node.target.id
            try:
                default = coerce(ast.literal_eval(node.value), hint, name)
                rule, meaning = (match[1], rest[match.end() :]) if match else ("", rest)
                found[name] = Parameter(name, hint, default, rule, meaning)
                _understood(found[name])
            except (TypeError, ValueError) as error:
                raise Refused(
                    f"notebooks/{stem}.py: the line of {name} must be understood: {error}"
                ) from error
    return found


def _understood(p: Parameter) -> None:
    parts = [*p.parts, p.of_names] if p.of_names else p.parts
    for part in parts:
        known = (
            part in WORDS
            or " | " in part
            or any(x.fullmatch(part) for x in (BOUND, LENGTH, AS_MANY, NONE_OF, NEEDS, EMPTY))
        )
        if not known:
            raise ValueError(f"{part!r} is no rule; see notebooks/runner/parameters.py")


def of_profile(profile: str, stem: str) -> dict[str, Any]:
    """Return what ``params/<profile>.yml`` sets for one notebook, its values as text."""
    path = ROOT / "notebooks" / "params" / f"{profile}.yml"
    known = sorted(file.stem for file in path.parent.glob("*.yml"))
    if profile not in known:
        raise Refused(
            f"profile must be one of {', '.join(known)}, got {profile!r}{close(profile, known)}; see notebooks/params"
        )
    return (yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) or {}).get(stem) or {}


def chosen(
    stem: str,
    known: dict[str, Parameter],
    profile: str,
    given: dict[str, str] | None = None,
    values: dict[str, Any] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return all values that a notebook runs with, and those of them that the command line asked for.

    Args:
        stem: the notebook.
        known: its declared parameters.
        profile: sets some of them.
        given: text from the command line, which wins.
        values: what an earlier command line gave, read already.

    Raises:
        Refused: a name is unknown, or a value is not what its declaration says.
    """
    merged = {name: p.default for name, p in known.items()}
    if "profile" in known:
        merged["profile"] = profile
    merged |= _typed(stem, known, of_profile(profile, stem), merged, f"params/{profile}.yml")
    asked = _typed(stem, known, {**(values or {}), **(given or {})}, merged, "the command line", given)
    merged |= asked
    for name, p in known.items():
        origin = "the command line" if name in asked else f"params/{profile}.yml"
        try:
            merged[name] = checked(p, merged[name], merged, name in asked)
        except ValueError as error:
            raise Refused(f"notebooks/{stem}.py, from {origin}: {error}\n{p}") from error
    return merged, {name: merged[name] for name in asked}


def filled(known: dict[str, Parameter], values: dict[str, Any]) -> dict[str, Any]:
    """Return the values, with the names that an empty list stands for in its place."""
    found = dict(values)
    for name, p in known.items():
        group = next((match[1] for part in p.parts if (match := EMPTY.fullmatch(part))), None)
        if group and not values[name]:
            found[name] = assets.names().get(group, [])
    return found


def _typed(
    stem: str, known: dict[str, Parameter], values: dict[str, Any], merged: dict, origin: str, text: Any = ()
) -> dict[str, Any]:
    """Return ``values`` with the declared types, dicts merged with what they had; those in ``text`` are parsed."""
    found = {}
    for name, value in values.items():
        if name not in known or name == "profile":
            way = "set it by PROFILE=" if name == "profile" else f"known are{close(name, known)}"
            listing = "\n".join(map(str, known.values()))
            raise Refused(
                f"notebooks/{stem}.py has no parameter {name!r} to be set by {origin}; {way}\n{listing}\n"
                "A text that holds ' name=' itself is put in quotes."
            )
        p = known[name]
        try:
            found[name] = coerce(parse(value, p.hint) if name in (text or ()) else value, p.hint, name)
        except TypeError as error:
            said = str(error) if str(error).startswith((name, "each")) else f"{name} {error}"
            raise Refused(f"notebooks/{stem}.py, from {origin}: {said}; it is\n{p}") from error
        if isinstance(p.default, dict) and not p.of_names:
            found[name] = merged[name] | found[name]
    return found


def checked(p: Parameter, value: Any, merged: dict[str, Any], asked: bool) -> Any:
    """Return the value if it is what its rule says, a default of equal items as long as the list that it goes with.

    Raises:
        ValueError: it is not; the message names the parameter, the rule, what came.
    """
    value = _beside(p, value, merged, asked)
    if isinstance(value, dict):
        _check_names(p, value)
    for leaf in _leaves(value):
        where = f"each item of {p.name}" if isinstance(value, list | dict) else p.name
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise ValueError(f"{where} must be finite, got {leaf}")
        for part in p.parts:
            _check(part, leaf, where)
    if isinstance(value, list | dict):
        _check_length(p, value)
    return value


def _beside(p: Parameter, value: Any, merged: dict[str, Any], asked: bool) -> Any:
    """Check a value against the other parameters that its rule speaks of, and return it as long as they want it."""
    for part in p.parts:
        if match := AS_MANY.fullmatch(part):
            wanted = len(merged[match[1]])
            if not asked and len(set(value)) == 1:
                value = value[:1] * wanted
            if len(value) != wanted:
                raise ValueError(
                    f"{p.name} must have one item per item of {match[1]}, which has {wanted}, got {len(value)}: {value!r}"
                )
        if (match := NONE_OF.fullmatch(part)) and (both := [v for v in value if v in merged[match[1]]]):
            raise ValueError(
                f"{p.name} must have no item of {match[1]}, got {both[0]!r} in both; drop it from one"
            )
        if (match := NEEDS.fullmatch(part)) and value and not str(merged[match[2]]).startswith(match[1]):
            raise ValueError(
                f"{p.name}=true needs {match[2]}={match[1]}..., got {merged[match[2]]!r}; change one of the two"
            )
    return value


def _check(part: str, leaf: Any, where: str) -> None:
    """Refuse one number or text that one part of a rule forbids."""
    if match := BOUND.fullmatch(part):
        if not COMPARE[match[1]](leaf, float(match[2])):
            raise ValueError(f"{where} must be {part}, got {leaf}")
    elif part == "seed" and not 0 <= leaf < 2**32:
        raise ValueError(f"{where} must be a seed, 0 to 4294967295, got {leaf}")
    elif " | " in part and leaf not in part.split(" | "):
        known = part.split(" | ")
        raise ValueError(f"{where} must be one of {', '.join(known)}, got {leaf!r}{close(leaf, known)}")
    elif part == "folder" and not (ROOT / Path(leaf).expanduser()).is_dir():
        raise ValueError(f"{where} must be a folder that is there, got {leaf!r}")
    elif part == "data set > data set":
        names = leaf.split(" > ")
        if len(names) != 2:
            raise ValueError(f"{where} must be 'reference > target', with spaces around one >, got {leaf!r}")
        for name in names:
            _check("data set", name, where)
    elif part in ("data set", "encoder", "trainable encoder") and (why := assets.refusal(part, leaf)):
        raise ValueError(f"{where} must be {'an' if part[0] in 'aeiou' else 'a'} {part}: {why}")


def _check_length(p: Parameter, value: list | dict) -> None:
    exact = next((match for part in p.parts if (match := LENGTH.fullmatch(part))), None)
    empty = any(part.startswith("may be empty") for part in p.parts)
    if exact and (value or not empty):
        number, words = int(exact[1]), exact[2]
        if len(value) < number or (words == "items" and len(value) > number):
            raise ValueError(f"{p.name} must have {exact[0]}, got {len(value)}: {value!r}")
    elif not value and not empty:
        raise ValueError(f"{p.name} must have at least one item, got {value!r}")
    if isinstance(value, list) and "may repeat" not in p.parts and len(set(value)) < len(value):
        twice = next(item for item in value if value.count(item) > 1)
        raise ValueError(f"{p.name} must have each item once, got {twice!r} {value.count(twice)} times")


def _check_names(p: Parameter, value: dict[str, Any]) -> None:
    for name in value:
        if p.of_names:
            _check(p.of_names, name, f"each name in {p.name}")
        elif name not in p.default:
            raise ValueError(
                f"{p.name} has no {name!r}; it has {', '.join(p.default)}{close(name, p.default)}"
            )


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield value
