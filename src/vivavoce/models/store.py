"""The store: folders of weights whose hashes were found right.

``<root>/<name>/<file>`` holds pulled files. A mounted folder (``config.models``, the same layout) goes first: an entry
that is whole there is used in place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vivavoce.errors import WeightsError
from vivavoce.models.catalogue import Catalogue, WeightEntry, WeightFile
from vivavoce.models.verification_cache import VerificationCache, sha256_of


@dataclass(frozen=True, slots=True)
class EntryStatus:
    """Where an entry is.

    ``folder`` is ``None`` unless every file is there and right; ``missing`` are the files the store itself lacks.
    """

    entry: WeightEntry
    folder: Path | None
    missing: tuple[WeightFile, ...]

    @property
    def present(self) -> bool:
        """Whether engines can load it."""
        return self.folder is not None


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What ``verify`` found at ``path``. A wrong file inside the store was removed."""

    entry: WeightEntry
    file: WeightFile
    path: Path
    result: Literal["ok", "missing", "wrong"]


def is_folder(name: str) -> bool:
    """Whether weights are named by the path of a folder (``/srv/whisper``, ``./whisper``), not by the catalogue's name."""
    return "/" in name


class WeightStore:
    """Finds verified weights. ``root`` is where pulls land, ``local`` the mounted folder if there is one."""

    def __init__(self, catalogue: Catalogue, root: Path, local: Path | None = None) -> None:
        self.catalogue = catalogue
        self.root = root
        self.local = local

    def folder(self, name: str) -> Path:
        """The folder that holds every file of ``name`` with the right hash; a folder's path is that folder, unchecked.

        Raises ``WeightsError`` saying what to do.
        """
        if is_folder(name):
            return _existing(Path(name).expanduser())
        entry = self.catalogue.entry(name)
        folder = self.find(entry)
        if folder is None:
            absent = len(self.missing(entry))
            raise WeightsError(
                f"The weights {name!r} are not here: {absent} of {len(entry.files)} files are missing or wrong in "
                f"{self.root / name}. Run `vivavoce models pull {name}`, or put them into <folder>/{name}/ yourself "
                "and set VIVAVOCE_MODELS=<folder>."
            )
        return folder

    def find(self, entry: WeightEntry) -> Path | None:
        """The folder where ``entry`` is whole and right: the mounted one, else the store's, else none."""
        stamps = self._stamps(entry)
        for base in (self.local, self.root):
            if base is not None and all(_is_right(base / entry.name / file.name, file, stamps) for file in entry.files):
                return base / entry.name
        return None

    def missing(self, entry: WeightEntry) -> tuple[WeightFile, ...]:
        """The files of ``entry`` the store itself does not hold, or holds with another hash."""
        stamps = self._stamps(entry)
        return tuple(file for file in entry.files if not _is_right(self.root / entry.name / file.name, file, stamps))

    def status(self, names: Sequence[str] = ()) -> tuple[EntryStatus, ...]:
        """Where each entry is. Quick: only files without a valid stamp are hashed."""
        return tuple(
            EntryStatus(entry, self.find(entry), self.missing(entry)) for entry in self.catalogue.select(names)
        )

    def verify(self, names: Sequence[str] = ()) -> Iterator[FileCheck]:
        """Hash every file again, in the folder engines would load it from; wrong files in the store are removed.

        Without names, optional entries of which nothing is there are left out.
        """
        for entry in self.catalogue.select(names):
            folder = self.find(entry) or self.root / entry.name
            if entry.optional and not names and not any((folder / file.name).is_file() for file in entry.files):
                continue
            stamps = self._stamps(entry)
            for file in entry.files:
                path = folder / file.name
                if not path.is_file():
                    yield FileCheck(entry, file, path, "missing")
                elif _is_right(path, file, stamps, fresh=True):
                    yield FileCheck(entry, file, path, "ok")
                else:
                    if folder == self.root / entry.name:
                        path.unlink()
                    yield FileCheck(entry, file, path, "wrong")

    def accept(self, entry: WeightEntry, file: WeightFile, fetched: Path) -> str | None:
        """Move ``fetched`` into the store if its bytes are ``file``; else remove it and return what is wrong."""
        if (wrong := _difference(fetched, file)) is not None:
            fetched.unlink(missing_ok=True)
            return wrong
        with fetched.open("rb+") as stream:
            os.fsync(stream.fileno())  # the stamp must not outlive the bytes in a power cut
        target = self.root / entry.name / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        fetched.replace(target)
        self._stamps(entry).record(target, file.sha256)
        return None

    def _stamps(self, entry: WeightEntry) -> VerificationCache:
        return VerificationCache(self.root / ".verified" / f"{entry.name}.json", self.root)


def _is_right(path: Path, file: WeightFile, stamps: VerificationCache, *, fresh: bool = False) -> bool:
    """Whether the bytes at ``path`` are ``file``. A wrong size is told without hashing. Raises ``WeightsError``."""
    try:
        return path.stat().st_size == file.size_bytes and stamps.sha256(path, fresh=fresh) == file.sha256
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}.") from error


def _difference(path: Path, file: WeightFile) -> str | None:
    size_bytes = path.stat().st_size if path.exists() else 0
    if size_bytes != file.size_bytes:
        return f"gave {size_bytes} bytes instead of {file.size_bytes}: refused and removed"
    if (sha256 := sha256_of(path)) != file.sha256:
        return f"gave bytes with another SHA-256 ({sha256}): refused and removed"
    return None


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise WeightsError(f"There is no folder {folder} with weights.")
    return folder
