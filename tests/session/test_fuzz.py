"""Spoiled events through every dialect into the pure core. ``--fuzz-events 100000`` makes it long."""

from __future__ import annotations

import gc
import random
from typing import Any

import pytest

from fuzzing import Fuzzer, assert_names_its_fault
from session.driving import VAD, Driven, speech
from vivavoce.errors import ClientError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import DialectName, encode
from vivavoce.protocol.translator import Translator
from vivavoce.session.inputs import (
    PartialTranscript,
    Recognised,
    RecognitionFailed,
    Refused,
    Replied,
    SpeechProbabilities,
)
from vivavoce.session.outputs import Listen, Output, Send, StartReply, Transcribe, TranscribePartially
from vivavoce.types import (
    ClauseCut,
    ClauseSpoken,
    GenerationEnd,
    ReplyEnd,
    ReplyEvent,
    Speech,
    TextDelta,
    ToolCall,
    Transcript,
)

EVENTS_A_SESSION = 400
EVENTS_A_CHECK = 4_000


class World:
    """A session with engines that do their work at random times, and a client that sends rubbish."""

    def __init__(self, fuzzer: Fuzzer, chance: random.Random) -> None:
        self.fuzzer = fuzzer
        self.chance = chance
        self.driven = Driven(VAD, audio_lead_ms=500, buffer_ms=5000)
        self.translator = Translator(DIALECTS[fuzzer.dialect])
        self.to_do: list[Any] = []
        self.answered = 0

    def step(self) -> None:
        frame, event_id = self.fuzzer.frame()
        try:
            session_input: Any = self.translator.decode(frame)
        except ClientError as error:
            session_input = Refused(error)
        errors = self.driven.events(ev.Error, self.feed(session_input))
        assert len(errors) == 1 or (not errors and not isinstance(session_input, Refused)), "one error an event"
        for event in errors:
            assert_names_its_fault(event.error, event_id)
            self.answered += 1
        while self.to_do and self.chance.random() < 0.6:
            self.feed(*self.work(self.to_do.pop(self.chance.randrange(len(self.to_do)))))
        if self.chance.random() < 0.1:
            self.notice(self.driven.wait(self.chance.random() * 3))
        self.driven.outputs.clear()

    def feed(self, *inputs: Any) -> list[Output]:
        fresh = self.driven.take(*inputs)
        self.notice(fresh)
        return fresh

    def notice(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(event=event):
                    assert all(encode(event, DIALECTS[self.fuzzer.dialect]))
                    if isinstance(event, ev.ItemCreated):
                        self.fuzzer.known_ids.append(event.item.id)
                case Listen() | Transcribe() | TranscribePartially() | StartReply():
                    self.to_do.append(output)

    def work(self, work: Any) -> list[Any]:
        match work:
            case Listen(frames=frames):
                return [SpeechProbabilities(frames.position, [self.chance.choice([0.0, 0.9])] * len(frames.frames))]
            case Transcribe() if self.chance.random() < 0.1:
                return [RecognitionFailed(work.item_id, work.content_index, "no")]
            case Transcribe():
                text = self.chance.choice(["", "hello", "Mhm."])
                return [Recognised(work.item_id, work.content_index, Transcript(text, "en"))]
            case TranscribePartially():
                return [
                    PartialTranscript(
                        work.item_id, work.until, Transcript(self.chance.choice(["", "so it", "so"]), "en")
                    )
                ]
        events: list[ReplyEvent] = [TextDelta("Well. "), ClauseCut(0, "Well. "), ClauseSpoken(0)]
        if work.voice is not None:
            events.insert(2, Speech(0, speech(self.chance.choice([10, 900]))))
        if self.chance.random() < 0.2:
            events.append(ToolCall("c", "lamp", "{}"))
        return [Replied(work.response_id, event) for event in (*events, GenerationEnd("stop"), ReplyEnd())]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_spoiled_events_are_answered_and_survived(dialect: DialectName, pytestconfig: pytest.Config) -> None:
    count = pytestconfig.getoption("fuzz_events") // len(DIALECTS) + 1
    fuzzer, chance = Fuzzer(1, dialect), random.Random(2)
    world, alive, answered = World(fuzzer, chance), [], 0
    for number in range(1, count + 1):
        world.step()
        if number % EVENTS_A_SESSION == 0:
            answered += world.answered
            world = World(fuzzer, chance)
            del fuzzer.known_ids[4:]
        if number % EVENTS_A_CHECK == 0:
            gc.collect()
            alive.append(len(gc.get_objects()))
    assert answered + world.answered > count // 4, "most of it is bad"
    if len(alive) > 2:
        assert max(alive[2:]) < alive[1] + 20_000, "sessions leave nothing behind"
