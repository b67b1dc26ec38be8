"""The Realtime route: one WebSocket, one session (Realtime reference, section 1)."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from vivavoce.config.serving import TiersConfig
from vivavoce.http.auth import principal_of
from vivavoce.http.connection import SocketConnection, converse
from vivavoce.http.core import Core
from vivavoce.http.lifecycle import core_of
from vivavoce.http.paths import uses_step_plan
from vivavoce.http.principals import Principal
from vivavoce.http.session_defaults import OPENAI_VOICES
from vivavoce.http.session_factory import begin_conversation, session_options
from vivavoce.protocol.detection import detect
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.model_names import default_dialect
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.connections import RealtimeConnection
from vivavoce.tiers import Model, model_of

router = APIRouter()

SUBPROTOCOL = "realtime"
"""Browsers offer it beside their key; it is the one we echo."""


@router.websocket("/v1/realtime")
@router.websocket("/openai/realtime")
@router.websocket("/openai/v1/realtime")
async def realtime(socket: WebSocket) -> None:
    """A conversation. What cannot be served is refused before the upgrade, with the documented error object.

    The other paths are those of Azure, whose clients say ``deployment`` for ``model``.
    """
    core = core_of(socket)
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in socket.scope["subprotocols"] else None
    principal = principal_of(socket)
    resume = socket.query_params.get("resume")
    if resume is None:
        conversation = await _new_conversation(socket, core, principal)
    else:
        conversation = core.connections.find_resumable(resume, principal.owner, principal.scopes)
        conversation.resume(socket.query_params.get("after"))
    await converse(conversation, SocketConnection(socket), subprotocol=subprotocol, resumed=resume is not None)


def requested_model(socket: WebSocket, principal: Principal, tiers: TiersConfig) -> Model:
    """The model of a client secret's session, else the one in the query. Raises ``ClientError`` (``model_not_found``).

    It may be missing where the session is transcribed only, or was described by a client secret.
    """
    query = socket.query_params
    transcribes = query.get("intent") == "transcription" or (
        principal.patch is not None and principal.patch.kind == "transcription"
    )
    name = principal.model or query.get("model") or query.get("deployment")
    if not name and (transcribes or principal.patch is not None):
        name = tiers.default
    return model_of(name or "", tiers.aliases, tiers.default, transcription=transcribes)


async def _new_conversation(socket: WebSocket, core: Core, principal: Principal) -> RealtimeConnection:
    """A session and its driver, in a slot; with a token to resume it, if the client wants one.

    Raises ``ClientError`` for what cannot be served.
    """
    query = socket.query_params
    model = requested_model(socket, principal, core.config.tiers)
    default: DialectName = "stepfun" if uses_step_plan(socket) else default_dialect(model.name)
    dialect = detect(
        query.get("dialect"),
        socket.headers.get("openai-beta"),
        socket.scope["subprotocols"],
        principal.dialect or default,
        OPENAI_VOICES["openai"] if principal.patch is None else None,
    )
    options = session_options(core, model, principal, query, dialect.name)
    return await begin_conversation(
        core, model, principal, options, Translator(dialect), resumable=query.get("resumable") == "1"
    )
