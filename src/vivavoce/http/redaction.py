"""Keys out of the logs: uvicorn logs URLs with their query, and at level debug every header."""

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


_FILTER = HideKeys()


def hide_keys_in_server_logs() -> None:
    """Put the filter on the web server's loggers, once, whoever starts the server and however it logs."""
    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).addFilter(_FILTER)
