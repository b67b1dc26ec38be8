"""What can go wrong with an engine elsewhere. Pure.

Messages reach clients, so they name the engine as the configuration does, and never its address, its key or its own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from vivavoce.errors import EngineError


class RemoteError(EngineError):
    """A request to an engine elsewhere failed.

    ``away``: it seems not to be there, or out of order, which the circuit breaker counts. ``repeatable``: the same request may
    be made again at once, or after ``retry_after_s``; ``lasting``: the next one meets the same. ``status`` is HTTP's, and
    ``detail`` what the other side said with it.
    """

    def __init__(
        self,
        engine: str,
        message: str,
        *,
        away: bool = False,
        repeatable: bool = False,
        retriable: bool = False,
        status: int | None = None,
        detail: str = "",
        retry_after_s: float | None = None,
        lasting: bool = False,
    ) -> None:
        super().__init__(engine, message, retriable=retriable)
        self.away = away
        self.repeatable = repeatable
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.lasting = lasting


_REPEATABLE = {
    HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT,
}  # fmt: skip

_LASTING = {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}

_NO_QUOTA = "insufficient_quota"
"""What OpenAI's API and its kind say beside 429 where there is nothing left to pay with."""

_MEANINGS: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "refuses the key",
    HTTPStatus.PAYMENT_REQUIRED: "asks for payment",
    HTTPStatus.FORBIDDEN: "refuses access",
    HTTPStatus.NOT_FOUND: "knows no such model or endpoint",
    HTTPStatus.TOO_MANY_REQUESTS: "has too many requests",
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: "refuses what was said",
}


def status_error(engine: str, status: int, detail: str, retry_after: float | None) -> RemoteError:
    """The error an HTTP status stands for."""
    meaning = _MEANINGS.get(status, "failed" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused the request")
    spent = status == HTTPStatus.TOO_MANY_REQUESTS and _NO_QUOTA in detail
    meaning = "has no quota left" if spent else meaning
    busy = status in _REPEATABLE and not spent
    return RemoteError(
        engine,
        f"{meaning} ({status})",
        away=status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        repeatable=busy,
        retriable=busy,
        status=status,
        detail=detail,
        retry_after_s=retry_after,
        lasting=spent or status in _LASTING,
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """What ``Retry-After`` asks for: seconds, or a date (RFC 9110, 10.2.3); OpenAI's ``retry-after-ms`` is exacter."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            return max(float(value) * unit_s, 0.0)
        except ValueError:
            pass
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
