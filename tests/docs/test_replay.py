"""The tool that plays the page's sequences notices when they are wrong."""

from __future__ import annotations

import pytest

from docs.markdown import Block
from docs.replay import MismatchError, Replay, lines
from running import RunningServer

TURN = """\
S> session.created
C> conversation.item.create {"item": {"id": "msg_1", "type": "message", "role": "user",
     "content": [{"type": "input_text", "text": "Hi."}]}}
S> conversation.item.created {"item": {"id": "$item"}}
"""


def block(text: str) -> Block:
    return Block("events", (), text, 1, "a test")


def test_comments_and_broken_lines() -> None:
    assert list(lines('C> a {"b":   # why\n     1}\n\nS> [c …]\n')) == [("C", 'a {"b": 1}'), ("S", "[c …]")]


async def test_what_is_right_passes(server: RunningServer) -> None:
    replay = Replay(server.ws)
    await replay.run(block(TURN))
    assert replay.kinds == ["session.created", "conversation.item.created"]
    assert replay.names == {"$item": "msg_1"}


WRONG = {
    "an event that does not come": TURN.replace("S> session.created", "S> session.created\nS> session.updated"),
    "an event that is left out": TURN.replace("S> session.created\n", ""),
    "an event too many": TURN.removesuffix('S> conversation.item.created {"item": {"id": "$item"}}\n'),
    "another value": TURN.replace("$item", "msg_2"),
    "a field that is not there": TURN.replace('"item": {"id": "$item"}', '"response_id": "$x"'),
    "a name with two values": TURN.replace("S> session.created", 'S> session.created {"event_id": "$item"}'),
    "a list of another length": TURN.replace('"id": "$item"', '"content": []'),
    "an open door": "C> GET /v1/realtime?model=step-audio-2\nS> (HTTP 401 invalid_api_key)\n",
    "another refusal": "C> GET /v1/realtime?model=nobody\nS> (HTTP 401 invalid_api_key)\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
async def test_what_is_wrong_does_not(server: RunningServer, text: str) -> None:
    with pytest.raises(MismatchError):
        await Replay(server.ws, within_s=1.0).run(block(text))
