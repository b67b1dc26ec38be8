"""How a session starts: the server's defaults for a model, changed by what a client secret was made with."""

from __future__ import annotations

from vivavoce.config import Config
from vivavoce.protocol.session_config import SessionConfig, SessionPatch, Transcription, TurnDetection, patched
from vivavoce.tiers import Model


def turn_detection_defaults(config: Config) -> TurnDetection:
    """Voice activity detection as this server does it when a client does not say otherwise."""
    return TurnDetection(
        threshold=config.turns.threshold,
        prefix_padding_ms=config.turns.prefix_padding_ms,
        silence_duration_ms=config.turns.silence_duration_ms,
    )


def starting_config(
    config: Config, model: Model, patch: SessionPatch | None, *, transcribes: bool = False
) -> SessionConfig:
    """The configuration in ``session.created``. ``transcribes``: the connection asked for transcripts only."""
    defaults = turn_detection_defaults(config)
    fresh = SessionConfig(
        model=model.name,
        voice=model.tier.default_voice,
        kind="transcription" if transcribes else "realtime",
        transcription=Transcription() if transcribes else None,
        turn_detection=defaults if config.turns.server_vad else None,
    )
    return fresh if patch is None else patched(fresh, patch, defaults)
