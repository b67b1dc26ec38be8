"""What of a chat request reaches the language model, and as what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatting import Json, post, refused, request, stream
from running import RunningServer
from vivavoce.engines.fake import FakeLanguageModel
from vivavoce.types import GenerationOptions, NamedTool

LAMP = {"type": "function", "function": {"name": "lamp", "description": "A lamp.", "parameters": {"type": "object"}}}

Asked = Callable[..., GenerationOptions]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[GenerationOptions]:
    """How the model has been asked."""
    seen: list[GenerationOptions] = []
    generate = FakeLanguageModel.generate

    def watched(self: FakeLanguageModel, messages: Any, options: GenerationOptions) -> Any:
        seen.append(options)
        return generate(self, messages, options)

    monkeypatch.setattr(FakeLanguageModel, "generate", watched)
    return seen


@pytest.fixture
def asked(server: RunningServer, seen: list[GenerationOptions]) -> Asked:
    """Makes a request, and says how the model was asked: the same for a whole answer and for a stream."""

    def ask(**fields: Any) -> GenerationOptions:
        seen.clear()
        answer = post(server, request("Hi", **fields))
        assert answer.status_code == 200, answer.text
        assert stream(server, request("Hi", **fields)).reasons[0]
        whole, streamed = seen
        assert whole == streamed
        return whole

    return ask


@pytest.mark.parametrize(
    ("fields", "reaches"),
    [
        ({"temperature": 1.25}, {"temperature": 1.25}),
        ({"temperature": 0}, {"temperature": 0.0}),
        ({"top_p": 0.3}, {"top_p": 0.3}),
        ({"seed": 7}, {"seed": 7}),
        ({"seed": -1}, {"seed": 2**32 - 1}),
        ({"stop": "x"}, {"stop": ("x",)}),
        ({"stop": ["x", "", "y"]}, {"stop": ("x", "y")}),
        ({"max_tokens": 9}, {"max_tokens": 9}),
        ({"max_tokens": 9, "max_completion_tokens": 5}, {"max_tokens": 5}),
        ({"frequency_penalty": 0.5, "presence_penalty": -0.5}, {"frequency_penalty": 0.5, "presence_penalty": -0.5}),
        ({"logprobs": True}, {"logprobs": 0}),
        ({"logprobs": True, "top_logprobs": 3}, {"logprobs": 3}),
        ({"response_format": {"type": "json_object"}}, {"schema": {"type": "object"}}),
        ({"tools": [LAMP], "tool_choice": "none"}, {"tool_choice": "none"}),
        ({"tools": [LAMP], "tool_choice": "required"}, {"tool_choice": "required"}),
        (
            {"tools": [LAMP], "tool_choice": {"type": "function", "function": {"name": "lamp"}}},
            {"tool_choice": NamedTool("lamp")},
        ),
        ({"tools": [LAMP], "parallel_tool_calls": False}, {"parallel_tool_calls": False}),
    ],
)
def test_a_field_reaches_the_model(asked: Asked, fields: Json, reaches: Json) -> None:
    options = asked(**fields)
    assert {name: getattr(options, name) for name in reaches} == reaches


def test_what_is_not_given_has_the_documented_default(asked: Asked) -> None:
    options = asked()
    assert (options.temperature, options.top_p, options.seed, options.stop) == (0.0, 0.9, None, ())
    assert (options.frequency_penalty, options.presence_penalty, options.schema, options.logprobs) == (0, 0, None, None)
    assert 3000 < options.max_tokens < FakeLanguageModel.context_tokens


def test_each_of_several_answers_has_a_seed_of_its_own(server: RunningServer, seen: list[GenerationOptions]) -> None:
    assert post(server, request("Hi", n=3, seed=2**32 - 1)).status_code == 200
    assert [(options.seed, options.temperature) for options in seen] == [(2**32 - 1, 0.5), (0, 0.5), (1, 0.5)]


@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high", "xhigh", "none"])
def test_an_effort_is_accepted(asked: Asked, effort: str) -> None:
    assert asked(reasoning_effort=effort) == asked()


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"n": 0}, "n"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"frequency_penalty": 2.1}, "frequency_penalty"),
        ({"presence_penalty": -2.1}, "presence_penalty"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"reasoning_format": "loud"}, "reasoning_format"),
        ({"reasoning_effort": "x" * 33}, "reasoning_effort"),
        ({"modalities": []}, "modalities"),
        ({"modalities": ["video"]}, "modalities[0]"),
        ({"stream": "perhaps"}, "stream"),
    ],
)
def test_a_field_out_of_its_range_is_named(server: RunningServer, fields: Json, param: str) -> None:
    error = refused(server, request("Hi", **fields))
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_value")
    assert error["param"].split(".")[0] == param
