"""A child that does what its jobs say."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from vivavoce.children.serving import JobErrors, serve
from vivavoce.errors import ClientError
from vivavoce.types import Samples

JOB_ERRORS = JobErrors(ClientError, "broken", "too much memory", "it is damaged")


def main(unavailable: Sequence[str]) -> None:
    serve(unavailable, answer, JOB_ERRORS)


def answer(job: dict[str, Any], file: BinaryIO) -> Iterator[tuple[dict[str, Any], Samples | None]]:
    yield {"read": file.read().decode()}, None
    match job["do"]:
        case "count":
            for number in range(job["frames"]):
                yield {"number": number}, np.full(50_000, number, np.float32)
        case "die":
            os.abort()
        case "sleep":
            time.sleep(60)
        case "compute":
            while True:
                pass
        case "allocate":
            bytearray(1 << 30)
        case "refuse":
            raise ClientError("not this one", code="refused")
        case "raise":
            raise ValueError("words of the file")
