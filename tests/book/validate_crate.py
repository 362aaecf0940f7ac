"""Validate an archive by roc-validator, offline: ``uv run --with roc-validator --with rocrate validate_crate.py ZIP``.

The one file that the validator would download, the JSON-LD context of the format, is the copy that rocrate carries.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import rocrate
from rocrate_validator import services
from rocrate_validator.utils.http import HttpRequester

CONTEXT = json.loads(Path(rocrate.__file__).with_name("data").joinpath("ro-crate.jsonld").read_text())


def answer(_self, address, **_):
    """What the server would answer."""
    if address != CONTEXT["@id"]:
        raise AssertionError(f"nothing but the context may be asked for, got {address}")
    kind = {"Content-Type": "application/ld+json"}
    return SimpleNamespace(status_code=200, headers=kind, json=lambda: CONTEXT)


if __name__ == "__main__":
    HttpRequester()  # its methods are set when there is one
    with mock.patch.object(HttpRequester, "get", answer, create=True):
        settings = services.ValidationSettings(
            rocrate_uri=sys.argv[1],
            profile_identifier="ro-crate-1.3",
            requirement_severity="REQUIRED",
            skip_availability_check=True,
        )
        result = services.validate(settings)
    for issue in result.get_issues():
        print(f"{issue.check.identifier}: {issue.message} ({issue.violatingEntity})")
    print(f"checks: {len(result.executed_checks)}")
    sys.exit(0 if result.passed() else 1)
