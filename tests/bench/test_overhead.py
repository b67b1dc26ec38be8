"""The overhead bench against a server with fake engines."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from overhead import print_first_deltas, print_listening
from overhead_measure import cores, first_deltas, listening, write_config
from rich.console import Console

from running import RunningServer, running
from vivavoce.config import load_config


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"limits": {"sessions": 4}}, profile="fake")) as started:
        yield started


def test_the_configuration_is_one_a_server_takes(tmp_path: Path) -> None:
    write_config(tmp_path / "bench.toml", sessions=104)
    config = load_config(file=tmp_path / "bench.toml")
    assert config.limits.sessions == 104
    assert (config.engines.speech_detector, config.engines.recognizer) == ("silero", "fake")
    assert {model.engine for model in config.engines.language_models.values()} == {"fake"}


async def test_first_deltas_are_timed(server: RunningServer) -> None:
    answered = await first_deltas(server.address, rounds=5)
    assert len(answered.text_ms) == len(answered.audio_ms) == 5
    assert all(0 < text <= audio < 1000 for text, audio in zip(answered.text_ms, answered.audio_ms, strict=True))
    said = io.StringIO()
    print_first_deltas(Console(file=said), answered)
    assert "first audio" in said.getvalue()


@pytest.mark.parametrize("chunk_ms", [20, 32])
async def test_open_microphones_are_answered_one_by_one(server: RunningServer, chunk_ms: int) -> None:
    heard = await listening(server.address, psutil.Process(), sessions=3, seconds=2.0, chunk_ms=chunk_ms)
    assert 3 <= len(heard.lags_ms) <= 3 * 3
    assert all(0 < lag < 1000 for lag in heard.lags_ms)
    assert heard.busy > 0
    said = io.StringIO()
    print_listening(Console(file=said, width=200), heard)
    assert "3 open microphones" in said.getvalue()


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not tell")
def test_what_is_started_in_the_block_has_its_cores() -> None:
    before = os.sched_getaffinity(0)
    one = {min(before)}
    with cores(one):
        assert os.sched_getaffinity(0) == one
    assert os.sched_getaffinity(0) == before
