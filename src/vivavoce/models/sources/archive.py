"""Files inside a tar the authors publish at a fixed address: downloaded and checked once, unpacked once for all files."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vivavoce.models.catalogue import ArchiveSpec, UrlSpec
from vivavoce.models.sources.base import Order, Source, SourceError, chunks_of
from vivavoce.models.stamps import sha256_of


class ArchiveSource:
    """Takes members out of tars that ``url`` downloads. Nothing is opened before its hash is found right."""

    def __init__(self, url: Source[UrlSpec]) -> None:
        self._url = url

    def fetch(self, spec: ArchiveSpec, order: Order) -> None:
        """Put the one member at the order's target. Raises ``SourceError`` or its subclass."""
        unpacked = order.folder / f"{spec.archive.name}.members"
        if not unpacked.is_dir():
            archive = self._archive(spec, order)
            self._unpack(spec, order, archive, unpacked)
            archive.unlink()  # its members are as large, and all that is wanted of it
        member = unpacked / order.file.name
        if not member.is_file():
            raise SourceError(f"{spec.archive.name} does not hold {spec.member.format(file=order.file.name)}")
        member.replace(order.target)
        order.report(order.file.size_bytes)

    def _archive(self, spec: ArchiveSpec, order: Order) -> Path:
        """The tar, downloaded and right."""
        target = order.folder / spec.archive.name
        whole = replace(order, file=spec.archive, target=target, report=_scaled(spec, order))
        if not target.exists() or target.stat().st_size != spec.size_bytes:
            self._url.fetch(UrlSpec(kind="url", url=spec.url), whole)
        if (sha256 := sha256_of(target)) != spec.sha256:
            target.unlink()
            raise SourceError(f"gave another {spec.archive.name} (SHA-256 {sha256}): refused and removed")
        return target

    def _unpack(self, spec: ArchiveSpec, order: Order, archive: Path, unpacked: Path) -> None:
        """All files of the entry in one go: to reach the last member, all before it have to be unpacked."""
        wanted = {spec.member.format(file=file.name): file for file in order.entry.files if spec.serves(file)}
        incoming = unpacked.with_suffix(".incoming")
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(parents=True)
        try:
            with tarfile.open(archive, "r|*") as tar:
                for member in tar:
                    file = wanted.get(member.name.removeprefix("./"))
                    stream = tar.extractfile(member) if file is not None and member.isfile() else None
                    if file is not None and stream is not None:
                        part = replace(order, file=file, target=incoming / file.name, report=_unheard)
                        part.write(chunks_of(stream))
        except tarfile.TarError as error:
            raise SourceError(f"{spec.archive.name} is not a tar: {error}") from error
        incoming.replace(unpacked)


def _scaled(spec: ArchiveSpec, order: Order) -> Callable[[int], None]:
    """The download as a share of the file it is for, which is what the bar counts in."""
    return lambda done_bytes: order.report(done_bytes * order.file.size_bytes // spec.size_bytes)


def _unheard(done_bytes: int) -> None:
    """The bar has moved already."""
