from __future__ import annotations

from collections.abc import Iterable

import pytest

from vivavoce.errors import ClientError
from vivavoce.tiers import TIERS
from vivavoce.voices.official import OFFICIAL
from vivavoce.voices.presets import PRESETS, preset

STEP_AUDIO_2 = "qingchunshaonv wenrounansheng elegantgentle-female livelybreezy-female"
STEP_1O_AUDIO = (
    "jingdiannvsheng cixingnansheng zhengpaiqingnian yuanqinansheng qingniandaxuesheng boyinnansheng ruyananshi shenchennanyin"
    " qinqienvsheng wenrounvsheng jilingshaonv yuanqishaonv ruanmengnvsheng youyanvsheng lengyanyujie shuangkuaijiejie"
    " wenjingxuejie linjiajiejie linjiameimei zhixingjiejie"
)
INTERNATIONAL = "lively-girl magnetic-voiced-male soft-spoken-gentleman vibrant-youth zixinnansheng"
OPENAI = "alloy ash ballad coral echo sage shimmer verse marin cedar fable nova onyx"
NATIVE = "heart af_heart bm_fable zf_xiaoxiao zm_yunxi jf_alpha jm_kumo"
NAMES = [*f"{STEP_AUDIO_2} {STEP_1O_AUDIO} {INTERNATIONAL} {OPENAI} {NATIVE} ganliannvsheng".split()]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_clients_use_is_a_voice(name: str) -> None:
    assert preset(name).id == name


def test_an_unknown_voice_is_the_clients_error() -> None:
    with pytest.raises(ClientError, match="voice 'nobody' is not valid") as caught:
        preset("nobody")
    assert (caught.value.code, caught.value.param) == ("invalid_value", "voice")


def test_every_voice_speaks_three_languages_with_its_own_sex() -> None:
    for voice in PRESETS.values():
        assert set(voice.synthesizers) == {"en", "zh", "ja"}, voice.id
        for language, (engine, name) in voice.synthesizers.items():
            if engine == "hibari":
                assert (name, voice.sex, language) == ("heart", "female", "en")
                continue
            timbre, _, prosody = name.rpartition("|")
            for part in [*prosody.split("+"), *(one.partition(":")[0] for one in timbre.split("+") if one)]:
                assert part[1] == voice.sex[0], voice.id
                assert part in PRESETS, voice.id
            assert {part[0] for part in prosody.split("+")} <= set({"en": "ab", "zh": "z", "ja": "j"}[language]), (
                voice.id
            )
            assert language != "en" or not timbre


def test_a_borrowed_timbre_is_that_of_the_english_voice() -> None:
    assert preset("lively-girl").synthesizers["zh"] == ("kokoro", "af_jessica+af_sky|zf_xiaobei")
    assert preset("ganliannvsheng").synthesizers["zh"] == ("kokoro", "af_heart|zf_xiaoxiao+zf_xiaoyi")
    assert preset("wenrounansheng").synthesizers["ja"] == ("kokoro", "am_michael+jm_kumo|jm_kumo")
    assert preset("magnetic-voiced-male").synthesizers["ja"] == ("kokoro", "am_onyx+am_michael+jm_kumo:2|jm_kumo")


def test_names_that_tell_a_sex_keep_it() -> None:
    for voice in PRESETS.values():
        if voice.id.endswith(("nvsheng", "shaonv", "jiejie", "meimei", "-female", "-girl")):
            assert voice.sex == "female", voice.id
        if voice.id.endswith(("nansheng", "nanshi", "nanyin", "-male", "gentleman")):
            assert voice.sex == "male", voice.id


def test_voices_nobody_chose_speak_english_fast() -> None:
    for name in (*(tier.default_voice for tier in TIERS.values()), "ganliannvsheng", "alloy", "marin"):
        assert preset(name).synthesizers["en"] == ("hibari", "heart")


def recipe(name: str) -> tuple[frozenset[str], ...]:
    """What a voice is made of, in whatever order it is written."""
    return tuple(frozenset(half.split("+")) for half in name.split("|"))


def spoken(names: Iterable[str], language: str) -> list[tuple[frozenset[str], ...]]:
    return [recipe(preset(name).synthesizers[language][1]) for name in names]


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
@pytest.mark.parametrize(
    "names", [STEP_AUDIO_2, STEP_1O_AUDIO, OPENAI], ids=["step-audio-2", "step-1o-audio", "openai"]
)
def test_the_voices_of_one_model_are_told_apart(names: str, language: str) -> None:
    apart = [name for name in names.split() if (name, language) != ("marin", "en")]  # as fast as "alloy"
    voices = spoken(apart, language)
    assert len(set(voices)) == len(voices)


@pytest.mark.parametrize("language", ["en", "zh", "ja"])
def test_no_two_official_voices_are_the_same(language: str) -> None:
    voices = spoken([name for name in OFFICIAL if language != "en" or name not in FAST], language)
    assert len(set(voices)) == len(voices)


FAST = {"qingchunshaonv", "linjiajiejie", "ganliannvsheng"}


def test_every_official_voice_is_of_the_sex_the_list_gives_it() -> None:
    male = (
        "boyinnansheng cixingnansheng magnetic-voiced-male qingniandaxuesheng ruyananshi shenchennanyin shuangkuainansheng"
        " soft-spoken-gentleman vibrant-youth wenrougongzi wenrounansheng yingwennansheng yuanqinansheng zhengpaiqingnian"
        " zixinnansheng"
    )
    assert {name for name in OFFICIAL if preset(name).sex == "male"} == set(male.split())
