"""What one client saw of a turn, made from the events alone: no socket, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vivavoce.client.events import ReceivedEvent
from vivavoce.client.playout import Playout


@dataclass(slots=True)
class SpokenUtterance:
    """Something the user said: when the server took the turn, and what it understood (``None`` until it says)."""

    item_id: str
    committed_s: float
    transcript: str | None = None


@dataclass(slots=True)
class HeardReply:
    """One response: its words, its sound, how it ended, and the server's marks.

    ``marks`` are milliseconds after the server ended the turn: ``speech_end`` and ``prepared`` (negative), ``endpoint`` (0),
    ``transcript``, ``first_token``, ``first_clause``, ``first_audio``, ``first_sent``; and the counts
    ``discarded_preparations`` and ``evaluated_tokens``; any may be missing. ``stopped_s`` is when a player stopped: the user
    had begun to speak, or the response was cancelled.
    """

    response_id: str
    created_s: float
    playout: Playout = field(default_factory=Playout)
    transcript: str = ""
    status: str = "in_progress"
    marks: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""
    stopped_s: float | None = None

    @property
    def audible_s(self) -> float | None:
        """When its first audible sample sounded; ``None`` for a reply without any, or one withdrawn before it was heard."""
        audible_s = self.playout.first_audible_s()
        unheard = audible_s is None or (self.stopped_s is not None and audible_s >= self.stopped_s)
        return None if unheard else audible_s

    @property
    def done(self) -> bool:
        """Whether ``response.done`` has come."""
        return self.status != "in_progress"


@dataclass(slots=True)
class TurnRecord:
    """Fold events with ``receive``; read what was heard and answered."""

    utterances: list[SpokenUtterance] = field(default_factory=list)
    replies: list[HeardReply] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    user_speaking: bool = False

    @property
    def reply(self) -> HeardReply | None:
        """The reply that counts: the last one that was not cut off by more speech."""
        uncancelled = [reply for reply in self.replies if reply.status != "cancelled"]
        return uncancelled[-1] if uncancelled else None

    @property
    def transcript(self) -> str:
        """Everything the server understood, in order."""
        return " ".join(utterance.transcript for utterance in self.utterances if utterance.transcript)

    @property
    def finished(self) -> bool:
        """The user is silent, every utterance has its transcript, and the last of them its whole reply."""
        if self.user_speaking or not self.replies:
            return False
        last = self.replies[-1]
        if not last.done or last.status == "cancelled":
            return False
        if any(utterance.transcript is None for utterance in self.utterances):
            return False
        return not self.utterances or last.created_s >= self.utterances[-1].committed_s

    def receive(self, event: ReceivedEvent) -> None:
        """Take the next event. Types that say nothing about the turn are skipped."""
        match event.type:
            case "input_audio_buffer.speech_started":
                self.user_speaking = True
                for reply in self.replies:
                    reply.stopped_s = reply.stopped_s or event.arrived_s
            case "input_audio_buffer.speech_stopped":
                self.user_speaking = False
            case "input_audio_buffer.committed":
                self.utterances.append(SpokenUtterance(event.text("item_id"), event.arrived_s))
            case "conversation.item.deleted":
                self.utterances = [u for u in self.utterances if u.item_id != event.text("item_id")]
            case "conversation.item.input_audio_transcription.completed":
                self._transcribed(event.text("item_id"), event.text("transcript"))
            case "conversation.item.input_audio_transcription.failed":
                self._transcribed(event.text("item_id"), "")
                self.errors.append(f"Transcription failed: {event.error_message}")
            case "error":
                self.errors.append(event.error_message)
            case _ if event.type.startswith("response."):
                self._receive_response(event)

    def _transcribed(self, item_id: str, transcript: str) -> None:
        for utterance in self.utterances:
            if utterance.item_id == item_id:
                utterance.transcript = transcript

    def _receive_response(self, event: ReceivedEvent) -> None:
        if event.type == "response.created":
            self.replies.append(HeardReply(event.response_id, event.arrived_s))
            return
        reply = next((reply for reply in self.replies if reply.response_id == event.response_id), None)
        if reply is None:
            return
        match event.type:
            case "response.audio.delta":
                reply.playout.add(event.samples, event.arrived_s)
            case "response.audio_transcript.delta" | "response.text.delta":
                reply.transcript += event.text("delta")
            case "response.done":
                self._end(reply, event)

    @staticmethod
    def _end(reply: HeardReply, event: ReceivedEvent) -> None:
        response = event.nested("response")
        reply.status = str(response.get("status") or "completed")
        if reply.status == "cancelled":
            reply.stopped_s = reply.stopped_s or event.arrived_s
        marks = response.get("marks")
        reply.marks = {key: float(ms) for key, ms in marks.items() if ms is not None} if marks else {}
        details = response.get("status_details")
        if reply.status == "failed":
            error = details.get("error") if isinstance(details, Mapping) else None
            reply.failure = str(error.get("message") if isinstance(error, Mapping) else details or "no reason given")
