"""The pull: fetch what the store lacks, from the first source that gives the right bytes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from filelock import FileLock, Timeout

from vivavoce.errors import WeightsError
from vivavoce.models.catalogue import SourceKind, SourceSpec, WeightEntry, WeightFile
from vivavoce.models.progress import PullProgress
from vivavoce.models.sources import Sources
from vivavoce.models.sources.base import DownloadJob, SourceError, SourceUnreachableError
from vivavoce.models.store import WeightStore

_WORK = ".partial"
_SPARE_BYTES = 200_000_000
"""Room for the package at hand besides the files themselves."""


class Pull:
    """One run. Sources found unreachable are remembered here and not asked again.

    ``only`` limits the run to one kind of source.
    """

    def __init__(
        self, store: WeightStore, sources: Sources, progress: PullProgress, *, only: SourceKind | None = None
    ) -> None:
        self._store = store
        self._sources = sources
        self._progress = progress
        self._only = only
        self._unreachable: dict[str, str] = {}

    def run(self, names: Sequence[str] = ()) -> None:
        """Pull the named entries, or all that are not optional. One that fails does not keep the others from being pulled.

        Raises ``WeightsError`` with one message for each entry that could not be had.
        """
        failures: list[str] = []
        for entry in self._store.catalogue.select(names):
            if entry.optional and not names:
                continue
            try:
                self._pull_entry(entry)
            except WeightsError as error:
                failures.append(str(error))
        if failures:
            raise WeightsError("\n\n".join(failures))

    def _pull_entry(self, entry: WeightEntry) -> None:
        if self._store.find(entry):
            return
        with self._alone(entry):
            missing = self._store.missing(entry)
            if not missing:  # another process pulled it while we waited
                return
            self._require_disk_space(entry, missing)
            self._progress.begin(entry, sum(file.size_bytes for file in missing))
            done_bytes = 0
            for file in missing:
                self._pull_file(entry, file, done_bytes)
                done_bytes += file.size_bytes
            shutil.rmtree(self._store.root / _WORK / entry.name, ignore_errors=True)
            self._progress.end(entry)

    @contextmanager
    def _alone(self, entry: WeightEntry) -> Iterator[None]:
        """Hold the entry's lock: its working folder belongs to one process at a time."""
        folder = self._store.root / ".locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WeightsError(f"The weights cannot be stored in {self._store.root}: {error.strerror}.") from error
        lock = FileLock(folder / f"{entry.name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._progress.note(f"{entry.name}: another process is pulling it; waiting")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _require_disk_space(self, entry: WeightEntry, missing: Sequence[WeightFile]) -> None:
        needed = sum(file.size_bytes for file in missing) + _SPARE_BYTES
        free = shutil.disk_usage(self._store.root).free
        if free < needed:
            raise WeightsError(
                f"{entry.name}: pulling needs {needed / 1e6:.0f} MB free in {self._store.root}, "
                f"where there are {free / 1e6:.0f} MB."
            )

    def _pull_file(self, entry: WeightEntry, file: WeightFile, before_bytes: int) -> None:
        tried: list[str] = []
        for index, spec in enumerate(entry.sources):
            if not spec.serves(file) or self._only not in (None, spec.kind):
                continue
            if (error := self._unreachable.get(spec.place)) is not None:
                tried.append(f"{spec.place}: {error}")
                continue

            def report(done_bytes: int, place: str = spec.place) -> None:
                self._progress.at(before_bytes + done_bytes, place)

            work = self._store.root / _WORK / entry.name / spec.kind
            work.mkdir(parents=True, exist_ok=True)
            reason = self._fetch(spec, DownloadJob(entry, file, work, work / f"{index}-{file.name}", report))
            if reason is None:
                return
            tried.append(f"{spec.place}: {reason}")
        raise WeightsError(self._nowhere(entry, file, tried))

    def _fetch(self, spec: SourceSpec, job: DownloadJob) -> str | None:
        """Fetch and check one file; returns why it could not be had, or ``None`` when it is in the store."""
        try:
            self._sources.fetch(spec, job)
        except SourceUnreachableError as error:
            self._unreachable[spec.place] = str(error)
            if spec.kind != "local":
                self._progress.note(f"{spec.place} is left out of this run: {error}")
            return str(error)
        except SourceError as error:
            return str(error)
        wrong = self._store.accept(job.entry, job.file, job.target)
        if wrong is not None:
            shutil.rmtree(job.folder)  # what the wrong bytes were made from is not to be used again
            self._progress.note(f"{job.entry.name}/{job.file.name}: {spec.place} {wrong}")
        return wrong

    def _nowhere(self, entry: WeightEntry, file: WeightFile, tried: Sequence[str]) -> str:
        sources = "\n".join(f"  - {line}" for line in tried) or f"  - no source of kind {self._only} has it"
        return (
            f"{entry.name}/{file.name} ({file.size_bytes} bytes) could not be had. Tried, in order:\n{sources}\n"
            f"To mount it by hand, get it from {entry.upstream} (SHA-256 {file.sha256}), put it at "
            f"<folder>/{entry.name}/{file.name} and set VIVAVOCE_MODELS=<folder>; or put it at "
            f"{self._store.root / entry.name / file.name}."
        )
