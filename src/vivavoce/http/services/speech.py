"""Text to speech, in a request or over a socket."""

from __future__ import annotations

from vivavoce.http import speech, speech_socket
from vivavoce.http.services.base import Routes


def service() -> Routes:
    """The service."""
    return Routes(speech.router, speech_socket.router)
