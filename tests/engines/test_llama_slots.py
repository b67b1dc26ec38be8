"""Which slot a call gets."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from vivavoce.engines.llama.slots import PrefixSlots
from vivavoce.types import Message

TOOLS, PERSONA = Message("system", "book cancel"), Message("system", "You are a clerk.")


def asked(*words: str) -> tuple[Message, ...]:
    return (TOOLS, PERSONA, *(Message("user", word) for word in words))


@pytest.mark.parametrize("long_heads", [True, False])
async def test_a_busy_slot_with_a_long_head_is_waited_for(long_heads: bool) -> None:
    slots = PrefixSlots(2, first=4, long_heads=long_heads)
    reading: Future[None] = Future()
    slots.occupy(4, reading, asked(""))
    claim = asyncio.create_task(slots.idle(None, asked("Book a table.")))
    await asyncio.sleep(0)
    assert claim.done() is not long_heads
    reading.set_result(None)
    assert await claim == (4 if long_heads else 5)


async def test_an_idle_slot_with_the_head_is_taken_at_once() -> None:
    slots = PrefixSlots(2, long_heads=True)
    done: Future[None] = Future()
    done.set_result(None)
    slots.occupy(0, Future(), asked("Cancel it."))
    slots.occupy(1, done, asked("Book a table.", "Thanks."))
    assert await asyncio.wait_for(slots.idle(None, asked("Cancel it.", "Really?")), 1) == 1


async def test_a_busy_slot_of_another_persona_is_not_waited_for() -> None:
    slots = PrefixSlots(2, long_heads=True)
    slots.occupy(0, Future(), (TOOLS, Message("system", "You are a nurse."), Message("user", "Hello.")))
    assert await asyncio.wait_for(slots.idle(None, asked("Book a table.")), 1) == 1
