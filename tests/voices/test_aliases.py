"""Voices by the names applications come with."""

from __future__ import annotations

import pytest

from vivavoce.errors import ClientError
from vivavoce.voices.aliases import EDGE, MAX_PARTS
from vivavoce.voices.presets import EXAMPLES, MAX_CHARACTERS, PRESETS, preset, voice_named


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("en-US-AriaNeural", "af_bella"),
        ("en-US-GuyNeural", "am_michael"),
        ("en-US-AvaMultilingualNeural", "af_kore"),
        ("en-IN-NeerjaExpressiveNeural", "bf_emma"),
        ("en-GB-RyanNeural", "bm_george"),
        ("zh-CN-XiaoxiaoNeural", "zf_xiaoxiao"),
        ("zh-CN-YunjianNeural", "zm_yunjian"),
        ("zh-CN-liaoning-XiaobeiNeural", "zf_xiaobei"),
        ("ja-JP-KeitaNeural", "jm_kumo"),
    ],
)
def test_a_voice_of_edge_is_one_of_ours(name: str, id: str) -> None:
    assert preset(name) is PRESETS[id]


def test_women_stay_women_and_keep_their_language() -> None:
    letters = {"zh": "z", "ja": "j"}
    for (locale, _), id in EDGE.items():
        assert id in PRESETS
        assert id[0] in letters.get(locale[:2], "ab")
    assert voice_named("en-US-JennyNeural") is not None
    assert {PRESETS[EDGE["en-US", name]].sex for name in ("Aria", "Jenny", "Monica")} == {"female"}
    assert {PRESETS[EDGE["en-US", name]].sex for name in ("Guy", "Brian", "Jacob")} == {"male"}


@pytest.mark.parametrize(
    ("name", "english", "chinese"),
    [
        ("af_bella+af_sky", "af_bella:1+af_sky:1", "af_bella:1+af_sky:1|zf_xiaoxiao"),
        ("af_bella(2)+af_sky(1)", "af_bella:2+af_sky:1", "af_bella:2+af_sky:1|zf_xiaoxiao"),
        ("am_onyx:0.5+bm_fable", "am_onyx:0.5+bm_fable:1", "am_onyx:0.5+bm_fable:1|zm_yunxi"),
        ("zf_xiaoyi+zf_xiaobei", "zf_xiaoyi:1+zf_xiaobei:1|af_heart", "zf_xiaoyi:1+zf_xiaobei:1"),
        ("af_bella+zf_xiaoyi", "af_bella:1+zf_xiaoyi:1|af_heart", "af_bella:1+zf_xiaoyi:1|zf_xiaoxiao"),
    ],
)
def test_a_blend_speaks_three_languages(name: str, english: str, chinese: str) -> None:
    voice = preset(name)
    assert voice.id == name
    assert set(voice.synthesizers) == {"en", "zh", "ja"}
    assert (voice.synthesizers["en"], voice.synthesizers["zh"]) == (("kokoro", english), ("kokoro", chinese))


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "",
        "+",
        "af_bella+",
        "af_bella+alloy",
        "af_bella+ef_dora",
        "af_bella(0)+af_sky(0)",
        "af_bella(-1)+af_sky",
        "af_bella(nan)+af_sky",
        "af_bella|jf_alpha",
        "+".join(["af_sky"] * (MAX_PARTS + 1)),
        "de-DE-KatjaNeural",
        "zh-HK-HiuGaaiNeural",
        "en-US-NobodyNeural",
        "AriaNeural",
        "af_sky+" * MAX_CHARACTERS + "af_sky",
    ],
)
def test_other_names_are_refused_with_some_that_are_right(name: str) -> None:
    with pytest.raises(ClientError, match=r"alloy, .*GET /v1/audio/voices") as refused:
        preset(name)
    assert refused.value.param == "voice"
    assert len(refused.value.message) < 400


def test_what_a_refusal_names_is_right() -> None:
    assert all(preset(name).id == name for name in EXAMPLES)
