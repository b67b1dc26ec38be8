"""How the words said so far end: with one that must go on, a hesitation, a number, in a list, with a complete phrase.

Small tables for the end-of-turn model (``end_of_turn.py``), which weighs them: a class is a sign, not a verdict. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import takewhile
from typing import Literal, TypeAlias

from vivavoce.text.inverse.english_words import NUMBERS
from vivavoce.types import Language

Ending: TypeAlias = Literal["open", "hesitation", "list", "number", "closed", "plain"]
"""``open``: the last word wants another behind it; ``list``: one in the middle of being said, its last "and" still to come."""

Mark: TypeAlias = Literal["period", "question", "comma", "ellipsis", "none"]
"""The recogniser's own mark at the end; ``ellipsis`` also for a dash."""

OPEN_WORDS: Mapping[Language, str] = {
    "en": (
        "and, or, but, nor, because, cause, although, though, unless, until, whether, if, than, the, a, an, my, "
        "your, our, their, of, into, onto, between, without, toward, towards, during, such as, as well as, "
        "for example, for instance, and then, and so, so that, in order to, due to, because of, instead of, i'm, "
        "i've, i'd, i'll, you're, we're, we'd, we'll, they're, he's, she's, it's, there's, i want to, i need to, "
        "i would like to, i'd like to, want to, going to, have to, need to, would like, i would, i will, can you, "
        "could you, would you, do you, did you, is there, are there, tell me about, what about, which is, who is, "
        "that is, the number is, my number is, number is, name is, address is, very, every, some, any, this is, "
        "is called, between the, from the, at the, in the, on the, to the, for the, with the, or maybe, "
        "or perhaps, also, like a, plus, when, while, where the, as"
    ),
    "zh": (
        "和, 跟, 与, 及, 或, 或者, 还是, 还有, 以及, 并且, 而且, 因为, 由于, 所以, 但是, 但, 可是, 不过, 虽然, "
        "尽管, 如果, 要是, 假如, 的话, 比如, 比如说, 例如, 然后, 接着, 另外, 除了, 关于, 为了, 把, 被, 从, 向, "
        "往, 让, 我想, 我要, 我想要, 我需要, 我的, 你的, 他的, 她的, 我们的, 一个, 这个, 那个, 一些, 很, 非常, "
        "最, 号码是, 电话是, 名字是, 叫做, 地址是, 能不能, 可不可以, 可以帮我, 请帮我, 帮我, 我觉得, 是不是, "
        "只要, 只有, 无论, 不但, 不仅, 首先, 第一"
    ),
    "ja": (
        "けど, けれど, けれども, ですが, ますが, ので, のに, それから, あと, そして, それで, でも, しかし, "
        "または, もしくは, それとも, だから, もし, たとえば, 例えば, とか, や, を, は, へ, には, では, とは, "
        "たら, なら, ながら, という, ための, について, 番号は, 名前は, 住所は, たいんですけど, のですが, "
        "んですが, からの, までの, みたいな, とても, 一番"
    ),
    "ko": "그리고, 그런데, 하지만, 그래서, 또는, 아니면, 왜냐하면, 만약, 는데, 은데, 지만, 니까, 면서, 에서, 으로",
    "de": (
        "und, oder, aber, weil, denn, dass, wenn, ob, der, die, das, ein, eine, einen, mein, meine, von, mit, "
        "für, zum, zur, im, am, sowie, zum beispiel, obwohl, damit, ich möchte, ich will, ist"
    ),
    "fr": (
        "et, ou, mais, parce que, car, que, si, quand, le, la, les, un, une, des, du, de, mon, ma, mes, pour, "
        "avec, dans, sur, ainsi que, par exemple, je voudrais, je veux, est, c'est"
    ),
    "es": (
        "y, o, pero, porque, que, si, cuando, el, la, los, las, un, una, de, del, mi, mis, para, con, en, por, "
        "además, por ejemplo, quiero, quisiera, es"
    ),
}

HESITATIONS: Mapping[Language, str] = {
    "en": (
        "um, umm, uh, uhh, er, erm, hmm, hm, mm, you know, i mean, like, well, so, let me see, let me think, "
        "let's see, let me check, hold on, one moment, one second, just a second, wait, give me a second, "
        "how do you say, what's it called, what is it called, i think, i guess, sort of, kind of, actually, "
        "basically"
    ),
    "zh": (
        "嗯, 呃, 额, 唔, 那个, 这个, 就是, 就是说, 那个那个, 怎么说, 怎么说呢, 让我想想, 我想想, 让我看看, "
        "我看看, 等一下, 稍等, 等等, 那么, 其实, 反正"
    ),
    "ja": (
        "えっと, えーと, ええと, えと, えっとー, あの, あのー, あのう, その, そのー, えー, ええ, うーん, うん, "
        "んー, まあ, なんか, なんていうか, そうですね, ちょっと待って, ちょっと待ってください, 何だっけ, "
        "なんだっけ"
    ),
    "ko": "음, 어, 그, 저, 저기, 뭐랄까, 잠깐만",
    "de": "äh, ähm, hm, also, moment, mal sehen, sozusagen, na ja",
    "fr": "euh, ben, bah, alors, attendez, voyons, en fait, tu sais, vous savez",
    "es": "eh, este, pues, bueno, a ver, espera, o sea, es decir",
}

CLOSED_PHRASES: Mapping[Language, str] = {
    "en": (
        "thank you, thanks, please, that's all, that is all, that's it, that's everything, nothing else, "
        "never mind, goodbye, bye, yes, no, yeah, nope, yep, okay, ok, sure, no thanks, no thank you, right now, "
        "too, anymore, it is, i do, i don't know, hello, hi"
    ),
    "zh": (
        "谢谢, 谢谢你, 谢谢您, 多谢, 吗, 呢, 吧, 好的, 好, 是的, 不是, 不用了, 没有了, 没了, 再见, 拜拜, 就这些, "
        "就这样, 可以, 行, 对, 你好, 您好, 怎么样, 怎么办, 多少钱, 什么时候, 是什么, 为什么, 好不好"
    ),
    "ja": (
        "です, ます, ました, ません, でした, ください, 下さい, お願いします, おねがいします, ありがとう, "
        "ありがとうございます, ですか, ますか, でしょうか, ませんか, ですね, ですよ, ますよ, だよ, だね, かな, "
        "はい, いいえ, いえ, 以上, 大丈夫, よろしく, しましょう, たい, こんにちは, さようなら"
    ),
    "ko": "요, 니다, 니까요, 네, 아니요, 감사합니다, 주세요, 까요",
    "de": "danke, bitte, ja, nein, das ist alles, das war's, tschüss, genau",
    "fr": "merci, s'il vous plaît, s'il te plaît, oui, non, c'est tout, au revoir, voilà",
    "es": "gracias, por favor, sí, no, eso es todo, nada más, adiós, claro",
}

_SPOKEN_DIGITS: Mapping[Language, str] = {
    "en": " ".join((*sorted(NUMBERS), "oh", "double", "triple", "dash", "dot")),
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez",
}
_HAN_DIGITS = "〇零一二三四五六七八九十百千万两幺壹"
_DIGITS_ASKED = re.compile(
    r"\b(?:number|code|pin|password|zip|postcode|extension|digits|id|iban|serial|reference|card|account)\b"
    r"|号码|电话|手机号|密码|验证码|卡号|编号|单号|番号|電話|コード|パスワード|번호|nummer|numéro|número",
    re.IGNORECASE,
)
_FULL_NUMBER = 9
"""Digits from which on a number may well be complete: telephone numbers have 9 to 11."""

_ONE_LETTER_WORDS = frozenset("aiyoeu")
"""Of English, French, Spanish: by themselves no letters that are spelled."""

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
_MARKS = " \t\n.,!?;:…。，、！？；：．—–-~〜\"'”’」』)）"
_SENTENCE_MARKS = re.compile(r"(?<=[.!?。！？])\s*")
_TRAILING_DIGITS = re.compile(r"(?:[0-9][\s,.、，-]*)+$")


def final_mark(text: str) -> Mark:
    """Which mark ``text`` ends with."""
    end = text.rstrip(" \t\n\"'”’」』)）")
    if end.endswith(("...", "…", "—", "–", "-")):
        return "ellipsis"
    if end.endswith(("?", "？")):
        return "question"
    if end.endswith((".", "!", "。", "！", "．")):
        return "period"
    return "comma" if end.endswith((",", "，", "、", ";", "；", ":", "：")) else "none"


def without_final_mark(text: str) -> str:
    """``text`` without the marks it ends with, as ``LanguageModel.sentence_end`` wants it."""
    return text.strip().rstrip(_MARKS)


def ending(text: str, language: Language) -> Ending:
    """How ``text`` ends; ``language`` as the recogniser names it (one without tables goes by English)."""
    said = without_final_mark(text).lower().replace("’", "'")
    if not said:
        return "plain"
    code = language.partition("-")[0].lower()
    code = code if code in OPEN_WORDS else "en"
    hesitation, open_words = _longest(said, code, HESITATIONS), _longest(said, code, OPEN_WORDS)
    closed = _longest(said, code, CLOSED_PHRASES)
    if max(hesitation, open_words) > closed:
        return "hesitation" if hesitation >= open_words else "open"
    if closed:
        return "closed"
    if _in_list(text):
        return "list"
    return "number" if trailing_digits(said, code) else "plain"


def trailing_digits(text: str, language: Language) -> int:
    """How many digits, spoken or written, ``text`` ends with; single letters, as of a name that is spelled, count as such."""
    said = without_final_mark(text).lower()
    if written := _TRAILING_DIGITS.search(said):
        return sum(map(str.isdigit, written.group()))
    if _CJK.search(said[-1:]):
        return sum(sign in _HAN_DIGITS for sign in said[len(said.rstrip(_HAN_DIGITS + " ,、，-")) :])
    spoken = frozenset(_SPOKEN_DIGITS.get(language.partition("-")[0].lower(), "").split())
    words = reversed(_WORD.findall(said.replace("-", " ")))
    signs = list(takewhile(lambda word: word in spoken or len(word) == 1 or word.isdigit(), words))
    if set(signs) <= _ONE_LETTER_WORDS:
        return 0
    return sum(len(sign) if sign.isdigit() else 1 for sign in signs)


def awaits_digits(text: str, language: Language, question: str | None) -> bool:
    """Whether a number was asked for, or is announced, and there are fewer digits than such numbers have."""
    last = _last_sentence(text)
    asked = _DIGITS_ASKED.search(last) or (question and _DIGITS_ASKED.search(question))
    return bool(asked) and 0 < trailing_digits(text, language) < _FULL_NUMBER


def _last_sentence(text: str) -> str:
    parts = [part for part in _SENTENCE_MARKS.split(text.strip()) if part.strip()]
    return parts[-1] if parts else ""


def _in_list(text: str) -> bool:
    """Whether the last sentence enumerates with commas, and none of "and", "or" has announced the last item."""
    sentence = _last_sentence(text)
    *items, last = re.split(r"[,，、]", without_final_mark(sentence))
    commas = len(items) + (final_mark(sentence) == "comma")
    is_short = len(last.split()) <= 3 and len(last) <= 24
    announced = re.search(r"\b(?:and|or|und|oder|et|ou|y|o)\b|[和或跟与]|还有|それと|あと", last.lower())
    return bool(items) and (commas >= 2 or "、" in sentence) and is_short and not announced


@cache
def _phrases(table: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The phrases of ``table`` written without spaces, and those of words."""
    phrases = [phrase.strip() for phrase in table.split(",")]
    cjk = tuple(phrase for phrase in phrases if _CJK.search(phrase))
    return cjk, frozenset(phrase for phrase in phrases if not _CJK.search(phrase))


def _longest(said: str, language: Language, tables: Mapping[Language, str]) -> int:
    """Letters of the longest phrase that ``said`` ends with; 0 for none."""
    cjk, spaced = _phrases(tables[language])
    found = max((len(phrase) for phrase in cjk if said.endswith(phrase)), default=0)
    if spaced:
        words = said.split()
        tails = (" ".join(words[-count:]).strip(_MARKS) for count in range(1, min(len(words), 4) + 1))
        found = max((len(tail) for tail in tails if tail in spaced), default=found)
    return found
