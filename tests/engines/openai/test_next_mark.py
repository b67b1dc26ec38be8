"""Whether the user's sentence is over, as models behind scripted servers see it: what they are asked, and when they are not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engines.openai.test_language_model import ASKED, WEATHER, endpoint
from openai_stub import Asked, Script, Step, status, whole
from vivavoce.engines.chat_fields import REMINDERS
from vivavoce.errors import EngineError
from vivavoce.types import GenerationOptions, Message

UNFINISHED = (ASKED[0], Message("user", "Hello, I wanted to", reply_language="en"))
LIKELY = [(".", 0.5), ("?", 0.25), (" ask", 0.2)]


def told(*tokens: tuple[str, float]) -> list[Step]:
    """An answer of one token, with the probabilities of those that could stand in its place."""
    others = [{"token": token, "logprob": math.log(share), "bytes": list(token.encode())} for token, share in tokens]
    content = [{**others[0], "top_logprobs": others}] if others else []
    return whole({"choices": [{"index": 0, "logprobs": {"content": content}, "finish_reason": "length"}]})


def always(steps: list[Step]) -> Script:
    return lambda asked: steps


def speaking(owner: str, **settings: Any) -> dict[str, Any]:
    extra = ("continue_final_message", "add_generation_prompt")
    models = [{"id": "served", "owned_by": owner, "max_model_len": 2048}]
    return {"models": models, "extra_fields": extra, "prefill": True, **settings}


async def test_flags_leave_the_message_open() -> None:
    async with endpoint(always(told(*LIKELY)), **speaking("vllm", aids=["reminders"])) as (served, model):
        probability = await model.sentence_end(UNFINISHED, GenerationOptions(tools=(WEATHER,), max_tokens=300))
    assert probability == pytest.approx(0.75)
    body = served.posts()[0].json
    assert body["messages"][-1] == {"role": "user", "content": f"{REMINDERS['en']} Hello, I wanted to"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    assert (body["stream"], body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (False, 1, True, 20)
    assert "stream_options" not in body
    assert body["tools"][0]["function"]["name"] == "get_weather"  # what is read for it is read for the reply, too


async def test_a_template_is_cut_behind_the_words() -> None:
    def llama_cpp(asked: Asked) -> list[Step]:
        if asked.path == "/apply-template":
            turns = "".join(f"<{one['role']}>{one['content']}<end>" for one in asked.json["messages"])
            return whole({"prompt": f"{turns}<assistant>"})
        return told(*LIKELY)

    async with endpoint(llama_cpp, **speaking("llamacpp")) as (served, model):
        assert await model.sentence_end(UNFINISHED, GenerationOptions()) == pytest.approx(0.75)
    [completion] = served.posts("/v1/completions")
    assert completion.json["prompt"] == "<system>You are a voice.<end><user>Hello, I wanted to"
    assert completion.json["max_tokens"] == 1


async def test_a_template_that_changes_what_is_said_tells_nothing() -> None:
    async with endpoint(always(whole({"prompt": "HELLO, I WANTED TO"})), **speaking("llamacpp")) as (served, model):
        assert await model.sentence_end(UNFINISHED, GenerationOptions()) is None
    assert not served.posts("/v1/completions")


@pytest.mark.parametrize("settings", [speaking("vllm", prefill=False), speaking("somebody")])
async def test_nothing_is_asked_where_it_costs_or_cannot_be_told(settings: dict[str, Any]) -> None:
    async with endpoint(always(told(*LIKELY)), **settings) as (served, model):
        assert await model.sentence_end(UNFINISHED, GenerationOptions()) is None
        assert await model.sentence_end((ASKED[0],), GenerationOptions()) is None
    assert not served.posts()


@pytest.mark.parametrize(
    "answer", [told(), whole({"choices": []}), whole({"choices": [{"logprobs": None}]}), whole([])]
)
async def test_no_probabilities_are_no_evidence(answer: list[Step]) -> None:
    async with endpoint(always(answer), **speaking("sglang")) as (_, model):
        assert await model.sentence_end(UNFINISHED, GenerationOptions()) is None


async def test_a_server_that_cannot_is_not_asked_again() -> None:
    async with endpoint(always(status(400, {"error": {"message": "no"}})), **speaking("vllm")) as (served, model):
        assert await model.sentence_end(UNFINISHED, GenerationOptions()) is None
        assert await model.sentence_end(UNFINISHED, GenerationOptions()) is None
    assert len(served.posts()) == 1


async def test_a_server_that_fails_is_an_error() -> None:
    async with endpoint(always(status(500, {"error": {"message": "no"}})), **speaking("vllm")) as (served, model):
        for _ in range(2):
            with pytest.raises(EngineError):
                await model.sentence_end(UNFINISHED, GenerationOptions())
    assert len(served.posts()) == 2
