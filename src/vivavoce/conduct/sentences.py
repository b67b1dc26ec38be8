"""An answer read along sentence by sentence: what was said before is left out, and it ends when it is long enough. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from vivavoce.conduct.lengths import Length
from vivavoce.text.words import ends_sentence

LEAST_WORDS, LEAST_CHARACTERS = 4, 7
"""Of a sentence that is a repetition when it comes again; shorter ones ("Of course!") are said often."""

BEGINNING_WORDS, BEGINNING_CHARACTERS = 4, 7
"""By which a sentence of a note to the model is known."""

_WORD = re.compile(r"[A-Za-z0-9][\w'’-]*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_END = re.compile(r"[.!?。！？]+[\"'”’」』)）]*(?=\s|$|[^\x00-\x7f])|[。！？]+[”’」』）]*|\n+")
_PART = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_PREAMBLE = re.compile(
    r"\W*(?:sure|certainly|of course|okay|ok|absolutely|here(?:'s| is)|continuing)\b"
    r"|\W*(?:好的|当然|没问题|接下来我|以下是|もちろん|はい)",
    re.IGNORECASE,
)
"""How a model begins that was told to go on: not with the text."""

CLOSING_SHARE = 0.6
"""Of its words that are in a sentence that stands for it."""

_NO_LETTERS = re.compile(r"\W+")


def sentence_key(sentence: str) -> str:
    """``sentence`` without marks and case, by which it is known again; nothing for a short one."""
    key = letters(sentence)
    long = len(_CJK.findall(sentence)) >= LEAST_CHARACTERS or len(_WORD.findall(sentence)) >= LEAST_WORDS
    return key if long else ""


def keys_of(texts: Iterable[str], *, least: bool = True) -> frozenset[str]:
    """The keys of all sentences of ``texts``; without ``least`` those of short ones, too."""
    sentences = (sentence for text in texts for sentence in sentences_in(text))
    key_of = sentence_key if least else letters
    return frozenset(key for sentence in sentences if (key := key_of(sentence)))


def letters(text: str) -> str:
    """``text`` without marks, blanks and case."""
    return _NO_LETTERS.sub("", text).casefold()


def sentences_in(text: str) -> list[str]:
    """Sentences with their marks and the blanks behind them."""
    found, start = [], 0
    while (end := sentence_boundary(text, start, whole=True)) is not None:
        found.append(text[start:end])
        start = end
    return [*found, text[start:]] if text[start:].strip() else found


def sentence_boundary(text: str, start: int, *, whole: bool) -> int | None:
    """Where the sentence from ``start`` on ends; ``None`` if that does not show yet. ``whole``: nothing follows the text."""
    for match in _END.finditer(text, start):
        following = text[match.end() :].lstrip()
        if not whole and match.end() == len(text) and "\n" not in match[0]:
            return None  # a mark, a quote or a digit may follow
        if not text[start : match.start()].strip():
            continue
        if match[0] == "." and not ends_sentence(text[start : match.start()], following[:1]):
            continue
        return match.end()
    return None


WORDS = Length(0, by_characters=False)
"""What is counted unless something else is said."""


@dataclass(slots=True)
class SentenceFilter:
    """Reads an answer along. ``earlier`` are keys of what has been said; ``over``: it is long enough, and nothing more is let
    through. ``most_sentences`` and ``most_units`` (of ``length``) are 0 where there is no most; the first sentence is
    always let through. What begins as one of ``notes``, or is one of ``short_notes``, is left out, and so is a first
    sentence that is one of the ``parroted`` keys; ``parrots`` and ``echoes`` count them. One of the ``reflected`` waits
    for another sentence, and is left out if it is all there is. At ``stop_at`` units the answer is over with the sentence
    it is in. ``closing`` is left out: it is said by others at the end. A sentence is kept free for ``required`` words
    that have not been said. ``dropped`` counts what was left out; ``echoed`` sentences are not, nor, where it
    ``may_repeat``, is any for having been said.
    """

    earlier: frozenset[str]
    most_sentences: int = 0
    most_units: int = 0
    length: Length = WORDS
    echoed: frozenset[str] = frozenset()
    may_repeat: bool = False
    closing: str = ""
    required: str = ""
    notes: frozenset[str] = frozenset()
    short_notes: frozenset[str] = frozenset()
    parroted: frozenset[str] = frozenset()
    reflected: frozenset[str] = frozenset()
    stop_at: int = 0
    text: str = ""
    over: bool = False
    dropped: int = 0
    parrots: int = 0
    echoes: int = 0
    _goes_on: bool = False
    _sentence: str = ""
    _held: str = ""
    _sentences: int = 0
    _said: set[str] = field(default_factory=set)
    _reflection: str = ""

    def begin(self, text: str) -> None:
        """The answer begins with ``text``, which has left already."""
        *whole, last = sentences_in(text) or [""]
        self.text, self._sentence = text, last
        self._sentences = len(whole)
        self._said |= keys_of(whole)

    @property
    def lacks_required(self) -> bool:
        """Whether the words that have to be in it are not there."""
        return bool(self.required) and self.required.casefold() not in self.text.casefold()

    def next_part(self) -> None:
        """Another answer follows, which goes on with this one."""
        self.over, self._held, self._sentence, self._goes_on = False, "", "", True

    def push(self, text: str) -> str:
        """As much of it as can be said: see ``_pushed``."""
        return self._behind_reflection(self._pushed(text))

    def flush(self) -> str:
        """The rest."""
        if self.over or not (self._held or self._sentence):
            rest = ""
        else:
            rest = self._behind_reflection(self._take(len(self._held), ended=True))
        if self._reflection:
            self.dropped, self.echoes, self._reflection = self.dropped + 1, self.echoes + 1, ""
        return rest

    def _behind_reflection(self, out: str) -> str:
        """``out``, behind what the user has said, where that waited for more."""
        if not (self._reflection and out.strip()):
            return out
        reflection, self._reflection = self._reflection, ""
        self.text = reflection + self.text
        return reflection + out

    def _pushed(self, text: str) -> str:
        """As much of it as can be said; the beginning of a sentence that was said before waits until it differs."""
        out = ""
        self._held += text
        while not self.over:
            end = sentence_boundary(self._sentence + self._held, 0, whole=False)
            if end is None:
                break
            out += self._take(end - len(self._sentence), ended=True)
        return out if self.over else out + self._take_begun()

    def _take_begun(self) -> str:
        """What there is of a sentence, where it can be none that is left out."""
        if self._may_be_dropped(self._sentence + self._held):
            return ""
        return self._take(len(self._held), ended=False)

    def _take(self, end: int, *, ended: bool) -> str:
        """The next ``end`` characters, if they are to be said."""
        part, self._held = self._held[: max(end, 0)], self._held[max(end, 0) :]
        sentence = self._sentence + part
        if ended and not self._sentence.strip() and self._is_dropped(sentence):
            self.dropped += 1
            self._sentence = ""
            return ""
        if ended and not self._sentence.strip() and self._is_first and letters(sentence) in self.reflected:
            self._reflection, self._sentence = sentence, ""
            return ""
        if self._goes_on and part.strip():
            part, self._goes_on = self._seam() + part.lstrip(), False
        self.text += part
        self._sentence = "" if ended else sentence
        if ended:
            self._ended(sentence)
        return part

    def _seam(self) -> str:
        """What stands between what was said and what goes on with it."""
        return "" if not self.text.strip() or self.text[-1:].isspace() or _CJK.search(self.text[-4:]) else " "

    def _ended(self, sentence: str) -> None:
        self._sentences += bool(sentence.strip())
        if key := letters(sentence):
            self._said.add(key)
        most = max(1, self.most_sentences - self.lacks_required) if self.most_sentences else 0
        self.over = 0 < most <= self._sentences or 0 < self.stop_at <= self.length.of(self.text)

    def _is_dropped(self, sentence: str) -> bool:
        key = letters(sentence)
        if self._is_noted(key):
            self.parrots += 1
            return True
        if self._is_echo(key):
            self.echoes += 1
            return True
        if not (self.may_repeat or key in self.echoed) and (
            sentence_key(sentence) in self.earlier or key in self._said
        ):
            return True
        if self._is_closing(sentence) or (self._goes_on and _PREAMBLE.match(sentence)):
            return True
        too_long = self.most_units and self._sentences and self.length.of(self.text + sentence) > self.most_units
        self.over = self.over or bool(too_long)
        return bool(too_long)

    def _may_be_dropped(self, begun: str) -> bool:
        if self._sentence.strip():
            return False  # some of it has been said
        if self.most_units and self._sentences:
            return True
        if self._goes_on and len(begun.split()) < 3 and len(begun) < 12:
            return True  # it may begin with something about going on
        if (self._goes_on and _PREAMBLE.match(begun)) or (self.closing and self._may_be_closing(begun)):
            return True
        key = letters(begun)
        if self._may_be_parroted(key):
            return True
        if self.may_repeat:
            return False
        return not key or any(one.startswith(key) for one in (*self.earlier, *self._said))

    def _is_noted(self, key: str) -> bool:
        return key in self.short_notes or any(key.startswith(note) for note in self.notes)

    def _is_echo(self, key: str) -> bool:
        no_answer = self.parroted | self.reflected if self.most_sentences == 1 else self.parroted
        return self._is_first and key in no_answer

    def _may_be_parroted(self, begun: str) -> bool:
        """Whether a sentence that has begun so, in ``letters``, is a note to the model or may still become one, or an echo."""
        if any(note.startswith(begun) for note in self.notes | self.short_notes) or any(
            map(begun.startswith, self.notes)
        ):
            return True
        return self._is_first and any(one.startswith(begun) for one in self.parroted | self.reflected)

    @property
    def _is_first(self) -> bool:
        """Whether nothing has been said yet."""
        return not (self.text.strip() or self._reflection)

    def _is_closing(self, sentence: str) -> bool:
        """Whether it is the closing, perhaps in slightly other words: numbers as figures, a word more."""
        if not self.closing or not sentence.strip():
            return False
        wanted, there = _parts(self.closing), _parts(sentence)
        return len(wanted & there) >= CLOSING_SHARE * len(wanted) and len(there) <= 2 * len(wanted)

    def _may_be_closing(self, begun: str) -> bool:
        """Whether a sentence that has begun so may still become the closing."""
        *whole, last = _PART.findall(begun.casefold()) or [""]
        wanted = _parts(self.closing)
        if not whole:
            return any(part.startswith(last) for part in wanted)
        unlike = sum(part not in wanted for part in whole)
        return whole[0] in wanted and unlike <= max(1, (1 - CLOSING_SHARE) * len(whole))


def _parts(sentence: str) -> set[str]:
    """Words, and single characters of Chinese and Japanese."""
    return set(_PART.findall(sentence.casefold()))
