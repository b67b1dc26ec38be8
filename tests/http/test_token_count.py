"""``POST /v1/token/count``: with the fake engines, a token a word."""

from __future__ import annotations

import base64
import io
import wave
from typing import Any

import httpx
import pytest

from running import RunningServer


def count(server: RunningServer, *messages: dict[str, Any], model: str = "step-audio-2") -> httpx.Response:
    return httpx.post(f"{server.http}/v1/token/count", json={"model": model, "messages": messages})


def total(server: RunningServer, *messages: dict[str, Any]) -> int:
    answer = count(server, *messages).json()
    assert set(answer) == {"data"}
    tokens: int = answer["data"]["total_tokens"]
    return tokens


def recording(seconds: float) -> dict[str, Any]:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, 16_000, 0, "NONE", ""))
        wav.writeframes(bytes(int(32_000 * seconds)))
    data = base64.b64encode(file.getvalue()).decode()
    return {"type": "input_audio", "input_audio": {"data": f"data:audio/wav;base64,{data}"}}


def test_every_word_counts(server: RunningServer) -> None:
    one = total(server, {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"})
    more = total(
        server, {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello my dear friend"}
    )
    assert more == one + 3
    parts = [{"type": "text", "text": "Hello"}, {"type": "text", "text": "my dear friend"}]
    assert total(server, {"role": "system", "content": "Be brief."}, {"role": "user", "content": parts}) == more


def test_recordings_count_by_their_length(server: RunningServer) -> None:
    short = total(server, {"role": "user", "content": [recording(2)]})
    long = total(server, {"role": "user", "content": [recording(6)]})
    assert long - short == 50


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ({"role": "user"}, "missing_required_parameter", "messages[0].content"),
        ({"role": "nobody", "content": "x"}, "invalid_value", "messages[0]"),
        (
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "!"}}]},
            "invalid_audio",
            "messages[0].content[0].input_audio.data",
        ),
    ],
)
def test_wrong_messages_are_named(server: RunningServer, message: dict[str, Any], code: str, param: str) -> None:
    response = count(server, message)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["param"]) == (code, param)


def test_a_model_that_is_not_there(server: RunningServer) -> None:
    response = count(server, {"role": "user", "content": "x"}, model="gpt-17")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model_not_found")
