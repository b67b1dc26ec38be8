"""``/v1/vector_stores``: what goes over the wire (platform reference, section 8; OpenAI's API where that is silent)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Id: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Key: TypeAlias = Annotated[str, StringConstraints(max_length=64)]
Details: TypeAlias = Annotated[dict[Key, Annotated[str, StringConstraints(max_length=512)]], Field(max_length=16)]
Attributes: TypeAlias = Annotated[
    dict[Key, Annotated[str, StringConstraints(max_length=512)] | bool | float], Field(max_length=16)
]
FileStatus: TypeAlias = Literal["in_progress", "completed", "failed", "cancelled"]

MAX_FILES_AT_ONCE = 500


class ExpiresAfter(BaseModel):
    """When a store nobody uses is deleted."""

    anchor: Literal["last_active_at"] = "last_active_at"
    days: Annotated[int, Field(ge=1, le=365)]


class StaticSizes(BaseModel):
    """How long passages are: OpenAI's ``static`` strategy, in the limits of what embedders read."""

    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0, le=2048)]

    @model_validator(mode="after")
    def _check_overlap(self) -> StaticSizes:
        if self.chunk_overlap_tokens * 2 > self.max_chunk_size_tokens:
            raise ValueError("the overlap must not exceed half of the size")
        return self


class ChunkingStrategy(BaseModel):
    """``auto``: the server's own sizes."""

    type: Literal["auto", "static"] = "auto"
    static: StaticSizes | None = None

    @model_validator(mode="after")
    def _check_sizes(self) -> ChunkingStrategy:
        if (self.type == "static") != (self.static is not None):
            raise ValueError("'static' and its sizes belong together")
        return self


class VectorStoreNew(BaseModel):
    """``POST /v1/vector_stores``. StepFun's stores have a ``type``; OpenAI's may begin with files."""

    name: Annotated[str, StringConstraints(max_length=255)] | None = None
    type: Literal["text", "image"] = "text"
    description: Annotated[str, StringConstraints(max_length=4096)] | None = None
    metadata: Details | None = None
    expires_after: ExpiresAfter | None = None
    file_ids: Annotated[list[Id], Field(max_length=MAX_FILES_AT_ONCE)] = []
    chunking_strategy: ChunkingStrategy | None = None


class VectorStoreChange(BaseModel):
    """``POST /v1/vector_stores/{id}``: only what is given changes; ``expires_after: null`` takes the expiry away."""

    name: Annotated[str, StringConstraints(max_length=255)] | None = None
    metadata: Details | None = None
    expires_after: ExpiresAfter | None = None


class FileCounts(BaseModel):
    """How many files of a store are how far."""

    in_progress: int
    completed: int
    failed: int
    cancelled: int
    total: int


class VectorStore(BaseModel):
    """A vector store."""

    id: str
    object: Literal["vector_store"] = "vector_store"
    created_at: int
    name: str
    type: Literal["text"] = "text"
    description: str
    file_counts: FileCounts
    status: Literal["in_progress", "completed", "expired"]
    usage_bytes: int
    last_active_at: int
    expires_after: ExpiresAfter | None = None
    expires_at: int | None = None
    metadata: Details


class VectorStoreList(BaseModel):
    """A page of stores."""

    object: Literal["list"] = "list"
    data: list[VectorStore]
    first_id: str | None
    last_id: str | None
    has_more: bool


class VectorStoreDeleted(BaseModel):
    """The answer to a deletion."""

    id: str
    object: Literal["vector_store.deleted"] = "vector_store.deleted"
    deleted: Literal[True] = True


class FileToAdd(BaseModel):
    """One of several files to add. StepFun's have a ``description``, OpenAI's ``attributes``."""

    file_id: Id
    description: Annotated[str, StringConstraints(max_length=255)] = ""
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class FilesToAdd(BaseModel):
    """``POST /v1/vector_stores/{id}/files``: StepFun's ``files`` (or its old ``file_ids``), or OpenAI's one ``file_id``."""

    model_config = ConfigDict(json_schema_extra={"description": "`files`, or `file_ids`, or `file_id`"})

    files: Annotated[list[FileToAdd], Field(min_length=1, max_length=MAX_FILES_AT_ONCE)] | None = None
    file_id: Id | None = None
    file_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_FILES_AT_ONCE)] | str | None = None
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class BatchToAdd(BaseModel):
    """``POST /v1/vector_stores/{id}/file_batches``."""

    file_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_FILES_AT_ONCE)] | None = None
    files: Annotated[list[FileToAdd], Field(min_length=1, max_length=MAX_FILES_AT_ONCE)] | None = None
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class LastError(BaseModel):
    """Why a file could not be read."""

    code: Literal["server_error", "unsupported_file", "invalid_file"]
    message: str


class FileMetadata(BaseModel):
    """StepFun's."""

    description: str
    file_name: str


class VectorStoreFile(BaseModel):
    """A file in a store. ``progress`` goes from 0 to 1 while it is read; ``passages`` counts what it was cut into."""

    id: str
    object: Literal["vector_store.file"] = "vector_store.file"
    created_at: int
    vector_store_id: str
    status: FileStatus
    progress: float
    passages: int
    usage_bytes: int
    last_error: LastError | None = None
    metadata: FileMetadata
    attributes: Attributes
    chunking_strategy: ChunkingStrategy


class AddedFile(BaseModel):
    """What StepFun's answer says of a file that was added."""

    file_id: str
    metadata: dict[str, str]


class AddedFiles(BaseModel):
    """StepFun's answer to files that were added as JSON."""

    files: list[AddedFile]


class AddedByForm(BaseModel):
    """StepFun's old answer to a file that was added by a form."""

    id: str
    usage_bytes: int
    vector_store_id: str


class VectorStoreFileList(BaseModel):
    """A page of a store's files."""

    object: Literal["list"] = "list"
    data: list[VectorStoreFile]
    first_id: str | None
    last_id: str | None
    has_more: bool


class FileChange(BaseModel):
    """``POST /v1/vector_stores/{id}/files/{file_id}``."""

    attributes: Attributes | None = None


class VectorStoreFileDeleted(BaseModel):
    """The answer to taking a file out."""

    id: str
    object: Literal["vector_store.file.deleted"] = "vector_store.file.deleted"
    deleted: Literal[True] = True


class FileBatch(BaseModel):
    """Files that were added together."""

    id: str
    object: Literal["vector_store.files_batch"] = "vector_store.files_batch"
    created_at: int
    vector_store_id: str
    status: FileStatus
    file_counts: FileCounts


class RankingOptions(BaseModel):
    """There is one ranker; ``score_threshold`` leaves out what is below it."""

    ranker: str | None = None
    score_threshold: Annotated[float, Field(ge=0, le=1)] = 0.0


class Search(BaseModel):
    """``POST /v1/vector_stores/{id}/search``. ``filters`` are comparisons of attributes, put together by and/or."""

    query: (
        Annotated[str, StringConstraints(min_length=1, max_length=8192)]
        | Annotated[
            list[Annotated[str, StringConstraints(min_length=1, max_length=8192)]], Field(min_length=1, max_length=10)
        ]
    )
    max_num_results: Annotated[int, Field(ge=1, le=50)] = 10
    ranking_options: RankingOptions | None = None
    rewrite_query: bool = False
    filters: dict[str, Any] | None = None


class PassageText(BaseModel):
    """The text of a passage."""

    type: Literal["text"] = "text"
    text: str


class SearchHit(BaseModel):
    """A passage that was found."""

    file_id: str
    filename: str
    score: float
    attributes: Attributes
    content: list[PassageText]


class StoreSearchResults(BaseModel):
    """What was found, best first."""

    object: Literal["vector_store.search_results.page"] = "vector_store.search_results.page"
    search_query: list[str]
    data: list[SearchHit]
    has_more: Literal[False] = False
    next_page: None = None


class FileContent(BaseModel):
    """The passages of a file."""

    object: Literal["vector_store.file_content.page"] = "vector_store.file_content.page"
    data: list[PassageText]
    has_more: Literal[False] = False
    next_page: None = None
