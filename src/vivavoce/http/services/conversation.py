"""Conversations: the Realtime API, with and without a session the server remembers, and its client secrets."""

from __future__ import annotations

from vivavoce.http import client_secrets, realtime, stateless
from vivavoce.http.services.base import Routes


def service() -> Routes:
    """The service."""
    return Routes(realtime.router, client_secrets.router, stateless.router)
