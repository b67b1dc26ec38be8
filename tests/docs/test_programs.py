"""The programs of the documentation run, and print what it says they print. New pages are added to ``PAGES``."""

from __future__ import annotations

import json
import shutil
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from docs.markdown import DOCS
from docs.programs import KEY, Expectation, Program, Terminal, flags, same_text, sections
from running import RunningServer, running, silence, tone
from vivavoce.config import load_config
from voicing import file_of, hum

PAGES = [
    "chat-completions.md",
    "embeddings.md",
    "platform.md",
    "realtime.md",
    "responses.md",
    "retrieval.md",
    "speech.md",
    "transcription.md",
    "voices.md",
]

PROGRAMS = {"sh": "curl", "js": "node"}
"""What must be installed to run a language."""

SECTIONS = [
    pytest.param(section, id=f"{page}:{section[0].block.name}") for page in PAGES for section in sections(DOCS / page)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The working folder of a section: a question of a second is in it, and a clip to make a voice of."""
    (tmp_path / "me.wav").write_bytes(file_of(hum(200)))
    with wave.open(str(tmp_path / "question.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(silence(200) + tone(1000))
    return tmp_path


@pytest.fixture(scope="module")
def server_with() -> Iterator[Callable[[tuple[str, ...]], RunningServer]]:
    """A server for settings as the labels of a block tell them; one for all blocks that tell the same."""
    with ExitStack() as stack:
        servers: dict[tuple[str, ...], RunningServer] = {}

        def started(labels: tuple[str, ...]) -> RunningServer:
            if labels not in servers:
                servers[labels] = stack.enter_context(running(load_config(flags(labels), profile="fake")))
            return servers[labels]

        yield started


@pytest.mark.parametrize("section", SECTIONS)
def test_the_programs_of_a_section(
    section: list[Program],
    folder: Path,
    server: RunningServer,
    locked: RunningServer,
    server_with: Callable[[tuple[str, ...]], RunningServer],
) -> None:
    for program in section:
        needed = PROGRAMS.get(program.block.language)
        if needed is not None and shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed")
    learned: dict[str, str] = {}
    for program in section:
        labels = program.block.labels
        if KEY in labels:
            key = locked.core.config.auth.keys["me"].get_secret_value()
            terminal = Terminal(folder, locked.http, key, learned=learned)
        else:
            here = server_with(labels) if labels else server
            terminal = Terminal(folder, here.http, learned=learned)
        terminal.run(program)


# ---- what the comparison finds


@pytest.mark.parametrize(
    ("real", "shown"),
    [
        ({"id": "chatcmpl-12", "n": 1}, {"id": "chatcmpl-…", "n": 1}),
        ({"id": "a", "more": 1}, {"…": "…", "id": "a"}),
        ({"created": 1_700_000_000}, {"created": 1_790_000_000}),
        ([{"a": "file-1"}, {"b": "file-1"}], [{"a": "$FILE"}, {"b": "$FILE"}]),
    ],
)
def test_what_a_page_may_leave_open(real: Any, shown: Any) -> None:
    Expectation({}).same(real, shown, "it")


@pytest.mark.parametrize(
    ("real", "shown"),
    [
        ({"id": "a", "more": 1}, {"id": "a"}),
        ({"id": "a"}, {"id": "a", "more": 1}),
        ({"n": 2}, {"n": 1}),
        ({"n": 1.0}, {"n": 1}),
        ([1], [1, 2]),
        ([{"a": "file-1"}, {"b": "file-2"}], [{"a": "$FILE"}, {"b": "$FILE"}]),
        ({"id": "file-12"}, {"id": "chatcmpl-…"}),
    ],
)
def test_what_it_may_not(real: Any, shown: Any) -> None:
    with pytest.raises(AssertionError):
        Expectation({}).same(real, shown, "it")


def test_text_is_compared_with_gaps() -> None:
    same_text('data: {"id":"1","x":2}\n\ndata: [DONE]\n\n', 'data: {"id":"…","x":2}\n\ndata: [DONE]\n')
    with pytest.raises(AssertionError):
        same_text("data: 1\n", "data: 2\n")


def test_a_page_is_read_section_by_section(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One\n```sh key\ncurl x\n```\n```json\n{}\n```\n```python\n1\n```\n"
        "```sh not-run\nrm\n```\n# Two\n```python\n2\n```\n```output\n2\n```\n"
    )
    one, two = sections(page)
    assert [(p.block.text, p.shown.text if p.shown else None) for p in one] == [("curl x\n", "{}\n"), ("1\n", None)]
    assert [(p.block.text, p.shown.text if p.shown else None) for p in two] == [("2\n", "2\n")]


def test_learned_values_reach_the_next_program(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    shown = json.dumps({"id": "$FILE_ID"})
    page.write_text(
        f"""# One\n```sh\necho '{{"id": "file-1"}}'\n```\n```json\n{shown}\n```\n"""
        "```sh\necho got $FILE_ID\n```\n```output\ngot file-1\n```\n"
    )
    (section,) = sections(page)
    terminal = Terminal(tmp_path, "http://127.0.0.1:1")
    for program in section:
        terminal.run(program)
    assert terminal.learned == {"FILE_ID": "file-1"}
