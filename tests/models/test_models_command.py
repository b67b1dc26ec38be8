from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import vivavoce.cli.models as command
from vivavoce.models.catalogue import Catalogue

from .building import LOCAL, catalogue_of, entry_of

runner = CliRunner()
CONTENTS = {"a.bin": b"alpha", "b.bin": b"bravo"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own and a catalogue of one entry that only the mounted folder has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VIVAVOCE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VIVAVOCE_MODELS", raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def catalogue() -> Catalogue:
        return catalogue_of(entry_of(CONTENTS, [LOCAL]))

    monkeypatch.setattr(command, "load_catalogue", catalogue)
    return tmp_path / "home" / "models"


def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **contents: bytes) -> Path:
    folder = tmp_path / "mount" / "model"
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / f"{name}.bin").write_bytes(content)
    monkeypatch.setenv("VIVAVOCE_MODELS", str(tmp_path / "mount"))
    return folder


@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_lists_what_there_is(arguments: list[str], home: Path) -> None:
    result = runner.invoke(command.app, arguments)
    assert result.exit_code == 0
    assert result.output.splitlines()[1].split() == ["model", "a", "model", "MIT", "0.0", "MB", "no"]
    assert str(home) in result.output


def test_what_is_optional_is_told_and_left_alone(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    optional = entry_of(CONTENTS, [LOCAL], name="extra", optional=True)
    monkeypatch.setattr(command, "load_catalogue", lambda: catalogue_of(entry_of(CONTENTS, [LOCAL]), optional))
    mount(tmp_path, monkeypatch, a=b"alpha", b=b"bravo")
    assert runner.invoke(command.app).output.splitlines()[2].split()[-2:] == ["no", "(optional)"]
    assert runner.invoke(command.app, ["pull"]).exit_code == 0
    assert runner.invoke(command.app, ["verify"]).exit_code == 0
    assert not (home / "extra").exists()
    result = runner.invoke(command.app, ["pull", "extra"])
    assert (result.exit_code, "extra/a.bin" in result.output) == (1, True)


def test_pulls_what_is_missing_and_verifies_it(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = mount(tmp_path, monkeypatch, a=b"alpha")
    (home / "model").mkdir(parents=True)
    (home / "model" / "b.bin").write_bytes(b"bravo")
    assert "1 of 2 files" in runner.invoke(command.app).output
    result = runner.invoke(command.app, ["pull", "model", "--source", "local"])
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "Verified: model")
    (folder / "a.bin").unlink()
    assert runner.invoke(command.app).output.splitlines()[1].split()[-1] == "yes"
    assert runner.invoke(command.app, ["verify"]).exit_code == 0


def test_shows_a_whole_mounted_folder_as_present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount(tmp_path, monkeypatch, a=b"alpha", b=b"bravo")
    assert "yes (mounted)" in runner.invoke(command.app).output


def test_a_failed_pull_says_why_and_fails(tmp_path: Path) -> None:
    result = runner.invoke(command.app, ["pull"])
    assert result.exit_code == 1
    assert "model/a.bin (5 bytes) could not be had" in result.output
    assert "VIVAVOCE_MODELS is not set" in result.output
    assert hashlib.sha256(b"alpha").hexdigest() in result.output


def test_an_unknown_name_fails(tmp_path: Path) -> None:
    for arguments in (["pull", "nonesuch"], ["verify", "nonesuch"]):
        result = runner.invoke(command.app, arguments)
        assert result.exit_code == 1
        assert "no weights called 'nonesuch'" in result.output


def test_an_unknown_kind_of_source_is_a_usage_error() -> None:
    assert runner.invoke(command.app, ["pull", "--source", "pigeon"]).exit_code == 2


def test_verify_removes_the_wrong_file_and_fails(home: Path) -> None:
    (home / "model").mkdir(parents=True)
    (home / "model" / "a.bin").write_bytes(b"alphb")
    (home / "model" / "b.bin").write_bytes(b"bravo")
    result = runner.invoke(command.app, ["verify"])
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.output.splitlines()[:2]] == ["wrong", "ok"]
    assert not (home / "model" / "a.bin").exists()
