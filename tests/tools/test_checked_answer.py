"""An answer that is read along: said again once, else the line itself."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence

import pytest

from vivavoce.hosted import HostedEvent
from vivavoce.tools.checked_answer import checked_answer, evidence_in, honest_answer
from vivavoce.tools.grounding import owns_up
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message, TextDelta, ToolResult

LINE = "The battery lasts eleven hours."
ASKED = Message("user", "How long does the battery last?")


class Model:
    """Says one reply after the other, and keeps what it was told."""

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.prompts: list[Sequence[Message]] = []
        self.options: list[GenerationOptions] = []

    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        self.prompts.append(messages)
        self.options.append(options)
        for piece in re.findall(r"[\w']+|\W+", self.replies.pop(0)):
            yield TextDelta(piece)
        yield GenerationEnd("stop", output_tokens=1)


async def said(model: Model, result: ToolResult, language: str = "en") -> str:
    prompt = [ASKED, Message("tool", result.text, (), "call_1")]
    evidence = evidence_in(prompt, [result], ASKED.content)
    events = [event async for event in checked_answer(model.generate, prompt, GenerationOptions(), evidence, language)]
    return "".join(event.text for event in events if isinstance(event, TextDelta)).strip()


FOUND = ToolResult(LINE, lines=(LINE,), sure=True)


async def test_a_right_answer_comes_as_it_is() -> None:
    model = Model("It lasts 11 hours.")
    assert await said(model, FOUND) == "It lasts 11 hours."
    assert len(model.prompts) == 1


async def test_a_wrong_number_is_said_again_with_the_line_in_front() -> None:
    model = Model("It lasts approximately 10 hours.", "eleven hours.")
    assert await said(model, FOUND) == "It lasts approximately eleven hours."
    begun = model.prompts[1][-1]
    assert (begun.role, begun.content) == ("assistant", "It lasts approximately ")
    assert LINE in model.prompts[1][-2].content
    assert model.options[1].continue_last_message


async def test_who_insists_is_replaced_by_the_line() -> None:
    model = Model("It lasts 10 hours.", "12 hours.")
    assert await said(model, FOUND) == f"It lasts … The documents say: {LINE}"


async def test_what_is_not_sure_is_not_quoted() -> None:
    model = Model("It lasts 10 hours.", "12 hours.")
    spoken = await said(model, ToolResult(LINE, lines=(LINE,)))
    assert "10" not in spoken
    assert "12" not in spoken
    assert "don't tell" in spoken


async def test_nor_is_a_line_of_another_language() -> None:
    model = Model("大约十二小时。", "十二小时。")
    assert await said(model, FOUND, "zh") == "大约……这个我不能确定，文件里没有写。"


async def test_an_apology_where_the_answer_was_found_is_none() -> None:
    model = Model("I'm sorry, but I don't know.", "It lasts eleven hours.")
    assert await said(model, FOUND) == "It lasts eleven hours."
    assert not model.options[1].continue_last_message


async def test_what_is_not_surely_there_is_owned_up_to() -> None:
    model = Model("I'm sorry, I don't know.")
    assert await said(model, ToolResult(LINE, lines=(LINE,))) == "The documents don't say anything about that."


async def test_where_nothing_was_found_it_is_said_in_few_words() -> None:
    model = Model("I'm sorry, but I don't have any information about your mother's visit.")
    nothing = ToolResult("The documents do not say.", empty=True, trusted=True)
    assert await said(model, nothing) == "The documents don't say anything about that."
    assert len(model.prompts) == 1


async def test_where_nothing_was_found_no_number_is_made_up() -> None:
    model = Model("Usually 30 days.", "It is not known.")
    spoken = await said(model, ToolResult("The documents do not say.", empty=True, trusted=True))
    assert spoken == "Usually It is not known."


async def honest(may_call: bool, *replies: str, language: str = "en") -> tuple[Model, list[HostedEvent]]:
    model = Model(*replies)
    events = honest_answer(model.generate, [ASKED], GenerationOptions(), language, may_call=may_call)
    return model, [event async for event in events]


@pytest.mark.parametrize("says", ["There is no such battery.", "It lasts long.", "Yes, of course."])
async def test_where_the_documents_are_silent_only_owning_up_is_said(says: str) -> None:
    _, events = await honest(True, says)
    assert owns_up("".join(event.text for event in events if isinstance(event, TextDelta)))
    assert says not in str(events)


@pytest.mark.parametrize(
    "says", ["I don't have any information about that.", "Nothing about it was found.", "Which one do you mean?"]
)
async def test_who_owns_up_in_other_words_may(says: str) -> None:
    _, events = await honest(True, says)
    assert says in "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_where_nothing_can_be_called_the_model_is_not_asked() -> None:
    model, events = await honest(False, language="zh")
    assert not model.prompts
    assert [type(event) for event in events] == [TextDelta, GenerationEnd]
    assert owns_up(str(events[0]))


@pytest.mark.parametrize(
    "text",
    [
        "我们没有餐厅。",
        "这里没有游泳池。",
        "We do not have a pool.",
        "No, dogs are not allowed.",
        "プールはありません。",
    ],
)
def test_to_say_that_something_is_not_so_is_not_owning_up(text: str) -> None:
    assert not owns_up(text)


@pytest.mark.parametrize(
    "text",
    [
        "资料里没有提到。",
        "抱歉，我没有这方面的信息。",
        "That is not mentioned.",
        "I'm not sure.",
        "それは分かりません。",
    ],
)
def test_owning_up(text: str) -> None:
    assert owns_up(text)


PAGE = ToolResult("1. Aurora (example.com): The city has 1,980,000 inhabitants and was founded in 1243.")


@pytest.mark.parametrize(
    ("says", "stands"),
    [
        ("It has 1,980,000 inhabitants.", True),
        ("It has about 2 million inhabitants.", True),
        ("It was founded in 1188.", False),
        ("I'm sorry, I could not find that.", True),
    ],
)
async def test_answers_from_the_web_are_held_to_the_pages(says: str, stands: bool) -> None:
    prompt = [Message("user", "How large is the city?"), Message("tool", PAGE.text, (), "call_1")]
    evidence = evidence_in(prompt, [PAGE], "How large is the city?", web=True)
    model = Model(says, "1188.")
    stream = checked_answer(model.generate, prompt, GenerationOptions(), evidence, "en")
    words = "".join([event.text async for event in stream if isinstance(event, TextDelta)])
    assert (words == says) == stands
    assert stands or words == "It was founded in … I can't say for sure: the pages I found don't tell."
