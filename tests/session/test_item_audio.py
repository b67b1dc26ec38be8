"""Audio of items: decoded ahead piece by piece it is what it is decoded whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vivavoce.audio.audio_format import AudioFormat
from vivavoce.errors import ClientError
from vivavoce.protocol.items import NewItem, Part
from vivavoce.session import item_audio
from vivavoce.session.item_audio import PIECE_BYTES, ItemAudio

PCM = AudioFormat(rate_hz=24_000)
HEARING_HZ = 16_000


def item(*audio: bytes) -> NewItem:
    return NewItem(role="user", content=tuple(Part(type="input_audio", audio=one) for one in audio))


def noise(size: int) -> bytes:
    return np.random.default_rng(size).integers(-3000, 3000, size // 2, dtype=np.int16).tobytes() + b"\0" * (size % 2)


def test_ahead_or_not_is_the_same() -> None:
    decoding, long, short = ItemAudio(HEARING_HZ), noise(5 * PIECE_BYTES + 10), noise(100)
    steps = sum(1 for _ in decoding.decode_ahead([item(long, short), item(long)], PCM))
    assert steps == 2 * (6 + 1)
    ahead = decoding.decoded(long, PCM)
    again = decoding.decoded(long, PCM)  # nothing is kept for later
    np.testing.assert_array_equal(ahead, again)
    assert len(ahead) == pytest.approx(len(long) / 2 * HEARING_HZ / 24_000, abs=2)
    assert len(decoding.decoded(short, PCM)) > 0


def test_another_audio_is_never_taken_for_one_of_an_event_that_was_broken_off() -> None:
    decoding = ItemAudio(HEARING_HZ)
    first = noise(2 * PIECE_BYTES)
    list(decoding.decode_ahead([item(first)], PCM))
    other, (entry,) = noise(70), decoding._ahead.values()
    decoding._ahead = {id(other): entry}  # as if the id of the first had been given away again
    assert len(decoding.decoded(other, PCM)) < 100


def test_what_is_wrong_is_said_when_the_event_is_taken() -> None:
    decoding, odd = ItemAudio(HEARING_HZ), noise(2 * PIECE_BYTES + 1)
    list(decoding.decode_ahead([item(odd)], PCM))
    with pytest.raises(ClientError):
        decoding.decoded(odd, PCM)


def test_audio_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_audio, "MAX_S", 5.0)
    decoding, long = ItemAudio(HEARING_HZ), noise(4 * PIECE_BYTES)
    decode: Callable[[], object] = lambda: decoding.decoded(long, PCM)  # noqa: E731
    for ahead in (True, False):
        if ahead:
            assert sum(1 for _ in decoding.decode_ahead([item(long)], PCM)) == 2
        with pytest.raises(ClientError) as refused:
            decode()
        assert refused.value.code == "audio_too_long"


def test_what_has_its_words_is_not_decoded() -> None:
    told = NewItem(role="user", content=(Part(type="input_audio", audio=noise(4 * PIECE_BYTES), transcript="Hi"),))
    assert not list(ItemAudio(HEARING_HZ).decode_ahead([told], PCM))
