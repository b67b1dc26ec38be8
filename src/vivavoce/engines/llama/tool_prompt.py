"""The prompt that decides between words and calls, and in which calls are written. Pure.

Every answer in it begins with one word: the name of a function, or ``talk``. So the model decides with its first token, and
how likely it thought the other way is known before anything is said (``tool_classifier.py``). Examples of such answers teach a
small model more than rules; but they would be retold as if they had been said ("What did I ask you before?"). So nothing is
ever *answered* from this prompt: words are written from one of their own, without it (``answer_prompt.py``).

The head (instructions, functions, examples) depends on nothing but the instructions and the tools, so it stays in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vivavoce.pending_request import answered_until
from vivavoce.signatures import signature
from vivavoce.text.token_estimates import cut_to, estimate_tokens
from vivavoce.types import GenerationOptions, Message, ToolCall

TALK = "talk"
"""What an answer in words begins with."""

_OPENING = "# Functions"
_OPENING_BEHIND = "# More functions"
_OTHERWISE = (
    f"{TALK} - Everything else: greetings, feelings, opinions, stories, jokes, general knowledge, what the person tells "
    "about their life."
)
_RULES = (
    f"Begin every answer with one word: the name of the function that does what the person asks for, or {TALK}. After a "
    f"function's name come as JSON the values the person gave, and no others; after {TALK} your words. What is happening "
    f"now, news, prices and opening hours you do not know: a function finds them. What the person only tells you is {TALK}. "
    "For two things, two calls."
)

EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Hello.", f"{TALK} Hello! How can I help you?"),
    ("Open the garage door.", 'open_door {"door": "garage"}'),
    ("My aunt bought a new car.", f"{TALK} Oh, really? Tell me more."),
    ("帮我把音量调到二十", 'set_volume {"level": 20}'),
    ("Close the attic and turn it up to six.", 'close_window {"room": "attic"} set_volume {"level": 6}'),
    ("昨晚没睡好", f"{TALK} 辛苦了。"),
    ("What's a ticket to the zoo?", 'web_lookup {"words": "zoo ticket price"}'),
    ("How many legs does a spider have?", f"{TALK} It has eight of them."),
    ("公园现在开门吗？", 'get_hours {"place": "公园"}'),
    ("世界上最大的动物是什么？", f"{TALK} 我想是在海里的那种。"),
    ("It is stuffy in here.", f"{TALK} Shall I change that?"),
    ("Yes, please.", "open_window {}"),
    ("关上窗户，再把音量调到六。", 'close_window {} set_volume {"level": 6}'),
    ("I painted the door of our garden house.", f"{TALK} That sounds nice."),
)
"""What people say and how it is answered. The functions do not exist; the grammar keeps the model from calling them."""

EXAMPLE_TURNS = tuple(
    text for said, answer in EXAMPLES for text in (f"example_user\n{said}", f"example_assistant\n{answer}")
)
"""The examples as they are told: system turns, so that none is in the place of what the user or the assistant said."""

NO_NEW_REQUEST = "Nobody has said anything since. Say what comes next."
"""Stands where a turn of the user would, if there is none: else the last example would be the last thing that was said."""

HEAD_SHARE, MESSAGE_SHARE, RESULT_SHARE, REQUEST_SHARE = 0.08, 0.02, 0.02, 0.12
"""Of the context, for the instructions, a message, what a tool found, what is asked now: the gist is enough to decide."""

HISTORY_SHARE = 0.2
"""Of the context, for what has been answered; beyond that the oldest messages are left out, so many at a time."""

STEP = 6


def render_tools(options: GenerationOptions) -> str:
    """The text that follows the instructions. It does not depend on what is on offer in one reply only."""
    standing = [signature(tool) for tool in options.tools if tool.name not in options.transient]
    return "\n".join([_OPENING, *standing, _OTHERWISE, _RULES])


def render_transient_tools(options: GenerationOptions) -> str:
    """The text before what is asked: the functions of this reply only; none where there are none."""
    passing = options.transient - options.withheld
    lines = [signature(tool) for tool in options.tools if tool.name in passing]
    return "\n".join([_OPENING_BEHIND, *lines]) if lines else ""


def render_answer(words: str, calls: Sequence[ToolCall]) -> str:
    """An answer of the assistant as the model would have written it."""
    lines = [f"{TALK} {words}"] if words or not calls else []
    return "\n".join([*lines, *([" ".join(f"{call.name} {call.arguments}" for call in calls)] if calls else [])])


def abridged(messages: Sequence[Message], context_tokens: int) -> list[Message]:
    """A conversation as far as a decision needs it. The system message comes first; what is asked now is hardly cut."""
    head = [
        _cut(system_message, HEAD_SHARE * context_tokens)
        for system_message in messages[:1]
        if system_message.role == "system"
    ]
    request_at = answered_until(messages)
    body: list[Message] = []
    for at, message in enumerate(messages[len(head) :], len(head)):
        share = RESULT_SHARE if message.role == "tool" else REQUEST_SHARE if at >= request_at else MESSAGE_SHARE
        body.append(_cut(message, share * context_tokens))
    costs = [estimate_tokens(message) for message in body[: max(request_at - len(head), 0)]]
    first = 0
    while sum(costs[first:]) > HISTORY_SHARE * context_tokens:
        first = min(first + STEP, len(costs))
    while 0 < first < len(body) - 1 and body[first].role == "tool":  # its call is left out
        first += 1
    return [*head, *body[first:]]


def has_no_new_request(messages: Sequence[Message]) -> bool:
    """Whether nothing has been said since the assistant's last words."""
    return all(message.role == "assistant" for message in messages[answered_until(messages) :])


def _cut(message: Message, max_tokens: float) -> Message:
    return replace(message, content=cut_to(message.content, int(max_tokens)))
