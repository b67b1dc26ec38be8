"""What the Realtime page shows is what happens: its sequences are played, its programs run, its JSON read."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from docs.markdown import DOCS, Block, blocks
from docs.replay import MismatchError, Replay
from running import RunningServer, running, silence, tone
from vivavoce.config import load_config
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName, decode

PAGE = DOCS / "realtime.md"
BLOCKS = list(blocks(PAGE))
SEQUENCES = [block for block in BLOCKS if block.language == "events"]
ADDRESS = "127.0.0.1:8080"

Outcome = tuple[Replay, MismatchError | None]


def labelled(language: str, *labels: str) -> list[Any]:
    """The blocks of a language whose labels begin so, as parameters."""
    found = [block for block in BLOCKS if block.language == language and block.labels[: len(labels)] == labels]
    assert found
    return [pytest.param(block, id=block.name) for block in found]


def expected_output(block: Block) -> str:
    """The ``output`` block right after this one."""
    following = BLOCKS[BLOCKS.index(block) + 1]
    assert following.language == "output", f"line {block.line}: no output is shown"
    return following.text


async def play(address: str, block: Block) -> Outcome:
    replay = Replay(address)
    try:
        await replay.run(block)
    except MismatchError as error:
        return replay, error
    return replay, None


@pytest.fixture(scope="module")
def played(server: RunningServer) -> Mapping[str, Outcome]:
    """Every sequence without settings of its own, all at once: most of them wait for audio to play."""

    async def all_of_them() -> list[Outcome]:
        return await asyncio.gather(*(play(server.ws, block) for block in SEQUENCES if not block.labels))

    outcomes = asyncio.run(all_of_them())
    return dict(zip((block.name for block in SEQUENCES if not block.labels), outcomes, strict=True))


@pytest.mark.parametrize("name", [block.name for block in SEQUENCES if not block.labels])
def test_a_sequence_of_events(played: Mapping[str, Outcome], name: str) -> None:
    replay, error = played[name]
    assert error is None, f"{error}\n{replay.kinds}"


@pytest.mark.parametrize("block", [block for block in SEQUENCES if block.labels], ids=lambda block: block.name)
def test_a_sequence_with_settings(block: Block) -> None:
    flags: dict[str, Any] = {}
    for label in block.labels:
        path, _, value = label.partition("=")
        *tables, name = path.split(".")
        table = flags
        for step in tables:
            table = table.setdefault(step, {})
        table[name] = value
    with running(load_config(flags, profile="fake")) as started:
        replay, error = asyncio.run(play(started.ws, block))
    assert error is None, f"{error}\n{replay.kinds}"


def test_every_dialect_is_played(played: Mapping[str, Outcome]) -> None:
    seen = {kind for replay, _ in played.values() for kind in replay.kinds}
    assert {
        "response.audio.done",
        "response.output_audio.done",
        "conversation.created",
        "response.thinking.done",
    } <= seen


# ---- JSON


@pytest.mark.parametrize("block", labelled("json", "client"))
def test_a_clients_event_is_understood(block: Block) -> None:
    dialects: tuple[DialectName, ...] = ("stepfun", "openai_beta", "openai")
    name = next(dialect for dialect in dialects if dialect == block.labels[1])
    event = decode(block.text, DIALECTS[name])
    assert json.loads(block.text).get("event_id") == event.event_id


@pytest.mark.parametrize("block", labelled("json", "server"))
def test_a_servers_event_has_the_fields_it_really_has(played: Mapping[str, Outcome], block: Block) -> None:
    shown = json.loads(block.text)
    assert shown["event_id"]
    real = [event for replay, _ in played.values() for event in replay.seen if event["type"] == shown["type"]]
    assert real, f"no sequence has {shown['type']}"
    assert shape(shown) in [shape(event) for event in real]


def shape(value: Any) -> Any:
    """The names of the fields, at every depth; what may be ``null`` or not counts alike."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else None


# ---- programs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a question of a second in it."""
    with wave.open(str(tmp_path / "question.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(silence(200) + tone(1000))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def local(text: str, server: RunningServer) -> str:
    """A program of the page, for the server at hand."""
    assert ADDRESS in text
    return text.replace(ADDRESS, urlsplit(server.ws).netloc)


def output_of(command: list[str], **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", labelled("python"))
def test_a_python_program(server: RunningServer, folder: Path, block: Block) -> None:
    program = folder / "example.py"
    program.write_text(local(block.text, server))
    assert output_of([sys.executable, str(program)]) == expected_output(block)
    if "answer.wav" in block.text:
        with wave.open(str(folder / "answer.wav")) as answer:
            assert answer.getnframes() / answer.getframerate() > 1


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@needs_node
def test_the_javascript_program(server: RunningServer, folder: Path) -> None:
    (block,) = [block for block in BLOCKS if block.language == "js" and not block.labels]
    (folder / "example.js").write_text(local(block.text, server))
    has_socket = output_of(["node", "-p", "typeof WebSocket"]).strip() == "function"
    flags = [] if has_socket else ["--experimental-websocket"]
    assert output_of(["node", *flags, str(folder / "example.js")]) == expected_output(block)


@needs_node
@pytest.mark.parametrize("block", labelled("js", "browser"))
def test_javascript_for_browsers_can_be_read(folder: Path, block: Block) -> None:
    (folder / "browser.js").write_text(block.text)
    assert output_of(["node", "--check", str(folder / "browser.js")]) == ""


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("block", labelled("sh"))
def test_a_curl_command(locked: RunningServer, block: Block) -> None:
    key = locked.serving.config.auth.keys["me"].get_secret_value()
    answer = json.loads(output_of(["sh", "-c", local(block.text, locked)], VIVAVOCE_KEY=key))
    shown = json.loads(BLOCKS[BLOCKS.index(block) + 1].text)
    assert answer.keys() == shown.keys()
    assert answer["value"].startswith("ek_")
    assert answer["session"]["instructions"] == "You sell tickets."
    assert {name for name in shown["session"] if name != "…"} <= answer["session"].keys()


# ---- settings and links


@pytest.mark.parametrize("page", [PAGE, DOCS / "security.md"], ids=lambda page: page.name)
def test_every_toml_block_is_a_configuration(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language == "toml":
            file = tmp_path / "vivavoce.toml"
            file.write_text(block.text)
            tables = re.findall(r"^\[(\w+)", block.text, re.MULTILINE)
            given = load_config(file=file).model_dump(include=set(tables), exclude_unset=True)
            assert set(given) == set(tables)


@pytest.mark.parametrize("page", [PAGE, DOCS / "security.md"], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for file, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", page.read_text()):
        target = page.parent / file if file else page
        assert target.is_file(), file
        titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", target.read_text(), flags=re.M | re.S), re.M)
        slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in slugs, anchor
