from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.errors import WeightsError
from vivavoce.models import verification_cache as stamps_module
from vivavoce.models.store import WeightStore

from .building import catalogue_of, entry_of

CONTENTS = {"a.bin": b"alpha", "b.bin": b"bravo bravo"}
ENTRY = entry_of(CONTENTS)


def fill(base: Path, **changed: bytes) -> Path:
    folder = base / "model"
    folder.mkdir(parents=True)
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(changed.get(name.removesuffix(".bin"), content))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    return tmp_path / "mount"


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were hashed."""
    names: list[str] = []

    def counting(path: Path) -> str:
        names.append(path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(stamps_module, "sha256_of", counting)
    return names


def test_gives_the_folder_when_every_file_is_right(root: Path) -> None:
    folder = fill(root)
    assert WeightStore(catalogue_of(ENTRY), root).folder("model") == folder


def test_says_how_to_get_what_is_missing(root: Path) -> None:
    fill(root)
    (root / "model" / "b.bin").unlink()
    with pytest.raises(WeightsError, match=r"1 of 2 files are missing.*vivavoce models pull model.*VIVAVOCE_MODELS"):
        WeightStore(catalogue_of(ENTRY), root).folder("model")


@pytest.mark.parametrize("wrong", [b"bravo brava", b"bravo", b""])
def test_refuses_other_bytes(root: Path, wrong: bytes) -> None:
    fill(root, b=wrong)
    store = WeightStore(catalogue_of(ENTRY), root)
    assert [file.name for file in store.missing(ENTRY)] == ["b.bin"]
    assert store.find(ENTRY) is None


def test_a_whole_mounted_folder_is_used_in_place(root: Path, mount: Path) -> None:
    fill(root)
    folder = fill(mount)
    assert WeightStore(catalogue_of(ENTRY), root, mount).folder("model") == folder


def test_a_wrong_mounted_folder_gives_way_to_the_store(root: Path, mount: Path) -> None:
    folder = fill(root)
    fill(mount, a=b"alphb")
    assert WeightStore(catalogue_of(ENTRY), root, mount).folder("model") == folder


@pytest.mark.parametrize("mounted", [False, True])
def test_a_later_start_does_not_hash_again(root: Path, mount: Path, mounted: bool, hashed: list[str]) -> None:
    fill(mount if mounted else root)
    for _ in range(3):
        WeightStore(catalogue_of(ENTRY), root, mount if mounted else None).folder("model")
    assert sorted(hashed) == ["a.bin", "b.bin"]


def test_a_changed_file_is_hashed_again_and_refused(root: Path, hashed: list[str]) -> None:
    folder = fill(root)
    store = WeightStore(catalogue_of(ENTRY), root)
    store.folder("model")
    (folder / "a.bin").write_bytes(b"alphb")
    os.utime(folder / "a.bin", ns=(1, 1))
    assert store.find(ENTRY) is None
    assert hashed == ["a.bin", "b.bin", "a.bin"]


def test_a_copied_store_keeps_its_stamps(root: Path, tmp_path: Path, hashed: list[str]) -> None:
    fill(root)
    WeightStore(catalogue_of(ENTRY), root).folder("model")
    moved = root.rename(tmp_path / "moved")
    WeightStore(catalogue_of(ENTRY), moved).folder("model")
    assert sorted(hashed) == ["a.bin", "b.bin"]


def test_unreadable_stamps_only_cost_hashing(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(root)
    (root / ".verified").mkdir()
    (root / ".verified" / "model.json").write_text("{half a", encoding="utf-8")
    assert WeightStore(catalogue_of(ENTRY), root).status()[0].present
    assert "hashed again" in caplog.text


def test_verify_finds_rot_that_left_no_trace_and_removes_it(root: Path) -> None:
    folder = fill(root)
    store = WeightStore(catalogue_of(ENTRY), root)
    store.folder("model")
    before = (folder / "b.bin").stat()
    (folder / "b.bin").write_bytes(b"bravo brava")
    os.utime(folder / "b.bin", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [(check.file.name, check.result) for check in store.verify()] == [("a.bin", "ok"), ("b.bin", "wrong")]
    assert not (folder / "b.bin").exists()
    assert [check.result for check in store.verify(["model"])] == ["ok", "missing"]


def test_verify_leaves_a_mounted_folder_as_it_is(root: Path, mount: Path) -> None:
    folder = fill(mount)
    store = WeightStore(catalogue_of(ENTRY), root, mount)
    store.folder("model")
    before = (folder / "a.bin").stat()
    (folder / "a.bin").write_bytes(b"alphb")
    os.utime(folder / "a.bin", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [check.result for check in store.verify()] == ["wrong", "ok"]
    assert (folder / "a.bin").read_bytes() == b"alphb"


def test_verify_leaves_out_what_is_optional_and_not_there(root: Path) -> None:
    fill(root)
    optional = entry_of(CONTENTS, name="other", optional=True)
    store = WeightStore(catalogue_of(ENTRY, optional), root)
    assert {check.entry.name for check in store.verify()} == {"model"}
    assert [check.result for check in store.verify(["other"])] == ["missing", "missing"]
    (root / "other").mkdir()
    (root / "other" / "a.bin").write_bytes(CONTENTS["a.bin"])
    assert [check.result for check in store.verify() if check.entry is optional] == ["ok", "missing"]


def test_status_counts_what_the_store_lacks(root: Path) -> None:
    fill(root, a=b"")
    (status,) = WeightStore(catalogue_of(ENTRY), root).status()
    assert not status.present
    assert [file.name for file in status.missing] == ["a.bin"]


@given(content=st.binary(min_size=1, max_size=64), given_bytes=st.binary(max_size=64))
def test_accepts_exactly_the_right_bytes(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, given_bytes: bytes
) -> None:
    folder = tmp_path_factory.mktemp("accept")
    entry = entry_of({"a.bin": content})
    store = WeightStore(catalogue_of(entry), folder / "store")
    for candidate in (given_bytes, content):
        fetched = folder / "fetched"
        fetched.write_bytes(candidate)
        wrong = store.accept(entry, entry.files[0], fetched)
        assert (wrong is None) == (candidate == content)
        assert not fetched.exists()
    assert (store.folder("model") / "a.bin").read_bytes() == content
