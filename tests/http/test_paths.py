"""A slash too many leads where the path without it leads, for every method and for WebSockets."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from running import RunningServer
from vivavoce.http.paths import plain_path

DOORS = ["/v1/realtime", "/step_plan/v1/realtime", "/openai/realtime", "/openai/v1/realtime"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("spelling", ["{}/", "/{}", "/{}//"])
async def test_a_slash_too_many_leads_to_the_realtime_door(server: RunningServer, door: str, spelling: str) -> None:
    async with connect(f"{server.ws}{spelling.format(door)}?model=step-audio-2") as socket:
        assert json.loads(await socket.recv())["type"] == "session.created"


@pytest.mark.parametrize("path", ["/v1/models/", "//v1/models", "/v1//models", "//v1//models///", "//health"])
def test_a_get_is_answered_and_not_redirected(server: RunningServer, path: str) -> None:
    answer = httpx.get(server.http + path)
    assert answer.status_code == 200
    assert answer.content == httpx.get(server.http + plain_path(path)).content or path == "//health"


def test_a_post_is_answered_and_not_redirected(server: RunningServer) -> None:
    body = {"model": "step-audio-2", "messages": [{"role": "user", "content": "hi"}]}
    answer = httpx.post(f"{server.http}//v1/chat/completions/", json=body)
    assert answer.json()["choices"][0]["message"]["content"] == "You said: hi"


def test_a_parameter_in_a_path_is_found(server: RunningServer) -> None:
    for path in ("/v1//models/step-audio-2", "/v1/models/step-audio-2/"):
        assert httpx.get(server.http + path).json()["id"] == "step-audio-2"


@pytest.mark.parametrize("path", ["//v1/nothing/", "/v1/nothing/"])
async def test_what_is_not_there_is_not_there_with_slashes(server: RunningServer, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(server.ws + path):
            pass
    assert refused.value.response.status_code == 404
    async with httpx.AsyncClient() as http:
        assert (await http.get(server.http + path)).json()["error"]["code"] == "not_found"


def test_a_wrong_method_is_refused_as_such(server: RunningServer) -> None:
    assert httpx.get(f"{server.http}/v1/chat/completions/").status_code == 405


@given(st.lists(st.sampled_from(["", "v1", "a b", "realtime"]), max_size=6))
def test_a_plain_path_is_plain_already(segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    assert plain_path(path).split("/")[1:] == ([segment for segment in segments if segment] or [""])
    assert plain_path(plain_path(path)) == plain_path(path)
