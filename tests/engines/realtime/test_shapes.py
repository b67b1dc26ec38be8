"""How the other side's session is described, by dialect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from vivavoce.engines.realtime.settings import OpenAISettings, StepFunSettings, WireDialect
from vivavoce.engines.realtime.shapes import Shapes
from vivavoce.hosted import HostedSetup
from vivavoce.types import NamedTool, Tool

WHERE = {"url": "http://127.0.0.1:9/v1", "model": "far"}
TOOLS = tuple(Tool(name, f"Does {name}", {"type": "object"}) for name in ("lamp", "door"))
SETUP = HostedSetup("Be brief.", "qingchunshaonv", tools=TOOLS)


def shapes(dialect: WireDialect, **settings: Any) -> Shapes:
    kind = StepFunSettings if dialect == "stepfun" else OpenAISettings
    return Shapes(dialect, kind.model_validate({**WHERE, **settings}))


@pytest.mark.parametrize("dialect", ["openai", "openai_beta", "stepfun"])
def test_turns_are_ours_to_end(dialect: WireDialect) -> None:
    session = shapes(dialect).session(SETUP)
    detection = session["audio"]["input"] if dialect == "openai" else session
    assert detection["turn_detection"] is None
    assert session["instructions"] == "Be brief."


def test_a_written_reply() -> None:
    setup = replace(SETUP, voice=None)
    assert shapes("openai").session(setup)["output_modalities"] == ["text"]
    assert shapes("openai_beta").session(setup)["modalities"] == ["text"]
    assert "voice" not in shapes("stepfun").session(setup)


@pytest.mark.parametrize(
    ("dialect", "settings", "ours", "theirs"),
    [
        ("openai", {}, "alloy", "alloy"),
        ("openai", {}, "qingchunshaonv", None),
        ("openai", {"voice": "marin"}, "qingchunshaonv", "marin"),
        ("openai", {"voice": "marin"}, "alloy", "marin"),
        ("openai", {"voices": {"qingchunshaonv": "coral"}}, "qingchunshaonv", "coral"),
        ("stepfun", {}, "qingchunshaonv", "qingchunshaonv"),
        ("stepfun", {"voices": {"alloy": "linjiajiejie"}}, "alloy", "linjiajiejie"),
    ],
)
def test_voices(dialect: WireDialect, settings: dict[str, Any], ours: str, theirs: str | None) -> None:
    assert shapes(dialect, **settings).voice(ours) == theirs


def test_the_choice_of_one_function() -> None:
    setup = replace(SETUP, tool_choice=NamedTool("door"))
    assert shapes("openai").session(setup)["tool_choice"] == {"type": "function", "name": "door"}
    session = shapes("stepfun").session(setup)
    assert session["tool_choice"] == "required"
    assert [tool["function"]["name"] for tool in session["tools"]] == ["door"]


def test_bounds_of_the_platforms() -> None:
    setup = replace(SETUP, speed=4.0, max_tokens=100_000, parallel_tool_calls=False)
    session = shapes("openai").session(setup)
    assert session["audio"]["output"]["speed"] == 1.5
    assert session["max_output_tokens"] == 4096
    assert session["parallel_tool_calls"] is False
    assert shapes("openai_beta").session(SETUP)["max_response_output_tokens"] == "inf"
    assert shapes("stepfun").session(SETUP)["max_response_output_tokens"] == 4096


def test_their_transcripts() -> None:
    setup = replace(SETUP, language="zh")
    assert shapes("openai").session(setup)["audio"]["input"]["transcription"] is None
    session = shapes("openai", transcripts="theirs", transcription_model="whisper-1").session(setup)
    assert session["audio"]["input"]["transcription"] == {"model": "whisper-1", "language": "zh"}
    assert "input_audio_transcription" not in shapes("stepfun", transcripts="theirs").session(setup)


def test_fields_of_the_session() -> None:
    assert shapes("stepfun", session={"temperature": 0.8}).session(SETUP)["temperature"] == 0.8
