"""Answers that are held to their manner while a scripted model writes them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest
from typing_extensions import override

from tools.scripted import Scripted, replied, said
from vivavoce.conduct.manner import manner_of
from vivavoce.conduct.model import PersonaModel
from vivavoce.engines.delegating_model import DelegatingModel
from vivavoce.perception.notes import CUES
from vivavoce.runtime.reply import ReplyRequest
from vivavoce.session.prompt_builder import OVERRIDE
from vivavoce.tools.base import CallContext
from vivavoce.tools.confirmations import Confirmations
from vivavoce.tools.reply_plan import ReplyPlanner
from vivavoce.tools.tool_run import ToolRun
from vivavoce.types import GenerationEnd, GenerationEvent, GenerationOptions, Message, ThinkingOptions

ADA = "You are Ada, who sells bread."


async def answer(
    model: Scripted, says: str, *, instructions: str = ADA, language: str = "en", history: Sequence[Message] = ()
) -> str:
    messages = (Message("system", instructions), *history, Message("user", says))
    context = CallContext("me", messages, language)
    plan = await ReplyPlanner(None, Confirmations(), "risky").plan(messages, GenerationOptions(512), (), context)
    run = ToolRun((), context, note=plan.note, begun=plan.begun, manner=plan.manner)
    events = await replied(model, ReplyRequest(messages, plan.options, language=language, server_tools=run))
    assert sum(isinstance(event, GenerationEnd) for event in events) == 1
    return said(events)


def before(user: str, assistant: str) -> list[Message]:
    return [Message("user", user), Message("assistant", assistant)]


async def test_it_says_what_it_is_whatever_the_model_says() -> None:
    model = Scripted([" I was born in Porto."])
    words = await answer(model, "Are you a robot?")
    assert words.startswith("I'm Ada, an AI assistant, not a human being.")
    assert model.asked[0][1].continue_last_message


async def test_an_answer_about_the_user_rests_on_what_they_said() -> None:
    model = Scripted([" Biscuit."])
    words = await answer(model, "What is my cat called?", history=before("My cat Biscuit is fat.", "Oh."))
    assert words == "Your cat is Biscuit."
    *_, note, begun = model.asked[0][0]
    assert "My cat Biscuit is fat." in note.content
    assert (begun.role, begun.content) == ("assistant", "Your cat is")


async def test_a_sentence_is_not_copied_from_turn_to_turn() -> None:
    model = Scripted(["How can I help you today?"], ["Our rolls are fresh."])
    assert await answer(model, "Nice.", history=before("Hello.", "How can I help you today?")) == "Our rolls are fresh."


async def test_what_is_asked_for_again_is_said_again() -> None:
    model = Scripted(["A roll costs sixty cents."])
    words = await answer(model, "Say that again?", history=before("How much?", "A roll costs sixty cents."))
    assert words == "A roll costs sixty cents."


async def test_the_user_may_be_repeated() -> None:
    words = "It rains. It rains. It rains."
    assert await answer(Scripted([words]), f"Say after me: {words}") == words


@pytest.mark.parametrize(("rule", "before_it_speaks"), [("", False), ("Answer in one sentence. ", True)])
async def test_a_single_sentence_is_said_by_all_thoughts(rule: str, before_it_speaks: bool) -> None:
    model = Scripted(["Yes."])
    messages = (Message("system", f"{rule}{ADA}"), Message("user", "Is it larger?"))
    options = GenerationOptions(512, thinking=ThinkingOptions("think-first", 100, 10, 10))
    modes: list[str] = []

    class Watched(DelegatingModel):
        @override
        def generate(
            self, messages: Sequence[Message], options: GenerationOptions
        ) -> AsyncGenerator[GenerationEvent, None]:
            modes.append(options.thinking.mode if options.thinking else "")
            return model.generate(messages, options)

    manner = manner_of(messages, "en", overridden=False)
    async for _ in PersonaModel(Watched(model), manner).generate(messages, options):
        pass
    assert modes == ["think-before-speak" if before_it_speaks else "think-first"]


async def test_somebody_who_sounds_tired_is_told_so_once() -> None:
    note = Message("system", CUES["en"]["tired"], hint=True)
    question, answered = Message("user", "Is it far?"), "You sound a little tired, so I suggest a break."
    for history, begun in ((), True), ((question, Message("assistant", answered)), False):
        messages = (Message("system", ADA), *history, question, note)
        plan = await ReplyPlanner(None, Confirmations(), "risky").plan(
            messages, GenerationOptions(512), (), CallContext("me", messages, "en")
        )
        assert answered.startswith(plan.begun)
        assert bool(plan.begun) is begun


async def test_a_song_has_a_refrain() -> None:
    song = "Row, row, row your boat gently. Down the stream. Row, row, row your boat gently."
    assert await answer(Scripted([song]), "Sing me a song about a boat.") == song


@pytest.mark.parametrize(
    ("rule", "language", "written", "spoken"),
    [
        ('Begin every answer with "Good day".', "en", "It is open.", "Good day, It is open."),
        ('Begin every answer with "Ey up, love,".', "en", "it is open.", "Ey up, love, it is open."),
        (
            'End every answer with this sentence: "We close at six."',
            "en",
            "Yes. We close at 6.",
            "Yes. We close at six.",
        ),
        ("At most one sentence.", "en", "It is. And more. ", "It is."),
        ("每次回答都以“早安”两个字开头。", "zh", "早安，三元。", "早安，三元。"),
        ('End every answer with this sentence: "We close at six."', "zh", "三元。", "三元。"),
    ],
)
async def test_rules_are_kept(rule: str, language: str, written: str, spoken: str) -> None:
    says = "How is it?" if language == "en" else "怎么样？"
    assert await answer(Scripted([written]), says, instructions=f"{ADA} {rule}", language=language) == spoken


async def test_what_every_answer_has_to_name_is_named() -> None:
    model = Scripted(["It is nice."], [" is by the sea."])
    words = await answer(model, "Is it?", instructions="Mention the city of Porto by name in every answer.")
    assert words == "It is nice. Porto is by the sea."


async def test_an_answer_in_another_language_is_asked_for_again() -> None:
    model = Scripted(["It lasts eleven hours."], ["十一个小时。"])
    assert await answer(model, "多久？", language="zh") == "十一个小时。"
    assert await answer(Scripted(["It is eleven."]), "多久？", language="zh", instructions="Answer in English.") == (
        "It is eleven."
    )


async def test_a_story_goes_on_until_it_is_long_enough() -> None:
    first, second = (
        "Once there was a big green sea with a boat in it.",
        "It sailed home and everybody there was very happy.",
    )
    model = Scripted([first], [f"Sure, here it goes on:\n{second}"], ["Never asked."])
    assert await answer(model, "Tell me a story of about twenty-two words.") == f"{first} {second}"
    assert model.asked[1][0][-2].content == first


async def test_a_story_stops_behind_a_sentence_when_it_is_long_enough() -> None:
    sentences = ["The cat walked over the old stone bridge again. ", "Number two has other words. "]
    model = Scripted([*sentences, *(f"And now number {number} comes along with the dog. " for number in range(3, 30))])
    words = await answer(model, "Tell me a story of thirty words.")
    assert 24 <= len(words.split()) <= 36
    assert words.endswith(".")


async def test_a_response_with_instructions_of_its_own_is_left_alone() -> None:
    model = Scripted(["Welcome to the museum of tea."])
    messages = (
        Message("system", f"{ADA} At most one sentence."),
        *before("Hello.", "Welcome to the museum of tea."),
        Message("user", "Are you a robot?"),
        Message("system", OVERRIDE.format("Say exactly: Welcome to the museum of tea.")),
    )
    context = CallContext("me", messages, "en")
    plan = await ReplyPlanner(None, Confirmations(), "risky").plan(messages, GenerationOptions(512), (), context)
    run = ToolRun((), context, begun=plan.begun, manner=plan.manner)
    assert said(await replied(model, ReplyRequest(messages, plan.options, server_tools=run))) == (
        "Welcome to the museum of tea."
    )


NOTE = Message("system", "They may be bored. Be warm and brief.", hint=True)


async def held(model: Scripted, messages: Sequence[Message], language: str = "en") -> str:
    context = CallContext("me", messages, language)
    plan = await ReplyPlanner(None, Confirmations(), "risky").plan(messages, GenerationOptions(512), (), context)
    run = ToolRun((), context, note=plan.note, begun=plan.begun, manner=plan.manner)
    return said(await replied(model, ReplyRequest(messages, plan.options, language=language, server_tools=run)))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([["They may be bored. ", "Be warm and brief. ", "Shall we have a break?"]], "Shall we have a break?"),
        ([["They may be bo", "red, so I will be brief."], ["Shall we rest?"]], "Shall we rest?"),
        ([["They may be late. Shall we rest?"]], "They may be late. Shall we rest?"),
        ([["Be warm and brief!"], ["Shall we rest?"]], "Shall we rest?"),
    ],
)
async def test_a_note_is_not_read_aloud(answers: Sequence[Sequence[str]], expected: str) -> None:
    model = Scripted(*map(list, answers))
    messages = (Message("system", ADA), Message("user", "There are two hours to go."), NOTE)
    assert (await held(model, messages)).strip() == expected
    assert all(NOTE not in prompt for prompt, _ in model.asked[1:])


async def test_what_a_note_quotes_is_said() -> None:
    note = Message(
        "system",
        'Say exactly this, and add nothing about the sound: "It sounds sad to me, but I may be wrong."',
        hint=True,
    )
    model = Scripted(["It sounds sad to me, but I may be wrong."])
    messages = (Message("system", ADA), Message("user", "How do I sound?"), note)
    assert await held(model, messages) == "It sounds sad to me, but I may be wrong."


async def test_what_a_note_has_said_is_said() -> None:
    note = Message("system", "これからはゆっくり話します。短くそう伝えてください。", hint=True)
    model = Scripted(["これからはゆっくり話します。"])
    messages = (Message("system", ADA), Message("user", "ゆっくり話して。"), note)
    assert await held(model, messages, "ja") == "これからはゆっくり話します。"


@pytest.mark.parametrize(
    ("says", "answers", "expected", "language"),
    [
        ("Which exit is right?", [["Which exit is", " right?"], [" I don't know."]], "Let me see: I don't know.", "en"),
        ("他们把会议改到星期五了。", [["他们把会议改到星期五了。你能去吗？"]], "你能去吗？", "zh"),
        ("去老大桥从哪个出口下？", [["去老大桥从哪个出口下？"], ["我不知道。"]], "这个嘛，我不知道。", "zh"),
        ("我哥哥终于要回家了。", [["你哥哥终于要回家了。"], ["真不错，他什么时候到？"]], "听起来真不错，他什么时候到？", "zh"),
        ("My order has four parts.", [["Your order has four", " parts. Is that right?"]],
         "Your order has four parts. Is that right?", "en"),
        ("My brother is coming home.", [["My brother is coming home."], [" nice!"]], "That sounds nice!", "en"),
        ("我的订单有四个部分。", [["你的订单有四个部分。", "对吗？"]], "你的订单有四个部分。对吗？", "zh"),
        ("我是北京人。", [["我是北京人。"], ["是老乡，哪个区的？"]], "听起来是老乡，哪个区的？", "zh"),
        ("早上好。", [["早上好。"]], "早上好。", "zh"),
        ("Say: the cat sat on the mat.", [["The cat sat on the mat."]], "The cat sat on the mat.", "en"),
        ("跟我说：今天天气真的很好。", [["今天天气真的很好。"]], "今天天气真的很好。", "zh"),
        ("I am home again now.", [["Good! I am home again now."]], "Good! I am home again now.", "en"),
    ],
)  # fmt: skip
async def test_the_question_is_no_answer(
    says: str, answers: Sequence[Sequence[str]], expected: str, language: str
) -> None:
    assert (await answer(Scripted(*map(list, answers)), says, language=language)).strip() == expected


async def test_a_persona_that_is_told_how_to_speak_does_not_repeat_the_user() -> None:
    model = Scripted(["我一个小时前就点了菜。"], ["让您久等了，马上就来。"])
    instructions = "你是四川饭馆的老板娘，请你说四川话。"
    assert (
        await answer(model, "我一个小时前就点了菜。", instructions=instructions, language="zh")
        == "听起来让您久等了，马上就来。"
    )


async def test_an_interpreter_may_say_the_same() -> None:
    model = Scripted(["Mr Smith from the bank is here."])
    says = "Mr Smith from the bank is here."
    assert await answer(model, says, instructions="Translate everything into English.") == says
