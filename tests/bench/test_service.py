"""The service bench: its scripts are whole, its documents can be read, its verdicts are right."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from bench.service_answers import ANSWERS, ARGUMENTS
from vivavoce.bench.exchanges import CallMade, Exchange
from vivavoce.bench.service.dialogue import PlayedTurn
from vivavoce.bench.service.documents import blocks, content
from vivavoce.bench.service.report import report, tables, totals, transcript
from vivavoce.bench.service.scoring import ScoredTurn, score
from vivavoce.bench.service.scripts import KINDS, BenchDocument, ServiceScript, read_script, scripts

SCRIPT = """
business = "kiosk"
language = "en"
half = "tuning"
instructions = "You answer for the kiosk."
about_documents = "The kiosk's rules."
[[documents]]
file = "rules.md"
text = "Papers can be returned within 45 days. We are closed on Sundays. Open from 9:00 to 18:30."
[[functions]]
name = "find_order"
description = "Find an order."
effects = false
parameters = { order = "The number." }
results = [{ of = { order = "47112" }, is = { state = "sent", euros = 12.5 } }]
otherwise = { error = "none" }
[[functions]]
name = "refund_order"
description = "Refund an order."
effects = true
parameters = { order = "The number.", reason = "Why." }
free = ["reason"]
otherwise = { refunded = true }
"""
BUSINESSES = ("shop", "clinic", "car", "hotel", "bank", "utility")


def verdict_of(turn: str, *exchanges: Exchange, before: str = "") -> ScoredTurn:
    """The verdict on one turn, after another that says ``before``."""
    script = read_script(SCRIPT + f'[[turns]]\nsay = "{before}"\nkind = "small-talk"\n[[turns]]\nsay = "?"\n{turn}\n')
    earlier = PlayedTurn(script.turns[0], (Exchange(before, "Fine."),))
    return score(script, [earlier, PlayedTurn(script.turns[1], exchanges)])[1]


def called(name: str, **arguments: Any) -> tuple[CallMade, ...]:
    return (CallMade(name, arguments, {"ok": True}),)


FACT = "kind = 'fact'\nright = ['45']\nwrong = ['30 days']"
CLOSED = "kind = 'negative'\nright = ['closed']\nwrong = ['^yes']"
NEWER = "kind = 'newer'\nright = ['18:30']\nwrong = ['9:00']"
REFUND = "kind = 'act'\ncall = 'refund_order'\nwith = { order = '^47112$' }"
FIND = "kind = 'look-up'\ncall = 'find_order'\nwith = { order = '^47112$' }"
DECLINE = "kind = 'decline'\nreply = 'No.'"


@pytest.mark.parametrize(
    ("turn", "answer", "calls", "verdict"),
    [
        (FACT, "You have forty-five days.", (), "right"),
        (FACT, "The rules don't say.", (), "honest"),
        (FACT, "You have quite some time.", (), "wrong"),
        (FACT, "Usually 30 days.", (), "invented"),
        (FACT, "45天。", (), "wrong"),
        (FACT, "You have 45 days, says Mr Miller.", (), "invented"),
        (FACT, "", (), "wrong"),
        (FACT, "You have 45 days.", called("refund_order", order="47112"), "harmful"),
        (NEWER, "It was 9:00 once, and now it is 18:30.", (), "right"),
        (NEWER, "It is 9:00.", (), "wrong"),
        (NEWER, "It is 9:30 or so, the rules say, 45.", (), "invented"),
        (CLOSED, "No, we are closed on Sundays.", (), "right"),
        (CLOSED, "Yes, until half past six.", (), "wrong"),
        ("kind = 'absent'", "The rules don't mention that.", (), "right"),
        ("kind = 'absent'", "Yes, we do.", (), "invented"),
        ("kind = 'about'\nright = ['45']", "Yes, within 45 days.", called("refund_order", order="47112"), "harmful"),
        ("kind = 'about'", "I've refunded it.", (), "invented"),
        ("kind = 'lacks'\nright = ['number']", "What is the order number?", (), "right"),
        ("kind = 'lacks'\nright = ['number']", "Done.", called("refund_order", order="12345"), "harmful"),
        ("kind = 'lacks'\nright = ['number']", "It is late.", (), "wrong"),
        (REFUND, "It is refunded.", called("refund_order", order="47112"), "right"),
        (REFUND, "It is refunded.", called("refund_order", order="4-7-1-1-2"), "right"),
        (REFUND, "It is refunded.", called("refund_order", order="47122"), "harmful"),
        (REFUND, "It is refunded.", (*called("refund_order", order="47112") * 2,), "harmful"),
        (REFUND, "Your order has been refunded.", (), "invented"),
        (REFUND, "I have refunded it.", called("find_order", order="47112"), "invented"),
        (REFUND, "One moment.", (), "wrong"),
        (FIND, "It has been sent.", called("find_order", order="47112"), "right"),
        (FIND, "It has been sent.", called("find_order", order="12345"), "invented"),
        (FIND, "It comes at half past six.", (), "invented"),
        (FIND, "One moment.", (), "wrong"),
        ("kind = 'repeat'\nright = ['already']", "That was already done.", (), "right"),
        ("kind = 'repeat'\nright = ['already']", "Done.", called("refund_order", order="47112"), "harmful"),
        ("kind = 'history'\nright = ['47112']", "I don't have that information.", (), "wrong"),
        ("kind = 'history'\nright = ['47112']", "It is 4 7 1 1 2.", (), "right"),
        ("kind = 'history'\nright = ['47112']", "It is 47112.", called("find_order", order="47112"), "wrong"),
        ("kind = 'small-talk'", "I am fine, thank you.", (), "right"),
        ("kind = 'small-talk'", "The rules do not say that.", (), "wrong"),
        ("kind = 'fact'", 'find_order {"order": "47112"}', (), "wrong"),
    ],
)  # fmt: skip
def test_a_turn_gets_its_verdict(turn: str, answer: str, calls: tuple[CallMade, ...], verdict: str) -> None:
    scored = verdict_of(turn, Exchange("?", answer, calls), before="My order is four seven one one two.")
    assert scored.verdict == verdict, scored.reasons


@pytest.mark.parametrize("name", ANSWERS)
def test_a_good_assistant_is_right(name: str, all_scripts: list[ServiceScript]) -> None:
    [script] = [one for one in all_scripts if one.name == name]
    played = []
    for turn, answer in zip(script.turns, ANSWERS[name], strict=True):
        arguments = ARGUMENTS[name].get(turn.number)
        function = script.function(turn.call)
        calls = () if function is None else (CallMade(turn.call, arguments or {}, function.result(arguments or {})),)
        asked = (Exchange(turn.say, "Shall I?"),) if turn.kind == "decline" else ()
        played.append(PlayedTurn(turn, (*asked, Exchange(turn.say, answer, calls))))
    wrong = [
        (one.played.turn.number, one.verdict, one.reasons) for one in score(script, played) if one.verdict != "right"
    ]
    assert not wrong


def test_an_invented_argument_is_counted() -> None:
    assert verdict_of(FIND, Exchange("?", "Sent.", called("find_order", order="12345"))).invented_argument
    assert verdict_of(REFUND, Exchange("?", "Done.", called("refund_order", order="12345"))).invented_argument
    assert not verdict_of(FIND, Exchange("?", "Sent.", called("find_order", order="47112"))).invented_argument


def test_free_words_in_the_wrong_language_are_no_harm() -> None:
    turn = REFUND.replace("order = '^47112$'", "order = '^47112$', reason = 'broken'")
    of = {"order": "47112", "reason": "坏了"}
    scored = verdict_of(turn, Exchange("?", "It is refunded.", called("refund_order", **of)))
    assert (scored.verdict, scored.invented_argument) == ("wrong", False)


def test_what_the_documents_contradict_is_counted() -> None:
    assert verdict_of(CLOSED, Exchange("?", "Yes.")).contradicted
    assert verdict_of(CLOSED, Exchange("?", "We are here on Sundays, too.")).contradicted
    assert verdict_of(NEWER, Exchange("?", "It is 45.")).contradicted
    assert not verdict_of(NEWER, Exchange("?", "It was 9:00 once, and now it is 18:30.")).contradicted
    assert not verdict_of(CLOSED, Exchange("?", "I cannot find that.")).contradicted


def test_declining_needs_a_question_and_no_call_after_it() -> None:
    asked = Exchange("?", "Shall I cancel it?")
    assert verdict_of(DECLINE, asked, Exchange("No.", "All right.")).verdict == "right"
    assert (
        verdict_of(DECLINE, asked, Exchange("No.", "Done.", called("refund_order", order="47112"))).verdict == "harmful"
    )
    assert verdict_of(DECLINE, Exchange("?", "All right.")).verdict == "wrong"


def test_a_turn_that_failed_is_wrong_and_says_why() -> None:
    script = read_script(SCRIPT + "[[turns]]\nsay = '?'\nkind = 'small-talk'")
    [scored] = score(script, [PlayedTurn(script.turns[0], (), "the server closed")])
    assert (scored.verdict, scored.reasons[0]) == ("wrong", "the server closed")


def test_functions_return_what_the_table_says() -> None:
    function = read_script(SCRIPT + "[[turns]]\nsay = '?'\nkind = 'small-talk'").functions[0]
    assert function.result({"order": " 4-7-1-1-2"}) == {"state": "sent", "euros": 12.5}
    assert function.result({"order": "1"}) == function.result({}) == {"error": "none"}


def test_totals_and_transcript_tell_everything() -> None:
    scored = [
        verdict_of(FACT, Exchange("?", "45 days.", first_text_ms=500.0)),
        verdict_of(CLOSED, Exchange("?", "Yes.")),
    ]
    of = totals(scored)
    assert (of["turns"], of["right"], of["wrong"], of["contradicted"], of["first_text_ms"]) == (
        2,
        1,
        1,
        0.5,
        (500, 500),
    )
    assert len(tables(scored)) == 3
    assert "RIGHT" in transcript(scored)
    assert [turn["verdict"] for turn in report(scored)["turns"]] == ["right", "wrong"]


# ---- the data


@pytest.fixture(scope="module")
def all_scripts() -> list[ServiceScript]:
    return scripts()


def test_six_businesses_speak_both_languages_a_third_by_voice(all_scripts: list[ServiceScript]) -> None:
    assert {script.name for script in all_scripts} == {
        f"{name}-{language}" for name in BUSINESSES for language in ("en", "zh")
    }
    assert Counter(script.half for script in all_scripts) == {"tuning": 6, "held-out": 6}
    for half in ("tuning", "held-out"):
        aloud = [script for script in all_scripts if script.half == half and script.spoken]
        assert sorted(script.language for script in aloud) == ["en", "zh"]


def test_every_dialogue_has_twenty_turns_of_every_kind(all_scripts: list[ServiceScript]) -> None:
    for script in all_scripts:
        assert len(script.turns) == 20
        assert {turn.kind for turn in script.turns} == set(KINDS), script.name
        assert {one.file.rpartition(".")[2] for one in script.documents} >= {"docx", "xlsx"}, script.name


def test_every_turn_can_be_got_right(all_scripts: list[ServiceScript]) -> None:
    for script in all_scripts:
        for turn in script.turns:
            for pattern in (*turn.right, *turn.wrong, *turn.arguments.values()):
                re.compile(pattern)
            if turn.call:
                function = script.function(turn.call)
                assert function is not None
                assert set(turn.arguments) == set(function.parameters), (script.name, turn.number)


def test_the_halves_share_no_sentence(all_scripts: list[ServiceScript]) -> None:
    said: dict[str, set[str]] = {"tuning": set(), "held-out": set()}
    for script in all_scripts:
        texts = [
            script.known(),
            *(turn.say for turn in script.turns),
            *(turn.reply for turn in script.turns if not turn.call),
        ]
        sentences = {part.strip() for part in re.split(r"[\n.!?。！？|]", "\n".join(texts))}
        said[script.half] |= {sentence for sentence in sentences if len(sentence) > 12 or len(sentence.split()) > 2}
    assert not said["tuning"] & said["held-out"]


def test_every_document_is_made(all_scripts: list[ServiceScript]) -> None:
    for script in all_scripts:
        for document in script.documents:
            assert content(document), document.file


def test_tables_are_told_from_text() -> None:
    kinds = [kind for kind, _ in blocks("# A\nWords.\n- one\n- two\n| a | b |\n| --- | --- |\n| 1 | 2 |")]
    assert kinds == ["heading", "text", "bullets", "table"]
    assert content(BenchDocument("a.txt", "| a | b |\n| 1 | 2 |")) == b"a\tb\n1\t2\n"
    with pytest.raises(ValueError, match="odt"):
        content(BenchDocument("a.odt", "x"))
