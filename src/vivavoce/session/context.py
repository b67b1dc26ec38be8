"""Items → messages for the language model, within its budget.

The head of the prompt (system prompt, oldest items) never changes from turn to turn, so the model's cache of it stays
good. When the budget is exceeded the oldest items are left out in one larger step, so that the next turns append again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from vivavoce.protocol.items import Item, ServerCall
from vivavoce.scripts import written_language
from vivavoce.session.persona import system_prompt
from vivavoce.session.server_calls import calls_as_messages
from vivavoce.types import Language, Message, Tool, ToolCall

NOTHING_HEARD: Mapping[str, Language] = {}

DECLINED = "The person did not allow this. Say in one short sentence that it was not done."
"""What the language model is told of a call the client did not approve."""

RULES_TOKENS = 450
"""What a language model is told so that it calls tools at the right time (``engines/llama/tool_prompt.py``)."""

REFILL = 0.5
"""After leaving items out, the history fills this share of the budget."""


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
        spare: int = 0,
    ) -> tuple[Message, ...]:
        """The prompt for the conversation as it stands; ``languages`` tells by item id in what language it was spoken.

        The default persona answers in the user's language; a client's instructions may ask for another one. ``spare``
        tokens of the budget stay free.
        """
        system = system_prompt(instructions)
        follow = not instructions.strip()
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
        budget = self._budget - spare
        costs = [estimate_tokens(message) for message in history]
        fixed = estimate_tokens(Message("system", system))
        self._first = min(self._first, len(history))
        if fixed + sum(costs[self._first :]) > budget:
            self._first = _start_within(costs, budget * REFILL - fixed)
            while self._first < len(history) - 1 and history[self._first].role == "tool":
                self._first += 1  # its call is left out
        return (Message("system", system), *_merged_calls(history[self._first :]))


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


def estimate_tokens(message: Message) -> int:
    """A safe guess at a message's tokens: a third of a token a Latin letter, one a Chinese or Japanese character."""
    text = message.content + "".join(call.name + call.arguments for call in message.tool_calls)
    wide = sum(1 for char in text if ord(char) >= 0x2E80)
    return 8 + wide + ceil((len(text) - wide) / 3)


def estimate_tools(tools: Iterable[Tool]) -> int:
    """A safe guess at what the prompt tells of ``tools``: each of them, and the rules of calling any."""
    told = [estimate_tokens(Message("system", f"{tool.name}{tool.description}{tool.parameters}")) for tool in tools]
    return sum(told) + RULES_TOKENS if told else 0


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
