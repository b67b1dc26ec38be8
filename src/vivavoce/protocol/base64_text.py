"""Base64 as clients write it: in one line or many, with either alphabet, padded or not."""

from __future__ import annotations

import binascii

_PLAIN = str.maketrans({"-": "+", "_": "/", " ": None, "\t": None, "\r": None, "\n": None})


def from_base64(text: str) -> bytes:
    """What ``text`` stands for. Raises ``ValueError`` when it is no base64.

    Encoders of MIME break lines, those of the web leave the padding out or write ``-_`` for ``+/`` (RFC 4648, sections 3 and
    5): all of that can be read in one way only.
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        plain = text.translate(_PLAIN).rstrip("=")
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
