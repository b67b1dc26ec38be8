"""Audio formats as the dialects write them: a name (StepFun, OpenAI beta) or an object (OpenAI GA).

The documented names say 24 kHz for PCM16 and 8 kHz for G.711. Other rates are ours: ``pcm16_8000``, ``pcm16_16000``,
``pcm16_48000`` and, in the object, ``rate``.
"""

from __future__ import annotations

from typing import Any, get_args

from vivavoce.audio.audio_format import AudioFormat, Encoding, RateHz
from vivavoce.errors import ClientError
from vivavoce.protocol.json_fields import Json, checked

G711_HZ: RateHz = 8000

NAMES: dict[str, AudioFormat] = {
    "pcm16": AudioFormat(),
    "g711_ulaw": AudioFormat(encoding="g711_ulaw", rate_hz=G711_HZ),
    "g711_alaw": AudioFormat(encoding="g711_alaw", rate_hz=G711_HZ),
    **{f"pcm16_{rate_hz}": AudioFormat(rate_hz=rate_hz) for rate_hz in get_args(RateHz)},
}

ENCODINGS: dict[str, Encoding] = {"audio/pcm": "pcm16", "audio/pcmu": "g711_ulaw", "audio/pcma": "g711_alaw"}
TYPES: dict[Encoding, str] = {encoding: type for type, encoding in ENCODINGS.items()}


def read_format(value: Any, param: str) -> AudioFormat:
    """A format by its name, or by ``{type, rate}``: every dialect understands both. Raises ``ClientError``."""
    if isinstance(value, dict):
        return _described(value, param)
    if not isinstance(value, str) or value not in NAMES:
        raise ClientError(
            f"Audio formats are {', '.join(NAMES)}, or objects of type {', '.join(ENCODINGS)}.", param=param
        )
    return NAMES[value]


def _described(described: Json, param: str) -> AudioFormat:
    type = described.get("type")
    if not isinstance(type, str) or type not in ENCODINGS:
        raise ClientError(f"Audio formats are {', '.join(ENCODINGS)}.", param=f"{param}.type")
    encoding = ENCODINGS[type]
    default = AudioFormat().rate_hz if encoding == "pcm16" else G711_HZ
    rate_hz = default if described.get("rate") is None else checked(described["rate"], RateHz, f"{param}.rate")
    if encoding != "pcm16" and rate_hz != G711_HZ:
        raise ClientError(f"'{type}' runs at {G711_HZ} Hz.", param=f"{param}.rate")
    return AudioFormat(encoding=encoding, rate_hz=rate_hz)


def format_name(format: AudioFormat) -> str:
    """The shortest name of a format."""
    return next(name for name, candidate in NAMES.items() if candidate == format)


def format_object(format: AudioFormat) -> Json:
    """The object of a format; G.711 has no ``rate``."""
    shaped: Json = {"type": TYPES[format.encoding]}
    return {**shaped, "rate": format.rate_hz} if format.encoding == "pcm16" else shaped
