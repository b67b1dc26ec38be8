"""Client events that are written alike in every dialect but for the session in them."""

from __future__ import annotations

from vivavoce.protocol.item_translation import read_item
from vivavoce.protocol.json_fields import Json, Reader, read_base64


def read_event(event: Json, read_session: Reader, read_overrides: Reader, *, under_vad: bool) -> Json:
    """A client event in the canonical shape. ``under_vad``: whether a commit is allowed during voice activity detection."""
    match event["type"]:
        case "session.update":
            return {**event, "session": read_session(event.get("session"), "session")}
        case "response.create":
            overrides = event.get("response")
            return {**event, "response": read_overrides({} if overrides is None else overrides, "response")}
        case "conversation.item.create":
            # OpenAI's server takes an empty string for "at the end" (seen of its own typed clients).
            previous = None if event.get("previous_item_id") == "" else event.get("previous_item_id")
            return {**event, "item": read_item(event.get("item"), "item"), "previous_item_id": previous}
        case "input_audio_buffer.append" if "audio" in event:
            return {**event, "audio": read_base64(event["audio"], "audio")}
        case "input_audio_buffer.commit":
            return {**event, "under_vad": under_vad}
        case _:
            return event
