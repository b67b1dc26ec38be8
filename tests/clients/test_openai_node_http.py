"""openai-node over HTTP: Responses, embeddings and speech, as applications in JavaScript ask for them."""

from __future__ import annotations

import json
import subprocess

from clients.node_client import HTTP_SCRIPT, NodeClient
from running import RunningServer


def test_every_request_is_answered(fake_server: RunningServer, node_client: NodeClient) -> None:
    command = ["node", str(node_client.folder / HTTP_SCRIPT), f"{fake_server.http}/v1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["text"], found["streamed"]) == ("You said: Good morning.", "You said: And you?")
    assert found["events"] == [
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
    assert (found["call"]["name"], json.loads(found["call"]["arguments"])) == ("lamp", {"on": True})
    assert found["told"] == "You said: The lamp is on."
    assert found["dimensions"] == [256, 256]
    assert found["speech"] == "RIFF"
    assert found["refusal"] == {"status": 400, "code": "unsupported_content", "param": "input[0].content[0]"}
