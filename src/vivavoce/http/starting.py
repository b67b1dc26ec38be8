"""How a session starts: the server's defaults for a model, changed by what a client secret was made with."""

from __future__ import annotations

from vivavoce.config import Config
from vivavoce.protocol.session_config import SessionConfig, SessionPatch, TurnDetection, patched
from vivavoce.tiers import Model


def turn_detection_defaults(config: Config) -> TurnDetection:
    """Voice activity detection as this server does it when a client does not say otherwise."""
    return TurnDetection(
        threshold=config.turns.threshold,
        prefix_padding_ms=config.turns.prefix_padding_ms,
        silence_duration_ms=config.turns.silence_duration_ms,
    )


def starting_config(config: Config, model: Model, patch: SessionPatch | None) -> SessionConfig:
    """The configuration in ``session.created``."""
    defaults = turn_detection_defaults(config)
    fresh = SessionConfig(
        model=model.name,
        voice=model.tier.default_voice,
        turn_detection=defaults if config.turns.server_vad else None,
    )
    return fresh if patch is None else patched(fresh, patch, defaults)
