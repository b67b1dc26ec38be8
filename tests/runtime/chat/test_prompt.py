"""Messages of a request → the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from vivavoce.errors import ClientError
from vivavoce.protocol.chat.messages import ChatMessage
from vivavoce.runtime.chat.prompt import ChatPrompt, prompt_of
from vivavoce.runtime.chat.recordings import Place
from vivavoce.session.default_prompt import CHARACTER, opening, system_prompt
from vivavoce.session.voice_perception import WORDLESS
from vivavoce.text.speech_prompt_rules import SPEECH_PROMPT_RULES
from vivavoce.types import Message, ToolCall, Transcript

MESSAGES = TypeAdapter(list[ChatMessage])
AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA"}}


def prompt(
    *messages: Mapping[str, Any], heard: Mapping[Place, Transcript] | None = None, spoken: bool = True
) -> ChatPrompt:
    answers = {"audio_1": "I am fine."}
    return prompt_of(MESSAGES.validate_python(messages), heard or {}, answers.get, spoken=spoken)


def test_without_instructions_the_default_persona_answers() -> None:
    user = {"role": "user", "content": "Hello"}
    assert prompt(user).messages == (Message("system", system_prompt()), Message("user", "Hello"))
    assert prompt(user, spoken=False).messages[0] == Message("system", CHARACTER.format(name="Vivavoce"))


def test_instructions_that_come_first_take_its_place() -> None:
    messages = (
        {"role": "system", "content": "You sell tickets."},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": "Hello"},
        {"role": "system", "content": "It is late."},
    )
    first, user, late = prompt(*messages).messages
    assert first.content == f"You are Vivavoce, a voice assistant.\nYou sell tickets.\nBe brief.\n{SPEECH_PROMPT_RULES}"
    assert late == Message("system", "It is late.")
    assert user.reply_language is None
    assert prompt(*messages, spoken=False).messages[0].content == "You are Vivavoce.\nYou sell tickets.\nBe brief."


def test_where_nobody_has_said_anything_tools_need_to_be_told_what_for() -> None:
    told = MESSAGES.validate_python([{"role": "developer", "content": "Look up order 4711."}])
    head, last = prompt_of(told, {}, lambda _: None, spoken=True, tools=True).messages
    assert head == Message("system", system_prompt("Look up order 4711."))
    assert last == Message("system", opening("Look up order 4711."))
    assert prompt_of(told, {}, lambda _: None, spoken=True).messages == (head,)


def test_what_was_said_is_heard_in_its_place() -> None:
    parts = [{"type": "text", "text": "Listen:"}, AUDIO, AUDIO]
    heard = {(0, 1): Transcript("你好", "zh"), (0, 2): Transcript("", "en")}
    made = prompt({"role": "user", "content": parts}, heard=heard)
    assert made.messages[1] == Message("user", "Listen:\n你好", reply_language="zh")
    assert made.language == "zh"


def test_a_recording_without_words() -> None:
    made = prompt({"role": "user", "content": [AUDIO]}, heard={(0, 0): Transcript("", "en")})
    assert made.messages[1].content == WORDLESS


def test_the_language_is_the_last_users() -> None:
    messages = ({"role": "user", "content": "こんにちは"}, {"role": "user", "content": "Hello"})
    assert prompt(messages[0]).language == "ja"
    assert prompt(*messages).language == "en"


def test_earlier_answers() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}
    searched = {"id": "c2", "type": "web_search", "function": {"name": "step_websearch", "arguments": "{}"}}
    messages = prompt(
        {"role": "assistant", "audio": {"id": "audio_1"}},
        {"role": "assistant", "audio": {"id": "audio_2", "transcript": "Said."}},
        {"role": "assistant", "content": "Written.", "audio": {"id": "audio_2"}},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "tts_content": {"tts_text": "Spoken."}},
        {"role": "assistant", "content": "One moment.", "tool_calls": [call, searched]},
        {"role": "input", "tool_call_id": "c1", "content": [{"type": "text", "text": "done"}]},
        {"role": "assistant", "content": None},
        {"role": "human", "content": "Thanks"},
    ).messages[1:]
    assert [message.content for message in messages[:5]] == ["I am fine.", "Said.", "Written.", "No.", "Spoken."]
    assert messages[5] == Message("assistant", "One moment.", (ToolCall("c1", "f", '{"a": 1}'),))
    assert messages[6] == Message("tool", "done", tool_call_id="c1")
    assert messages[7] == Message("user", "Thanks")


def test_an_answer_that_is_not_known() -> None:
    with pytest.raises(ClientError) as refused:
        prompt({"role": "user", "content": "Hi"}, {"role": "assistant", "audio": {"id": "audio_2"}})
    assert refused.value.param == "messages[1].audio.id"


_TEXT = st.text(max_size=20)
_PARTS = st.lists(st.one_of(_TEXT.map(lambda text: {"type": "text", "text": text}), st.just(AUDIO)), max_size=4)
_CALLS = st.lists(
    st.builds(
        lambda name: {"id": f"c_{name}", "function": {"name": name}}, st.from_regex(r"[a-z]{1,8}", fullmatch=True)
    ),
    max_size=2,
)
_MESSAGE = st.one_of(
    st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["system", "developer"]), _TEXT),
    st.builds(lambda content: {"role": "user", "content": content}, st.one_of(_TEXT, _PARTS)),
    st.builds(lambda text, calls: {"role": "assistant", "content": text, "tool_calls": calls}, _TEXT, _CALLS),
    st.builds(lambda text: {"role": "tool", "tool_call_id": "c", "content": text}, _TEXT),
)  # fmt: skip


@given(st.lists(_MESSAGE, max_size=8), st.booleans())
def test_nothing_that_was_said_is_lost_or_made_up(messages: list[dict[str, Any]], spoken: bool) -> None:
    heard = {
        (number, index): Transcript(f"heard {number} {index}", "en")
        for number, message in enumerate(messages)
        if isinstance(message["content"], list)
        for index in range(len(message["content"]))
    }
    made = prompt(*messages, heard=heard, spoken=spoken)
    leading = next((n for n, m in enumerate(messages) if m["role"] not in ("system", "developer")), len(messages))
    said = [
        (number, message)
        for number, message in enumerate(messages)
        if number >= leading and (message["role"] != "assistant" or message["content"] or message["tool_calls"])
    ]
    assert made.messages[0].role == "system"
    assert len(made.messages) == 1 + len(said)
    for message, (number, source) in zip(made.messages[1:], said, strict=True):
        assert message.role == source["role"].replace("developer", "system")
        assert [call.name for call in message.tool_calls] == [
            c["function"]["name"] for c in source.get("tool_calls", ())
        ]
        if isinstance(source["content"], str):
            assert message.content == source["content"]
        else:
            words = [part.get("text", f"heard {number} {index}") for index, part in enumerate(source["content"])]
            assert message.content == "\n".join(filter(None, words))
