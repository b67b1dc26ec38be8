"""What StepFun's browser demo does on the wire, against the running server (Realtime reference, section 11)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from clients.stepfun_console import HARMLESS, Console, console
from running import RunningServer, silence, tone
from vivavoce.types import GenerationEvent, GenerationOptions, Message, ThinkingDelta

LAMP = {
    "type": "function",
    "name": "lamp",
    "description": "Switches the lamp.",
    "parameters": {"type": "object", "properties": {"on": {"type": "boolean"}}, "required": ["on"]},
}
VAD = {"type": "server_vad"}
NOISE = tone(44) + silence(60)  # heard as speech, and without words
STORY = "once upon a time " * 20
GREETED = [("user", "Hello!"), ("assistant", "You said: Hello!")]


async def interrupted(page: Console) -> None:
    """The user speaks for a while, the page stops at once, and the reply is to what they said."""
    await page.record(tone(600))
    await page.until("input_audio_buffer.speech_started")
    await page.record(silence(700))
    await page.until("response.created")
    await page.until("response.done")
    assert page.items.said()[-1][1].startswith("You said: I heard ")


async def test_it_is_greeted(fake_server: RunningServer) -> None:
    async with console(fake_server) as page:
        await page.start()
        await page.until("response.done")
        assert page.items.said() == GREETED
        assert len(page.of("session.updated")) == 2
        (done,) = page.of("response.done")
        assert page.items.outputs[done["response"]["id"]] == [item["id"] for item in done["response"]["output"]]


async def test_push_to_talk(fake_server: RunningServer) -> None:
    async with console(fake_server) as page:
        await page.start()
        await page.until("response.done")
        await page.interrupt()  # it always does, when the button goes down
        await page.record(silence(200) + tone(900) + silence(200))
        await page.create_response()
        await page.until("response.done")
        assert page.items.said()[2:] == [
            ("user", "I heard 900 milliseconds."),
            ("assistant", "You said: I heard 900 milliseconds."),
        ]


async def test_the_button_goes_down_while_it_speaks(fake_server: RunningServer) -> None:
    async with console(fake_server) as page:
        await page.update()
        await page.say(STORY)
        await page.until("response.audio.delta")
        await page.listen(1)
        await page.interrupt()
        await page.record(tone(500))
        await page.create_response()
        truncated = await page.until("conversation.item.truncated")
        assert 900 <= truncated["audio_end_ms"] < 3000
        assert page.of("response.done")[0]["response"]["status"] == "cancelled"
        await page.until("response.done")
        assert page.items.said()[-1] == ("assistant", "You said: I heard 500 milliseconds.")
        assert not page.of("error")


async def test_speech_while_it_speaks(fake_server: RunningServer) -> None:
    """The server has cancelled already when the page does: the error it gets is the one it overlooks, to the letter."""
    async with console(fake_server) as page:
        await page.update(turn_detection=VAD)
        await page.say(STORY)
        await page.until("response.audio.delta")
        await page.listen(1)
        await interrupted(page)
        cancelled = page.of("response.done")[0]["response"]
        assert (cancelled["status"], cancelled["status_details"]["reason"]) == ("cancelled", "turn_detected")
        assert [error["error"]["message"] for error in page.of("error")] == [HARMLESS]
        (truncated,) = page.of("conversation.item.truncated")
        assert truncated["item_id"] == cancelled["output"][0]["id"]
        assert truncated["audio_end_ms"] > 900


async def test_speech_before_a_word_was_played(fake_server: RunningServer) -> None:
    async with console(fake_server) as page:
        await page.update(turn_detection=VAD)
        await page.say(STORY)
        await page.until("response.audio.delta")
        await interrupted(page)
        (truncated,) = page.of("conversation.item.truncated")
        assert truncated["audio_end_ms"] < 500


async def test_speech_after_the_last_audio_was_sent(fake_server: RunningServer) -> None:
    async with console(fake_server) as page:
        await page.update(turn_detection=VAD)
        await page.say("one two three four five six")
        await page.until("response.done")
        await page.listen(0.5)
        await interrupted(page)
        assert [error["error"]["message"] for error in page.of("error")] == [HARMLESS]
        assert len(page.of("conversation.item.truncated")) == 2  # the server's at once, and the one asked for


async def test_a_noise_while_it_speaks(fake_server: RunningServer) -> None:
    """No words come of it: the item is taken back, and the reply goes on where it was cut."""
    async with console(fake_server) as page:
        await page.update(turn_detection=VAD)
        await page.say("one two three four five six seven eight nine")
        await page.until("response.audio.delta")
        await page.listen(0.5)
        await page.record(NOISE)
        noise = (await page.until("input_audio_buffer.speech_started"))["item_id"]
        await page.record(silence(700))
        await page.until("response.created")
        assert (await page.until("response.done"))["response"]["status"] == "completed"
        assert noise not in page.items.by_id
        assert page.items.said()[-1][1].endswith("eight nine")


async def test_a_function_is_answered_before_the_response_is_done(fake_server: RunningServer) -> None:
    async with console(fake_server) as page:
        page.tools["lamp"] = lambda arguments: {"lamp": arguments["on"]}
        await page.update(tools=[LAMP])
        await page.say('call lamp {"on": true}')
        called = (await page.until("response.done"))["response"]
        await page.until("response.done")
        (call,) = called["output"]
        kinds = [event["type"] for event in page.events]
        assert kinds.index("conversation.item.created") < kinds.index("response.function_call_arguments.delta")
        assert page.items.by_id[call["id"]]["arguments"] == call["arguments"] == '{"on": true}'
        assert page.items.said()[-1] == ("assistant", 'You said: {"lamp": true}')
        assert not page.of("error")


async def test_the_mode_changes_while_it_speaks(fake_server: RunningServer) -> None:
    """Each change sends the whole session, the voice with it, which by then has been heard."""
    async with console(fake_server) as page:
        await page.update()
        await page.say("one two three four five six seven eight nine")
        await page.until("response.audio.delta")
        await page.update(turn_detection=VAD)
        await page.until("session.updated")
        assert not page.of("response.done")
        assert page.of("session.updated")[-1]["session"]["turn_detection"]["type"] == "server_vad"
        await page.until("response.done")
        await interrupted(page)
        await page.update(turn_detection=None)
        await page.update(instructions="Be brief.")
        await page.record(tone(400))
        await page.create_response()
        await page.until("response.done")
        heard = [text for role, text in page.items.said() if role == "user"]
        assert heard[1:] == ["I heard 600 milliseconds.", "I heard 400 milliseconds."]
        assert page.of("session.updated")[-1]["session"]["turn_detection"] is None
        assert all(error["error"]["message"] == HARMLESS for error in page.of("error"))


async def test_words_nobody_understands_leave_no_trace(fake_server: RunningServer) -> None:
    async with console(fake_server) as page:
        await page.update(turn_detection=VAD)
        await page.record(NOISE + silence(1200))
        await page.until("conversation.item.deleted")
        await page.say("Hello!")
        await page.until("response.done")
        assert page.items.said() == GREETED


async def test_thoughts_come_before_what_is_said(fake_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thinking model is not greeted; its audio is the item's second part, and truncated as such."""
    model = fake_server.core.engines.language_models["large"]
    generate = model.generate

    async def thinking(messages: Sequence[Message], options: GenerationOptions) -> AsyncIterator[GenerationEvent]:
        yield ThinkingDelta("They want ")
        yield ThinkingDelta("a story.")
        async for event in generate(messages, options):
            yield event

    monkeypatch.setattr(model, "generate", thinking)
    monkeypatch.setattr(model, "features", model.features | {"thinking"})
    async with console(fake_server, "step-audio-2-think") as page:
        await page.update()
        await page.say(STORY)
        reply = (await page.until("response.audio.delta"))["item_id"]
        thought, said = page.items.by_id[reply]["content"]
        assert (thought["type"], thought["thinking"], said["type"]) == ("thinking", "They want a story.", "audio")
        await page.interrupt()
        truncated = await page.until("conversation.item.truncated")
        assert (truncated["item_id"], truncated["content_index"]) == (reply, 1)
        assert not page.of("error")
