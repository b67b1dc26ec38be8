"""What a client's event names and the session cannot know, since it cannot wait: looked up before it is told of the event."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from vivavoce.engines.base import LanguageModel
from vivavoce.errors import ClientError, StoreError, VivavoceError
from vivavoce.protocol.client_events import AnyClientEvent, ResponseCreate, SessionUpdate
from vivavoce.protocol.session_config import SessionPatch
from vivavoce.protocol.tool_config import DeclaredTool
from vivavoce.protocol.tools import store_param
from vivavoce.runtime.instruction_lengths import measure_instructions
from vivavoce.session.session import Session
from vivavoce.tools.session_tools import SessionTools

log = logging.getLogger(__name__)


class Lookups:
    """The voices and vector stores of one session's owner, and how long instructions are to its language ``model``.

    ``resolve_voice`` raises ``ClientError`` for a voice the owner may not use, and readies one that they may.
    """

    def __init__(
        self,
        session: Session,
        resolve_voice: Callable[[str], Awaitable[str]],
        tools: SessionTools,
        model: LanguageModel,
    ) -> None:
        self._session_id = session.id
        self._voices = session.options.voices
        self._lengths = session.options.lengths
        self._resolve_voice = resolve_voice
        self._tools = tools
        self._model = model

    async def refusal(self, event: AnyClientEvent, frame: str | bytes) -> ClientError | None:
        """Why ``event``, which came as ``frame``, cannot be taken, if it declares a tool that its key does not open, or one for
        documents that are not there.

        A voice that cannot be used is told to the session's ``KnownVoices``, and the session refuses it in its turn.
        """
        match event:
            case SessionUpdate(session=patch):
                section = "session"
            case ResponseCreate(response=patch):
                section = "response"
            case _:
                return None
        await self._check_voice(patch)
        await measure_instructions(patch.instructions, self._model, self._lengths)
        if not isinstance(patch.tools, tuple):
            return None
        try:
            await self._check_stores(patch.tools, section, frame)
        except (ClientError, StoreError) as error:
            refusal = error.client_error() if isinstance(error, StoreError) else error
            refusal.event_id = event.event_id
            return refusal
        return None

    async def _check_stores(self, tools: tuple[DeclaredTool, ...], section: str, frame: str | bytes) -> None:
        """Raises ``ClientError`` whose ``param`` is where the client wrote the store's id."""

        def param_of(index: int) -> str:
            document: Any = msgspec.json.decode(frame)
            return store_param(document[section]["tools"], index, f"{section}.tools")

        await self._tools.require_usable(tools, param_of)

    async def _check_voice(self, patch: SessionPatch) -> None:
        voice = patch.voice
        if not isinstance(voice, str) or self._voices.is_everybodys(voice):
            return
        try:
            await self._resolve_voice(voice)
        except ClientError as error:
            self._voices.refuse(voice, error)
        except VivavoceError as error:
            log.warning("session %s: voice %r: %s", self._session_id, voice, error)
            failure = ClientError("The voice cannot be loaded.", code="voice_failed", type="server_error")
            self._voices.refuse(voice, failure)
        else:
            self._voices.allow(voice)
