"""``python -m taskrel_core [NAME ...]``: fetch data sets and weights, say where each came from or why it is missing."""

import logging
import sys
import time
from functools import partial

from . import DATASETS, MissingAsset
from .archives import ARCHIVES
from .downloads import PHOTOGRAPHS, SMALL
from .zoo import NON_COMMERCIAL, ZOO

# No package carries these: torchvision downloads them, or they are files that you put there.
OPTIONAL = (*SMALL, *ARCHIVES, *PHOTOGRAPHS)
# Hundreds of megabytes that the embedded profile does not need; weights whose licence is to be read first.
ASKED_FOR = (*(name for name in SMALL if name != "usps"), *PHOTOGRAPHS, *NON_COMMERCIAL)


class _Listener(logging.Handler):
    """Remembers what was fetched last, and from where."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message."""
        self.last = record.getMessage()


def main(names: list[str]) -> int:
    """Fetch the named assets, by default all but ASKED_FOR; return 1 if one that is not optional is missing."""
    weights = {name: entry.path for name, entry in (ZOO | NON_COMMERCIAL).items()}
    fetch = {
        name: partial(DATASETS[name].labels, "all") if name in PHOTOGRAPHS else DATASETS[name].arrays
        for name in DATASETS
    } | weights
    unknown = [name for name in names if name not in fetch]
    if unknown:
        sys.stderr.write(f"unknown asset {unknown[0]!r}; known: {', '.join(sorted(fetch))}\n")
        return 2
    heard = _Listener()
    logging.getLogger("taskrel_core.assets").addHandler(heard)
    logging.getLogger("taskrel_core.assets").setLevel(logging.INFO)
    missing = []
    for name in names or [name for name in fetch if name not in ASKED_FOR]:
        started = time.perf_counter()
        heard.last = "at hand"
        try:
            fetch[name]()
        except MissingAsset as error:
            missing.append(name)
            sys.stdout.write(f"{name:20} missing{' (optional)' if name in OPTIONAL else ''}\n{error}\n")
        else:
            sys.stdout.write(f"{name:20} ready    {time.perf_counter() - started:5.1f} s  {heard.last}\n")
        sys.stdout.flush()
    return int(any(name not in OPTIONAL for name in missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
