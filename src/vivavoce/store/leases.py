"""Leases: until when a row's work is one server's, in seconds of the epoch, because servers share no other clock."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import InstrumentedAttribute


def is_free(leased_until: InstrumentedAttribute[int], now: int, longest_s: int) -> ColumnElement[bool]:
    """Whether a row may be taken. A lease longer than any there is was made before the clock was set back."""
    return or_(leased_until <= now, leased_until > now + longest_s)
