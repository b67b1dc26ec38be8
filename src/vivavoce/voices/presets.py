"""The voices a client can name, and who speaks each of them.

StepFun's official ids (Realtime reference 2.4 and the list of system voices), OpenAI's, and the engines' own. Each is matched
with real voices by sex, age and temper; there are fewer good ones than names, so some are blends (``a+b``) of two.

There are few voices for Chinese and Japanese, seven and five, and blends of so few are hardly told apart: those of women have a
mean cosine of 0.84 by the speaker verifier. So most ids keep the timbre of their English voice and take only the prosody of
a Chinese or Japanese one (``a|b``): 0.63 for women, 0.48 for men. A recogniser understands them as it does the published
voices: 5 % of characters are wrong with both. For that, men and British women keep half of the timbre in Japanese.

No two official ids are the same voice in any language, but for the three that are given without asking (below), in English.
``zf_xiaoni`` is left to those who name it: its speech is the least intelligible (36 %). Every voice speaks English, Chinese
and Japanese.

Voices that clients get without asking (StepFun's ``qingchunshaonv`` and ``linjiajiejie``, ``ganliannvsheng`` of
livekit-plugins-stepfun, OpenAI's ``alloy`` and ``marin``) speak English by Hibari, thirty times as fast as Kokoro.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from vivavoce.errors import ClientError
from vivavoce.types import Language, Voice
from vivavoce.voices.aliases import blend_parts, edge_voice

_FAST = "heart"
"""Hibari's voice; all others are Kokoro's."""

# id, description, English, Chinese, Japanese; ``|b`` is the English voice with the prosody of b,
# ``+|b`` as well, with half of b's timbre
_FEMALE = """
qingchunshaonv            gentle, light, young              heart                zf_xiaoxiao              jf_alpha
linjiajiejie              friendly older sister             heart                zf_xiaoyi                jf_gongitsune
ganliannvsheng            calm, professional                heart                |zf_xiaoxiao+zf_xiaoyi   jf_tebukuro
elegantgentle-female      sincere, gentle                   af_bella             |zf_xiaoxiao+zf_xiaobei  |jf_gongitsune
livelybreezy-female       persuasive, lively                af_nova              |zf_xiaobei+zf_xiaoyi    |jf_alpha
jingdiannvsheng           slow, sincere                     af_sarah             |zf_xiaoxiao+zf_xiaoyi   |jf_tebukuro
qinqienvsheng             gentle, sweetish                  af_kore              |zf_xiaoxiao             |jf_alpha
wenrounvsheng             gentle, sweet                     af_aoede             |zf_xiaoxiao+zf_xiaobei  |jf_gongitsune
jilingshaonv              fine, lively, young               af_jessica           zf_xiaobei               |jf_nezumi
yuanqishaonv              sweet, full of energy             af_sky               |zf_xiaobei+zf_xiaoyi    jf_nezumi
ruanmengnvsheng           cute, sweet                       af_nicole            |zf_xiaoxiao             +|jf_nezumi
youyanvsheng              elegant                           bf_emma              |zf_xiaoyi               +|jf_gongitsune
lengyanyujie              cool, like an announcer           bf_isabella          |zf_xiaoyi               +|jf_tebukuro
shuangkuaijiejie          clear, brisk                      af_alloy             |zf_xiaobei+zf_xiaoyi    |jf_alpha
wenjingxuejie             calm, clear                       bf_alice             |zf_xiaoxiao+zf_xiaobei  +|jf_gongitsune
linjiameimei              cute, childlike                   bf_lily              |zf_xiaobei              +|jf_nezumi
zhixingjiejie             mature, descriptive               af_river             |zf_xiaoxiao+zf_xiaoyi   |jf_tebukuro
energeticconfident-female energetic, confident              af_nova+af_alloy     |zf_xiaobei+zf_xiaoyi    |jf_alpha
huolinvsheng              light, lively                     af_sky+af_nova       |zf_xiaobei+zf_xiaoyi    |jf_alpha
lively-girl               lively                            af_jessica+af_sky    |zf_xiaobei              |jf_nezumi
qinhenvsheng              calm, kind                        af_kore+af_sarah     |zf_xiaoyi               |jf_gongitsune
tianmeinvsheng            sweet                             af_aoede+af_heart    |zf_xiaoxiao             |jf_alpha
wenroushunv               mature, gentle                    af_bella+af_sarah    |zf_xiaoxiao+zf_xiaoyi   |jf_gongitsune
yingwennvsheng            English                           bf_emma+bf_alice     |zf_xiaoxiao             +|jf_alpha
alloy                     neutral, balanced                 heart                zf_xiaoxiao              jf_alpha
coral                     warm, friendly                    af_bella             |zf_xiaoyi               |jf_gongitsune
nova                      bright, lively                    af_nova              |zf_xiaobei              |jf_alpha
sage                      calm, thoughtful                  af_river             |zf_xiaoyi               |jf_tebukuro
shimmer                   clear, hopeful                    af_sky               |zf_xiaoxiao+zf_xiaoyi   +|jf_nezumi
marin                     natural, professional             heart                |zf_xiaoxiao+zf_xiaobei  |jf_alpha
heart                     warm (Hibari)                     heart                |zf_xiaoxiao             |jf_alpha
"""
_MALE = """
wenrounansheng            gentle                            am_michael           zm_yunxi                 +|jm_kumo
cixingnansheng            deep, magnetic                    am_onyx              |zm_yunjian              jm_kumo
zhengpaiqingnian          upright, persuasive               am_eric              |zm_yunyang+zm_yunxi     +|jm_kumo
yuanqinansheng            energetic                         am_puck              zm_yunxia                +|jm_kumo
qingniandaxuesheng        student, solid                    am_liam              |zm_yunxi+zm_yunxia      +|jm_kumo
boyinnansheng             broadcast, steady                 bm_george            |zm_yunyang              +|jm_kumo
ruyananshi                refined narrator                  bm_lewis             zm_yunyang+zm_yunjian    +|jm_kumo
shenchennanyin            deep, reassuring                  am_adam              zm_yunjian               +|jm_kumo
magnetic-voiced-male      deep                              am_onyx+am_michael   |zm_yunjian              +|jm_kumo
shuangkuainansheng        calm, professional                am_michael+am_eric   |zm_yunjian              +|jm_kumo
soft-spoken-gentleman     soft                              bm_daniel            |zm_yunxi                +|jm_kumo
vibrant-youth             friendly, young                   am_puck+am_liam      |zm_yunxia               +|jm_kumo
wenrougongzi              gentle narrator                   bm_fable             zm_yunxi+zm_yunyang      +|jm_kumo
yingwennansheng           English                           bm_george+bm_daniel  |zm_yunyang              +|jm_kumo
zixinnansheng             confident                         am_fenrir            |zm_yunjian              +|jm_kumo
ash                       clear, confident                  am_michael           |zm_yunxi+zm_yunxia      +|jm_kumo
ballad                    melodious                         bm_daniel            |zm_yunyang+zm_yunxi     +|jm_kumo
cedar                     natural, warm                     am_fenrir            |zm_yunjian              +|jm_kumo
echo                      even, warm                        am_echo              |zm_yunjian              +|jm_kumo
fable                     expressive storyteller            bm_fable             |zm_yunxia+zm_yunxi      +|jm_kumo
onyx                      deep, firm                        am_onyx              |zm_yunjian              +|jm_kumo
verse                     lively, versatile                 am_puck              |zm_yunxi+zm_yunxia      +|jm_kumo
"""

_KOKORO = """
af_alloy af_aoede af_bella af_heart af_jessica af_kore af_nicole af_nova af_river af_sarah af_sky
am_adam am_echo am_eric am_fenrir am_liam am_michael am_onyx am_puck am_santa
bf_alice bf_emma bf_isabella bf_lily bm_daniel bm_fable bm_george bm_lewis
zf_xiaobei zf_xiaoni zf_xiaoxiao zf_xiaoyi zm_yunjian zm_yunxi zm_yunxia zm_yunyang
jf_alpha jf_gongitsune jf_nezumi jf_tebukuro jm_kumo
"""
_KOKORO_LANGUAGES: Mapping[str, tuple[Language, str]] = {
    "a": ("en", "American English"),
    "b": ("en", "British English"),
    "z": ("zh", "Chinese"),
    "j": ("ja", "Japanese"),
}
_PARTNERS: Mapping[Literal["female", "male"], Mapping[Language, str]] = {
    "female": {"en": "af_heart", "zh": "zf_xiaoxiao", "ja": "jf_alpha"},
    "male": {"en": "am_michael", "zh": "zm_yunxi", "ja": "jm_kumo"},
}
"""Who speaks the other two languages of a Kokoro voice asked for by its own name."""


EXAMPLES = (
    "alloy",
    "marin",
    "cedar",
    "qingchunshaonv",
    "wenrounansheng",
    "af_heart",
    "bm_george",
    "zf_xiaoxiao",
    "jf_alpha",
)
"""Names a refusal gives."""

MAX_CHARACTERS = 256
"""Of a name."""


def preset(id: str) -> Voice:
    """The voice of this name. Raises ``ClientError`` naming the parameter ``voice`` when there is none."""
    voice = voice_named(id)
    if voice is None:
        raise unknown_voice(id, "voice")
    return voice


def voice_named(id: str) -> Voice | None:
    """A preset, the one that stands for an Edge voice, or a blend of Kokoro's voices; ``None`` for other names."""
    return _named_voice(id) if len(id) <= MAX_CHARACTERS else None


@lru_cache(1024)
def _named_voice(id: str) -> Voice | None:
    voice = PRESETS.get(edge_voice(id) or id)
    if voice is not None:
        return voice
    parts = blend_parts(id)
    return None if parts is None or any(name not in _KOKORO.split() for name, _ in parts) else _blend(id, parts)


def unknown_voice(id: str, param: str) -> ClientError:
    """The refusal of a name that is no voice."""
    return ClientError(
        f"The voice '{id[:100]}' is not valid; there are {', '.join(EXAMPLES)} and others: GET /v1/audio/voices lists them.",
        param=param,
    )


def _voice(id: str, sex: Literal["female", "male"], description: str, synthesizers: Mapping[Language, str]) -> Voice:
    engines = {language: ("hibari" if name == _FAST else "kokoro", name) for language, name in synthesizers.items()}
    return Voice(id, sex, description, MappingProxyType(engines))


def _voices_of(sex: Literal["female", "male"], table: str) -> Iterator[Voice]:
    for row in table.strip().splitlines():
        id, *description, english, chinese, japanese = row.split()
        timbre = "af_heart" if english == _FAST else english
        chinese, japanese = _with_timbre(timbre, chinese), _with_timbre(timbre, japanese)
        yield _voice(id, sex, " ".join(description), {"en": english, "zh": chinese, "ja": japanese})


def _with_timbre(timbre: str, name: str) -> str:
    """A column of the tables written out."""
    share, borrows, prosody = name.rpartition("|")
    if not borrows:
        return name
    parts = timbre.count("+") + 1
    half = "" if not share else f"+{prosody}" if parts == 1 else f"+{prosody}:{parts}"
    return f"{timbre}{half}|{prosody}"


def _kokoro() -> Iterator[Voice]:
    for id in _KOKORO.split():
        sex: Literal["female", "male"] = "female" if id[1] == "f" else "male"
        language, description = _KOKORO_LANGUAGES[id[0]]
        yield _voice(id, sex, f"{description} (Kokoro)", {language: id} | _others(sex, language))


def _blend(id: str, parts: tuple[tuple[str, float], ...]) -> Voice:
    """A blend speaks its own language as it is, and the others with the prosody of a voice of theirs."""
    first = parts[0][0]
    sex: Literal["female", "male"] = "female" if first[1] == "f" else "male"
    mixed = "+".join(f"{name}:{weight:g}" for name, weight in parts)
    languages = {_KOKORO_LANGUAGES[name[0]][0] for name, _ in parts}
    names = {
        language: mixed if languages == {language} else f"{mixed}|{partner}"
        for language, partner in _PARTNERS[sex].items()
    }
    return _voice(id, sex, "a blend (Kokoro)", names)


def _others(sex: Literal["female", "male"], language: Language) -> dict[Language, str]:
    return {other: name for other, name in _PARTNERS[sex].items() if other != language}


PRESETS: Mapping[str, Voice] = MappingProxyType(
    {voice.id: voice for voice in (*_voices_of("female", _FEMALE), *_voices_of("male", _MALE), *_kokoro())}
)
"""Every voice by its name."""
