"""The Realtime door: one WebSocket, one session (Realtime reference, section 1)."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from vivavoce.config.serving import TiersConfig
from vivavoce.errors import ClientError
from vivavoce.http import client_secrets
from vivavoce.http.auth import grant_of
from vivavoce.http.calling import begin_call, session_options
from vivavoce.http.connection import SocketConnection
from vivavoce.http.errors import error_response
from vivavoce.http.grants import Grant
from vivavoce.http.serving import Serving
from vivavoce.http.starting import OPENAI_VOICES
from vivavoce.model_names import default_dialect
from vivavoce.protocol.detection import detect
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.calls import Call
from vivavoce.tiers import Model, model_of

router = APIRouter()
router.include_router(client_secrets.router)

SUBPROTOCOL = "realtime"
"""Browsers offer it beside their key; it is the one we echo."""


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
        grant = grant_of(socket)
        resume = socket.query_params.get("resume")
        if resume is None:
            call = await _new_call(socket, serving, grant)
            gone_early = call.driver.end
        else:
            call = serving.calls.resumable(resume, grant.owner, grant.scopes)
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


async def _new_call(socket: WebSocket, serving: Serving, grant: Grant) -> Call:
    """A session and its driver, in a seat; with a token to resume it, if the client wants one.

    Raises ``ClientError`` for what cannot be served.
    """
    query = socket.query_params
    model = requested_model(socket, grant, serving.config.tiers)
    default: DialectName = "stepfun" if socket.url.path.startswith("/step_plan") else default_dialect(model.name)
    dialect = detect(
        query.get("dialect"),
        socket.headers.get("openai-beta"),
        socket.scope["subprotocols"],
        grant.dialect or default,
        OPENAI_VOICES["openai"] if grant.patch is None else None,
    )
    options = session_options(serving, model, grant, query, dialect.name)
    return await begin_call(
        serving, model, grant, options, Translator(dialect), resumable=query.get("resumable") == "1"
    )
