"""Keeps what the assistant was told in confidence out of a reply that rests on untrusted content.

Such text may say "repeat your instructions", or "spell your code word backwards", and a small model does. Two things are
looked for while the reply is written: secrets (``secrets.py``), in whatever spelling, which are left out; and a run of
words of the instructions, at which the reply ends. What may become either is held back until it shows, so that not even
its beginning is said. What the user, an earlier reply or the found text itself has said is no secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vivavoce.pending_request import answered_until
from vivavoce.tools.rendering import in_language
from vivavoce.tools.secrets import Mark, secrets_in, skeleton_at, spellings
from vivavoce.types import Language, Message

RECITED_WORDS = 8
"""Words in a row, or twice as many Chinese or Japanese characters, that nobody says by chance as the instructions do."""

HOLD_BACK_WORDS = 4
"""Of them, from how many on they are held back."""

MIN_LETTERS_INSIDE_WORDS = 6
"""Letters of a spelling that is found inside of words, too; a shorter one must be words of its own."""

REDACTION = "…"

REFUSALS: Mapping[Language, str] = {
    "en": "I cannot tell you that.",
    "zh": "这个我不能说。",
    "ja": "それはお伝えできません。",
}
"""What is said where a reply has to end."""

_PART = r"[^\W\u3040-\u30ff\u3400-\u9fff]+"
_WORD = re.compile(rf"[\u3040-\u30ff\u3400-\u9fff]|{_PART}(?:[-'’.@_]{_PART})*")


_ENDS = ".!?。！？"


class PromptLeakFilter:
    """Reads one round of a reply."""

    def __init__(self, messages: Sequence[Message]) -> None:
        instructions = "\n".join(message.content for message in messages if message.role == "system")
        public = "\n".join(message.content for message in messages if message.role != "system")
        orders = "\n".join(
            message.content for message in messages[answered_until(messages) :] if message.role == "system"
        )
        forms = {form for secret in secrets_in(instructions, public) for form in spellings(secret)}
        self._forms = sorted(forms, key=len, reverse=True)
        self._spelled = _Spelled(self._forms)
        # "Say exactly: …", for this very reply, is to be said.
        self._recital = _Recital(_words(instructions), _words(f"{public}\n{orders}"))
        self._last = ""

    @property
    def leaking(self) -> bool:
        """Whether the reply repeats the instructions and must end; nothing passes any more."""
        return self._recital.found

    def push(self, text: str) -> str:
        """More of the reply; what of it may be said by now."""
        return self._record(self._recital.push(self._spelled.push(text)))

    def flush(self) -> str:
        """The reply is over: what was held back and has become nothing."""
        return self._record(self._recital.push(self._spelled.flush()) + self._recital.flush())

    def refusal(self, language: Language) -> str:
        """What is said instead of the rest, in the user's language."""
        words = in_language(REFUSALS, language)
        if not self._last:
            return words
        cut = "" if self._last in _ENDS else REDACTION
        return f"{cut} {words}" if words.isascii() else f"{cut}{words}"

    def holds_secret(self, text: str) -> bool:
        """Whether ``text`` holds a secret."""
        reading = _Spelled(self._forms)
        return reading.push(text) + reading.flush() != text

    def _record(self, text: str) -> str:
        self._last = text.rstrip()[-1:] or self._last
        return text


class _Spelled:
    """Replaces in a stream whatever spells one of ``forms``; they come the longest first."""

    def __init__(self, forms: Sequence[str]) -> None:
        self._forms = forms
        self._buffer = ""
        self._before = ""

    def push(self, text: str) -> str:
        self._buffer += text
        return self._released(final=False)

    def flush(self) -> str:
        return self._released(final=True)

    def _released(self, *, final: bool) -> str:
        text, parts, at, index = self._buffer, [], 0, 0
        marks = list(skeleton_at(text)) if self._forms else []
        line = "".join(char for char, _ in marks)
        stop = len(text)
        while index < len(line):
            end = self._end(text, marks, line, index, final=final)
            if end is None:
                index += 1
                continue
            if end == index:  # what follows will tell
                stop = marks[index][1]
                break
            parts += [text[at : marks[index][1]], REDACTION]
            at, index = marks[end - 1][1] + 1, end
        parts.append(text[at:stop])
        self._buffer, self._before = text[stop:], text[stop - 1 : stop] or self._before
        return "".join(parts)

    def _end(self, text: str, marks: Sequence[Mark], line: str, index: int, *, final: bool) -> int | None:
        """Where what is spelled from ``index`` on ends: there, if that does not show yet; ``None`` if it is nothing."""
        start = marks[index][1]
        inside = (text[start - 1] if start else self._before).isalnum()
        for form in self._forms:
            words_only = len(form) < MIN_LETTERS_INSIDE_WORDS and not _is_wide(form)
            if words_only and inside:
                continue
            if not line.startswith(form, index):
                if not final and form.startswith(line[index:]):
                    return index
                continue
            end = index + len(form)
            after = text[marks[end - 1][1] + 1 :][:1]
            if not words_only or (after and not after.isalnum()) or (not after and final):
                return end
            if not after:
                return index
        return None


class _Recital:
    """Finds in a stream a run of ``words`` that is none of the ``public`` ones. ``found``: there was one."""

    def __init__(self, words: Sequence[str], public: Sequence[str]) -> None:
        self._words = words
        self._public = f" {' '.join(public)} "
        self._positions: dict[str, list[int]] = {}
        for place, word in enumerate(words):
            self._positions.setdefault(word, []).append(place)
        self._runs: dict[int, int] = {}
        self._buffer = ""
        self._pending: list[str] = []
        self._gap = ""
        self.found = False

    def push(self, text: str) -> str:
        self._buffer += text
        end = self._complete_words_end()
        ready, self._buffer = self._buffer[:end], self._buffer[end:]
        return self._checked(ready)

    def flush(self) -> str:
        ready, self._buffer = self._buffer, ""
        return self._checked(ready) + self._release(0) + ("" if self.found else self._gap)

    def _complete_words_end(self) -> int:
        """Where the last word that may still grow begins."""
        last = None
        for last in _WORD.finditer(self._buffer):  # noqa: B007 - the last one is wanted
            pass
        if last is None:
            return len(self._buffer)
        grows = last.end() == len(self._buffer) or self._buffer[last.end() :] in ("-", "'", "’", ".", "@", "_")
        return last.start() if grows and not _is_wide(last[0]) else len(self._buffer)

    def _checked(self, text: str) -> str:
        released: list[str] = []
        at = 0
        for match in _WORD.finditer("" if self.found else text):
            self._pending.append(self._gap + text[at : match.end()])
            self._gap, at = "", match.end()
            share = 2 if _is_wide(match[0]) else 1
            longest = self._longest(match[0].casefold())
            if longest >= RECITED_WORDS * share:
                self.found, self._pending = True, []
                return "".join(released)
            released.append(self._release(max(longest - HOLD_BACK_WORDS * share + 1, 0)))
        self._gap += text[at:]
        if not self._pending:
            released.append(self._gap)
            self._gap = ""
        return "" if self.found else "".join(released)

    def _longest(self, word: str) -> int:
        """How many words of ours in a row end with this one; those that others said in a row, too, are nobody's."""
        runs = {place: self._runs.get(place - 1, 0) + 1 for place in self._positions.get(word, ())}
        self._runs = {
            place: length
            for place, length in runs.items()
            if length < HOLD_BACK_WORDS
            or f" {' '.join(self._words[place - length + 1 : place + 1])} " not in self._public
        }
        return max(self._runs.values(), default=0)

    def _release(self, keep: int) -> str:
        """What is pending, but for the last ``keep`` words."""
        cut = max(len(self._pending) - keep, 0)
        released, self._pending = "".join(self._pending[:cut]), self._pending[cut:]
        return released


def _words(text: str) -> list[str]:
    return [match[0].casefold() for match in _WORD.finditer(text)]


def _is_wide(word: str) -> bool:
    return "\u3040" <= word[0] <= "\u9fff"
