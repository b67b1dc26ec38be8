"""A conversation frame by frame, with a recogniser that takes its time, as the driver runs one: sans-IO all the same."""

from __future__ import annotations

from dataclasses import dataclass

from session.driving import FRAME_MS, VAD, Driven
from vivavoce.protocol import server_events as ev
from vivavoce.protocol.session_config import TurnDetection
from vivavoce.session.inputs import PartialTranscript, Recognised
from vivavoce.session.outputs import Output, Transcribe, TranscribePartially
from vivavoce.types import Transcript


@dataclass
class _Job:
    """Work of the recogniser, done at ``due`` (seconds)."""

    due: float
    work: TranscribePartially | Transcribe
    text: str


class RealTime(Driven):
    """One recogniser that takes ``takes_s``: a newer reading displaces an older one, transcripts keep readings away."""

    def __init__(self, takes_s: float, vad: TurnDetection = VAD) -> None:
        super().__init__(vad, audio_lead_ms=1000)
        self._takes_s = takes_s
        self._jobs: list[_Job] = []
        self._seen = 0
        self._saying = ("", 0)
        self._said_ms = 0
        self.busy_until = 0.0
        self.sent_into_voice_ms = 0.0

    def speak(self, text: str, milliseconds: int) -> list[Output]:
        """The user says this for so long; words are understood once they have been said."""
        self._saying, self._said_ms = (text, milliseconds), 0
        return self._live(milliseconds, 0.9)

    def silence(self, milliseconds: int) -> list[Output]:
        """The microphone is open and nobody speaks."""
        return self._live(milliseconds, 0.0)

    def _live(self, milliseconds: int, probability: float) -> list[Output]:
        before = len(self.outputs)
        for _ in range(milliseconds // FRAME_MS):
            self._said_ms += FRAME_MS if probability else 0
            fresh = self.hear(FRAME_MS, probability)
            self._recognise()
            fresh += self.wait(FRAME_MS / 1000)
            if probability and self.session.input_turn.speaking:
                self.sent_into_voice_ms += sum(len(delta.delta) / 48 for delta in self.events(ev.AudioDelta, fresh))
        return self.outputs[before:]

    def _recognise(self) -> None:
        for output in self.outputs[self._seen :]:
            if isinstance(output, TranscribePartially):
                self._read(output)
            elif isinstance(output, Transcribe):
                self._jobs.append(_Job(max(self.now, self.busy_until) + self._takes_s, output, self._understood()))
        self._seen = len(self.outputs)
        for job in [job for job in self._jobs if job.due <= self.now]:
            self._jobs.remove(job)
            heard = Transcript(job.text, "en")
            if isinstance(job.work, TranscribePartially):
                self.take(PartialTranscript(job.work.item_id, job.work.until, heard))
            else:
                self.take(Recognised(job.work.item_id, job.work.content_index, heard))

    def _read(self, work: TranscribePartially) -> None:
        transcribing = any(isinstance(job.work, Transcribe) for job in self._jobs)
        if transcribing or self.now < self.busy_until:
            self.take(PartialTranscript(work.item_id, work.until, None))
            return
        self._jobs = [_Job(self.now + self._takes_s, work, self._understood())]

    def _understood(self) -> str:
        text, milliseconds = self._saying
        words = text.split()
        heard_ms = self._said_ms + 2 * FRAME_MS  # the detector's frames lag behind what was appended
        return " ".join(words[: len(words) * heard_ms // max(milliseconds, 1)])
