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
            lines = [cls._in_words(details) for details in error.errors()]
            raise ValidationError.from_exception_data(error.title, lines, hide_input=True) from None

    @classmethod
    def _in_words(cls, details: ErrorDetails) -> InitErrorDetails:
        message = details["msg"].removeprefix("Value error, ")
        if details["type"] == "extra_forbidden":
            near = get_close_matches(str(details["loc"][-1]), cls.model_fields, 1)
            message = f"there is no such setting{f'; did you mean {near[0]!r}?' if near else ''}"
        error = PydanticCustomError("wrong_setting", "{said}", {"said": message})
        return InitErrorDetails(type=error, loc=details["loc"], input=details["input"])


class NoSettings(EngineSettings):
    """Of an engine that has none."""


def always(*weights: str) -> Callable[[Mapping[str, Any]], Sequence[str]]:
    """For ``needs_weights``: these, whatever is set, and nothing can be set."""

    def names(settings: Mapping[str, Any]) -> Sequence[str]:
        NoSettings.model_validate(settings)
        return weights

    return names
