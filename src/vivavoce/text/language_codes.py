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

_OWN_NAMES: Mapping[str, Language] = {
    **dict.fromkeys(("中文", "汉语", "漢語", "国语", "國語", "普通话", "普通話", "华语", "粤语", "中国語", "北京語"), "zh"),
    **dict.fromkeys(("英语", "英文", "英語"), "en"),
    **dict.fromkeys(("日语", "日文", "日語", "日本語", "にほんご"), "ja"),
    **dict.fromkeys(("韩语", "韩文", "韓語", "韓国語", "한국어"), "ko"),
    "法语": "fr", "德语": "de", "西班牙语": "es", "俄语": "ru", "русский": "ru", "deutsch": "de", "español": "es",
    "français": "fr", "italiano": "it", "português": "pt",
}  # fmt: skip
"""What languages are called in themselves, and in Chinese and Japanese."""

_OTHER_CODES: Mapping[str, Language] = {
    "cmn": "zh", "fil": "tl", "in": "id", "iw": "he", "ji": "yi", "jv": "jw", "mo": "ro", "nb": "no", "yue": "zh",
    "ara": "ar", "ces": "cs", "chi": "zh", "cze": "cs", "dan": "da", "deu": "de", "dut": "nl", "ell": "el", "eng": "en",
    "fas": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "ger": "de", "gre": "el", "heb": "he", "hin": "hi", "hun": "hu",
    "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "msa": "ms", "may": "ms", "nld": "nl", "nob": "no", "nor": "no",
    "per": "fa", "pol": "pl", "por": "pt", "ron": "ro", "rum": "ro", "rus": "ru", "spa": "es", "swe": "sv", "tha": "th",
    "tur": "tr", "ukr": "uk", "vie": "vi", "zho": "zh",
}  # fmt: skip
"""Codes of ISO 639 that Whisper has under another one: of three letters, newer, older, or of a language within it."""

_CODES: Mapping[str, Language] = {**{name: code for code, name in NAMES.items()}, **_OTHER_NAMES, **_OWN_NAMES}

_REGION = re.compile(r"(?<! )[ ]*[(（][^()（）]{1,30}[)）]$")
_TAG = re.compile(r"([a-z]{2,3})(-[a-z0-9]{1,8})*")


def language_name(code: Language) -> str:
    """``english`` for ``en``; a code nobody named stands for itself."""
    return NAMES.get(code, code)


def language_code(text: str) -> Language | None:
    """The code of a BCP 47 tag (``zh``, ``zh-CN``, ``nb_NO``), of ISO 639 or of a name (``English (US)``, 中文).

    ``None`` for what is none of them.
    """
    normalized = _REGION.sub("", text.strip().lower())
    tag = _TAG.fullmatch(normalized.replace("_", "-"))
    code = _CODES.get(normalized, tag[1] if tag else "")
    code = _OTHER_CODES.get(code, code)
    return code if code in NAMES else None
