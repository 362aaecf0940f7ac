"""Run the notebooks whose inputs changed and put the executed pages, with their provenance, into the book.

    python notebooks/run.py [--profile embedded] [--only 03,04] [--set tau=0.1 n=500] [--force] [--fresh] [-j 2] [--why]

Sources are Jupytext percent files; a page is run again only if its key (see ``runner/plan.py``) changed. Each runs in a
process of its own; an output appears only whole, so a killed run goes on where it was.
"""

import os
import sys
import tempfile
from pathlib import Path

# Packages, flags and start-up files that are meant for another Python: neither this one nor the notebooks get them.
FOREIGN = (
    "PYTHONPATH",
    "PYTHONSAFEPATH",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
    "PYTHONOPTIMIZE",
    "PYTHONINSPECT",
)

if __name__ == "__main__":
    if any(name in os.environ for name in FOREIGN):
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        os.execve(sys.executable, [sys.executable, *sys.argv], kept)
    # No HOME, and a user whom the system does not know, as in some containers.
    if os.path.expanduser("~") == "~":
        os.environ["HOME"] = tempfile.gettempdir()
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from runner.command import main

    sys.exit(main(sys.argv[1:]))
