"""The languages Whisper was trained on, by their codes, and the tags and names clients have for them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vivavoce.types import Language

_NAMES = """
af Afrikaans, am Amharic, ar Arabic, as Assamese, az Azerbaijani, ba Bashkir, be Belarusian, bg Bulgarian, bn Bengali,
bo Tibetan, br Breton, bs Bosnian, ca Catalan, cs Czech, cy Welsh, da Danish, de German, el Greek, en English, es Spanish,
et Estonian, eu Basque, fa Persian, fi Finnish, fo Faroese, fr French, gl Galician, gu Gujarati, ha Hausa, haw Hawaiian,
he Hebrew, hi Hindi, hr Croatian, ht Haitian Creole, hu Hungarian, hy Armenian, id Indonesian, is Icelandic, it Italian,
ja Japanese, jw Javanese, ka Georgian, kk Kazakh, km Khmer, kn Kannada, ko Korean, la Latin, lb Luxembourgish, ln Lingala,
lo Lao, lt Lithuanian, lv Latvian, mg Malagasy, mi Maori, mk Macedonian, ml Malayalam, mn Mongolian, mr Marathi, ms Malay,
mt Maltese, my Myanmar, ne Nepali, nl Dutch, nn Nynorsk, no Norwegian, oc Occitan, pa Punjabi, pl Polish, ps Pashto,
pt Portuguese, ro Romanian, ru Russian, sa Sanskrit, sd Sindhi, si Sinhala, sk Slovak, sl Slovenian, sn Shona, so Somali,
sq Albanian, sr Serbian, su Sundanese, sv Swedish, sw Swahili, ta Tamil, te Telugu, tg Tajik, th Thai, tk Turkmen,
tl Tagalog, tr Turkish, tt Tatar, uk Ukrainian, ur Urdu, uz Uzbek, vi Vietnamese, yi Yiddish, yo Yoruba, zh Chinese
"""

NAMES: Mapping[Language, str] = {
    code: name.lower() for code, _, name in (entry.strip().partition(" ") for entry in _NAMES.split(","))
}
"""Code → the English name in lower case: the languages Whisper was trained on."""

_OTHER_NAMES: Mapping[str, Language] = {
    "brazilian portuguese": "pt", "burmese": "my", "cantonese": "zh", "castilian": "es", "farsi": "fa", "filipino": "tl",
    "flemish": "nl", "haitian": "ht", "letzeburgesch": "lb", "mandarin": "zh", "moldavian": "ro", "moldovan": "ro",
    "norwegian bokmål": "no", "norwegian nynorsk": "nn", "panjabi": "pa", "pushto": "ps", "sinhalese": "si", "valencian": "ca",
}  # fmt: skip
"""Names Whisper knows besides, and some that clients use."""

_OTHER_CODES: Mapping[str, Language] = {
    "cmn": "zh", "fil": "tl", "in": "id", "iw": "he", "ji": "yi", "jv": "jw", "mo": "ro", "nb": "no", "yue": "zh",
}  # fmt: skip
"""Codes of ISO 639 that Whisper has under another one: newer, older, or of a language within it."""

_CODES: Mapping[str, Language] = {**{name: code for code, name in NAMES.items()}, **_OTHER_NAMES}

_TAG = re.compile(r"([a-z]{2,3})(-[a-z0-9]{1,8})*")


def language_name(code: Language) -> str:
    """``english`` for ``en``; a code nobody named stands for itself."""
    return NAMES.get(code, code)


def language_code(text: str) -> Language | None:
    """The code of a BCP 47 tag (``zh``, ``zh-CN``, ``nb_NO``) or of an English name; ``None`` for what is neither."""
    normalized = text.strip().lower()
    tag = _TAG.fullmatch(normalized.replace("_", "-"))
    code = _CODES.get(normalized, tag[1] if tag else "")
    code = _OTHER_CODES.get(code, code)
    return code if code in NAMES else None
