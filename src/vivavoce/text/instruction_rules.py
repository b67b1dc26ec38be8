"""Rules of speech that a client's instructions give for every answer, as far as code can read them. Pure.

A small model keeps what stands at the head of a long prompt less and less. What can be held to by code is read here (how an
answer begins and ends, how long it is at most), and the sentences that rule every answer are found, to be told again near the
turn. Only what is said plainly counts: a rule that is not recognised is left to the model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from vivavoce.text.inverse import inverse_normalized
from vivavoce.text.languages import LANGUAGE_NAMES
from vivavoce.text.speech_prompt_rules import SPEECH_PROMPT_RULES
from vivavoce.text.token_estimates import estimate_text

MAX_RESTATED_TOKENS = 64
"""Of the rules that are told again: they stand before every turn of the user."""

_SOURCES = (
    r"(?:documents?|papers?|manuals?|handbooks?|files?|notices?|guides?|knowledge|functions?|tools?|sources?|database)"
)
_NOTHING_ELSE = re.compile(
    rf"\b{_SOURCES}\b[^.!?\n]{{0,60}}\b(?:nothing (?:else|more|beyond)|no other sources?|alone\b|and only)"
    rf"|\b(?:only|exclusively|solely|nothing but|nothing except|strictly)\b[^.!?\n]{{0,40}}\b{_SOURCES}\b"
    r"|(?:只|仅|仅仅)(?:能|可以|许)?(?:用|使用|根据|依据|按|参考|基于|从)[^。！？\n]{0,24}(?:资料|文件|文档|手册|说明书|通知|知识库|功能|工具|函数)"
    r"|(?:資料|文書|マニュアル|関数|機能)(?:だけ|のみ)",
    re.IGNORECASE,
)

_QUOTED = r"\"[^\"\n]+\"|“[^”\n]+”|「[^」\n]+」|『[^』\n]+』"
_SENTENCE = re.compile(rf"(?:{_QUOTED}|\.(?=\d)|[^.!?。！？\n\"“「『])+[.!?。！？]?")
_OF_THE_USER = re.compile(
    r"(?:their|his or her|the (?:user|person|caller|customer|client)['’]s|the same)(?: own)? languages?"
    r"|(?:用户|对方|客人)(?:的|所用的?|使用的)?语言|ユーザーの言語|相手の言語",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(
    rf"\b(?:{'|'.join(LANGUAGE_NAMES.values())}|Mandarin|Cantonese|languages?|translat\w+|interpret\w+|bilingual)\b"
    r"|[中英日韩法德俄]文|汉语|[英日韩法德俄]语|西班牙语|普通话|粤语|语言|翻译|[英中]国語|日本語|言語|通訳|翻訳",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"(?<![.!?。！？:：\n\"”」])\n(?![\s\-*•#\d])")
"""The end of a line in the midst of a sentence."""

_IDENTITY = re.compile(r"^(?:you are|you're|your name is|你(?:是|叫)|あなたは)", re.IGNORECASE)
_RULING = re.compile(
    r"\b(?:every|each|always|never|at most|at least|exactly|no more than|must|do not|don't|only|avoid|in (?:one|two|three)"
    r"|(?:at|in|to) (?:\w+ ){1,3}sentences?)\b"
    r"|每次|每句|每个回答|总是|始终|从不|从来不|绝不|绝对|一定|必须|不要|不许|不能|不得|最多|至少|正好|不超过|只(?!介绍|有)|务必"
    r"|必ず|毎回|いつも|常に|決して|絶対|以内|ないで|だけ",
    re.IGNORECASE,
)
"""Words of a sentence that rules how is spoken, not what is known."""

_NEGATED = re.compile(r"\b(?:never|not|avoid|without|unless)\b|n't\b|不|别|勿|禁止|避免|ない|せず", re.IGNORECASE)
"""Words before something quoted that forbid it."""

_EVERY = r"(?:every|each|all|any)(?: of your| single)? (?:answers?|repl(?:y|ies)|responses?|sentences?|turns?)"
_OPENING = (
    re.compile(
        rf"\b(?:begin|start|open)\b {_EVERY} with (?:the words? |the phrase )?[\"“]([^\"”\n]+)[\"”]", re.IGNORECASE
    ),
    re.compile(
        r"(?:每次|每句|所有|每个)[^。\n]{0,6}?(?:都|一律)?(?:要)?以[“「\"]([^”」\"\n]+)[”」\"][^。，\n]{0,4}(?:开头|开始)"
    ),
    re.compile(r"(?:毎回|必ず|すべての?返事)[^。\n]{0,8}[「『]([^」』\n]+)[」』][^。\n]{0,3}(?:から始|で始)"),
)
_ADDRESS = (
    re.compile(
        rf"\b(?:address|call) (?:the )?(?:\w+ )?(?:as )?[\"“]([^\"”\n]+)[\"”] in {_EVERY}"
        rf"|\bin {_EVERY},? (?:address|call) (?:the )?(?:\w+ )?(?:as )?[\"“]([^\"”\n]+)[\"”]",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:每次|每个回答|每句)[^。\n]{0,8}?(?:称呼|称|叫)(?:对方|用户|客人|他们)?为?[“「\"]([^”」\"\n]+)[”」\"]"
    ),
    re.compile(r"(?:毎回|必ず)[^。\n]{0,8}?[「『]([^」』\n]+)[」』]と(?:呼|お呼)"),
)
"""How the person is to be called in every answer: it begins with that."""

_CLOSING = (
    re.compile(
        rf"\b(?:end|finish|close)\b {_EVERY} with (?:this |the )?(?:exact |following )*(?:sentence|words?|phrase)?:? ?"
        r"[\"“]([^\"”\n]+)[\"”]",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?:每次|每个|所有)[^。\n“]{0,6}(?:最后|结尾|末尾)[^。\n“]{0,12}[“「\"]([^”」\"\n]+)[”」\"]"
        r"|(?:每次|每个|所有)[^。\n“]{0,6}以[“「\"]([^”」\"\n]+)[”」\"][^。，\n]{0,4}(?:结尾|结束)"
    ),
    re.compile(r"(?:毎回|必ず|すべての?返事)[^。\n]{0,8}[「『]([^」』\n]+)[」』][^。\n]{0,3}(?:で終わ|で締め)"),
)
_REQUIRED = re.compile(
    rf"\b(?:mention|name|say|use|include|refer to)\b ([^.!?\n]{{2,60}}?),?(?: by name)? (?:in|with) {_EVERY}"
    rf"|\b(?:in|with) {_EVERY},? (?:you )?(?:must |always )*(?:mention|name|say|use|include)\b ([^.!?\n]{{2,60}})"
    r"|(?:每次|每个回答|每句)[^。\n]{0,8}?(?:提到|说出|带上)([^。，\n]{1,20})"
    r"|(?:毎回|必ず)[^。\n]{0,6}?([「『][^」』\n]+[」』])(?:という言葉|を入れ)",
    re.IGNORECASE,
)
_TERM = re.compile(
    r"[\"“「『]([^\"”」』\n]+)[\"”」』]|((?:[A-ZÄÖÜ][\w'’-]*|(?<=\w )\d[\w.-]*)(?: (?:[A-ZÄÖÜ][\w'’-]*|\d[\w.-]*))*)"
)
"""What is to be named: what stands in quotes, else a name by its capitals."""

_COUNT = r"(?:one|two|three|four|five|six|\d)"
_MOST_SENTENCES = re.compile(
    rf"\b(?:at most|no more than|up to|exactly|only|in|within|(?:answers?|replies|them) to)\s+(?:{_COUNT}\s+(?:or"
    rf"|to)\s+)?({_COUNT})"
    rf"\s+(?:very |short |spoken |simple )*sentences?\b"
    rf"|^\W*(?:{_COUNT}\s+(?:or|to)\s+)?({_COUNT})\s+(?:short )?sentences?\s+(?:at most|at the most|maximum"
    rf"|or less|or fewer)\b"
    r"|(?:最多|不超过|至多|正好|只[说用]|每次(?:都)?(?:只)?(?:说|回答)?)(?:[一二两三四五]?)([一二两三四五六\d])(?:个)?句"
    r"|([一二三四五六\d])文以内",
    re.IGNORECASE,
)
_MOST_WORDS = re.compile(
    r"\b(?:at most|no more than|up to|within|under) (\w+) words\b|(?:最多|不超过|至多)(\w{1,4}?)个?字", re.IGNORECASE
)
_NAME = re.compile(
    r"\b(?i:you are|you're|your name is|you are called|you are named|call yourself)\s+"
    r"((?!An? |The |Now |Not )[A-Z][\w'’-]*(?: [A-Z][\w'’-]*){0,2})(?=[,.;:!]|\s*$|\s+(?:and|who|from|of|at|the|an?|[–-])\s)"
    r"|你(?:叫|名叫|的名字(?:是|叫))[“「]?([^\s，,。、：:；“”「」]{1,8})"
    r"|你是(?!一|个|位|某|我|本|这|那|专|资|客|助|负|由|的)"
    r"(?![^\s，,。、：:；“”]{0,3}(?:[师员手家者服士长官人]|[医学先]生|导游|教练|翻译)[，,。、：:；\s])"
    r"([^\s，,。、：:；“”]{1,4})(?=[，,。、：:；\s])"
    r"|あなたの名前は[「『]?([^\s、。「」『』]{1,10}?)[」』]?(?:です|、|。)|あなたは[「『]?([^\s、。「」『』]{1,10}?)[」』]?という"
)
_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_COUNTS = (
    {word: at for at, word in enumerate(_SMALL)}
    | {character: at for at, character in enumerate("零一二三四五六七八九十")}
    | {"两": 2}
)


@dataclass(frozen=True, slots=True)
class InstructionRules:
    """What rules every answer: the words it begins with (``opening``) and ends with (``closing``), a name that is in it
    (``required``), its ``most_sentences`` and ``most_words`` (Chinese and Japanese: characters), 0 for any number; ``restated``
    are the rules in the client's words."""

    opening: str = ""
    closing: str = ""
    required: str = ""
    most_sentences: int = 0
    most_words: int = 0
    restated: str = ""

    def opened(self, words: str) -> str:
        """``words`` behind the ``opening``; as they are where there is none, or no words."""
        if not (self.opening and words):
            return words
        begun = f"{self.opening[:1].upper()}{self.opening[1:]}"
        if begun[-1] not in ".!,。！，":
            begun += "，" if ord(begun[-1]) > 0x2E80 else ","
        return f"{begun}{'' if ord(begun[-1]) > 0x2E80 else ' '}{words}"


def names_language(instructions: str) -> bool:
    """Whether ``instructions`` speak of languages: they may say which to answer in, but for the user's."""
    return _LANGUAGE.search(_OF_THE_USER.sub("", instructions)) is not None


def unwrapped(text: str) -> str:
    """``text`` without line ends in the midst of sentences."""
    return _WRAPPED.sub(" ", text)


def is_negated(sentence: str) -> bool:
    """Whether ``sentence`` denies or forbids something."""
    return _NEGATED.search(sentence) is not None


def restricts_sources(instructions: str) -> bool:
    """Whether a client's instructions want answers from documents and functions, and from nothing else."""
    return _NOTHING_ELSE.search(instructions) is not None


def name_in(instructions: str) -> str:
    """The assistant's name by its instructions, the last one given in them; nothing where they give none."""
    names = [next(filter(None, match.groups())) for match in _NAME.finditer(instructions)]
    return next((name for name in reversed(names) if not names_language(name)), "")


@lru_cache(256)
def rules_of(system_text: str) -> InstructionRules:
    """The rules in a system message; what Vivavoce tells every model itself is none of them."""
    text = unwrapped(system_text.replace(SPEECH_PROMPT_RULES, "").strip())
    sentences = [sentence.strip() for sentence in _SENTENCE.findall(text) if sentence.strip()]
    typed = " ".join(inverse_normalized(sentence, None) for sentence in sentences)
    most_sentences = next((found for one in sentences if (found := _most_sentences(one))), 0)
    words = _MOST_WORDS.search(typed)
    return InstructionRules(
        _first((*_OPENING, *_ADDRESS), text),
        _first(_CLOSING, text),
        _required(text),
        most_sentences,
        _count(words[1] or words[2]) if words else 0,
        _restated(sentences),
    )


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> str:
    """The first thing in a place that one of ``patterns`` knows, if it is not forbidden there."""
    for pattern in patterns:
        for match in pattern.finditer(text):
            group = next(at for at, found in enumerate(match.groups(), 1) if found)
            sentence_start = max((text.rfind(mark, 0, match.start()) for mark in ".!?。！？\n"), default=-1) + 1
            if not _NEGATED.search(text[sentence_start : match.start(group)]):
                return match[group].strip()
    return ""


def _required(text: str) -> str:
    terms = [next(filter(None, term.groups())) for term in _TERM.finditer(_first((_REQUIRED,), text))]
    return terms[-1].strip() if terms and not names_language(terms[-1]) else ""


def _most_sentences(sentence: str) -> int:
    match = _MOST_SENTENCES.search(sentence)
    if match is None:
        return 0
    said = next(filter(None, match.groups())).lower()
    return _count(said)


def _count(said: str) -> int:
    """A number in figures or words; 0 where it is none."""
    return int(said) if said.isdecimal() else _COUNTS.get(said.lower(), 0)


def _restated(sentences: list[str]) -> str:
    """The ruling sentences, as many as fit; what code holds an answer to need not be told again."""
    kept, tokens = [], 0
    for sentence in sentences:
        held = _first((*_OPENING, *_ADDRESS), sentence) or _first(_CLOSING, sentence)
        if held or _IDENTITY.search(sentence) or not _RULING.search(sentence):
            continue
        tokens += estimate_text(sentence)
        if tokens > MAX_RESTATED_TOKENS:
            break
        kept.append(sentence)
    return " ".join(kept)
