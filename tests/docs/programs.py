"""Runs the programs a page shows, and compares what they print with what the page says they print.

The programs under one heading run in order in one folder, which holds a recording of a question (``question.wav``), against
a server with fake engines on the page's address. The labels of their fences:

* ``python``, ``sh`` and ``js`` alone: the open server; with ``key``: one that wants the key in ``$VIVAVOCE_KEY``;
* ``TABLE.NAME=VALUE``: a server with these settings;
* ``not-run``: shown only.

The block right after a program may say what it prints: ``output`` as it is, ``json`` as JSON that has these fields and no
others. In both ``…`` stands for anything; in JSON also a field ``"…"`` for any others, and any second since 1970 for any other.
``"$NAME"`` learns a value: programs that follow find it in their environment, and where it is said again it must be the same.
A program nothing is said of prints what it likes, but must not fail, nor the server answer curl with an error.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docs.markdown import Block, blocks

ADDRESS = "127.0.0.1:8080"
"""The server of the pages."""

LANGUAGES = frozenset({"python", "sh", "js"})
KEY = "key"
UNTOUCHED = frozenset({"not-run", "browser"})
"""Labels of programs that are not for this machine."""

_EPOCH_S = 1_600_000_000
_WITHIN_S = 180


@dataclass(frozen=True, slots=True)
class Program:
    """A block that is run, and the one that shows what it prints."""

    block: Block
    shown: Block | None


def sections(page: Path) -> Iterator[list[Program]]:
    """The programs of a page, heading by heading."""
    found = [*blocks(page), None]
    programs = (
        Program(block, after if after is not None and after.language in {"output", "json"} else None)
        for block, after in pairwise(found)
        if block is not None and block.language in LANGUAGES and not UNTOUCHED & set(block.labels)
    )
    for _, section in groupby(programs, key=lambda program: program.block.heading):
        yield list(section)


def flags(labels: tuple[str, ...]) -> dict[str, Any]:
    """``limits.sessions=2`` as ``load_config`` takes it, from the labels of a block."""
    tables: dict[str, Any] = {}
    for label in labels:
        path, _, value = label.partition("=")
        *names, name = path.split(".")
        table = tables
        for step in names:
            table = table.setdefault(step, {})
        table[name] = value
    return tables


@dataclass
class Terminal:
    """Where the programs of a section run: a folder, a server's address (``http://…``), and what was learned."""

    folder: Path
    address: str
    key: str = "unused"
    learned: dict[str, str] = field(default_factory=dict)

    def run(self, program: Program) -> None:
        """Raises ``AssertionError`` when it fails, or prints something else than the page shows."""
        before = {file: file.stat().st_mtime_ns for file in self.folder.iterdir()}
        printed = self.printed(program)
        if program.shown is None:
            pass
        elif program.shown.language == "json":
            Expectation(self.learned).same(json.loads(printed), json.loads(program.shown.text), "the answer")
        else:
            same_text(printed, program.shown.text)
        for file in self.folder.glob("*.wav"):
            if file.stat().st_mtime_ns != before.get(file):
                assert seconds(file) > 0, f"{file.name} is empty"

    def printed(self, program: Program) -> str:
        """What it prints. Raises ``AssertionError`` when it fails."""
        text = program.block.text.replace(ADDRESS, urlsplit(self.address).netloc)
        file = self.folder / "example"
        file.write_text(text)
        (self.folder / ".curlrc").write_text("silent\nshow-error\n" + ("" if program.shown else "fail-with-body\n"))
        done = subprocess.run(
            [*_interpreter(program.block.language), str(file)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            env={
                **os.environ,
                "PATH": os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])),
                "CURL_HOME": str(self.folder),
                "VIVAVOCE_KEY": self.key,
                **self.learned,
            },
        )
        assert done.returncode == 0, f"line {program.block.line}: {done.stderr}\n{done.stdout}"
        return done.stdout


def _interpreter(language: str) -> Sequence[str]:
    match language:
        case "python":
            return [sys.executable]
        case "js":
            asked = subprocess.run(["node", "-p", "typeof WebSocket"], capture_output=True, text=True, check=True)
            flags = [] if asked.stdout.strip() == "function" else ["--experimental-websocket"]
            return ["node", *flags]
        case _:
            return ["sh", "-eu"]


def seconds(file: Path) -> float:
    """Length of a WAV file."""
    with wave.open(str(file)) as audio:
        return float(audio.getnframes() / audio.getframerate())


def same_text(printed: str, shown: str) -> None:
    """Raises ``AssertionError`` unless what was printed is what is shown, ``…`` standing for anything."""
    pattern = ".*?".join(map(re.escape, shown.rstrip().split("…")))
    assert re.fullmatch(pattern, printed.rstrip(), re.DOTALL), f"printed:\n{printed}\nshown:\n{shown}"


@dataclass
class Expectation:
    """Compares JSON with what a page shows; ``learned`` holds the values of names."""

    learned: dict[str, str]

    def same(self, real: Any, shown: Any, where: str) -> None:
        """Raises ``AssertionError`` where they differ."""
        match real, shown:
            case dict(), dict():
                self._same_fields(real, shown, where)
            case list(), list():
                assert len(real) == len(shown), f"{where} has {len(real)} entries: {real}"
                for index, (one, other) in enumerate(zip(real, shown, strict=True)):
                    self.same(one, other, f"{where}[{index}]")
            case _, str() if shown.startswith("$"):
                assert str(real) == self.learned.setdefault(shown[1:], str(real)), f"{where} is {real!r}"
            case str(), str():
                same_text(real, shown)
            case int(), int() if min(real, shown) > _EPOCH_S:
                pass
            case _:
                assert real == shown, f"{where} is {real!r}, not {shown!r}"
                assert type(real) is type(shown), f"{where} is {real!r}, not {shown!r}"

    def _same_fields(self, real: dict[str, Any], shown: dict[str, Any], where: str) -> None:
        unnamed = real.keys() - shown.keys()
        assert "…" in shown or not unnamed, f"{where} also has {sorted(unnamed)}"
        for name, value in shown.items():
            if name != "…":
                assert name in real, f"{where} has no '{name}': {real}"
                self.same(real[name], value, f"{where}.{name}")
