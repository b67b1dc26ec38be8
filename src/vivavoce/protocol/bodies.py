"""HTTP bodies: JSON → a model, and what is wrong with it said in the client's own path.

Unknown fields are tolerated, and ``null`` means "not given": typed clients send both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, from_json

from vivavoce.errors import ClientError
from vivavoce.protocol.json_fields import MAX_MESSAGE
from vivavoce.protocol.json_text import MAX_VALUES_IN_LARGE_BODY, readable


class Body(BaseModel):
    """What bodies are made of."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        return {key: field for key, field in value.items() if field is not None} if isinstance(value, dict) else value


B = TypeVar("B", bound=BaseModel)


def read_body(data: bytes, model: type[B]) -> B:
    """``data`` as ``model``. Blocking: ten megabytes take 20 ms, the costliest body 50.

    Raises ``ClientError`` with the path of the bad field as ``param``, as in ``messages[2].content[0].input_audio.data``.
    """
    text = readable(data, max_values=MAX_VALUES_IN_LARGE_BODY)
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise ClientError(f"The body is not valid JSON: {str(error)[:MAX_MESSAGE]}", code="invalid_json") from error
    if not isinstance(value, dict):
        raise ClientError("The body must be a JSON object.", code="invalid_json")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise refusal(error.errors(include_url=False, include_context=False), value) from error


def refusal(errors: Sequence[ErrorDetails], value: Any) -> ClientError:
    """What is wrong with ``value``, in one error: the one that lies deepest, as a union complains of all its members.

    A type of error that pydantic does not know is our own code.
    """
    paths = [_path(error["loc"], value, missing=error["type"] == "missing") for error in errors]
    at = max(range(len(errors)), key=lambda index: len(paths[index]))
    error, path = errors[at], paths[at]
    param = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    missing = error["type"] == "missing"
    code = _CODES.get(error["type"], "invalid_value")
    message = f"'{param}' is missing." if missing else f"Invalid '{param}': {error['msg'][:MAX_MESSAGE]}."
    return ClientError(message.replace("..", "."), code=code, param=param or None)


_CODES = {
    "missing": "missing_required_parameter",
    "unsupported_content": "unsupported_content",
}


def _path(location: Sequence[int | str], value: Any, *, missing: bool) -> list[int | str]:
    """The steps of a location that exist in ``value``, and the last if it is missing there.

    Pydantic also names the members of unions on its way.
    """
    path: list[int | str] = []
    for index, step in enumerate(location):
        if isinstance(value, dict):
            there = step in value
        else:
            there = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if there:
            value = value[step]
        elif not missing or not isinstance(value, dict) or index < len(location) - 1:
            continue
        path.append(step)
    return path


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model without references, for a place in OpenAPI that has no components of its own."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return resolved(definitions[part["$ref"].rpartition("/")[2]])
            return {
                key: resolved(value)
                for key, value in part.items()
                if key != "discriminator" or not isinstance(value, dict)
            }
        return [resolved(element) for element in part] if isinstance(part, list) else part

    resolved_schema: dict[str, Any] = resolved(schema)
    return resolved_schema
