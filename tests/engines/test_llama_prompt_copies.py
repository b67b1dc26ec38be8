"""Which copy of what slots have read a prompt goes on from."""

from __future__ import annotations

from vivavoce.engines.llama.prompt_copies import PromptCopies, prompt_head
from vivavoce.types import Message

CLERK, NURSE = (Message("system", "You are a clerk."),), (Message("system", "You are a nurse."),)
QUESTION = Message("user", "Are you open?")


class Files:
    """Copies of 10 bytes each."""

    def __init__(self) -> None:
        self.written: set[str] = set()

    def size(self, name: str) -> int:
        return 10 if name in self.written else 0

    def copies(self, limit_bytes: int = 100) -> PromptCopies:
        return PromptCopies(limit_bytes, self.size, self.written.discard)

    def keep(self, copies: PromptCopies, messages: tuple[Message, ...], *, once: bool = False) -> str:
        name = copies.reserve(messages, once=once)
        assert name is not None
        self.written.add(name)
        return name


def test_a_head_that_was_read_is_gone_on_from_by_who_has_not_read_it() -> None:
    files = Files()
    copies = files.copies()
    name = files.keep(copies, CLERK)
    assert copies.nearest((*CLERK, QUESTION), 0) == name
    assert copies.nearest((*CLERK, QUESTION), 1) is None
    assert copies.nearest((*NURSE, QUESTION), 0) is None


def test_what_is_kept_is_not_kept_again_unless_it_was_never_written() -> None:
    files = Files()
    copies = files.copies()
    name = copies.reserve(CLERK)
    assert copies.nearest((*CLERK, QUESTION), 0) is None
    assert copies.reserve(CLERK) == name
    files.written.add(name or "")
    assert copies.reserve(CLERK) is None


def test_the_copy_unused_for_longest_makes_room() -> None:
    files = Files()
    copies = files.copies(limit_bytes=15)
    files.keep(copies, CLERK)
    second = files.keep(copies, NURSE)
    copies.nearest((*CLERK, QUESTION), 0)
    files.keep(copies, (*CLERK, *NURSE))
    assert second not in files.written
    assert copies.nearest((*CLERK, QUESTION), 0) is not None


def test_what_is_used_once_is_removed_behind_its_use() -> None:
    files = Files()
    copies = files.copies()
    name = files.keep(copies, (*CLERK, QUESTION), once=True)
    assert copies.nearest((*CLERK, QUESTION), 1) == name
    assert copies.nearest((*CLERK, QUESTION), 1) is None
    files.keep(copies, NURSE)
    assert name not in files.written


def test_nothing_is_kept_without_room() -> None:
    assert Files().copies(0).reserve(CLERK) is None


def test_a_head_is_what_a_prompt_begins_with() -> None:
    assert prompt_head((*CLERK, QUESTION, *NURSE)) == CLERK
    assert prompt_head((QUESTION,)) == ()
