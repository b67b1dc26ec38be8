from __future__ import annotations

import asyncio
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from scripted_server import Script, scripted_server, tone
from vivavoce import __version__
from vivavoce.cli import app
from vivavoce.cli.transcripts import TranscriptPrinter
from vivavoce.client.events import ReceivedEvent
from vivavoce.client.recording import read_audio, write_wav
from vivavoce.word_errors import count_errors

COMMANDS = ("serve", "talk", "say", "transcribe", "doctor", "models", "personas", "bench")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert result.exit_code == code, f"{result.output}\n{result.exception!r}"
    return _ANSI.sub("", result.output)


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """The scripted server on a thread of its own, since commands run their own event loop."""
    ready: list[str] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def main() -> None:
        async with scripted_server(script) as url:
            ready.append(url)
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    assert started.wait(10)
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / "question.wav"
    write_wav(path, np.concatenate([tone(200), np.zeros(2400, np.float32)]))
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert "Usage" in run(command, "--help")


def test_the_command_alone_lists_its_commands() -> None:
    text = run("--help")
    for command in COMMANDS:
        assert command in text
    assert "turn" in run("bench", "--help")
    assert __version__ in run("--version")


def test_talk_plays_a_recording_and_writes_the_reply(question: Path, tmp_path: Path) -> None:
    script = Script()
    with serving(script) as url:
        text = run("talk", str(question), "--out", str(tmp_path / "r.wav"), "--url", url, "--instructions", "Be brief.")
    for expected in ("how far is the moon", "It is far.", "the server ends the turn", "final transcript", "audible"):
        assert expected in text
    np.testing.assert_allclose(read_audio(tmp_path / "r.wav"), np.concatenate([tone(60), tone(60)]), atol=3 / 32768)
    assert script.received[0]["session"]["instructions"] == "Be brief."


def test_talk_takes_a_written_question(tmp_path: Path) -> None:
    with serving(Script()) as url:
        text = run("talk", "--text", "how far [is] it", "--out", str(tmp_path / "r.wav"), "--url", url)
    assert "how far [is] it" in text
    assert "It is far." in text
    assert len(read_audio(tmp_path / "r.wav")) == 2880


def test_talk_is_to_a_persona_of_ours_or_ones_own(tmp_path: Path) -> None:
    assert "Emotional support" in run("personas")
    mine = tmp_path / "mine.json"
    mine.write_text(run("personas", "support"), encoding="utf-8")
    for name in ("support", str(mine)):
        script = Script()
        with serving(script) as url:
            spoken = ("--language", "zh", "--text", "你好", "--voice", "alloy")
            run("talk", "--persona", name, *spoken, "--out", str(tmp_path / "r.wav"), "--url", url)
        told = script.received[0]["session"]
        assert told["instructions"].startswith("你是林")
        assert told["include"] == ["voice.perception"]
        assert told["voice"] == "alloy"  # what is said on the command line counts for more
    assert "no persona 'nobody'" in run("talk", "--persona", "nobody", "--text", "Hello", code=2)
    assert "en and zh" in run("talk", "--persona", "support", "--language", "de", "--text", "Hello", code=2)


def test_talk_says_why_there_was_no_reply(question: Path) -> None:
    with serving(Script(status="failed")) as url:
        assert "the engine broke" in run("talk", str(question), "--out", "never.wav", "--url", url, code=1)
    with serving(Script(answers=False)) as url:
        text = run("talk", str(question), "--out", "never.wav", "--url", url, "--timeout", "0.5", code=1)
        assert "did not finish a reply" in text
        assert "how far is the moon" in text
    with serving(Script(refuse=HTTPStatus.TOO_MANY_REQUESTS)) as url:
        assert "429" in run("talk", str(question), "--out", "never.wav", "--url", url, code=1)
    assert not Path("never.wav").exists()


def test_talk_refuses_two_questions_and_recordings_that_are_none(question: Path, tmp_path: Path) -> None:
    assert "not both" in run("talk", str(question), "--text", "hello", code=2)
    (tmp_path / "x.wav").write_text("no sound")
    with serving(Script()) as url:
        assert "x.wav" in run("talk", str(tmp_path / "x.wav"), "--url", url, code=1)


def test_bench_turn_reports_and_writes_json(question: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"file": "question.wav", "language": "en", "text": "how far is the moon"}\n', "utf-8")
    out = tmp_path / "report.json"
    with serving(Script()) as url:
        arguments = ["bench", "turn", "--manifest", str(manifest), "--url", url, "--runs", "2"]
        text = run(*arguments, "--json", str(out))
        assert "0.0%" in text
        assert "first audible sample" in text
        assert out.exists()
        assert "p50 then" in run(*arguments, "--baseline", str(out))


def test_bench_turn_asks_again_with_pauses(question: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"file": "question.wav", "language": "en", "text": "how far is the moon"}\n')
    arguments = ["bench", "turn", "--manifest", str(manifest), "--pauses", "20,40"]
    with serving(Script()) as url:
        text = run(*arguments, "--url", url, "--json", str(tmp_path / "r.json"))
    turns = json.loads((tmp_path / "r.json").read_text("utf-8"))["turns"]
    assert [turn["pause_ms"] for turn in turns] == [0, 20, 40]
    assert "Turn-taking" in text
    for wrong in ("20,", "0", "-5", "soon", "90000"):
        assert "--pauses are lengths" in run("bench", "turn", "--manifest", str(manifest), "--pauses", wrong, code=2)
    assert "leave out --parallel" in run(*arguments, "--parallel", "2", code=2)


def test_bench_turn_fails_when_a_conversation_gets_no_reply(question: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"file": "question.wav", "language": "en"}\n', "utf-8")
    with serving(Script(refuse=HTTPStatus.NOT_FOUND)) as url:
        text = run("bench", "turn", "--manifest", str(manifest), "--url", url, "--parallel", "2", code=1)
    assert text.count("HTTP 404") == 2


def test_bench_recognition_scores_the_recogniser_alone(question: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"file": "question.wav", "language": "en", "text": "I heard 200 milliseconds."}\n', "utf-8")
    text = run("bench", "recognition", str(manifest), "--engines", "fake")
    assert "0.0%" in text
    assert "No recording" in run(
        "bench", "recognition", str(manifest), "--group", "absent", "--engines", "fake", code=2
    )


def test_bench_endpointing_sets_cut_offs_against_waiting(tmp_path: Path) -> None:
    write_wav(tmp_path / "turn.wav", tone(1500))
    (tmp_path / "m.jsonl").write_text('{"file": "turn.wav", "language": "en"}\n', "utf-8")
    command = ("bench", "endpointing", "--engines", "fake", "--manifest", str(tmp_path / "m.jsonl"))
    text = run(*command, "--pauses", "200,900")
    assert "1 recordings, 1 speakers, 2 pauses" in text
    assert "eagerness medium" in text
    assert "whole milliseconds" in run(*command, "--pauses", "soon", code=2)
    assert "no turn" in run(*command, "--language", "ja", code=2)


def test_bench_turn_asks_its_own_questions_of_a_server_of_its_own() -> None:
    text = run("bench", "turn", "--engines", "fake", "--limit", "1", "--language", "zh")
    assert "synthesised by Vivavoce's own speakers" in text
    assert "Started a server of its own" in text


def test_say_and_transcribe_use_the_engines_directly(tmp_path: Path) -> None:
    out = tmp_path / "say.wav"
    written = re.search(r"Wrote (\d\.\d) s", run("say", "Hello, it is me now.", "--out", str(out), "--engines", "fake"))
    assert written is not None
    assert f"\ten\tI heard {round(float(written[1]) * 1000)} milliseconds." in run(
        "transcribe", str(out), "--engines", "fake"
    )
    assert "nothing in this text" in run("say", " ", "--out", str(out), "--engines", "fake", code=1)


@pytest.mark.real
@pytest.mark.parametrize(("text", "language"), [("The weather is nice today.", "en"), ("今天天气很好。", "zh")])
def test_what_is_said_is_understood(weights: Callable[[str], Path], tmp_path: Path, text: str, language: str) -> None:
    out = tmp_path / "say.wav"
    run("say", text, "--out", str(out))
    _, heard_language, heard = run("transcribe", str(out)).strip().split("\t")
    assert heard_language == language
    errors, length = count_errors(text, heard, language)
    assert errors / length <= 0.34


def test_serve_refuses_a_configuration_that_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[limits]\nsessions = 0\n", "utf-8")
    assert "limits.sessions" in run("serve", "--config", str(tmp_path / "c.toml"), code=2)
    assert "absent.toml" in run("serve", "--config", str(tmp_path / "absent.toml"), code=2)


def test_the_live_transcript_keeps_both_sides_apart() -> None:
    console = Console(file=io.StringIO(), width=100)
    printer = TranscriptPrinter(console)
    for type, fields in (
        ("response.audio_transcript.delta", {"delta": "It is "}),
        ("response.audio_transcript.delta", {"delta": "far."}),
        ("conversation.item.input_audio_transcription.completed", {"transcript": "how far"}),
        ("response.audio_transcript.delta", {"delta": "Very."}),
        ("response.done", {"response": {"status": "cancelled"}}),
        ("error", {"error": {"message": "bad"}}),
    ):
        printer(ReceivedEvent(type, 0.0, fields))
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    assert lines == [
        ["vivavoce", "It", "is", "far."],
        ["you", "how", "far"],
        ["vivavoce", "Very.", "(cancelled)"],
        ["error", "bad"],
    ]


def test_bench_service_and_persona_name_what_there_is() -> None:
    assert "shop-en" in run("bench", "service", "--business", "circus", code=2)
    assert "city guide" in run("bench", "persona", "--persona", "nobody", code=2)


def test_bench_speaking_counts_right_readings(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("en\tnumber\t21.\ttwenty-one\nen\tnumber\t22.\ttwenty-one\n", "utf-8")
    assert "50.0%" in run("bench", "speaking", "--pairs", str(pairs))
    assert "'22.'" in run("bench", "speaking", "--pairs", str(pairs), "--least", "0.9", code=1)
