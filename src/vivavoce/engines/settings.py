"""What the settings of built-in engines have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict


class EngineSettings(BaseModel):
    """An engine's own table of the configuration. A setting there is not is refused; keys are never shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NoSettings(EngineSettings):
    """Of an engine that has none."""


def always(*weights: str) -> Callable[[Mapping[str, Any]], Sequence[str]]:
    """For ``needs_weights``: these, whatever is set, and nothing can be set."""

    def names(settings: Mapping[str, Any]) -> Sequence[str]:
        NoSettings.model_validate(settings)
        return weights

    return names
