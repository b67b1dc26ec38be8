"""Who answers when the client says nothing about it, and the rules every spoken reply keeps.

The system text is the start of every prompt of a conversation, so it must not change from turn to turn: the language
model keeps what it has read of it (reading it anew costs about 10 ms a token on two cores). What depends on a turn
belongs to that turn's message.
"""

from __future__ import annotations

from vivavoce.text.instruction_rules import name_in
from vivavoce.text.scripts import written_language
from vivavoce.text.speech_prompt_rules import SPEECH_PROMPT_RULES
from vivavoce.text.token_estimates import cut_to

NAME = "Vivavoce"
"""What the assistant calls itself, unless the configuration or the instructions say something else."""

CHARACTER = "You are {name}, a friendly voice assistant. Answer the person in their own language."
"""The default persona. A client's instructions take its place."""

IDENTITY = "You are {name}, a voice assistant."
WRITTEN_IDENTITY = "You are {name}."
CHINESE_IDENTITY = "你是{name}，一个由开源项目 Vivavoce 开发的语音助手。"
"""Stands before a client's instructions: without it the language model names whoever trained it when it is asked who it is.
Where they give a name ("You are Jack, a pirate.") it is that one: with two names a small model takes either. It is in the
language of the instructions: asked in Chinese, a small model forgets who it is in English. It names another maker unless it is
told one."""

_MANNER = "When they tell you something, show interest and ask back."
"""How the default persona speaks. There are no dialogues as examples: where little has been said, small models take those for
the conversation ("What did I ask you before?" - "How to make tea.")."""

_NOBODY = "Nobody has said anything yet."

MAX_REPEATED_TOKENS = 200
"""Tokens of the instructions that are repeated where nobody has said anything yet."""


def opening(instructions: str | None = None) -> str:
    """What stands in the place of a turn where nobody has said anything yet: ``instructions`` say what to do then.

    Small models do what they read last, which between instructions and reply may be what an engine tells of tools.
    """
    text = (instructions or "").strip()
    if not text:
        return f"{_NOBODY} Greet the person in one short sentence."
    return f"{_NOBODY} Begin as you are told:\n{cut_to(text, MAX_REPEATED_TOKENS)}"


def system_prompt(instructions: str | None = None, name: str = NAME, *, spoken: bool = True) -> str:
    """The system message of a conversation with the assistant ``name``: ``instructions``, or the default persona, with the
    speech rules if it is spoken.

    Depends on nothing but its arguments.
    """
    text = (instructions or "").strip()
    if text:
        name = name_in(text) or name
        english = IDENTITY if spoken else WRITTEN_IDENTITY
        identity = (CHINESE_IDENTITY if written_language(text) == "zh" else english).format(name=name)
        return f"{identity}\n{text}\n{SPEECH_PROMPT_RULES}" if spoken else f"{identity}\n{text}"
    character = CHARACTER.format(name=name)
    return f"{character} {_MANNER} {SPEECH_PROMPT_RULES}" if spoken else character
