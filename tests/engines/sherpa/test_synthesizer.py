from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from engines.sherpa.tiny import make_pocket, make_zipvoice
from vivavoce.engines.base import CloningSynthesizer, EngineContext
from vivavoce.engines.pauses import CLAUSE_MS, SENTENCE_MS
from vivavoce.engines.sherpa import process
from vivavoce.engines.sherpa.families import POCKET
from vivavoce.engines.sherpa.synthesizer import SherpaSynthesizer, load_pocket, load_zipvoice
from vivavoce.errors import ClientError, EngineError, WeightsError
from vivavoce.types import Samples, SpeakOptions

pytest.importorskip("sherpa_onnx")

CLIP = (0.2 * np.sin(np.arange(48_000) * 0.05)).astype(np.float32)
ENDLESS = "Hello there, my friends. " * 750


def context(**settings: object) -> EngineContext:
    def no_weights(name: str) -> Path:
        raise WeightsError(name)

    return EngineContext(weights=no_weights, threads=1, capacity=1, settings=settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_zipvoice(tmp_path_factory.mktemp("zipvoice"))


@pytest.fixture(scope="module")
def pocket_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_pocket(tmp_path_factory.mktemp("pocket"))


@pytest.fixture(scope="module")
def loaded_zipvoice(folder: Path) -> Iterator[SherpaSynthesizer]:
    synthesizer = load_zipvoice(context(folder=str(folder)))
    yield synthesizer
    synthesizer.close()


@pytest.fixture(scope="module")
def loaded_pocket(pocket_folder: Path) -> Iterator[SherpaSynthesizer]:
    synthesizer = load_pocket(context(folder=str(pocket_folder)))
    yield synthesizer
    synthesizer.close()


def as_loaded(synthesizer: SherpaSynthesizer) -> Iterator[SherpaSynthesizer]:
    """For one test, as if it was new. The process stays, or the next test's first clause starts another."""
    patience_s = synthesizer._process._patience_s
    yield synthesizer
    synthesizer.remove_voice("me")
    synthesizer._process._patience_s = patience_s


@pytest.fixture
def zipvoice(loaded_zipvoice: SherpaSynthesizer) -> Iterator[SherpaSynthesizer]:
    yield from as_loaded(loaded_zipvoice)


@pytest.fixture
def pocket(loaded_pocket: SherpaSynthesizer) -> Iterator[SherpaSynthesizer]:
    yield from as_loaded(loaded_pocket)


@pytest.fixture(params=["zipvoice", "pocket"])
def synthesizer(request: pytest.FixtureRequest) -> SherpaSynthesizer:
    """Either of the two."""
    synthesizer: SherpaSynthesizer = request.getfixturevalue(request.param)
    return synthesizer


def pid(synthesizer: SherpaSynthesizer) -> int:
    assert synthesizer._process.pid is not None
    return synthesizer._process.pid


async def said(synthesizer: SherpaSynthesizer, text: str, voice: str = "me", speed: float = 1.0) -> list[int]:
    pieces = synthesizer.speak(text, SpeakOptions(voice, "en", speed))
    async with aclosing(pieces):
        return [len(piece) async for piece in pieces]


async def test_a_clip_speaks(synthesizer: SherpaSynthesizer) -> None:
    assert isinstance(synthesizer, CloningSynthesizer)
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    short, long = sum(await said(synthesizer, "Hello.")), sum(await said(synthesizer, "Hello there, hello there."))
    assert 0 < short < long


async def test_clips_of_another_rate_are_taken(synthesizer: SherpaSynthesizer) -> None:
    await synthesizer.add_clone("me", CLIP[::2], 12_000, "Good day.")
    assert sum(await said(synthesizer, "Hello."))


async def test_a_long_text_comes_piece_by_piece(synthesizer: SherpaSynthesizer) -> None:
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    assert len(await said(synthesizer, "Hello there. Good day. " * 12)) > 2


async def test_each_piece_has_its_own_pause(zipvoice: SherpaSynthesizer) -> None:
    """What goes on after a comma is not held up like a new sentence."""
    await zipvoice.add_clone("me", CLIP, 24_000, "Good day.")
    piece = " ".join(["better"] * 18)
    [comma, _] = await said(zipvoice, f"{piece}, {piece}.")
    [point, _] = await said(zipvoice, f"{piece}. {piece}.")
    assert point - comma == (SENTENCE_MS - CLAUSE_MS) * 24


async def test_what_each_clones(zipvoice: SherpaSynthesizer, pocket: SherpaSynthesizer) -> None:
    assert zipvoice.clones == {"en", "zh"}
    assert pocket.clones == {"en"}


async def test_zipvoice_speaks_chinese_and_any_word(zipvoice: SherpaSynthesizer) -> None:
    await zipvoice.add_clone("me", CLIP, 24_000, "你好。")
    chinese = zipvoice.speak("你好，Vivavoce。", SpeakOptions("me", "zh"))
    alone = zipvoice.speak("你好。", SpeakOptions("me", "zh"))
    assert sum([len(piece) async for piece in chinese]) > sum([len(piece) async for piece in alone]) > 0
    assert sum(await said(zipvoice, "Zxqrty.")) > 0


async def test_numbers_are_spelled_out(zipvoice: SherpaSynthesizer) -> None:
    await zipvoice.add_clone("me", CLIP, 24_000, "5800 days.")
    assert await said(zipvoice, "5.") == await said(zipvoice, "Five.")
    five = zipvoice.speak("5。", SpeakOptions("me", "zh"))
    spelled = zipvoice.speak("五。", SpeakOptions("me", "zh"))
    assert [len(piece) async for piece in five] == [len(piece) async for piece in spelled]


async def test_pocket_needs_no_words_of_the_clip(pocket: SherpaSynthesizer) -> None:
    await pocket.add_clone("me", CLIP, 24_000, "")
    assert sum(await said(pocket, "Hello.")) > 0


async def test_pocket_is_given_digits_too(pocket: SherpaSynthesizer) -> None:
    await pocket.add_clone("me", CLIP, 24_000, "")
    assert sum(await said(pocket, "5800.")) > sum(await said(pocket, "5.")) > 0


async def test_pocket_is_made_faster_and_slower(pocket: SherpaSynthesizer) -> None:
    """ZipVoice is told the speed, which the weights of these tests do not know."""
    await pocket.add_clone("me", CLIP, 24_000, "")
    usual, fast, slow = [sum(await said(pocket, "Hello there", speed=speed)) for speed in (1.0, 2.0, 0.5)]
    assert fast == pytest.approx(usual / 2, rel=0.1)
    assert slow == pytest.approx(usual * 2, rel=0.1)


async def test_silence_around_a_clip_is_not_given_to_the_model(synthesizer: SherpaSynthesizer) -> None:
    quiet = np.zeros(24_000, np.float32)
    await synthesizer.add_clone("me", np.concatenate([quiet, CLIP, quiet]), 24_000, "Good day.")
    assert len(synthesizer._clips["me"].samples) == pytest.approx(len(CLIP), abs=24_000 * 0.05)
    with pytest.raises(ClientError, match="nothing is heard in it"):
        await synthesizer.add_clone("me", quiet, 24_000, "Good day.")


async def test_what_there_are_no_words_of_says_nothing(synthesizer: SherpaSynthesizer) -> None:
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    assert await said(synthesizer, "…!") == []


async def test_only_known_voices_speak_and_only_their_languages(synthesizer: SherpaSynthesizer) -> None:
    with pytest.raises(EngineError, match="no voice 'me'"):
        await said(synthesizer, "Hello.")
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    with pytest.raises(EngineError, match="language 'ja'"):
        await anext(synthesizer.speak("Hello.", SpeakOptions("me", "ja")))
    synthesizer.remove_voice("me")
    synthesizer.remove_voice("me")
    with pytest.raises(EngineError, match="no voice 'me'"):
        await said(synthesizer, "Hello.")


@pytest.mark.parametrize("transcript", [" ", "안녕", "Привет", "今日はいい天気です。"])
async def test_zipvoice_clones_no_clip_in_another_language(zipvoice: SherpaSynthesizer, transcript: str) -> None:
    with pytest.raises(ClientError, match="what is said in it has to be known") as refused:
        await zipvoice.add_clone("me", CLIP, 24_000, transcript)
    assert (refused.value.code, refused.value.param) == ("cloning_unavailable", "kind")


async def test_closing_the_iterator_stops_the_work(synthesizer: SherpaSynthesizer) -> None:
    synthesizer._process._patience_s = 60.0  # this machine may be busy
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    before = pid(synthesizer)
    pieces = synthesizer.speak(ENDLESS, SpeakOptions("me", "en"))
    await anext(pieces)
    await pieces.aclose()
    assert sum(await said(synthesizer, "Hello."))
    assert pid(synthesizer) == before


async def test_a_process_gets_as_long_to_leave_off_as_a_new_one_needs(synthesizer: SherpaSynthesizer) -> None:
    assert process.STOP_S <= synthesizer._process._patience_s <= process.MAX_STOP_S
    synthesizer._process._patience_s = 60.0
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    before = pid(synthesizer)
    pieces = synthesizer.speak(ENDLESS, SpeakOptions("me", "en"))
    await anext(pieces)
    os.kill(before, signal.SIGSTOP)
    await pieces.aclose()
    os.kill(before, signal.SIGCONT)
    assert sum(await said(synthesizer, "Hello."))
    assert pid(synthesizer) == before


async def test_a_process_that_does_not_stop_is_ended(synthesizer: SherpaSynthesizer) -> None:
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    before = pid(synthesizer)
    pieces = synthesizer.speak(ENDLESS, SpeakOptions("me", "en"))
    await anext(pieces)
    os.kill(before, signal.SIGSTOP)
    await pieces.aclose()
    assert sum(await said(synthesizer, "Hello."))
    assert pid(synthesizer) != before


def spoken(synthesizer: SherpaSynthesizer, pieces: list[str]) -> Generator[tuple[int, Samples], None, None]:
    request = {"pieces": pieces, "prompt_tokens": [], "rate_hz": 24_000, "steps": 4, "speed": 1.0}
    return synthesizer._process.speak(request, CLIP, lambda: False)


def test_a_process_that_dies_is_replaced_and_goes_on_where_the_other_was(loaded_pocket: SherpaSynthesizer) -> None:
    places = []
    for place, _ in spoken(loaded_pocket, ["Hello there."] * 4):
        places.append(place)
        if place == 1:
            os.kill(pid(loaded_pocket), signal.SIGKILL)
    assert places == sorted(set(places))  # nothing twice
    assert {0, 1, 3} <= set(places)


def test_a_process_that_dies_every_time_is_an_error_and_the_next_clause_starts_another(
    loaded_pocket: SherpaSynthesizer,
) -> None:
    def killing_each() -> None:
        for _ in spoken(loaded_pocket, ["Hello there."] * 40):
            os.kill(pid(loaded_pocket), signal.SIGKILL)

    with pytest.raises(EngineError, match="its process ended") as caught:
        killing_each()
    assert caught.value.retriable
    assert list(spoken(loaded_pocket, ["Hello."]))


def test_an_answer_that_is_given_up_is_not_taken_for_the_next_one(loaded_pocket: SherpaSynthesizer) -> None:
    loaded_pocket._process._patience_s = 60.0
    given_up = spoken(loaded_pocket, ["Hello there."] * 40)
    next(given_up)
    given_up.close()
    assert [place for place, _ in spoken(loaded_pocket, ["Hello."])] == [0]


async def test_closing_ends_the_process(folder: Path) -> None:
    synthesizer = load_zipvoice(context(folder=str(folder)))
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    child = pid(synthesizer)
    pieces = synthesizer.speak(ENDLESS, SpeakOptions("me", "en"))
    await anext(pieces)
    synthesizer.close()
    synthesizer.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    with pytest.raises(EngineError, match="is closed"):
        async for _ in pieces:
            pass


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x08" * 100])
def test_a_wrong_model_ends_its_process_only(tmp_path: Path, content: bytes) -> None:
    folder = make_zipvoice(tmp_path / "wrong")
    (folder / "decoder.int8.onnx").write_bytes(content)
    with pytest.raises(EngineError, match=r"zipvoice: its process ended \(files in .*wrong\)"):
        load_zipvoice(context(folder=str(folder)))


def test_a_model_of_another_kind_ends_its_process_only(tmp_path: Path) -> None:
    names = [names[0] for names in POCKET.files.values()]
    folder = make_zipvoice(tmp_path / "other")
    for name in names:
        if not (folder / name).exists():
            (folder / name).write_bytes((folder / "decoder.int8.onnx").read_bytes())
    with pytest.raises(EngineError, match="pocket: its process ended"):
        load_pocket(context(folder=str(folder)))


async def test_a_vocoder_of_another_rate_is_refused(tmp_path: Path) -> None:
    folder = make_zipvoice(tmp_path / "slow", rate_hz=16_000)
    with pytest.raises(EngineError, match="16000 Hz"):
        load_zipvoice(context(folder=str(folder)))


def test_missing_files_are_named_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"encoder.int8.onnx or encoder.onnx, .*vocos_24khz.onnx, tokens.txt"):
        load_zipvoice(context(folder=str(tmp_path)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"folder": 5}, "folder"),
        ({"folder": ".", "steps": 0}, "steps"),
        ({"folder": ".", "stepz": 1}, "stepz"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        load_pocket(context(**settings))


async def test_without_tokens_of_english_only_chinese_is_spoken(tmp_path: Path) -> None:
    synthesizer = load_zipvoice(context(folder=str(make_zipvoice(tmp_path / "chinese", english=False))))
    try:
        assert synthesizer.clones == {"zh"}
        await synthesizer.add_clone("me", CLIP, 24_000, "你好。")
        with pytest.raises(EngineError, match="language 'en'"):
            await said(synthesizer, "Hello.")
    finally:
        synthesizer.close()


def test_without_tokens_of_any_language_it_does_not_load(tmp_path: Path) -> None:
    folder = make_zipvoice(tmp_path / "wrong")
    (folder / "tokens.txt").write_text("a\t0\n")
    with pytest.raises(EngineError, match=r"no tokens of Chinese or English in .*tokens\.txt"):
        load_zipvoice(context(folder=str(folder)))


async def test_a_text_without_a_known_word_is_an_error(zipvoice: SherpaSynthesizer) -> None:
    await zipvoice.add_clone("me", CLIP, 24_000, "Good day.")
    with pytest.raises(EngineError, match="knows no word of the text"):
        await said(zipvoice, "안녕")


@pytest.mark.parametrize(("load", "name"), [(load_zipvoice, "zipvoice"), (load_pocket, "pocket-tts")])
def test_without_a_folder_the_catalogue_s_weights_are_loaded(
    folder: Path, pocket_folder: Path, load: Callable[[EngineContext], SherpaSynthesizer], name: str
) -> None:
    with pytest.raises(WeightsError, match=name):
        load(context())
    wanted: list[str] = []

    def weights(name: str) -> Path:
        wanted.append(name)
        return {"zipvoice": folder, "pocket-tts": pocket_folder}[name]

    load(EngineContext(weights=weights, threads=1, capacity=1, settings={})).close()
    assert wanted == [name]


async def test_long_texts_reach_the_process_or_are_refused(synthesizer: SherpaSynthesizer) -> None:
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    before = pid(synthesizer)
    assert await said(synthesizer, "Hello." + "龘" * 10_000)
    with pytest.raises(EngineError, match="at most 20000 characters"):
        await said(synthesizer, "Hello. " * 3_000)
    assert pid(synthesizer) == before


async def test_an_empty_clip_is_no_voice(synthesizer: SherpaSynthesizer) -> None:
    with pytest.raises(ClientError, match="nothing is heard in it"):
        await synthesizer.add_clone("me", CLIP[:0], 24_000, "Good day.")


async def test_the_log_holds_no_words_of_users(
    synthesizer: SherpaSynthesizer, caplog: pytest.LogCaptureFixture
) -> None:
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    pieces = synthesizer.speak(ENDLESS, SpeakOptions("me", "en"))
    await anext(pieces)
    synthesizer._process._log.write(b"transcript: Good day.\nRuntimeError: Good day.\n")
    os.kill(pid(synthesizer), signal.SIGKILL)
    await anext(pieces)
    await pieces.aclose()
    assert "RuntimeError" in caplog.text
    assert "Good day" not in caplog.text


async def test_what_the_process_prints_does_not_pile_up(synthesizer: SherpaSynthesizer) -> None:
    told = synthesizer._process._log.fileno()
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    os.write(told, b"x" * (process.MAX_LOG_BYTES + 1))
    await said(synthesizer, "Hello.")
    assert os.fstat(told).st_size < process.MAX_LOG_BYTES


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("vivavoce.extras.installed", lambda _extra: False)
    with pytest.raises(EngineError, match=r"pip install 'vivavoce\[cloning\]'"):
        load_zipvoice(context(folder=str(folder)))


async def test_a_start_nobody_wants_is_left_to_the_next_clause(synthesizer: SherpaSynthesizer) -> None:
    await synthesizer.add_clone("me", CLIP, 24_000, "Good day.")
    synthesizer._process.end()
    request = {"pieces": ["Hello."], "prompt_tokens": [], "rate_hz": 24_000, "steps": 4, "speed": 1.0}
    assert list(synthesizer._process.speak(request, CLIP, lambda: True)) == []
    loading = pid(synthesizer)
    assert sum(await said(synthesizer, "Hello."))
    assert pid(synthesizer) == loading
