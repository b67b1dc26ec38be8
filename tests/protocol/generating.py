"""Strategies for canonical values: sessions, items, responses, and every server event."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from vivavoce.audio.audio_format import AudioFormat
from vivavoce.protocol import mcp_events as mcp
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.items import Item, Part, ServerCall
from vivavoce.protocol.session_config import (
    FunctionChoice,
    FunctionTool,
    ServerChoice,
    SessionConfig,
    Transcription,
    TurnDetection,
)
from vivavoce.protocol.tool_config import McpServerDeclaration, RetrievalDeclaration, ToolFilter, WebSearchDeclaration
from vivavoce.protocol.usage import Usage
from vivavoce.types import Citation
from vivavoce.voice_facts import Emotion, Labelled, Prosody, VoiceFacts

words = st.text(max_size=12)
ids = st.from_regex(r"[a-z]{3,4}_[a-z0-9]{1,6}", fullmatch=True)
milliseconds = st.integers(0, 60_000)
indices = st.integers(0, 5)
seconds = st.floats(0, 1e4)
names = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(words, json_values, max_size=3)
json_schemas = st.dictionaries(words.map("x-{}".format), json_values, max_size=3)
"""Of keys that mean nothing to JSON Schema: ``else`` is a word, too, and wants more than that."""

telephone = st.sampled_from(
    [AudioFormat(encoding="g711_ulaw", rate_hz=8000), AudioFormat(encoding="g711_alaw", rate_hz=8000)]
)
documented_formats = telephone | st.just(AudioFormat())
formats = documented_formats | st.builds(AudioFormat, rate_hz=st.sampled_from([8000, 16000, 24000, 48000]))

turn_detections = st.builds(
    TurnDetection,
    threshold=st.integers(0, 5000).map(lambda energy: energy / 5000),
    prefix_padding_ms=milliseconds,
    silence_duration_ms=milliseconds,
    create_response=st.booleans(),
    interrupt_response=st.booleans(),
    idle_timeout_ms=st.none() | st.integers(1000, 600_000),
) | st.builds(
    TurnDetection,
    type=st.just("semantic_vad"),
    create_response=st.booleans(),
    interrupt_response=st.booleans(),
    eagerness=st.sampled_from(["low", "medium", "high", "auto"]),
)
functions = st.builds(FunctionTool, name=names, description=words, parameters=json_schemas)
searches = st.builds(
    WebSearchDeclaration, description=words, top_k=st.integers(1, 20), timeout_seconds=st.floats(0.1, 60)
) | st.builds(
    RetrievalDeclaration,
    description=words,
    vector_store_id=names,
    prompt_template=st.none() | words,
    name=st.none() | names,
)
filters = st.builds(
    ToolFilter, tool_names=st.none() | st.lists(names, max_size=2).map(tuple), read_only=st.none() | st.booleans()
)


def tools(dialect: str) -> st.SearchStrategy[tuple[Any, ...]]:
    """Of the kinds the dialect's official types have; only GA announces what a tool server does, and asks about it."""
    if dialect == "openai_beta":
        return st.lists(functions, max_size=2).map(tuple)
    announced = dialect == "openai"
    server = st.builds(
        McpServerDeclaration,
        server_label=names,
        server_url=st.just("https://example.com/mcp"),
        server_description=st.none() | words,
        allowed_tools=st.none() | st.lists(names, max_size=2).map(tuple) | filters,
        require_approval=st.sampled_from(["always", "never"]) if announced else st.just("never"),
        announced=st.just(announced),
    )
    return st.tuples(
        st.lists(functions if announced else functions | searches, max_size=2), st.lists(server, max_size=1)
    ).map(lambda both: (*both[0], *both[1]))


EXTRAS: dict[str, Any] = {
    "include": ["item.input_audio_transcription.logprobs"],
    "tracing": {"workflow_name": "w"},
    "prompt": {"id": "p"},
    "truncation": "disabled",
    "reasoning": {"effort": "low"},
}


def tool_choices(dialect: str) -> st.SearchStrategy[Any]:
    """Likewise: the beta has no words for a tool server's tool."""
    named = st.builds(FunctionChoice, name=names.filter(lambda name: name not in ("auto", "none", "required")))
    words = st.sampled_from(["auto", "none", "required"])
    if dialect == "openai_beta":
        return words | named
    return words | named | st.builds(ServerChoice, server_label=names, name=st.none() | names)


@st.composite
def configs(
    draw: st.DrawFn, dialect: str, kind: str = "realtime", formats: st.SearchStrategy[AudioFormat] = formats
) -> SessionConfig:
    """A session of this dialect: GA does not show the temperature."""
    kept = draw(st.sets(st.sampled_from(sorted(EXTRAS))))
    return draw(
        st.builds(
            SessionConfig,
            model=st.just("gpt-realtime"),
            kind=st.just(kind),
            voice=words,
            instructions=words,
            modalities=st.sampled_from([("text", "audio"), ("text",)]),
            input_audio_format=formats,
            output_audio_format=formats,
            transcription=st.none()
            | st.builds(
                Transcription,
                model=st.just("whisper-1"),
                language=st.none() | st.sampled_from(["en", "zh-CN", "auto"]),
                prompt=st.none() | words,
            ),
            noise_reduction=st.sampled_from([None, "near_field", "far_field"]),
            turn_detection=st.none() | turn_detections,
            tools=tools(dialect) if kind == "realtime" else st.just(()),
            tool_choice=tool_choices(dialect),
            parallel_tool_calls=st.booleans(),
            temperature=st.just(0.0) if dialect == "openai" else st.floats(0, 2),
            speed=st.floats(0.25, 4),
            max_output_tokens=st.just("inf") | st.integers(1, 4096),
            extras=st.just({name: EXTRAS[name] for name in kept}),
        )
    )


transcripts = st.none() | words | st.just(msgspec.UNSET)
user_parts = st.builds(Part, type=st.just("input_text"), text=words) | st.builds(
    Part, type=st.just("input_audio"), audio=st.none() | st.binary(max_size=4), transcript=transcripts
)
reply_parts = (
    st.builds(Part, type=st.just("text"), text=words)
    | st.builds(Part, type=st.just("audio"), audio=st.none() | st.binary(max_size=4), transcript=words)
    | st.builds(Part, type=st.just("thinking"), text=words)
)
statuses = st.sampled_from(["in_progress", "completed", "incomplete"])


def messages(role: str, parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Item]:
    content = st.lists(parts, max_size=3).map(tuple)
    return st.builds(Item, id=ids, status=statuses, role=st.just(role), content=content)


messages_and_calls = st.one_of(
    messages("user", user_parts),
    messages("system", st.builds(Part, type=st.just("input_text"), text=words)),
    messages("assistant", reply_parts),
    st.builds(Item, id=ids, type=st.just("function_call"), status=statuses, call_id=ids, name=names, arguments=words),
    st.builds(Item, id=ids, type=st.just("function_call_output"), call_id=ids, output=words),
)
cited = st.builds(
    Item,
    id=ids,
    role=st.just("assistant"),
    content=st.lists(reply_parts, max_size=2).map(tuple),
    calls=st.lists(
        st.builds(
            ServerCall,
            id=ids,
            name=names,
            arguments=words,
            output=words,
            citations=st.lists(st.builds(Citation, title=words, url=st.none() | words), max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
)
of_servers = st.one_of(
    st.builds(
        Item,
        id=ids,
        type=st.just("mcp_list_tools"),
        status=statuses,
        server_label=names,
        tools=st.lists(st.fixed_dictionaries({"name": names, "input_schema": json_objects}), max_size=2).map(tuple),
    ),
    st.builds(
        Item,
        id=ids,
        type=st.just("mcp_call"),
        status=statuses,
        server_label=names,
        name=names,
        arguments=words,
        output=st.none() | words,
        error=st.none() | st.fixed_dictionaries({"type": st.just("tool_execution_error"), "message": words}),
        approval_request_id=st.none() | ids,
    ),
    st.builds(Item, id=ids, type=st.just("mcp_approval_request"), server_label=names, name=names, arguments=words),
)
errors = st.builds(
    ev.ErrorBody, type=words, code=st.none() | words, message=words, param=st.none() | words, event_id=st.none() | ids
)
details = st.one_of(
    st.none(),
    st.just(ev.StatusDetails(type="cancelled", reason="turn_detected")),
    st.just(ev.StatusDetails(type="incomplete", reason="max_output_tokens")),
    st.builds(ev.StatusDetails, type=st.just("failed"), reason=st.sampled_from([None, "error"]), error=errors),
)
tokens = st.integers(0, 2**20)
usages = st.builds(
    lambda read, cached, ms, known, **others: Usage(
        input_text=read, cached_text=min(cached, read), input_audio_ms=ms, cached_audio_ms=min(known, ms), **others
    ),
    tokens,
    tokens,
    tokens,
    tokens,
    output_text=tokens,
    output_audio_ms=tokens,
)


scores = st.floats(0, 1)
labels = st.sampled_from(["angry", "happy", "neutral", "sad"])
voice_facts = st.builds(
    VoiceFacts,
    language=st.none() | st.builds(Labelled, label=st.just("en"), score=scores),
    emotion=st.none()
    | st.builds(Emotion, label=labels, score=scores, scores=st.dictionaries(labels, scores), source=names),
    prosody=st.none() | st.builds(Prosody, f0_hz=st.none() | st.floats(60, 500), baseline_turns=st.integers(0, 25)),
    cues=st.lists(st.sampled_from(["fast", "hesitant"]), max_size=2).map(tuple),
    note=st.none() | words,
)


def server_events(
    dialect: str, formats: st.SearchStrategy[AudioFormat] = documented_formats
) -> dict[type[ev.ServerEvent], st.SearchStrategy[ev.ServerEvent]]:
    """Every canonical server event, with the content it may have."""
    sessions: dict[str, Any] = {
        "event_id": ids,
        "session_id": ids,
        "session": st.sampled_from(["realtime", "transcription"]).flatmap(lambda kind: configs(dialect, kind, formats)),
        "expires_at": st.none() | st.integers(0, 2**40),
    }
    items = messages_and_calls | cited
    if dialect == "openai":
        items |= of_servers
    of_item: dict[str, Any] = {"event_id": ids, "item_id": ids}
    new_item: dict[str, Any] = {"event_id": ids, "previous_item_id": st.none() | ids, "item": items}
    heard: dict[str, Any] = {**of_item, "content_index": indices, "requested": st.booleans()}
    responses: dict[str, Any] = {
        "event_id": ids,
        "response": st.builds(
            ev.ResponseObject,
            id=ids,
            status=st.sampled_from(["in_progress", "completed", "cancelled", "failed", "incomplete"]),
            config=configs(dialect, formats=formats),
            conversation_id=st.none() | ids,
            status_details=details,
            output=st.lists(items, max_size=2).map(tuple),
            usage=st.none() | usages,
            metadata=st.just(msgspec.UNSET) | st.none() | st.dictionaries(words, words, max_size=2),
            marks=st.just(msgspec.UNSET) | st.dictionaries(names, seconds, max_size=2),
            not_applied=st.just(msgspec.UNSET) | st.tuples(names),
        ),
    }
    of_response: dict[str, Any] = {"event_id": ids, "response_id": ids, "output_index": indices}
    of_part: dict[str, Any] = {
        **of_response,
        "item_id": ids,
        "content_index": st.integers(1, 5),
        "thoughts_before": st.integers(0, 1),
    }
    of_call: dict[str, Any] = {**of_response, "item_id": ids, "call_id": ids, "name": names}
    limit = {"name": "tokens", "limit": 9, "remaining": 3, "reset_seconds": 0.5}
    return {
        ev.Error: st.builds(ev.Error, event_id=ids, error=errors),
        ev.SessionCreated: st.builds(ev.SessionCreated, **sessions, conversation_id=st.none() | ids),
        ev.SessionUpdated: st.builds(ev.SessionUpdated, **sessions),
        ev.SpeechStarted: st.builds(ev.SpeechStarted, **of_item, audio_start_ms=milliseconds),
        ev.SpeechStopped: st.builds(
            ev.SpeechStopped, **of_item, audio_start_ms=milliseconds, audio_end_ms=milliseconds
        ),
        ev.TimeoutTriggered: st.builds(
            ev.TimeoutTriggered, **of_item, audio_start_ms=milliseconds, audio_end_ms=milliseconds
        ),
        ev.AudioCommitted: st.builds(ev.AudioCommitted, **of_item, previous_item_id=st.none() | ids),
        ev.AudioCleared: st.builds(ev.AudioCleared, event_id=ids),
        ev.ItemCreated: st.builds(ev.ItemCreated, **new_item),
        ev.ItemDone: st.builds(ev.ItemDone, **new_item),
        ev.ItemRetrieved: st.builds(ev.ItemRetrieved, event_id=ids, item=items),
        ev.ItemDeleted: st.builds(ev.ItemDeleted, **of_item),
        ev.ItemTruncated: st.builds(ev.ItemTruncated, **of_item, content_index=indices, audio_end_ms=milliseconds),
        ev.TranscriptionDelta: st.builds(
            ev.TranscriptionDelta, **heard, delta=words, text=words, start_ms=milliseconds, end_ms=milliseconds
        ),
        ev.TranscriptionCompleted: st.builds(ev.TranscriptionCompleted, **heard, transcript=words, duration_s=seconds),
        ev.TranscriptionFailed: st.builds(ev.TranscriptionFailed, **heard, error=errors),
        ev.VoicePerception: st.builds(ev.VoicePerception, **of_item, requested=st.booleans(), facts=voice_facts),
        ev.ResponseCreated: st.builds(ev.ResponseCreated, **responses),
        ev.ResponseDone: st.builds(ev.ResponseDone, **responses),
        ev.OutputItemAdded: st.builds(ev.OutputItemAdded, **of_response, item=items),
        ev.OutputItemDone: st.builds(ev.OutputItemDone, **of_response, item=items),
        ev.PartAdded: st.builds(ev.PartAdded, **of_part, part=reply_parts),
        ev.PartDone: st.builds(ev.PartDone, **of_part, part=reply_parts),
        ev.ResponseTextDelta: st.builds(ev.ResponseTextDelta, **of_part, delta=words),
        ev.ResponseTextDone: st.builds(ev.ResponseTextDone, **of_part, text=words),
        ev.AudioDelta: st.builds(ev.AudioDelta, **of_part, delta=st.binary(max_size=8)),
        ev.AudioDone: st.builds(ev.AudioDone, **of_part),
        ev.AudioTranscriptDelta: st.builds(ev.AudioTranscriptDelta, **of_part, delta=words),
        ev.AudioTranscriptDone: st.builds(ev.AudioTranscriptDone, **of_part, transcript=words),
        ev.ArgumentsDelta: st.builds(ev.ArgumentsDelta, **of_call, delta=words),
        ev.ArgumentsDone: st.builds(ev.ArgumentsDone, **of_call, arguments=words),
        mcp.McpArgumentsDelta: st.builds(mcp.McpArgumentsDelta, **of_response, item_id=ids, delta=words),
        mcp.McpArgumentsDone: st.builds(mcp.McpArgumentsDone, **of_response, item_id=ids, arguments=words),
        **{
            cls: st.builds(cls, **of_item, output_index=indices)
            for cls in (mcp.McpCallInProgress, mcp.McpCallCompleted, mcp.McpCallFailed)
        },
        **{cls: st.builds(cls, **of_item) for cls in (mcp.McpListInProgress, mcp.McpListCompleted, mcp.McpListFailed)},
        ev.ResponseThinkingDelta: st.builds(ev.ResponseThinkingDelta, **of_part, delta=words),
        ev.ThinkingDone: st.builds(ev.ThinkingDone, **of_part, thinking=words),
        ev.RateLimits: st.builds(ev.RateLimits, event_id=ids, rate_limits=st.just((limit,))),
        ev.OutputAudioCleared: st.builds(ev.OutputAudioCleared, event_id=ids, response_id=ids),
    }
