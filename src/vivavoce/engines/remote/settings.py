"""Where an engine elsewhere is, how it is reached, and how long it may take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator

from vivavoce.engines.settings import EngineSettings

_ENDPOINT = re.compile(
    r"(/(?:chat/completions|completions|responses|models|embeddings|realtime|audio/(?:speech|transcriptions|voices)))/?$"
)
"""What is put behind the base."""


class RemoteSettings(EngineSettings):
    """``url`` is the base, such as ``http://10.0.0.5:8000/v1``; ``model`` the name that server knows the model by.

    ``api_key`` is the key (the configuration may name a variable of the environment, ``api_key_env``, in its place), and
    ``headers`` are sent besides.
    ``proxy`` is the address of an HTTP proxy; without it ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY`` count. ``ca_file``
    (PEM) takes the place of the known certificate authorities, ``client_cert`` and ``client_key`` (PEM) identify this server,
    and ``verify = false`` takes any certificate.

    ``connect_s``, ``first_s`` and ``between_s`` bound how long the connection, the first piece of an answer and each further
    piece may take. A request that failed before anything of its answer came is made again at most ``retries`` times, within
    ``first_s``. After ``failures`` failures in a row the other side is left alone for ``pause_s``: requests then fail at once.
    ``connections`` are kept open at most.
    """

    url: str
    model: str = Field(min_length=1)
    api_key: SecretStr | None = None
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    proxy: str | None = None
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    verify: bool = True
    connect_s: float = Field(default=5.0, gt=0)
    first_s: float = Field(default=30.0, gt=0)
    between_s: float = Field(default=15.0, gt=0)
    retries: int = Field(default=2, ge=0, le=10)
    failures: int = Field(default=3, ge=1)
    pause_s: float = Field(default=10.0, gt=0)
    connections: int = Field(default=100, ge=1)

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        if re.fullmatch(r"https?://[^\s/?#@]+[^\s?#@]*", url) is None:
            raise ValueError(
                "must be an address such as http://10.0.0.5:8000/v1: with http:// or https://, without a key, '?' and '#'"
            )
        if (endpoint := _ENDPOINT.search(url)) is not None:
            raise ValueError(f"must be the base address, without {endpoint[1]}")
        return url

    @model_validator(mode="after")
    def _check_files(self) -> RemoteSettings:
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("'client_key' belongs to a 'client_cert'")
        for file in (self.ca_file, self.client_cert, self.client_key):
            if file is not None and not file.is_file():
                raise ValueError(f"there is no file {file}")
        return self
