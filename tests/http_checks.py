"""What a running server says of itself."""

from __future__ import annotations

from typing import Any

import httpx

from running import RunningServer


def readiness(server: RunningServer) -> tuple[int, str, dict[str, Any]]:
    """The status, the state and the checks of ``/readyz``."""
    answer = httpx.get(f"{server.http}/readyz", timeout=10)
    return answer.status_code, answer.json()["status"], answer.json()["checks"]


def metric(server: RunningServer, line: str) -> str:
    """The value of the sample of ``/metrics`` that begins so."""
    metrics = httpx.get(f"{server.http}/metrics", timeout=10).text.splitlines()
    return next(sample.rpartition(" ")[2] for sample in metrics if sample.startswith(line))
