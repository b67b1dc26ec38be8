"""What a session takes of a frame: long audio in slices, whole or not at all."""

from __future__ import annotations

import base64
import json

from calls_per_frame import fake_engines, fake_session, no_tools

from runtime.client import tone
from vivavoce.protocol.client_events import AudioAppend
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.frame_reader import APPEND_SLICE_BYTES, LARGE_FRAME, FrameReader
from vivavoce.runtime.lookups import Lookups
from vivavoce.session.inputs import Refused, SessionInput, SpeechProbabilities
from vivavoce.session.outputs import Listen


class Reading:
    """A reader whose session is there, and what it is told."""

    def __init__(self) -> None:
        session, engines = fake_session(), fake_engines()
        self.taken: list[SessionInput] = []

        async def usable(voice: str) -> str:
            return voice

        def take(session_input: SessionInput) -> None:
            self.taken.append(session_input)
            for output in session.receive(session_input, 100.0):
                if isinstance(output, Listen):
                    self.reader.listen(output)

        lookups = Lookups(session, usable, no_tools("owner"), engines.language_models["fake"])
        self.reader = FrameReader(session, Translator(DIALECTS["stepfun"]), lookups, engines.vad, take)

    async def append(self, audio: bytes) -> None:
        event = {"type": "input_audio_buffer.append", "event_id": "e", "audio": base64.b64encode(audio).decode()}
        await self.reader.read(json.dumps(event))


async def test_what_is_heard_in_a_frame_comes_before_the_next_one() -> None:
    reading = Reading()
    await reading.append(tone(500))
    await reading.append(bytes(48 * 500))
    kinds = [type(session_input) for session_input in reading.taken]
    assert kinds == [AudioAppend, SpeechProbabilities, AudioAppend, SpeechProbabilities]
    loud, silent = (session_input for session_input in reading.taken if isinstance(session_input, SpeechProbabilities))
    assert min(loud.probabilities) > 0.5 > max(silent.probabilities[1:])


async def test_a_long_append_comes_in_slices_that_are_heard_one_after_the_other() -> None:
    reading, audio = Reading(), tone(10_000)
    assert len(audio) > LARGE_FRAME, "it is parsed on a thread, too"
    await reading.append(audio)
    slices = [session_input.audio for session_input in reading.taken if isinstance(session_input, AudioAppend)]
    assert b"".join(slices) == audio
    assert len(slices) == 5
    assert max(map(len, slices)) <= APPEND_SLICE_BYTES
    assert [isinstance(session_input, AudioAppend) for session_input in reading.taken] == [True, False] * 5


async def test_a_long_append_that_cannot_be_taken_is_refused_as_a_whole() -> None:
    reading = Reading()
    await reading.append(tone(10_000) + b"\0")
    (refused,) = reading.taken
    assert isinstance(refused, Refused)
    assert refused.error.event_id == "e"


async def test_nothing_is_taken_of_a_conversation_that_is_over() -> None:
    reading = Reading()
    reading.reader.close()
    await reading.append(tone(500))
    assert not reading.taken
