"""How a reply begins where a small model cannot be trusted to begin it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vivavoce.conduct.comfort import begun_comfort, tells_of_hurt
from vivavoce.conduct.identity import (
    asks_how_it_is,
    asks_name,
    asks_what_it_is,
    begun_name,
    begun_truth,
    begun_well,
)
from vivavoce.conduct.manner import Manner
from vivavoce.conduct.memory import recalled
from vivavoce.conduct.origin import asks_origin, origin_note, origin_truth
from vivavoce.pending_request import sentences_of
from vivavoce.perception.notes import BEGUN
from vivavoce.tools.queries import user_texts
from vivavoce.types import GenerationOptions, Language, Message


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a reply begins, and what the model is told beside that. ``settled``: it is the answer, whatever tools there are;
    else, where there are any, only one about the user's person (``personal``) is."""

    begun: str = ""
    note: str = ""
    settled: bool = False
    personal: bool = True


def beginning_of(
    messages: Sequence[Message], options: GenerationOptions, language: Language, manner: Manner
) -> Beginning:
    """How a reply to the user's last words begins where a small model cannot be trusted to begin it: what it is, who it is,
    what it knows of them, and a word of comfort before advice."""
    said = user_texts(messages)
    if not said or not has_last_word(messages) or options.schema is not None:
        return Beginning()
    if options.thinking is not None:  # its thoughts come first
        return Beginning(note=note_of_origin(messages, language))
    last, instructions = (
        (sentences_of(said[-1]) or [""])[-1],
        messages[0].content if messages[0].role == "system" else "",
    )
    opened = manner.rules.opened
    if asks_origin(last):
        return Beginning(opened(origin_truth(instructions, language)), settled=True)
    if note := note_of_origin(messages, language):
        return Beginning(note=note)
    if asks_what_it_is(last) or asks_what_it_is(said[-1]):
        begun = begun_truth(instructions, language)
        return Beginning(opened(begun), settled=bool(begun))
    if asks_name(last):
        begun = begun_name(instructions, language)
        return Beginning(opened(begun), settled=bool(begun))
    if asks_how_it_is(last):
        begun = begun_well(language)
        return Beginning(opened(begun), settled=bool(begun))
    if (recall := recalled(messages, language)) is not None:
        return Beginning(opened(recall.begun), recall.note, recall.settled, recall.personal)
    if tells_of_hurt(said[-1]) and "question" not in manner.rules.restated:
        begun = begun_comfort(language)
        return Beginning(opened(begun))
    if begun := begun_by_note(messages):
        return Beginning(opened(begun), personal=False)
    return Beginning()


def begun_by_note(messages: Sequence[Message]) -> str:
    """How the answer to somebody who sounds so begins; that is said once."""
    begun = BEGUN.get(messages[-1].content, "") if messages[-1].hint else ""
    said_before = any(begun in message.content for message in messages if message.role == "assistant")
    return "" if said_before else begun


def note_of_origin(messages: Sequence[Message], language: Language) -> str:
    """What a model that begins its answers itself is told where it is asked who made it; nothing, where it is not."""
    said = user_texts(messages)
    if not said or not has_last_word(messages) or is_overridden(messages) or not asks_origin(said[-1]):
        return ""
    return origin_note(messages[0].content if messages[0].role == "system" else "", language)


def is_overridden(messages: Sequence[Message]) -> bool:
    """Whether something behind the user's words says what to do: a response's instructions, or a chat's ``system`` message."""
    behind = messages[max((at for at, one in enumerate(messages) if one.role != "system"), default=0) + 1 :]
    return any(not message.hint for message in behind)


def has_last_word(messages: Sequence[Message]) -> bool:
    """Whether the user has the last word: else a result is to be told, or instructions say what to do."""
    return next((message.role for message in reversed(messages) if message.role != "system"), None) == "user"
