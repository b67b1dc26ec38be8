"""Items → messages for the language model, within its budget.

The head of the prompt (system prompt, oldest items) never changes from turn to turn, so the model's cache of it stays
good. When the budget is exceeded the oldest items are left out in one larger step, so that the next turns append again.
A single message that would take most of the budget is told without its middle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from vivavoce.protocol.items import Item, ServerCall
from vivavoce.scripts import written_language
from vivavoce.session.persona import system_prompt
from vivavoce.session.server_calls import calls_as_messages
from vivavoce.token_estimates import TURN_TOKENS, cut_to, estimate_text, estimate_tokens
from vivavoce.types import Language, Message, ToolCall

NOTHING_HEARD: Mapping[str, Language] = {}

DECLINED = "The person did not allow this. Say in one short sentence that it was not done."
"""What the language model is told of a call the client did not approve."""

REFILL = 0.5
"""After leaving items out, the history fills this share of its room."""

MOST_OF_HISTORY = 0.6
"""Of the room for the history, for one message: what it answers, or what is said to it, must fit beside it."""

LEAST_MESSAGE = 64
"""Tokens of a message that are always told."""


class Context:
    """Builds prompts; remembers how far back they reach."""

    def __init__(self, budget_tokens: int) -> None:
        self._budget = budget_tokens
        self._first = 0

    def messages(
        self,
        instructions: str,
        items: Iterable[Item],
        languages: Mapping[str, Language] = NOTHING_HEARD,
        *,
        head_tokens: int | None = None,
        spare: int = 0,
        once: int = 0,
    ) -> tuple[Message, ...]:
        """The prompt for the conversation as it stands; ``languages`` tells by item id in what language it was spoken.

        The default persona answers in the user's language; a client's instructions may ask for another one. ``spare``
        tokens of the budget stay free, and ``once`` more of them for this prompt only. ``head_tokens``: what the system
        prompt takes, where that is known.
        """
        system = Message("system", system_prompt(instructions))
        history = _history(items, languages, follow=not instructions.strip())
        room = self._budget - spare - (estimate_tokens(system) if head_tokens is None else head_tokens)
        most = max(int(room * MOST_OF_HISTORY), LEAST_MESSAGE)
        history = [_cut(message, most) for message in history]
        costs = [estimate_tokens(message) for message in history]
        self._first = _first_kept(history, costs, min(self._first, len(history)), room)
        first = _first_kept(history, costs, self._first, room - once)
        return (system, *_merged_calls(history[first:]))


def _history(items: Iterable[Item], languages: Mapping[str, Language], *, follow: bool) -> list[Message]:
    """All that was said and done, message by message."""
    requests: dict[str, Item] = {}
    history: list[Message] = []
    for item in items:
        if item.type == "mcp_approval_request":
            requests[item.id] = item
        history += calls_as_messages(item.calls_before)
        if item.type == "mcp_approval_response" and item.approve is False:
            history += _declined(requests.get(str(item.approval_request_id)))
        elif (message := message_of(item, languages.get(item.id), follow=follow)) is not None:
            history.append(message)
    return history


def message_of(item: Item, language: Language | None = None, *, follow: bool = False) -> Message | None:
    """An item as a message; ``None`` if it says nothing (an utterance without words, an unheard reply, half a call).

    With ``follow`` a user's message is to be answered in its own language: the one heard, else the one its script
    gives away.
    """
    if item.type == "function_call" and item.status != "completed":
        return None
    if item.type == "function_call":
        return Message("assistant", "", tool_calls=(ToolCall(str(item.call_id), str(item.name), str(item.arguments)),))
    if item.type == "function_call_output":
        return Message("tool", str(item.output), tool_call_id=str(item.call_id))
    words = " ".join(part.words for part in item.parts if part.type != "thinking" and part.words)
    if not words or not isinstance(item.role, str):
        return None
    if not follow or item.role != "user":
        return Message(item.role, words)
    return Message(item.role, words, reply_language=language or written_language(words))


def _declined(request: Item | None) -> list[Message]:
    """A call the client did not allow."""
    if request is None:
        return []
    call = ServerCall(id=request.id, name=str(request.name), arguments=str(request.arguments), output=DECLINED)
    return calls_as_messages((call,))


def _cut(message: Message, most_tokens: int) -> Message:
    """``message`` in at most about ``most_tokens``: without its middle; arguments of calls cannot be cut and are left out."""
    if estimate_tokens(message) <= most_tokens:
        return message
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
    kept = _start_within(costs, room * REFILL)
    while kept < len(history) - 1 and history[kept].role == "tool":
        kept += 1  # its call is left out
    asked = max((at for at, message in enumerate(history) if message.role == "user"), default=kept)
    return asked if asked < kept and sum(costs[asked:]) <= room else kept


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
