from __future__ import annotations

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
        assert set(voice.speakers) == {"en", "zh", "ja"}, voice.id
        for language, (engine, name) in voice.speakers.items():
            if engine == "hibari":
                assert (name, voice.sex, language) == ("heart", "female", "en")
                continue
            for part in name.split("+"):
                assert part[1] == voice.sex[0], voice.id
                assert part[0] in {"en": "ab", "zh": "z", "ja": "j"}[language], voice.id
                assert part in PRESETS, voice.id


def test_names_that_tell_a_sex_keep_it() -> None:
    for voice in PRESETS.values():
        if voice.id.endswith(("nvsheng", "shaonv", "jiejie", "meimei", "-female", "-girl")):
            assert voice.sex == "female", voice.id
        if voice.id.endswith(("nansheng", "nanshi", "nanyin", "-male", "gentleman")):
            assert voice.sex == "male", voice.id


def test_voices_nobody_chose_speak_english_fast() -> None:
    for name in (*(tier.default_voice for tier in TIERS.values()), "ganliannvsheng", "alloy", "marin"):
        assert preset(name).speakers["en"] == ("hibari", "heart")


def test_the_voices_of_one_tier_are_told_apart() -> None:
    spoken = [tuple(sorted(preset(name).speakers.items())) for name in STEP_1O_AUDIO.split()]
    assert len(set(spoken)) == len(spoken)


def test_no_two_official_voices_are_the_same() -> None:
    spoken = {name: tuple(sorted(preset(name).speakers.items())) for name in OFFICIAL}
    assert len(set(spoken.values())) == len(OFFICIAL)
    english = [preset(name).speakers["en"][1] for name in OFFICIAL if name not in FAST]
    assert len(set(english)) == len(english)


FAST = {"qingchunshaonv", "linjiajiejie", "ganliannvsheng"}


def test_every_official_voice_is_of_the_sex_the_list_gives_it() -> None:
    male = (
        "boyinnansheng cixingnansheng magnetic-voiced-male qingniandaxuesheng ruyananshi shenchennanyin shuangkuainansheng"
        " soft-spoken-gentleman vibrant-youth wenrougongzi wenrounansheng yingwennansheng yuanqinansheng zhengpaiqingnian"
        " zixinnansheng"
    )
    assert {name for name in OFFICIAL if preset(name).sex == "male"} == set(male.split())
