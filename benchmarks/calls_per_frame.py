"""How many Python calls one audio frame of a client costs, from the socket's text to the session and back.

    python benchmarks/calls_per_frame.py

A driver over fake engines is told of silence, one append of 20 ms at a time. Calls are counted with ``sys.setprofile``: they do
not depend on the machine, and say what a conversation costs that says nothing, which most do most of the time.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from types import FrameType
from typing import Any

from vivavoce.config.outbound import McpConfig, ToolsConfig
from vivavoce.engines.fake import (
    FakeEmbedder,
    FakeEndOfTurnModel,
    FakeLanguageModel,
    FakeRecognizer,
    FakeSpeakerVerifier,
    FakeSpeechDetector,
    FakeSynthesizer,
)
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.session_config import SessionConfig, TurnDetection
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.decoding import RecordingDecoder
from vivavoce.runtime.driver import Driver
from vivavoce.runtime.engines import Engines, synthesizer_router
from vivavoce.runtime.preparations import Preparations
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.vad_batcher import VadBatcher
from vivavoce.session.known_voices import KnownVoices
from vivavoce.session.options import SessionOptions
from vivavoce.session.session import Session
from vivavoce.tools.catalog import ToolCatalog, ToolFactories
from vivavoce.tools.session_tools import SessionTools

FRAME_MS = 20
WARM_UP = 100
"""Frames before it is counted: a second of silence is kept, what is older is forgotten."""
FRAMES = 160
"""Frames that are counted: the detector hears 32 ms at a time, so that five of eight frames bring it something."""

SILENCE = json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(FRAME_MS * 48)).decode()})


class NoQuota:
    """Counts no tokens."""

    def require(self) -> None:
        """There are always some left."""

    def spend(self, tokens: int) -> None:
        """They are not counted."""


class CallCounter:
    """Counts the calls of Vivavoce's functions, those that dataclasses make (``<string>``) among them, and their files."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        """As ``sys.setprofile`` has it."""
        code = frame.f_code
        if event == "call" and ("vivavoce" in code.co_filename or code.co_filename == "<string>"):
            self.calls[code.co_filename, code.co_qualname] += 1


def fake_session() -> Session:
    """A session with voice activity detection."""
    return Session(
        SessionOptions(
            config=SessionConfig(model="step-audio-2", voice="alloy", turn_detection=TurnDetection()),
            turn_detection=TurnDetection(),
            voices=KnownVoices({"alloy"}),
            context_tokens=4096,
        )
    )


def fake_engines() -> Engines:
    """Engines that answer at once."""
    return Engines(
        VadBatcher(FakeSpeechDetector()),
        Recognition(FakeRecognizer()),
        synthesizer_router({"fake": FakeSynthesizer()}),
        {"fake": FakeLanguageModel(1)},
        FakeEndOfTurnModel(),
        FakeEmbedder(),
        FakeSpeakerVerifier(),
        RecordingDecoder(),
    )


def no_tools(owner: str) -> SessionTools:
    """The tools of a conversation whose server has none."""

    def no_tool(*args: Any) -> Any:
        raise NotImplementedError

    return SessionTools(
        ToolCatalog(ToolsConfig(), McpConfig(), Fetcher(), ToolFactories(no_tool, no_tool, no_tool)), owner
    )


def fake_driver(
    *,
    owner: str = "owner",
    lifetime_s: float = 3600.0,
    idle_s: float = 3600.0,
    keep_frames: int = 0,
    preparations: int = 1,
) -> Driver:
    """A driver of such a session over fake engines, whose client speaks StepFun's dialect."""

    async def usable(voice: str) -> str:
        return voice

    engines = replace(fake_engines(), preparations=Preparations(preparations))
    return Driver(
        fake_session(),
        Translator(DIALECTS["stepfun"]),
        engines,
        engines.language_models["fake"],
        0,
        owner=owner,
        lifetime_s=lifetime_s,
        idle_s=idle_s,
        keep_frames=keep_frames,
        token_quota=NoQuota(),
        tools=no_tools(owner),
        resolve_voice=usable,
    )


async def measure() -> Counter[tuple[str, str]]:
    """The calls of ``FRAMES`` frames of silence, by file and function."""
    counter = CallCounter()

    async def frames() -> AsyncIterator[str]:
        for _ in range(WARM_UP):
            yield SILENCE
        sys.setprofile(counter)
        for _ in range(FRAMES):
            yield SILENCE
        sys.setprofile(None)

    async def send(frame: str) -> None:
        """The client takes everything."""

    driver = fake_driver()
    living: Awaitable[None] = asyncio.ensure_future(driver.run())
    await asyncio.sleep(0)
    await driver.serve(frames(), send)
    driver.end()
    await living
    return counter.calls


def main() -> None:
    """Print the calls of a frame, and those of each function that is called often."""
    calls = asyncio.run(measure())
    files = {file for file, _ in calls}
    print(f"{sum(calls.values()) / FRAMES:.1f} calls a frame, {len(calls)} functions in {len(files)} files")
    for (file, function), count in calls.most_common():
        print(f"{count / FRAMES:6.2f}  {function}  {file.partition('vivavoce/')[2]}")


if __name__ == "__main__":
    main()
