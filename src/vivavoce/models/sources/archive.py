"""Files inside a tar the authors publish at a fixed address: downloaded and checked once, unpacked once for all files."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vivavoce.models.catalogue import ArchiveSpec, UrlSpec
from vivavoce.models.sources.base import DownloadJob, Source, SourceError, chunks_of
from vivavoce.models.verification_cache import sha256_of


class ArchiveSource:
    """Takes members out of tars that ``url`` downloads. Nothing is opened before its hash is found right."""

    def __init__(self, url: Source[UrlSpec]) -> None:
        self._url = url

    def fetch(self, spec: ArchiveSpec, job: DownloadJob) -> None:
        """Put the one member at the job's target. Raises ``SourceError`` or its subclass."""
        unpacked = job.folder / f"{spec.archive.name}.members"
        if not unpacked.is_dir():
            archive = self._archive(spec, job)
            self._unpack(spec, job, archive, unpacked)
            archive.unlink()  # its members are as large, and all that is wanted of it
        member = unpacked / job.file.name
        if not member.is_file():
            raise SourceError(f"{spec.archive.name} does not hold {spec.member.format(file=job.file.name)}")
        member.replace(job.target)
        job.report(job.file.size_bytes)

    def _archive(self, spec: ArchiveSpec, job: DownloadJob) -> Path:
        """The tar, downloaded and right."""
        target = job.folder / spec.archive.name
        archive_job = replace(job, file=spec.archive, target=target, report=_scaled(spec, job))
        if not target.exists() or target.stat().st_size != spec.size_bytes:
            self._url.fetch(UrlSpec(kind="url", url=spec.url), archive_job)
        if (sha256 := sha256_of(target)) != spec.sha256:
            target.unlink()
            raise SourceError(f"gave another {spec.archive.name} (SHA-256 {sha256}): refused and removed")
        return target

    def _unpack(self, spec: ArchiveSpec, job: DownloadJob, archive: Path, unpacked: Path) -> None:
        """All files of the entry in one go: to reach the last member, all before it have to be unpacked."""
        members = {spec.member.format(file=file.name): file for file in job.entry.files if spec.serves(file)}
        incoming = unpacked.with_suffix(".incoming")
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(parents=True)
        try:
            with tarfile.open(archive, "r|*") as tar:
                for member in tar:
                    file = members.get(member.name.removeprefix("./"))
                    stream = tar.extractfile(member) if file is not None and member.isfile() else None
                    if file is not None and stream is not None:
                        part = replace(job, file=file, target=incoming / file.name, report=_unheard)
                        part.write(chunks_of(stream))
        except tarfile.TarError as error:
            raise SourceError(f"{spec.archive.name} is not a tar: {error}") from error
        incoming.replace(unpacked)


def _scaled(spec: ArchiveSpec, job: DownloadJob) -> Callable[[int], None]:
    """The download as a share of the file it is for, which is what the bar counts in."""
    return lambda done_bytes: job.report(done_bytes * job.file.size_bytes // spec.size_bytes)


def _unheard(done_bytes: int) -> None:
    """The bar has moved already."""
