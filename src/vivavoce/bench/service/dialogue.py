"""Plays a script against a server, by text or by voice, with the replies the script has to questions of the assistant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vivavoce.bench.answer_checks import asks
from vivavoce.bench.exchanges import Conversation, Exchange
from vivavoce.bench.service.scripts import ServiceScript, ServiceTurn
from vivavoce.bench.turn import Target
from vivavoce.client.errors import ConnectError
from vivavoce.types import Language, Samples

CONFIRMATIONS = 2
"""How often the script says "yes" before it gives up."""

Speak = Callable[[str, Language], Awaitable[Samples]]
"""Words to samples at 24 kHz."""


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """A turn and what came of it: an exchange, and one more for each reply of the script. ``failure``: why there is no more."""

    turn: ServiceTurn
    exchanges: tuple[Exchange, ...]
    failure: str = ""


async def play(
    target: Target, script: ServiceScript, store: str, speak: Speak | None, on_turn: Callable[[PlayedTurn], object]
) -> list[PlayedTurn]:
    """All turns in one conversation, by text unless there is ``speak``. A turn that fails is kept with its failure.

    Raises ``ConnectError`` when the conversation cannot be opened.
    """
    played: list[PlayedTurn] = []
    async with target.connect() as client:
        await client.update_session(
            session_of(script, store, spoken=speak is not None, voice=target.voice), timeout_s=120.0
        )
        conversation = Conversation(client, _functions(script), timeout_s=target.timeout_s)
        for turn in script.turns:
            played.append(await _turn(conversation, turn, speak))
            on_turn(played[-1])
            if played[-1].failure:
                break
    return played + [PlayedTurn(turn, (), "not reached") for turn in script.turns[len(played) :]]


def session_of(script: ServiceScript, store: str, *, spoken: bool, voice: str | None) -> dict[str, Any]:
    """The settings of a session: instructions, documents, functions."""
    retrieval = {
        "type": "retrieval",
        "function": {"description": script.about_documents, "options": {"vector_store_id": store}},
    }
    session: dict[str, Any] = {
        "instructions": script.instructions,
        "tools": [retrieval, *(function.declared() for function in script.functions)],
        "modalities": ["text", "audio"] if spoken else ["text"],
        "turn_detection": {"type": "server_vad"} if spoken else None,
    }
    return session | ({"voice": voice} if voice else {})


def _functions(script: ServiceScript) -> Callable[[str, Mapping[str, Any]], Mapping[str, Any]]:
    def respond(name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        function = script.function(name)
        return function.result(arguments) if function else {"error": "unknown function"}

    return respond


async def _turn(conversation: Conversation, turn: ServiceTurn, speak: Speak | None) -> PlayedTurn:
    exchanges: list[Exchange] = []
    words = turn.say
    replies = CONFIRMATIONS if turn.call else 1
    try:
        while True:
            said = (
                conversation.write(words)
                if speak is None
                else conversation.speak(words, await speak(words, turn.language))
            )
            exchanges.append(await said)
            last = exchanges[-1]
            if last.calls or not turn.reply or len(exchanges) > replies or not asks(last.answer):
                return PlayedTurn(turn, tuple(exchanges))
            words = turn.reply
    except ConnectError as error:
        return PlayedTurn(turn, tuple(exchanges), str(error))
