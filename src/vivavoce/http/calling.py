"""What every door to a conversation does once it knows who wants which model: a session, its driver, a seat, a call."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial

from vivavoce.config import Config
from vivavoce.http.grants import Grant
from vivavoce.http.key_limits import KeyMeter
from vivavoce.http.places import conversation_place
from vivavoce.http.serving import Serving
from vivavoce.http.starting import interruption_policy, starting_config, turn_detection_defaults
from vivavoce.http.trace import trace_id
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.calls import POLICY_VIOLATION, Call, new_resume_token
from vivavoce.runtime.driver import Driver
from vivavoce.session.known_voices import KnownVoices
from vivavoce.session.session import Session, SessionOptions
from vivavoce.tiers import Model
from vivavoce.tools.offering import SessionTools
from vivavoce.voices.presets import PRESETS

log = logging.getLogger(__name__)

MIB = 1024 * 1024

RESUMABLE_FRAMES = 1024
"""What a client that lost its connection can have again: more than a minute of speech."""


async def begin_call(
    serving: Serving,
    model: Model,
    grant: Grant,
    options: SessionOptions,
    translator: Translator,
    *,
    resumable: bool = False,
) -> Call:
    """A new conversation in a seat; ``resumable``, its client is told a token. Raises ``ClientError`` without a seat."""
    language_model = serving.engines.language_models[model.tier.language_model]
    place = await conversation_place(serving, grant.owner, grant.key, lambda: call.end(POLICY_VIOLATION))
    session = Session(options)
    session.resume_token = new_resume_token(session.id) if resumable else None
    driver = Driver(
        session,
        translator,
        serving.engines,
        language_model,
        place.seat,
        owner=grant.owner,
        lifetime_s=session_lifetime_s(serving.config, grant),
        idle_s=serving.config.limits.idle_s,
        keep_frames=RESUMABLE_FRAMES if resumable else 0,
        keep_bytes=serving.config.limits.conversation_mb * MIB,
        meter=KeyMeter(serving.key_use, grant.key),
        tools=SessionTools(serving.tools, grant.owner, serving.config.mcp.patience_s, grant.scopes),
        usable=partial(serving.voices.usable, grant.owner, tier=model.tier, scopes=grant.scopes),
    )
    log.info(
        "session %s: opened by %s, model %r, tier %s, trace %s",
        session.id,
        grant.owner,
        model.name,
        model.tier.name,
        trace_id(),
    )

    key_id = grant.key.id if grant.key is not None else None
    call = serving.calls.begin(
        driver, grant.owner, session.resume_token, place.give_back, key_id=key_id, scopes=grant.scopes
    )
    return call


def session_options(
    serving: Serving, model: Model, grant: Grant, query: Mapping[str, str], dialect: DialectName = "stepfun"
) -> SessionOptions:
    """What this server gives a new session of this model, with what the client secret it came in by says.

    ``dialect`` is the one it begins in.
    """
    config, engines = serving.config, serving.engines
    transcribes = query.get("intent") == "transcription"
    return SessionOptions(
        config=starting_config(config, model, grant.patch, dialect, transcribes=transcribes),
        turn_detection=turn_detection_defaults(config),
        voices=_known_voices(grant),
        context_tokens=engines.language_models[model.tier.language_model].context_tokens,
        speaker_hz=engines.speaker.rate_hz,
        hearing_hz=engines.recognition.rate_hz,
        frame_samples=engines.ears.detector.frame_samples,
        buffer_ms=config.limits.buffer_ms,
        audio_lead_ms=config.limits.audio_lead_ms,
        most_bytes=config.limits.conversation_mb * MIB,
        false_interruption_ms=config.turns.false_interruption_ms,
        interruption=interruption_policy(config),
        lengths=serving.lengths[model.tier.language_model],
        own_tools=serving.tools.anything,
        frozen=grant.frozen,
        expires_at=int(time.time() + session_lifetime_s(config, grant)),
        report_marks=query.get("marks") == "1",
    )


def session_lifetime_s(config: Config, grant: Grant) -> float:
    """How long a session may last: as the server has it, or shorter where the client secret it came in by says so."""
    most_s = config.limits.session_minutes * 60
    return most_s if grant.session_s is None else min(most_s, grant.session_s)


def _known_voices(grant: Grant) -> KnownVoices:
    """Everybody's voices, and the one of a client secret, which was found usable when the secret was made."""
    known = KnownVoices(PRESETS.keys())
    if grant.patch is not None and isinstance(grant.patch.voice, str):
        known.allow(grant.patch.voice)
    return known
