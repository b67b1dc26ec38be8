"""How OpenAI's Agents SDK (Python, 0.6 to 0.24) interrupts, with openai-python underneath: by truncating what it was playing.

``RealtimeSession.interrupt()`` sends no ``response.cancel`` where the session says ``interrupt_response: true``; elsewhere it
sends one right after (``agents/realtime/openai_realtime.py``, ``_send_interrupt``).
"""

from __future__ import annotations

from typing import Any

import pytest

from clients.openai_python import Caller, calling
from clients.test_openai_python_sessions import GA
from running import RunningServer, silence, tone

LONG = "one two three four five six seven eight nine ten " * 3


async def telling(caller: Caller) -> Any:
    """A long reply has begun to be heard."""
    await caller.say(LONG)
    await caller.connection.response.create()
    return (await caller.until("response.audio.delta"))[-1]


@pytest.mark.parametrize("cancels", [False, True])
async def test_a_reply_is_over_when_the_sdk_has_truncated_it(fake_server: RunningServer, cancels: bool) -> None:
    vad = {"type": "semantic_vad", "interrupt_response": not cancels}
    async with calling(fake_server, GA, vad=vad) as caller:
        heard = await telling(caller)
        await caller.connection.conversation.item.truncate(item_id=heard.item_id, content_index=0, audio_end_ms=120)
        if cancels:
            await caller.connection.response.cancel()
        events = await caller.until("conversation.item.truncated")
        (done,) = caller.of(events, "response.done")
        assert (done.response.status, done.response.status_details.reason) == ("cancelled", "client_cancelled")
        assert events[-1].audio_end_ms == 120
        await caller.connection.conversation.item.retrieve(item_id=heard.item_id)
        assert (await caller.until("conversation.item.retrieved"))[-1].item.content[0].transcript in ("", "You")
        await caller.say("and now?")
        later = await caller.answer()
        assert not caller.of(later, "error")
        assert {event.item_id for event in caller.of(later, "response.audio.delta")}.isdisjoint({heard.item_id})


async def test_the_truncate_it_sends_when_speech_starts_moves_where_the_reply_was_cut(
    fake_server: RunningServer,
) -> None:
    async with calling(fake_server, GA, vad={"type": "server_vad", "silence_duration_ms": 200}) as caller:
        heard = await telling(caller)
        await caller.speak(tone(400))
        await caller.until("input_audio_buffer.speech_started")
        await caller.connection.conversation.item.truncate(item_id=heard.item_id, content_index=0, audio_end_ms=0)
        await caller.speak(silence(500))
        events = await caller.until("response.created")
        assert [event.audio_end_ms for event in caller.of(events, "conversation.item.truncated")] == [0]
        answer = (await caller.until("response.done"))[-1].response
        assert answer.output[0].content[0].transcript.startswith("You said: I heard 400")
