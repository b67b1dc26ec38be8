"""What the two brains are told (``reasoning.py``), in the user's language: English, or Chinese. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.text.scripts import written_language
from vivavoce.types import Message

_THINK = {
    "en": (
        "First think, in short notes that nobody hears. Write each step on its own, with its numbers, and end with "
        "'Result:'. Do not speak to the person."
    ),
    "zh": "先思考：写简短的笔记，没有人会听到。一步一步写出数字，最后写“结果：”。不要对用户说话。",
}
_ANSWER = {
    "en": "Your notes:\n{thought}\n\nNow answer the person aloud by these notes, in one or two short sentences.",
    "zh": "你的笔记：\n{thought}\n\n现在按照笔记用一两句短话口头回答对方。",
}
_ANSWER_UNFINISHED = {
    "en": (
        "Your notes so far, which are not finished:\n{thought}\n\nTell the person these steps in one short sentence. "
        "Do not say the result yet."
    ),
    "zh": "你目前的笔记（还没写完）：\n{thought}\n\n用一句短话把这些步骤说给对方听，先不要说结果。",
}
_RESULT = {
    "en": "Your notes are finished:\n{thought}\n\nNow tell the person the result in one short sentence.",
    "zh": "你的笔记写完了：\n{thought}\n\n现在用一句短话告诉对方结果。",
}
_FIRST_WORDS = {
    "en": "Begin with one short sentence that takes the question up. Do not say the result yet.",
    "zh": "先用一句短话接住问题，先不要说结果。",
}


def to_think(messages: Sequence[Message]) -> Message:
    """The formulation's instruction, behind the conversation."""
    return Message("system", _THINK[_language(messages)])


def after_thought(thought: str, messages: Sequence[Message], *, whole: bool) -> Message:
    """The articulation's instruction: with all notes, or those there are by now."""
    return Message(
        "system", (_ANSWER if whole else _ANSWER_UNFINISHED)[_language(messages)].format(thought=thought.strip())
    )


def result_of(thought: str, messages: Sequence[Message]) -> Message:
    """The articulation's instruction behind what it said before all was thought."""
    return Message("system", _RESULT[_language(messages)].format(thought=thought.strip()))


def first_words(messages: Sequence[Message]) -> Message:
    """The articulation's instruction before there is any thought."""
    return Message("system", _FIRST_WORDS[_language(messages)])


def _language(messages: Sequence[Message]) -> str:
    """The language of what was said last by the user."""
    for message in reversed(messages):
        if message.role == "user":
            return "zh" if (message.reply_language or written_language(message.content)) == "zh" else "en"
    return "en"
