"""The names of languages, as OpenAI's verbose transcripts tell them and its older clients ask for them."""

from __future__ import annotations

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
    code: name.lower() for code, _, name in (one.strip().partition(" ") for one in _NAMES.split(","))
}
"""Code → the English name in lower case: the languages Whisper was trained on."""

_CODES = {name: code for code, name in NAMES.items()}


def language_name(code: Language) -> str:
    """``english`` for ``en``; a code nobody named stands for itself."""
    return NAMES.get(code, code)


def language_code(given: str) -> Language | None:
    """The code of a code (``zh``, ``zh-CN``) or of a name (``Chinese``); ``None`` for what is neither."""
    plain = given.strip().lower()
    code = _CODES.get(plain, plain.replace("_", "-").split("-")[0])
    return code if code in NAMES else None
