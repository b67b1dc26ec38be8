"""What the settings of built-in engines have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError


class EngineSettings(BaseModel):
    """An engine's own table of the configuration. A setting there is not is refused with the nearest; keys are never shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="wrap")
    @classmethod
    def _refused_with_the_nearest(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(values)
        except ValidationError as error:
            lines = [cls._with_the_nearest(one) for one in error.errors()]
            raise ValidationError.from_exception_data(error.title, lines, hide_input=True) from None

    @classmethod
    def _with_the_nearest(cls, one: ErrorDetails) -> InitErrorDetails:
        kind: str | PydanticCustomError = one["type"]
        near = get_close_matches(str(one["loc"][-1]), cls.model_fields, 1) if kind == "extra_forbidden" else []
        if near:
            kind = PydanticCustomError(
                "misspelt", "there is no such setting; did you mean '{meant}'?", {"meant": near[0]}
            )
        return InitErrorDetails(type=kind, loc=one["loc"], input=one["input"], ctx=one.get("ctx", {}))


class NoSettings(EngineSettings):
    """Of an engine that has none."""


def always(*weights: str) -> Callable[[Mapping[str, Any]], Sequence[str]]:
    """For ``needs_weights``: these, whatever is set, and nothing can be set."""

    def names(settings: Mapping[str, Any]) -> Sequence[str]:
        NoSettings.model_validate(settings)
        return weights

    return names
