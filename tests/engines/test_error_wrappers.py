"""Whatever an engine raises or gives, what comes out of it is what its Protocol says, or an ``EngineError``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import numpy as np
import pytest

from vivavoce.engines.contract import shortcomings
from vivavoce.engines.error_wrappers import ERROR_WRAPPERS
from vivavoce.engines.fake import (
    FakeEmbedder,
    FakeEndOfTurnModel,
    FakeLanguageModel,
    FakeRecognizer,
    FakeSpeakerVerifier,
    FakeSynthesizer,
)
from vivavoce.engines.registry import EngineKind
from vivavoce.engines.router import SynthesizerRouter
from vivavoce.errors import ClientError, EngineError
from vivavoce.types import (
    EmbedOptions,
    GenerationOptions,
    Message,
    SpeakOptions,
    TranscribeOptions,
    Transcript,
    Vectors,
)

SECOND = np.zeros(16_000, np.float32)
FAKES: dict[EngineKind, Any] = {
    "recognizers": FakeRecognizer,
    "language_models": lambda: FakeLanguageModel(1),
    "turn_scorers": FakeEndOfTurnModel,
    "speaker_verifiers": FakeSpeakerVerifier,
    "embedders": FakeEmbedder,
    "speakers": FakeSynthesizer,
}
ASKED: dict[EngineKind, tuple[str, tuple[Any, ...]]] = {
    "recognizers": ("transcribe", (SECOND, TranscribeOptions())),
    "language_models": ("generate", ((Message("user", "Hello"),), GenerationOptions())),
    "turn_scorers": ("score", (SECOND,)),
    "speaker_verifiers": ("embed", (SECOND,)),
    "embedders": ("embed", (["a text"], EmbedOptions())),
    "speakers": ("speak", ("Hello.", SpeakOptions("fake", "en"))),
}
"""Of each kind its verb, and something to ask."""


def wrapped(kind: EngineKind, engine: Any) -> Any:
    return SynthesizerRouter({"theirs": engine}, {}) if kind == "speakers" else ERROR_WRAPPERS[kind]("theirs", engine)


async def answer(kind: EngineKind, engine: Any) -> list[Any]:
    verb, arguments = ASKED[kind]
    given = getattr(wrapped(kind, engine), verb)(*arguments)
    return [one async for one in given] if hasattr(given, "__aiter__") else [await given]


@pytest.mark.parametrize("kind", FAKES)
async def test_what_is_given_comes_through(kind: EngineKind) -> None:
    verb, arguments = ASKED[kind]
    given = getattr(FAKES[kind](), verb)(*arguments)
    bare = [one async for one in given] if hasattr(given, "__aiter__") else [await given]
    assert repr(await answer(kind, FAKES[kind]())) == repr(bare)


@pytest.mark.parametrize("error", [OSError("secret"), TypeError("secret"), RuntimeError("secret")])
@pytest.mark.parametrize("kind", FAKES)
async def test_an_unexpected_error_is_one_of_the_engine(
    kind: EngineKind, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    engine = FAKES[kind]()

    def fails(*_: Any) -> Any:
        raise error

    setattr(engine, ASKED[kind][0], fails)
    with pytest.raises(EngineError) as failure:
        await answer(kind, engine)
    assert str(failure.value) == f"theirs: failed: {type(error).__name__}"
    assert caplog.records[0].exc_info


@pytest.mark.parametrize("error", [EngineError("theirs", "busy", retriable=True), ClientError("no", code="x")])
@pytest.mark.parametrize("kind", FAKES)
async def test_errors_of_ours_stay_what_they_are(kind: EngineKind, error: Exception) -> None:
    engine = FAKES[kind]()

    def fails(*_: Any) -> Any:
        raise error

    setattr(engine, ASKED[kind][0], fails)
    with pytest.raises(type(error)) as failure:
        await answer(kind, engine)
    assert failure.value is error


async def test_an_error_in_the_middle_comes_after_what_was_given() -> None:
    class Breaking(FakeRecognizer):
        async def transcribe(self, samples: Any, options: Any) -> AsyncGenerator[Transcript, None]:
            yield Transcript("first", "en")
            raise OSError

    events = wrapped("recognizers", Breaking()).transcribe(SECOND, TranscribeOptions())
    assert (await anext(events)).text == "first"
    with pytest.raises(EngineError):
        await anext(events)


async def test_numbers_of_another_width_are_taken_and_other_shapes_refused() -> None:
    class Wide(FakeSynthesizer):
        shape: tuple[int, ...] = (240,)

        async def speak(self, text: str, options: SpeakOptions) -> AsyncGenerator[Any, None]:
            yield np.zeros(self.shape)

    [samples] = await answer("speakers", Wide())
    assert (samples.dtype, samples.shape) == (np.float32, (240,))
    Wide.shape = (240, 2)
    with pytest.raises(EngineError, match=r"samples of shape \[240, 2\], not \[n\]"):
        await answer("speakers", Wide())

    class WideVectors(FakeEmbedder):
        rows = 1

        async def embed(self, texts: Sequence[str], options: EmbedOptions) -> Vectors:
            return np.ones((self.rows, self.dimensions))  # type: ignore[return-value]

    [vectors] = await answer("embedders", WideVectors())
    assert vectors.dtype == np.float32
    WideVectors.rows = 2
    with pytest.raises(EngineError, match=r"vectors of shape \[2, 256\], not \[1, 256\]"):
        await answer("embedders", WideVectors())


def test_how_much_a_recogniser_hears_at_once_comes_through() -> None:
    class Several(FakeRecognizer):
        parallel = 3

    assert (wrapped("recognizers", Several()).parallel, wrapped("recognizers", FakeRecognizer()).parallel) == (3, 1)


async def test_a_text_is_no_transcript() -> None:
    class Plain(FakeRecognizer):
        async def transcribe(self, samples: Any, options: Any) -> AsyncGenerator[Any, None]:
            yield "hello"

    with pytest.raises(EngineError, match="yielded str, not Transcript"):
        await answer("recognizers", Plain())


@pytest.mark.parametrize("kind", FAKES)
def test_every_fake_has_what_its_kind_has(kind: EngineKind) -> None:
    assert shortcomings(FAKES[kind](), kind) == []


def test_a_verb_that_returns_is_none_that_yields() -> None:
    class Returning(FakeRecognizer):
        async def transcribe(self, samples: Any, options: Any) -> Any:  # type: ignore[override]
            return Transcript("hello", "en")

    assert shortcomings(Returning(), "recognizers") == ["its 'transcribe' must yield what it has, not return it"]
