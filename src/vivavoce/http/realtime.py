"""The Realtime door: one WebSocket, one session (Realtime reference, section 1)."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from fastapi import APIRouter, WebSocket
from starlette.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from vivavoce.config import Config
from vivavoce.errors import CapacityError, ClientError
from vivavoce.http.serving import Serving
from vivavoce.protocol.session_config import SessionConfig, TurnDetection
from vivavoce.protocol.stepfun import StepFun
from vivavoce.runtime.driver import Driver, SlowClientError
from vivavoce.runtime.engines import Engines
from vivavoce.session.session import Session, SessionOptions
from vivavoce.tiers import Tier, tier
from vivavoce.voices.presets import PRESETS

log = logging.getLogger(__name__)
router = APIRouter()

SUBPROTOCOL = "realtime"
"""Browsers offer it beside their key; it is the one we echo."""

STATUS_OF_CODE = {"model_not_found": 404, "rate_limit_exceeded": 429, "server_loading": 503}


@router.websocket("/v1/realtime")
async def realtime(socket: WebSocket) -> None:
    """A conversation. What cannot be served is refused before the upgrade, with the documented error object."""
    serving: Serving = socket.app.state.serving
    try:
        chosen = tier(socket.query_params.get("model"))
        engines = serving.engines
        with serving.seats.take() as seat:
            await socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None)
            await _converse(socket, serving.config, engines, chosen, seat)
    except ClientError as error:
        await _refuse(socket, error)


async def _refuse(socket: WebSocket, error: ClientError) -> None:
    body = {"error": {"message": error.message, "type": error.type, "code": error.code, "param": error.param}}
    headers = {"Retry-After": "5"} if isinstance(error, CapacityError) or error.code == "server_loading" else None
    status = STATUS_OF_CODE.get(error.code, 400)
    await socket.send_denial_response(JSONResponse(body, status_code=status, headers=headers))


async def _converse(socket: WebSocket, config: Config, engines: Engines, chosen: Tier, seat: int) -> None:
    model = engines.language_models[chosen.language_model]
    options = session_options(
        config, engines, chosen, model.context_tokens, report_marks=socket.query_params.get("marks") == "1"
    )
    session = Session(options)
    log.info("session %s: opened, model %s", session.id, chosen.name)
    driver = Driver(session, StepFun(), engines, model, seat, socket.send_text)
    code = 1000
    try:
        await driver.run(_frames(socket))
    except* WebSocketDisconnect:
        pass  # the client went while something was being sent to it: as normal an end as any
    except* SlowClientError as slow:
        log.warning("session %s: %s", session.id, slow.exceptions[0])
        code = 1013
    except* Exception as bug:
        log.exception("session %s: internal error", session.id, exc_info=bug)
        code = 1011
    log.info("session %s: closed", session.id)
    if code != 1000:
        await socket.close(code)


async def _frames(socket: WebSocket) -> AsyncIterator[str | bytes]:
    """Text and binary frames alike, until the client closes or vanishes."""
    while (message := await socket.receive())["type"] == "websocket.receive":
        text = message.get("text")
        yield text if text is not None else message["bytes"]


def session_options(
    config: Config, engines: Engines, chosen: Tier, context_tokens: int, *, report_marks: bool
) -> SessionOptions:
    """What this server gives a new session of this tier."""
    turn_detection = TurnDetection(
        threshold=config.turns.threshold,
        prefix_padding_ms=config.turns.prefix_padding_ms,
        silence_duration_ms=config.turns.silence_duration_ms,
    )
    return SessionOptions(
        config=SessionConfig(
            model=chosen.name,
            voice=chosen.default_voice,
            turn_detection=turn_detection if config.turns.server_vad else None,
        ),
        turn_detection=turn_detection,
        voices=frozenset(PRESETS),
        context_tokens=context_tokens,
        client_hz=engines.speaker.rate_hz,
        hearing_hz=engines.recognizer.rate_hz,
        frame_samples=engines.speech_detector.frame_samples,
        buffer_ms=config.limits.buffer_ms,
        audio_lead_ms=config.limits.audio_lead_ms,
        report_marks=report_marks,
    )
