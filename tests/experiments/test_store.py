"""Rows by content key: keys, files, what a damaged file says, shipped rows, the log."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from taskrel_core import environment
from taskrel_core.assets.content import content_key
from taskrel_core.experiments.store import RowStore, tidy

KEY = content_key({"encoder": "lenet", "tau": 0.02})
ROW = {"profile": "smoke", "loss": 1.25, "n": 3, "name": "ä → b", "missing": None}


def test_key_depends_on_content_and_not_on_order_or_number_type():
    assert content_key({"tau": np.float64(0.02), "encoder": "lenet"}) == KEY
    assert content_key({"seeds": (0, 1)}) == content_key({"seeds": [np.int64(0), 1]})
    assert content_key({"encoder": "lenet", "tau": 0.2}) != KEY
    assert len(KEY) == 64


def test_key_refuses_what_has_no_json_form():
    with pytest.raises(TypeError, match=r"fields must hold JSON values, got set \{1\}; turn it into"):
        content_key({"a": {1}})
    with pytest.raises(ValueError, match=r"fields must hold finite numbers, got \{'a': nan\}; write None"):
        content_key({"a": float("nan")})


def test_a_row_comes_back_as_it_was_put(tmp_path):
    store = RowStore(tmp_path / "rows")
    assert store.find(KEY) is None
    kept = store.put(KEY, {**ROW, "loss": np.float32(1.25), "n": np.int64(3)})
    assert kept == ROW
    assert list(kept) == list(ROW)
    assert RowStore(tmp_path / "rows").find(KEY) == (ROW, "cached")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{KEY}.json"]


def test_a_row_that_is_not_finite_is_refused_and_nothing_is_left(tmp_path):
    with pytest.raises(ValueError, match=r"row must hold finite numbers, got .*inf"):
        RowStore(tmp_path).put(KEY, {"loss": float("inf")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["cut", "digit", "binary", "empty", "other"])
def test_a_damaged_row_names_its_file_and_the_way_out(tmp_path, damage):
    store = RowStore(tmp_path)
    store.put(KEY, ROW)
    path = next(tmp_path.rglob("*.json"))
    text = path.read_bytes()
    path.write_bytes(
        {
            "cut": text[:-20],
            "digit": text.replace(b"1.25", b"1.26"),
            "binary": b"\xff\xfe\x00",
            "empty": b"",
            "other": text.replace(KEY.encode(), b"0" * 64),
        }[damage]
    )
    with pytest.raises(
        ValueError, match=rf"row .*{path.name} is damaged .*; delete it and run again"
    ) as error:
        store.find(KEY)
    assert str(path) in str(error.value)
    path.unlink()
    assert store.find(KEY) is None


def test_a_key_cannot_leave_the_folder(tmp_path):
    with pytest.raises(
        ValueError, match=r"key must be 64 hex digits, got '\.\./x'; make it with content_key"
    ):
        RowStore(tmp_path).find("../x")


def test_shipped_rows_are_found_after_the_cache_and_ignored_when_fresh(tmp_path):
    shipped, cache = tmp_path / "results", tmp_path / "rows"
    other = content_key({"other": 1})
    store = RowStore(tmp_path / "first")
    store.put(KEY, ROW)
    store.put(other, {"profile": "smoke", "loss": 2.0})
    path = store.ship("costly", [KEY, other], shipped, {"commit": "abc"})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["key"] for line in lines] == [KEY, other]
    assert lines[0]["provenance"] == {"commit": "abc"}
    second = RowStore(cache, shipped)
    assert second.find(KEY) == (ROW, "shipped")
    assert RowStore(cache, shipped, fresh=True).find(KEY) is None
    second.put(KEY, {**ROW, "loss": 9.0})
    assert second.find(KEY) == ({**ROW, "loss": 9.0}, "cached")


def test_shipping_a_row_that_was_not_computed_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match=rf"keys must all be in the cache .*, got {KEY}; compute that row first"
    ):
        RowStore(tmp_path / "rows").ship("costly", [KEY], tmp_path, {})


def test_shipping_again_keeps_the_lines_of_rows_that_another_machine_made(tmp_path):
    results, other, changed = tmp_path / "results", KEY[:-1] + "0", KEY[:-1] + "1"
    there = RowStore(tmp_path / "there")
    for key in (KEY, changed):
        there.put(key, ROW)
    before = there.ship("costly", [KEY, changed], results, {"commit": "old"}).read_text().splitlines()
    here = RowStore(tmp_path / "here")
    here.put(other, ROW)
    here.put(changed, {**ROW, "bound": 9.0})
    lines = here.ship("costly", [other, KEY, changed], results, {"commit": "new"}).read_text().splitlines()
    assert lines[1] == before[0]
    assert ['"commit": "new"' in line for line in lines] == [True, False, True]
    assert here.ship("costly", [KEY, other], results, {"commit": "newer"}).read_text().splitlines() == [
        before[0],
        lines[0],
    ]
    assert RowStore(tmp_path / "nowhere", results).find(other) == (ROW, "shipped")


def test_a_damaged_shipped_line_is_named(tmp_path):
    store = RowStore(tmp_path / "rows")
    store.put(KEY, ROW)
    path = store.ship("costly", [KEY], tmp_path / "results", {})
    path.write_text(path.read_text().replace("1.25", "1.52"))
    with pytest.raises(ValueError, match=r"line 1 of .*costly\.jsonl is damaged .*; delete it and run again"):
        RowStore(tmp_path / "none", path.parent).find(KEY)


def test_the_log_counts_each_row_once_with_its_origin(tmp_path):
    log = tmp_path / "log.jsonl"
    store = RowStore(tmp_path / "rows", log=log)
    store.find(KEY)
    store.put(KEY, ROW)
    store.find(KEY)
    assert [json.loads(line) for line in log.read_text().splitlines()] == [
        {"key": KEY, "origin": "computed"},
        {"key": KEY, "origin": "cached"},
    ]


def test_writers_at_once_leave_a_whole_row(tmp_path):
    def put_many(_):
        for _ in range(30):
            RowStore(tmp_path).put(KEY, ROW)

    RowStore(tmp_path).put(KEY, ROW)
    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(put_many, number) for number in range(3)]
        while not all(writer.done() for writer in writers):
            assert RowStore(tmp_path).find(KEY) == (ROW, "cached")  # raises if it ever sees half a file
        assert [writer.result() for writer in writers] == [None] * 3
    assert len(list(tmp_path.rglob("*.*"))) == 1


def test_tidy_refuses_rows_of_two_profiles():
    frame = tidy([{"profile": "smoke", "a": 1}, {"profile": "smoke", "b": 2}])
    assert list(frame.columns) == ["profile", "a", "b"]
    with pytest.raises(
        ValueError, match=r"rows must come from one profile, got embedded, smoke; run them all"
    ):
        tidy([{"profile": "smoke"}, {"profile": "embedded"}])


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    for name in ("TASKREL_RESULTS", "TASKREL_FRESH", "TASKREL_ROW_LOG"):
        monkeypatch.delenv(name, raising=False)
    assert (environment.results_dir(), environment.fresh(), environment.row_log()) == (None, False, None)
    monkeypatch.setenv("TASKREL_RESULTS", str(tmp_path))
    monkeypatch.setenv("TASKREL_ROW_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("TASKREL_FRESH", "1")
    assert (environment.results_dir(), environment.fresh(), environment.row_log()) == (
        tmp_path,
        True,
        tmp_path / "log",
    )
    monkeypatch.setenv("TASKREL_FRESH", "0")
    assert not environment.fresh()
