"""What a user asks of the assistant's voice: understood, held until it is changed, or declined where the voice cannot.

What is asked for adds up in steps, each way no further than speech stays easy to understand. A mood changes the words as well
as the sound, a dialect the words alone, which the user is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vivavoce.speaking.labels import GENTLE, HAPPY, SAD, SERIOUS, Dialect
from vivavoce.speaking.requests import Request, asked_of_voice
from vivavoce.speaking_style import PLAIN, WHISPER, Control, SpeakingStyle
from vivavoce.types import Language

Texts = tuple[str, str, str]
"""English, Chinese, Japanese."""

PACE_STEP, GAIN_STEP_DB, PITCH_STEP_ST = 1.25, 3.0, 2.0
SLOWEST, FASTEST = 0.64, 1.5625
SOFTEST_DB, LOUDEST_DB = -9.0, 6.0
LOWEST_ST, HIGHEST_ST = -4.0, 4.0
"""Two or three steps each way: further, words run together or fall apart, and a voice is another one."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of one thing: ``reply`` is what is said of it, ``limit`` what is said where there is no further."""

    change: SpeakingStyle
    reply: Texts
    limit: Texts


def _texts(english: str, chinese: str, japanese: str) -> Texts:
    return (
        f"You speak {english} from now on: say so in a few words.",
        f"从现在起你{chinese}，用几个字告诉对方。",
        f"これからは{japanese}話します。短くそう伝えてください。",
    )


def _limit(english: str, chinese: str, japanese: str) -> Texts:
    return (
        f"You speak as {english} as you can already: say so in one short sentence.",
        f"你已经不能再{chinese}了，用一句短话照实说。",
        f"もうこれ以上{japanese}は話せません。短く正直に伝えてください。",
    )


_STEPS: Mapping[Request, _Step] = {
    "slower": _Step(
        SpeakingStyle(rate=1 / PACE_STEP),
        _texts("slower", "说得慢一点", "ゆっくり"),
        _limit("slowly", "慢", "ゆっくり"),
    ),
    "faster": _Step(
        SpeakingStyle(rate=PACE_STEP),
        _texts("faster", "说得快一点", "速く"),
        _limit("fast", "快", "速く"),
    ),
    "louder": _Step(
        SpeakingStyle(gain_db=GAIN_STEP_DB),
        _texts("louder", "说得大声一点", "大きな声で"),
        _limit("loud", "大声", "大きな声で"),
    ),
    "quieter": _Step(
        SpeakingStyle(gain_db=-GAIN_STEP_DB),
        _texts("more quietly", "说得轻一点", "小さな声で"),
        _limit("quietly", "轻", "小さな声で"),
    ),
    "higher": _Step(
        SpeakingStyle(pitch_st=PITCH_STEP_ST),
        _texts("in a higher voice", "用高一点的声音说话", "高い声で"),
        _limit("high", "高", "高い声で"),
    ),
    "lower": _Step(
        SpeakingStyle(pitch_st=-PITCH_STEP_ST),
        _texts("in a lower voice", "用低一点的声音说话", "低い声で"),
        _limit("low", "低", "低い声で"),
    ),
}
_USUAL: Texts = (
    "You speak as usual again: say so in a few words.",
    "你恢复正常的说话方式，用几个字告诉对方。",
    "いつもの話し方に戻ります。短くそう伝えてください。",
)
_NO_PITCH: Texts = (
    "You cannot change the pitch of this voice: say so in one short sentence.",
    "你不能改变这个声音的音调，用一句短话照实说。",
    "この声の高さは変えられません。短く正直に伝えてください。",
)
_MOODS: Mapping[Request, tuple[SpeakingStyle, Texts]] = {
    "cheerful": (HAPPY, ("Choose cheerful, lively words.", "用欢快活泼的话来说。", "明るく楽しい言葉で話してください。")),
    "calm": (GENTLE, ("Choose calm, gentle words.", "用平静温柔的话来说。", "穏やかで優しい言葉で話してください。")),
    "sad": (SAD, ("Choose sad, quiet words.", "用悲伤低沉的话来说。", "悲しく静かな言葉で話してください。")),
    "serious": (SERIOUS, ("Choose serious, plain words.", "用严肃直接的话来说。", "真剣で率直な言葉で話してください。")),
}  # fmt: skip
DIALECT_WORDS: Mapping[Dialect, Texts] = {
    "sichuanese": (
        "Answer in Chinese with the words of Sichuanese.",
        "用四川话的词语来说，比如“要得”“巴适”“啥子”。",
        "四川方言の語彙の中国語で答えてください。",
    ),
    "cantonese": (
        "Answer in Chinese with the words of Cantonese.",
        "用粤语的词语来说，比如“系”“冇”“唔该”。",
        "広東語の語彙の中国語で答えてください。",
    ),
}
"""What the language model is told while a dialect holds."""

_ONLY_WORDS: Mapping[Dialect, Texts] = {
    "sichuanese": (
        "Say once that you can use the words of Sichuanese, but that your voice keeps its Mandarin sound.",
        "先说明一次：你会用四川话的词，但声音还是普通话的口音。",
        "四川方言の言葉は使えるが、発音は標準中国語のままだと一度だけ断ってください。",
    ),
    "cantonese": (
        "Say once that you can use the words of Cantonese, but that your voice keeps its Mandarin sound.",
        "先说明一次：你会用粤语的词，但声音还是普通话的口音。",
        "広東語の言葉は使えるが、発音は標準中国語のままだと一度だけ断ってください。",
    ),
}
_WHISPERS = _texts("in a whisper", "用耳语说话", "ささやき声で")


def style_of(request: Request) -> SpeakingStyle:
    """What one request asks of the sound."""
    if request in _STEPS:
        return _STEPS[request].change
    return WHISPER if request == "whisper" else _MOODS[request][0] if request in _MOODS else PLAIN


class VoiceRequests:
    """Of one conversation. ``style`` is what was asked of the sound, all of it.

    ``wants_usual``: the last the user asked for is the usual voice.
    """

    def __init__(self) -> None:
        self._at_once: list[tuple[Texts, bool]] = []
        self._reset()

    def _reset(self) -> None:
        self._steps = self._mood = PLAIN
        self._mood_words: Texts | None = None
        self._dialect: Dialect | None = None
        self._whispers = self.wants_usual = False

    @property
    def style(self) -> SpeakingStyle:
        """What was asked of the sound, all of it."""
        voiced = self._steps.then(self._mood)
        return WHISPER.then(voiced) if self._whispers else voiced

    def take(self, text: str) -> tuple[Request, ...]:
        """The user has said this: what it asks of the voice, if anything, which holds from now on."""
        self._at_once.clear()
        requests = asked_of_voice(text)
        for request in requests:
            self._take(request)
        return requests

    def note(
        self, language: Language, controls: frozenset[Control], clients_dialect: Dialect | None = None
    ) -> str | None:
        """What the language model is told of it for the reply to come; ``None`` if nothing was asked of the voice.

        ``controls`` are those of the voice: what it cannot change is declined. ``clients_dialect`` is spoken unless the user
        wants another.
        """
        at_once = [_NO_PITCH if pitch and "pitch" not in controls else text for text, pitch in self._at_once]
        dialect = self._dialect or clients_dialect
        held = (self._mood_words, DIALECT_WORDS[dialect] if dialect is not None else None)
        texts = [*at_once, *(text for text in held if text is not None)]
        at = {"zh": 1, "ja": 2}.get(language.partition("-")[0], 0)
        return " ".join(text[at] for text in texts) or None

    def _take(self, request: Request) -> None:
        self.wants_usual = False
        match request:
            case "usual":
                self._reset()
                self.wants_usual = True
                self._say(_USUAL)
            case "aloud":
                self._whispers = False
                self._say(_USUAL)
            case "whisper":
                self._whispers = True
                self._say(_WHISPERS)
            case "sichuanese" | "cantonese":
                self._dialect = request
                self._say(_ONLY_WORDS[request])
            case "cheerful" | "calm" | "sad" | "serious":
                self._mood, self._mood_words = _MOODS[request]
            case _:
                self._step(_STEPS[request])

    def _step(self, step: _Step) -> None:
        before = self._steps
        wanted = before.then(step.change)
        self._steps = replace(
            wanted,
            rate=min(max(wanted.rate, SLOWEST), FASTEST),
            gain_db=min(max(wanted.gain_db, SOFTEST_DB), LOUDEST_DB),
            pitch_st=min(max(wanted.pitch_st, LOWEST_ST), HIGHEST_ST),
        )
        self._say(step.reply if _differ(self._steps, before) else step.limit, pitch=step.change.pitch_st != 0.0)

    def _say(self, text: Texts, *, pitch: bool = False) -> None:
        self._at_once.append((text, pitch))


def _differ(one: SpeakingStyle, other: SpeakingStyle) -> bool:
    return max(abs(one.rate - other.rate), abs(one.gain_db - other.gain_db), abs(one.pitch_st - other.pitch_st)) > 1e-6
