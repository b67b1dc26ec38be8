"""A session that ends by itself: announced, its response closed, and nothing begun after it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from openai.types.realtime import RateLimitsUpdatedEvent
from openai.types.realtime import ResponseDoneEvent as GaResponseDone

from session.driving import VAD, Driven, pcm, speech
from session.mirror import Mirror
from vivavoce.errors import ClientError
from vivavoce.protocol import client_events as client
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.detection import DIALECTS
from vivavoce.protocol.dialect import Json
from vivavoce.protocol.items import NewItem, Part
from vivavoce.protocol.session_config import ResponseOverrides
from vivavoce.session.inputs import Ended, Expiring, Notification, Recognised, TimerFired
from vivavoce.session.outputs import Output, Send, StartReply, StopReply, Transcribe
from vivavoce.types import ClauseCut, Speech, TextDelta, Transcript

EXPIRED = Ended(
    ClientError("Your session hit the maximum duration of 30 minutes.", code="session_expired"), send_error=True
)
STOPPING = Ended(
    ClientError("The server is going down.", code="server_stopping", type="server_error"), send_error=False
)


def nothing(driven: Driven) -> None:
    """Nobody has spoken."""


def waiting(driven: Driven) -> None:
    driven.hear(640, 0.9)
    driven.hear(640, 0.0)
    driven.take(client.ResponseCreate())


def generating(driven: Driven) -> None:
    driven.take(client.ResponseCreate())
    driven.reply(TextDelta("Once upon a time, "), ClauseCut(0, "Once upon a time, "))


def speaking(driven: Driven) -> None:
    generating(driven)
    driven.reply(Speech(0, speech(5000)))
    driven.wait(1.0)


def written_only(driven: Driven) -> None:
    driven.take(client.ResponseCreate(response=ResponseOverrides(modalities=("text",))))
    driven.reply(TextDelta("Once upon"))


def draining(driven: Driven) -> None:
    driven.take(client.ResponseCreate())
    driven.whole_reply(("Once upon a time. ", 9000))


PLACES = [waiting, generating, speaking, written_only, draining]


@pytest.mark.parametrize("place", [nothing, *PLACES])
@pytest.mark.parametrize("end", [EXPIRED, STOPPING])
def test_what_is_open_is_closed_and_nothing_follows(place: Any, end: Ended) -> None:
    driven = Driven(VAD)
    place(driven)
    driven.take(end)
    mirror = Mirror()
    for output in driven.outputs:
        if isinstance(output, Send) and not isinstance(output.event, ev.SessionCreated):
            mirror.apply(output.event)
    mirror.agrees(driven.session)
    assert not driven.session.responses.active
    assert len(driven.events(ev.Error)) == end.send_error
    late: list[Output] = driven.take(
        client.AudioAppend(audio=pcm(500)),
        client.ResponseCreate(),
        client.ResponseCancel(),
        Notification("The timer is over."),
        TimerFired(),
        *(Recognised(work.item_id, 0, Transcript("hello", "en")) for work in driven.commands(Transcribe)),
    )
    assert not late


@pytest.mark.parametrize("place", PLACES)
def test_a_response_in_progress_says_why_it_ends(place: Any) -> None:
    driven = Driven(VAD)
    place(driven)
    before = len(driven.commands(StartReply))
    fresh = driven.take(EXPIRED)
    (done,) = driven.events(ev.ResponseDone, fresh)
    assert done.response.status == "incomplete"
    details = done.response.status_details
    assert details is not None
    assert (details.reason, details.error and details.error.code) == ("session_expired", "session_expired")
    assert any(isinstance(output, StopReply) for output in fresh)
    assert isinstance(fresh[-1], Send)
    assert isinstance(fresh[-1].event, ev.Error)
    assert len(driven.commands(StartReply)) == before, "what waited does not begin"


def test_what_was_sent_of_a_reply_stays() -> None:
    """The client plays what it has got: nobody has told it to stop."""
    driven = Driven(VAD, audio_lead_ms=2000)
    draining(driven)
    driven.wait(1.0)
    driven.take(EXPIRED)
    item = driven.events(ev.ResponseDone)[-1].response.output[0]
    assert item.status == "incomplete"
    assert "Once upon a time. ".startswith(item.parts[0].words)


def test_no_other_response_begins_after_the_one_that_was_cut() -> None:
    driven = Driven(VAD)
    speaking(driven)
    item = NewItem(type="message", role="user", content=(Part(type="input_text", text="And then?"),))
    driven.take(client.ItemCreate(item=item))
    driven.take(client.ResponseCreate(response=ResponseOverrides(conversation="none")))  # it waits
    driven.take(EXPIRED)
    assert len(driven.events(ev.ResponseCreated)) == len(driven.events(ev.ResponseDone)) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_end_is_announced_in_an_event_every_client_knows(dialect: Any) -> None:
    driven = Driven(VAD, expires_at=1_795_472_398)
    fresh = driven.take(Expiring(60.0))
    (announced,) = shaped(dialect, driven, fresh)
    assert announced["type"] == "rate_limits.updated"
    assert announced["session"] == {"expires_at": 1_795_472_398, "expires_in_seconds": 60.0}
    RateLimitsUpdatedEvent.model_validate_json(msgspec.json.encode(announced), strict=True)
    assert not driven.events(ev.Error, fresh)


def test_the_last_response_is_one_of_openais_types() -> None:
    driven = Driven(VAD)
    generating(driven)
    done = next(frame for frame in shaped("openai", driven, driven.take(EXPIRED)) if frame["type"] == "response.done")
    parsed = GaResponseDone.model_validate(done)
    assert parsed.response.status_details is not None
    assert parsed.response.status_details.error is not None
    assert parsed.response.status_details.error.code == "session_expired"


def shaped(dialect: Any, driven: Driven, outputs: list[Output]) -> list[Json]:
    return [
        frame for output in outputs if isinstance(output, Send) for frame in DIALECTS[dialect].to_client(output.event)
    ]
