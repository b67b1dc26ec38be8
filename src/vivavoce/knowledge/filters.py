"""Filters of a search by the attributes of files, in OpenAI's form: comparisons, put together by ``and`` and ``or``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from vivavoce.errors import ClientError

Filter: TypeAlias = Callable[[Mapping[str, Any]], bool]

MOST_DEPTH = 8
MOST_FILTERS = 64


def read_filter(value: Any, param: str = "filters", depth: int = 0) -> Filter:
    """A filter as a function of a file's attributes. Raises ``ClientError`` naming what does not fit."""
    if not isinstance(value, dict) or depth > MOST_DEPTH:
        raise ClientError("A filter is an object, and not deeper than eight.", param=param)
    kind = value.get("type")
    if kind in ("and", "or"):
        inner = value.get("filters")
        if not isinstance(inner, list) or not 0 < len(inner) <= MOST_FILTERS:
            raise ClientError(
                "'and' and 'or' put filters together: a list of them is wanted.", param=f"{param}.filters"
            )
        parts = [read_filter(part, f"{param}.filters[{index}]", depth + 1) for index, part in enumerate(inner)]
        together = all if kind == "and" else any
        return lambda attributes: together(part(attributes) for part in parts)
    return _comparison(value, param)


def _comparison(value: Mapping[str, Any], param: str) -> Filter:
    key, wanted, kind = value.get("key"), value.get("value"), value.get("type")
    if not isinstance(key, str):
        raise ClientError("A comparison has a 'key'.", param=f"{param}.key")
    if kind in ("in", "nin"):
        if not isinstance(wanted, list) or not all(isinstance(one, str | int | float | bool) for one in wanted):
            raise ClientError("'in' and 'nin' compare with a list.", param=f"{param}.value")
        among: list[Any] = wanted
        return lambda attributes: (attributes.get(key) in among) == (kind == "in")
    compare = _COMPARISONS.get(str(kind))
    if compare is None:
        known = ", ".join((*_COMPARISONS, "in", "nin", "and", "or"))
        raise ClientError(f"A filter's type is one of {known}.", param=f"{param}.type")
    if not isinstance(wanted, str | int | float | bool):
        raise ClientError("A comparison is with a text, a number or a truth value.", param=f"{param}.value")
    return lambda attributes: compare(attributes.get(key), wanted)


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
