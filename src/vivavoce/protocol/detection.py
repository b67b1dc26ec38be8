"""Which dialect a connection speaks (OpenAI differences, section 1). Pure: the route says what it saw, one event may tell more.

In this order:

1. the query says so: ``dialect=stepfun | openai | openai-beta`` (also ``ga``, ``beta``);
2. the header ``OpenAI-Beta: realtime=v1``, or the sub-protocol ``openai-beta.realtime-v1``, means the beta, except for a
   StepFun model. StepFun's own clients send them (the browser demo the sub-protocol, ``livekit-plugins-stepfun`` the header,
   because their libraries come from the beta's) and yet live on StepFun's ways: transcripts they never asked for, thoughts.
   OpenAI's beta clients understand StepFun's dialect: its event names are theirs, what it has more they ignore, and tools
   are read flat and nested;
3. else the dialect is undetected. It begins as the model's default, with a ``session.created`` that everyone can read, and the
   first ``session.update``, ``response.create`` or ``conversation.item.create`` settles it, by its shape or by not objecting.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace
from typing_extensions import override

from vivavoce.errors import ClientError
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.client_events import AnyClientEvent, SessionUpdate
from vivavoce.protocol.dialect import Dialect, DialectName, Json, decode_object, parse
from vivavoce.protocol.item_translation import GA_PART_TYPES
from vivavoce.protocol.openai import OpenAI
from vivavoce.protocol.openai_beta import OpenAIBeta
from vivavoce.protocol.stepfun import StepFun

DIALECTS: Mapping[DialectName, Dialect] = {
    "stepfun": StepFun(),
    "openai_beta": OpenAIBeta(),
    "openai": OpenAI(),
}

QUERY_NAMES: Mapping[str, DialectName] = {
    "stepfun": "stepfun",
    "openai": "openai",
    "ga": "openai",
    "openai-beta": "openai_beta",
    "beta": "openai_beta",
}

BETA_HEADER = "realtime=v1"
BETA_SUBPROTOCOL = "openai-beta.realtime-v1"

DETECTING_EVENTS = ("session.update", "response.create", "conversation.item.create", "transcription_session.update")
"""Client events whose shape differs between the dialects: the first of them settles an undetected dialect."""

_FLAT = (
    "modalities", "voice", "input_audio_format", "output_audio_format", "input_audio_transcription", "turn_detection",
    "max_response_output_tokens",
)  # fmt: skip
_STEPFUN_TOOLS = ("web_search", "retrieval")


class UndetectedDialect(Dialect):
    """The dialect of a connection that has not told yet: its model's, with a ``session.created`` readable by everyone.

    ``ga_voice`` is the voice of a client that turns out to speak GA and names none; without it the session's stays.
    """

    def __init__(self, assumed: DialectName, ga_voice: str | None = None) -> None:
        self.name: DialectName = assumed
        self.ga_voice = ga_voice
        self._dialect = DIALECTS[assumed]

    @override
    def to_canonical(self, event: Json) -> Json:
        return self._dialect.to_canonical(event)

    @override
    def session_to_canonical(self, session: Any, param: str) -> Json:
        return self._dialect.session_to_canonical(session, param)

    @override
    def to_client(self, event: ev.ServerEvent) -> list[Json]:
        """As the assumed dialect; only the first session has all spellings."""
        frames = self._dialect.to_client(event)
        if isinstance(event, ev.SessionCreated):
            session: Json = {}
            in_ga = event
            if self.ga_voice is not None:
                in_ga = replace(event, session=replace(event.session, voice=self.ga_voice))
            for dialect in (*DIALECTS.values(), self._dialect):
                in_dialect = in_ga if dialect.name == "openai" else event
                session |= dialect.to_client(in_dialect)[0]["session"]
            frames[0] = {**frames[0], "session": session}
        return frames


def detect(
    query: str | None,
    beta_header: str | None,
    subprotocols: Collection[str],
    default: DialectName,
    ga_voice: str | None = None,
) -> Dialect:
    """The dialect as the handshake tells it: one of ``DIALECTS``, or an ``UndetectedDialect``.

    ``query`` is the value of ``dialect``, ``beta_header`` that of ``OpenAI-Beta``, ``default`` what the model's clients
    speak, ``ga_voice`` as in ``UndetectedDialect``, for connections that begin in StepFun's. Raises ``ClientError`` (``param``
    ``dialect``) on a name nobody speaks.
    """
    if query is not None:
        if query not in QUERY_NAMES:
            raise ClientError(f"Dialects are {', '.join(QUERY_NAMES)}.", param="dialect")
        return DIALECTS[QUERY_NAMES[query]]
    headers = {value.strip() for value in (beta_header or "").split(",")}
    if default != "stepfun" and (BETA_HEADER in headers or BETA_SUBPROTOCOL in subprotocols):
        return DIALECTS["openai_beta"]
    return UndetectedDialect(default, ga_voice if default == "stepfun" else None)


def detect_and_decode(frame: str | bytes, dialect: UndetectedDialect) -> tuple[AnyClientEvent, Dialect]:
    """One client frame, and the dialect from here on: the undetected one as long as nothing has settled it.

    Raises ``ClientError`` as ``decode`` does; a refused event settles nothing.
    """
    event = parse(frame)
    kind = event.get("type")
    if kind not in DETECTING_EVENTS:
        return decode_object(event, dialect), dialect
    detected = DIALECTS[detected_dialect(event, dialect.name)]
    decoded = decode_object(event, detected)
    if detected.name == "openai" and dialect.ga_voice is not None and isinstance(decoded, SessionUpdate):
        requested_voice = decoded.session.voice
        speaks = decoded.session.kind != "transcription"
        voice = dialect.ga_voice if speaks and requested_voice is msgspec.UNSET else requested_voice
        decoded = replace(decoded, session=replace(decoded.session, voice=voice))
    return decoded, detected


def detected_dialect(event: Json, assumed: DialectName) -> DialectName:
    """The dialect a settling event is written in: what only one dialect says, else the assumed one."""
    match event["type"]:
        case "transcription_session.update":
            return "openai_beta"
        case "conversation.item.create":
            return "openai" if _has_ga_parts(event.get("item")) else assumed
    session = event.get("session" if "session" in event else "response")
    if not isinstance(session, dict):
        return assumed
    if session.get("type") in ("realtime", "transcription"):
        return "openai"
    if isinstance(session.get("audio"), dict) or "output_modalities" in session:
        return "openai"
    if _is_stepfun(session):
        return "stepfun"
    if assumed == "openai" and any(name in session for name in _FLAT):
        return "openai_beta"
    return assumed


def _is_stepfun(session: Json) -> bool:
    vad = session.get("turn_detection")
    if isinstance(vad, dict) and "energy_awakeness_threshold" in vad:
        return True
    return any("function" in tool or tool.get("type") in _STEPFUN_TOOLS for tool in _objects(session.get("tools")))


def _has_ga_parts(item: Any) -> bool:
    content = item.get("content") if isinstance(item, dict) else None
    return any(part.get("type") in GA_PART_TYPES.values() for part in _objects(content))


def _objects(values: Any) -> Iterable[Json]:
    return (value for value in values if isinstance(value, dict)) if isinstance(values, list) else ()
