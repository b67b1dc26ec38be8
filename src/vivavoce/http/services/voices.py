"""Voices: those everybody can name, those users make, and the consents of whom they belong to."""

from __future__ import annotations

from vivavoce.http import system_voices, voice_consents, voices
from vivavoce.http.services.base import Routes


def service() -> Routes:
    """The service."""
    return Routes(system_voices.router, voice_consents.router, voices.router)
