"""Servers with the wire of models that hear and speak for themselves, as scripts, and what is asked of them."""

from __future__ import annotations

import base64
from typing import Any

from openai_stub import DONE, Script, Step, chunk, streamed, usage
from running import Talker, silence, tone
from vivavoce.engines.fake import TOKEN_MS

FIELDS = {
    "skip_special_tokens",
    "repetition_penalty",
    "continue_final_message",
    "add_generation_prompt",
    "stop_token_ids",
}
FAST = {"first_s": 1.5, "between_s": 1.2, "retries": 0, "failures": 9, "pause_s": 0.1}


def always(steps: list[Step]) -> Script:
    return lambda asked: steps


def tts(text: str = "", count: int = 0) -> bytes:
    return chunk({"tts_content": {"tts_text": text, "tts_audio": "".join(f"<audio_{k}>" for k in range(count))}})


SPOKEN = streamed(tts("It is"), tts("", 20), tts(" far"), tts(".", 30), chunk({}, "stop"), usage(40, 60), DONE)
SPOKEN_MS = 50 * TOKEN_MS


async def ask(talker: Talker, milliseconds: int = 800) -> list[dict[str, Any]]:
    await talker.append(silence(300) + tone(milliseconds) + silence(1200))
    return await talker.until("response.done")


def pcm(events: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == "response.audio.delta")


def sound_ms(events: list[dict[str, Any]]) -> float:
    return len(pcm(events)) / 48


def words(events: list[dict[str, Any]]) -> str:
    content = events[-1]["response"]["output"][0]["content"]
    return str(content[-1].get("transcript") or content[-1].get("text"))
