"""What the server logs: one line a record, with its time, whoever logs.

Nothing from outside looks like another line: what is not printable in a message is escaped, and every line of a traceback is
indented. Keys stay out, and the secrets in the addresses of speech files: uvicorn logs URLs with their query, and at level
debug every header. And a connection refused before its upgrade is no error of ours: uvicorn's websocket server says so of
every one that got a response instead.
"""

from __future__ import annotations

import logging
import logging.config
import re
from datetime import datetime
from typing import Any

_HIDDEN = "[hidden]"


def _spelt(name: str) -> str:
    """A pattern of the name of a query parameter: any of its characters may be percent-encoded."""
    return "".join(f"(?:{character}|%{ord(character):02x}|%{ord(character.upper()):02x})" for character in name)


_KEYS = re.compile(
    rf"((?:\b|(?<=[?&]))(?:{_spelt('api_key')}|{_spelt('apikey')}|{_spelt('resume')})=)[^\s&]+"
    r"|(\bbearer\s+)\S+"
    r"|(\bopenai-insecure-api-key\.|/audio/+speech/+files/+)[^\s&\"',;?]+",
    re.IGNORECASE,
)
"""Keys may have any printable character, so those in queries and headers end where these end."""

_KEY_HEADERS = frozenset({"authorization", "api-key"})


def hide_keys(text: str) -> str:
    """``text`` with the value of every key replaced."""
    return _KEYS.sub(lambda found: (found[1] or found[2] or found[3]) + _HIDDEN, text)


class HideKeys(logging.Filter):
    """Replaces keys in the arguments of a log record; lets every record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's arguments in place: formatters of their own (uvicorn's) read them one by one."""
        if isinstance(record.args, tuple):
            record.args = tuple(hide_keys(arg) if isinstance(arg, str) else arg for arg in record.args)
            if len(record.args) == 2 and str(record.args[0]).lower() in _KEY_HEADERS:
                record.args = (record.args[0], _HIDDEN)
        return True


class DropRefusals(logging.Filter):
    """Drops what uvicorn says of a websocket that was answered with a response."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to keep the record."""
        return record.msg != "ASGI callable returned without completing handshake."


_FILTERS = (HideKeys(), DropRefusals())


def install_log_filters() -> None:
    """Put the filters on the web server's loggers, once, whoever starts the server and however it logs."""
    for name in ("uvicorn.error", "uvicorn.access"):
        for each in _FILTERS:
            logging.getLogger(name).addFilter(each)


class LineFormatter(logging.Formatter):
    """``2026-11-29T09:15:00.123+01:00 WARNING vivavoce.http.tracing: …``: local time with its offset."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The record's one line."""
        return _printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """The traceback, whose last line is a message that may come from anywhere."""
        return "\n".join(f"    {_printable(line)}" for line in super().formatException(ei).splitlines())

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """When it was logged (ISO 8601)."""
        return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")


def one_line(text: str, max_characters: int = 300) -> str:
    """Text of a client as it may stand in a log: short, without keys, and nothing that looks like another line."""
    return hide_keys(_printable(text[:max_characters]))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def configure_logging(level: str) -> None:
    """Everything to standard error, in one form: this program's and the web server's from ``level`` on, others' warnings."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": LineFormatter}},
            "filters": {"keys": {"()": HideKeys}},
            "handlers": {"lines": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["keys"]}},
            "root": {"handlers": ["lines"], "level": "WARNING"},
            "loggers": {name: {"level": level.upper()} for name in ("vivavoce", "uvicorn")},
        }
    )
