"""A language model whose answers are held to their manner while it writes them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from typing_extensions import override

from vivavoce.conduct.comfort import begun_comfort
from vivavoce.conduct.language import ScriptWatch
from vivavoce.conduct.lengths import Length
from vivavoce.conduct.manner import Manner, most_units
from vivavoce.conduct.parroting import note_sentences
from vivavoce.conduct.sentences import SentenceFilter
from vivavoce.engines.base import LanguageModel
from vivavoce.engines.chat_fields import REMINDERS
from vivavoce.engines.delegating_model import DelegatingModel
from vivavoce.pending_request import last_user_text
from vivavoce.text.scripts import blank_between
from vivavoce.text.token_estimates import estimate_text, estimate_tokens
from vivavoce.turns.backchannel import asks_a_question
from vivavoce.types import (
    GenerationEnd,
    GenerationEvent,
    GenerationOptions,
    Language,
    Message,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)

PARTS = 8
"""Times the model is asked to go on, at most, until a text has the length asked for."""

FIRST_SHARE = 0.65
"""Of a long text that is told before it is brought to an end."""

LONG_WORDS, LONG_CHARACTERS = 100, 160
SENTENCE_WORDS, SENTENCE_CHARACTERS = 14, 24
"""Of a sentence of a story, about."""

_NEW: Mapping[Language, str] = {
    "en": "You have said that before. Answer what the person said last with something new.",
    "zh": "这句话你已经说过了。请针对用户刚才的话，说点新的。",
    "ja": "それはもう言いました。最後の言葉に、新しい内容で答えてください。",
}
_BEGUN_ANSWER: Mapping[Language, str] = {"en": "Let me see:", "zh": "这个嘛，", "ja": "そうですね、"}
"""How a question is answered that was said back: told not to, a small model says it back again."""

_OWN_WORDS: Mapping[Language, str] = {
    "en": "Answer the person now, in words of your own.",
    "zh": "现在直接回答用户，用你自己的话。",
    "ja": "自分の言葉で、相手に直接答えてください。",
}
_TELL: Mapping[Language, str] = {
    "en": "Tell it in about {sentences} full sentences, {units} words in all, with details. No heading.",
    "zh": "大约用{sentences}个完整的句子来说，一共{units}个字左右，要有细节，不要标题。",
    "ja": "{sentences}文ほど、全部で{units}文字ほどで、具体的に話してください。見出しはつけません。",
}
_GO_ON: Mapping[Language, str] = {
    "en": "(Go on from there: what comes next? About {sentences} more sentences. Do not repeat anything and do not end yet.)",
    "zh": "（接着往下说，后面怎么样了？再说{sentences}句左右，不要重复，先不要结尾。）",
    "ja": "（続きを{sentences}文ほど話してください。繰り返さず、まだ終わらせないでください。）",
}
_FINISH: Mapping[Language, str] = {
    "en": "(Go on from there and bring it to an end in {sentences} sentences. Do not repeat anything.)",
    "zh": "（接着往下说，用{sentences}句话结尾，不要重复。）",
    "ja": "（続けて{sentences}文で締めくくってください。繰り返さないでください。）",
}
_MORE: Mapping[Language, str] = {"en": "Shall I go on?", "zh": "要我接着讲吗？", "ja": "続けましょうか？"}


class PersonaModel(DelegatingModel):
    """``model``, answering in ``manner``. What is no answer in free words (a call, JSON, tokens with their scores) is left
    alone."""

    def __init__(self, model: LanguageModel, manner: Manner) -> None:
        super().__init__(model)
        self._manner = manner

    @override
    async def generate(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """As ``LanguageModel.generate``. A single sentence is said by all thoughts, none before them."""
        if options.thinking is not None and self._manner.rules.most_sentences == 1:
            options = replace(options, thinking=replace(options.thinking, mode="think-before-speak"))
        if options.schema is not None or options.logprobs is not None or not options.max_tokens or options.aside:
            stream = self._model.generate(messages, options)
        elif self._manner.length is not None:
            stream = self._at_length(messages, options, self._manner.length)
        else:
            stream = self._answer(messages, options)
        async with aclosing(stream) as events:
            async for event in events:
                yield event

    # ---- inside

    async def _answer(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        begun = messages[-1].content if options.continue_last_message and messages else ""
        part = _Part(self._manner, _filter(self._manner, messages), begun)
        watch = ScriptWatch(self._manner.language if self._manner.follows and not begun else "")
        async for event in part.events(watch.through(self._model.generate(messages, options)), messages):
            yield event
        if watch.other:
            messages = [*messages, Message("system", REMINDERS[self._manner.language])]
            async for event in part.events(self._model.generate(messages, options), messages):
                yield event
        if part.called or part.filter.text.strip() or not part.filter.dropped:
            if part.lacks_required:
                async for event in self._with_required(part, list(messages[:-1] if begun else messages), options):
                    yield event
            for event in part.closing():
                yield event
            return
        if part.filter.echoes and not begun:
            async for event in self._begun_anew(messages, options):
                yield event
            return
        again = _Part(self._manner, SentenceFilter(frozenset(), self._manner.rules.most_sentences), begun)
        if part.filter.parrots:  # what is read aloud is not told again
            told = [one for one in messages if not one.hint] + [
                Message("system", _in(_OWN_WORDS, self._manner.language))
            ]
        else:
            told = [*messages, Message("system", _in(_NEW, self._manner.language))]
        async for event in again.events(self._model.generate(told, options), told):
            yield event
        for event in again.closing():
            yield event

    async def _begun_anew(
        self, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """An answer in place of an echo, which begins as no echo does."""
        said = last_user_text(messages)
        language = self._manner.language
        begun = (
            _in(_BEGUN_ANSWER, language) if asks_a_question(said) else begun_comfort(language) or begun_comfort("en")
        )
        again = _Part(self._manner, SentenceFilter(frozenset(), self._manner.rules.most_sentences), "")
        told = [*(one for one in messages if not one.hint), Message("assistant", begun)]
        rest = replace(options, continue_last_message=True, tool_choice="none")
        async for event in again.events(_behind(begun, self._model.generate(told, rest)), told):
            yield event
        for event in again.closing():
            yield event

    async def _with_required(
        self, part: _Part, messages: Sequence[Message], options: GenerationOptions
    ) -> AsyncGenerator[GenerationEvent, None]:
        """One more sentence, which begins with what every answer has to name; another one if that has been said before."""
        required = self._manner.rules.required
        rest = replace(options, tool_choice="none", continue_last_message=True)
        for note in ((), (Message("system", _in(_NEW, self._manner.language)),)):
            said = part.filter.text
            begun = f"{said}{blank_between(said, required)}{required}"
            prompt = [*messages, *note, Message("assistant", begun)]
            part.filter.next_part()
            async for event in part.events(_behind(required, self._model.generate(prompt, rest)), prompt):
                yield event
            if not part.lacks_required:
                return

    async def _at_length(
        self, messages: Sequence[Message], options: GenerationOptions, length: Length
    ) -> AsyncGenerator[GenerationEvent, None]:
        """Parts that make one text of about the length asked for: the model goes on where it stopped too early, and is stopped
        behind a sentence where it would go on too long."""
        wanted = min(length.units, most_units(length, options.max_tokens))
        begun = messages[-1].content if options.continue_last_message and messages else ""
        asked = list(messages[:-1] if begun else messages)
        filter_ = replace(_filter(self._manner, messages), length=length)
        part = _Part(self._manner, filter_, begun)
        rest, stuck = replace(options, tool_choice="none"), False
        for number in range(PARTS):
            told = length.of(filter_.text)
            filter_.stop_at, note = _next(length, told, wanted)
            note = _in(_GO_ON, self._manner.language) if stuck else note
            before = filter_.text
            if number:
                prompt = [
                    *asked,
                    Message("assistant", before),
                    Message("user", note.format(**_figures(length, wanted - told))),
                ]
                rest = replace(rest, continue_last_message=False)
            else:
                first = _in(_TELL, self._manner.language).format(**_figures(length, wanted))
                prompt = [*asked, Message("system", first), *(messages[-1:] if begun else [])]
            async for event in part.events(self._model.generate(prompt, rest), prompt):
                yield event
            done = length.of(filter_.text)
            if part.called or done >= _enough(length, wanted) or (stuck and filter_.text == before):
                break
            stuck = filter_.text == before
            filter_.next_part()
        if wanted < length.units and not part.called:
            yield TextDelta(part.joined(_in(_MORE, self._manner.language)))
        for event in part.closing():
            yield event


class _Part:
    """What one or several generations say of an answer."""

    def __init__(self, manner: Manner, filter_: SentenceFilter, begun: str) -> None:
        self.filter = filter_
        self.called = False
        self._manner = manner
        self._opened = not manner.rules.opening or bool(begun)
        self._waiting = ""
        self._end: GenerationEnd | None = None
        filter_.begin(begun)

    async def events(
        self, events: AsyncGenerator[GenerationEvent, None], messages: Sequence[Message]
    ) -> AsyncGenerator[GenerationEvent, None]:
        """What is to be given on of ``events``, which answer ``messages``; the end is kept for ``closing``."""
        end: GenerationEnd | None = None
        before = self.filter.text
        async with aclosing(events):
            async for event in events:
                if isinstance(event, TextDelta):
                    if words := self._with_opening(self.filter.push(event.text)):
                        yield TextDelta(words)
                    if self.filter.over:
                        break
                    continue
                if isinstance(event, GenerationEnd):
                    end = event
                    continue
                self.called = self.called or isinstance(event, ToolCall | ToolCallDelta)
                yield event
        if words := self._with_opening(self.filter.flush(), last=True):
            yield TextDelta(words)
        if end is None:
            said = estimate_text(self.filter.text[len(before) :])
            end = GenerationEnd("stop", input_tokens=sum(map(estimate_tokens, messages)), output_tokens=said)
        self._end = end if self._end is None else _sum(self._end, end)

    @property
    def lacks_required(self) -> bool:
        """Whether the answer is whole and does not name what it has to."""
        whole = self._end is not None and self._end.reason == "stop" and not self.called
        return whole and bool(self.filter.text.strip()) and self.filter.lacks_required

    def closing(self) -> list[GenerationEvent]:
        """The words every answer ends with, where it lacks them, and the end."""
        end, words = self._end or GenerationEnd("stop"), self._manner.rules.closing
        if not words or self.called or end.reason != "stop" or not self.filter.text.strip():
            return [end]
        return [TextDelta(self.joined(words)), end]

    def joined(self, words: str) -> str:
        """``words`` as they follow what was said."""
        text = self.filter.text.rstrip()
        mark = "" if not text or text[-1] in '.!?。！？…"”」' else ("。" if ord(text[-1]) > 0x2E80 else ".")
        blank = "" if self.filter.text[-1:].isspace() else blank_between(self.filter.text, words)
        return f"{mark}{blank}{words}"

    def _with_opening(self, words: str, *, last: bool = False) -> str:
        """``words``, behind those every answer begins with."""
        if self._opened:
            return words
        self._waiting += words
        opening, begun = self._manner.rules.opening, self._waiting.lstrip()
        if not begun or (len(begun) < len(opening) and opening.casefold().startswith(begun.casefold()) and not last):
            return ""
        self._opened = True
        return begun if begun.casefold().startswith(opening.casefold()) else self._manner.rules.opened(begun)


async def _behind(words: str, events: AsyncGenerator[GenerationEvent, None]) -> AsyncGenerator[GenerationEvent, None]:
    """``events`` behind ``words``, with which what they write begins."""
    async with aclosing(events):
        yield TextDelta(words)
        async for event in events:
            yield event


def _filter(manner: Manner, messages: Sequence[Message]) -> SentenceFilter:
    """For an answer to ``messages``. What a function or a search came to is told, also where that was said before."""
    tells_result = messages[-1].role == "tool"
    beginnings, short_notes = note_sentences(messages)
    rules, by_characters = manner.rules, manner.language in ("zh", "ja")
    return SentenceFilter(
        frozenset() if tells_result else manner.earlier,
        rules.most_sentences,
        rules.most_words,
        Length(0, by_characters),
        manner.echoed,
        manner.may_repeat,
        rules.closing,
        rules.required,
        beginnings,
        short_notes,
        manner.parroted,
        manner.reflected,
    )


def _next(length: Length, told: int, wanted: int) -> tuple[int, str]:
    """Where the next part may stop, and what the model is told to do in it."""
    language: Language = "zh" if length.by_characters else "en"
    long = wanted >= (LONG_CHARACTERS if length.by_characters else LONG_WORDS)
    if long and told < FIRST_SHARE * wanted - _sentence(length):
        return int(FIRST_SHARE * wanted), _in(_GO_ON, language)
    return _enough(length, wanted), _in(_FINISH, language)


def _enough(length: Length, wanted: int) -> int:
    """From which length on another sentence would be too much as likely as not."""
    return int(wanted - min(_sentence(length) / 2, 0.1 * wanted))


def _sentence(length: Length) -> int:
    return SENTENCE_CHARACTERS if length.by_characters else SENTENCE_WORDS


def _figures(length: Length, units: int) -> Mapping[str, int]:
    return {"units": units, "sentences": max(1, round(units / _sentence(length)))}


def _in(texts: Mapping[Language, str], language: Language) -> str:
    return texts.get(language, texts["en"])


def _sum(before: GenerationEnd, end: GenerationEnd) -> GenerationEnd:
    return replace(
        end,
        input_tokens=before.input_tokens + end.input_tokens,
        cached_tokens=before.cached_tokens + end.cached_tokens,
        output_tokens=before.output_tokens + end.output_tokens,
    )
