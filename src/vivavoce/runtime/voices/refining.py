"""Makes a match better in the background: CMA-ES over the space of voices, judged by the verifier and the pitch.

It works with one thread of the lowest priority and stops in the middle of a sentence as soon as anybody is served. A result
is kept only if sentences that were not searched with sound nearer to a part of the clip that was not searched with, and are
understood no worse. More than a hundred evaluations have been seen to please the judge and nobody else.
"""

from __future__ import annotations

import asyncio
import logging
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.exc import NoResultFound

from vivavoce.config.keeping import VoicesConfig
from vivavoce.engines.base import VectorSynthesizer
from vivavoce.errors import CapacityError, ClientError, ShareError, StoreBusyError, StoreFullError, VivavoceError
from vivavoce.extras import require_extra
from vivavoce.runtime.engines import Engines
from vivavoce.runtime.shares import FairShares
from vivavoce.runtime.voices.enrolment import listen, transcribe
from vivavoce.runtime.voices.loaded_voices import LoadedVoices, packed
from vivavoce.runtime.voices.voice_traits import VoiceTraits, measure_voice
from vivavoce.scheduling import Ticket, Urgency, WorkQueue
from vivavoce.store.blobs import Blobs
from vivavoce.store.files import new_id
from vivavoce.supervision import meanwhile
from vivavoce.types import Samples
from vivavoce.voices.matching import score
from vivavoce.voices.measured_voices import SENTENCES
from vivavoce.voices.repository import OwnVoices, now_us
from vivavoce.voices.style_space import StyleSpace
from vivavoce.voices.tables import RefinementRow, VoiceRow
from vivavoce.word_errors import count_errors

log = logging.getLogger(__name__)

SEARCHED_WITH = SENTENCES[1]
FRESH = ("Please call me back when you have had some time to think about it.", "The train to the coast leaves at noon.")
POPULATION = 12
FIRST_STEP = 0.35
"""In standard deviations of the built-in voices."""

OUTLIER_WEIGHT = 0.05
DURATION_WEIGHT = 0.3
"""What it costs to speak much faster or slower than before: candidates that garble do."""

MIN_GAIN = 0.02
"""In score, on fresh sentences: less is chance."""

MAX_WAITING = 16
POLL_S = 0.1
HEARTBEAT_S = 15.0
STALE_S = 60.0
"""A refinement without a sign of life for so long has lost its server."""

UNFINISHED = frozenset({"queued", "running"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Judged:
    score: float
    similarity: float
    errors: int


class Refiner:
    """Refines one voice at a time; others wait, owners in turn. ``busy`` tells whether somebody is served, ``multiple_owners``
    whether owners share the places of those that wait.
    """

    def __init__(
        self,
        config: VoicesConfig,
        own: OwnVoices,
        blobs: Blobs,
        engines: Engines,
        loaded_voices: LoadedVoices,
        busy: Callable[[], bool],
        multiple_owners: Callable[[], bool] = lambda: False,
    ) -> None:
        self._config = config
        self._own = own
        self._blobs = blobs
        self._engines = engines
        self._loaded_voices = loaded_voices
        self._busy = busy
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._places = FairShares(MAX_WAITING, multiple_owners)
        self._turns = WorkQueue()
        self._offline_uses = 0

    @contextmanager
    def offline_synthesis(self, synthesizer: VectorSynthesizer) -> Iterator[None]:
        """What the synthesizer keeps for offline synthesis is freed when the last block of this kind ends."""
        self._offline_uses += 1
        try:
            yield
        finally:
            self._offline_uses -= 1
            if not self._offline_uses:
                synthesizer.end_offline_synthesis()

    async def begin(self, owner: str, voice_id: str) -> RefinementRow:
        """Refine a voice; the refinement that is under way, if there is one. Raises ``ClientError``."""
        require_extra("cloning", "refined voices")
        voice = await self._own.voice(owner, voice_id)
        entry = self._loaded_voices.synthesizer(VectorSynthesizer)
        if voice.kind != "match" or voice.pack is None or entry is None:
            raise ClientError("Only a match can be refined.", code="not_a_match", param="voice_id")
        current = await self.current(owner, voice_id)
        if current is not None and current.status in UNFINISHED:
            return current
        if self._places.full():
            raise CapacityError("places for refinements", MAX_WAITING)
        if not self._places.fits(owner):
            raise ShareError("places for refinements", self._places.held(owner), MAX_WAITING)
        row = RefinementRow(
            id=new_id("refinement-"),
            owner=owner,
            voice_id=voice_id,
            status="queued",
            done=0,
            planned=self._config.refine_evaluations,
            kept=False,
            made_at=now_us(),
            seen_at=int(time.time()),
        )
        await self._own.add_refinement(row)
        task = asyncio.create_task(self._refine(row, voice, entry[1]), name=row.id)
        self._tasks[voice_id] = task
        self._places.take(owner)
        task.add_done_callback(lambda _: self._finish(owner, voice_id))
        return row

    def _finish(self, owner: str, voice_id: str) -> None:
        self._tasks.pop(voice_id, None)
        self._places.give_back(owner)

    async def current(self, owner: str, voice_id: str) -> RefinementRow | None:
        """The newest refinement of a voice; one whose server has gone is told to have failed."""
        row = await self._own.refinement(owner, voice_id)
        orphaned = row is not None and row.status in UNFINISHED and voice_id not in self._tasks
        if row is not None and orphaned and row.seen_at < time.time() - STALE_S:
            await self._own.progress(row.id, {"status": "failed", "reason": "The server ended while it was refining."})
            row = await self._own.refinement(owner, voice_id)
        return row

    async def cancel(self, owner: str, voice_id: str) -> RefinementRow | None:
        """End the refinement of a voice; its match stays as it was. Returns the newest refinement."""
        await self._own.voice(owner, voice_id)
        task = self._tasks.get(voice_id)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        return await self.current(owner, voice_id)

    async def close(self) -> None:
        """End all of them, because the server goes down."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel("the server goes down")
        if tasks:
            await asyncio.wait(tasks)

    # ---- one refinement

    async def _refine(self, row: RefinementRow, voice: VoiceRow, synthesizer: VectorSynthesizer) -> None:
        async with meanwhile(f"refinement {row.id}", lambda: self._own.progress(row.id, {}), every_s=HEARTBEAT_S):
            try:
                async with self._turns.turn(Ticket(Urgency.RECORDING, row.owner)):
                    await self._report(row.id, {"status": "running"})
                    with self.offline_synthesis(synthesizer):
                        outcome = await self._search(row, voice, synthesizer)
                values = {"status": "completed", **outcome}
            except asyncio.CancelledError as cancelled:
                down = bool(cancelled.args)
                failure = {"status": "failed", "reason": "The server ended while it was refining."} if down else {}
                await self._report(row.id, {"status": "cancelled", **failure})
                raise
            except VivavoceError as error:
                log.warning("refinement %s: %s", row.id, error)
                values = {"status": "failed", "reason": str(error)[:500]}
            except Exception:
                log.exception("refinement %s", row.id)
                values = {"status": "failed", "reason": "The server failed."}
            while not await self._report(row.id, values):  # noqa: ASYNC110 (a store has no event to wait for)
                await asyncio.sleep(HEARTBEAT_S)

    async def _report(self, refinement_id: str, values: Mapping[str, Any]) -> bool:
        """Write down how far it is; whether that could be done. An hour of work does not end with a store that is busy."""
        try:
            await self._own.progress(refinement_id, values)
        except (StoreBusyError, StoreFullError) as error:
            log.warning("refinement %s: %s", refinement_id, error)
            return False
        except NoResultFound:
            log.info("refinement %s: its voice was deleted", refinement_id)
        return True

    async def _search(self, row: RefinementRow, voice: VoiceRow, synthesizer: VectorSynthesizer) -> dict[str, Any]:
        """What became of it: ``before`` and ``after`` in score on fresh sentences, whether it was ``kept``, and why not."""
        search_target, judge_target, clip_traits = await self._targets(voice)
        start = await self._loaded_voices.vectors(voice.pack or "", synthesizer)
        before = await self._evaluate(start, synthesizer, judge_target)
        best = await self._search_best(row, start, synthesizer, search_target)
        after = await self._evaluate(best, synthesizer, judge_target)
        outcome: dict[str, Any] = {"before": before.score, "after": after.score, "kept": False}
        if after.score < before.score + MIN_GAIN:
            return {**outcome, "reason": "Fresh sentences did not sound nearer; the match stays as it was."}
        if after.errors > before.errors:
            return {**outcome, "reason": "Fresh sentences were understood worse; the match stays as it was."}
        sound = await measure_voice(
            await self._synthesize(best, FRESH, synthesizer), synthesizer.rate_hz, self._engines.verifier
        )
        await self._save(voice, best, float(sound.embedding @ clip_traits.embedding))
        return {**outcome, "kept": True}

    async def _search_best(
        self, row: RefinementRow, start: NDArray[np.float16], synthesizer: VectorSynthesizer, target: VoiceTraits
    ) -> NDArray[np.float16]:
        """The candidate that scores best; ``start`` is one of them."""
        space = await asyncio.to_thread(StyleSpace, list(synthesizer.builtin_voices.values()))
        evolution = await asyncio.to_thread(_evolution, space.dimensions)
        baseline = await self._synthesize(start, [SEARCHED_WITH], synthesizer)
        best, best_loss = start, await self._loss(baseline, len(baseline), 0.0, synthesizer, target)
        done = 0
        while done < row.planned:
            moves: list[NDArray[np.float64]] = evolution.ask()
            losses: list[float] = []
            for move in moves:
                candidate = space.moved(start, move)
                speech = await self._synthesize(candidate, [SEARCHED_WITH], synthesizer)
                losses.append(
                    await self._loss(speech, len(baseline), space.outlier_distance(candidate), synthesizer, target)
                )
                if losses[-1] < best_loss:
                    best, best_loss = candidate, losses[-1]
                done += 1
                await self._report(row.id, {"done": min(done, row.planned)})
            evolution.tell(moves, losses)
        return best

    async def _loss(
        self,
        speech: Samples,
        baseline_length: int,
        outlier_distance: float,
        synthesizer: VectorSynthesizer,
        target: VoiceTraits,
    ) -> float:
        if not len(speech):
            return 1.0
        sound = await measure_voice(speech, synthesizer.rate_hz, self._engines.verifier)
        length_deviation = max(0.0, abs(float(np.log(len(speech) / max(1, baseline_length)))) - 0.15)
        similarity = float(sound.embedding @ target.embedding)
        return (
            DURATION_WEIGHT * length_deviation
            + OUTLIER_WEIGHT * outlier_distance
            - score(similarity, sound.pitch_hz, target.pitch_hz)
        )

    async def _evaluate(
        self, vectors: NDArray[np.float16], synthesizer: VectorSynthesizer, target: VoiceTraits
    ) -> _Judged:
        """A voice by fresh sentences: how near it sounds, and how many words of them are misunderstood."""
        speech = await self._synthesize(vectors, FRESH, synthesizer)
        sound = await measure_voice(speech, synthesizer.rate_hz, self._engines.verifier)
        similarity = float(sound.embedding @ target.embedding)
        text = await self._when_idle(lambda: transcribe(speech, synthesizer.rate_hz, self._engines.recognition, "en"))
        errors, _ = count_errors(" ".join(FRESH), text.text, "en")
        return _Judged(score(similarity, sound.pitch_hz, target.pitch_hz), similarity, errors)

    async def _synthesize(
        self, vectors: NDArray[np.float16], sentences: Sequence[str], synthesizer: VectorSynthesizer
    ) -> Samples:
        pieces = []
        for sentence in sentences:

            async def say(sentence: str = sentence) -> Samples:
                return await synthesizer.synthesize_offline(sentence, vectors)

            pieces.append(await self._when_idle(say))
        return np.concatenate(pieces)

    async def _when_idle(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it while nobody is served; as soon as somebody is, it is stopped, and begun again later."""
        while True:
            while self._busy():  # noqa: ASYNC110 (places have no event to wait for, and a tenth of a second is soon enough)
                await asyncio.sleep(POLL_S)
            task = asyncio.ensure_future(work())
            try:
                while not task.done() and not self._busy():
                    await asyncio.wait({task}, timeout=POLL_S)
            finally:
                if not task.done():
                    task.cancel()
                    await asyncio.wait({task})
            if not task.cancelled():
                return task.result()

    async def _targets(self, voice: VoiceRow) -> tuple[VoiceTraits, VoiceTraits, VoiceTraits]:
        """The clip's two halves, one to search with and one to judge by, and the whole of it."""
        samples = await self._loaded_voices.clip(voice.clip)
        clip = await asyncio.to_thread(listen, samples, self._engines.vad.detector)
        speech = clip.speech()
        parts = (speech[: len(speech) // 2], speech[len(speech) // 2 :], speech)
        first, second, clip_traits = [await measure_voice(part, clip.rate_hz, self._engines.verifier) for part in parts]
        return first, second, clip_traits

    async def _save(self, voice: VoiceRow, vectors: NDArray[np.float16], similarity: float) -> None:
        pack = (await self._blobs.put(packed(vectors), max_bytes=vectors.nbytes)).key
        try:
            values = {"pack": pack, "similarity": similarity, "refined": True}
            changed = await self._own.change(voice.owner, voice.id, values)
        except BaseException:
            await self._blobs.delete(pack)
            raise
        await self._loaded_voices.put(changed)


def _evolution(dimensions: int) -> Any:
    """CMA-ES from the voice as it is; blocking."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would like to plot
        import cma
    options = {"popsize": POPULATION, "seed": 1, "verbose": -9}
    return cma.CMAEvolutionStrategy(np.zeros(dimensions), FIRST_STEP, options)
