"""A tier served by a hosted Realtime API, which is scripted: the shapes of OpenAI's (GA, beta) and StepFun's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from hosted_upstream import Call, Fault, HangUp, Say, Shape, Think, Upstream, upstream
from relaying import front_of, speak, status_of, words_of
from running import RunningServer, silence, talking, tone

SHAPES: tuple[Shape, ...] = ("ga", "beta", "stepfun")
LAMP = {"type": "function", "name": "lamp", "description": "Switches it", "parameters": {"type": "object"}}


@pytest.fixture(scope="module", params=SHAPES)
def far(request: pytest.FixtureRequest) -> Iterator[Upstream]:
    with upstream(request.param) as script:
        yield script


@pytest.fixture(scope="module")
def front(far: Upstream) -> Iterator[RunningServer]:
    with front_of(far) as started:
        yield started


@pytest.fixture(autouse=True)
def fresh(far: Upstream) -> None:
    far.reset()


async def test_what_is_told_to_the_other_side(front: RunningServer, far: Upstream) -> None:
    async with talking(front) as talker:
        await talker.send(type="session.update", session={"instructions": "Be brief.", "tools": [LAMP]})
        events = await speak(talker)
        assert status_of(events) == "completed"
        assert words_of(events) == "It is far."
        usage = events[-1]["response"]["usage"]
        assert (usage["input_tokens"], usage["output_tokens"]) != (0, 0)
    request = far.requests[0]
    assert request.path == "/v1/realtime?model=far-model"
    assert request.headers["Authorization"] == "Bearer sk-123"
    assert (request.headers.get("OpenAI-Beta") == "realtime=v1") == (far.shape == "beta")
    session = far.connections[-1].session
    assert "Be brief." in session["instructions"]
    if far.shape == "ga":
        assert {event["session"]["type"] for event in far.events("session.update")} == {"realtime"}
        assert session["output_modalities"] == ["audio"]
        assert session["audio"]["input"]["turn_detection"] is None
        assert session["audio"]["output"]["voice"] == "their-girl"
        assert [tool["name"] for tool in session["tools"]] == ["lamp", "calculate"]
    else:
        assert "type" not in session
        assert session["turn_detection"] is None
        assert session["voice"] == "their-girl"
        tools = [tool["function"] if far.shape == "stepfun" else tool for tool in session["tools"]]
        assert [tool["name"] for tool in tools] == ["lamp", "calculate"]
    (item,) = [item for item in far.items if item.get("role") == "user"]
    assert 500 < item["audio_ms"] < 3000  # the silence that ends the turn is among it
    kinds = [event["type"] for event in far.received]
    assert (
        kinds.index("input_audio_buffer.append")
        < kinds.index("input_audio_buffer.commit")
        < kinds.index("response.create")
    )
    assert not far.events("conversation.item.create")


async def test_thoughts_and_calls(front: RunningServer, far: Upstream) -> None:
    far.scripts.append([Think("A lamp."), Say("One moment."), Call("lamp", '{"on": true}')])
    async with talking(front) as talker:
        await talker.send(type="session.update", session={"tools": [LAMP]})
        events = await speak(talker)
        thoughts = [event["delta"] for event in events if event["type"] == "response.thinking.delta"]
        assert thoughts == ["A lamp."]
        deltas = [event["delta"] for event in events if event["type"] == "response.function_call_arguments.delta"]
        assert "".join(deltas) == '{"on": true}'
        (call,) = [item for item in events[-1]["response"]["output"] if item["type"] == "function_call"]
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "on"}
        await talker.send(type="conversation.item.create", item=output)
        await talker.send(type="response.create")
        assert status_of(await talker.until("response.done")) == "completed"
        assert [item["output"] for item in far.items if item["type"] == "function_call_output"] == ["on"]
        assert len(far.connections[-1].items) == len({item["id"] for item in far.items})


async def test_a_tool_of_the_server(front: RunningServer, far: Upstream) -> None:
    far.scripts += [[Say("Let me see. "), Call("calculate", '{"expression": "6*7"}')], [Say("Forty-two.")]]
    async with talking(front) as talker:
        events = await speak(talker)
        assert words_of(events) == "Let me see. Forty-two."
        assert [item["output"] for item in far.items if item["type"] == "function_call_output"] == ["6*7 = 42"]
        assert status_of(await speak(talker)) == "completed"
        assert not far.events("conversation.item.delete")


async def test_interruption_is_passed_on(front: RunningServer, far: Upstream) -> None:
    far.scripts.append([Say("A long story. " * 20, 20_000)])
    async with talking(front) as talker:
        await talker.append(tone(600) + silence(1500))
        await talker.until("response.audio.delta")
        await asyncio.sleep(0.7)
        await talker.append(tone(800) + silence(1500))
        done = await talker.until("response.done")
        assert status_of(done) == "cancelled"
        assert 0 < len(done[-1]["response"]["output"][0]["content"][0]["transcript"]) < 60
        assert status_of(await talker.until("response.done")) == "completed"
    (cut,) = far.events("conversation.item.truncate")
    (story,) = [item for item in far.items if "story" in item.get("words", "")]
    assert cut["item_id"] == story["id"]
    assert 200 < cut["audio_end_ms"] < 3000


async def test_where_the_other_side_does_not_cut_the_words_are_told_anew(front: RunningServer, far: Upstream) -> None:
    far.refused_events["conversation.item.truncate"] = "unknown_event"
    far.scripts.append([Say("A long story. " * 20, 20_000)])
    async with talking(front) as talker:
        await talker.append(tone(600) + silence(1500))
        await talker.until("response.audio.delta")
        await asyncio.sleep(1.0)
        await talker.append(tone(800))
        await asyncio.sleep(0.3)
        await talker.append(silence(1500))
        cancelled = await talker.until("response.done")
        heard = cancelled[-1]["response"]["output"][0]["content"][0]["transcript"]
        assert status_of(await talker.until("response.done")) == "completed"
        assert not [item for item in far.items if "story" in item.get("words", "")]
        told = [item["content"][0]["text"] for item in far.items if item.get("role") == "assistant" and item["content"]]
        assert told == [heard]


async def test_an_expired_session_is_begun_again_unseen(front: RunningServer, far: Upstream) -> None:
    """With what was said before, as words; and with the turn, as sound."""
    async with talking(front) as talker:
        await talker.say("My name is Ada.")
        await speak(talker)
        far.scripts.append([Fault("session_expired"), HangUp()])
        events = await speak(talker)
        assert status_of(events) == "completed"
        roles = [(item["role"], item["content"][0]["type"]) for item in far.items if item.get("content")]
        spoken = "output_text" if far.shape == "ga" else "text"
        assert roles == [("user", "input_text"), ("user", "input_text"), ("assistant", spoken), ("user", "input_audio")]
        assert far.items[0]["content"][0]["text"] == "My name is Ada."
