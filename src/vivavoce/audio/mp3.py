"""How long an mp3 says it is: in its first frame, which then holds no sound."""

from __future__ import annotations

from typing import BinaryIO

_MPEG_1 = 3
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Of MPEG 1, 2 and 2.5, by the two bits that stand for them."""

_LAYER_3 = 1
_MONO = 3
_FRAME_BYTES = 64
"""As much of the first frame as the counts lie in."""

_HAS_FRAMES, _HAS_BYTES = 1, 2

_MAX_TAGS = 16
"""Empty ones take ten bytes: a file can consist of them."""


def counted_s(file: BinaryIO, size: int) -> float | None:
    """The length in seconds; ``None`` unless the file counts its frames and its bytes, and has all of those.

    What players show for any other mp3 is a guess by the bit rate of its beginning, and of one that was cut off or joined
    from several the count is wrong.
    """
    start = _behind_tags(file)
    file.seek(start)
    frame = file.read(_FRAME_BYTES)
    if len(frame) < _FRAME_BYTES or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return None
    version, layer, rate = frame[1] >> 3 & 3, frame[1] >> 1 & 3, frame[2] >> 2 & 3
    if version not in _RATES_HZ or layer != _LAYER_3 or rate == 3:
        return None
    counts = _counts(frame, version)
    if counts is None or size - start < counts[1]:
        return None
    return counts[0] * (1152 if version == _MPEG_1 else 576) / _RATES_HZ[version][rate]


def _behind_tags(file: BinaryIO) -> int:
    """Where the first frame begins: behind ID3v2 tags, which say how large they are."""
    start = 0
    for _ in range(_MAX_TAGS):
        file.seek(start)
        head = file.read(10)
        if head[:3] != b"ID3" or len(head) < 10:
            return start
        start += len(head) + sum(
            (seven_bits & 0x7F) << 7 * place for place, seven_bits in enumerate(reversed(head[6:]))
        )
    return start


def _counts(frame: bytes, version: int) -> tuple[int, int] | None:
    """How many frames and how many bytes there are, by Xing's or Fraunhofer's tag, if it tells both."""
    if frame[36:40] == b"VBRI":
        return int.from_bytes(frame[50:54]), int.from_bytes(frame[46:50])
    mono = frame[3] >> 6 == _MONO
    at = 4 + ((17 if mono else 32) if version == _MPEG_1 else (9 if mono else 17))
    flags = int.from_bytes(frame[at + 4 : at + 8])
    if frame[at : at + 4] not in {b"Xing", b"Info"} or flags & (_HAS_FRAMES | _HAS_BYTES) != _HAS_FRAMES | _HAS_BYTES:
        return None
    return int.from_bytes(frame[at + 8 : at + 12]), int.from_bytes(frame[at + 12 : at + 16])
