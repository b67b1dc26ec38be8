"""Plays a persona's conversation by text, connecting anew where the script says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from vivavoce.bench.answer_checks import asks
from vivavoce.bench.exchanges import Conversation, Exchange
from vivavoce.bench.persona.scripts import PersonaScript, PersonaTurn
from vivavoce.bench.turn import Target
from vivavoce.client.connection import RealtimeClient
from vivavoce.client.errors import ConnectError
from vivavoce.types import Language

GO_ON: Mapping[Language, str] = {"en": "Yes, go on.", "zh": "好，接着讲。"}
PARTS = 4
"""In how many parts at most a text of a length may be told."""


@dataclass(frozen=True, slots=True)
class PlayedPersonaTurn:
    """A turn and what came of it; a text told in parts is several exchanges."""

    turn: PersonaTurn
    exchanges: tuple[Exchange, ...]
    failure: str = ""

    @property
    def answer(self) -> str:
        """Everything the assistant said."""
        return "\n".join(exchange.answer for exchange in self.exchanges)


async def play(
    target: Target, script: PersonaScript, on_turn: Callable[[PlayedPersonaTurn], object]
) -> list[PlayedPersonaTurn]:
    """All turns in one conversation. A turn that fails ends it and is kept with its failure.

    Raises ``ConnectError`` when the conversation cannot be opened.
    """
    played: list[PlayedPersonaTurn] = []
    async with AsyncExitStack() as stack:
        conversation = await _open(stack, target, script, ())
        for turn in script.turns:
            if turn.number == script.reconnect:
                await stack.aclose()
                conversation = await _open(stack, target, script, played)
            played.append(await _turn(conversation, turn))
            on_turn(played[-1])
            if played[-1].failure:
                break
    return played + [PlayedPersonaTurn(turn, (), "not reached") for turn in script.turns[len(played) :]]


async def _open(
    stack: AsyncExitStack, target: Target, script: PersonaScript, played: Sequence[PlayedPersonaTurn]
) -> Conversation:
    client = await stack.enter_async_context(target.connect())
    await client.update_session({"instructions": script.instructions, "modalities": ["text"], "turn_detection": None})
    for exchange in (exchange for one in played for exchange in one.exchanges):
        await _replay(client, "user", "input_text", exchange.said)
        await _replay(client, "assistant", "text", exchange.answer)
    return Conversation(client, _no_function, timeout_s=target.timeout_s)


async def _replay(client: RealtimeClient, role: str, kind: str, text: str) -> None:
    content = [{"type": kind, "text": text}]
    await client.send("conversation.item.create", item={"type": "message", "role": role, "content": content})


def _no_function(_name: str, _arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"error": "unknown function"}


async def _turn(conversation: Conversation, turn: PersonaTurn) -> PlayedPersonaTurn:
    exchanges: list[Exchange] = []
    try:
        exchanges.append(await conversation.write(turn.say))
        while turn.length and len(exchanges) < PARTS and asks(exchanges[-1].answer[-80:]):
            exchanges.append(await conversation.write(GO_ON[turn.language]))
    except ConnectError as error:
        return PlayedPersonaTurn(turn, tuple(exchanges), str(error))
    return PlayedPersonaTurn(turn, tuple(exchanges))
