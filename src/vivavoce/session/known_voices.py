"""The voices a session may name: everybody's, and its owner's that the driver found usable before it took the event."""

from __future__ import annotations

from collections.abc import Collection

from vivavoce.errors import ClientError


class KnownVoices:
    """Which names are voices. Of the names that are not, it remembers why the last one was refused."""

    def __init__(self, everybodys: Collection[str]) -> None:
        self._everybodys = everybodys
        self._own: set[str] = set()
        self._refused: tuple[str, ClientError] | None = None

    def is_everybodys(self, voice: str) -> bool:
        """Whether nobody has to be asked."""
        return voice in self._everybodys

    def allow(self, voice: str) -> None:
        """It is a voice the owner may use."""
        self._own.add(voice)

    def refuse(self, voice: str, error: ClientError) -> None:
        """It is none, or not any more, or not here."""
        self._own.discard(voice)
        self._refused = voice, error

    def require(self, voice: str, param: str) -> None:
        """Raises ``ClientError`` naming ``param`` for what is no voice."""
        if voice in self._everybodys or voice in self._own:
            return
        if self._refused is not None and self._refused[0] == voice:
            error = self._refused[1]
            raise ClientError(error.message, code=error.code, param=param, type=error.type)
        raise ClientError(f"voice '{voice}' is not valid", param=param)
