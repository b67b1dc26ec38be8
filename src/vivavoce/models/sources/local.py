"""The mounted folder: files are copied from there when it holds only some of an entry."""

from __future__ import annotations

from pathlib import Path

from vivavoce.models.catalogue import LocalSpec
from vivavoce.models.sources.base import DownloadJob, SourceError, SourceUnreachableError, chunks_of


class LocalSource:
    """Copies from ``folder/<name>/<file>``."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def fetch(self, spec: LocalSpec, job: DownloadJob) -> None:
        """Copy the file. Raises ``SourceError``."""
        if self._folder is None:
            raise SourceUnreachableError("VIVAVOCE_MODELS is not set")
        if not self._folder.is_dir():
            raise SourceUnreachableError(f"{self._folder} is not a folder")
        path = self._folder / job.entry.name / job.file.name
        try:
            with path.open("rb") as stream:
                job.write(chunks_of(stream))
        except FileNotFoundError as error:
            raise SourceError(f"{path} does not exist") from error
        except OSError as error:
            raise SourceError(f"{path} cannot be read ({error.strerror})") from error
