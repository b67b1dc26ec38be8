"""What is kept of a refinement, and how it makes way; tests/http/test_voices.py runs whole ones."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import numpy as np
import pytest

from vivavoce.config.keeping import VoicesConfig
from vivavoce.runtime.voices import refining
from vivavoce.runtime.voices.refining import Refiner, _Judged
from vivavoce.runtime.voices.voice_traits import VoiceTraits


class Busy:
    def __init__(self) -> None:
        self.now = False

    def __call__(self) -> bool:
        return self.now


def refiner(busy: Busy) -> Refiner:
    nothing = cast(Any, None)
    return Refiner(VoicesConfig(), nothing, nothing, nothing, nothing, busy)


async def test_work_is_stopped_when_somebody_is_served_and_begun_again() -> None:
    busy = Busy()
    begun: list[int] = []
    ended: list[bool] = []
    started, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        begun.append(1)
        started.set()
        if len(begun) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(busy.now)
                stopped.set()
        return "done"

    task = asyncio.create_task(refiner(busy)._when_idle(work))
    await started.wait()
    busy.now = True
    await stopped.wait()
    await asyncio.sleep(3 * refining.POLL_S)
    assert (len(begun), task.done()) == (1, False)
    busy.now = False
    assert await task == "done"
    assert (len(begun), ended) == (2, [True])


async def test_what_fails_is_not_hidden() -> None:
    async def work() -> None:
        raise ValueError("it failed")

    with pytest.raises(ValueError, match="it failed"):
        await refiner(Busy())._when_idle(work)


async def test_cancelling_stops_the_work() -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    task = asyncio.create_task(refiner(Busy())._when_idle(work))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()


@pytest.mark.parametrize(
    ("after", "kept", "reason"),
    [
        (_Judged(0.60, 0.60, 1), True, None),
        (_Judged(0.60, 0.60, 0), True, None),
        (_Judged(0.51, 0.51, 1), False, "nearer"),
        (_Judged(0.40, 0.40, 0), False, "nearer"),
        (_Judged(0.90, 0.90, 2), False, "understood worse"),
    ],
)
async def test_only_what_fresh_sentences_improve_is_kept(
    monkeypatch: pytest.MonkeyPatch, after: _Judged, kept: bool, reason: str | None
) -> None:
    found = refiner(Busy())
    judged = [_Judged(0.50, 0.50, 1), after]
    kept_with: list[float] = []
    sound = VoiceTraits(np.ones(1, np.float32), 200.0)

    async def answer(value: Any) -> Any:
        return value

    async def keep(voice: Any, vectors: Any, similarity: float) -> None:
        kept_with.append(similarity)

    monkeypatch.setattr(found, "_targets", lambda voice: answer((sound, sound, sound)))
    loaded = type("Loaded", (), {"vectors": lambda *_: answer(np.zeros((2, 2), np.float16))})
    monkeypatch.setattr(found, "_loaded_voices", loaded())
    monkeypatch.setattr(found, "_evaluate", lambda *_: answer(judged.pop(0)))
    monkeypatch.setattr(found, "_search_best", lambda *_: answer(np.ones((2, 2), np.float16)))
    monkeypatch.setattr(found, "_synthesize", lambda *_: answer(np.zeros(10, np.float32)))
    monkeypatch.setattr(found, "_save", keep)
    monkeypatch.setattr(found, "_engines", type("Engines", (), {"verifier": None}))
    monkeypatch.setattr(refining, "measure_voice", lambda *_: answer(sound))
    nothing = cast(Any, type("Row", (), {"pack": "a", "rate_hz": 24_000}))
    outcome = await found._search(nothing, nothing, nothing)
    assert outcome["kept"] is kept
    assert len(kept_with) == int(kept)
    assert (reason or "") in outcome.get("reason", "")
    assert [outcome["before"], outcome["after"]] == [0.50, after.score]
