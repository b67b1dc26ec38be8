"""The networks: what they are loaded from, and that they compute what the published code does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'vivavoce[token2wav]'")

import torch

from engines.token2wav.tiny import BANDS, CODEBOOK, FLOW_YAML, SPEAKER, make_token2wav
from vivavoce.engines.token2wav import conformer, estimator
from vivavoce.engines.token2wav.flow import Flow, FlowPast, Prompt, Voice
from vivavoce.engines.token2wav.flow_config import read_flow_config
from vivavoce.engines.token2wav.speech_stream import Networks, SpeechStream
from vivavoce.engines.token2wav.vocoder import FRAME_SAMPLES, NO_PHASE, Vocoder
from vivavoce.engines.token2wav.weights import load_flow, load_vocoder
from vivavoce.types import Samples

PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text())
"""What the published code (package step-audio2 1.0.0) makes of the same parameters and inputs, in 4 steps, without noise."""

TOKENS = [number * 11 % CODEBOOK for number in range(60)]


def wave(count: int, rate: float) -> torch.Tensor:
    return torch.from_numpy(np.sin(np.arange(1, count + 1) * rate)).float()


def wanted() -> None:
    """Always."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_token2wav(tmp_path_factory.mktemp("token2wav"))


@pytest.fixture(scope="module")
def flow(folder: Path) -> Flow:
    torch.set_num_threads(1)
    flow = load_flow(folder / "flow.pt", read_flow_config(folder / "flow.yaml"), steps=4)
    flow.noise = wave(400 * BANDS, 0.7).view(400, BANDS)
    return flow


@pytest.fixture(scope="module")
def vocoder(folder: Path) -> Vocoder:
    return load_vocoder(folder / "hift.pt", BANDS)


@pytest.fixture(scope="module")
def voice(flow: Flow) -> Voice:
    tokens = torch.arange(20) * 7 % CODEBOOK
    return flow.voice(Prompt(tokens, wave(40 * BANDS, 0.3).view(40, BANDS), wave(SPEAKER, 1.1)), wanted)


def mel_of(flow: Flow, voice: Voice, tokens: list[int], chunk: int = 25) -> list[torch.Tensor]:
    """Chunk by chunk."""
    chunks: list[torch.Tensor] = []
    past: FlowPast | None = None
    for start in range(0, len(tokens), chunk):
        last = start + chunk + flow.lookahead > len(tokens)
        seen = torch.tensor(tokens[start:] if last else tokens[start : start + chunk + flow.lookahead])
        mel, past = flow.chunk(voice, past, seen, last, wanted)
        chunks.append(mel)
        if last:
            break
    return chunks


def test_mel_frames_are_those_of_the_published_code(flow: Flow, voice: Voice) -> None:
    chunks = mel_of(flow, voice, TOKENS)
    assert [len(chunk) for chunk in chunks] == [50, 50, 20]
    expected = PUBLISHED["mel_every_12th_frame_and_5th_band"]
    assert torch.cat(chunks)[::12, ::5].flatten().tolist() == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_sound_is_that_of_the_published_code(vocoder: Vocoder) -> None:
    mel = wave(12 * BANDS, 0.9).view(12, BANDS)
    pitch_hz = vocoder.f0_predictor(mel.T[None])
    assert pitch_hz.tolist() == pytest.approx(PUBLISHED["pitch_hz"], rel=1e-4)
    sound = vocoder(mel, wave(12 * FRAME_SAMPLES, 0.05) * 0.2)
    assert len(sound) == 12 * FRAME_SAMPLES
    assert sound[::97].tolist() == pytest.approx(PUBLISHED["sound_every_97th"], abs=2e-4)


def test_the_source_is_that_of_the_published_code_but_at_the_ends(
    vocoder: Vocoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the published one stands still for half a frame. Both without the noise."""
    monkeypatch.setattr(torch, "randn", lambda shape, generator: torch.zeros(shape))
    source, _ = vocoder.source(wave(12 * BANDS, 0.9).view(12, BANDS), NO_PHASE, torch.Generator())
    inside = slice(3, -3)  # of every 97th sample
    assert source[::97].tolist()[inside] == pytest.approx(PUBLISHED["source_every_97th"][inside], abs=2e-4)


def test_a_source_goes_on_where_the_one_before_ended(vocoder: Vocoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "randn", lambda shape, generator: torch.zeros(shape))
    pitch_hz = torch.full((20,), 187.3)
    whole, phases = vocoder.m_source(pitch_hz, NO_PHASE, torch.Generator())
    rest, _ = vocoder.m_source(pitch_hz[8:], phases[:, 7], torch.Generator())
    assert torch.allclose(rest, whole[8 * FRAME_SAMPLES :], atol=1e-3)


def test_what_comes_later_changes_nothing_before(flow: Flow, voice: Voice) -> None:
    """Of a chunk's tokens those looked ahead to count, and none beyond."""
    usual = mel_of(flow, voice, TOKENS)
    changed = mel_of(flow, voice, [*TOKENS[:28], *(5 for _ in TOKENS[28:])])
    assert torch.equal(usual[0], changed[0])
    assert not torch.allclose(usual[1], changed[1])


def test_a_reply_does_not_change_its_voice(flow: Flow, voice: Voice) -> None:
    first = mel_of(flow, voice, TOKENS)
    again = mel_of(flow, voice, TOKENS)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


def test_two_clips_are_two_voices(flow: Flow, voice: Voice) -> None:
    other = flow.voice(Prompt(torch.arange(20), wave(40 * BANDS, 0.5).view(40, BANDS), -wave(SPEAKER, 1.1)), wanted)
    assert not torch.allclose(mel_of(flow, voice, TOKENS)[0], mel_of(flow, other, TOKENS)[0])


def test_the_past_is_bounded(flow: Flow, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformer, "PAST_TOKENS", 30)
    past: FlowPast | None = None
    for _ in range(6):
        _, past = flow.chunk(voice, past, torch.tensor(TOKENS[:28]), False, wanted)
    assert past is not None
    assert {keys.shape[2] for keys, _ in past.encoder.layers} == {30}
    assert {keys.shape[2] for keys, _ in past.encoder.up_layers} == {60}
    assert {layer.keys.shape[2] for step in past.steps for layer in step} == {estimator.PAST_FRAMES}
    assert past.frames == 40 + 6 * 50


def spoken(networks: Networks, voice: Voice, runs: list[list[int]]) -> list[Samples]:
    """Chunk by chunk, made as soon as there are the tokens for one."""
    stream = SpeechStream(networks, voice)
    chunks = []
    for run in [*runs, None]:
        if run is None:
            stream.end()
        else:
            stream.add(run)
        while stream.ready:
            chunks.append(stream.chunk(wanted))
    assert stream.finished
    return chunks


@pytest.fixture(scope="module")
def networks(flow: Flow, vocoder: Vocoder) -> Networks:
    return Networks(flow, vocoder, chunk_tokens=25)


def test_sound_does_not_depend_on_how_its_tokens_come(networks: Networks, voice: Voice) -> None:
    at_once = np.concatenate(spoken(networks, voice, [TOKENS]))
    one_by_one = np.concatenate(spoken(networks, voice, [[token] for token in TOKENS]))
    assert len(at_once) == len(TOKENS) * 960
    assert np.isfinite(at_once).all()
    assert np.abs(at_once).max() > 0.01
    assert np.array_equal(at_once, one_by_one)


def test_sound_leaves_as_soon_as_a_chunk_is_there(networks: Networks, voice: Voice) -> None:
    stream = SpeechStream(networks, voice)
    stream.add(TOKENS[:27])
    assert not stream.ready
    stream.add(TOKENS[27:28])
    assert len(stream.chunk(wanted)) == (50 - 8) * FRAME_SAMPLES
    assert not stream.ready


@pytest.mark.parametrize("count", [0, 1, 3, 25, 28, 29, 53])
def test_every_token_is_spoken(networks: Networks, voice: Voice, count: int) -> None:
    assert sum(map(len, spoken(networks, voice, [TOKENS[:count]]))) == count * 960


class Humming:
    """A vocoder that lets its source through, which keeps its pitch."""

    def __init__(self, vocoder: Vocoder) -> None:
        self._source = vocoder.m_source

    def source(
        self, mel: torch.Tensor, phase: torch.Tensor, random: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        source, phases = self._source(torch.full((len(mel),), 187.3), phase, random)
        return source, phases

    def __call__(self, _mel: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        return source.clone()


def test_chunks_meet_as_if_there_were_none(
    flow: Flow, vocoder: Vocoder, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "randn", lambda shape, generator: torch.zeros(shape))
    humming = Humming(vocoder)
    whole, _ = humming.source(torch.zeros(2 * len(TOKENS), BANDS), NO_PHASE, torch.Generator())
    chunks = spoken(Networks(flow, humming, chunk_tokens=25), voice, [TOKENS])  # type: ignore[arg-type]
    assert len(chunks) == 3
    assert np.allclose(np.concatenate(chunks), whole.numpy(), atol=1e-3)


@pytest.mark.parametrize("token", [-1, CODEBOOK])
def test_a_token_beyond_the_codebook_is_named(networks: Networks, voice: Voice, token: int) -> None:
    with pytest.raises(ValueError, match=rf"no audio token {token} in a codebook of {CODEBOOK}"):
        SpeechStream(networks, voice).add([1, token])


def test_work_that_is_not_wanted_ends_at_the_next_step(flow: Flow, voice: Voice) -> None:
    steps = 0

    def check() -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        flow.chunk(voice, None, torch.tensor(TOKENS[:28]), False, check)
    assert steps == 3


def resaved(folder: Path, tmp_path: Path, file: str, change: object) -> Path:
    parameters = torch.load(folder / file, weights_only=True)
    change(parameters)  # type: ignore[operator]
    torch.save(parameters, tmp_path / file)
    return tmp_path / file


def test_missing_unknown_and_misshapen_parameters_are_named(folder: Path, tmp_path: Path) -> None:
    config = read_flow_config(folder / "flow.yaml")

    def change(parameters: dict[str, torch.Tensor]) -> None:
        del parameters["encoder.embed.out.0.weight"], parameters["encoder_proj.bias"]
        parameters["llm.weight"] = torch.zeros(1)
        parameters["input_embedding.weight"] = torch.zeros(3, 4)

    with pytest.raises(ValueError, match=r"flow.pt lacks") as wrong:
        load_flow(resaved(folder, tmp_path, "flow.pt", change), config, 1)
    assert str(wrong.value) == (
        "flow.pt lacks encoder.embed.out.0.weight, encoder_proj.bias, and has llm.weight, which the model does not know, "
        "and has input_embedding.weight [3, 4] instead of [64, 16]"
    )


def test_half_a_weight_norm_is_named(folder: Path, tmp_path: Path) -> None:
    missing = "generator.conv_pre.parametrizations.weight.original1"
    with pytest.raises(ValueError, match=r"hift.pt lacks conv_pre.parametrizations.weight.original1"):
        load_vocoder(resaved(folder, tmp_path, "hift.pt", lambda parameters: parameters.pop(missing)), BANDS)


def test_the_older_spelling_of_weight_norm_is_the_same(folder: Path, vocoder: Vocoder, tmp_path: Path) -> None:
    def change(parameters: dict[str, torch.Tensor]) -> None:
        for name in list(parameters):
            older = name.replace("parametrizations.weight.original0", "weight_g")
            older = older.replace("parametrizations.weight.original1", "weight_v").removeprefix("generator.")
            parameters[older] = parameters.pop(name)

    loaded = load_vocoder(resaved(folder, tmp_path, "hift.pt", change), BANDS)
    assert torch.equal(loaded.conv_pre.weight, vocoder.conv_pre.weight)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x80\x02cos\nsystem\n."])
def test_what_holds_no_parameters_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hift.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"hift.pt is not a file of parameters"):
        load_vocoder(tmp_path / "hift.pt", BANDS)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("num_blocks: 2", "num_blocks: 0", r"encoder.num_blocks: Input should be greater than 0"),
        ("key_bias: true", "macaron: true", r"encoder.macaron: Extra inputs are not permitted"),
        ("'rel_selfattn'", "'selfattn'", r"encoder.selfattention_layer_type"),
        ("up_scale_factor: 2", "up_scale_factor: 3", r"up_scale_factor must be up_stride"),
        ("in_channels: 64", "in_channels: 48", r"the estimator must take four times output_size channels"),
        ("flow: !new:", "flow: !!python/object:", r"flow.yaml is not the configuration of a flow model"),
        (FLOW_YAML, "llm: 3", r"flow.yaml is not the configuration of a flow model"),
    ],
)
def test_a_configuration_that_does_not_fit_is_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in FLOW_YAML
    (tmp_path / "flow.yaml").write_text(FLOW_YAML.replace(old, new))
    with pytest.raises(ValueError, match=words):
        read_flow_config(tmp_path / "flow.yaml")
