"""The Realtime door: one WebSocket, one session (Realtime reference, section 1)."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from fastapi import APIRouter, WebSocket

from vivavoce.config import Config, TiersConfig
from vivavoce.errors import ClientError
from vivavoce.http import client_secrets
from vivavoce.http.connection import SocketConnection
from vivavoce.http.errors import error_response
from vivavoce.http.grants import Grant
from vivavoce.http.serving import Serving
from vivavoce.http.starting import starting_config, turn_detection_defaults
from vivavoce.protocol.detection import detect
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.calls import Call, new_resume_token
from vivavoce.runtime.driver import Driver
from vivavoce.runtime.engines import Engines
from vivavoce.session.session import Session, SessionOptions
from vivavoce.tiers import Model, default_dialect, model_of
from vivavoce.voices.presets import PRESETS

log = logging.getLogger(__name__)
router = APIRouter()
router.include_router(client_secrets.router)

SUBPROTOCOL = "realtime"
"""Browsers offer it beside their key; it is the one we echo."""

RESUMABLE_FRAMES = 1024
"""What a client that lost its connection can have again: more than a minute of speech."""


@router.websocket("/v1/realtime")
@router.websocket("/step_plan/v1/realtime")
@router.websocket("/openai/realtime")
@router.websocket("/openai/v1/realtime")
async def realtime(socket: WebSocket) -> None:
    """A conversation. What cannot be served is refused before the upgrade, with the documented error object.

    The other paths are those of StepFun's subscription and of Azure, whose clients say ``deployment`` for ``model``.
    """
    serving: Serving = socket.app.state.serving
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None
    try:
        grant = serving.auth.grant(socket)
        resume = socket.query_params.get("resume")
        if resume is None:
            call = _new_call(socket, serving, grant)
            gone_early = call.driver.end
        else:
            call = serving.calls.resumable(resume, grant.owner)
            call.take_up(socket.query_params.get("after"))
            gone_early = call.lost
    except ClientError as error:
        await socket.send_denial_response(error_response(error))
        return
    try:
        await socket.accept(subprotocol=subprotocol)
    except BaseException:
        gone_early()
        raise
    await call.carry(SocketConnection(socket))


def requested_model(socket: WebSocket, grant: Grant, tiers: TiersConfig) -> Model:
    """The model of a client secret's session, else the one in the query. Raises ``ClientError`` (``model_not_found``).

    It may be missing where the session is transcribed only, or was described by a client secret.
    """
    query = socket.query_params
    transcribes = query.get("intent") == "transcription" or (
        grant.patch is not None and grant.patch.kind == "transcription"
    )
    name = grant.model or query.get("model") or query.get("deployment")
    if not name and (transcribes or grant.patch is not None):
        name = tiers.default
    return model_of(name or "", tiers.aliases, tiers.default, transcription=transcribes)


def _new_call(socket: WebSocket, serving: Serving, grant: Grant) -> Call:
    """A session and its driver, in a seat; with a token to resume it, if the client wants one.

    Raises ``ClientError`` for what cannot be served.
    """
    config, query = serving.config, socket.query_params
    model = requested_model(socket, grant, config.tiers)
    engines = serving.engines
    language_model = engines.language_models[model.tier.language_model]
    default: DialectName = "stepfun" if socket.url.path.startswith("/step_plan") else default_dialect(model.name)
    dialect = detect(
        query.get("dialect"),
        socket.headers.get("openai-beta"),
        socket.scope["subprotocols"],
        grant.dialect or default,
    )
    session = Session(session_options(config, engines, model, grant, language_model.context_tokens, query))
    token = new_resume_token(session.id) if query.get("resumable") == "1" else None
    session.resume_token = token
    driver = Driver(
        session,
        Translator(dialect),
        engines,
        language_model,
        serving.seats.take(),
        lifetime_s=config.limits.session_minutes * 60,
        keep_frames=RESUMABLE_FRAMES if token else 0,
    )
    log.info("session %s: opened by %s, model %s, tier %s", session.id, grant.owner, model.name, model.tier.name)
    return serving.calls.begin(driver, grant.owner, token, lambda: serving.seats.give_back(driver.seat))


def session_options(
    config: Config, engines: Engines, model: Model, grant: Grant, context_tokens: int, query: Mapping[str, str]
) -> SessionOptions:
    """What this server gives a new session of this model, with what the client secret it came in by says."""
    return SessionOptions(
        config=starting_config(config, model, grant.patch, transcribes=query.get("intent") == "transcription"),
        turn_detection=turn_detection_defaults(config),
        voices=frozenset(PRESETS),
        context_tokens=context_tokens,
        speaker_hz=engines.speaker.rate_hz,
        hearing_hz=engines.recognition.rate_hz,
        frame_samples=engines.ears.detector.frame_samples,
        buffer_ms=config.limits.buffer_ms,
        audio_lead_ms=config.limits.audio_lead_ms,
        false_interruption_ms=config.turns.false_interruption_ms,
        expires_at=int(time.time() + config.limits.session_minutes * 60),
        report_marks=query.get("marks") == "1",
    )
