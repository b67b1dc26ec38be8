"""StepFun's list of system voices: names, models, and what each is for (audio reference, section 7).

``models``: ``5`` stepaudio-2.5-tts, ``2`` step-tts-2, ``m`` step-tts-mini. Where the reference
leaves a name out, there is the id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vivavoce.errors import ClientError

_MODELS = {"stepaudio-2.5-tts": "5", "step-tts-2": "2", "step-tts-mini": "m", "stepaudio-3-tts": "5"}

# id, models, name | what it is for
_TABLE = """
boyinnansheng 52m 播音男声 | news, announcements
cixingnansheng 52m 磁性男声 | audiobooks, advertising
elegantgentle-female 52m 气质温婉 | assistants, companionship
energeticconfident-female 2 energeticconfident-female | English: assistants, advertising
ganliannvsheng 52 干练女声 | customer service, assistants
huolinvsheng 52 活力女声 | advertising, short videos
jilingshaonv 52m 机灵少女 | characters, games
jingdiannvsheng 52m 经典女声 | audiobooks, navigation
lengyanyujie 52m 冷艳御姐 | characters, announcements
linjiajiejie 52m 邻家姐姐 | companionship, assistants
linjiameimei 52m 邻家妹妹 | characters, games
lively-girl 52 Lively Girl | English: companionship, short videos
livelybreezy-female 52m 活力轻快 | advertising, live commerce
magnetic-voiced-male 52 Magnetic-voiced Male | English: audiobooks, advertising
qingchunshaonv 52m 清纯少女 | assistants, companionship
qingniandaxuesheng 52m 青年大学生 | education, podcasts
qinhenvsheng 52 亲和女声 | customer service, health
qinqienvsheng 52m 亲切女声 | customer service, companionship
ruanmengnvsheng 52m 软萌女声 | characters, games
ruyananshi 52m 儒雅男士 | audiobooks, documentaries
shenchennanyin 52m 深沉男音 | documentaries, bedtime stories
shuangkuaijiejie 52m 爽快姐姐 | short videos, live commerce
shuangkuainansheng 52 爽快男声 | customer service, assistants
soft-spoken-gentleman 52 Soft-spoken Gentleman | English: companionship, health
tianmeinvsheng 52m 甜美女声 | companionship, live commerce
vibrant-youth 52 Vibrant Youth | English: assistants, podcasts
wenjingxuejie 52m 文静学姐 | education, audiobooks
wenrougongzi 52m 温柔公子 | audiobooks, characters
wenrounansheng 52m 温柔男声 | assistants, companionship
wenrounvsheng 52m 温柔女声 | assistants, health
wenroushunv 52m 温柔熟女 | health, bedtime stories
yingwennansheng 2 yingwennansheng | English: education
yingwennvsheng 2 yingwennvsheng | English: education
youyanvsheng 52m 优雅女声 | announcements, advertising
yuanqinansheng 52m 元气男声 | short videos, games
yuanqishaonv 52m 元气少女 | characters, short videos
zhengpaiqingnian 52m 正派青年 | news, education
zhixingjiejie 52m 知性姐姐 | education, documentaries
zixinnansheng 52 自信男声 | advertising, announcements
"""


@dataclass(frozen=True, slots=True)
class OfficialVoice:
    """A voice of the list."""

    id: str
    name: str
    scene: str
    models: str


def _rows() -> dict[str, OfficialVoice]:
    rows = {}
    for line in _TABLE.strip().splitlines():
        identity, _, scene = line.partition(" | ")
        id, models, name = identity.split(" ", 2)
        rows[id] = OfficialVoice(id, name, scene, models)
    return rows


OFFICIAL: Mapping[str, OfficialVoice] = MappingProxyType(_rows())
"""The list, in the reference's order."""


def official_voices(model: str) -> list[OfficialVoice]:
    """The voices of a model. Raises ``ClientError`` (``model_not_found``) for one that has no list."""
    if model not in _MODELS:
        raise ClientError(
            f"There is no list of voices for '{model[:100]}'; there are lists for {', '.join(_MODELS)}.",
            code="model_not_found",
            param="model",
        )
    return [voice for voice in OFFICIAL.values() if _MODELS[model] in voice.models]
