"""Base64 as clients write it: in one line or many, with either alphabet, padded or not."""

from __future__ import annotations

import binascii

_PIECE = 1024 * 1024
"""Characters decoded at once, a multiple of four: some milliseconds. Whoever calls this in a thread lets others run between."""

_PLAIN = str.maketrans({"-": "+", "_": "/", " ": None, "\t": None, "\r": None, "\n": None})


def from_base64(text: str) -> bytes:
    """What ``text`` stands for. Raises ``ValueError`` when it is no base64.

    Encoders of MIME break lines, those of the web leave the padding out or write ``-_`` for ``+/`` (RFC 4648, sections 3 and
    5): all of that can be read in one way only.
    """
    try:
        return _strictly(text)
    except ValueError:
        plain = "".join(text[at : at + _PIECE].translate(_PLAIN) for at in range(0, len(text), _PIECE)).rstrip("=")
        return _strictly(plain + "=" * (-len(plain) % 4))


def _strictly(text: str) -> bytes:
    """``text`` without anything between its characters. Raises ``ValueError``."""
    data = bytearray()
    for at in range(0, len(text), _PIECE):
        data += binascii.a2b_base64(text[at : at + _PIECE], strict_mode=True)
        if len(data) % 3 and at + _PIECE < len(text):
            raise ValueError("Excess data after padding")
    return bytes(data)
