"""Texts nobody writes, through every front end and a server with a real voice: nothing raises, nothing ends.

Before: 37 digits or ``①Open the app.`` made the English front end raise; a request was answered with 500 and a speech socket
or a conversation with it was closed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

import httpx
import pytest
from websockets.asyncio.client import connect

from running import RunningServer, running, talking
from vivavoce.config import load_config
from vivavoce.engines.base import EngineContext
from vivavoce.engines.hibari import load
from vivavoce.engines.kokoro.chinese import Chinese
from vivavoce.engines.kokoro.japanese import Japanese
from vivavoce.engines.kokoro.model import load_vocabulary
from vivavoce.engines.phonemes.english import English
from vivavoce.engines.safe_phonemizer import SafePhonemizer, plain
from vivavoce.types import SpeakOptions

DIGITS = "9" * 37
CIRCLED = "①Open the app."

ODD = "①㉑½²³⁻¹٣१२Ⅷ€£¥₩$%‰°℃#@&*+-−=≥≤±≈√/\\|~^_()[]{}<>«»“”‘’'\"…—–·•™©®№\u200d\ufe0f\u0301\u20e3\x00\x07\ud7ff\uffff"
LETTERS = ("abcXYZ ", "你好二两零元 ", "はいカンッー気 ", "안녕 ", "مرحبا ", "привет ", "กขค ")
POOLS = (ODD, "0123456789", "0123456789.,:/-%", *LETTERS)
PLANES = ((0, 0x2FFF), (0x3000, 0xD7FF), (0xE000, 0x1FFFF), (0x20000, 0x10FFFF))


def odd_texts(seed: int, count: int) -> Iterator[str]:
    """Long digits, characters of all of Unicode, marks and scripts mixed."""
    chance = random.Random(seed)
    for _ in range(count):
        match chance.randrange(6):
            case 0:
                yield "".join(chance.choices("0123456789", k=chance.randint(1, 300)))
            case 1:
                ranges = chance.choices(PLANES, k=chance.randint(1, 30))
                yield "".join(chr(chance.randint(*one)) for one in ranges)
            case _:
                yield "".join(chance.choice(chance.choice(POOLS)) for _ in range(chance.randint(1, 60)))


@pytest.fixture(scope="module")
def front_ends() -> dict[str, Callable[[str], str]]:
    english = English()
    return {
        "American": english,
        "British": English(british=True),
        "Japanese": Japanese(english),
        "Chinese": Chinese(english),
    }


def test_no_text_makes_a_front_end_raise(front_ends: dict[str, Callable[[str], str]]) -> None:
    for text in odd_texts(1, 250):
        for name, phonemes in front_ends.items():
            assert isinstance(phonemes(text), str), (name, text)


@pytest.mark.parametrize("text", [DIGITS, f"Order {DIGITS} please.", CIRCLED, "1" * 400])
def test_what_cannot_be_read_is_read_more_plainly(front_ends: dict[str, Callable[[str], str]], text: str) -> None:
    known = load_vocabulary()
    for phonemes in front_ends.values():
        spoken = phonemes(text)
        assert sum(char in known and char.isalpha() for char in spoken) >= 8


def test_only_the_word_that_cannot_be_read_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    def read(text: str) -> str:
        if "x" in text or "7" in text.split(" ")[0][1:]:
            raise ValueError(text)
        return text

    phonemizer = SafePhonemizer("a test", read)
    assert phonemizer("one two 77 xx three") == "one two 7 7 three"
    assert "leaves out" in caplog.text
    assert "xx" not in caplog.text


@pytest.mark.parametrize(("word", "said"), [("①O", "1 O"), ("١٢", "1 2"), ("a\x00b", "a b"), ("☃", ""), ("x²", "x 2")])
def test_plain_words_are_letters_and_single_digits(word: str, said: str) -> None:
    assert plain(word) == said


async def test_odd_texts_are_synthesised() -> None:
    def no_weights(name: str) -> None:
        raise AssertionError(name)

    synthesizer = load(EngineContext(weights=no_weights, threads=1, capacity=1))  # type: ignore[arg-type]
    try:
        for text in (DIGITS, CIRCLED, *(text[:40] for text in odd_texts(2, 20))):
            pieces = [piece async for piece in synthesizer.speak(text, SpeakOptions("heart", "en"))]
            assert all(piece.ndim == 1 for piece in pieces)
            assert pieces or text not in (DIGITS, CIRCLED)
    finally:
        synthesizer.close()


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running(load_config({"engines": {"speakers": ["hibari"]}}, profile="fake")) as started:
        yield started


@pytest.mark.parametrize("text", [DIGITS, CIRCLED])
def test_a_request_for_it_is_answered(server: RunningServer, text: str) -> None:
    body = {"model": "kokoro", "voice": "heart", "input": text, "response_format": "pcm"}
    answer = httpx.post(f"{server.http}/v1/audio/speech", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) > 24_000


async def test_a_speech_socket_says_it_and_goes_on(server: RunningServer) -> None:
    async with connect(f"{server.ws}/v1/realtime/audio?model=step-tts-2", max_size=None) as socket:
        session_id = json.loads(await socket.recv())["data"]["session_id"]
        frames = [
            {"type": "tts.create", "data": {"session_id": session_id, "voice_id": "heart", "response_format": "pcm"}},
            {"type": "tts.text.delta", "data": {"session_id": session_id, "text": f"{DIGITS}. {CIRCLED} And on."}},
            {"type": "tts.text.done", "data": {"session_id": session_id}},
        ]
        for frame in frames:
            await socket.send(json.dumps(frame))
        kinds = [json.loads(answer)["type"] async for answer in socket]
    assert kinds[-1] == "tts.response.audio.done"
    assert "tts.response.error" not in kinds
    assert socket.close_code == 1000


async def test_a_conversation_says_it_and_goes_on(server: RunningServer) -> None:
    async with talking(server) as talker:
        await talker.send(type="session.update", session={"voice": "heart"})
        for text in (DIGITS, CIRCLED):
            await talker.say(text)
            await talker.send(type="response.create")
            events = await talker.until("response.done")
            assert events[-1]["response"]["status"] == "completed"
            assert any(event["type"].endswith("audio.delta") for event in events)
