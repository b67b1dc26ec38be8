"""What users have told of themselves, and how an answer about it begins. Pure.

With a persona in its instructions a small model takes the user's cat, job and name for its own ("I don't have a favourite
number."). An answer that begins about the user ("Your favourite number is") stays about them: 5 of 5 right where no wording of
the prompt gave more than 2. What they said is quoted beside the turn, since a small model also forgets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vivavoce.conduct.second_person import begun_answer
from vivavoce.pending_request import sentences_of
from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.rules import words
from vivavoce.types import Language, Message

QUOTED = 2
"""Turns of the user that are quoted where they tell what is asked."""

QUOTED_AT_A_GUESS = 5
"""Turns that are quoted where none of them is known to tell it: the newest."""

MOST_CHARACTERS = 160
"""Of a quoted turn."""

_NOTE: Mapping[Language, str] = {
    "en": "What the person has said about themselves: {quotes}. They ask about themselves, not about you.",
    "zh": "用户说过自己的情况：{quotes}。用户问的是用户自己，不是你。",
    "ja": "ユーザーが自分について話したこと：{quotes}。聞かれているのはユーザー自身のことです。",
}
_UNSURE: Mapping[Language, str] = {
    "en": " If that does not tell it, say that they have not told you.",
    "zh": "如果里面没有，就说用户还没有告诉过你。",
    "ja": "そこになければ、まだ聞いていないと言ってください。",
}
_ENGLISH_ASKS = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|how|do you (?:still )?(?:remember|know|recall))\b", re.IGNORECASE
)
_ENGLISH_ME = re.compile(r"\b(?:i|my|me|mine|i'm|i've)\b", re.IGNORECASE)
_ENGLISH_SAID = re.compile(
    r"\b(?:did|have) i (?:just |already )?(?:say|said|tell|told|give|given|mention|mentioned|call|called)\b"
    r"|\bi (?:said|told|gave|mentioned)\b",
    re.IGNORECASE,
)
_ADVICE = re.compile(
    r"\b(?:should|could|can|may|might|must|will|would|shall|ought|need to|have to|supposed)\b|\b(?:how|why) (?:do"
    r"|did|am|have) i\b"
    r"|\b(?:did|does|do) my \w+ (?:mean|want|think|say|feel)\b|\bam i (?:talking|speaking) |\bthink of my\b"
    r"|\babout my\b|\bwhat if\b|\b(?:tell|give|show|help|read|let|teach|sing|play|find|make) me (?!again what"
    r"|what i|what my|my)",
    re.IGNORECASE,
)
_ENGLISH_OF_SELF = re.compile(
    r"\bmy (?:\w+ )?(?:name|job|age|work|profession|birthday|hobby|favou?rite|cat|dog|pet|horse|son|daughter|wife"
    r"|husband|partner|brother"
    r"|sister|mother|father|friend|boss|home|hometown|child|children|family|surname)\b"
    r"|\bwho am i\b|\bhow old am i\b|\bi (?:live|work|teach|study|come from|like|love|prefer)\b|\bdo i do\b"
    r"|\bi am called\b|\bam i called\b",
    re.IGNORECASE,
)
_CHINESE_ASKS = re.compile(r"什么|哪|谁|几|多少|多大|多久|怎么称呼|记得我")
_CHINESE_ADVICE = re.compile(
    r"该|应该|可以|能不能|能|要不要|怎么办|怎么(?!称呼)|为什么|想要?|给我(?!的)|帮我|替我|教我"
)
_CHINESE_SAID = re.compile(r"我(?:刚才|刚刚|之前|前面)?(?:说过?|讲过?|告诉|提到|给(?:过)?你)")
_CHINESE_OF_SELF = re.compile(
    r"我(?:叫|姓|是谁|的(?:名字|猫|狗|宠物|工作|职业|年龄|生日|爱好|儿子|女儿|家)|今年|最?喜欢|住|在哪|家|是做|做什么)|记得我"
)
_JAPANESE_ASKS = re.compile(
    r"(?:私|僕|俺|わたし|ぼく)(?:の|は|が).{1,20}(?:何|なん|誰|どこ|いくつ|いつ|どの|どんな).*|(?:私|僕|わたし)の.{1,12}(?:覚えて)"
)
_JAPANESE_ADVICE = re.compile(r"べき|たらいい|ばいい|できま|ください")

_CORRECTS = re.compile(
    r"^\W*(?:no|sorry|actually|i mean|i meant|correction|wait)\b[^.?!]*(?:wrong|mean|meant|not|is|it's|,)"
    r"|\bi (?:said|told you) (?:it |that )?wrong\b"
    r"|^\W*(?:不对|不是|说错|我说错|错了|更正|应该是|对不起，)|说错了|間違え|違います",
    re.IGNORECASE,
)
"""How somebody puts right what they have just said."""

_ORDERS = re.compile(r"^\W*(?:tell|read|describe|explain|讲|给我|用.{1,6}字)", re.IGNORECASE)
_WORD = re.compile(r"[a-z][a-z'-]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_STOP = frozenset(
    words(
        """
        what which who whom whose when where how why the and for are was were did does have has had been you your remember
        know still again please that this tell told say said give gave mention with from about will would can could called
        name its own just now long many much time day number mine
        """
    )
)
_HAN_STOP = frozenset("我你的是了吗呢什么哪谁几多少大还记得说过刚才告诉叫名字有在给那这和")
_KINDS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (
        re.compile(
            r"\bname\b|\bwho am i\b|\bi am called\b|\bam i called\b|surname|我叫|我姓|我是谁|我的名字|怎么称呼我|私の名前"
        ),
        re.compile(
            r"\bmy name\b|\bcall me\b|\bi(?:'m| am) (?!a\b|an\b|not\b|so\b|the\b|very\b|really\b|afraid|allergic"
            r"|tired|too\b|glad|happy|sad|sure|sorry|from\b|in\b|at\b|on\b|\w+ing\b|\w+ed\b)[a-z]+"
            r"|\bthis is [a-z]+ speaking|我叫|我姓|我是|と申します|名前は|といいます"
        ),
    ),
    (
        re.compile(
            r"\bjob\b|\bwork\b|profession|occupation|career|\bfor a living\b|\bdo i do\b|工作|职业|做什么|是做|仕事|職業"
        ),
        re.compile(
            r"\bi(?:'ve| have)? (?:work|teach|worked|taught|run|drive)\b|\bi(?:'m| am) an? \w+|\bmy job\b|工作|上班"
            r"|职业|做.{0,6}师|教|我是.{1,8}[师员生工]"
            r"|仕事|働い|教え"
        ),
    ),
    (
        re.compile(r"\bhow old\b|\bmy age\b|多大|几岁|年龄|年纪|何歳"),
        re.compile(r"\byears old\b|\bi(?:'m| am) (?:\d|\w+ty|\w+teen)|岁|歳"),
    ),
    (
        re.compile(r"\bi live\b|\bmy home\b|\bfloor\b|住|住所|どこに"),
        re.compile(r"\bi live\b|\bmy home\b|\bi(?:'m| am) from\b|\bfloor\b|住"),
    ),
)
"""What is asked of somebody, and how they tell it in other words."""


@dataclass(frozen=True, slots=True)
class Recall:
    """An answer about the user: how it begins (``begun``) and what the model is told of what they said (``note``). ``settled``:
    they ask for something they have said, and have. ``personal``: it is about their person, which no function can look up."""

    begun: str
    note: str
    settled: bool = False
    personal: bool = False


def recalled(messages: Sequence[Message], language: Language) -> Recall | None:
    """How the user's last words are answered if they ask for something about themselves, in a language this is known for."""
    said = [message.content for message in messages if message.role == "user" and message.content.strip()]
    if not said or language not in _NOTE:
        return None
    question = (sentences_of(said[-1]) or [""])[-1].replace("’", "'")
    told = [inverse_normalized(statement, language) for text in said[:-1] if (statement := _statement(text))]
    matching = _matching(question, told)
    if not _asks_about_user(question, sure=bool(matching)):
        return None
    quotes = matching or told[-QUOTED_AT_A_GUESS:]
    begun = begun_answer(question, language, sure=bool(matching))
    note = _NOTE[language].format(quotes=_listed(quotes, language)) if quotes else ""
    note += _UNSURE[language] if note and not matching else ""
    asks_for_words = _ENGLISH_SAID.search(question) or _CHINESE_SAID.search(question)
    personal = any(one.search(question) for one in (_ENGLISH_OF_SELF, _CHINESE_OF_SELF, _JAPANESE_ASKS))
    return Recall(begun, note, bool(matching and asks_for_words), personal)


def _asks_about_user(question: str, *, sure: bool) -> bool:
    """``sure``: the user has told something that may be it, so that a question of any form counts."""
    if _HAN.search(question) or re.search(r"[\u3040-\u30ff]", question):
        if _JAPANESE_ASKS.search(question):
            return not _JAPANESE_ADVICE.search(question)
        if "我" not in question or not _CHINESE_ASKS.search(question):
            return False
        if _CHINESE_SAID.search(question):
            return True
        return not _CHINESE_ADVICE.search(question) and (sure or _CHINESE_OF_SELF.search(question) is not None)
    if not (_ENGLISH_ASKS.search(question) and _ENGLISH_ME.search(question)):
        return False
    if _ENGLISH_SAID.search(question):
        return True
    if _ADVICE.search(question):
        return False
    return sure or _ENGLISH_OF_SELF.search(question) is not None


def _statement(text: str) -> str:
    """What a turn tells of the user: without its questions; nothing where it tells nothing of them."""
    kept = [sentence for sentence in sentences_of(text) if not sentence.endswith(("?", "？"))]
    joined = " ".join(kept)
    first_person = re.search(r"\b(?:i|my|me|we|our|i'm|i've|i'd)\b", joined.lower().replace("’", "'")) or re.search(
        r"[我咱]|私|僕|俺|わたし|です", joined
    )
    if _CORRECTS.search(joined):
        return joined[:MOST_CHARACTERS]
    return joined[:MOST_CHARACTERS] if first_person and not _ORDERS.search(joined) else ""


def _matching(question: str, told: Sequence[str]) -> list[str]:
    """Those of ``told`` that may tell what is asked, with what puts them right, in their order."""
    asked, lower = content_terms(question), question.lower()
    kinds = [stated for wanted, stated in _KINDS if wanted.search(lower)]
    scored = [
        (2 * sum(1 for stated in kinds if stated.search(text.lower())) + 2 * len(asked & content_terms(text)), at, text)
        for at, text in enumerate(told)
    ]
    best = sorted(entry for entry in scored if entry[0])[-QUOTED:]
    kept = {at for score, at, _ in best if 2 * score >= best[-1][0]}
    kept |= {at + 1 for at in kept if at + 1 < len(told) and _CORRECTS.search(told[at + 1])}
    return [told[at] for at in sorted(kept)]


def content_terms(text: str) -> set[str]:
    """Stems and pairs of characters worth comparing."""
    stems = {
        word[:5].rstrip("s")
        for word in _WORD.findall(text.lower().replace("'s", ""))
        if len(word) > 2 and word not in _STOP
    }
    han = "".join(character if _HAN.match(character) and character not in _HAN_STOP else " " for character in text)
    return stems | {han[at] for at in range(len(han)) if han[at] != " "}


def _listed(quotes: Sequence[str], language: Language) -> str:
    if language in ("zh", "ja"):
        return "".join(f"“{quote}”" if language == "zh" else f"「{quote}」" for quote in quotes)
    return " ".join('"{}"'.format(quote.replace('"', "'")) for quote in quotes)
