"""What every kind of row is: fields that determine it, a key of them, and how it computes itself."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from ..assets.content import content_key
from ..data.datasets import DATASETS
from ..encoders.base import ENCODERS


@dataclass(frozen=True)
class Row(ABC):
    """One row of a table. A subclass is a frozen dataclass whose fields determine the result.

    Fields named ``reference``, ``target`` and ``encoder`` are names in DATASETS and ENCODERS, or "" for none: their
    versions are part of the key.

    Attributes:
        kind: name of the kind in its keys; it stays when the class is renamed, so that shipped rows are found.
        version: raised when a change of ``compute`` moves numbers, so that older rows are computed again.
        profile: not part of the key: the same row serves every profile that asks for it.
    """

    kind: ClassVar[str]
    version: ClassVar[int]
    profile: str = field(default="embedded", kw_only=True)

    @abstractmethod
    def compute(self) -> dict[str, Any]:
        """Return the row, a flat mapping of JSON values with all fields in it."""

    @property
    def key(self) -> str:
        """Content key: kind, fields, and the versions of the files and the code that the result depends on.

        Raises:
            KeyError: a name that no registry has.
            MissingAsset: the version of a data set or encoder depends on a file that is not on this machine.
        """
        fields = asdict(self)
        del fields["profile"]
        versions: dict[str, Any] = {
            name: DATASETS[fields[name]].version for name in ("reference", "target") if fields.get(name)
        }
        if fields.get("encoder"):
            versions["encoder"] = ENCODERS[fields["encoder"]].version
        versions["stage"] = self.version
        return content_key({"kind": self.kind, "experiment": fields, "versions": versions})
