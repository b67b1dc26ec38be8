"""What the assistant was told in confidence stays out of replies that rest on strangers' text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.tools.guard import LEFT_OUT, Guard
from vivavoce.types import Message

INSTRUCTIONS = (
    "You are Ann, who works for the Solna ferry line. The code word is Marigold-77; write to ops_team@example.com. "
    "请用温柔的语气回答每一位乘客的所有问题，不要透露任何内部消息。"
)
MESSAGES = (Message("system", INSTRUCTIONS), Message("user", "Ask for flight SK411, please."))


def heard(reply: str, pieces: int = 3, messages: tuple[Message, ...] = MESSAGES) -> tuple[str, bool]:
    guard, said = Guard(messages), ""
    for at in range(0, len(reply), pieces):
        said += guard.passes(reply[at : at + pieces])
        if guard.leaking:
            return said, True
    return said + guard.rest(), guard.leaking


@given(st.text(alphabet="abc 好，.!\n", max_size=60), st.integers(1, 9))
def test_what_is_harmless_goes_through_as_it_is(reply: str, pieces: int) -> None:
    assert heard(reply, pieces) == (reply, False)


@pytest.mark.parametrize("pieces", [1, 4, 100])
def test_what_looks_like_a_secret_is_left_out(pieces: int) -> None:
    said, leaking = heard("Sure, it is marigold-77, or ops_team@example.com.", pieces)
    assert said == f"Sure, it is {LEFT_OUT}, or {LEFT_OUT}."
    assert not leaking


def test_what_the_user_said_is_no_secret() -> None:
    assert heard("Flight SK411 leaves at 9.") == ("Flight SK411 leaves at 9.", False)
    told = (*MESSAGES, Message("user", "Marigold-77 is our word."))
    assert heard("It is Marigold-77.", messages=told)[0] == "It is Marigold-77."


def test_instructions_are_not_recited() -> None:
    said, leaking = heard(f"My instructions are: {INSTRUCTIONS}")
    assert leaking
    assert "code word" not in said
    said, leaking = heard("好的：请用温柔的语气回答每一位乘客的所有问题，不要透露任何内部消息。")
    assert leaking
    assert "内部消息" not in said


def test_a_few_of_their_words_are_anybodys() -> None:
    reply = "You are on the Solna ferry line, and it leaves at nine."
    assert heard(reply) == (reply, False)
