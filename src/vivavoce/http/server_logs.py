"""What the web server logs, put right.

Keys stay out: uvicorn logs URLs with their query, and at level debug every header. And a connection refused before its
upgrade is no error of ours: uvicorn's websocket server says so of every one that got a response instead.
"""

from __future__ import annotations

import logging
import re

_HIDDEN = "[hidden]"
_KEYS = re.compile(
    r"(\b(?:api(?:_|%5f)?key|resume)=|\bopenai-insecure-api-key\.|\bbearer\s+)[^\s&\"',;]+", re.IGNORECASE
)
_KEY_HEADERS = frozenset({"authorization", "api-key"})


def hide_keys(text: str) -> str:
    """``text`` with the value of every key replaced."""
    return _KEYS.sub(rf"\1{_HIDDEN}", text)


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


def put_server_logs_right() -> None:
    """Put the filters on the web server's loggers, once, whoever starts the server and however it logs."""
    for name in ("uvicorn.error", "uvicorn.access"):
        for each in _FILTERS:
            logging.getLogger(name).addFilter(each)
