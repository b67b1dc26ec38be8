"""The four tiers: what a model name means here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vivavoce.errors import ClientError


@dataclass(frozen=True, slots=True)
class Tier:
    """A model name clients ask for.

    ``language_model`` names an entry of the configuration; ``default_voice`` is what ``session.created`` shows.
    """

    name: str
    description: str
    language_model: str
    default_voice: str = "qingchunshaonv"


TIERS: Mapping[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier("step-audio-r1.1", "deep sound understanding, thinks while speaking", "large"),
        Tier("step-audio-2", "understanding, cloned voices, tools, search", "large"),
        Tier("step-audio-2-mini", "light and fast", "small"),
        Tier("step-1o-audio", "preset voices, tools", "large", default_voice="linjiajiejie"),
    )
}


def tier(name: str | None) -> Tier:
    """The tier of this name. Raises ``ClientError`` (``model_not_found``) naming those there are."""
    if name is None or name not in TIERS:
        known = ", ".join(TIERS)
        raise ClientError(
            f"The model '{name or ''}' does not exist; this server has {known}.", code="model_not_found", param="model"
        )
    return TIERS[name]
