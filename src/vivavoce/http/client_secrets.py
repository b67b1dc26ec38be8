"""``/v1/realtime/client_secrets`` (OpenAI GA), ``…/sessions`` and ``…/transcription_sessions`` (OpenAI beta).

All three make an ephemeral client secret for a described session (OpenAI differences, sections 9.6 and 11). What a session
may say is checked as if it came in a ``session.update``, so that a bad field is reported here, with the same ``param``, and
not to the client that uses the secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import Meta

from vivavoce.engines.audio_chat import answers_unread
from vivavoce.errors import ClientError
from vivavoce.http.auth import Caller
from vivavoce.http.core import Core
from vivavoce.http.errors import ReportingRoute
from vivavoce.http.lifecycle import core_of
from vivavoce.http.principals import IssuedSecret, Principal
from vivavoce.http.session_defaults import starting_config
from vivavoce.ids import random_id
from vivavoce.protocol.client_events import SessionUpdate
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName, Json, decode_object
from vivavoce.protocol.json_fields import checked
from vivavoce.protocol.json_text import parse_object
from vivavoce.protocol.server_events import SessionCreated
from vivavoce.protocol.session_config import Frozen, SessionConfig
from vivavoce.protocol.tools import store_param
from vivavoce.runtime.instruction_lengths import measure_instructions
from vivavoce.session.options import REPLY_TOKENS
from vivavoce.session.prompt_budget import PromptBudget
from vivavoce.tiers import Model, model_of

router = APIRouter(route_class=ReportingRoute, tags=["realtime"])


SESSION_LIMIT = "max_session_duration_seconds"
FROZEN = "frozen"


class SecretLifetime(msgspec.Struct, frozen=True):
    """When a secret ends: ``seconds`` after it was made."""

    anchor: Literal["created_at"] = "created_at"
    seconds: Annotated[int, Meta(ge=10, le=7200)] = 600


@router.post("/v1/realtime/client_secrets")
async def create_client_secret(request: Request, caller: Caller) -> Response:
    """A secret for a GA session of either type: ``{value, expires_at, session}``."""
    body = await _read_object(request)
    secret_session = _SecretSession(
        caller, "openai", "session.update", {"type": "realtime", **_part(body, "session")}, "session."
    )
    core = core_of(request)
    limit = _session_limit(core, body) or _session_limit(core, _part(body, "session"), "session.")
    frozen = _frozen(body)
    issued, session = await secret_session.issue(core, _lifetime_s(body, "expires_after"), limit, frozen)
    return _answer({"value": issued.value, "expires_at": issued.expires_at, "session": session, **limit, **frozen})


@router.delete("/v1/realtime/client_secrets/{id}")
async def delete_client_secret(request: Request, caller: Caller, id: str) -> Response:
    """End a secret, by the ``id`` of the session it was made with: it opens no more. What is open stays open."""
    core = core_of(request)
    core.client_secrets.revoke(caller.owner, id)
    return _answer({"id": id, "object": "realtime.client_secret.deleted", "deleted": True})


@router.post("/v1/realtime/sessions")
async def create_session(request: Request, caller: Caller) -> Response:
    """A beta session from its fields: the session, and its secret in ``client_secret {value, expires_at}``."""
    return await _create_beta(request, caller, "session.update", "expires_after")


@router.post("/v1/realtime/transcription_sessions")
async def create_transcription_session(request: Request, caller: Caller) -> Response:
    """A beta transcription session, likewise. Its lifetime is called ``client_secret.expires_at``."""
    return await _create_beta(request, caller, "transcription_session.update", "expires_at")


async def _create_beta(request: Request, caller: Principal, event: str, lifetime: str) -> Response:
    body = await _read_object(request)
    described = {key: value for key, value in body.items() if key not in ("client_secret", FROZEN)}
    lifetime_s = _lifetime_s(_part(body, "client_secret"), lifetime, within="client_secret.")
    core = core_of(request)
    limit = _session_limit(core, body)
    secret_session = _SecretSession(caller, "openai_beta", event, described, "")
    frozen = _frozen(body)
    issued, session = await secret_session.issue(core, lifetime_s, limit, frozen)
    secret = {"value": issued.value, "expires_at": issued.expires_at}
    return _answer({**session, "client_secret": secret, **limit, **frozen})


_VOICE_FIELD: Mapping[DialectName, str] = {"openai": "audio.output.voice", "openai_beta": "voice"}


@dataclass(frozen=True, slots=True)
class _SecretSession:
    """The session a secret is asked for. ``event`` is the one that would say the same, ``path`` where the fields are."""

    caller: Principal
    dialect: DialectName
    event: str
    session: Json
    path: str

    async def issue(
        self, core: Core, lifetime_s: int, limit: Mapping[str, int], frozen: Mapping[str, list[Frozen]]
    ) -> tuple[IssuedSecret, Json]:
        """The secret, and the session it starts. Raises ``ClientError`` with ``param`` as the caller spelt it.

        ``limit`` is what ``_session_limit`` has read, ``frozen`` what ``_frozen`` has.
        """
        try:
            config, principal = await self._read(core)
        except ClientError as error:
            if error.param is not None:
                error.param = self.path + error.param.removeprefix("session").removeprefix(".")
            raise
        created = SessionCreated(session_id=random_id("sess"), session=config)
        session: Json = DIALECTS[self.dialect].to_client(created)[0]["session"]
        principal = replace(principal, session_s=limit.get(SESSION_LIMIT), frozen=frozenset(frozen.get(FROZEN, ())))
        size = len(msgspec.json.encode(self.session))
        return core.client_secrets.issue(principal, lifetime_s, id=created.session_id, size=size), session

    async def _read(self, core: Core) -> tuple[SessionConfig, Principal]:
        described, config = dict(self.session), core.config
        name = described.pop("model", None)
        if name is not None and not isinstance(name, str):
            raise ClientError("'model' must be a string.", param="model")
        update = decode_object({"type": self.event, "session": described}, DIALECTS[self.dialect])
        assert isinstance(update, SessionUpdate)
        transcribes = update.session.kind == "transcription"
        model = model_of(
            name or config.tiers.default, config.tiers.aliases, config.tiers.default, transcription=transcribes
        )
        session = starting_config(config, model, update.session, self.dialect)
        try:
            await core.voices.resolve(self.caller.owner, session.voice, model.tier, self.caller.scopes)
        except ClientError as error:
            error.param = _VOICE_FIELD[self.dialect]
            raise
        await core.tools.require_usable(
            self.caller.owner,
            session.tools,
            lambda index: store_param(described["tools"], index, "tools"),
            self.caller.scopes,
        )
        if not transcribes:
            await _require_room(core, model, session)
        return session, Principal(self.caller.owner, name or None, update.session, self.dialect, self.caller.key)


async def _require_room(core: Core, model: Model, session: SessionConfig) -> None:
    """Raises ``ClientError`` for instructions that the model has no room for."""
    name = core.engines.language_model_name(model.tier)
    engine, lengths = core.engines.language_models[name], core.lengths[name]
    await measure_instructions(session.instructions, engine, lengths)
    budget = PromptBudget(
        engine.context_tokens,
        REPLY_TOKENS,
        core.tools.has_server_tools,
        lengths,
        core.config.persona.name,
        told_origin=answers_unread(engine),
    )
    budget.require_room(session, "session.instructions")


async def _read_object(request: Request) -> Json:
    """The body as a JSON object; none at all means an empty one. Raises ``ClientError``."""
    return parse_object(await request.body() or b"{}", "body")


def _part(body: Json, name: str) -> Json:
    """A field that is an object, ``null`` or missing. Raises ``ClientError``."""
    part = body.get(name)
    if part is not None and not isinstance(part, dict):
        raise ClientError(f"'{name}' must be an object.", param=name)
    return part or {}


def _lifetime_s(body: Json, name: str, *, within: str = "") -> int:
    try:
        return msgspec.convert(body.get(name) or {}, SecretLifetime).seconds
    except msgspec.ValidationError as error:
        message, _, at = str(error).partition(" - at `$")
        raise ClientError(f"'{name}': {message}", param=within + name + at.rstrip("`")) from error


def _session_limit(core: Core, body: Json, within: str = "") -> dict[str, int]:
    """How many seconds a session begun with the secret will last at most: ``{}`` or the one field. Raises ``ClientError``.

    Ours (asked of OpenAI in openai-agents-js#1278): whoever gives a secret away decides how much its holder can cost.
    """
    value = body.get(SESSION_LIMIT)
    if value is None:
        return {}
    seconds: int = checked(value, Annotated[int, Meta(ge=1)], within + SESSION_LIMIT)
    return {SESSION_LIMIT: min(seconds, int(core.config.limits.session_minutes * 60))}


def _frozen(body: Json) -> dict[str, list[Frozen]]:
    """What the holder of the secret cannot change: ``{}`` or the one field, ours. Raises ``ClientError``."""
    value = body.get(FROZEN)
    if value is None:
        return {}
    fields: list[Frozen] = checked(value, list[Frozen], FROZEN)
    return {FROZEN: sorted(set(fields))}


def _answer(body: Json) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json", headers={"Cache-Control": "no-store"})
