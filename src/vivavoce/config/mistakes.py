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
        suffix = variable.upper().removeprefix(PREFIX)
        path = tuple(suffix.lower().split("__"))
        is_setting = suffix in OTHER_VARIABLES or path[0] in model.model_fields
        if variable.upper().startswith(PREFIX) and not is_setting and not _SERVICE_LINK.fullmatch(suffix):
            suggestion = _corrected(path, model)
            hint = f"did you mean {_variable(suggestion)}?" if suggestion else f"there are {_listed(model, ())}."
            sentences.append(f"{variable} names no setting; {hint}")
    return sentences


def explained(
    error: ValidationError, model: type[BaseModel], environ: Mapping[str, str], file: Path | None
) -> list[str]:
    """A sentence for each mistake: where it was read, what it is, and for a setting there is not the nearest one.

    ``file`` is the configuration file, if there is one. Values are left out, since they may be keys.
    """
    sentences = []
    for details in error.errors():
        path = tuple(map(str, details["loc"]))
        sentences.append(_place(path, environ, file) + _mistake(details["type"], details["msg"], path, model))
    return sentences


def _mistake(kind: str, message: str, path: tuple[str, ...], model: type[BaseModel]) -> str:
    name = ".".join(path)
    if kind != "extra_forbidden":
        sentence = message.removeprefix("Value error, ")
        return f"{name + ': ' if name else ''}{sentence if sentence.endswith(('.', '?')) else sentence + '.'}"
    suggestion = _corrected(path, model)
    hint = f"did you mean '{'.'.join(suggestion)}'?" if suggestion else f"there are {_listed(model, path[:-1])}."
    return f"there is no setting '{name}'; {hint}"


def _place(path: tuple[str, ...], environ: Mapping[str, str], file: Path | None) -> str:
    """The variable or the file that has the setting, with a colon; nothing for a flag."""
    variable_name = _variable(path)
    for variable in environ:
        if path and (variable.upper() == variable_name or variable.upper().startswith(f"{variable_name}__")):
            return f"{variable}: "
    value: Any = tomllib.loads(file.read_text("utf-8")) if file is not None else {}
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return ""
        value = value[step]
    return f"{file}: " if path else ""


def _variable(path: Sequence[str]) -> str:
    return PREFIX + "__".join(path).upper()


def _corrected(path: tuple[str, ...], model: type[BaseModel]) -> tuple[str, ...] | None:
    """The setting that was probably meant by a path that leads to none.

    A name much like it in the same place; else one spelt the same elsewhere; else one somewhat like it in the same place.
    """
    everywhere = list(_paths(model))
    namesakes = [candidate for candidate in everywhere if candidate[-1] == path[-1] or "_".join(candidate) == path[-1]]
    return (
        _step_by_step(path, model, likeness=0.75)
        or (namesakes[0] if len(namesakes) == 1 else None)
        or _step_by_step(path, model, likeness=0.6)
    )


def _step_by_step(path: tuple[str, ...], model: type[BaseModel], *, likeness: float) -> tuple[str, ...] | None:
    corrected: list[str] = []
    for step in path:
        names = _names(model, corrected)
        right = step if step in names or not names else nearest(step, names, likeness=likeness)
        if right is None:
            return None
        corrected.append(right)
    return tuple(corrected)


def _listed(model: type[BaseModel], path: Sequence[str]) -> str:
    names = [".".join((*path, name)) for name in _names(model, path)]
    return ", ".join(names)


def _names(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """The settings of the table at this path; none where names are free, or where there is no table."""
    annotation: Any = model
    for step in path:
        if _is_table(annotation):
            field = annotation.model_fields.get(step)
            annotation = field.annotation if field else None
        else:
            annotation = get_args(annotation)[1] if get_origin(annotation) is abc.Mapping else None
        if get_origin(annotation) in (Union, UnionType):
            annotation = next(member for member in get_args(annotation) if member is not NoneType)
    return list(annotation.model_fields) if _is_table(annotation) else []


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _paths(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """Every setting with a name of its own."""
    for name, field in model.model_fields.items():
        yield (name,)
        kind: Any = field.annotation
        if _is_table(kind):
            yield from ((name, *inner_path) for inner_path in _paths(kind))
