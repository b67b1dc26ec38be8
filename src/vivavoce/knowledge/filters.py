"""Filters of a search by the attributes of files, in OpenAI's form: comparisons, put together by ``and`` and ``or``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from vivavoce.errors import ClientError

Filter: TypeAlias = Callable[[Mapping[str, Any]], bool]

MAX_DEPTH = 8
MAX_FILTERS = 64


def read_filter(value: Any, param: str = "filters", depth: int = 0) -> Filter:
    """A filter as a function of a file's attributes. Raises ``ClientError`` naming what does not fit."""
    if not isinstance(value, dict) or depth > MAX_DEPTH:
        raise ClientError("A filter is an object, and not deeper than eight.", param=param)
    kind = value.get("type")
    if kind in ("and", "or"):
        nested = value.get("filters")
        if not isinstance(nested, list) or not 0 < len(nested) <= MAX_FILTERS:
            raise ClientError(
                "'and' and 'or' put filters together: a list of them is wanted.", param=f"{param}.filters"
            )
        parts = [read_filter(part, f"{param}.filters[{index}]", depth + 1) for index, part in enumerate(nested)]
        combine = all if kind == "and" else any
        return lambda attributes: combine(part(attributes) for part in parts)
    return _comparison(value, param)


def _comparison(value: Mapping[str, Any], param: str) -> Filter:
    key, operand, kind = value.get("key"), value.get("value"), value.get("type")
    if not isinstance(key, str):
        raise ClientError("A comparison has a 'key'.", param=f"{param}.key")
    if kind in ("in", "nin"):
        if not isinstance(operand, list) or not all(isinstance(item, str | int | float | bool) for item in operand):
            raise ClientError("'in' and 'nin' compare with a list.", param=f"{param}.value")
        members: list[Any] = operand
        return lambda attributes: (attributes.get(key) in members) == (kind == "in")
    compare = _COMPARISONS.get(str(kind))
    if compare is None:
        supported = ", ".join((*_COMPARISONS, "in", "nin", "and", "or"))
        raise ClientError(f"A filter's type is one of {supported}.", param=f"{param}.type")
    if not isinstance(operand, str | int | float | bool):
        raise ClientError("A comparison is with a text, a number or a truth value.", param=f"{param}.value")
    return lambda attributes: compare(attributes.get(key), operand)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Texts have an order, and numbers have one; between them there is none."""
    return lambda left, right: (
        isinstance(left, str) == isinstance(right, str) and left is not None and compare(left, right)
    )


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "gt": _ordered(lambda left, right: bool(left > right)),
    "gte": _ordered(lambda left, right: bool(left >= right)),
    "lt": _ordered(lambda left, right: bool(left < right)),
    "lte": _ordered(lambda left, right: bool(left <= right)),
}
