"""What a language model claims of its origin, taken out of its answers: "I was made by OpenAI." Pure but for the stream.

Whichever model answers, whatever it was trained to say: who made the assistant is what the configuration and the instructions
say. A claim is a sentence in which the assistant says of itself that it is a known language model, or is made by one of those
who train them (``labs.py``); where it was asked for its origin, also by anybody else. The truth takes the place of the first.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from typing_extensions import override

from vivavoce.conduct.labs import ANY_NAME, BEGINNINGS, HAN_BEGINNINGS, PLAIN_NAME
from vivavoce.conduct.origin import asks_origin, origin_truth
from vivavoce.engines.base import LanguageModel
from vivavoce.engines.delegating_model import DelegatingModel
from vivavoce.text.instruction_maker import maker_in
from vivavoce.text.instruction_rules import is_negated
from vivavoce.text.scripts import blank_between
from vivavoce.types import GenerationEvent, GenerationOptions, Language, Message, TextDelta, ThinkingDelta, ThinkingEnd

MOST_HELD = 240
"""Characters of a sentence that wait for its end; a claim has come by then."""

_MADE = (
    r"(?:made|created|built|developed|trained|designed|programmed|invented|engineered|produced|fine-?tuned|powered"
    r"|provided|owned"
    r"|operated|released|published|based|running|hosted)"
)
_I = r"(?:\b(?:i['’]?m|i am|i was|i['’]ve been|i have been|i run|i come|i belong|i work|i think i am|my name is|call me|am)\b)"
_FILL = (
    r"(?:really |actually |just |called |named |known as |indeed |in fact |simply |basically |proudly |of course |, )*"
)
_KIND = r"(?:model|assistant|ai|a\.i\.|chat ?bot|bot|product|language|llm|system|creation|version|voice)"
_ENGLISH = (
    rf"^\W*as {PLAIN_NAME}(?=,|\W*$)|"
    rf"{_I},? {_FILL}{ANY_NAME}(?=$|[\s,.;:!?)]+(?:\W|$|an?\b|the\b|and\b|from\b|by\b|developed|created|made|your\b"
    rf"|here\b|model|ai\b))"
    rf"|{_I},? {_FILL}(?:an? |the |one of )(?:(?!on\b|in\b|about\b|with\b|of\b|for\b|to\b|at\b|like\b|fan|expert"
    rf"|customer)[\w,'’.-]+ ){{0,6}}?"
    rf"(?:called |named |known as |, )?(?:{PLAIN_NAME}|{ANY_NAME}(?=['’s]* {_KIND}))"
    rf"|(?:{_I}|\b(?:as|being) an?\b)[^.!?]{{0,90}}?\b{_MADE} (?:and \w+ )?(?:by|at|from|on|with"
    rf"|using) [^.!?]{{0,40}}?{ANY_NAME}"
    rf"|{ANY_NAME}[^.!?]{{0,30}}?\b(?:{_MADE}|owns|runs|trains|makes|builds) me\b"
    rf"|\bmy (?:(?:parent|underlying|base|language|original|own|real|actual|true|ai) )?(?:creators?|makers?|developers?"
    rf"|manufacturer|company|owner|model|version|parent|origins?)\b[^.!?]{{0,30}}?{ANY_NAME}"
    rf"|\b(?:company|team|people|lab|organi[sz]ation|one)\b[^.!?]{{0,30}}\b(?:me|my (?:brain|mind|intelligence|technology"
    rf"|model|software|code|voice))\b"
    rf"[^.!?]{{0,20}}{ANY_NAME}"
    rf"|\byou(?:['’]re| are) (?:talking|speaking|chatting) (?:to|with) (?:an? |the )?{PLAIN_NAME}|^\W*this is (?:an? "
    rf"|the )?{PLAIN_NAME}(?=\W*$|[,;])"
    rf"|\bi (?:work for|come from|belong to|run on|use|represent) (?:the |a |an )?{PLAIN_NAME}"
)
_HAN_MADE = r"(?:开发|研发|训练|创建|创造|打造|推出|制造|设计|提供|研制|发布|自主)"
_CHINESE = (
    rf"我(?:其实|就|实际上|确实|的名字)*(?:是|叫|名叫)(?!说|指|想|用|在|去|看)[^。？！!?，,]{{0,14}}?{ANY_NAME}"
    rf"|我[^。？！!?]{{0,16}}?(?:由|来自|出自|隶属于?|属于|基于)[^。？！!?]{{0,10}}?{ANY_NAME}"
    rf"|(?:由|是|被)[^。？！!?，,]{{0,6}}?{ANY_NAME}[^。？！!?，,]{{0,10}}?{_HAN_MADE}[^。？！!?，,]{{0,6}}?(?:的(?:我|AI"
    rf"|人工智能|大|语言|智能|语音|助手|模型|一款|一个)|我)"
    rf"|{ANY_NAME}[^。？！!?，,]{{0,12}}?{_HAN_MADE}(?:了|出)*(?:的)?我"
    rf"|我的(?:开发者|创造者|开发商|制造商|公司|母公司|模型|底层模型|名字)[^。？！!?]{{0,6}}?(?:是|叫|为)[^。"
    rf"？！!?]{{0,10}}?{ANY_NAME}"
    rf"|我(?:的)?(?:背后|底层)[^。？！!?，,]{{0,10}}?(?:是|用|由)[^。？！!?，,]{{0,6}}?{ANY_NAME}"
    rf"|作为[^。？！!?，,]{{0,10}}?{ANY_NAME}[^。？！!?，,]{{0,12}}?(?:{_HAN_MADE}|模型|助手|AI)"
)
_JAPANESE = (
    rf"(?:私|わたし|僕|ぼく|俺|当方)[^。？！!?]{{0,24}}?{ANY_NAME}(?:です|といいます|と申し|という|製|のモデル|のAI|[^。"
    rf"？！!?]{{0,12}}?(?:開発|訓練|作られ|作った|製作|トレーニング|提供|運営))"
    rf"|{ANY_NAME}[^。？！!?]{{0,16}}?(?:開発|訓練|作|トレーニング|製作)(?:し|っ|られ|され)(?:まし)?た?[^。"
    rf"？！!?]{{0,10}}?(?:私|AI|モデル|アシスタント)"
    rf"|^\W*{ANY_NAME}(?:によって|により|が|に)(?:開発|作|訓練)(?:られ|され)(?:まし|てい)"
)
_CLAIM = re.compile(f"{_ENGLISH}|{_CHINESE}|{_JAPANESE}", re.IGNORECASE)

_ANYBODY = re.compile(
    rf"{_I}[^.!?]{{0,60}}?\b(?:made|created|built|developed|trained|designed|programmed|engineered"
    rf"|owned) (?:and \w+ )?(?:by|at) \w+"
    rf"|\b(?:made|created|built|developed|trained|designed|programmed|engineered) me\b"
    rf"|我[^。？！!?]{{0,10}}?(?:由|被)[^。？！!?]{{2,24}}?{_HAN_MADE}|我是[^。？！!?，,]{{2,24}}?(?:开发|研发|训练|创造"
    rf"|打造|研制)(?:出来)?的"
    rf"|(?:开发|研发|训练|创造|打造)(?:了|出)我"
    rf"|(?:私|わたし|僕)[^。？！!?]{{0,24}}?(?:に(?:よって|より)?|が)(?:開発|作|訓練|製作)",
    re.IGNORECASE,
)
"""Whoever it is made by."""

_FRAGMENT = re.compile(
    rf"^\W*(?:(?:yes|yeah|well|sure|oh|it was|it is|it['’]s|that was|that['’]s|that would be|by|made|created|developed"
    rf"|trained|built|i['’]m"
    rf"|the|a|an|company|called|at|from|in|and|model|ai|team|cloud|group|large|language|是|是的|对|由|的|了|公司|开发"
    rf"|研发|训练|那是|嗯|就是"
    rf"|です|はい|の|が|に|社|製|開発|ました|しました)\W*|{ANY_NAME}(?:['’]s)?\W*)+$",
    re.IGNORECASE,
)
"""A name and next to nothing besides, which answers the question for the origin."""

_NAMES = re.compile(ANY_NAME, re.IGNORECASE)
_TRIGGER = re.compile(
    rf"\b(?:i['’]?m|i am|i was|i['’]ve|i have been|my|as an?|call me|this is|you['’]re (?:talk|speak|chat)\w*"
    rf"|you are (?:talk|speak|chat)\w*|the company|the team|company|team|am)\b|我|私|わたし|僕|作为|由|{ANY_NAME}",
    re.IGNORECASE,
)
"""With what a claim begins."""

_UNFINISHED = re.compile(
    r"(?:\b(?:i|as|call|i have|my|the|this|you['’]re|you are)\s+)?[\w'’-]*$(?<![\u3040-\u30ff\u3400-\u9fff])"
    rf"|[{HAN_BEGINNINGS}私わ僕由][\u3040-\u30ff\u3400-\u9fff]?$|我[来的们]?$|作?$",
    re.IGNORECASE,
)
"""Words, and characters of Chinese and Japanese, that may become the beginning of one."""

_WORD = re.compile(r"[a-z0-9'-]+")
_AFTER_I = ("am", "was", "have", "run", "come", "belong", "work", "think", "use", "represent")
_BEGINNINGS = (
    *BEGINNINGS,
    "i'm",
    "im",
    "i've",
    "my",
    "as",
    "call",
    "this",
    "the",
    "company",
    "team",
    "am",
)

_HARMLESS = re.compile(
    r"(?:i['’]?m|i am|i was) (?!really|actually|just|called|named|known|indeed|in\b|simply|basically|proud|of\b|an?\b"
    r"|the\b|one\b|made|creat|built"
    r"|develop|train|design|program|invent|engineer|produc|fine|power|provid|own|operat|releas|publish|based|run|host|from|not)"
    r"(?!(?-i:[A-Z]))[a-z'’]+ [a-z'’]+ |i['’]ve (?!been)\w+ |i have (?!been)\w+ |my (?!name|creator|maker|develop|manu|company"
    r"|owner|model|version|parent"
    r"|origin|\w+$)\w+ |(?:i['’]?m|i am|i was) not (?:sure|able|certain|aware|familiar|going|here|there|used)\b"
    r"|我(?![们是叫名由来出隶属基其就实确的背底被也还本只曾正]|$)|我来(?!自|$)|我的(?![开创制公母模底名]|$)|我们(?![是由来属基]|$)",
    re.IGNORECASE,
)
"""How sentences begin that are none, whatever follows up to another such beginning: what waits for its end is heard later."""

_SENTENCE_END = re.compile(r"[.!?](?=\s|$)[\"'”’)]*|[。！？]+[”」』]?|\n")
_CLAUSE = re.compile(r"[,;，；、]|\bbut\b|而是")
_LEADS_ON = re.compile(r"(?:[,，;:：；、-]|\b(?:but|and|that|as|because|so|since|for))\s*$", re.IGNORECASE)
_LETTER = re.compile(r"\w")


class OriginModel(DelegatingModel):
    """``model``, without claims of its origin in its words. What is no answer in free words (a call, JSON, tokens with their
    scores, thoughts), and what a model has spoken itself, is left alone."""

    def __init__(self, model: LanguageModel, messages: Sequence[Message], language: Language) -> None:
        super().__init__(model)
        self._claims, self._language = claims_of(messages), language
        head = messages[0].content if messages and messages[0].role == "system" else ""
        self._truth = origin_truth(head, language)

    @property
    def asked(self) -> bool:
        """Whether the origin is asked for: then the answer is wanted in words, which can be read before they are spoken."""
        return self._claims.asked

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """As ``LanguageModel.generate``."""
        checked = options.schema is None and options.logprobs is None and options.max_tokens and not options.aside
        begun = messages[-1].content if options.continue_last_message and messages else ""
        stream = OriginFilter(self._claims, self._truth, begun) if checked else None
        async with aclosing(self._model.generate(messages, options)) as events:
            async for event in events:
                if stream is None or isinstance(event, ThinkingDelta | ThinkingEnd):
                    yield event
                    continue
                if words := stream.push(event.text) if isinstance(event, TextDelta) else stream.flush():
                    yield TextDelta(words)
                if not isinstance(event, TextDelta):
                    yield event
        if stream is not None and (words := stream.flush()):
            yield TextDelta(words)


class Claims:
    """Tells claims of the origin in one answer. ``asked`` for: whoever it names is one, too. ``allowed`` are names that are no
    claims of the model's; what ``maker`` is said to have made is none either."""

    def __init__(self, allowed: frozenset[str], maker: str, *, asked: bool) -> None:
        self.asked = asked
        self._allowed, self._maker = allowed, maker.casefold()

    def is_claim(self, sentence: str) -> bool:
        """Whether ``sentence`` is one, and not a denial of one."""
        return any(map(self._claims, (sentence,) if not is_negated(sentence) else _CLAUSE.split(sentence)))

    def _claims(self, words: str) -> bool:
        if is_negated(words):
            return False
        if {_key(name) for name in _NAMES.findall(words)} - self._allowed:
            return _CLAIM.search(words) is not None or (self.asked and _FRAGMENT.match(words) is not None)
        if not self.asked or _NAMES.search(words) or _ANYBODY.search(words) is None:
            return False
        lowered = words.casefold()
        return "vivavoce" not in lowered and not (self._maker and self._maker in lowered)

    def may_become(self, begun: str) -> int:
        """Where in the beginning of a sentence words begin that may become one; its length: nowhere."""
        if self.asked:
            return 0
        triggers = (one.start() for one in _TRIGGER.finditer(begun) if not _HARMLESS.match(begun, one.start()))
        return next(triggers, _unfinished_at(begun))


def _unfinished_at(begun: str) -> int:
    """Where the words begin at the end of ``begun`` that may become the beginning of a claim; its length: nowhere."""
    found = _UNFINISHED.search(begun)
    if found is None:
        return len(begun)
    words = found[0].casefold().replace("’", "'").split()
    known = _AFTER_I if words[:-1] == ["i"] else _BEGINNINGS
    single = len(words) == 1 or known is _AFTER_I
    if single and _WORD.fullmatch(words[-1]) and not any(one.startswith(words[-1]) for one in known):
        return len(begun)
    return len(begun[: found.start()].rstrip())


def claims_of(messages: Sequence[Message]) -> Claims:
    """What is a claim in an answer to ``messages``. Names that instructions give are none, nor those the user speaks of,
    unless they ask for the origin."""
    said = [message.content for message in messages if message.role == "user" and message.content.strip()]
    asked = bool(said) and asks_origin(said[-1])
    told = [sentence for message in messages if message.role == "system" and not message.hint
            for sentence in re.split(r"(?<=[.!?。！？\n])", message.content) if not is_negated(sentence)]  # fmt: skip
    sources = told if asked else [*told, *said]
    allowed = frozenset(_key(name) for source in sources for name in _NAMES.findall(source))
    head = messages[0].content if messages and messages[0].role == "system" else ""
    maker = maker_in(head)
    return Claims(allowed, maker.who if maker else "", asked=asked)


class OriginFilter:
    """The words of one generation, which goes on with ``begun``: claims are left out, ``truth`` takes the place of the first,
    unless ``begun`` has said it."""

    def __init__(self, claims: Claims, truth: str, begun: str = "") -> None:
        self._claims, self._truth = claims, truth
        self._told = truth in begun
        ends = [match.end() for match in _SENTENCE_END.finditer(begun)]
        self._before = begun[ends[-1] :] if ends else begun
        self._sent, self._held = begun, ""

    def push(self, text: str) -> str:
        """As much of it as is no claim."""
        if self._before.rstrip().endswith((".", "!", "?")) and text[:1].isspace():
            self._before = ""  # that was its end
        self._held += text
        out = ""
        while (end := _SENTENCE_END.search(self._held)) is not None and (
            end.end() < len(self._held) or end[0][0] in "。！？\n"
        ):
            out += self._taken(end.end())
        at = self._claims.may_become(self._before + self._held)
        if len(self._held) > MOST_HELD:
            return out + self._let(len(self._held))
        harmless = max(at - len(self._before), 0)
        return out + self._let(harmless if (self._before + self._held[:harmless]).strip() else 0)

    def flush(self) -> str:
        """The rest."""
        return self._taken(len(self._held)) if self._held else ""

    # ---- inside

    def _taken(self, end: int) -> str:
        """A sentence up to ``end``, or what takes its place."""
        sentence, self._held = self._held[:end], self._held[end:]
        whole, before = self._before + sentence, self._before
        self._before = ""
        if not self._claims.is_claim(whole):
            self._sent += sentence
            return sentence
        said = self._instead(before)
        self._told = True
        self._sent += said
        return said

    def _instead(self, before: str) -> str:
        """What follows ``before``, the beginning of a claim that has left, or what was said before it."""
        truth, begun = "" if self._told else self._truth, before.strip()
        if not _LETTER.search(begun):
            blank = "" if self._sent[-1:].isspace() or not truth else blank_between(self._sent, truth)
            return f"{blank}{truth}"
        if truth.startswith(begun):
            return truth[len(begun) :]
        mark = "。" if ord(begun[-1]) > 0x2E80 else "."
        if not truth:
            return "" if begun[-1] in ",，" else mark
        if not _LEADS_ON.search(begun):
            return f"{mark}{blank_between(mark, truth)}{truth}"
        return truth if before[-1:].isspace() else f"{blank_between(before, truth)}{truth}"

    def _let(self, end: int) -> str:
        """The next ``end`` characters of a sentence that is not over."""
        words, self._held = self._held[:end], self._held[end:]
        self._before += words
        self._sent += words
        return words


def _key(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[\W_]", "", name.casefold())
