"""Recordings behind URLs, read in the background (audio reference, section 3.4).

The work to be done is rows (``LeaseQueue``): a recording whose reading was cut short is read again, and several servers on one
database share the work.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import tempfile
import time
from collections.abc import Callable
from typing import BinaryIO

from sqlalchemy import delete, func, select

from vivavoce.audio.recordings import RawFormat
from vivavoce.errors import CapacityError, ClientError, EngineError, StoreFullError
from vivavoce.net.fetching import Fetcher
from vivavoce.protocol.asr import FileChannel, FileResult, FileSubmission, FileUtterance, FileWord
from vivavoce.protocol.languages import requested_language
from vivavoce.runtime.decoding import RecordingDecoder
from vivavoce.runtime.long_audio import Segment, recognise_all
from vivavoce.runtime.recognition import Recognition
from vivavoce.runtime.vad_batcher import VadBatcher
from vivavoce.scheduling import WorkOwner
from vivavoce.store.failures import store_error
from vivavoce.store.leases import LeaseQueue
from vivavoce.store.store import Store
from vivavoce.supervision import Supervisor, Worker
from vivavoce.transcription.captions import captions
from vivavoce.transcription.tables import RecordingTaskRow
from vivavoce.types import Samples, TranscribeOptions

log = logging.getLogger(__name__)

MAX_BYTES = 100 * 1024 * 1024
FETCHED_WITHIN_S = 300.0
KEPT_S = 24 * 3600
"""How long a task, and its text, is kept after it was submitted."""

MAX_WAITING = 100
"""Tasks of one owner that are not done."""

WORKERS = 2
"""One may fetch while another's recording is read; the recogniser takes one piece at a time anyway."""

LEASE_S = 60
POLL_INTERVAL_S = 5.0
"""How often a server looks for work nobody told it of: another one's that was cut short."""

MAX_ATTEMPTS = 3
RETRY_S = 20
"""After a failure that may pass; twice as long after the second."""

MAX_LEASE_S = max(LEASE_S, RETRY_S * MAX_ATTEMPTS)

PENDING = ("PENDING", "RUNNING")
"""``RUNNING`` is what earlier versions made of a task that was being read."""


class RecordingTasks:
    """The tasks of a store, and the work on them between ``open`` and ``close``. ``clock`` gives s of the epoch.

    Owners have their tasks read in turn; while there are ``multiple_owners``, none has all workers.
    """

    def __init__(
        self,
        store: Store,
        fetcher: Fetcher,
        recognition: Recognition,
        vad: VadBatcher,
        decoder: RecordingDecoder,
        *,
        supervisor: Supervisor,
        max_s: float,
        multiple_owners: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self.queue = LeaseQueue(
            store,
            RecordingTaskRow,
            key=(RecordingTaskRow.id,),
            pending=RecordingTaskRow.status.in_(PENDING),
            order=(RecordingTaskRow.created_at, RecordingTaskRow.id),
            lease_s=LEASE_S,
            max_lease_s=MAX_LEASE_S,
            multiple_owners=multiple_owners,
            clock=clock,
        )
        self._fetcher = fetcher
        self._recognition = recognition
        self._vad = vad
        self._decoder = decoder
        self._max_s = max_s
        self._clock = clock
        self._supervisor = supervisor
        self._workers: list[Worker] = []
        self._unsaved: dict[str, tuple[RecordingTaskRow, FileResult]] = {}

    async def open(self) -> None:
        """Begin to work."""
        if self._store.database.is_sqlite:  # no other server works on it: what is leased was an earlier process's
            await self.queue.release_all_leases()
        self._workers = [
            self._supervisor.start(f"recordings {number}", self._step, idle_s=POLL_INTERVAL_S)
            for number in range(1, WORKERS + 1)
        ]

    async def close(self) -> None:
        """Stop; what was not done is done when the server runs again."""
        await asyncio.gather(*(worker.stop() for worker in self._workers))

    async def submit(self, owner: str, submission: FileSubmission) -> str:
        """A new task's id. Raises ``CapacityError`` when the owner has too many."""
        now = int(self._clock())
        pending = (
            select(func.count())
            .select_from(RecordingTaskRow)
            .where(RecordingTaskRow.owner == owner, RecordingTaskRow.status.in_(PENDING))
        )
        async with self._store.rows.begin() as session:
            await session.execute(delete(RecordingTaskRow).where(RecordingTaskRow.expires_at <= now))
            if (await session.scalar(pending) or 0) >= MAX_WAITING:
                raise CapacityError("places for recordings to be read", MAX_WAITING)
            row = RecordingTaskRow(
                id=f"asr_{secrets.token_hex(16)}",
                owner=owner,
                status="PENDING",
                request=submission.model_dump_json(),
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

    async def _step(self) -> bool:
        """Read one recording; whether there was one. Raises ``StoreError``: what could not be written down is so later."""
        while self._unsaved:
            _, unsaved = self._unsaved.popitem()
            await self._save(*unsaved)
        async with self.queue.next() as row:
            if row is not None:
                await self._process(row)
        return row is not None

    async def _process(self, row: RecordingTaskRow) -> None:
        try:
            async with self.queue.renewing(row):
                result = await self._read(row)
        except ClientError as error:
            result = _failed(error)
        except EngineError as error:
            failures = row.attempts + 1
            if error.retriable and failures < MAX_ATTEMPTS:
                log.warning("task %s is put off: %s", row.id, error)
                await self.queue.postpone(row, RETRY_S * failures, attempts=failures)
                return
            log.error("task %s: %s", row.id, error)
            result = _failed(ClientError("The recogniser failed.", code="engine_error", type="server_error"))
        except Exception as error:
            failure = store_error(error)
            if isinstance(failure, StoreFullError):
                # No room to keep the recording while it is read: no fault of its own.
                await self.queue.postpone(row, RETRY_S)
                raise failure from error
            log.exception("task %s: internal error", row.id)
            result = _failed(ClientError("The server failed.", code="internal_error", type="server_error"))
        await self._save(row, result)

    async def _save(self, row: RecordingTaskRow, result: FileResult) -> None:
        """Write down what came of a task. Raises ``StoreError``: then it is kept, to be written down by a later step."""
        self._unsaved[row.id] = row, result
        text = result.model_dump_json(exclude_none=True)
        await self.queue.write(row, status=result.status, result=text, leased_until=0)
        self._unsaved.pop(row.id, None)
        log.info("task %s: %s", row.id, result.status)

    async def _read(self, row: RecordingTaskRow) -> FileResult:
        submission = FileSubmission.model_validate_json(row.request)
        with tempfile.TemporaryFile() as file:
            await self._fetch(submission.audio.url, file)
            channels: list[FileChannel] = []
            duration_s = 0.0
            for channel in (0, 1) if submission.request.enable_channel_split else (None,):
                samples = await self._decoded(file, submission, channel)
                if samples is not None:
                    duration_s = len(samples) / self._recognition.rate_hz
                    channels.append(await self._transcribed(samples, submission, WorkOwner(row.owner, row.id)))
        return FileResult(status="SUCCEEDED", duration=round(duration_s, 3), result=channels)

    async def _fetch(self, url: str, file: BinaryIO) -> None:
        download = self._fetcher.stream(url, max_bytes=MAX_BYTES, timeout_s=FETCHED_WITHIN_S, param="audio.url")
        async with download as fetched:
            async for chunk in fetched.chunks:
                await asyncio.to_thread(file.write, chunk)

    async def _decoded(self, file: BinaryIO, submission: FileSubmission, channel: int | None) -> Samples | None:
        """A channel of the recording, or the mean of all; ``None`` for a second channel that is not there."""
        audio = submission.audio
        raw = RawFormat(audio.rate, audio.channel, audio.bits) if audio.format == "pcm" else None
        rate_hz = self._recognition.rate_hz
        try:
            return await self._decoder.decode(file, rate_hz=rate_hz, max_s=self._max_s, raw=raw, channel=channel)
        except ClientError as error:
            if channel and error.code == "no_such_channel":
                return None
            error.param = error.param or "audio.url"
            raise

    async def _transcribed(self, samples: Samples, submission: FileSubmission, owner: WorkOwner) -> FileChannel:
        with_utterances = submission.request.show_utterances
        options = TranscribeOptions(requested_language(submission.request.language), words=with_utterances)
        transcript = await recognise_all(self._recognition, self._vad, samples, options, owner)
        return FileChannel(
            text=transcript.text, utterances=_utterances(transcript.segments) if with_utterances else None
        )


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
    return FileResult(status="FAILED", error={name: value for name, value in error.body.items() if value is not None})
