"""The bench of the HTTP endpoints, against the running server with fake engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from running import RunningServer, running
from vivavoce.bench.http import (
    PARAGRAPHS,
    RATE_HZ,
    HttpReport,
    Measure,
    http_target,
    recording_of,
    run_http,
)
from vivavoce.cli import app
from vivavoce.client.errors import ConnectError
from vivavoce.client.recording import write_wav
from vivavoce.config import load_config


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config(profile="fake")) as started:
        yield started


async def test_every_kind_is_timed(server: RunningServer) -> None:
    async with http_target(server.address, model="step-audio-2", voice="alloy") as target:
        recording = await recording_of(target, "en", 30)
        assert len(recording) == 30 * RATE_HZ
        report = await run_http(
            target,
            model="step-audio-2",
            languages=["en", "zh"],
            kinds=["speech", "transcription", "chat"],
            runs=2,
            recordings={"en": recording},
            on_measure=lambda _: None,
        )
    kinds = [(line.what, line.language) for line in report.lines]
    assert kinds == [("speech", "en"), ("transcription", "en"), ("chat", "en"), ("speech", "zh"), ("chat", "zh")]
    spoken = [one for one in report.measures if one.what == "speech" and one.language == "en"]
    assert len(spoken) == 2
    assert spoken[0].audio_s == pytest.approx(len(PARAGRAPHS["en"]) * 0.05, rel=0.03)
    assert all(one.first_ms is not None and 0 < one.first_ms <= one.total_s * 1000 for one in spoken)
    (heard, _) = [one for one in report.measures if one.what == "transcription"]
    assert (heard.first_ms, heard.audio_s) == (None, 30.0)
    assert json.loads(json.dumps(report.as_json()))["lines"][0]["first_ms"]["count"] == 2


def test_factors_and_figures() -> None:
    report = HttpReport("m", [Measure("speech", "en", first, 1.0, 4.0) for first in (10.0, 20.0, 30.0)])
    (line,) = report.lines
    assert line.first_ms is not None
    assert line.factor is not None
    assert (line.first_ms.p50, line.factor.p50) == (20.0, 0.25)


async def test_a_refusal_is_told_in_the_servers_words(server: RunningServer) -> None:
    async with http_target(server.address, model="step-audio-2", voice="nobody") as target:
        with pytest.raises(ConnectError, match=r"400.*nobody"):
            await target.speech("Hello.", "en")


def test_the_command(server: RunningServer, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.full(RATE_HZ, 0.1, np.float32), rate_hz=RATE_HZ)
    arguments = ["bench", "http", "--url", server.ws, "--runs", "1", "--language", "en"]
    outcome = CliRunner().invoke(
        app, [*arguments, "--file", str(tmp_path / "a.wav"), "--json", str(tmp_path / "report.json")]
    )
    assert outcome.exit_code == 0, outcome.output
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert [line["what"] for line in report["lines"]] == ["speech", "transcription", "chat"]
    assert CliRunner().invoke(app, [*arguments, "--kind", "song"]).exit_code == 2
