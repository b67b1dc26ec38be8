"""What several perceivers heard in one utterance, or one heard in its pieces, as one. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from vivavoce.voice_facts import Perceived, Sound, SoundKinds


def together(found: Iterable[Perceived]) -> Perceived:
    """Of one utterance: where several know a thing, the first is believed."""
    fields: dict[str, object] = {}
    for perceived in found:
        for name in Perceived.__struct_fields__:
            value = getattr(perceived, name)
            if value not in (None, ()):
                fields.setdefault(name, value)
    return Perceived(**fields)  # type: ignore[arg-type]


def continued(before: Perceived | None, after: Perceived | None, after_ms: int) -> Perceived | None:
    """Of an utterance read in two pieces, of which the second begins ``after_ms`` later: the voice as it is at last, the sounds
    of both. ``None`` where nothing is known.
    """
    if before is None or (not before.sounds and before.music is None):
        shifted = () if after is None else _later(after.sounds, after_ms)
        return after if after is None else msgspec.structs.replace(after, sounds=shifted)
    last = after if after is not None else Perceived()
    return msgspec.structs.replace(
        last, sounds=(*before.sounds, *_later(last.sounds, after_ms)), music=_surest(before.music, last.music)
    )


def _later(sounds: Iterable[Sound], by_ms: int) -> tuple[Sound, ...]:
    return tuple(
        msgspec.structs.replace(sound, start_ms=sound.start_ms + by_ms, end_ms=sound.end_ms + by_ms) for sound in sounds
    )


def _surest(one: SoundKinds | None, other: SoundKinds | None) -> SoundKinds | None:
    if one is None or other is None:
        return one or other
    return SoundKinds(
        speech=max(one.speech, other.speech),
        singing=max(one.singing, other.singing),
        music=max(one.music, other.music),
    )
