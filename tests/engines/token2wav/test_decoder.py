"""The engine: replies through a process of its own, which may be interrupted, shared, and die."""

from __future__ import annotations

import asyncio
import os
import signal
import wave
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'vivavoce[token2wav]'")

from engines.token2wav.tiny import CODEBOOK, make_token2wav
from vivavoce.engines.audio_tokens import AudioTokenOptions
from vivavoce.engines.base import EngineContext
from vivavoce.engines.contract import shortcomings
from vivavoce.engines.registry import loader
from vivavoce.engines.token2wav import decoder as decoder_module
from vivavoce.engines.token2wav.decoder import TOKEN_SAMPLES, Token2WavDecoder, load
from vivavoce.errors import EngineError
from vivavoce.types import Samples


def clip(path: Path, pitch_hz: float, seconds: float = 2.0) -> Path:
    samples = 0.4 * np.sin(np.arange(int(24_000 * seconds)) * 2 * np.pi * pitch_hz / 24_000)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", "NONE"))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def context(**settings: object) -> EngineContext:
    def no_weights(name: str) -> Path:
        raise AssertionError(name)

    return EngineContext(weights=no_weights, threads=1, capacity=1, settings=settings)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("token2wav")
    voices = {"low": str(clip(folder / "low.wav", 110)), "high": str(clip(folder / "high.wav", 700))}
    return {"folder": str(make_token2wav(folder / "files")), "voices": voices, "chunk_tokens": 10}


@pytest.fixture(scope="module")
def decoder(settings: dict[str, object]) -> Iterator[Token2WavDecoder]:
    decoder = load(context(**settings))
    yield decoder
    decoder.close()


async def runs(count: int, length: int = 7) -> AsyncIterator[Sequence[int]]:
    tokens = [number * 11 % CODEBOOK for number in range(count)]
    for start in range(0, count, length):
        yield tokens[start : start + length]


async def endless() -> AsyncIterator[Sequence[int]]:
    while True:
        yield [number % CODEBOOK for number in range(25)]


async def said(decoder: Token2WavDecoder, tokens: AsyncIterator[Sequence[int]], voice: str | None = None) -> Samples:
    async with aclosing(decoder.decode(tokens, AudioTokenOptions(voice=voice))) as pieces:
        return np.concatenate([np.zeros(0, np.float32), *[piece async for piece in pieces]])


def pid(decoder: Token2WavDecoder) -> int:
    assert decoder._process.pid is not None
    return decoder._process.pid


async def test_tokens_become_as_much_sound_however_they_come(decoder: Token2WavDecoder) -> None:
    slowly = await said(decoder, runs(40, 1))
    at_once = await said(decoder, runs(40, 40))
    assert len(slowly) == 40 * TOKEN_SAMPLES
    assert np.isfinite(slowly).all()
    assert np.abs(slowly).max() > 0.01
    assert np.array_equal(slowly, at_once)
    assert not len(await said(decoder, runs(0)))


async def test_sound_comes_while_tokens_do(decoder: Token2WavDecoder) -> None:
    heard = asyncio.Event()

    async def waiting() -> AsyncIterator[Sequence[int]]:
        yield list(range(13))
        await heard.wait()
        yield list(range(5))

    async with aclosing(decoder.decode(waiting(), AudioTokenOptions())) as pieces:
        first = await anext(pieces)
        heard.set()
        rest = [len(piece) async for piece in pieces]
    assert len(first) == 10 * TOKEN_SAMPLES - 8 * 480
    assert len(first) + sum(rest) == 18 * TOKEN_SAMPLES


async def test_each_voice_is_its_clips(decoder: Token2WavDecoder) -> None:
    assert list(decoder.voices) == ["low", "high"]
    first, low, high = [await said(decoder, runs(20), voice) for voice in (None, "low", "high")]
    assert np.array_equal(first, low)
    assert not np.allclose(low, high)


async def test_an_unknown_voice_is_told(decoder: Token2WavDecoder) -> None:
    with pytest.raises(EngineError, match="there is no voice 'me', only low, high"):
        await said(decoder, runs(3), "me")


async def test_a_wrong_token_fails_its_reply_only(decoder: Token2WavDecoder) -> None:
    async def wrong() -> AsyncIterator[Sequence[int]]:
        yield [1, CODEBOOK]

    before = pid(decoder)
    with pytest.raises(EngineError, match=rf"no audio token {CODEBOOK}"):
        await said(decoder, wrong())
    assert len(await said(decoder, runs(5))) == 5 * TOKEN_SAMPLES
    assert pid(decoder) == before


async def test_what_ends_the_tokens_ends_the_reply(decoder: Token2WavDecoder) -> None:
    async def broken() -> AsyncIterator[Sequence[int]]:
        yield [1, 2]
        raise EngineError("model", "stopped")

    with pytest.raises(EngineError, match="model: stopped"):
        await said(decoder, broken())


async def test_closing_the_iterator_stops_the_work_and_its_tokens(decoder: Token2WavDecoder) -> None:
    before, ended = pid(decoder), asyncio.Event()

    async def watched() -> AsyncIterator[Sequence[int]]:
        try:
            async for run in endless():
                yield run
        finally:
            ended.set()

    tokens = watched()
    pieces = decoder.decode(tokens, AudioTokenOptions())
    await anext(pieces)
    await pieces.aclose()
    assert ended.is_set()
    assert not decoder._replies
    assert len(await said(decoder, runs(5))) == 5 * TOKEN_SAMPLES
    assert pid(decoder) == before


async def test_tokens_are_not_taken_far_ahead_of_what_is_heard(
    decoder: Token2WavDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder_module, "LEAD_SAMPLES", 60 * TOKEN_SAMPLES)
    taken = 0

    async def counted() -> AsyncIterator[Sequence[int]]:
        nonlocal taken
        for _ in range(8):
            taken += 25
            yield [1] * 25

    pieces = decoder.decode(counted(), AudioTokenOptions())
    heard = len(await anext(pieces))
    await asyncio.sleep(0.5)
    assert taken <= 60 + 25 + 25 + heard // TOKEN_SAMPLES + 1
    heard += sum([len(piece) async for piece in pieces])
    assert heard == 200 * TOKEN_SAMPLES


async def test_replies_share_the_process_and_others_wait(decoder: Token2WavDecoder) -> None:
    first, second = (decoder.decode(endless(), AudioTokenOptions()) for _ in range(2))
    async with aclosing(first), aclosing(second):
        await anext(first)
        await anext(second)
        third = asyncio.ensure_future(said(decoder, runs(5)))
        for _ in range(3):
            await anext(first)
            await anext(second)
        assert not third.done()
        await first.aclose()
        assert len(await third) == 5 * TOKEN_SAMPLES


async def test_replies_beside_each_other_sound_as_alone(decoder: Token2WavDecoder) -> None:
    alone = [await said(decoder, runs(40), voice) for voice in ("low", "high")]
    together = await asyncio.gather(*(said(decoder, runs(40, 3), voice) for voice in ("low", "high")))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


async def test_a_process_that_dies_fails_its_replies_and_the_next_one_starts_another(
    decoder: Token2WavDecoder,
) -> None:
    before = pid(decoder)
    pieces = decoder.decode(endless(), AudioTokenOptions())
    await anext(pieces)
    os.kill(before, signal.SIGKILL)
    with pytest.raises(EngineError, match="its process ended") as caught:
        async for _ in pieces:
            pass
    assert caught.value.retriable
    assert len(await said(decoder, runs(5), "high")) == 5 * TOKEN_SAMPLES
    assert pid(decoder) != before


async def test_a_process_that_says_nothing_is_ended(decoder: Token2WavDecoder, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pid(decoder)
    os.kill(before, signal.SIGSTOP)
    monkeypatch.setattr(decoder_module, "SILENT_S", 0.3)
    with pytest.raises(EngineError, match="its process ended"):
        await said(decoder, runs(40))
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


async def test_a_reply_whose_tokens_take_their_time_is_waited_for(
    decoder: Token2WavDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await said(decoder, runs(5))

    async def slow() -> AsyncIterator[Sequence[int]]:
        for _ in range(3):
            await asyncio.sleep(0.3)
            yield [1]

    monkeypatch.setattr(decoder_module, "SILENT_S", 0.1)
    pieces = decoder.decode(slow(), AudioTokenOptions())
    first = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0.5)
    monkeypatch.setattr(decoder_module, "SILENT_S", 60.0)
    assert len(await first) == 3 * TOKEN_SAMPLES
    await pieces.aclose()


async def test_closing_ends_the_process_and_its_replies(settings: dict[str, object]) -> None:
    decoder = await asyncio.to_thread(load, context(**settings))
    child = pid(decoder)
    pieces = decoder.decode(endless(), AudioTokenOptions())
    await anext(pieces)
    decoder.close()
    decoder.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    with pytest.raises(EngineError, match="is closed"):
        async for _ in pieces:
            pass
    with pytest.raises(EngineError, match="is closed"):
        await said(decoder, runs(5))


def test_parameters_that_do_not_fit_are_named(settings: dict[str, object], tmp_path: Path) -> None:
    folder = make_token2wav(tmp_path / "wrong")
    (folder / "flow.pt").write_bytes((folder / "hift.pt").read_bytes())
    with pytest.raises(EngineError, match=r"flow.pt lacks input_embedding.weight, .* more, and has .*wrong\)"):
        load(context(**settings | {"folder": str(folder)}))


def test_it_is_found_by_its_name_and_is_what_its_kind_is(decoder: Token2WavDecoder) -> None:
    assert loader("audio_token_decoders", "token2wav") is load
    assert shortcomings(decoder, "audio_token_decoders") == []
