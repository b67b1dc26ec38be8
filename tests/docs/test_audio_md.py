"""The pages on speech, transcription and embeddings against the code: every field, every limit, the status of every error."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.markdown import DOCS, codes, rows
from vivavoce.audio.encoding import CONTENT_TYPES
from vivavoce.http.embeddings import MAX_TOKENS, MAX_TOKENS_EACH
from vivavoce.http.errors import STATUS_OF_CODE
from vivavoce.http.recordings import MAX_BYTES
from vivavoce.protocol.embeddings import MAX_INPUTS, EmbeddingsRequest
from vivavoce.protocol.speech import SpeechRequest
from vivavoce.protocol.transcription import MAX_HOTWORDS, MAX_PROMPT_CHARACTERS, TranscriptionFields

SPEECH, TRANSCRIPTION = DOCS / "speech.md", DOCS / "transcription.md"
EMBEDDINGS = DOCS / "embeddings.md"


def named(cells: list[list[str]]) -> set[str]:
    """What the first column names."""
    return {code for row in cells for code in codes(row[0])}


def test_every_field_of_speech() -> None:
    assert named(rows(SPEECH, "Request")) == set(SpeechRequest.model_fields)


def test_every_format_of_speech() -> None:
    (formats,) = [row[1] for row in rows(SPEECH, "Request") if row[0] == "`response_format`"]
    assert set(codes(formats)) == set(CONTENT_TYPES)


def test_every_field_of_transcription() -> None:
    told = named(rows(TRANSCRIPTION, "Files"))
    assert told == {"file", *TranscriptionFields.model_fields} - {"keywords", "languages", "chunking_strategy"}


def test_the_limits_of_transcription() -> None:
    text = TRANSCRIPTION.read_text()
    assert f"up to {MAX_BYTES // 1024**2} MB" in text
    assert f"up to {MAX_PROMPT_CHARACTERS} characters" in text
    assert f"a JSON list, up to {MAX_HOTWORDS}" in text


def test_every_field_and_limit_of_embeddings() -> None:
    cells = rows(EMBEDDINGS, "Request")
    assert named(cells) == set(EmbeddingsRequest.model_fields)
    told = next(f"{row[1]} {row[3]}" for row in cells if row[0] == "`input`")
    for limit in (MAX_INPUTS, MAX_TOKENS_EACH, MAX_TOKENS):
        assert str(limit) in told


def test_the_statuses_of_embeddings() -> None:
    for code, status, _ in rows(EMBEDDINGS, "Errors"):
        assert int(status) == STATUS_OF_CODE.get(codes(code)[0], 400)


@pytest.mark.parametrize("page", [SPEECH, TRANSCRIPTION], ids=["speech", "transcription"])
def test_the_statuses_of_errors(page: Path) -> None:
    for code, status, _ in rows(page, "Limits and errors"):
        assert int(status) == STATUS_OF_CODE.get(codes(code)[0], 400)
