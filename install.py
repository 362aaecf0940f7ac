"""Install requirements.lock and the project into the environment whose Python runs this: by uv, or by pip where uv cannot.

    python3 -m venv .venv && .venv/bin/python install.py [--with pip]

uv is itself a package of the lock: pip brings it, checked by its sha256, and it needs less than half of pip's time. The
settings of pip (its files and ``PIP_*`` variables) hold for uv too. Files whose sha256 is not the one in
requirements.sha256 are refused.
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK, HASHES = ROOT / "requirements.lock", ROOT / "requirements.sha256"
# pip's setting, and uv's variable for it with what stands between several values.
SETTINGS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "constraint": ("UV_CONSTRAINT", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}
# Meant for another project or another environment than this one.
FOREIGN = (
    "SYSTEM_PYTHON",
    "PROJECT",
    "PROJECT_ENVIRONMENT",
    "WORKING_DIRECTORY",
    "TARGET",
    "PREFIX",
    "PYTHON",
)
FOREIGN += ("REQUIRE_HASHES", "OVERRIDE", "RESOLUTION", "PRERELEASE", "EXCLUDE_NEWER", "NO_DEPS", "NO_BINARY")


class Refused(Exception):
    """A file is not the one that was locked: pip must not bring it either."""


def main(arguments: list[str]) -> int:
    """Install, and return 0, or the exit code of pip."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--with", dest="tool", choices=("uv", "pip"), default="uv", help="default: uv")
    if parser.parse_args(arguments).tool == "uv":
        try:
            with_uv()
            return 0
        except Refused as error:
            print(
                f"error: {error}\nThis file is not the one that was locked; nothing was installed.",
                file=sys.stderr,
            )
            return 1
        except (OSError, subprocess.CalledProcessError) as error:
            print(
                f"uv cannot install here ({reason(error)}); pip does it instead, more slowly", file=sys.stderr
            )
    for words in (["-r", str(LOCK)], ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]):
        done = subprocess.run([*pip("install"), "--quiet", *words])
        if done.returncode != 0:
            return done.returncode
    return 0


def with_uv() -> None:
    """Install by uv, which pip brings first.

    Raises:
        Refused: the sha256 of a file is another one than that of the lock.
        OSError: there is no uv for this machine.
        subprocess.CalledProcessError: uv or pip ended with an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "uv.txt")
        wanted.write_text(block(HASHES.read_text(encoding="utf-8"), "uv"), encoding="utf-8")
        run([*pip("install"), "--quiet", "--only-binary=:all:", "-r", str(wanted)], dict(os.environ))
    listed = subprocess.run([*pip("config"), "list"], capture_output=True, text=True, check=True).stdout
    environment = uv_environment(pip_settings(listed), dict(os.environ))
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    cache = Path(run([uv, "cache", "dir"], environment).strip())
    install = [uv, "pip", "install", "--quiet", "--python", sys.executable]
    install += [] if can_be_written(cache) else ["--no-cache"]
    run([*install, "-r", str(LOCK), "-c", str(HASHES)], environment)
    run([*install, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], environment)


def pip(command: str) -> list[str]:
    """The start of a pip command."""
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", command]


def run(command: list[str], environment: dict[str, str]) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    if done.returncode != 0 and re.search(r"hash(es)? (mismatch|do not match)", done.stderr, re.IGNORECASE):
        raise Refused(done.stderr.strip())
    done.check_returncode()
    return done.stdout


def block(hashes: str, name: str) -> str:
    """The pin of a package and its hashes, from the text of requirements.sha256."""
    found = re.search(rf"^{re.escape(name)}==.*\n(?:    .*\n?)*", hashes, re.MULTILINE)
    if found is None:
        raise OSError(f"{HASHES.name} has no {name}; run make lock")
    return found.group()


def pip_settings(listed: str) -> dict[str, str]:
    """The settings in the lines of ``pip config list``: variables before files, a command's own before global ones."""
    settings = {}
    for section in ("global", "install", ":env:"):
        for name, value in re.findall(rf"^{section}\.([\w-]+)=('.*'|\".*\")$", listed, re.MULTILINE):
            settings[name] = ast.literal_eval(value)
    return settings


def uv_environment(settings: dict[str, str], environment: dict[str, str]) -> dict[str, str]:
    """The environment of uv: pip's settings in uv's words, unless the user said something to uv itself."""
    kept = {
        name: value for name, value in environment.items() if name not in {f"UV_{end}" for end in FOREIGN}
    }
    said = {}
    for name, value in settings.items():
        if name in SETTINGS:
            variable, between = SETTINGS[name]
            said[variable] = between.join(value.split())
    if "UV_INDEX" in said:
        said["UV_INDEX_STRATEGY"] = "unsafe-best-match"  # the best version of all indexes, as pip does it
    if settings.get("cache-dir"):
        said["UV_CACHE_DIR"] = str(Path(settings["cache-dir"], "uv"))
    return {**said, **kept}


def can_be_written(folder: Path) -> bool:
    """Whether files can be kept in a folder that may not exist yet."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def reason(error: Exception) -> str:
    """The line of an error that says most."""
    text = str(getattr(error, "stderr", None) or error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [line for line in lines if re.match(r"error|ERROR|×|cause", line)]
    return (marked or lines or ["no reason given"])[-1][:200]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
