from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

import numpy as np
import pytest

from vivavoce.engines.router import SynthesizerRouter
from vivavoce.errors import ClientError, EngineError
from vivavoce.types import Language, Samples, SpeakOptions, Voice


class Recorder:
    """A synthesizer that remembers what it was asked to say."""

    def __init__(self, voices: Mapping[str, frozenset[Language]], rate_hz: int = 24_000) -> None:
        self.rate_hz = rate_hz
        self.voices = voices
        self.said: list[tuple[str, str, Language, float]] = []
        self.stopped = 0
        self.closed = False

    async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Samples, None]:
        self.said.append((text, options.voice, options.language, options.speed))
        try:
            yield np.zeros(1, np.float32)
            yield np.ones(1, np.float32)
        finally:
            self.stopped += 1

    def close(self) -> None:
        self.closed = True


VOICES = {
    "anna": Voice("anna", "female", "", {"en": ("small", "a"), "zh": ("big", "z"), "ja": ("big", "j")}),
    "otto": Voice("otto", "male", "", {"zh": ("big", "m")}),
}


@pytest.fixture
def small() -> Recorder:
    return Recorder({"a": frozenset({"en"})})


@pytest.fixture
def big() -> Recorder:
    return Recorder({name: frozenset({language}) for name, language in (("z", "zh"), ("j", "ja"), ("e", "en"))})


@pytest.fixture
def router(small: Recorder, big: Recorder) -> SynthesizerRouter:
    return SynthesizerRouter({"small": small, "big": big}, VOICES)


@pytest.mark.parametrize(
    ("text", "language", "route"),
    [
        ("Hello.", "en", ("small", "a", "en")),
        ("你好。", "zh", ("big", "z", "zh")),
        ("你好。", "zh-CN", ("big", "z", "zh")),
        ("こんにちは。", "ja", ("big", "j", "ja")),
        ("東京です。", "xx", ("big", "j", "ja")),
        ("漢字", "xx", ("big", "z", "zh")),
        ("Bonjour.", "fr", ("small", "a", "en")),
    ],
)
def test_voice_and_language_choose_the_synthesizer(
    router: SynthesizerRouter, text: str, language: Language, route: tuple[str, str, Language]
) -> None:
    assert router.route(text, "anna", language) == route


def test_a_voice_speaks_its_first_language_when_it_has_no_better(router: SynthesizerRouter) -> None:
    assert router.route("Hello.", "otto", "en") == ("big", "m", "zh")


def test_another_synthesizer_takes_over_from_one_that_is_not_loaded(big: Recorder) -> None:
    assert SynthesizerRouter({"big": big}, VOICES).route("Hello.", "anna", "en") == ("big", "e", "en")


def test_nobody_to_take_over_is_an_error(small: Recorder) -> None:
    with pytest.raises(EngineError, match="big: is not loaded"):
        SynthesizerRouter({"small": small}, VOICES).route("你好", "otto", "zh")


async def test_pieces_and_arguments_pass_through(router: SynthesizerRouter, small: Recorder) -> None:
    pieces = [piece async for piece in router.speak("Hello.", SpeakOptions("anna", "en", 1.5))]
    assert len(pieces) == 2
    assert small.said == [("Hello.", "a", "en", 1.5)]


async def test_closing_stops_the_synthesizer_at_once(router: SynthesizerRouter, small: Recorder) -> None:
    speech = router.speak("Hello.", SpeakOptions("anna", "en"))
    await anext(speech)
    await speech.aclose()
    assert small.stopped == 1


async def test_an_unknown_voice_is_the_clients_error(router: SynthesizerRouter) -> None:
    with pytest.raises(ClientError, match="voice 'nobody' is not valid"):
        await anext(router.speak("Hello.", SpeakOptions("nobody", "en")))


def test_an_engines_own_voices_can_be_named(router: SynthesizerRouter) -> None:
    assert router.route("Hello.", "e", "en") == ("big", "e", "en")
    assert router.voices["e"] == {"en"}
    assert router.voices["anna"] == {"en", "zh", "ja"}


def test_synthesizers_of_another_rate_are_refused() -> None:
    with pytest.raises(EngineError, match="16000 Hz"):
        SynthesizerRouter({"slow": Recorder({}, rate_hz=16_000)}, VOICES)


async def test_close_closes_all(router: SynthesizerRouter, small: Recorder, big: Recorder) -> None:
    await router.close()
    assert small.closed
    assert big.closed


async def _say(router: SynthesizerRouter, text: str, voice: str = "anna") -> list[Samples]:
    return [samples async for samples in router.speak(text, SpeakOptions(voice, "en"))]


async def test_a_short_clause_is_made_twice_and_then_at_hand(router: SynthesizerRouter, small: Recorder) -> None:
    said = [await _say(router, "Sure, ") for _ in range(4)]
    assert len(small.said) == 2
    for pieces in said:
        assert [piece.tolist() for piece in pieces] == [piece.tolist() for piece in said[0]]


async def test_a_clause_that_was_broken_off_is_not_kept(router: SynthesizerRouter, small: Recorder) -> None:
    await _say(router, "Sure, ")
    broken = router.speak("Sure, ", SpeakOptions("anna", "en"))
    await anext(broken)
    await broken.aclose()
    await _say(router, "Sure, ")
    assert len(small.said) == 3


async def test_long_clauses_other_voices_and_other_speeds_are_not_mixed_up(
    router: SynthesizerRouter, small: Recorder
) -> None:
    for _ in range(3):
        await _say(router, "This clause is too long to come again. ")
        await _say(router, "Sure, ")
        async for _samples in router.speak("Sure, ", SpeakOptions("anna", "en", 1.5)):
            pass
    assert [text for text, *_ in small.said].count("Sure, ") == 4
    assert len(small.said) == 7


async def test_a_voice_that_is_replaced_speaks_anew(router: SynthesizerRouter, small: Recorder) -> None:
    for _ in range(3):
        await _say(router, "Sure, ")
    router.add(VOICES["anna"])
    await _say(router, "Sure, ")
    assert len(small.said) == 3
