"""How a reply is spoken: what the client and the user asked for, and else what fits how the user sounds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

from vivavoce.session.voice_requests import VoiceRequests, style_of
from vivavoce.speaking.delivery import Delivery
from vivavoce.speaking.requests import told_of_voice
from vivavoce.speaking_style import ALL_CONTROLS, PLAIN, Control, SpeakingStyle


@dataclass(frozen=True, slots=True)
class ReplyStyle:
    """``style`` of the sound; ``not_applied`` names what of the client's wishes no voice can do."""

    style: SpeakingStyle = PLAIN
    not_applied: tuple[str, ...] = ()


def reply_style(
    way: Delivery,
    instructions: str,
    requests: VoiceRequests,
    perceived: SpeakingStyle = PLAIN,
    *,
    speed: float = 1.0,
    controls: frozenset[Control] = ALL_CONTROLS,
) -> ReplyStyle:
    """The style of a reply.

    ``way`` is what the client's label and instruction ask for, ``speed`` what it asks for beside them; its ``instructions`` to
    the language model count where they say in so many words how to speak. ``perceived`` is what fits how the user sounds: it
    goes where nobody asked for anything else, as far as the voice can with its ``controls``.
    """
    told = reduce(SpeakingStyle.then, map(style_of, told_of_voice(instructions)), PLAIN)
    asked = told.then(way.style).then(requests.style)
    if not requests.wants_usual:
        explicit = replace(asked, rate=asked.rate * speed)
        fitting = perceived if perceived.needs <= controls else replace(perceived, pitch_st=0.0, pitch_range=1.0)
        asked = asked.then(fitting.where_unset(explicit))
    return ReplyStyle(asked, way.unsupported)
