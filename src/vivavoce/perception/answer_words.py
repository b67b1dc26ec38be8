"""The words of answers about the sound, in three languages. Data only: no sentence tells more than it is filled with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vivavoce.types import Language
from vivavoce.voice_facts import Cue, EmotionLabel


@dataclass(frozen=True, slots=True)
class AnswerWords:
    """Sentences of one language. ``column`` is where tables of names have it; triples go from little to much.

    ``sure`` wraps a sentence: sure, fairly sure, perhaps. ``unknown`` owns up, by topic.
    """

    column: int
    between: str
    comma: str
    also: str
    somebody_speaks: str
    mood: str
    rate: tuple[str, str, str]
    loudness: tuple[str, str, str]
    pitch: str
    language: str
    hears: str
    hears_not: str
    not_sure: str
    nothing_else: str
    could_miss: str
    gender: Mapping[str, str]
    sure: tuple[str, str, str]
    cues: Mapping[Cue, str]
    unknown: Mapping[str, str]


WORDS: Mapping[Language, AnswerWords] = {
    "en": AnswerWords(
        column=0,
        between=" ",
        comma=", ",
        also=" and ",
        somebody_speaks="I hear somebody speaking.",
        mood="It sounds {} to me, but I may be wrong.",
        rate=(
            "You speak about {} syllables a second; I would call that slow.",
            "You speak about {} syllables a second; I would call that an ordinary speed.",
            "You speak about {} syllables a second; I would call that fast.",
        ),
        loudness=(
            "You are quieter than before.",
            "You are about as loud as before.",
            "You are louder than before.",
        ),
        pitch="The pitch of your voice is about {:.0f} hertz.",
        language="that is {}",
        hears="I hear {}",
        hears_not="I do not notice {}.",
        not_sure="I am not sure whether there is {}.",
        nothing_else="I notice no other sound.",
        could_miss="While somebody speaks I could miss one.",
        gender={
            "female": "It sounds like a woman's voice to me, but I may be wrong.",
            "male": "It sounds like a man's voice to me, but I may be wrong.",
        },
        sure=("{}, and I am fairly sure of it.", "I think {}, but I may be wrong.", "Perhaps {}, but I am not sure."),
        cues={
            "raised_voice": "Your voice is raised, compared with before.",
            "lowered_voice": "Your voice is lowered, compared with before.",
            "fast": "That is faster than before.",
            "slow": "That is slower than before.",
            "hesitant": "There are long pauses in it.",
        },
        unknown={
            "mood": "I cannot tell the mood from the voice.",
            "rate": "I cannot tell how fast it is spoken: there is too little speech.",
            "loudness": "I cannot tell how loud you are, because that depends on your microphone.",
            "pitch": "I cannot tell the pitch of the voice.",
            "language": "I cannot tell for sure which language that is.",
            "music": "I cannot tell whether there is music.",
            "singing": "I cannot tell whether somebody sings.",
            "sounds": "I cannot tell what else sounds.",
            "gender": "I cannot tell from the voice whether it is a man or a woman.",
            "age": "I cannot tell from a voice how old somebody is.",
            "accent": "I cannot tell accents or dialects.",
            "identity": "I cannot tell from the voice who is speaking.",
            "number": "I cannot tell how many people are speaking.",
        },
    ),
    "zh": AnswerWords(
        column=1,
        between="",
        comma="、",
        also="和",
        somebody_speaks="我听到有人在说话。",
        mood="听起来像是{}，不过我可能听错。",
        rate=(
            "你每秒大约说{}个音节，我觉得比较慢。",
            "你每秒大约说{}个音节，我觉得速度正常。",
            "你每秒大约说{}个音节，我觉得比较快。",
        ),
        loudness=("你的声音比之前小。", "你的声音和之前差不多大。", "你的声音比之前大。"),
        pitch="你的音高大约是{:.0f}赫兹。",
        language="那是{}",
        hears="我听到{}",
        hears_not="我没有听到{}。",
        not_sure="我不确定有没有{}。",
        nothing_else="我没有听到别的声音。",
        could_miss="有人说话的时候我可能会听漏。",
        gender={"female": "听起来像是女声，不过我可能听错。", "male": "听起来像是男声，不过我可能听错。"},
        sure=("{}，我比较有把握。", "我觉得{}，不过可能听错。", "也许{}，但我不确定。"),
        cues={
            "raised_voice": "和之前相比，声音提高了。",
            "lowered_voice": "和之前相比，声音压低了。",
            "fast": "比之前快。",
            "slow": "比之前慢。",
            "hesitant": "中间有比较长的停顿。",
        },
        unknown={
            "mood": "我从声音里听不出心情。",
            "rate": "说的话太少，我听不出语速。",
            "loudness": "我听不出你的声音有多大，因为这取决于你的麦克风。",
            "pitch": "我听不出音高。",
            "language": "我不能确定那是什么语言。",
            "music": "我听不出有没有音乐。",
            "singing": "我听不出有没有人在唱歌。",
            "sounds": "我听不出还有什么声音。",
            "gender": "我从声音里听不出是男是女。",
            "age": "我从声音里听不出年龄。",
            "accent": "我听不出口音和方言。",
            "identity": "我从声音里听不出是谁在说话。",
            "number": "我听不出有几个人在说话。",
        },
    ),
    "ja": AnswerWords(
        column=2,
        between="",
        comma="、",
        also="と",
        somebody_speaks="誰かが話しているのが聞こえます。",
        mood="{}ように聞こえますが、間違っているかもしれません。",
        rate=(
            "一秒に約{}音節なので、ゆっくりだと思います。",
            "一秒に約{}音節なので、普通の速さだと思います。",
            "一秒に約{}音節なので、速いと思います。",
        ),
        loudness=("前より小さい声です。", "前と同じくらいの大きさです。", "前より大きい声です。"),
        pitch="声の高さは約{:.0f}ヘルツです。",
        language="それは{}です",
        hears="{}が聞こえます",
        hears_not="{}は聞こえません。",
        not_sure="{}があるかどうか、はっきりしません。",
        nothing_else="ほかの音は聞こえません。",
        could_miss="話し声に隠れて聞き逃しているかもしれません。",
        gender={
            "female": "女性の声のように聞こえますが、間違っているかもしれません。",
            "male": "男性の声のように聞こえますが、間違っているかもしれません。",
        },
        sure=(
            "{}。かなり確かだと思います。",
            "おそらく{}が、間違っているかもしれません。",
            "もしかすると{}が、確かではありません。",
        ),
        cues={
            "raised_voice": "前より声が高ぶっています。",
            "lowered_voice": "前より声が低くなっています。",
            "fast": "前より速いです。",
            "slow": "前より遅いです。",
            "hesitant": "長い間があります。",
        },
        unknown={
            "mood": "声から気分は分かりません。",
            "rate": "話が短くて、速さは分かりません。",
            "loudness": "声の大きさはマイクによるので、分かりません。",
            "pitch": "声の高さは分かりません。",
            "language": "何語か、はっきりとは分かりません。",
            "music": "音楽があるかどうか分かりません。",
            "singing": "誰かが歌っているかどうか分かりません。",
            "sounds": "ほかに何の音がするか分かりません。",
            "gender": "声から男性か女性かは分かりません。",
            "age": "声から年齢は分かりません。",
            "accent": "訛りや方言は分かりません。",
            "identity": "声から誰が話しているかは分かりません。",
            "number": "何人が話しているかは分かりません。",
        },
    ),
}

EMOTIONS: Mapping[EmotionLabel, tuple[str, str, str]] = {
    "angry": ("angry", "生气", "怒っている"),
    "happy": ("happy", "开心", "嬉しい"),
    "neutral": ("calm", "平静", "落ち着いている"),
    "sad": ("sad", "难过", "悲しい"),
}

LANGUAGES: Mapping[str, tuple[str, str, str]] = {
    "en": ("English", "英语", "英語"),
    "zh": ("Chinese", "中文", "中国語"),
    "ja": ("Japanese", "日语", "日本語"),
    "ko": ("Korean", "韩语", "韓国語"),
    "de": ("German", "德语", "ドイツ語"),
    "fr": ("French", "法语", "フランス語"),
    "es": ("Spanish", "西班牙语", "スペイン語"),
    "pt": ("Portuguese", "葡萄牙语", "ポルトガル語"),
    "it": ("Italian", "意大利语", "イタリア語"),
    "nl": ("Dutch", "荷兰语", "オランダ語"),
    "pl": ("Polish", "波兰语", "ポーランド語"),
    "ru": ("Russian", "俄语", "ロシア語"),
    "tr": ("Turkish", "土耳其语", "トルコ語"),
    "ar": ("Arabic", "阿拉伯语", "アラビア語"),
    "vi": ("Vietnamese", "越南语", "ベトナム語"),
}
"""The languages that recognition tells apart well."""
