"""How an answer about the user begins: the question, turned to the second person. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vivavoce.text.rules import table
from vivavoce.types import Language

BARE: Mapping[Language, str] = {"en": "You", "zh": "你", "ja": "あなた"}
"""How an answer begins where more would already say something."""

_TURNED = table("my=your, mine=yours, me=you, i=you, you=me, your=my, i'm=you're, i've=you've, myself=yourself")
_LEAD = re.compile(
    r"^\W*(?:(?:so|and|well|now|by the way|okay|ok|hey|please|sorry|(?:do|can|could) you (?:still "
    r"|please )?(?:remember|know|recall|tell me)"
    r"|tell me(?: again)?|remind me)\b\W*)+",
    re.IGNORECASE,
)
_ASKED = r"^(?:for |on |at |in |since )?(?:what|where|when|which|how|who|whom)\b[\w' -]*?"
_ENGLISH_FORMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), form)
    for pattern, form in (
        (
            r"^(?:what|who|when|which|where)(?:'s|’s| is| are| was)\s+(my [\w' -]+?)(?: called| named)?(?: again)?$",
            "{0} is",
        ),
        (r"^what (my [\w' -]+?)(?: is| are)(?: called)?$", "{0} is"),
        (r"^(my [\w' -]+)$", "{0} is"),
        (r"^who am i(?: again)?$", "You are"),
        (r"^(?:who|what|how \w+) i am( called| named)?$", "You are{0}"),
        (r"^where i (live|work|come from)$", "You {0}"),
        (r"^how old am i\b.*$", "You are"),
        (r"^(?:what|who|where|when|which [\w ]+|how \w+(?: \w+)?) am i( [\w' -]*)?$", "You are{0}"),
        (r"^(?:for |on |at |in |since )?(?:what|where|when|which|how)\b[\w' -]*? have i ([\w' -]+)$", "You have {0}"),
        (r"^what do i do\b.*$", "You"),
        (rf"{_ASKED} do i ([\w' -]+)$", "You {0}"),
        (
            rf"{_ASKED} did i (?:say|tell you)\b.* (my [\w' -]+?) (?:is|was)$",
            "You said {0} was",
        ),
        (rf"{_ASKED} did i say (i [\w' -]+)$", "You said {0}"),
        (rf"{_ASKED} did i [\w' -]+$", "You"),
        (rf"{_ASKED} (?:does|do|did|is|are|has|will) (my \w+)\b.*$", "{0}"),
    )
)


def begun_answer(question: str, language: Language, *, sure: bool) -> str:
    """How an answer to ``question`` begins, in one of the languages of ``BARE``. Not ``sure``: the user may not have told it,
    and it must not be begun as if it were known."""
    match language:
        case "en":
            return _english_begun(question, sure=sure)
        case "zh":
            begun = _chinese_begun(question) if sure else ""
        case _:
            match = re.match(r"\W*(?:私|僕|俺|わたし|ぼく)の([^、。？?]{1,12})は", question)
            begun = f"あなたの{match[1]}は" if match and sure else ""
    return begun or BARE[language]


def _english_begun(question: str, *, sure: bool) -> str:
    """``What is my cat called?`` → ``Your cat is``."""
    words = _LEAD.sub("", question).strip().rstrip("?!. ").strip()
    words = re.sub(r",? (?:please|again|then|by the way)$", "", words)
    for pattern, form in _ENGLISH_FORMS:
        if match := pattern.match(words):
            rest = _turned(match[1]) if match.groups() and match[1] else ""
            begun = form.format(f" {rest}" if rest and form == "You are{0}" else rest)
            if not sure:
                return "Your" if begun.lower().startswith("your") else "You"
            return begun[:1].upper() + begun[1:]
    return "You"


def _turned(words: str) -> str:
    """``my cat`` → ``your cat``."""
    return " ".join(_TURNED.get(word.lower(), word) for word in words.split())


_HAN_LEAD = re.compile(
    r"^\W*(?:(?:那么?|对了|请问|所以|再问一下|哎|嗯|你?(?:还|仍然)?(?:记得|记不记得|知道|知不知道)|(?:请)?告诉我)[，,、 ]*)+"
)
_HAN_WH = re.compile(r"(?:是|叫)?(?:多少|多大|多久|什么|哪|谁|几)")


def _chinese_begun(question: str) -> str:
    """``我的猫叫什么？`` → ``你的猫叫``."""
    words = _HAN_LEAD.sub("", question)
    wh = _HAN_WH.search(words)
    head = words[: wh.start()] if wh else ""
    verb = re.match(r"是|叫", wh[0]) if wh else None
    head += verb[0] if verb else ""
    head = re.sub(r"刚才|刚刚|之前|到底|究竟|[，,、。！ ]", "", head)
    turned = head.translate(str.maketrans("我你", "你我"))
    return turned if turned.startswith(("你", "这", "那")) and len(turned) <= 14 else ""
