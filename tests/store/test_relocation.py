"""The data of earlier versions leaves the cache folder: whole, once, and without overwriting anything."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vivavoce.cli import app
from vivavoce.cli.keys import any_key
from vivavoce.config import Config, load_config
from vivavoce.errors import StoreError
from vivavoce.store.relocation import pending, relocate
from vivavoce.store.store import database_url, open_store

FILES = {"blobs/ab/abcd": b"one", "blobs/cd/cdef": b"two", "tls/cert.pem": b"cert", "tls/key.pem": b"key"}


class Folders:
    """A user's cache and data folders."""

    def __init__(self, root: Path) -> None:
        self.cache = root / "cache" / "vivavoce"
        self.data = root / "data" / "vivavoce"

    def fill(self) -> None:
        """What an earlier version kept: rows, an index, files, a certificate; and weights."""
        (self.cache / "models" / "silero-vad").mkdir(parents=True)
        for name, content in FILES.items():
            (self.cache / name).parent.mkdir(parents=True, exist_ok=True)
            (self.cache / name).write_bytes(content)
        for name in ("vivavoce.db", "vivavoce-knowledge.db"):
            with sqlite3.connect(self.cache / name) as rows:
                rows.execute("PRAGMA journal_mode = WAL")
                rows.execute("CREATE TABLE row (name)")
                rows.execute("INSERT INTO row VALUES (?)", (name,))
            rows.close()

    def arrived(self) -> bool:
        """Whether all of it is at its new place, readable, and gone from the old one; weights stayed."""
        return (
            all((self.data / name).read_bytes() == content for name, content in FILES.items())
            and all(self.row(self.data / name) == name for name in ("vivavoce.db", "vivavoce-knowledge.db"))
            and [path.name for path in self.cache.iterdir()] == ["models"]
        )

    @staticmethod
    def row(database: Path) -> str:
        with sqlite3.connect(database) as rows:
            (name,) = rows.execute("SELECT name FROM row").fetchone()
        rows.close()
        return str(name)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    found = Folders(tmp_path)
    monkeypatch.delenv("VIVAVOCE_HOME")
    monkeypatch.setattr("vivavoce.config.user_cache_path", lambda _: found.cache)
    monkeypatch.setattr("vivavoce.config.user_data_path", lambda _: found.data)
    return found


def config(**flags: Any) -> Config:
    return load_config({"tls": {"self_signed": True}, **flags}, profile="fake")


def test_everything_is_moved_once_and_said(folders: Folders) -> None:
    folders.fill()
    assert len(pending(config())) == 4
    said = str(relocate(config()))
    for words in (str(folders.cache), str(folders.data), "database", "index", "files", "certificate", "weights stay"):
        assert words in said
    assert folders.arrived()
    assert folders.data.stat().st_mode & 0o077 == 0
    assert not relocate(config())


def test_a_new_user_has_nothing_to_move(folders: Folders) -> None:
    assert not relocate(config())
    assert not folders.data.exists()


async def test_a_server_opens_the_store_that_was_moved(folders: Folders) -> None:
    """The first version with the new place, started without the command line."""
    folders.cache.mkdir(parents=True)
    old = await open_store(load_config({"home": folders.cache}, profile="fake"))
    await old.close()
    (folders.cache / "blobs" / "mine").write_bytes(b"mine")
    store = await open_store(config(tls={}))
    await store.close()
    assert (folders.data / "vivavoce.db").is_file()
    assert (folders.data / "blobs" / "mine").read_bytes() == b"mine"
    assert not (folders.cache / "vivavoce.db").exists()


@pytest.mark.parametrize(
    ("flags", "stays"),
    [
        ({"storage": {"url": "postgresql://db/vivavoce"}}, {"vivavoce.db", "vivavoce-knowledge.db"}),
        ({"storage": {"blobs": "s3://bucket"}}, {"blobs"}),
        ({"knowledge": {"index": "elsewhere.db"}}, {"vivavoce-knowledge.db"}),
        ({"tls": {}}, {"tls"}),
    ],
)
def test_what_has_a_place_of_its_own_is_left_alone(folders: Folders, flags: dict[str, Any], stays: set[str]) -> None:
    folders.fill()
    relocate(config(**flags))
    assert {path.name for path in folders.cache.iterdir()} == {"models", *stays}


def test_a_folder_for_everything_is_respected(folders: Folders) -> None:
    folders.fill()
    settings = config(home=folders.cache)
    assert not relocate(settings)
    assert database_url(settings) == f"sqlite:///{folders.cache / 'vivavoce.db'}"
    assert not folders.data.exists()


def test_a_database_that_is_there_is_never_overwritten(folders: Folders) -> None:
    folders.fill()
    folders.data.mkdir(parents=True)
    with sqlite3.connect(folders.data / "vivavoce.db") as rows:
        rows.execute("CREATE TABLE row (name)")
        rows.execute("INSERT INTO row VALUES ('newer')")
    rows.close()
    said = str(relocate(config()))
    assert f"{folders.cache / 'vivavoce.db'} is not used" in said
    assert folders.row(folders.data / "vivavoce.db") == "newer"
    assert folders.row(folders.cache / "vivavoce.db") == "vivavoce.db"
    assert (folders.data / "blobs/ab/abcd").exists()


def test_files_join_those_that_are_there(folders: Folders) -> None:
    folders.fill()
    (folders.data / "blobs/ab").mkdir(parents=True)
    (folders.data / "blobs/ab/newer").write_bytes(b"newer")
    relocate(config())
    assert folders.arrived()
    assert (folders.data / "blobs/ab/newer").read_bytes() == b"newer"


def other_disk(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renaming from the cache to the data folder fails, as between two disks."""
    rename = Path.rename

    def renamed(self: Path, target: Path) -> Path:
        if self.is_relative_to(folders.cache) != Path(target).is_relative_to(folders.cache):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", renamed)


@pytest.mark.parametrize("disks", [1, 2])
def test_a_process_killed_at_any_step_goes_on_at_its_next_start(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, disks: int
) -> None:
    class Killed(BaseException):
        pass

    steps = 0
    while True:
        with monkeypatch.context() as patch:
            folders.fill()
            if disks == 2:
                other_disk(folders, patch)
            left = steps

            def killing(work: Callable[..., Any]) -> Callable[..., Any]:
                def step(*arguments: Any, **named: Any) -> Any:
                    nonlocal left
                    if left <= 0:
                        raise Killed
                    left -= 1
                    return work(*arguments, **named)

                return step

            with patch.context() as killer:
                for owner, name in ((Path, "rename"), (Path, "unlink"), (Path, "rmdir"), (shutil, "copy2")):
                    killer.setattr(owner, name, killing(getattr(owner, name)))
                try:
                    relocate(config())
                    finished = True
                except Killed:
                    finished = False
            relocate(config())
            assert folders.arrived(), f"killed at step {steps}"
        shutil.rmtree(folders.cache)
        shutil.rmtree(folders.data)
        if finished:
            break
        steps += 1
    assert steps > 3


def test_two_processes_move_it_once(folders: Folders) -> None:
    folders.fill()
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: relocate(config()), range(4)))
    assert sorted(len(relocation.moved) for relocation in done) == [0, 0, 0, 4]
    assert folders.arrived()


def test_a_full_disk_leaves_everything_where_it_was(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    folders.fill()
    other_disk(folders, monkeypatch)

    def full(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(StoreError, match=f"No space left on device.*VIVAVOCE_HOME={folders.cache}"):
        relocate(config())
    assert folders.row(folders.cache / "vivavoce.db") == "vivavoce.db"
    assert not [path for path in folders.data.iterdir() if path.name != ".relocation.lock"]


def test_a_database_in_use_is_not_moved(folders: Folders) -> None:
    folders.fill()
    holds = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM row').fetchall(); "
    holds += "print('open', flush=True); sys.stdin.read()"  # idle, as a server between two requests
    command = [sys.executable, "-c", holds, str(folders.cache / "vivavoce.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StoreError, match="in use by another server"):
            relocate(config())
        assert folders.row(folders.cache / "vivavoce.db") == "vivavoce.db"
        other.communicate(b"")
    assert relocate(config()).moved
    assert folders.arrived()


def test_looking_for_a_key_moves_nothing(folders: Folders) -> None:
    folders.fill()
    any_key(config())
    assert folders.row(folders.cache / "vivavoce.db") == "vivavoce.db"


def test_the_first_key_says_that_it_locks_the_server(tmp_path: Path) -> None:
    env = {"VIVAVOCE_HOME": str(tmp_path)}
    said = [CliRunner().invoke(app, ["keys", "create", "alice"], env=env).stderr for _ in range(2)]
    assert ["It is the first" in one for one in said] == [True, False]


def test_the_keys_of_an_earlier_version_are_found_and_the_move_is_said(folders: Folders) -> None:
    def run(*arguments: str, home: Path | None = None) -> str:
        result = CliRunner().invoke(app, list(arguments), env={"VIVAVOCE_HOME": str(home or ""), "COLUMNS": "200"})
        assert result.exit_code == 0, result.output
        return result.output

    run("keys", "create", "alice", home=folders.cache)
    said = run("keys", "list")
    assert f"Moved from {folders.cache} to {folders.data}: the database." in said
    assert "alice" in said
    assert "Moved" not in run("keys", "list")
