"""Recordings behind URLs, read in the background (audio reference, section 3.4).

The work to be done is rows, so it survives the process: a recording whose reading was cut short is read again. Several
servers on one database share the work by leases.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from vivavoce.audio.recordings import RawFormat
from vivavoce.errors import CapacityError, ClientError, EngineError, StoreError, StoreFullError
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.asr import FileChannel, FileResult, FileSubmission, FileUtterance, FileWord
from vivavoce.runtime.decoding import RecordingDecoder
from vivavoce.runtime.ears import Ears
from vivavoce.runtime.long_audio import Segment, recognise
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.scheduling import Whose
from vivavoce.scripts import joined
from vivavoce.store.failures import store_error
from vivavoce.store.leases import is_free
from vivavoce.store.store import Store
from vivavoce.supervision import Supervisor, Worker, meanwhile
from vivavoce.transcription.captions import captions
from vivavoce.transcription.languages import language_code
from vivavoce.transcription.tables import RecordingTaskRow
from vivavoce.types import Samples, TranscribeOptions

log = logging.getLogger(__name__)

MOST_BYTES = 100 * 1024 * 1024
FETCHED_WITHIN_S = 300.0
KEPT_S = 24 * 3600
"""How long a task, and its text, is kept after it was submitted."""

MOST_WAITING = 100
"""Tasks of one owner that are not done."""

WORKERS = 2
"""One may fetch while another's recording is read; the recogniser takes one piece at a time anyway."""

LEASE_S = 60
RENEW_S = 20.0
LOOK_S = 5.0
"""How often a server looks for work nobody told it of: another one's that was cut short."""

MOST_ATTEMPTS = 3
RETRY_S = 20
"""After a failure that may pass; twice as long after the second."""

LONGEST_LEASE_S = max(LEASE_S, RETRY_S * MOST_ATTEMPTS)

UNDONE = ("PENDING", "RUNNING")

MOST_SERVED = 1000
"""Owners who had a turn in this round. With more of them than that, a new round begins."""


@dataclass(frozen=True, slots=True)
class _Task:
    id: str
    owner: str
    wanted: FileSubmission
    failures: int


class RecordingTasks:
    """The tasks of a store, and the work on them between ``open`` and ``close``. ``clock`` gives s of the epoch.

    Owners have their tasks read in turn; while there are ``several``, none has all workers.
    """

    def __init__(
        self,
        store: Store,
        fetcher: Fetcher,
        recognition: Recognition,
        ears: Ears,
        decoder: RecordingDecoder,
        *,
        supervisor: Supervisor,
        most_s: float,
        several: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._recognition = recognition
        self._ears = ears
        self._decoder = decoder
        self._most_s = most_s
        self._several = several
        self._served: set[str] = set()
        self._clock = clock
        self._supervisor = supervisor
        self._workers: list[Worker] = []
        self._at_work: dict[str, str] = {}
        """Whose they are, by task."""
        self._unsaved: dict[str, FileResult] = {}

    async def open(self) -> None:
        """Begin to work."""
        if self._store.database.is_sqlite:  # no other server works on it: what is leased was an earlier process's
            await self._store.database.freeing(self._take_over)
        self._workers = [
            self._supervisor.start(f"recordings {number}", self._step, idle_s=LOOK_S)
            for number in range(1, WORKERS + 1)
        ]

    async def close(self) -> None:
        """Stop; what was not done is done when the server runs again."""
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    async def submit(self, owner: str, wanted: FileSubmission) -> str:
        """A new task's id. Raises ``CapacityError`` when the owner has too many."""
        now = int(self._clock())
        undone = (
            select(func.count())
            .select_from(RecordingTaskRow)
            .where(RecordingTaskRow.owner == owner, RecordingTaskRow.status.in_(UNDONE))
        )
        async with self._store.rows.begin() as session:
            await session.execute(delete(RecordingTaskRow).where(RecordingTaskRow.expires_at <= now))
            if (await session.scalar(undone) or 0) >= MOST_WAITING:
                raise CapacityError("places for recordings to be read", MOST_WAITING)
            row = RecordingTaskRow(
                id=f"asr_{secrets.token_hex(16)}",
                owner=owner,
                status="PENDING",
                request=wanted.model_dump_json(),
                result=None,
                attempts=0,
                leased_until=0,
                created_at=now,
                expires_at=now + KEPT_S,
            )
            session.add(row)
        for worker in self._workers:
            worker.wake()
        return row.id

    async def result(self, owner: str, task_id: str) -> FileResult:
        """How far a task is. Raises ``ClientError`` (``task_not_found``) for one that is not the owner's, or is over."""
        async with self._store.reading() as session:
            row = await session.get(RecordingTaskRow, task_id)
        if row is None or row.owner != owner or row.expires_at <= self._clock():
            raise ClientError("There is no such task.", code="task_not_found", param="task_id")
        if row.result is not None:
            return FileResult.model_validate_json(row.result)
        return FileResult(status="RUNNING")

    # ---- work

    async def _take_over(self) -> None:
        async with self._store.rows.begin() as session:
            leased = update(RecordingTaskRow).where(RecordingTaskRow.leased_until > 0)
            await session.execute(leased.values(leased_until=0))

    async def _step(self) -> bool:
        """Read one recording; whether there was one. Raises ``StoreError``: what could not be written down is so later."""
        while self._unsaved:
            task_id, result = self._unsaved.popitem()
            await self._save(task_id, result)
        task = await self._next()
        if task is None:
            return False
        self._at_work[task.id] = task.owner
        try:
            async with meanwhile(f"the lease of task {task.id}", lambda: self._lease(task), every_s=RENEW_S):
                await self._work(task)
        finally:
            del self._at_work[task.id]
        return True

    async def _next(self) -> _Task | None:
        """The task that has waited longest, leased to this server; of each owner one in turn."""
        now = int(self._clock())
        waiting = (
            select(RecordingTaskRow)
            .where(
                RecordingTaskRow.status.in_(UNDONE),
                is_free(RecordingTaskRow.leased_until, now, LONGEST_LEASE_S),
                RecordingTaskRow.id.not_in([*self._at_work, *self._unsaved]),  # whatever the clock says
            )
            .order_by(RecordingTaskRow.created_at, RecordingTaskRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        async with self._store.rows.begin() as session:
            row = await self._in_turn(session, waiting)
            if row is None:
                return None
            row.status, row.leased_until = "RUNNING", now + LEASE_S
            return _Task(row.id, row.owner, FileSubmission.model_validate_json(row.request), row.attempts)

    async def _in_turn(self, session: AsyncSession, waiting: Select[RecordingTaskRow]) -> RecordingTaskRow | None:
        """The next row, of an owner who has not had a turn for the longest, and one no worker reads for, if there is one."""
        at_work = set(self._at_work.values())
        orders = [self._served | at_work, at_work]
        if not self._several():
            orders.append(set())
        for others in orders:
            row = await session.scalar(waiting.where(RecordingTaskRow.owner.not_in(others)))
            if row is not None:
                if row.owner in self._served or len(self._served) >= MOST_SERVED:
                    self._served.clear()
                self._served.add(row.owner)
                return row
        return None

    async def _work(self, task: _Task) -> None:
        try:
            result = await self._read(task)
        except ClientError as error:
            result = _failed(error)
        except EngineError as error:
            failures = task.failures + 1
            if error.retriable and failures < MOST_ATTEMPTS:
                log.warning("task %s is put off: %s", task.id, error)
                await self._note(task.id, leased_until=int(self._clock()) + RETRY_S * failures, attempts=failures)
                return
            log.error("task %s: %s", task.id, error)
            result = _failed(ClientError("The recogniser failed.", code="engine_error", type="server_error"))
        except asyncio.CancelledError:
            # The server ends: the next one shall not wait.
            with suppress(StoreError):
                await asyncio.shield(self._note(task.id, leased_until=0))
            raise
        except Exception as error:
            full = store_error(error)
            if isinstance(full, StoreFullError):  # no room to keep the recording while it is read: no fault of its own
                await self._note(task.id, leased_until=int(self._clock()) + RETRY_S)
                raise full from error
            log.exception("task %s: internal error", task.id)
            result = _failed(ClientError("The server failed.", code="internal_error", type="server_error"))
        await self._save(task.id, result)

    async def _save(self, task_id: str, result: FileResult) -> None:
        """Write down what came of a task. Raises ``StoreError``: then it is kept, to be written down by a later step."""
        self._unsaved[task_id] = result
        text = result.model_dump_json(exclude_none=True)
        await self._note(task_id, status=result.status, result=text, leased_until=0)
        self._unsaved.pop(task_id, None)
        log.info("task %s: %s", task_id, result.status)

    async def _read(self, task: _Task) -> FileResult:
        with tempfile.TemporaryFile() as file:
            await self._fetch(task.wanted.audio.url, file)
            channels: list[FileChannel] = []
            duration_s = 0.0
            for channel in (0, 1) if task.wanted.request.enable_channel_split else (None,):
                samples = await self._decoded(file, task.wanted, channel)
                if samples is not None:
                    duration_s = len(samples) / self._recognition.rate_hz
                    channels.append(await self._heard(samples, task))
        return FileResult(status="SUCCEEDED", duration=round(duration_s, 3), result=channels)

    async def _fetch(self, url: str, file: BinaryIO) -> None:
        download = self._fetcher.stream(url, most_bytes=MOST_BYTES, timeout_s=FETCHED_WITHIN_S, param="audio.url")
        async with download as fetched:
            async for chunk in fetched.chunks:
                await asyncio.to_thread(file.write, chunk)

    async def _decoded(self, file: BinaryIO, wanted: FileSubmission, channel: int | None) -> Samples | None:
        """A channel of the recording, or the mean of all; ``None`` for a second channel that is not there."""
        audio = wanted.audio
        raw = RawFormat(audio.rate, audio.channel, audio.bits) if audio.format == "pcm" else None
        rate_hz = self._recognition.rate_hz
        try:
            return await self._decoder.decode(file, rate_hz=rate_hz, most_s=self._most_s, raw=raw, channel=channel)
        except ClientError as error:
            if channel and error.code == "no_such_channel":
                return None
            error.param = error.param or "audio.url"
            raise

    async def _heard(self, samples: Samples, task: _Task) -> FileChannel:
        wanted = task.wanted
        told = wanted.request.show_utterances
        options = TranscribeOptions(language_code(wanted.request.language or ""), words=told)
        reading = recognise(self._recognition, self._ears, samples, options, owner=Whose(task.owner, task.id))
        async with aclosing(reading) as found:
            segments = [segment async for segment in found]
        text = ""
        for segment in segments:
            text = joined(text, segment.text)
        return FileChannel(text=text, utterances=_utterances(segments) if told else None)

    async def _lease(self, task: _Task) -> None:
        """The task stays this server's, however long its recording takes."""
        await self._note(task.id, leased_until=int(self._clock()) + LEASE_S)

    async def _note(self, task_id: str, **values: str | int) -> None:
        async with self._store.rows.begin() as session:
            await session.execute(update(RecordingTaskRow).where(RecordingTaskRow.id == task_id).values(**values))


def _utterances(segments: list[Segment]) -> list[FileUtterance]:
    return [
        FileUtterance(
            text=caption.text,
            start_time=caption.start_ms,
            end_time=caption.end_ms,
            words=[
                FileWord(text=word.text.strip(), start_time=word.start_ms, end_time=word.end_ms)
                for word in caption.words
            ],
        )
        for caption in captions(segments)
    ]


def _failed(error: ClientError) -> FileResult:
    told = {"message": error.message, "type": error.type, "code": error.code, "param": error.param}
    return FileResult(status="FAILED", error={name: value for name, value in told.items() if value is not None})
