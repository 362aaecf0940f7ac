"""Named entries that a newcomer adds by a decorator; what an unknown name and a missing file say."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeVar

T = TypeVar("T")


class MissingAsset(RuntimeError):
    """A data set or a weights file is not on this machine; the message says how to get it.

    Example:
        >>> from taskrel_core import ENCODERS, MissingAsset
        >>> try:
        ...     ENCODERS["moco_v3_resnet50"].path()
        ... except MissingAsset as error:
        ...     assert "moco_v3_resnet50" in str(error)
    """


class UnknownName(KeyError, ValueError):
    """A name that no registry entry has; a KeyError for mappings, a ValueError for callers."""

    def __str__(self) -> str:
        """Return the message as it is, where KeyError would quote it."""
        return str(self.args[0])


class Registry(Mapping[str, Any]):
    """A mapping by name, filled by ``@REGISTRY.register("name")``.

    Args:
        kind: what the entries are, in the singular, for error messages ("encoder").
        resolve: makes an entry from a name that is not registered (``folder:PATH``), or returns None.
        room: package whose modules register entries: all are imported when the registry is first used, so that a new
            file is enough for a new entry.
    """

    def __init__(self, kind: str, resolve: Callable[[str], Any] | None = None, room: str | None = None):
        self.kind = kind
        self._entries: dict[str, Any] = {}
        self._resolve = resolve
        self._room = room

    @property
    def _all(self) -> dict[str, Any]:
        """The entries, those of the whole room among them."""
        if self._room:
            room = import_module(self._room)
            for module in iter_modules(room.__path__, f"{room.__name__}."):
                import_module(module.name)
            self._room = None  # last: an import that fails fails again, and nobody sees half of the entries
        return self._entries

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that stores its argument under ``name``.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered already; choose another name")

        def store(entry: T) -> T:
            self._entries[name] = entry
            return entry

        return store

    def __getitem__(self, name: str) -> Any:
        """Look up ``name``; an unknown one raises UnknownName with a name like it and the known ones."""
        if name in self._all:
            return self._all[name]
        found = self._resolve(name) if self._resolve else None
        if found is None:
            near = did_you_mean(name, self._all)
            raise UnknownName(f"unknown {self.kind} {name!r}{near}; known: {self._known(name)}")
        return found

    def _known(self, name: str) -> str:
        """The names, those of another family (``small:...``) in one word."""
        family = name.partition(":")[0]
        apart = {entry: entry.partition(":")[0] for entry in self._all if ":" in entry}
        told = (entry if apart.get(entry, family) == family else f"{apart[entry]}:..." for entry in self._all)
        return ", ".join(sorted(set(told)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " (did you mean ...?)" where a known name is like this one, else nothing."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {near[0]!r}?)" if near else ""
