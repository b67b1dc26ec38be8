"""OpenAI's Agents SDK for JavaScript against the running server: a call, and interruptions of both kinds.

The SDK for Python does the same (tried by hand, 0.24), but wants an older `websockets` than this server.
"""

from __future__ import annotations

import json
import subprocess

from clients.node_client import AGENTS_SCRIPT, NodeClient
from running import RunningServer

STORY = "You said: " + "once upon a time " * 20


def test_a_conversation(fake_server: RunningServer, node_client: NodeClient) -> None:
    command = ["node", str(node_client.folder / AGENTS_SCRIPT), f"{fake_server.ws}/v1/realtime", "gpt-realtime"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["errors"] == []
    roles, words = zip(*found["history"], strict=True)
    assert roles == (
        "user", "function_call", "assistant", "user", "assistant", "user", "assistant", "user", "assistant",
    )  # fmt: skip
    assert words[1:3] == ("the lamp is on", "You said: the lamp is on")
    for told in (words[4], words[6]):  # what the user heard of the two stories
        assert 0 < len(told) < 100
        assert STORY.startswith(told)
    assert words[8] == f"You said: {words[7]}"
    assert found["statuses"] == ["completed", "completed", "cancelled", "cancelled", "completed"]
    assert found["usage"]["total"] == found["usage"]["input"] + found["usage"]["output"]
    assert [tokens > 0 for tokens in found["audioTokens"]] == [False, True, True, True, True]
