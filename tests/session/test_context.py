"""Items → messages within the budget, with a head that stays the same."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.protocol.items import Item, Part
from vivavoce.session.context import Context, message_of
from vivavoce.text.token_estimates import estimate_tokens
from vivavoce.types import Message, ToolCall

BUDGET = 250


def user(text: str, item_id: str = "u") -> Item:
    return Item(id=item_id, role="user", content=(Part(type="input_text", text=text),))


def test_items_without_words_say_nothing() -> None:
    silent = Item(id="s", role="user", content=(Part(type="input_audio", transcript=None),))
    unheard = Item(id="a", role="assistant", content=(Part(type="audio", transcript=""),))
    assert message_of(silent) is None
    assert message_of(unheard) is None
    assert Context(1000).messages("sys", [silent, user("hi"), unheard])[1:] == (Message("user", "hi"),)


def test_speech_is_told_as_it_is_typed_and_text_as_it_is() -> None:
    said = "The code is four seven one one two."
    spoken = Item(id="s", role="user", content=(Part(type="input_audio", transcript=said),))
    assert message_of(spoken, "en") == Message("user", "The code is 47112.")
    assert message_of(user(said), "en") == Message("user", said)
    reply = Item(id="a", role="assistant", content=(Part(type="audio", transcript=said),))
    assert message_of(reply) == Message("assistant", said)


def test_calls_of_one_turn_are_one_message() -> None:
    calls = [Item(id=f"c{n}", type="function_call", call_id=f"call{n}", name="f", arguments="{}") for n in range(2)]
    said = Item(id="a", role="assistant", content=(Part(type="audio", transcript="One moment."),))
    messages = Context(1000).messages("sys", [user("go"), said, *calls])
    assert messages[2] == Message(
        "assistant", "One moment.", (ToolCall("call0", "f", "{}"), ToolCall("call1", "f", "{}"))
    )
    assert len(messages) == 3


@given(st.lists(st.text("abc 你好", min_size=1, max_size=80).filter(str.strip), min_size=1, max_size=40))
def test_a_growing_conversation_stays_within_budget_and_rarely_moves_its_head(texts: list[str]) -> None:
    context = Context(BUDGET)
    items: list[Item] = []
    heads: list[str] = []
    for number, text in enumerate(texts):
        items.append(user(text, str(number)))
        messages = context.messages("Speak.", items)
        assert messages[-1].content == text
        assert sum(map(estimate_tokens, messages)) <= BUDGET or len(messages) == 2
        heads.append(messages[1].content)
    moves = sum(1 for before, after in pairwise(heads) if before is not after)
    assert moves <= len(texts) // 2 + 1


def test_the_head_moves_seldom_in_a_long_conversation() -> None:
    context = Context(BUDGET * 2)
    items: list[Item] = []
    starts = []
    for number in range(200):
        items.append(user(f"message number {number}", str(number)))
        starts.append(context.messages("Speak.", items)[1].content)
    assert len(set(starts)) < 30
