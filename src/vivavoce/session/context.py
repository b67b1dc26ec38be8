"""Items → messages for the language model, within its budget.

The head of the prompt (system prompt, oldest items) never changes from turn to turn, so the model's cache of it stays
good. When the budget is exceeded the oldest items are left out in one larger step, so that the next turns append again.
A single message that would take most of the budget is told without its middle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeAlias

from vivavoce.pending_request import takes_back
from vivavoce.protocol.items import Item, ServerCall
from vivavoce.session.default_prompt import system_prompt
from vivavoce.session.server_calls import calls_as_messages
from vivavoce.sound import MessageAudio
from vivavoce.text.instruction_rules import names_language
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.scripts import joined, written_language
from vivavoce.text.token_estimates import TURN_TOKENS, cut_to, estimate_text, estimate_tokens
from vivavoce.types import Language, Message, ToolCall

NOTHING_HEARD: Mapping[str, Language] = {}
NOTHING_CONTINUED: Mapping[str, str] = {}

AudioOf: TypeAlias = Callable[[Item], MessageAudio | None]
"""How an item sounds, for a model that hears; ``None``: it is to be read."""

REMEMBERED = 1024
"""Transcripts: a prompt tells all of them again with every turn."""

AsTyped: TypeAlias = Callable[[str, Language | None], str]
"""``inverse_normalized``, or something that remembers what came of it."""

DECLINED = "The person did not allow this. Say in one short sentence that it was not done."
"""What the language model is told of a call the client did not approve."""

REFILL = 0.5
"""After leaving items out, the history fills this share of its room."""

MAX_HISTORY_SHARE = 0.6
"""Of the room for the history, for one message: what it answers, or what is said to it, must fit beside it."""

MIN_MESSAGE_TOKENS = 64
"""Tokens of a message that are always told."""


class Context:
    """Builds prompts; remembers how far back they reach."""

    def __init__(self, budget_tokens: int, head_of: Callable[[str], str] = system_prompt) -> None:
        """``head_of`` makes the system message of instructions."""
        self._budget = budget_tokens
        self._head_of = head_of
        self._first = 0
        self._as_typed: AsTyped = lru_cache(REMEMBERED)(inverse_normalized)

    def messages(
        self,
        instructions: str,
        items: Iterable[Item],
        languages: Mapping[str, Language] = NOTHING_HEARD,
        *,
        head_tokens: int | None = None,
        reserved_tokens: int = 0,
        transient_tokens: int = 0,
        continued: Mapping[str, str] = NOTHING_CONTINUED,
        audio_of: AudioOf | None = None,
    ) -> tuple[Message, ...]:
        """The prompt for the conversation as it stands; ``languages`` tells by item id in what language it was spoken.

        Answers are in the user's language, unless a client's instructions speak of languages and may ask for another one.
        ``reserved_tokens`` of the budget stay free, and ``transient_tokens`` more for this prompt only. ``head_tokens``:
        what the system prompt takes, where that is known. ``continued`` are the user's items that are one turn with another of
        theirs (by id, that one's id), if nothing was said between. ``audio_of`` tells how items sound, if the model hears.
        """
        system = Message("system", self._head_of(instructions))
        follow = not names_language(instructions)
        history = _history(items, languages, self._as_typed, continued, audio_of, follow=follow)
        room = self._budget - reserved_tokens - (estimate_tokens(system) if head_tokens is None else head_tokens)
        most = max(int(room * MAX_HISTORY_SHARE), MIN_MESSAGE_TOKENS)
        history = [_cut(message, most) for message in history]
        costs = [estimate_tokens(message) for message in history]
        self._first = _first_kept(history, costs, min(self._first, len(history)), room)
        first = _first_kept(history, costs, self._first, room - transient_tokens)
        return (system, *_merged_calls(history[first:]))


def _history(
    items: Iterable[Item],
    languages: Mapping[str, Language],
    as_typed: AsTyped,
    continued: Mapping[str, str],
    audio_of: AudioOf | None,
    *,
    follow: bool,
) -> list[Message]:
    """All that was said and done, message by message. A turn whose answer was interrupted while silence was filled is one with
    the next, unless that takes it back: "Where is order 47112?" – "One moment." – "No, 47132."
    """
    requests: dict[str, Item] = {}
    history: list[Message] = []
    newest_id: str | None = None
    interrupted = False
    for item in items:
        if item.type == "mcp_approval_request":
            requests[item.id] = item
        if item.calls_before:
            newest_id = None
        history += calls_as_messages(item.calls_before)
        if item.type == "mcp_approval_response" and item.approve is False:
            history += declined(requests.get(str(item.approval_request_id)))
        elif (message := message_of(item, languages.get(item.id), as_typed, audio_of, follow=follow)) is not None:
            if newest_id is not None and continued.get(item.id) == newest_id:
                message = _continued(history.pop(), message, _unended)
            elif newest_id is not None and interrupted and message.role == history[-1].role == "user":
                message = message if takes_back(message.content) else _continued(history.pop(), message)
            history.append(message)
            newest_id, interrupted = item.id, False
        elif item.fillers:
            interrupted = True
    return history


def _continued(before: Message, message: Message, as_begun: Callable[[str], str] = str) -> Message:
    """A turn that the user went on with, whose first words are told ``as_begun``; it is heard only if all of it can be."""
    audio = None
    if before.audio is not None and message.audio is not None:
        texts = (before.audio.text, message.audio.text)
        audio = replace(
            message.audio, clips=before.audio.clips + message.audio.clips, text=" ".join(filter(None, texts))
        )
    return replace(message, content=joined(as_begun(before.content), message.content), audio=audio)


def _unended(words: str) -> str:
    """Words the user went on from, without the full stop the recogniser took their pause for."""
    return words.rstrip().rstrip(".。．…")


def message_of(
    item: Item,
    language: Language | None = None,
    as_typed: AsTyped = inverse_normalized,
    audio_of: AudioOf | None = None,
    *,
    follow: bool = False,
) -> Message | None:
    """An item as a message; ``None`` if it says nothing (an utterance without words, an unheard reply, half a call).

    With ``audio_of`` an utterance is heard, whether or not there are words of it.

    With ``follow`` a user's message is to be answered in its own language: the one heard, else the one its script
    gives away. Spoken numbers and codes of the user's are told as they are typed.
    """
    if item.type == "function_call" and item.status != "completed":
        return None
    if item.type == "function_call":
        return Message("assistant", "", tool_calls=(ToolCall(str(item.call_id), str(item.name), str(item.arguments)),))
    if item.type == "function_call_output":
        return Message("tool", str(item.output), tool_call_id=str(item.call_id))
    words = _said(item, language, as_typed) if item.role == "user" else item.answer
    audio = audio_of(item) if audio_of is not None else None
    if not (words or audio is not None) or not isinstance(item.role, str):
        return None
    if not follow or item.role != "user":
        return Message(item.role, words, audio=audio)
    return Message(item.role, words, reply_language=language or written_language(words), audio=audio)


def _said(item: Item, language: Language | None, as_typed: AsTyped) -> str:
    """What a user's item says: speech as it is typed, text as it is."""
    parts = (as_typed(part.words, language) if part.type == "input_audio" else part.words for part in item.parts)
    return " ".join(filter(None, parts))


def declined(request: Item | None) -> list[Message]:
    """A call the client did not allow, by the item that asked for it."""
    if request is None:
        return []
    call = ServerCall(id=request.id, name=str(request.name), arguments=str(request.arguments), output=DECLINED)
    return calls_as_messages((call,))


def _cut(message: Message, most_tokens: int) -> Message:
    """``message`` in at most about ``most_tokens``: read instead of heard; without its middle; arguments of calls cannot be cut
    and are left out."""
    if estimate_tokens(message) <= most_tokens:
        return message
    if message.audio is not None and message.content:
        return _cut(replace(message, audio=None), most_tokens)
    calls, left = [], most_tokens - TURN_TOKENS
    for call in message.tool_calls:
        cost = estimate_text(call.name + call.arguments)
        calls.append(call if cost <= left else replace(call, arguments="{}"))
        left -= estimate_text(call.name + calls[-1].arguments)
    return replace(message, content=cut_to(message.content, max(left, 0)), tool_calls=tuple(calls))


def _first_kept(history: Sequence[Message], costs: Sequence[int], first: int, room: int) -> int:
    """From which message on the history is told; what the user said last is told with all that followed, if it fits."""
    if sum(costs[first:]) <= room:
        return first
    start = _start_within(costs, room * REFILL)
    while start < len(history) - 1 and history[start].role == "tool":
        start += 1  # its call is left out
    newest_user = max((at for at, message in enumerate(history) if message.role == "user"), default=start)
    return newest_user if newest_user < start and sum(costs[newest_user:]) <= room else start


def _start_within(costs: Sequence[int], budget: float) -> int:
    """The first message kept, so that the newest ones fit ``budget``; the newest is always kept."""
    total = 0.0
    for index in range(len(costs) - 1, -1, -1):
        total += costs[index]
        if total > budget:
            return min(index + 1, len(costs) - 1)
    return 0


def _merged_calls(history: Sequence[Message]) -> list[Message]:
    """Calls of one turn belong to one assistant message, beside what was said before them."""
    merged: list[Message] = []
    for message in history:
        last = merged[-1] if merged else None
        if message.tool_calls and last is not None and last.role == "assistant":
            merged[-1] = Message("assistant", last.content, (*last.tool_calls, *message.tool_calls))
        else:
            merged.append(message)
    return merged
