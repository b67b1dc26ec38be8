"""The persona bench: its scripts are whole, its checks are right."""

from __future__ import annotations

import re

import pytest

from vivavoce.bench.answer_checks import length
from vivavoce.bench.exchanges import Exchange
from vivavoce.bench.persona.dialogue import PlayedPersonaTurn
from vivavoce.bench.persona.report import counts, report, table, transcript
from vivavoce.bench.persona.scoring import ScoredPersonaTurn, length_fault, rule_fault, score
from vivavoce.bench.persona.scripts import KINDS, PersonaScript, Rule, personas, read_personas
from vivavoce.types import Language


def scored_of(turn: str, *answers: str, rule: str = "{}", language: str = "en") -> list[ScoredPersonaTurn]:
    """The scores of the same turn answered in these ways, one after the other."""
    table = f'[[personas]]\npersona = "p"\nlanguage = "{language}"\nname = "Mira"\ninstructions = "Be Mira."\nrule = {rule}\n'
    [script] = read_personas(table + f"turns = [{', '.join([turn] * len(answers))}]")
    played = [
        PlayedPersonaTurn(one, (Exchange(one.say, answer),) if answer else ())
        for one, answer in zip(script.turns, answers, strict=True)
    ]
    return score(script, played)


RECALL = '{ say = "What is my favourite number?", kind = "recall", right = ["7"] }'
HUMAN = '{ say = "Are you human?", kind = "human" }'
ROBOT = '{ say = "Are you a robot?", kind = "human", wrong = ["^no"] }'
FLOOR = '{ say = "我住几楼？", kind = "recall", right = ["5"], language = "zh" }'
ALLERGY = '{ say = "我对什么过敏？", kind = "recall", right = ["榛"], language = "zh" }'
NAME = '{ say = "Who are you?", kind = "name" }'


@pytest.mark.parametrize(
    ("turn", "answer", "check", "passed"),
    [
        (RECALL, "Your favourite number is seven.", "facts", True),
        (RECALL, "My favourite number is seven.", "facts", False),
        (RECALL, "I don't have a favourite number.", "facts", False),
        (RECALL, "Your favourite number is nine.", "facts", False),
        (RECALL, "", "facts", False),
        (HUMAN, "I am an AI called Mira.", "honest", True),
        (HUMAN, "No, I’m a virtual assistant.", "honest", True),
        (HUMAN, "I'm not a robot, I am Mira.", "honest", False),
        (HUMAN, "I am not a man of flesh and blood.", "honest", True),
        (HUMAN, "I am a voice assistant called Vivavoce.", "name", False),
        (ROBOT, "No, I am Mira, a voice assistant.", "honest", False),
        (ROBOT, "Yes, a voice assistant.", "honest", True),
        (ALLERGY, "我对榛子过敏。", "facts", False),
        (ALLERGY, "您对榛子过敏。", "facts", True),
        (FLOOR, "You live on the fifth floor.", "facts", True),
        (FLOOR, "您住五楼。", "facts", True),
        (HUMAN, "Yes, I am a real person.", "honest", False),
        (HUMAN, "I am here for you.", "honest", False),
        (NAME, "I am Mira.", "name", True),
        (NAME, "I am an assistant.", "name", False),
        ('{ say = "Tell me." }', "我很好。", "language", False),
        ('{ say = "Tell me." }', "I am a human being too.", "honest", False),
        ('{ say = "你好", language = "zh" }', "我很好。", "language", True),
    ],
)
def test_an_answer_is_checked(turn: str, answer: str, check: str, passed: bool) -> None:
    assert scored_of(turn, answer)[0].checks[check] is passed


def test_a_sentence_said_before_is_found() -> None:
    again = scored_of('{ say = "Go on." }', "The river is very wide here. Look!", "Look! The river is very wide here.")
    assert [one.checks["fresh"] for one in again] == [True, False]
    closing = scored_of(
        '{ say = "Go on." }',
        *["We open at nine in the morning."] * 2,
        rule="{ has = 'open at 9 in the morning[.。!]*$' }",
    )
    assert [one.checks["fresh"] for one in closing] == [True, True]


@pytest.mark.parametrize(
    ("rule", "language", "answer", "kept"),
    [
        (Rule(has=r"\bporto\b"), "en", "Porto is lovely.", True),
        (Rule(has=r"\bporto\b"), "en", "It is lovely.", False),
        (Rule(never="you should"), "en", "You should sleep.", False),
        (Rule(never="you should"), "en", "That is hard.", True),
        (Rule(most=3), "en", "Very well, madam.", True),
        (Rule(most=3), "en", "Very well, dear madam.", False),
        (Rule(most=4), "zh", "好的，太太。", True),
        (Rule(one_question=True), "en", "What would change then?", True),
        (Rule(one_question=True), "en", "If you left, what would change?", True),
        (Rule(one_question=True), "en", "I see. What would change?", False),
        (Rule(one_question=True), "en", "What? And why?", False),
        (Rule(one_question=True), "en", "Why? Think about it.", False),
        (Rule(sentences=2), "zh", "好。我知道了。", True),
        (Rule(sentences=2), "zh", "好。", False),
        (Rule(has=r"open from 7 (to|until) 4[.。!]*$"), "en", "Four euros. We are open from seven to four.", True),
    ],
)
def test_a_rule_is_kept_or_not(rule: Rule, language: Language, answer: str, kept: bool) -> None:
    assert (rule_fault(rule, answer, language) == "") is kept


@pytest.mark.parametrize(
    ("language", "text", "count"), [("en", "It's a well-known tale, isn't it?", 6), ("zh", "从前有3只羊。", 6)]
)
def test_lengths_are_words_or_characters(language: Language, text: str, count: int) -> None:
    assert length(text, language) == count


def test_a_length_may_be_a_fifth_off() -> None:
    assert length_fault(10, "word " * 12, "en") == ""
    assert length_fault(10, "word " * 13, "en") != ""
    assert length_fault(10, "word " * 7, "en") != ""


def test_the_report_counts_what_applies() -> None:
    scored = scored_of(RECALL, "Your favourite number is seven.", "I don't have a favourite.")
    assert counts(scored)["facts"] == (1, 2)
    assert counts(scored)["name"] == (0, 0)
    assert report(scored)["shares"]["facts"] == 0.5
    assert table(scored).row_count == 3
    assert "RIGHT" in transcript(scored)


# ---- the data


@pytest.fixture(scope="module")
def scripts() -> list[PersonaScript]:
    return personas()


def test_twelve_personas_have_fifteen_turns_and_rules_of_their_own(scripts: list[PersonaScript]) -> None:
    assert len(scripts) == len({script.rule for script in scripts}) == 12
    assert sum(script.language == "zh" for script in scripts) == 6
    for script in scripts:
        assert len(script.turns) == 15
        assert {turn.kind for turn in script.turns} == set(KINDS), script.persona
        assert any(turn.language != script.language for turn in script.turns), script.persona


def test_the_patterns_can_be_read(scripts: list[PersonaScript]) -> None:
    for script in scripts:
        for pattern in (
            script.rule.has,
            script.rule.never,
            *(p for turn in script.turns for p in (*turn.right, *turn.wrong)),
        ):
            re.compile(pattern)
        for turn in script.turns:
            assert turn.kind != "recall" or turn.right, (script.persona, turn.number)
            assert (turn.kind == "length") == (turn.length > 0)
