"""``/v1/files``: what goes over the wire (platform reference, section 7; OpenAI's API where that is silent)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SHORTEST_LIFE_S, LONGEST_LIFE_S = 3600, 30 * 24 * 3600
"""What OpenAI's ``expires_after`` allows."""


class FileFields(BaseModel):
    """The fields of an upload beside the file itself. Given both, the file counts and the URL does not."""

    model_config = ConfigDict(populate_by_name=True)

    purpose: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    url: Annotated[str, StringConstraints(min_length=1, max_length=4096)] | None = None
    expires_anchor: Literal["created_at"] | None = Field(default=None, alias="expires_after[anchor]")
    expires_after_s: Annotated[int, Field(ge=SHORTEST_LIFE_S, le=LONGEST_LIFE_S)] | None = Field(
        default=None, alias="expires_after[seconds]"
    )


class File(BaseModel):
    """An uploaded file. ``created_at`` and ``expires_at`` are in seconds of the epoch."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None = None
    filename: str
    purpose: str
    status: Literal["uploaded", "processed", "success", "error"]
    status_details: str | None = None


class FileList(BaseModel):
    """Files of one owner."""

    object: Literal["list"] = "list"
    data: list[File]
    has_more: bool = False
    first_id: str | None = None
    last_id: str | None = None


class FileDeleted(BaseModel):
    """The answer to a deletion."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True
