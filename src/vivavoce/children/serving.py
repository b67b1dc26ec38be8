"""The child's side: jobs with files, one after the other, until the server has gone."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO, NamedTuple, TypeAlias

from vivavoce.children.confinement import limit_cpu, limit_memory
from vivavoce.children.frames import write_frame
from vivavoce.children.jobs import receive_job
from vivavoce.types import Samples

Answer: TypeAlias = Callable[[dict[str, Any], BinaryIO], Iterable[tuple[dict[str, Any], Samples | None]]]
"""The frames a job and its file are answered with, but the last one. May raise whatever a library does."""


class JobErrors(NamedTuple):
    """What is said when there is no answer: ``known`` errors have words and a ``code`` of their own, all others these."""

    known: type[Any]
    code: str
    too_much_memory: str
    broken: str


def serve(unavailable: Sequence[str], answer: Answer, errors: JobErrors) -> None:
    """Answer jobs; ``unavailable`` is what this system refused, and is said first. What libraries print goes nowhere."""
    channel = socket.socket(fileno=0)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        write_frame(answers, {"refused": list(unavailable)})
        while (received := receive_job(channel)) is not None:
            job, file = received
            with file:
                write_frame(answers, _answered(answer, job, file, answers, errors))
    except BrokenPipeError:
        os._exit(0)  # the server has gone


def _answered(
    answer: Answer, job: dict[str, Any], file: BinaryIO, answers: BinaryIO, errors: JobErrors
) -> dict[str, Any]:
    """Answer one job; its last frame."""
    try:
        limit_cpu(job["cpu_s"])
        limit_memory(job["memory_bytes"])
        for header, samples in answer(job, file):
            write_frame(answers, header, samples)
    except errors.known as error:
        return {"error": error.message, "code": error.code}
    except (MemoryError, RecursionError):
        limit_memory(None)  # there is none left to say so with
        return {"error": errors.too_much_memory, "code": errors.code, "spent": True}
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001
        # Only the kind of the error: its text may hold words of what was read.
        print(f"{type(error).__name__} while a job was answered", file=sys.stderr)
        return {"error": errors.broken, "code": errors.code}
    return {"end": True}
