"""A short refinement with the real models: told, stopped while somebody is served, ended, and kept for a gain only."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from recordings import HERE
from vivavoce.audio.encoding import encode
from vivavoce.config import load_config
from vivavoce.engines.base import Recognizer, SpeakerVerifier, SpeechDetector, VectorSynthesizer
from vivavoce.engines.kokoro.synthesizer import KokoroSynthesizer
from vivavoce.runtime.engines import EngineLoader, Engines, synthesizer_router
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.vad_batcher import VadBatcher
from vivavoce.runtime.voices import VoiceLibrary, refining
from vivavoce.runtime.voices.enrolment import CLIP_HZ
from vivavoce.runtime.voices.refining import MIN_GAIN, UNFINISHED
from vivavoce.runtime.voices.service import CreateVoice
from vivavoce.store.store import open_store
from vivavoce.voices.style_space import StyleSpace
from vivavoce.voices.tables import RefinementRow, VoiceRow

pytestmark = [pytest.mark.real, pytest.mark.slow]

SAID = "The boat went slowly up the river, and nobody on board said a word until the evening came."
OWNER = "somebody"
POPULATION = 6
"""Voices a step of the search tries; refinements have twice as many, each of them a second of work."""


@dataclass
class Real:
    library: VoiceLibrary
    synthesizer: VectorSynthesizer
    busy: list[bool] = field(default_factory=lambda: [False])

    async def clip(self) -> io.BytesIO:
        """A voice that is not among the built-in ones, and no blend of them."""
        builtin_voices = list(self.synthesizer.builtin_voices.values())
        space = StyleSpace(builtin_voices)
        middle = np.mean(builtin_voices, axis=0).astype(np.float16)
        move = np.random.default_rng(5).standard_normal(space.dimensions)
        speech = await self.synthesizer.synthesize_offline(SAID, space.moved(middle, move))
        return io.BytesIO(encode((0.3 * speech / np.abs(speech).max()).astype(np.float32), "flac", CLIP_HZ))

    async def made(self) -> VoiceRow:
        row, _ = await self.library.service.create(OWNER, await self.clip(), CreateVoice(text=SAID))
        return row

    async def until(self, voice: VoiceRow, reached: Callable[[RefinementRow], bool]) -> RefinementRow:
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            job = await self.library.refiner.current(OWNER, voice.id)
            assert job is not None
            if reached(job):
                return job
            await asyncio.sleep(0.05)
        raise AssertionError("it was not reached")


@dataclass(frozen=True)
class Ear:
    """The real engines that listen, loaded once."""

    detector: SpeechDetector
    recognizer: Recognizer
    verifier: SpeakerVerifier


@pytest.fixture(scope="module")
def ear() -> Iterator[Ear]:
    loader = EngineLoader(load_config())
    loaded = Ear(loader.speech_detector(), loader.recognizer(), loader.speaker_verifier())
    yield loaded
    for engine in (loaded.detector, loaded.recognizer, loaded.verifier):
        engine.close()


@pytest.fixture
async def real(
    ear: Ear, kokoro: KokoroSynthesizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Real]:
    monkeypatch.setattr(refining, "POPULATION", POPULATION)
    config = load_config({"storage": {"url": f"sqlite:///{tmp_path / 'a.db'}", "blobs": str(tmp_path / "blobs")}})
    voices = config.voices.model_copy(update={"refine_evaluations": POPULATION})
    nothing = cast(Any, None)
    engines = Engines(
        VadBatcher(ear.detector),
        Recognition(ear.recognizer),
        synthesizer_router({"kokoro": kokoro}),
        {},
        nothing,
        nothing,
        ear.verifier,
        HERE,
    )
    store = await open_store(config)
    assert isinstance(kokoro, VectorSynthesizer)
    busy = [False]
    library = VoiceLibrary(voices, store, engines, lambda: busy[0])
    try:
        yield Real(library, kokoro, busy)
    finally:
        await library.close()
        await store.close()
        kokoro.end_offline_synthesis()


async def test_it_is_told_makes_way_and_is_kept_for_a_gain_only(real: Real) -> None:
    voice = await real.made()
    assert (voice.kind, voice.refined) == ("match", False)
    begun = await real.library.refiner.begin(OWNER, voice.id)
    assert (begun.status, begun.done, begun.planned) == ("queued", 0, POPULATION)

    await real.until(voice, lambda job: job.done >= 2)
    real.busy[0] = True
    await asyncio.sleep(0.5)  # what was about to be written down is written down
    held = await real.until(voice, lambda job: True)
    await asyncio.sleep(3)  # time for two evaluations
    assert (await real.until(voice, lambda job: True)).done == held.done < POPULATION
    real.busy[0] = False

    job = await real.until(voice, lambda job: job.status not in UNFINISHED)
    assert (job.status, job.done) == ("completed", POPULATION)
    assert job.before is not None
    assert job.after is not None
    after = await real.library.own.voice(OWNER, voice.id)
    assert after.refined is job.kept
    if job.kept:
        assert job.after >= job.before + MIN_GAIN
        assert after.pack != voice.pack
    else:
        assert job.reason
        assert (after.pack, after.similarity) == (voice.pack, voice.similarity)


async def test_it_can_be_ended_in_the_middle(real: Real) -> None:
    voice = await real.made()
    await real.library.refiner.begin(OWNER, voice.id)
    await real.until(voice, lambda job: job.done >= 1)
    ended = await real.library.refiner.cancel(OWNER, voice.id)
    assert ended is not None
    assert (ended.status, ended.kept) == ("cancelled", False)
    assert ended.done < POPULATION
    after = await real.library.own.voice(OWNER, voice.id)
    assert (after.refined, after.pack, after.similarity) == (False, voice.pack, voice.similarity)
