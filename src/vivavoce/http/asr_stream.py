"""``WS /v1/realtime/asr/stream``: speech to text while it is spoken (audio reference, section 3.3)."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
from fastapi import APIRouter, WebSocket

from vivavoce.errors import ClientError
from vivavoce.http.calling import begin_call, session_options
from vivavoce.http.connection import SocketConnection
from vivavoce.http.errors import error_response
from vivavoce.http.serving import Serving
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.asr_stream import RATE_HZ, AsrStream
from vivavoce.protocol.session_config import AudioFormat, Transcription
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.calls import Call
from vivavoce.tiers import TIERS, Model

log = logging.getLogger(__name__)
router = APIRouter()

MODEL = "step-asr-1.1-stream"
"""What a session shows until its client names a model; one recogniser serves all names."""

IDLE_S = 60.0
"""A client that sends nothing for so long is told, and its connection closed."""

NORMAL = 1000


class AsrConnection(SocketConnection):
    """A socket that is closed when nothing comes through it."""

    def __init__(self, socket: WebSocket, dialect: AsrStream) -> None:
        super().__init__(socket)
        self._dialect = dialect

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
        event = ev.Error(event_id=f"event_{secrets.token_hex(12)}", error=body)
        for frame in self._dialect.reshape_server(event):
            await self.send(msgspec.json.encode(frame).decode())
        await self.close(NORMAL, "idle")
        self.closed_by_client = True  # the call is over, whether or not the client might come back


@router.websocket("/v1/realtime/asr/stream")
@router.websocket("/step_plan/v1/realtime/asr/stream")
async def asr_stream(socket: WebSocket) -> None:
    """A stream of speech. What cannot be served is refused before the upgrade."""
    dialect = AsrStream(lambda: int(time.time() * 1000))
    try:
        call = await _new_call(socket, dialect)
    except ClientError as error:
        await socket.send_denial_response(error_response(error))
        return
    try:
        await socket.accept()
    except BaseException:
        call.driver.end()
        raise
    await call.carry(AsrConnection(socket, dialect))


async def _new_call(socket: WebSocket, dialect: AsrStream) -> Call:
    serving: Serving = socket.app.state.serving
    grant = await serving.auth.grant(socket)
    model = Model(MODEL, TIERS[serving.config.tiers.default])
    options = session_options(serving, model, grant, socket.query_params)
    config = msgspec.structs.replace(
        options.config,
        kind="transcription",
        transcription=Transcription(model=MODEL),
        input_audio_format=AudioFormat(rate_hz=RATE_HZ),
        turn_detection=None,
    )
    return await begin_call(serving, model, grant, replace(options, config=config), Translator(dialect))
