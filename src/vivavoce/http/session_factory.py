"""What every route to a conversation does once it knows who wants which model: a session, its driver, a slot, a connection."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial

from vivavoce.config import Config
from vivavoce.engines.base import controls_of
from vivavoce.http.conversation_slots import conversation_slot
from vivavoce.http.core import Core
from vivavoce.http.key_limits import KeyTokenQuota
from vivavoce.http.principals import Principal
from vivavoce.http.session_defaults import interruption_policy, starting_config, turn_detection_defaults
from vivavoce.http.trace import trace_id
from vivavoce.protocol.dialect import DialectName
from vivavoce.protocol.translator import Translator
from vivavoce.runtime.connections import POLICY_VIOLATION, RealtimeConnection, new_resume_token
from vivavoce.runtime.driver import Driver
from vivavoce.session.known_voices import KnownVoices
from vivavoce.session.options import SessionOptions
from vivavoce.session.session import Session
from vivavoce.tiers import Model
from vivavoce.tools.session_tools import SessionTools
from vivavoce.voices.presets import PRESETS

log = logging.getLogger(__name__)

MIB = 1024 * 1024

RESUMABLE_FRAMES = 1024
"""What a client that lost its connection can have again: more than a minute of speech."""


async def begin_conversation(
    core: Core,
    model: Model,
    principal: Principal,
    options: SessionOptions,
    translator: Translator,
    *,
    resumable: bool = False,
) -> RealtimeConnection:
    """A new conversation in a slot; ``resumable``, its client is told a token. Raises ``ClientError`` without a slot."""
    engines = core.engines.of_tier(model.tier)
    slot = await conversation_slot(core, principal.owner, principal.key, lambda: conversation.end(POLICY_VIOLATION))
    session = Session(options, new_token=new_resume_token if resumable else None)
    driver = Driver(
        session,
        translator,
        engines,
        engines.language_model(model.tier),
        slot.slot,
        owner=principal.owner,
        lifetime_s=session_lifetime_s(core.config, principal),
        idle_s=core.config.limits.idle_s,
        keep_frames=RESUMABLE_FRAMES if resumable else 0,
        keep_bytes=core.config.limits.conversation_mb * MIB,
        token_quota=KeyTokenQuota(core.key_use, principal.key),
        tools=SessionTools(core.tools, principal.owner, core.config.mcp.patience_s, principal.scopes),
        resolve_voice=partial(core.voices.resolve, principal.owner, tier=model.tier, scopes=principal.scopes),
        realtime=engines.realtime.get(model.tier.name),
    )
    log.info(
        "session %s: opened by %s, model %r, tier %s, trace %s",
        session.id,
        principal.owner,
        model.name,
        model.tier.name,
        trace_id(),
    )

    key_id = principal.key.id if principal.key is not None else None
    conversation = core.connections.start(
        driver, principal.owner, session.resume_token, slot.give_back, key_id=key_id, scopes=principal.scopes
    )
    return conversation


def session_options(
    core: Core, model: Model, principal: Principal, query: Mapping[str, str], dialect: DialectName = "stepfun"
) -> SessionOptions:
    """What this server gives a new session of this model, with what the client secret it came in by says.

    ``dialect`` is the one it begins in.
    """
    config, engines = core.config, core.engines.of_tier(model.tier)
    transcribes = query.get("intent") == "transcription"
    hosted = engines.realtime.get(model.tier.name)
    perceives = config.perception.enabled and model.tier.perceives and hosted is None
    return SessionOptions(
        config=starting_config(config, model, principal.patch, dialect, transcribes=transcribes),
        turn_detection=turn_detection_defaults(config),
        voices=_known_voices(principal),
        context_tokens=(hosted or engines.language_model(model.tier)).context_tokens,
        synthesis_hz=(hosted or engines.synthesizer).rate_hz,
        hearing_hz=engines.recognition.rate_hz,
        frame_samples=engines.vad.detector.frame_samples,
        buffer_ms=config.limits.buffer_ms,
        audio_lead_ms=config.limits.audio_lead_ms,
        most_bytes=config.limits.conversation_mb * MIB,
        false_interruption_ms=config.turns.false_interruption_ms,
        reopen_ms=config.turns.reopen_ms,
        interruption=interruption_policy(config),
        lengths=core.lengths[engines.language_model_name(model.tier)],
        own_tools=core.tools.has_server_tools,
        perceives=perceives,
        announces_perception=perceives and dialect == "stepfun",
        instructs_by_perception=config.perception.instruct,
        speaks_by_perception=config.perception.style,
        controls_of=partial(controls_of, engines.synthesizer),
        thinking=config.thinking.thinking if model.tier.thinks and hosted is None else None,
        hosted=hosted is not None,
        name=config.persona.name,
        frozen=principal.frozen,
        expires_at=int(time.time() + session_lifetime_s(config, principal)),
        report_marks=query.get("marks") == "1",
    )


def session_lifetime_s(config: Config, principal: Principal) -> float:
    """How long a session may last: as the server has it, or shorter where the client secret it came in by says so."""
    most_s = config.limits.session_minutes * 60
    return most_s if principal.session_s is None else min(most_s, principal.session_s)


def _known_voices(principal: Principal) -> KnownVoices:
    """Everybody's voices, and the one of a client secret, which was found usable when the secret was made."""
    voices = KnownVoices(PRESETS.keys())
    if principal.patch is not None and isinstance(principal.patch.voice, str):
        voices.allow(principal.patch.voice)
    return voices
