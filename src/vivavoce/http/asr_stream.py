"""``WS /v1/realtime/asr/stream``: speech to text while it is spoken (audio reference, section 3.3)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
from fastapi import APIRouter, WebSocket

from vivavoce.audio.audio_format import AudioFormat
from vivavoce.http.auth import principal_of
from vivavoce.http.connection import SocketConnection, converse
from vivavoce.http.lifecycle import core_of
from vivavoce.http.session_factory import begin_conversation, session_options
from vivavoce.ids import random_id
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.asr_stream import RATE_HZ, AsrStream
from vivavoce.protocol.session_config import Transcription
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.connections import RealtimeConnection
from vivavoce.tiers import TIERS, Model

log = logging.getLogger(__name__)
router = APIRouter()

MODEL = "step-asr-1.1-stream"
"""What a session shows until its client names a model; one recogniser serves all names."""

IDLE_S = 60.0
"""A client that sends nothing for so long is told, and its connection closed."""

NORMAL = 1000


class AsrTranslator(Translator):
    """Adds what a connection has to remember: every event says which session it is of, and when it was made."""

    def __init__(self) -> None:
        super().__init__(AsrStream())
        self._session_id = ""
        self._detects_turns = False

    def encode(self, event: ev.ServerEvent) -> list[str]:
        """One event as frames. Whoever ends a stream commits: that there is nothing to commit is no mistake then."""
        match event:
            case ev.SessionCreated() | ev.SessionUpdated():
                self._session_id = event.session_id
                self._detects_turns = event.session.turn_detection is not None
            case ev.Error(error=ev.ErrorBody(code="input_audio_buffer_commit_empty")) if self._detects_turns:
                return []
        meta = {"session_id": self._session_id, "timestamp": int(time.time() * 1000)}
        frames = self._dialect.to_client(event)
        return [msgspec.json.encode({**frame, "meta": meta}).decode() for frame in frames]


class AsrConnection(SocketConnection):
    """A socket that is closed when nothing comes through it."""

    def __init__(self, socket: WebSocket, translator: AsrTranslator) -> None:
        super().__init__(socket)
        self._translator = translator

    async def frames(self) -> AsyncIterator[str | bytes]:
        """The client's frames, until it hangs up or falls silent."""
        frames = super().frames()
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    frame = await anext(frames)
            except StopAsyncIteration:
                return
            except TimeoutError:
                await self._give_up()
                return
            yield frame

    async def _give_up(self) -> None:
        body = ev.ErrorBody(
            type="invalid_request_error", code="max_idle_timeout", message=f"Nothing came for {IDLE_S:g} s."
        )
        event = ev.Error(event_id=random_id("event"), error=body)
        for frame in self._translator.encode(event):
            await self.send(frame)
        await self.close(NORMAL, "idle")
        self.closed_by_client = True  # the conversation is over, whether or not the client might come back


@router.websocket("/v1/realtime/asr/stream")
async def asr_stream(socket: WebSocket) -> None:
    """A stream of speech. What cannot be served is refused before the upgrade."""
    translator = AsrTranslator()
    await converse(await _new_conversation(socket, translator), AsrConnection(socket, translator))


async def _new_conversation(socket: WebSocket, translator: AsrTranslator) -> RealtimeConnection:
    core = core_of(socket)
    principal = principal_of(socket)
    model = Model(MODEL, TIERS[core.config.tiers.default])
    options = session_options(core, model, principal, socket.query_params)
    config = msgspec.structs.replace(
        options.config,
        kind="transcription",
        transcription=Transcription(model=MODEL, enable_itn=True),
        input_audio_format=AudioFormat(rate_hz=RATE_HZ),
        turn_detection=None,
    )
    return await begin_conversation(core, model, principal, replace(options, config=config), translator)
