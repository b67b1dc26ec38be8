"""What every table of the configuration has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table of settings. One that is not there is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
