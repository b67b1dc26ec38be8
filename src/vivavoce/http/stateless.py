"""The stateless Realtime route (Realtime reference, section 12): the same session, whose memory the client keeps.

A turn goes: the user's words (audio and a commit, or an item), ``response.create`` with the history, ``response.done``,
``session.restore``, ``session.restored``. What the session holds of the turn is forgotten with the restore.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import msgspec
from fastapi import APIRouter, WebSocket

from vivavoce.errors import ClientError
from vivavoce.http.auth import principal_of
from vivavoce.http.connection import SocketConnection, converse
from vivavoce.http.lifecycle import core_of
from vivavoce.http.session_factory import begin_conversation, session_options
from vivavoce.ids import random_id
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.client_events import AnyClientEvent
from vivavoce.protocol.items import NewItem
from vivavoce.protocol.json_text import MAX_VALUES_IN_LARGE_BODY, readable
from vivavoce.protocol.stateless import Stateless
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.connections import RealtimeConnection
from vivavoce.runtime.frame_reader import LARGE_FRAME
from vivavoce.tiers import model_of

log = logging.getLogger(__name__)
router = APIRouter()

MODELS = "step-overture*"
"""The endpoint's own models; the configuration's default tier serves them."""

POLICY_VIOLATION = 1008


@dataclass(slots=True)
class StatelessTurn:
    """What a connection remembers of the turn: the user's items, and whether it has been restored since the last reply."""

    items: list[str] = field(default_factory=list)
    replying: bool = False
    restored: bool = False


class StatelessTranslator(Translator):
    """Adds the turn's items to the history each response brings."""

    def __init__(self, turn: StatelessTurn) -> None:
        super().__init__(Stateless())
        self._turn = turn

    def decode(self, frame: str | bytes) -> AnyClientEvent:
        """One client frame. Raises ``ClientError``."""
        event = super().decode(frame)
        if not isinstance(event, client.ResponseCreate) or event.response.input is msgspec.UNSET:
            return event
        references = (NewItem(type="item_reference", id=item_id) for item_id in self._turn.items)
        response = msgspec.structs.replace(event.response, input=(*event.response.input, *references))
        return msgspec.structs.replace(event, response=response)

    def encode(self, event: ev.ServerEvent) -> list[str]:
        """One event as frames."""
        match event:
            case ev.ItemCreated(item=item):
                self._turn.items.append(item.id)
            case ev.ItemDeleted(item_id=item_id):
                self._turn.items = [item for item in self._turn.items if item != item_id]
            case ev.ResponseCreated():
                self._turn.replying = True
            case ev.ResponseDone():
                self._turn.replying, self._turn.restored = False, False
        return super().encode(event)


class _Opening(msgspec.Struct):
    """What decides about a frame's way."""

    class StatelessResponse(msgspec.Struct):
        """Of a ``response.create``."""

        interrupt_current_response: bool = False

    type: str = ""
    event_id: str | None = None
    response: StatelessResponse | None = None


class StatelessConnection(SocketConnection):
    """A socket whose client restores the session itself, and interrupts by asking for something else."""

    def __init__(self, socket: WebSocket, turn: StatelessTurn) -> None:
        super().__init__(socket)
        self._turn = turn

    async def frames(self) -> AsyncIterator[str | bytes]:
        """The frames that concern the session, and those that put it back."""
        async for frame in super().frames():
            try:
                opening = await asyncio.to_thread(_opening, frame) if len(frame) >= LARGE_FRAME else _opening(frame)
            except (ClientError, msgspec.MsgspecError, UnicodeError, RecursionError):
                yield frame  # what is wrong with it is said where all frames are read
                continue
            match opening.type:
                case "response.cancel":
                    pass
                case "session.restore" if self._turn.restored:
                    await self.close(POLICY_VIOLATION, "the session has been restored already")
                    self.closed_by_client = True
                    return
                case "session.restore":
                    self._turn.restored = True
                    for item_id in tuple(self._turn.items):
                        yield _frame("conversation.item.delete", item_id=item_id)
                    await self.send(_frame("session.restored", event_id=random_id("event")))
                case _:
                    wants_the_floor = opening.response is not None and opening.response.interrupt_current_response
                    if opening.type == "response.create" and wants_the_floor and self._turn.replying:
                        yield _frame("response.cancel")
                    yield frame


def _opening(frame: str | bytes) -> _Opening:
    return msgspec.json.decode(readable(frame, "frame", max_values=MAX_VALUES_IN_LARGE_BODY), type=_Opening)


def _frame(type: str, **fields: str) -> str:
    return msgspec.json.encode({"type": type, **fields}).decode()


@router.websocket("/v1/realtime/stateless")
async def stateless(socket: WebSocket) -> None:
    """A conversation the client remembers. What cannot be served is refused before the upgrade."""
    turn = StatelessTurn()
    await converse(await _new_conversation(socket, turn), StatelessConnection(socket, turn))


async def _new_conversation(socket: WebSocket, turn: StatelessTurn) -> RealtimeConnection:
    core = core_of(socket)
    config = core.config
    principal = principal_of(socket)
    aliases = {MODELS: config.tiers.default, **config.tiers.aliases}
    model = model_of(principal.model or socket.query_params.get("model", ""), aliases, config.tiers.default)
    options = session_options(core, model, principal, socket.query_params)
    quiet = msgspec.structs.replace(options.config, turn_detection=None)
    return await begin_conversation(core, model, principal, replace(options, config=quiet), StatelessTranslator(turn))
