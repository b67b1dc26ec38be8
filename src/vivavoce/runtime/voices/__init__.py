"""The voices of a running server: those everybody can name, and those users made."""

from vivavoce.runtime.voices.library import VoiceLibrary

__all__ = ["VoiceLibrary"]
