"""Scripts played against a running server with fake engines: the fake model says what it was told, and calls when told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import numpy as np
import pytest

from running import RunningServer, running
from vivavoce.bench.persona import dialogue as persona_dialogue
from vivavoce.bench.persona.scripts import read_personas
from vivavoce.bench.service.dialogue import PlayedTurn, play
from vivavoce.bench.service.scripts import BenchDocument, read_script
from vivavoce.bench.service.shelf import shelf
from vivavoce.bench.turn import Target
from vivavoce.client.errors import ConnectError
from vivavoce.config import load_config
from vivavoce.types import Language, Samples

SCRIPT = """
business = "kiosk"
language = "en"
half = "tuning"
instructions = "You answer for the kiosk."
about_documents = "The kiosk's rules."
[[documents]]
file = "rules.docx"
text = "Papers can be returned within 45 days."
[[documents]]
file = "prices.xlsx"
text = "| Paper | Euros |\\n| Morning | 2.10 |"
[[functions]]
name = "refund_order"
description = "Refund an order."
effects = true
parameters = { order = "The number." }
results = [{ of = { order = "47112" }, is = { refunded = true } }]
otherwise = { error = "none" }
[[turns]]
say = 'call refund_order {"order": "47112"}'
kind = "act"
call = "refund_order"
with = { order = "47112" }
[[turns]]
say = "Would you refund it?"
kind = "act"
call = "refund_order"
with = { order = "47112" }
reply = 'call refund_order {"order": "1"}'
[[turns]]
say = "Good day."
kind = "small-talk"
"""
PERSONA = """
[[personas]]
persona = "p"
language = "en"
name = "Mira"
instructions = "Be Mira."
rule = {}
reconnect = 2
turns = [{ say = "One." }, { say = "Two." }, { say = "Go on?", kind = "length", length = 9 }]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config(profile="fake")) as started:
        yield started


async def played(server: RunningServer, *, aloud: bool = False) -> list[PlayedTurn]:
    script = read_script(SCRIPT)
    if aloud:
        script = replace(script, turns=script.turns[2:])
    seen: list[PlayedTurn] = []
    async with shelf(server.address, script.documents) as store:
        turns = await play(Target("").at(server.address), script, store, speak if aloud else None, seen.append)
    assert seen == turns
    return turns


async def speak(_text: str, _language: Language) -> Samples:
    return np.sin(np.arange(12_000) / 9).astype(np.float32) * 0.3


async def test_calls_are_answered_and_questions_replied_to(server: RunningServer) -> None:
    act, asked, talk = await played(server)
    first, second = act.exchanges[:2]
    assert (len(first.calls), "47112" in first.answer, first.answer.endswith("?")) == (0, True, True)
    [call] = second.calls
    assert (call.name, call.arguments, call.result) == ("refund_order", {"order": "47112"}, {"refunded": True})
    assert not any(exchange.calls for exchange in asked.exchanges), "nobody has said that number"
    assert (talk.exchanges[0].answer, talk.failure) == ("You said: Good day.", "")
    assert talk.exchanges[0].first_text_ms is not None


async def test_turns_can_be_spoken(server: RunningServer) -> None:
    turns = await played(server, aloud=True)
    assert all(exchange.heard and exchange.first_audible_ms for turn in turns for exchange in turn.exchanges)


async def test_documents_are_gone_afterwards(server: RunningServer) -> None:
    async with httpx.AsyncClient(base_url=server.http, trust_env=False) as client:

        async def counts() -> list[int]:
            paths = ("/v1/vector_stores", "/v1/files")
            return [len((await client.get(path)).json()["data"]) for path in paths]

        before = await counts()
        async with shelf(server.address, [BenchDocument("a.md", "A word.")]):
            assert await counts() == [number + 1 for number in before]
        assert await counts() == before


async def test_a_document_that_cannot_be_read_is_told(server: RunningServer) -> None:
    with pytest.raises(ConnectError):
        async with shelf(server.address, [BenchDocument("a.md", "")]):
            pass


async def test_a_persona_is_met_again_with_the_history(server: RunningServer) -> None:
    [script] = read_personas(PERSONA)
    turns = await persona_dialogue.play(Target("").at(server.address), script, lambda _: None)
    assert [turn.failure for turn in turns] == ["", "", ""]
    assert turns[1].answer == "You said: Two."
    assert len(turns[2].exchanges) == 2  # "You said: Go on?" asks, so it is told to go on
