"""What instructions rule for every answer."""

from __future__ import annotations

import pytest

from vivavoce.text.instruction_rules import InstructionRules, name_in, names_language, restricts_sources, rules_of
from vivavoce.text.speech_prompt_rules import SPEECH_PROMPT_RULES


@pytest.mark.parametrize(
    ("instructions", "rules"),
    [
        (
            'You are Ada. Begin every answer with "Good day". You sell tea.',
            InstructionRules(opening="Good day"),
        ),
        (
            'End every answer with this sentence: "We close at six." A tea costs 3.20 euros.',
            InstructionRules(closing="We close at six."),
        ),
        (
            "Mention the harbour, Port Ellen, in every\nanswer. Keep answers to one or two sentences.",
            InstructionRules(
                required="Port Ellen",
                most_sentences=2,
                restated="Mention the harbour, Port Ellen, in every answer. Keep answers to one or two sentences.",
            ),
        ),
        (
            "Answer in at most twelve words. You know all about trains.",
            InstructionRules(most_words=12, restated="Answer in at most twelve words."),
        ),
        ("你是小茶。每次回答都以“早安”两个字开头。", InstructionRules(opening="早安")),
        ("每次回答的最后都要说：“欢迎再来。”茶三元一杯。", InstructionRules(closing="欢迎再来。")),
        ("每次回答都要称呼对方“先生”。", InstructionRules(opening="先生")),
        ("你从不提问。最多两句话。", InstructionRules(most_sentences=2, restated="你从不提问。 最多两句话。")),
        ("You are a friendly clerk. The shop has two sentences on its door.", InstructionRules()),
    ],
)
def test_rules_are_read(instructions: str, rules: InstructionRules) -> None:
    assert rules_of(instructions) == rules


@pytest.mark.parametrize(
    "instructions",
    [
        'Never begin every answer with "Sure".',
        'Do not end every answer with "How can I help?"',
        "Never mention Rome in any answer.",
        "Use simple words in every answer.",
        "Use English in every answer.",
        "每次回答都不要以“好的”开头。",
        "每次回答都不要提到罗马。",
    ],
)
def test_what_is_forbidden_or_no_name_is_not_put_in(instructions: str) -> None:
    rules = rules_of(instructions)
    assert (rules.opening, rules.closing, rules.required) == ("", "", "")


def test_what_every_prompt_says_is_no_rule_of_the_client() -> None:
    assert rules_of(f"You are Ada.\n{SPEECH_PROMPT_RULES}") == InstructionRules()


def test_long_rules_are_told_again_as_far_as_they_fit() -> None:
    sentence = "Never mention the price of anything in the window."
    assert 1 <= rules_of(" ".join([sentence] * 20)).restated.count(sentence) < 8


def test_names() -> None:
    assert name_in("You are Vivavoce, a voice assistant.\nYou are Jack, a pirate.") == "Jack"
    assert name_in("你叫小茶，卖茶叶。") == "小茶"
    assert name_in("You are Tobias and advise on tea.") == "Tobias"


@pytest.mark.parametrize(
    "instructions",
    [
        "You are a pirate. You are not Jack.",
        "You are Python experts.",
        "You are Customer Support for all of us.",
        "You are Chinese.",
        "你是医生，请耐心回答。",
        "你是客服。",
        "你是翻译，只翻译。",
        "あなたは医者です。",
    ],
)
def test_what_is_no_name(instructions: str) -> None:
    assert name_in(instructions) == ""


def test_whether_languages_are_spoken_of() -> None:
    assert names_language("Always answer in French.")
    assert names_language("请用英语回答。")
    assert not names_language("You are a pirate from the islands.")
    assert not names_language("Answer the person in their own language.")


@pytest.mark.parametrize(
    "instructions",
    [
        "You answer for a museum. Use the guides and functions, nothing else.",
        "Answer only from the documents.",
        "Be brief. Use nothing but the manual.",
        "你是图书馆的前台。只用资料和功能回答。",
        "只根据手册回答问题。",
        "資料だけを使って答えてください。",
    ],
)
def test_instructions_that_allow_nothing_but_documents_and_functions(instructions: str) -> None:
    assert restricts_sources(instructions)


@pytest.mark.parametrize(
    "instructions",
    [
        "You are a friendly assistant.",
        "Use the documents where they help.",
        "Speak only English.",
        "只说中文。",
        "Only one sentence. You know our papers.",
    ],
)
def test_others_allow_more(instructions: str) -> None:
    assert not restricts_sources(instructions)


@pytest.mark.parametrize(
    ("opening", "words", "opened"),
    [
        ("", "It is open.", "It is open."),
        ("good day", "It is open.", "Good day, It is open."),
        ("Ey up, love,", "it is open.", "Ey up, love, it is open."),
        ("Hello!", "It is open.", "Hello! It is open."),
        ("Guten Tag", "Es ist offen.", "Guten Tag, Es ist offen."),
        ("早安", "三元。", "早安，三元。"),
        ("要得嘛，", "三元。", "要得嘛，三元。"),
        ("Good day", "", ""),
    ],
)
def test_an_opening_stands_before_the_words(opening: str, words: str, opened: str) -> None:
    assert InstructionRules(opening=opening).opened(words) == opened
