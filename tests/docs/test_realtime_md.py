"""What the Realtime page shows is what happens: its sequences are played, its JSON read."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from docs.markdown import DOCS, Block, blocks
from docs.programs import flags
from docs.replay import MismatchError, Replay
from running import RunningServer, running
from vivavoce.config import load_config
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName, decode

PAGE = DOCS / "realtime.md"
BLOCKS = list(blocks(PAGE))
SEQUENCES = [block for block in BLOCKS if block.language == "events"]

Outcome = tuple[Replay, MismatchError | None]


def labelled(language: str, *labels: str) -> list[Any]:
    """The blocks of a language whose labels begin so, as parameters."""
    found = [block for block in BLOCKS if block.language == language and block.labels[: len(labels)] == labels]
    assert found
    return [pytest.param(block, id=block.name) for block in found]


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
    with running(load_config(flags(block.labels), profile="fake")) as started:
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


# ---- programs for browsers (the others run in test_programs.py)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("block", labelled("js", "browser"))
def test_javascript_for_browsers_can_be_read(tmp_path: Path, block: Block) -> None:
    program = tmp_path / "browser.js"
    program.write_text(block.text)
    subprocess.run(["node", "--check", str(program)], check=True, timeout=60)
