"""Names of voices that applications come with: Edge's and Azure's, and blends of Kokoro's.

Neither is listed with the presets: nobody chooses them here, but an application that was written for another server asks for
them, and gets a fitting voice under that name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_EDGE = re.compile(
    r"(?P<locale>[a-z]{2}-[A-Z]{2}(?:-[a-z]+)?)-(?P<name>[A-Z][A-Za-z]*?)(?:Multilingual|Expressive|Turbo)*Neural"
)
"""``en-US-AriaNeural``, ``zh-CN-liaoning-XiaobeiNeural``, ``en-US-AvaMultilingualNeural``."""

_CHINESE = {
    "Xiaoxiao": "zf_xiaoxiao",
    "Xiaoyi": "zf_xiaoyi",
    "Xiaobei": "zf_xiaobei",
    "Xiaoni": "zf_xiaoni",
    "Yunjian": "zm_yunjian",
    "Yunxi": "zm_yunxi",
    "Yunxia": "zm_yunxia",
    "Yunyang": "zm_yunyang",
}
"""Kokoro's Chinese voices are named after these."""

# locale: names of women | names of men
_TABLE = """
en-US Aria Jenny Michelle Ana Ava Emma Jane Nancy Sara Amber Ashley Cora | Guy Christopher Eric Roger Steffan Andrew Brian
en-US Elizabeth Monica | Davis Jason Tony Brandon Jacob
en-CA Clara | Liam
en-PH Rosa | James
en-GB Sonia Libby Maisie Abbi Bella Hollie Olivia | Ryan Thomas Alfie Elliot Ethan Noah Oliver
en-AU Natasha Annette Carly Elsie Freya Joanne Kim Tina | William Darren Duncan Ken Neil Tim
en-IE Emily | Connor
en-NZ Molly | Mitchell
en-ZA Leah | Luke
en-IN Neerja Aashi Ananya Kavya | Prabhat Aarav Kunal Rehaan
en-HK Yan | Sam
en-SG Luna | Wayne
en-KE Asilia | Chilemba
en-NG Ezinne | Abeo
en-TZ Imani | Elimu
zh-CN Xiaochen Xiaohan Xiaomeng Xiaomo Xiaoqiu Xiaorou Xiaorui Xiaoshuang | Yunfeng Yunhao Yunjie Yunye Yunze
zh-CN Xiaoyan Xiaoyou Xiaozhen |
zh-TW HsiaoChen HsiaoYu | YunJhe
ja-JP Nanami Aoi Mayu Shiori | Keita Daichi Naoki
"""

_FITTING: Mapping[str, tuple[str, str]] = {
    "american": (
        "af_bella af_heart af_nova af_sarah af_kore af_aoede af_sky",
        "am_michael am_eric am_liam am_puck am_onyx",
    ),
    "british": ("bf_emma bf_isabella bf_alice bf_lily", "bm_george bm_daniel bm_lewis bm_fable"),
    "zh": ("zf_xiaoxiao zf_xiaoyi zf_xiaobei", "zm_yunxi zm_yunyang zm_yunjian zm_yunxia"),
    "ja": ("jf_alpha jf_tebukuro jf_gongitsune jf_nezumi", "jm_kumo"),
}
"""Voices of Kokoro for the women and the men of a locale, given out in turn."""

_AMERICAN = frozenset({"en-US", "en-CA", "en-PH"})


def _edge_names() -> dict[tuple[str, str], str]:
    edge_names = {}
    for line in filter(None, _TABLE.splitlines()):
        locale, voice_names = line.split(" ", 1)
        kind = locale[:2] if locale[:2] != "en" else "american" if locale in _AMERICAN else "british"
        for names, voices in zip(voice_names.split("|"), _FITTING[kind], strict=True):
            fitting = voices.split()
            for number, name in enumerate(names.split()):
                edge_names[locale, name] = fitting[number % len(fitting)]
    return edge_names


EDGE: Mapping[tuple[str, str], str] = MappingProxyType(_edge_names())
"""Locale and name of an Edge voice → the preset that fits."""


def edge_voice(name: str) -> str | None:
    """The preset that stands for a voice of Edge's or Azure's; ``None`` for other names, and for languages not spoken here."""
    match = _EDGE.fullmatch(name)
    if match is None:
        return None
    if match["locale"].startswith("zh-CN"):
        return _CHINESE.get(match["name"]) or EDGE.get(("zh-CN", match["name"]))
    return EDGE.get((match["locale"], match["name"]))


MAX_PARTS = 8
"""Voices in a blend."""

_PART = re.compile(
    r"(?P<name>[a-z]{2}_[a-z]+)(?:\((?P<weight>\d{1,4}(?:\.\d{1,4})?)\)|:(?P<parts>\d{1,4}(?:\.\d{1,4})?))?"
)
"""``af_sky``, ``af_sky(2)`` as Kokoro's other servers write it, ``af_sky:2`` as we do."""


def blend_parts(name: str) -> tuple[tuple[str, float], ...] | None:
    """The voices of a blend such as ``af_bella(2)+af_sky(1)`` with their weights; ``None`` for what is no blend."""
    parts = name.split("+", MAX_PARTS)
    if not 2 <= len(parts) <= MAX_PARTS:
        return None
    matches = [_PART.fullmatch(part.strip()) for part in parts]
    weighted = tuple(
        (match["name"], float(match["weight"] or match["parts"] or 1)) for match in matches if match is not None
    )
    return weighted if len(weighted) == len(parts) and all(weight > 0 for _, weight in weighted) else None
