"""Asking for what a dialect must refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vivavoce.errors import ClientError
from vivavoce.protocol.dialect import Dialect, decode


def refusal(event: dict[str, Any], dialect: Dialect) -> ClientError:
    """The error an event is answered with; it must name the event."""
    with pytest.raises(ClientError) as caught:
        decode(json.dumps({**event, "event_id": "mine"}), dialect)
    assert caught.value.event_id == "mine"
    return caught.value
