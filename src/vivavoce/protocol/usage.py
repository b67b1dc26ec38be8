"""What a response cost, in tokens: text as the language model counts it, audio by the rates of the platforms.

The language model here reads and writes text, so audio has no tokens of its own; clients meter by them all the same, and a
second of speech counts what it counts at the platform whose words a client speaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import msgspec

from vivavoce.protocol.json_fields import Json


@dataclass(frozen=True, slots=True)
class AudioRates:
    """Milliseconds of audio to a token: of what a user says, and of what the model says."""

    input_token_ms: int
    output_token_ms: int

    def input_tokens(self, ms: int) -> int:
        """Tokens of so much user audio; the last one may be begun only."""
        return ceil(ms / self.input_token_ms)

    def output_tokens(self, ms: int) -> int:
        """Tokens of so much of the model's speech."""
        return ceil(ms / self.output_token_ms)


OPENAI_RATES = AudioRates(100, 50)
"""OpenAI's guide to the costs of the Realtime API: a token to 100 ms of user audio, and to 50 ms of the assistant's."""

STEPFUN_RATES = AudioRates(80, 40)
"""12.5 and 25 tokens a second, of StepFun's open weights (models reference, section 2); its platform states none."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What one response cost. Text in tokens, audio in milliseconds, for each dialect to count in its own tokens.

    ``cached_text`` of the ``input_text`` was in the model's cache; ``cached_audio_ms`` of the ``input_audio_ms`` were in the
    prompt of an earlier response.
    """

    input_text: int = 0
    cached_text: int = 0
    output_text: int = 0
    input_audio_ms: int = 0
    cached_audio_ms: int = 0
    output_audio_ms: int = 0


def usage_object(usage: Usage, rates: AudioRates) -> Json:
    """The documented object (Realtime reference, 5.20; OpenAI differences, 9.4): totals are the sums of their details."""
    audio_in, cached_audio = rates.input_tokens(usage.input_audio_ms), rates.input_tokens(usage.cached_audio_ms)
    audio_out = rates.output_tokens(usage.output_audio_ms)
    input_tokens, output_tokens = usage.input_text + audio_in, usage.output_text + audio_out
    return {
        "total_tokens": input_tokens + output_tokens,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "input_token_details": {
            "cached_tokens": usage.cached_text + cached_audio,
            "text_tokens": usage.input_text,
            "audio_tokens": audio_in,
            "cached_tokens_details": {"text_tokens": usage.cached_text, "audio_tokens": cached_audio},
        },
        "output_token_details": {"text_tokens": usage.output_text, "audio_tokens": audio_out},
    }
