"""From what a client saw of one turn to its figures. Pure.

All times are milliseconds after the labelled end of speech, on the client's clock. The server's marks count from the
moment it ended the turn. Where that moment lies on the client's clock is told by two events that cannot arrive before
they were sent: ``input_audio_buffer.committed`` and the first audio (mark ``first_sent``). The earlier estimate is nearer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vivavoce.bench.questions import Question
from vivavoce.client.record import HeardReply
from vivavoce.client.turn import ClientTurn

STAGES = (
    ("endpoint", "the server ends the turn"),
    ("transcript", "final transcript"),
    ("first_token", "first token of the reply"),
    ("first_clause", "first clause to speak"),
    ("first_audio", "first audio made"),
    ("arrival", "first audio at the client"),
    ("audible", "first audible sample at the playout position"),
)
"""The waterfall in order: key and what it is. The step from ``arrival`` to ``audible`` is leading silence."""

_SERVER_STAGES = ("transcript", "first_token", "first_clause", "first_audio")


@dataclass(frozen=True, slots=True)
class TurnMeasure:
    """One turn. ``failure`` is empty when it got a whole reply; ``stages`` may lack keys of ``STAGES``.

    ``pause_ms`` of silence had been put into the question. ``cut_in`` means that a reply could be heard before the speech had
    ended, be it one that was withdrawn later; ``splits`` is how often the server ended the turn before the speech had ended.
    ``answers`` counts the replies that were heard, ``withdrawn`` those that were cancelled before they could be.
    ``prepared`` replies were begun before the turn was over, ``discarded`` ones too, but thrown away; ``evaluated_tokens`` is
    how many tokens of the prompt were read after it (``None``: the server does not tell). ``late_ms`` is how far this process
    was behind real time at worst, which says whether the figures can be trusted.
    """

    question: str
    language: str
    pause_ms: int = 0
    failure: str = ""
    cut_in: bool = False
    stages: dict[str, float] = field(default_factory=dict)
    leading_silence_ms: float | None = None
    underruns: int = 0
    gap_ms: float = 0.0
    splits: int = 0
    answers: int = 0
    withdrawn: int = 0
    prepared: int = 0
    discarded: int = 0
    evaluated_tokens: float | None = None
    late_ms: float = 0.0
    reply_ms: float = 0.0
    asked: str | None = None
    heard: str = ""
    said: str = ""

    @property
    def timed(self) -> bool:
        """Whether the turn counts for latency: a reply that sounds before the speech has ended does not."""
        return not self.failure and self.stages.get("audible", 0.0) >= 0

    @property
    def voice_to_voice_ms(self) -> float | None:
        """Labelled end of speech → first audible sample at the playout position; ``None`` unless ``timed``."""
        return self.stages["audible"] if self.timed else None


def measure(question: Question, turn: ClientTurn) -> TurnMeasure:
    """The figures of a turn in which ``question`` was spoken."""
    record = turn.record
    end_s = turn.spoken_at_s(question.speech_end_ms)
    reply = record.reply
    stages = stages_ms(turn, end_s)
    audible_s = [reply.audible_s for reply in record.replies if reply.audible_s is not None]
    return TurnMeasure(
        question=question.name,
        language=question.language,
        pause_ms=question.pause_ms,
        failure=_failure(turn, stages),
        cut_in=any(at_s < end_s for at_s in audible_s),
        stages=stages,
        leading_silence_ms=reply.playout.leading_silence_ms() if reply else None,
        underruns=reply.playout.underruns if reply else 0,
        gap_ms=reply.playout.gap_ms if reply else 0.0,
        splits=sum(utterance.committed_s < end_s for utterance in record.utterances),
        answers=len(audible_s),
        withdrawn=sum(one.status == "cancelled" and one.audible_s is None for one in record.replies),
        prepared=sum("prepared" in one.marks for one in record.replies),
        discarded=sum(round(one.marks.get("discarded_preparations", 0)) for one in record.replies),
        evaluated_tokens=reply.marks.get("evaluated_tokens") if reply else None,
        late_ms=turn.stream.max_late_ms,
        reply_ms=reply.playout.duration_ms if reply else 0.0,
        asked=question.text,
        heard=record.transcript,
        said=reply.transcript if reply else "",
    )


def stages_ms(turn: ClientTurn, end_s: float) -> dict[str, float]:
    """The waterfall of the turn's reply after ``end_s``; stages nobody saw are left out."""
    stages: dict[str, float] = {}
    reply = turn.record.reply
    committed = [
        utterance.committed_s
        for utterance in turn.record.utterances
        if reply is None or utterance.committed_s <= reply.created_s
    ]
    if committed:
        marks = reply.marks if reply else {}
        endpoint_ms = (_turn_ended_s(committed[-1], reply) - end_s) * 1000.0
        stages["endpoint"] = endpoint_ms
        stages |= {stage: endpoint_ms + marks[stage] for stage in _SERVER_STAGES if stage in marks}
    if reply is not None:
        stages |= _heard_stages(reply, end_s)
    return stages


def _turn_ended_s(committed_s: float, reply: HeardReply | None) -> float:
    if reply is None or reply.playout.starts_s is None or "first_sent" not in reply.marks:
        return committed_s
    return min(committed_s, reply.playout.starts_s - reply.marks["first_sent"] / 1000.0)


def _heard_stages(reply: HeardReply, end_s: float) -> dict[str, float]:
    moments = {"arrival": reply.playout.starts_s, "audible": reply.playout.first_audible_s()}
    return {stage: (at_s - end_s) * 1000.0 for stage, at_s in moments.items() if at_s is not None}


def _failure(turn: ClientTurn, stages: dict[str, float]) -> str:
    record = turn.record
    reply = record.reply
    if reply is None:
        return record.errors[-1] if record.errors else "no reply"
    if reply.status == "failed":
        return f"the response failed: {reply.failure}"
    if not record.finished:
        return "the reply did not end in time"
    if "audible" not in stages:
        return "the reply cannot be heard"
    return ""
