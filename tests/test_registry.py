"""Named entries: what a second registration and an unknown name say, and how names resolve."""

import pytest

from taskrel_core import DATASETS
from taskrel_core._registry import Registry
from taskrel_core.figures.names import named


def test_entries_are_a_mapping_in_the_order_of_registration():
    registry = Registry("fruit")
    registry.register("pear")(1)
    assert registry.register("apple")(len) is len
    assert list(registry) == ["pear", "apple"]
    assert (len(registry), registry["pear"], "apple" in registry, "plum" in registry) == (2, 1, True, False)
    assert dict(registry) == {"pear": 1, "apple": len}


def test_a_second_registration_is_refused_and_changes_nothing():
    registry = Registry("fruit")
    registry.register("pear")(1)
    with pytest.raises(ValueError, match="fruit 'pear' is registered already; choose another name"):
        registry.register("pear")
    assert registry["pear"] == 1


def test_an_unknown_name_tells_the_known_ones():
    registry = Registry("fruit")
    registry.register("pear")(1)
    registry.register("apple")(2)
    for kind in (KeyError, ValueError):
        with pytest.raises(kind) as error:
            registry["plum"]
        assert str(error.value) == "unknown fruit 'plum'; known: apple, pear"


def test_names_that_are_not_registered_may_resolve():
    registry = Registry("fruit", lambda name: name.upper() if name.startswith("my:") else None)
    registry.register("pear")(1)
    assert registry["my:plum"] == "MY:PLUM"
    assert list(registry) == ["pear"]
    with pytest.raises(KeyError, match="unknown fruit 'plum'"):
        registry["plum"]


def test_every_data_set_has_a_name_for_readers_and_a_folder_is_theirs():
    assert [name for name in DATASETS if named(name) == name] == []
    assert named("folder:/somewhere/else") == "your pictures"
    assert named("clip:ViT-B-32/openai") == "clip:ViT-B-32/openai"


def test_a_module_of_the_room_that_cannot_be_imported_is_told_each_time(tmp_path, monkeypatch):
    room = tmp_path / "orchard"
    room.mkdir()
    (room / "__init__.py").write_text("")
    (room / "a.py").write_text("import no_such_module_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry("fruit", room="orchard")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
            list(registry)
    (room / "a.py").write_text("")
    assert list(registry) == []
