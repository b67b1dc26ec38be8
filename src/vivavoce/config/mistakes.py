"""What is wrong with a configuration, in words for the one who wrote it: the setting, where it was read, the nearest name.

A setting nobody knows is refused at every depth, in files and in the environment; it would be ignored otherwise, and the
server would do something else than was asked for.
"""

from __future__ import annotations

import re
import tomllib
from collections import abc
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

PREFIX = "VIVAVOCE_"

OTHER_VARIABLES = frozenset({"CONFIG", "KEY"})
"""Variables that are no settings: the file to read, and the key ``talk`` and ``say`` show."""

_SERVICE_LINK = re.compile(r"SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_.+)?")
"""What Kubernetes puts into the environment of every container beside a service named ``vivavoce``."""


def nearest(word: str, words: Sequence[str], *, likeness: float = 0.6) -> str | None:
    """The one of ``words`` that was probably meant, if any is as like it as this (0 to 1)."""
    return next(iter(get_close_matches(word, words, 1, likeness)), None)


def unknown_variables(environ: Mapping[str, str], model: type[BaseModel]) -> list[str]:
    """A sentence for each variable that looks like a setting and is none.

    Only the first part of a name is looked at; the rest is checked with the values.
    """
    sentences = []
    for variable in environ:
        rest = variable.upper().removeprefix(PREFIX)
        path = tuple(rest.lower().split("__"))
        is_ours = rest in OTHER_VARIABLES or path[0] in model.model_fields
        if variable.upper().startswith(PREFIX) and not is_ours and not _SERVICE_LINK.fullmatch(rest):
            meant = _corrected(path, model)
            hint = f"did you mean {_variable(meant)}?" if meant else f"there are {_listed(model, ())}."
            sentences.append(f"{variable} names no setting; {hint}")
    return sentences


def explained(
    error: ValidationError, model: type[BaseModel], environ: Mapping[str, str], file: Path | None
) -> list[str]:
    """A sentence for each mistake: where it was read, what it is, and for a setting there is not the nearest one.

    ``file`` is the configuration file, if there is one. Values are left out, since they may be keys.
    """
    sentences = []
    for one in error.errors():
        path = tuple(map(str, one["loc"]))
        sentences.append(_place(path, environ, file) + _mistake(one["type"], one["msg"], path, model))
    return sentences


def _mistake(kind: str, message: str, path: tuple[str, ...], model: type[BaseModel]) -> str:
    name = ".".join(path)
    if kind != "extra_forbidden":
        said = message.removeprefix("Value error, ")
        return f"{name + ': ' if name else ''}{said if said.endswith(('.', '?')) else said + '.'}"
    meant = _corrected(path, model)
    hint = f"did you mean '{'.'.join(meant)}'?" if meant else f"there are {_listed(model, path[:-1])}."
    return f"there is no setting '{name}'; {hint}"


def _place(path: tuple[str, ...], environ: Mapping[str, str], file: Path | None) -> str:
    """The variable or the file that has the setting, with a colon; nothing for a flag."""
    wanted = _variable(path)
    for variable in environ:
        if path and (variable.upper() == wanted or variable.upper().startswith(f"{wanted}__")):
            return f"{variable}: "
    found: Any = tomllib.loads(file.read_text("utf-8")) if file is not None else {}
    for step in path:
        if not isinstance(found, dict) or step not in found:
            return ""
        found = found[step]
    return f"{file}: " if path else ""


def _variable(path: Sequence[str]) -> str:
    return PREFIX + "__".join(path).upper()


def _corrected(path: tuple[str, ...], model: type[BaseModel]) -> tuple[str, ...] | None:
    """The setting that was probably meant by a path that leads to none.

    A name much like it in the same place; else one spelt the same elsewhere; else one somewhat like it in the same place.
    """
    everywhere = list(_paths(model))
    namesakes = [one for one in everywhere if one[-1] == path[-1] or "_".join(one) == path[-1]]
    return (
        _step_by_step(path, model, likeness=0.75)
        or (namesakes[0] if len(namesakes) == 1 else None)
        or _step_by_step(path, model, likeness=0.6)
    )


def _step_by_step(path: tuple[str, ...], model: type[BaseModel], *, likeness: float) -> tuple[str, ...] | None:
    meant: list[str] = []
    for step in path:
        names = _names(model, meant)
        right = step if step in names or not names else nearest(step, names, likeness=likeness)
        if right is None:
            return None
        meant.append(right)
    return tuple(meant)


def _listed(model: type[BaseModel], path: Sequence[str]) -> str:
    names = [".".join((*path, name)) for name in _names(model, path)]
    return ", ".join(names)


def _names(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """The settings of the table at this path; none where names are free, or where there is no table."""
    found: Any = model
    for step in path:
        if _is_table(found):
            field = found.model_fields.get(step)
            found = field.annotation if field else None
        else:
            found = get_args(found)[1] if get_origin(found) is abc.Mapping else None
        if get_origin(found) in (Union, UnionType):
            found = next(one for one in get_args(found) if one is not NoneType)
    return list(found.model_fields) if _is_table(found) else []


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _paths(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """Every setting with a name of its own."""
    for name, field in model.model_fields.items():
        yield (name,)
        kind: Any = field.annotation
        if _is_table(kind):
            yield from ((name, *rest) for rest in _paths(kind))
