"""openai-python's Responses, as applications use them that default to that API: every event is one of the client's types."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import APIError, BadRequestError, NotFoundError, OpenAI
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from chatting import question
from running import RunningServer

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
LAMP: Any = {
    "type": "function",
    "name": "lamp",
    "description": "Switches the lamp.",
    "parameters": {
        "type": "object",
        "properties": {"on": {"type": "boolean"}},
        "required": ["on"],
        "additionalProperties": False,
    },
    "strict": True,
}
MODEL = "gpt-4o"


@pytest.fixture
def client(fake_server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{fake_server.http}/v1", api_key="unused", max_retries=0) as client:
        yield client


def checked(response: Response) -> Response:
    """The client builds objects without validating them; here they are."""
    return Response.model_validate(response.model_dump())


def streamed(client: OpenAI, **wanted: Any) -> list[Any]:
    """The events of a stream: each valid, numbered, and with the items the last one has."""
    events = list(client.responses.create(model=MODEL, stream=True, **wanted))
    for event in events:
        EVENT.validate_python(event.model_dump())
    assert [event.sequence_number for event in events] == list(range(len(events)))
    whole = events[-1].response
    done = [event.item for event in events if event.type == "response.output_item.done"]
    assert done == sorted(whole.output, key=done.index)
    for event in events:
        if hasattr(event, "item_id"):
            assert whole.output[event.output_index].id == event.item_id
    return events


def kinds(events: list[Any]) -> list[str]:
    """The types of events, of deltas in a row the first."""
    found: list[str] = []
    for event in events:
        if not (found and found[-1] == event.type and event.type.endswith(".delta")):
            found.append(event.type)
    return found


def test_a_text_is_answered(client: OpenAI) -> None:
    response = checked(client.responses.create(model=MODEL, input="Good morning.", instructions="Be brief."))
    assert response.output_text == "You said: Good morning."
    assert (response.status, response.model, response.instructions) == ("completed", MODEL, "Be brief.")
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0
    assert response.completed_at is not None


def test_a_stream_tells_each_step(client: OpenAI) -> None:
    events = streamed(client, input="Good morning.")
    assert kinds(events) == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text == "You said: Good morning."
    assert events[0].response.status == "in_progress"
    assert events[0].response.output == []
    assert events[-1].response.usage.output_tokens == 4


def test_a_function_is_called_and_its_output_told(client: OpenAI) -> None:
    """The way of OpenAI's guide: the response's own items go back, and one with what the function gave."""
    said: list[Any] = [{"role": "user", "content": 'say One moment. and call lamp {"on": true}'}]
    events = streamed(client, input=said, tools=[LAMP])
    assert kinds(events)[2:] == [
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    message, call = events[-1].response.output
    assert message.content[0].text == "One moment."
    assert (call.name, json.loads(call.arguments), call.status) == ("lamp", {"on": True}, "completed")
    assert (
        "".join(one.delta for one in events if one.type == "response.function_call_arguments.delta") == call.arguments
    )
    said += [item.model_dump() for item in events[-1].response.output]
    said += [{"type": "function_call_output", "call_id": call.call_id, "output": "The lamp is on."}]
    assert client.responses.create(model=MODEL, input=said, tools=[LAMP]).output_text == "You said: The lamp is on."


def test_a_conversation_goes_on_from_a_stored_response(client: OpenAI) -> None:
    """Only what is new is sent; the functions' calls are remembered, the instructions are not."""
    first = client.responses.create(
        model=MODEL, input='call lamp {"on": true}', tools=[LAMP], instructions="word " * 50
    )
    (call,) = first.output
    assert call.type == "function_call"
    output: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "It shines."}
    second = client.responses.create(model=MODEL, input=[output], previous_response_id=first.id)
    assert second.output_text == "You said: It shines."
    assert second.previous_response_id == first.id
    third = client.responses.create(model=MODEL, input="And now?", previous_response_id=second.id)
    alone = client.responses.create(model=MODEL, input="And now?")
    assert third.usage is not None
    assert alone.usage is not None
    assert alone.usage.input_tokens < third.usage.input_tokens < alone.usage.input_tokens + 50


def test_stored_responses_are_looked_at_and_deleted(client: OpenAI) -> None:
    response = client.responses.create(model=MODEL, input="Hello", metadata={"place": "kitchen"})
    assert client.responses.retrieve(response.id) == response
    (item,) = client.responses.input_items.list(response.id).data
    assert item.type == "message"
    assert item.model_dump()["content"][0]["text"] == "Hello"
    client.responses.delete(response.id)
    with pytest.raises(NotFoundError) as gone:
        client.responses.retrieve(response.id)
    assert gone.value.code == "response_not_found"
    with pytest.raises(BadRequestError) as missing:
        client.responses.create(model=MODEL, input="Hello", previous_response_id=response.id)
    assert (missing.value.code, missing.value.param) == ("previous_response_not_found", "previous_response_id")


def test_what_is_not_to_be_stored_is_not(client: OpenAI) -> None:
    response = client.responses.create(model=MODEL, input="Hello", store=False)
    assert response.to_dict()["store"] is False
    with pytest.raises(NotFoundError):
        client.responses.retrieve(response.id)


def test_items_are_referred_to(client: OpenAI) -> None:
    """As Vercel's AI SDK does for what a response said."""
    first = client.responses.create(model=MODEL, input="Hello")
    reference: Any = {"type": "item_reference", "id": first.output[0].id}
    said: list[Any] = [{"role": "user", "content": "Hello"}, reference, {"role": "user", "content": "Bye"}]
    assert client.responses.create(model=MODEL, input=said).output_text == "You said: Bye"
    with pytest.raises(BadRequestError) as missing:
        client.responses.create(model=MODEL, input=[{"type": "item_reference", "id": "msg_nothing"}])
    assert (missing.value.code, missing.value.param) == ("item_not_found", "input[0].id")


class Trip(BaseModel):
    city: str
    slots: int


def test_an_answer_in_json(client: OpenAI) -> None:
    response = client.responses.parse(model=MODEL, input="Two seats to Rome.", text_format=Trip)
    assert response.output_parsed == Trip(city="fake", slots=0)
    with client.responses.stream(model=MODEL, input="Two seats to Rome.", text_format=Trip) as stream:
        assert any(event.type == "response.output_text.done" and event.parsed for event in stream)
        assert stream.get_final_response().output_parsed == Trip(city="fake", slots=0)
    loose = client.responses.create(model=MODEL, input="Anything.", text={"format": {"type": "json_object"}})
    assert isinstance(json.loads(loose.output_text), dict)


def test_an_answer_that_is_cut_off_says_so(client: OpenAI) -> None:
    events = streamed(client, input="one two three four five six", max_output_tokens=3)
    response = events[-1].response
    assert events[-1].type == "response.incomplete"
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert response.output[0].status == "incomplete"


def test_how_likely_the_words_were(client: OpenAI) -> None:
    wanted: Any = {"input": "Hello", "include": ["message.output_text.logprobs"], "top_logprobs": 2}
    events = streamed(client, **wanted)
    (message,) = events[-1].response.output
    tokens = [one.token for one in message.content[0].logprobs]
    assert "".join(tokens) == message.content[0].text
    assert all(len(event.logprobs) > 0 for event in events if event.type == "response.output_text.delta")


def test_a_recording_is_heard_and_remembered_as_words(client: OpenAI) -> None:
    audio = {"data": base64.b64encode(question()).decode(), "format": "wav"}
    said: Any = [{"role": "user", "content": [{"type": "input_audio", "input_audio": audio}]}]
    first = client.responses.create(model=MODEL, input=said)
    assert first.output_text == "You said: I heard 1000 milliseconds."
    second = client.responses.create(model=MODEL, input="And now?", previous_response_id=first.id)
    assert second.output_text == "You said: And now?"


def test_mistakes_are_the_clients_own_exceptions(client: OpenAI) -> None:
    image: Any = [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}]}]
    with pytest.raises(BadRequestError) as refused:
        client.responses.create(model=MODEL, input=image)
    assert (refused.value.code, refused.value.param) == ("unsupported_content", "input[0].content[0]")
    with pytest.raises(NotFoundError):
        client.responses.create(model="nothing", input="Hi")
    with pytest.raises(APIError, match="asked to"):
        client.responses.create(model=MODEL, input="please fail")
    failed = streamed(client, input="please fail")[-1]
    assert (failed.type, failed.response.status) == ("response.failed", "failed")
    assert "asked to" in failed.response.error.message


def test_a_stream_that_is_closed_gives_its_place_back(fake_server: RunningServer, client: OpenAI) -> None:
    stream = client.responses.create(model=MODEL, input="word " * 1000, stream=True)
    next(iter(stream))
    stream.close()
    assert fake_server.all_seats_free()


# ---- the real models


@pytest.fixture
def real_client(real_server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{real_server.http}/v1", api_key="unused", max_retries=0, timeout=180) as client:
        yield client


@pytest.mark.real
def test_a_function_is_called_by_the_real_model(real_client: OpenAI) -> None:
    weather: Any = {
        "type": "function",
        "name": "get_weather",
        "description": "Current weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
    first = real_client.responses.create(
        model="step-audio-2", input="What is the weather in Paris?", tools=[weather], max_output_tokens=80
    )
    calls = [item for item in first.output if item.type == "function_call"]
    assert [json.loads(call.arguments) for call in calls] == [{"city": "Paris"}]
    output: Any = {"type": "function_call_output", "call_id": calls[0].call_id, "output": "It rains, 12 degrees."}
    second = real_client.responses.create(
        model="step-audio-2", input=[output], previous_response_id=first.id, tools=[weather], max_output_tokens=80
    )
    assert "12" in second.output_text
