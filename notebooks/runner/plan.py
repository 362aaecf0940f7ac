"""What a page depends on: parameters, the code that it imports, the lock, the data; and one key of it all."""

import ast
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import yaml
from nbformat import NotebookNode

from .imports import ROOT, imported

SCALARS = {"int": int, "float": float, "str": str, "bool": bool}


class Refused(ValueError):
    """The command line or a profile file asks for something that is not there."""


@dataclass(frozen=True)
class Plan:
    """One notebook with the values that it will run with."""

    stem: str
    notebook: NotebookNode
    profile: str
    given: dict[str, Any]  # from the command line
    injected: dict[str, Any]  # all that differ from the notebook's defaults
    parts: dict[str, Any]  # everything that the result depends on
    text: str  # hash of the source with its prose

    @property
    def key(self) -> str:
        """Hash of all parts: equal keys, equal pages."""
        return digest(json.dumps(self.parts, sort_keys=True, default=str).encode())


def make(stem: str, profile: str, given: dict[str, str] | None = None, values: dict | None = None) -> Plan:
    """Return the plan of one notebook; ``given`` is text from the command line, ``values`` are parsed ones."""
    source = ROOT / "notebooks" / f"{stem}.py"
    notebook = jupytext.read(source)
    known = parameters(notebook, stem)
    texts = {name: parse(text, known[name][0]) for name, text in (given or {}).items() if name in known}
    unknown = {name: None for name in given or {} if name not in known}
    asked = coerce_all(
        {**(values or {}), **texts, **unknown}, known, f"notebooks/{stem}.py", "the command line"
    )
    by_profile = coerce_all(
        profile_values(profile, stem), known, f"notebooks/{stem}.py", f"params/{profile}.yml"
    )
    own = {"profile": profile} if "profile" in known else {}
    defaults = {name: default for name, (_, default, _) in known.items()}
    merged = defaults | own | by_profile | asked
    injected = {name: value for name, value in merged.items() if value != defaults[name]}
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    files = sorted(imported("\n".join(cell.source for cell in code)))
    parts = {
        "notebook": digest(json.dumps([[c.source, c.metadata] for c in code], sort_keys=True).encode()),
        "parameters": merged,
        "modules": {path.relative_to(ROOT).as_posix(): file_hash(path) for path in files},
        "requirements.lock": file_hash(ROOT / "requirements.lock"),
        "shipped rows": {
            path.name: file_hash(path) for path in sorted((ROOT / "book/results").glob("*.jsonl"))
        },
        "data": {name: folder_hash(Path(name)) for name in sorted(folders(merged))},
    }
    return Plan(stem, notebook, profile, asked, injected, parts, file_hash(source))


def parameters(notebook: NotebookNode, stem: str) -> dict[str, tuple[str, Any, str]]:
    """Return type, default and comment of each name in the cell tagged ``parameters``."""
    cells = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    found = {}
    for cell in cells:
        lines = cell.source.splitlines()
        for node in ast.parse(cell.source).body:
            if (
                not isinstance(node, ast.AnnAssign)
                or not isinstance(node.target, ast.Name)
                or node.value is None
            ):
                raise Refused(
                    f"notebooks/{stem}.py: the parameters cell must hold lines 'name: type = value  # what it is', "
                    f"got {ast.unparse(node)!r}; give it a type and a value"
                )
            rest = lines[(node.end_lineno or 1) - 1].encode()[node.end_col_offset :].decode()
            hint, name = ast.unparse(node.annotation), node.target.id
            try:
                found[name] = (hint, coerce(ast.literal_eval(node.value), hint, name), rest.strip(" #"))
            except (TypeError, ValueError) as error:
                raise Refused(
                    f"notebooks/{stem}.py: the default of {name} must be a plain value: {error}"
                ) from error
    return found


def profile_values(profile: str, stem: str) -> dict[str, Any]:
    """Return what ``params/<profile>.yml`` sets for one notebook."""
    path = ROOT / "notebooks" / "params" / f"{profile}.yml"
    known = sorted(file.stem for file in path.parent.glob("*.yml"))
    if profile not in known:
        raise Refused(f"profile must be one of {', '.join(known)}, got {profile!r}; see notebooks/params")
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get(stem) or {}


def coerce_all(values: dict[str, Any], known: dict, where: str, origin: str) -> dict[str, Any]:
    """Return ``values`` with the declared types; refuse unknown names and other types."""
    listing = "\n".join(f"  {name}: {t} = {value!r}  # {text}" for name, (t, value, text) in known.items())
    for name in values:
        if name not in known or name == "profile":
            way = "set it by PROFILE=" if name == "profile" else "known are"
            raise Refused(f"{where} has no parameter {name!r} to be set by {origin}; {way}\n{listing}")
    try:
        return {name: coerce(value, known[name][0], name) for name, value in values.items()}
    except TypeError as error:
        raise Refused(f"{where}, from {origin}: {error}; known are\n{listing}") from error


def parse(text: str, hint: str) -> Any:
    """Read a command-line value as YAML, except that text stays text: a=no or a=1 is a string where one is declared.

    A list may go without brackets.
    """
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    if hint.startswith("list[") and isinstance(value, str | int | float | bool):
        return [
            parse(item.strip(), hint[5:-1]) for item in text.split(",")
        ]  # targets=usps or seeds=0,1 will do
    return text if hint.startswith("str") and not isinstance(value, str | None) else value


def coerce(value: Any, hint: str, name: str = "value") -> Any:
    """Return ``value`` as the annotation says (an int may stand for a float), or raise TypeError."""
    if hint.endswith(" | None"):
        return None if value is None else coerce(value, hint.removesuffix(" | None"), name)
    if hint.startswith("list[") and isinstance(value, list):
        return [coerce(item, hint[5:-1], name) for item in value]
    if hint.startswith("dict[str, ") and isinstance(value, dict):
        return {coerce(k, "str", name): coerce(item, hint[10:-1], name) for k, item in value.items()}
    if hint == "float" and type(value) in (int, str):
        try:
            return float(value)  # YAML 1.1 reads 1e-3 as text
        except ValueError:
            pass
    if hint in SCALARS and type(value) is SCALARS[hint]:
        return value
    raise TypeError(f"{name} must be {hint}, got {type(value).__name__} {value!r}")


def folders(value: Any) -> set[str]:
    """Return the paths of all ``folder:PATH``, and of folders of the project, in a parameter value."""
    if isinstance(value, str):
        ours = "/" in value and (ROOT / value).is_dir()
        return {value.removeprefix("folder:")} if ours or value.startswith("folder:") else set()
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*map(folders, items))


def words(value: Any) -> Iterator[str]:
    """Yield every text in a parameter value, names of dicts included, with "a > b" taken apart."""
    if isinstance(value, str):
        yield from value.split(" > ")
    elif isinstance(value, dict | list):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from words(item)


def folder_hash(folder: Path) -> str:
    """Return a hash of names and contents of the files in a user's folder."""
    folder = ROOT / folder.expanduser()
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(folder).as_posix()}\0{file_hash(path)}\n".encode())
    return total.hexdigest()


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's content."""
    return digest(path.read_bytes())


def digest(data: bytes) -> str:
    """Return the sha256 of ``data``, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()
