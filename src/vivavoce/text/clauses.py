"""Cuts a growing reply into clauses to be spoken: the first as early as possible, later ones where a speaker breathes.

Where it cuts depends on the text alone, not on the pieces it arrived in: every decision waits for the characters it
needs ("3." may become "3.14"), and no decision looks at more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from vivavoce.text.json_spans import OPENING, JsonSpan
from vivavoce.text.scripts import clause_language, is_cjk, script_runs
from vivavoce.text.span_stripping import SPANS
from vivavoce.text.speakable import EMPHASIS, speakable_form
from vivavoce.text.speech_markup import LONGEST_MARK, OPENINGS, element_end, has_elements, pause_at, pauses_of
from vivavoce.text.words import ends_on_function_word, ends_sentence, within_han_number, word_boundary
from vivavoce.types import Language

# Lengths are in syllables, the one measure scripts share: a CJK character or a digit is one, a Latin word one and a half.
LATIN_WORD = 1.5
FIRST_FORCED = 12.0
FIRST_FORCED_REPLY = 6.0
FIRST_FORCED_CJK = 5.0
"""The first clause is cut here at a word boundary, punctuation or not: 8 English words of a text that is there, 4 of a reply
that is being generated, ten times as fast as it is spoken; 5 Chinese characters: the synthesizer of Chinese takes as long
to make one as all before it together, and five last 0.9 s, in which the next is made."""

FIRST_ENUMERATION = 5.0
"""The first clause is cut at 、 only from here on: it may part single words."""

SECOND_SOFT = 8.0
"""The second clause may end at a comma from here on: little audio is ahead of it yet."""

LATER_SOFT = 18.0
LATER_HARD = 6.0
"""A later sentence shorter than this is spoken together with the next."""

LATER_FORCED = 48.0
FORCED_REACH = 6.0
"""How far a forced cut looks on for a better place than after "the" or within a Chinese word."""

LONGEST_NUMBER = 16.0
"""How much further a forced cut looks for a place that is not within the groups of a telephone number."""

LINKS = frozenset("是为はが")
"""What may stand between a word that tells of a number, and that."""

CODE_LETTERS = 4
LOOKAHEAD = 2
"""Characters that must follow a word without blanks around it, to know that it ended."""

WINDOW = 24
"""Characters looked back on for a place to cut."""

LONGEST_RUN = 32
"""Stops, dashes, closing marks or blanks in a row that are looked at together; more are another run. Each character that
arrives has the run looked at again."""

INNER = frozenset("'’-./:_@=?&")
"""Characters that do not end a word (an address is one long word)."""

CURRENCIES = frozenset("¥￥$€£₩₹")
HARD_STOPS = frozenset("。！？!?．.")
SOFT_STOPS = frozenset("，；：、")
SPACED_STOPS = frozenset(",;:")
CLOSERS = frozenset("\"'”’」』）)]】》〉»" + EMPHASIS)


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of the reply: ``text`` as written, and ``spoken`` as sent to a synthesizer of ``language``.

    ``pauses_ms`` is the silence that is asked for before and after it. The ``text`` of all clauses joined is the whole reply.
    Only the last clause of a reply can have nothing to say (``spoken`` is empty then): emoji or blanks after everything else
    was already cut.
    """

    text: str
    language: Language
    spoken: str
    pauses_ms: tuple[int, int] = (0, 0)


class _Boundary(Enum):
    LINE = auto()
    PAUSE = auto()
    SENTENCE = auto()
    COMMA = auto()
    ENUMERATION = auto()
    WORD = auto()


class _Wait(Exception):  # noqa: N818 (no error: it only unwinds)
    """The text so far does not tell; more has to arrive."""


class ClauseSplitter:
    """Push text as it is generated; take the clauses that are ready. One splitter a reply."""

    def __init__(self, language: Language | None = None, *, first_forced: float = FIRST_FORCED) -> None:
        """``language`` of the conversation: decides what characters alone do not (Han without kana, French or English).
        ``first_forced``: the length in syllables from which on the first clause is cut without punctuation.
        """
        self._hint = language
        self._first_forced = first_forced
        self._previous: Language | None = None
        self._count = 0
        self._buffer = ""
        self._final = False
        self._restart()

    def push(self, text: str) -> list[Clause]:
        """Add ``text``; the clauses that are complete by now, in order."""
        self._buffer += text
        return self._ready()

    def flush(self) -> list[Clause]:
        """The reply is over: what is left, as clauses."""
        self._final = True
        clauses = self._ready()
        if self._buffer:
            remaining = self._cut(len(self._buffer), complete=True) or self._clauses([self._buffer], True)
            self._take(len(self._buffer), remaining)
            clauses += remaining
        return clauses

    def _restart(self) -> None:
        self._at = 0
        self._quotes = 0
        self._length = 0.0
        self._measured = 0
        self._in_word = False
        self._span: tuple[str, ...] = ()
        self._json: JsonSpan | None = None
        self._tried = 0.0

    def _ready(self) -> list[Clause]:
        clauses: list[Clause] = []
        while self._at < len(self._buffer):
            try:
                end, boundary, step = self._look()
            except _Wait:
                break
            cut = self._cut(end, complete=boundary is _Boundary.LINE) if boundary and self._may_end(boundary) else []
            if cut:
                self._take(end, cut)
                clauses += cut
            else:
                self._quotes += self._buffer.count('"', self._at, self._at + step)
                self._at += step
        return clauses

    def _look(self) -> tuple[int, _Boundary | None, int]:
        """At the current character: (where a clause could end, at what boundary or none, how far to go on if not)."""
        char = self._buffer[self._at]
        if self._json is None and (length := self._mark(char)):
            return 0, None, length
        if self._span or self._within_json(char):
            return 0, None, 1
        if char in "[<" and (end := self._pause()):
            return end, _Boundary.PAUSE, end - self._at
        if char == "<" and (length := self._element()):
            return 0, None, length
        self._measure(char)
        if char == "\n":
            return self._at + 1, _Boundary.LINE, 1
        if char in HARD_STOPS or char == "…":
            return self._stop()
        if char in SOFT_STOPS:
            if char == "：" and self._figures_follow(self._at + 1):
                return 0, None, 1
            return self._at + 1, _Boundary.ENUMERATION if char == "、" else _Boundary.COMMA, 1
        if char in SPACED_STOPS:
            return self._comma()
        if char in "—–":
            return self._dash()
        if self._length >= self._forced(char) and (end := self._word_end(char)):
            return end, _Boundary.WORD, 1
        return 0, None, 1

    def _mark(self, char: str) -> int:
        """The length of what opens or closes a span here that is not spoken; 0 when there is none."""
        for mark in self._span or SPANS:
            if mark[0] != char:
                continue
            if len(self._buffer) < self._at + len(mark) and mark.startswith(self._buffer[self._at :]):
                self._need(self._at + len(mark) - 1)
            if self._buffer.startswith(mark, self._at):
                self._span = () if self._span else SPANS[mark]
                return len(mark)
        return 0

    def _pause(self) -> int:
        """Where a pause that is asked for here ends; 0 when there is none."""
        ahead = self._buffer[self._at : self._at + LONGEST_MARK].lower()
        if not any(ahead.startswith(mark) or mark.startswith(ahead) for mark in OPENINGS):
            return 0
        if not {"]", ">"} & set(ahead) and len(ahead) < LONGEST_MARK:
            self._need(len(self._buffer))
        end, _ = pause_at(self._buffer, self._at)
        return end if end > self._at else 0

    def _element(self) -> int:
        """The length of the tag that begins here, with what is between it and its end where that is said otherwise; else 0."""
        if not (self._char(self._at + 1).isalpha() or self._char(self._at + 1) == "/"):
            return 0
        while (end := element_end(self._buffer, self._at)) is None and not self._final:
            self._need(len(self._buffer))
        return (end or self._at) - self._at

    def _within_json(self, char: str) -> bool:
        """Whether this character is part of JSON, which is not cut."""
        if self._json is None and char in "{[":
            following = self._blanks(self._at + 1)
            opens = OPENING.match(self._buffer, self._at, following + 1)
            self._json = JsonSpan() if opens else None
        if self._json is None:
            return False
        if self._json.closed_by(char):
            self._json = None
        return True

    def _measure(self, char: str) -> None:
        if self._at < self._measured:
            return
        self._measured = self._at + 1
        word = char.isalnum() and not char.isdigit() and not is_cjk(char)
        if word and not self._in_word:
            self._length += LATIN_WORD
        elif char.isalnum() and not word:
            self._length += 1
        self._in_word = word or (self._in_word and char in INNER)

    def _stop(self) -> tuple[int, _Boundary | None, int]:
        """A run of stops with the quotes and brackets that close after it."""
        start = end = self._at
        while end - start < LONGEST_RUN and (self._char(end) in HARD_STOPS or self._char(end) == "…"):
            end += 1
        run = self._buffer[start:end]
        end = self._closed(end)
        following = self._char(end)
        step = end - start
        if following and not following.isspace() and not is_cjk(following):
            return (end, _Boundary.SENTENCE, step) if set(run) & set("。！？") else (0, None, step)
        if run in {"...", "…", "……"}:
            return end + following.isspace(), _Boundary.COMMA, step
        if (
            run == "."
            and following
            and not ends_sentence(self._buffer[max(0, start - WINDOW) : start], self._next_word(end))
        ):
            return 0, None, step
        return end + (following.isspace() and following != "\n"), _Boundary.SENTENCE, step

    def _comma(self) -> tuple[int, _Boundary | None, int]:
        """A comma, semicolon or colon counts before a blank only (1,000; 10:30), and not between numbers (March 3, 2025)."""
        end = self._closed(self._at + 1)
        following = self._char(end)
        if following and not following.isspace():
            return (end, _Boundary.COMMA, end - self._at) if is_cjk(following) else (0, None, 1)
        if self._at and self._buffer[self._at - 1].isdigit() and self._next_word(end).isdigit():
            return 0, None, 1
        if self._buffer[self._at] == ":" and self._figures_follow(end):
            return 0, None, 1
        return end + (following.isspace() and following != "\n"), _Boundary.COMMA, 1

    def _dash(self) -> tuple[int, _Boundary | None, int]:
        end = self._at
        while end - self._at < LONGEST_RUN and self._char(end) in set("—–"):
            end += 1
        before, after = self._buffer[self._at - 1 : self._at], self._char(end)
        if (before.isdigit() and (after.isdigit() or after in CURRENCIES)) or (
            self._buffer[self._at : end] == "–" and before.isalnum() and after.isalnum() and not is_cjk(after)
        ):
            return 0, None, end - self._at
        return end + (after.isspace() and after != "\n"), _Boundary.COMMA, end - self._at

    def _forced(self, char: str) -> float:
        """From what length on a clause is cut without punctuation."""
        if self._count:
            return LATER_FORCED
        return FIRST_FORCED_CJK if is_cjk(char) else self._first_forced

    def _word_end(self, char: str) -> int:
        """Where a clause that has grown long enough can be cut without punctuation; 0 for not here."""
        longest = self._forced(char) + FORCED_REACH
        if char.isspace():
            before = self._buffer[max(0, self._at - WINDOW) : self._at]
            if before[-1:].isdigit() and self._next_word(self._at + 1).isdigit():
                return self._at + 1 if self._length >= longest + LONGEST_NUMBER else 0
            breaks_phrase = self._at_figures(self._at + 1) or ends_on_function_word(before)
            return self._at + 1 if self._length >= longest or not breaks_phrase else 0
        if is_cjk(char) and self._length >= max(self._tried, longest - FORCED_REACH) + LOOKAHEAD:
            self._tried = self._length
            start = max(0, self._at + 1 - WINDOW)
            boundary = word_boundary(self._buffer[start : self._at + 1], LOOKAHEAD)
            return start + boundary if boundary and not self._at_figures(start + boundary) else 0
        return 0

    def _figures_follow(self, at: int) -> bool:
        """Whether what follows the blanks at ``at`` begins with a digit or the sign before one."""
        following = self._next_word(at)
        return following.isdigit() or following in CURRENCIES or following in {"-", "−", "+"}

    def _at_figures(self, at: int) -> bool:
        """Whether a cut at ``at`` would part a number from what tells how it is read: "order 47112", "5 km", 便名はJL515."""
        before = self._buffer[:at].rstrip()[-1:]
        if before.isdigit() or within_han_number(before, self._next_word(at)):
            return True
        at += self._next_word(at) in LINKS
        return self._next_word(at).isdigit() or self._code_follows(self._blanks(at))

    def _code_follows(self, at: int) -> bool:
        """Whether up to four capitals and a digit begin at ``at``."""
        end = at
        while end - at < CODE_LETTERS and "A" <= self._char(end) <= "Z":
            end += 1
        end += end > at and self._char(end) in set("- ")
        return end > at and self._char(end).isdigit()

    def _may_end(self, boundary: _Boundary) -> bool:
        """Whether a clause as long as this one may end here."""
        if not self._length:
            return False
        if boundary in (_Boundary.LINE, _Boundary.WORD, _Boundary.PAUSE):
            return True
        if self._count == 0:
            return boundary is not _Boundary.ENUMERATION or self._length >= FIRST_ENUMERATION
        if boundary is _Boundary.SENTENCE:
            return self._length >= LATER_HARD
        return self._length >= (SECOND_SOFT if self._count == 1 else LATER_SOFT)

    def _cut(self, end: int, *, complete: bool) -> list[Clause]:
        """The text up to ``end`` as clauses, one a script; none when markup, an address or code is all there is."""
        text = self._buffer[:end]
        keep_together = any(mark in text for mark in SPANS) or OPENING.search(text) is not None or has_elements(text)
        clauses = self._clauses([text] if keep_together else script_runs(text), complete)
        if not all(clause.spoken for clause in clauses):
            clauses = self._clauses([text], complete)
        if clauses[0].spoken:
            return clauses
        self._length = 0.0
        return []

    def _clauses(self, runs: list[str], complete: bool) -> list[Clause]:
        clauses: list[Clause] = []
        for index, run in enumerate(runs):
            previous = clauses[-1].language if clauses else self._previous
            language = clause_language(run, self._hint, previous)
            spoken = speakable_form(run, language, complete=complete and index == len(runs) - 1)
            clauses.append(Clause(run, language, spoken, pauses_of(run)))
        return clauses

    def _take(self, end: int, cut: list[Clause]) -> None:
        self._buffer = self._buffer[end:]
        self._previous = cut[-1].language
        self._count += 1
        self._restart()

    def _closed(self, end: int) -> int:
        last = end + LONGEST_RUN
        while end < last and (char := self._char(end)) in CLOSERS:
            if char == '"' and (self._quotes + self._buffer.count('"', self._at, end)) % 2 == 0:
                break
            if char in EMPHASIS and self._opens(char, end):
                break
            end += 1
        return end

    def _opens(self, mark: str, at: int) -> bool:
        """Whether the run of emphasis marks at ``at`` opens: as many runs of them before it close as open."""
        if self._buffer[at - 1] == mark:
            return False  # within a run
        return len(re.findall(rf"{re.escape(mark)}+", self._buffer[:at])) % 2 == 0

    def _next_word(self, at: int) -> str:
        """The first character after the blanks at ``at`` (empty at the end of the reply)."""
        return self._char(self._blanks(at, " \t"))

    def _blanks(self, at: int, blanks: str | None = None) -> int:
        """Where the blanks at ``at`` end."""
        last = at + LONGEST_RUN
        while at < last and (self._char(at).isspace() if blanks is None else self._char(at) in set(blanks)):
            at += 1
        return at

    def _char(self, at: int) -> str:
        """The character there; empty past the end of the reply. Raises ``_Wait`` while it has not arrived."""
        self._need(at)
        return self._buffer[at : at + 1]

    def _need(self, at: int) -> None:
        if at >= len(self._buffer) and not self._final:
            raise _Wait
