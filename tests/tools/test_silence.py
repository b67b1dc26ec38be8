"""Words of ours into silence: when they are due, and when not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from time import monotonic

import pytest

from vivavoce.tools.silence import LEAST_PATIENCE_S, Filler, SilenceWatch, TurnEnd
from vivavoce.types import GenerationEvent, TextDelta


async def late(delay_s: float, *words: str) -> AsyncGenerator[GenerationEvent, None]:
    await asyncio.sleep(delay_s)
    for word in words:
        yield TextDelta(word)


async def heard(watch: SilenceWatch, delay_s: float) -> list[str]:
    return [
        event.text
        async for event in watch.until_words(late(delay_s, "It ", "is."))
        if isinstance(event, TextDelta | Filler)
    ]


async def test_words_that_come_late_are_announced_once() -> None:
    watch = SilenceWatch(20, "One moment.")
    assert await heard(watch, 0.2) == ["One moment. ", "It ", "is."]
    assert await heard(watch, 0.1) == ["It ", "is."]


async def test_words_in_time_and_without_fillers_are_not() -> None:
    assert await heard(SilenceWatch(5000, "One moment."), 0.0) == ["It ", "is."]
    assert await heard(SilenceWatch(None, "One moment."), 0.05) == ["It ", "is."]
    assert await heard(SilenceWatch(0, ""), 0.05) == ["It ", "is."]


async def test_silence_before_the_end_of_the_turn_is_the_users() -> None:
    over = TurnEnd()
    assert await heard(SilenceWatch(10, "One moment.", over), 0.1) == ["It ", "is."]
    asyncio.get_running_loop().call_later(0.05, over.over, None)
    assert await heard(SilenceWatch(10, "One moment.", over), 0.4) == ["One moment. ", "It ", "is."]


@pytest.mark.parametrize("prepared", [True, False])
async def test_silence_counts_from_the_users_last_sound(*, prepared: bool) -> None:
    over, silent_since = TurnEnd(), monotonic() - 30
    if prepared:
        asyncio.get_running_loop().call_later(0.01, over.over, silent_since)
    else:
        over.over(silent_since)
    watch = SilenceWatch(20_000, "One moment.", over)
    assert await heard(watch, LEAST_PATIENCE_S * 10) == ["One moment. ", "It ", "is."]


async def test_an_answer_about_to_come_is_not_announced_however_late() -> None:
    over = TurnEnd()
    over.over(monotonic() - 30)
    assert await heard(SilenceWatch(0, "One moment.", over), LEAST_PATIENCE_S / 10) == ["It ", "is."]


async def test_who_is_closed_leaves_nothing_behind() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncGenerator[GenerationEvent, None]:
        try:
            await asyncio.sleep(60)
            yield TextDelta("never")
        finally:
            ended.set()

    words = SilenceWatch(10, "One moment.").until_words(endless())
    assert await anext(words) == Filler("One moment. ")
    await words.aclose()
    assert ended.is_set()
