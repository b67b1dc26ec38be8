"""What well-behaved clients of each dialect send, as strategies for JSON objects, and ways to spoil it."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import strategies as st

from protocol.generating import ids, json_schemas, json_values, milliseconds, names, words

Json = dict[str, Any]


def objects(required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(required, optional=optional or {})


base64s = st.binary(max_size=6).map(lambda data: base64.b64encode(data).decode())
nothing = st.none()
languages = st.sampled_from(["en", "zh-CN", "nb-NO", "auto", "multi", "english", "Mandarin"])
functions: dict[str, Any] = {"name": names, "description": words, "parameters": json_schemas}
flat_tools = objects({"type": st.just("function"), **functions})
nested_tools = objects({"type": st.just("function"), "function": objects(functions)})
choices = st.sampled_from(["auto", "none", "required"]) | objects({"type": st.just("function"), "name": names})
max_tokens = st.integers(1, 4096) | st.just("inf")
flat_formats = st.sampled_from(["pcm16", "g711_ulaw", "g711_alaw", "pcm16_8000", "pcm16_16000", "pcm16_48000"])
ga_formats = st.sampled_from(
    [{"type": "audio/pcmu"}, {"type": "audio/pcma"}, {"type": "audio/pcm"}, {"type": "audio/pcm", "rate": 16000}]
)
transcription = nothing | objects({}, {"model": words, "language": languages, "prompt": words})
noise_reduction = nothing | st.sampled_from([{"type": "near_field"}, {"type": "far_field"}])
energy_vad = nothing | objects(
    {"type": st.just("server_vad")},
    {
        "prefix_padding_ms": milliseconds,
        "silence_duration_ms": milliseconds,
        "energy_awakeness_threshold": st.integers(0, 5000),
    },
)
vad = nothing | objects(
    {"type": st.sampled_from(["server_vad", "semantic_vad"])},
    {
        "threshold": st.floats(0, 1) | nothing,
        "prefix_padding_ms": milliseconds | nothing,
        "silence_duration_ms": milliseconds,
        "create_response": st.booleans(),
        "interrupt_response": st.booleans(),
        "eagerness": st.sampled_from(["low", "medium", "high", "auto"]),
    },
)
unknown = {"something_new": json_values, "model": words}

beta_session = objects(
    {},
    {
        "modalities": st.sampled_from([["text", "audio"], ["audio", "text"], ["text"], None]),
        "instructions": words | nothing,
        "voice": words,
        "input_audio_format": flat_formats,
        "output_audio_format": flat_formats,
        "input_audio_transcription": transcription,
        "input_audio_noise_reduction": noise_reduction,
        "turn_detection": vad,
        "tools": st.lists(flat_tools | nested_tools, max_size=2) | nothing,
        "tool_choice": choices,
        "temperature": st.floats(0.6, 1.2),
        "speed": st.floats(0.25, 1.5),
        "max_response_output_tokens": max_tokens,
        "tracing": nothing | st.just("auto"),
        **unknown,
    },
)
stepfun_session = objects(
    {},
    {
        "modalities": st.just(["text", "audio"]),
        "instructions": words | nothing,
        "voice": words,
        "input_audio_format": flat_formats,
        "output_audio_format": flat_formats,
        "input_audio_transcription": nothing,
        "turn_detection": energy_vad,
        "tools": st.lists(flat_tools | nested_tools, max_size=2),
        "tool_choice": st.just("auto"),
        "temperature": st.just(0.8),
        "max_response_output_tokens": max_tokens | st.just("4096"),
        "built_in_tools": st.just(["web_search"]),
        "threshold": st.just(0.5),
        **unknown,
    },
)
ga_session = objects(
    {"type": st.sampled_from(["realtime", "transcription"])},
    {
        "output_modalities": st.sampled_from([["audio"], ["text"]]),
        "instructions": words,
        "tools": st.lists(flat_tools, max_size=2),
        "tool_choice": choices,
        "parallel_tool_calls": st.booleans(),
        "max_output_tokens": max_tokens,
        "audio": nothing
        | objects(
            {},
            {
                "input": nothing
                | objects(
                    {},
                    {
                        "format": ga_formats,
                        "noise_reduction": noise_reduction,
                        "transcription": transcription,
                        "turn_detection": vad,
                    },
                ),
                "output": objects(
                    {},
                    {
                        "format": ga_formats,
                        "voice": words | st.fixed_dictionaries({"id": words}),
                        "speed": st.floats(0.25, 1.5),
                    },
                ),
            },
        ),
        "include": st.just([]),
        "tracing": nothing | st.just("auto"),
        "truncation": st.just("auto"),
        **unknown,
    },
)

said = objects({"type": st.just("input_text"), "text": words}) | objects(
    {"type": st.just("input_audio"), "audio": base64s}, {"transcript": words | nothing}
)


def items(reply_text: str) -> st.SearchStrategy[Json]:
    """New items, where a reply's text part is called ``reply_text``."""
    replied = objects({"type": st.just(reply_text), "text": words})
    message = {"type": st.just("message")}
    optional: dict[str, Any] = {"id": ids, "status": st.just("completed"), "object": st.just("realtime.item")}
    call = {"type": st.just("function_call"), "name": names, "call_id": ids, "arguments": words}
    return st.one_of(
        objects({**message, "role": st.just("user"), "content": st.lists(said, max_size=2)}, optional),
        objects({**message, "role": st.just("assistant"), "content": st.lists(replied, max_size=2)}, optional),
        objects(call, optional),
        objects({"type": st.just("function_call_output"), "call_id": ids, "output": words}, optional),
    )


metadata = nothing | st.dictionaries(words, words, max_size=3)
overriding: dict[str, Any] = {"conversation": st.sampled_from(["auto", "none"]), "metadata": metadata}
SESSIONS = {"stepfun": stepfun_session, "openai_beta": beta_session, "openai": ga_session}
REPLY_TEXT = {"stepfun": "text", "openai_beta": "text", "openai": "output_text"}


def client_events(dialect: str) -> dict[str, st.SearchStrategy[Json]]:
    """Wire name → what a client of this dialect sends."""
    session, item = SESSIONS[dialect], items(REPLY_TEXT[dialect])
    reference = objects({"type": st.just("item_reference"), "id": ids})
    overrides = st.builds(
        lambda fields, more: {**fields, **more},
        session,
        objects({}, {**overriding, "input": st.lists(item | reference, max_size=2)}),
    )
    fields: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "session.update": ({"session": session}, {}),
        "input_audio_buffer.append": ({"audio": base64s}, {}),
        "input_audio_buffer.commit": ({}, {}),
        "input_audio_buffer.clear": ({}, {}),
        "conversation.item.create": ({"item": item}, {"previous_item_id": ids | nothing}),
        "conversation.item.delete": ({"item_id": ids}, {}),
        "conversation.item.retrieve": ({"item_id": ids}, {}),
        "conversation.item.truncate": ({"item_id": ids, "content_index": st.just(0), "audio_end_ms": milliseconds}, {}),
        "response.create": ({}, {"response": overrides | nothing}),
        "response.cancel": ({}, {"response_id": ids | nothing}),
        "output_audio_buffer.clear": ({}, {}),
    }
    if dialect == "openai_beta":
        fields["transcription_session.update"] = ({"session": session}, {})
    return {
        name: objects({"type": st.just(name), **required}, {**optional, "event_id": ids | nothing})
        for name, (required, optional) in fields.items()
    }


junk = json_values | st.sampled_from(
    [10**40, -1, 1e308, True, "", [], {}, [[]], {"type": "x"}, "\x00", "²", "9" * 5000]
)


@st.composite
def spoiled(draw: st.DrawFn, event: Json) -> Json:
    """A copy of ``event`` with up to three values, at any depth, replaced by junk, taken away or joined by junk."""
    result: Json = draw(st.just(event).map(_copy))
    for _ in range(draw(st.integers(1, 3))):
        inner: Any = result
        while True:
            keys: list[Any] = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(inner[key], dict | list) and draw(st.booleans()):
                inner = inner[key]
                continue
            if isinstance(inner, dict) and draw(st.booleans()):
                del inner[key]
            else:
                inner[key] = _copy(draw(junk))
            break
    return result


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value
