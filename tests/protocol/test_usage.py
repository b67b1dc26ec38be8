"""Token counts: the totals are sums of their details, and audio counts by the platform's rate."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.generating import usages
from vivavoce.protocol.usage import OPENAI_RATES, STEPFUN_RATES, AudioRates, Usage, usage_object

every_rate = st.sampled_from([OPENAI_RATES, STEPFUN_RATES])


@given(usages, every_rate)
def test_it_adds_up(usage: Usage, rates: AudioRates) -> None:
    shown = usage_object(usage, rates)
    read, written = shown["input_token_details"], shown["output_token_details"]
    cached = read["cached_tokens_details"]
    assert shown["total_tokens"] == shown["input_tokens"] + shown["output_tokens"]
    assert shown["input_tokens"] == read["text_tokens"] + read["audio_tokens"]
    assert shown["output_tokens"] == written["text_tokens"] + written["audio_tokens"]
    assert read["cached_tokens"] == cached["text_tokens"] + cached["audio_tokens"]
    for kind in ("text_tokens", "audio_tokens"):
        assert 0 <= cached[kind] <= read[kind]


@given(usages, every_rate, st.integers(0, 10_000))
def test_more_audio_never_costs_less(usage: Usage, rates: AudioRates, more: int) -> None:
    longer = msgspec.structs.replace(
        usage, input_audio_ms=usage.input_audio_ms + more, output_audio_ms=usage.output_audio_ms + more
    )
    assert usage_object(longer, rates)["input_tokens"] >= usage_object(usage, rates)["input_tokens"]
    assert usage_object(longer, rates)["output_tokens"] >= usage_object(usage, rates)["output_tokens"]


@pytest.mark.parametrize(
    ("rates", "heard", "spoken"), [(OPENAI_RATES, 100, 200), (STEPFUN_RATES, 125, 250)], ids=["OpenAI", "StepFun"]
)
def test_ten_seconds(rates: AudioRates, heard: int, spoken: int) -> None:
    shown = usage_object(Usage(input_audio_ms=10_000, output_audio_ms=10_000), rates)
    assert shown["input_token_details"]["audio_tokens"] == heard
    assert shown["output_token_details"]["audio_tokens"] == spoken


def test_a_token_that_was_begun_counts() -> None:
    assert [OPENAI_RATES.input_tokens(ms) for ms in (0, 1, 100, 101)] == [0, 1, 1, 2]
    assert replace(OPENAI_RATES, output_token_ms=40).output_tokens(41) == 2
