"""An answer that is read along: said again once, else the line itself."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence

from vivavoce.tools.checked_answer import checked_answer, evidence_in
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
