"""What a server keeps and knows: ``[storage]``, ``[voices]``, ``[knowledge]``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator

from vivavoce.config.table import Table


class S3Config(Table):
    """How to reach an S3-compatible store. Without keys the environment's own credentials (a role) are used."""

    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    virtual_hosted: bool = False


class StorageConfig(Table):
    """Where rows and files are kept.

    ``url`` is a database: ``sqlite:////path/to/file`` or ``postgresql://user:password@host/name``; by default a SQLite file
    in the data folder. ``blobs`` is a folder or ``s3://bucket/prefix``; by default a folder there.
    """

    url: SecretStr | None = None
    blobs: str | None = None
    s3: S3Config = Field(default_factory=S3Config)


class VoicesConfig(Table):
    """Voices users make. One owner has at most ``most`` of them.

    ``require_consent`` refuses a voice without a word on consent; it is off because the hosted platform's own requests have
    none. ``refine_evaluations`` is how many candidates a refinement listens to (more than 100 have been seen to do harm).
    """

    most: int = Field(default=100, ge=0)
    require_consent: bool = False
    refine_evaluations: int = Field(default=60, ge=12, le=200)


class KnowledgeConfig(Table):
    """Documents the assistant may know: how they are read and cut, and what of them the model sees.

    ``index`` is the file of the SQLite index (with SQLite; with PostgreSQL passages are kept there), by default beside
    the database. Passages are about ``passage_tokens`` long and repeat ``overlap_tokens`` of the one before. A question's
    answer to the model has at most ``results`` passages and ``budget_tokens``, and of these the ``most_lines`` nearest to the
    question (0: all); small models read slowly, so it is little.
    Nothing below ``least_similarity`` is taken for an answer, nor what has less than ``least_evidence`` that it tells what is
    asked (log odds, with the built-in embedder only; ``None``, or ``"off"``: the language model finds out). From
    ``sure_evidence`` on documents are searched without asking the model whether to. A document may
    hold ``most_passages``, its reading may take ``parsing_memory_mb``, ``parsing_cpu_s`` and ``parsing_pages``.
    ``timeout_s`` is how long a search may take.
    """

    index: Path | None = None
    passage_tokens: int = Field(default=120, ge=50, le=400)
    overlap_tokens: int = Field(default=24, ge=0, le=200)
    results: int = Field(default=3, ge=1, le=20)
    budget_tokens: int = Field(default=450, ge=50)
    most_lines: int = Field(default=0, ge=0)
    least_similarity: float = Field(default=0.8, ge=-1.0, le=1.0)
    least_evidence: float | None = 0.0
    sure_evidence: float | None = 1.5
    most_passages: int = Field(default=50_000, ge=1)
    most_stores: int = Field(default=1000, ge=1)
    parsing_memory_mb: int = Field(default=1024, ge=256)
    parsing_cpu_s: int = Field(default=120, ge=1)
    parsing_pages: int = Field(default=5000, ge=1)
    timeout_s: float = Field(default=5.0, gt=0)

    @field_validator("least_evidence", "sure_evidence", mode="before")
    @classmethod
    def _off(cls, evidence: object) -> object:
        return None if evidence == "off" else evidence

    @model_validator(mode="after")
    def _check_overlap(self) -> KnowledgeConfig:
        if self.overlap_tokens * 2 > self.passage_tokens:
            raise ValueError("'overlap_tokens' must not exceed half of 'passage_tokens'")
        return self
