"""The four tiers, and which of them serves a model name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vivavoce.protocol.model_names import model_behind, served_by


@dataclass(frozen=True, slots=True)
class Tier:
    """A model name clients ask for.

    ``description`` promises only what the tier does here. ``language_model`` names an entry of the configuration;
    ``default_voice`` is what ``session.created`` shows; ``own_voices`` whether it speaks with voices users made (Realtime
    reference, section 2.4). ``perceives``: it hears how something is said without being asked to; ``thinks``: it reasons while
    it speaks.
    """

    name: str
    description: str
    language_model: str
    default_voice: str = "qingchunshaonv"
    own_voices: bool = True
    perceives: bool = False
    thinks: bool = False


TIERS: Mapping[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier(
            "step-audio-r1.1",
            "the larger language model, which reasons while it speaks and hears how something is said; preset voices and "
            "your own, tools, search",
            "large",
            perceives=True,
            thinks=True,
        ),
        Tier(
            "step-audio-2",
            "the larger language model, which hears how something is said; preset voices and your own, tools, search",
            "large",
            perceives=True,
        ),
        Tier(
            "step-audio-2-mini",
            "the smaller language model, for the fastest answers; preset voices, tools, search",
            "small",
            own_voices=False,
        ),
        Tier(
            "step-1o-audio",
            "the larger language model; preset voices, tools, search",
            "large",
            default_voice="linjiajiejie",
            own_voices=False,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Model:
    """The name a client asked for, which is echoed in ``session.model``, and the tier that serves it."""

    name: str
    tier: Tier


def tier(name: str, aliases: Mapping[str, str]) -> Tier:
    """The tier that serves this name: ``aliases`` are the configured ones.

    Raises ``ClientError`` (``model_not_found``) naming what there is.
    """
    return TIERS[model_behind(name, "conversation", aliases)]


def model_of(name: str, aliases: Mapping[str, str], default: str, *, transcription: bool = False) -> Model:
    """The model a client asked for. Raises ``ClientError`` (``model_not_found``).

    A connection that only transcribes may name a transcription model: the tier ``default`` serves it.
    """
    if transcription and served_by(name, "transcription", aliases):
        return Model(name, TIERS[default])
    return Model(name, tier(name, aliases))
