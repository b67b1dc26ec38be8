"""How a session says it stands, from a turn to the end of its answer."""

from __future__ import annotations

from session.driving import VAD, Driven, speech
from vivavoce.protocol import client_events as client
from vivavoce.session.status import SessionStatus
from vivavoce.types import ClauseCut, Speech


def test_a_turn_and_its_answer() -> None:
    driven = Driven(VAD)
    assert driven.session.status == SessionStatus(interactive=False, quiet=True, queued_ms=0)
    driven.hear(1000, 1.0)
    assert driven.session.status == SessionStatus(interactive=True, quiet=True, queued_ms=0), "the user speaks"
    driven.hear(1000, 0.0)
    assert driven.session.status == SessionStatus(interactive=True, quiet=False, queued_ms=0), "it is transcribed"
    driven.transcript("hello")
    assert driven.session.status == SessionStatus(interactive=True, quiet=False, queued_ms=0), "it is answered"
    driven.reply(ClauseCut(0, "Hi."), Speech(0, speech(10_000)))
    assert driven.session.status == SessionStatus(interactive=True, quiet=False, queued_ms=7980), (
        "2 s of lead have left"
    )
    driven.take(client.ResponseCancel())
    assert driven.session.status == SessionStatus(interactive=False, quiet=True, queued_ms=0)
