"""The marks a turn carries: when each stage was reached, on the clock the session is driven by (seconds); and what its answer
took of work done before and after its end.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

COUNTS = ("discarded_preparations", "evaluated_tokens")
"""The marks that are no moments."""


@dataclass(slots=True)
class Marks:
    """The moments are those their stages were first reached, or ``None``.

    ``prepared`` is when the reply was begun that had been prepared before the turn was over, and became its answer.
    ``discarded_preparations`` counts the replies prepared since the answer before and thrown away, ``evaluated_tokens`` the
    tokens of the prompt that the language model read after the end of the turn; ``None`` while it is not known.
    """

    speech_end: float | None = None
    prepared: float | None = None
    endpoint: float | None = None
    transcript: float | None = None
    first_token: float | None = None
    first_clause: float | None = None
    first_audio: float | None = None
    first_sent: float | None = None
    discarded_preparations: int | None = None
    evaluated_tokens: int | None = None

    def note(self, name: str, now: float) -> None:
        """Record a stage the first time it is reached."""
        if getattr(self, name) is None:
            setattr(self, name, now)

    def reported(self) -> dict[str, float]:
        """Moments in milliseconds after the end of the turn was decided (``endpoint``), negative before; counts as they are."""
        if self.endpoint is None:
            return {}
        known = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
        return {
            name: value if name in COUNTS else round((value - self.endpoint) * 1000, 1) for name, value in known.items()
        }
