"""The marks a turn carries: when each stage was reached, on the clock the session is driven by (seconds)."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Marks:
    """Each field is the moment its stage was first reached, or ``None``."""

    speech_end: float | None = None
    endpoint: float | None = None
    transcript: float | None = None
    first_token: float | None = None
    first_clause: float | None = None
    first_audio: float | None = None
    first_sent: float | None = None

    def note(self, name: str, now: float) -> None:
        """Record a stage the first time it is reached."""
        if getattr(self, name) is None:
            setattr(self, name, now)

    def relative_ms(self) -> dict[str, float]:
        """Milliseconds after the end of the turn was decided (``endpoint``); ``speech_end`` is negative."""
        if self.endpoint is None:
            return {}
        known = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: round((at - self.endpoint) * 1000, 1) for name, at in known if at is not None}
