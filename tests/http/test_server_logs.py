"""What a server writes down: when, and why somebody was refused; never a key."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from vivavoce.cli.local_server import free_port
from vivavoce.http.server_logs import HideKeys, LineFormatter, one_line

KEY = "a-long-random-text"
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
LINE = re.compile(rf"{STAMP} (DEBUG|INFO|WARNING|ERROR) +[\w.]+: .*")


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server as the command line starts it, and its log."""
    folder, port = tmp_path_factory.mktemp("logs"), free_port()
    log = folder / "log"
    environment = {**os.environ, "VIVAVOCE_HOME": str(folder), "VIVAVOCE_AUTH__KEYS__ME": KEY}
    command = [sys.executable, "-m", "vivavoce", "serve", "--engines", "fake", "--port", str(port)]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environment) as server:
        deadline = time.monotonic() + 60
        while "ready: " not in log.read_text():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"127.0.0.1:{port}", log
        server.terminate()


def lines_with(log: Path, trace: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if trace in line]


def test_every_line_has_its_time_and_refusals_their_reason(logged: tuple[str, Path]) -> None:
    address, log = logged
    headers = {"Authorization": f"Bearer {KEY}"}
    url = f"http://{address}/v1"
    chat = {"model": "gpt-17", "messages": [{"role": "user", "content": "private words"}]}
    assert (
        httpx.post(f"{url}/chat/completions", json=chat, headers=headers | {"X-Trace-Id": "model"}).status_code == 404
    )
    wrong = {"Authorization": "Bearer another-long-key", "X-Trace-Id": "key"}
    assert httpx.get(f"{url}/models", headers=wrong).status_code == 401
    assert httpx.get(f"{url}/no%0Asuch", headers=headers | {"X-Trace-Id": "path"}).status_code == 404
    with pytest.raises(InvalidStatus):
        connect(f"ws://{address}/v1/realtime?model=gpt-17&api_key={KEY}", additional_headers={"X-Trace-Id": "socket"})
    for trace, level, said in (
        ("model", "INFO", "POST /v1/chat/completions from 127.0.0.1: 404 model_not_found: The model 'gpt-17' does not"),
        ("key", "WARNING", "GET /v1/models from 127.0.0.1: 401 invalid_api_key: Incorrect API key provided"),
        ("path", "INFO", r"GET /v1/no\nsuch from 127.0.0.1: 404 not_found: "),
        ("socket", "INFO", "WebSocket /v1/realtime from 127.0.0.1: 404 model_not_found: "),
    ):
        (line,) = lines_with(log, f"(trace {trace})")
        assert re.match(rf"{STAMP} {level} ", line)
        assert f"refused {said}" in line
    welcome, *lines = log.read_text().splitlines()
    assert "loading the models" in welcome
    lines = [line for line in lines if not line.startswith("  ")]  # what the start says, for people
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert any("GET /v1/models" in line and "uvicorn.access" in line for line in lines)
    assert KEY not in log.read_text()
    assert "another-long-key" not in log.read_text()
    assert "private words" not in log.read_text()


def test_a_client_cannot_forge_a_line() -> None:
    assert one_line("a\n2026-01-01 forged\r\x1b[2J") == r"a\n2026-01-01 forged\r\x1b[2J"
    assert len(one_line("x" * 10_000)) == 300
    assert one_line("api_key=secret") == "api_key=[hidden]"


@pytest.mark.parametrize(
    "said",
    ["?model=x&api_key={}&x=1", "?%61pi%5Fke%79={}", "?apiK%65y={}", "?%41=1&api%4Bey={}", "?%72esume={}", "Bearer {}"],
)
@pytest.mark.parametrize("key", ["secret-part", "'secret,secret;secret?secret\"secret", "%73ecret'secret"])
def test_a_key_is_hidden_whatever_is_in_it_and_however_its_name_is_spelt(said: str, key: str) -> None:
    """Before, what came behind a comma in a key was shown, and all of it where its parameter's name was percent-encoded."""
    assert "secret" not in one_line("GET /v1/realtime" * (said[0] == "?") + said.format(key))


def test_keys_are_hidden_whoever_logs_them() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    handler.addFilter(HideKeys())
    handler.handle(logging.LogRecord("other", logging.WARNING, "", 0, "asked %s", ("/v1?api_key=secret",), None))
    assert re.fullmatch(rf"{STAMP} WARNING other: asked /v1\?api_key=\[hidden\]\n", stream.getvalue())


def formatted(record: logging.LogRecord) -> str:
    HideKeys().filter(record)
    return LineFormatter().format(record)


def test_no_logger_can_be_made_to_forge_a_line() -> None:
    """Whatever comes from outside, and whoever logs it: names of tools and models, messages of exceptions."""
    forged = "x\n2026-11-29T09:15:00.123+01:00 WARNING vivavoce: all is well\u2028\x1b[2J"
    try:
        raise ValueError(forged)
    except ValueError:
        raised = sys.exc_info()
    record = logging.LogRecord("vivavoce", logging.ERROR, "x.py", 1, "tool %s failed", (forged,), raised)
    first, *others = formatted(record).splitlines()
    assert first.endswith(r"all is well\u2028\x1b[2J failed")
    assert others
    assert all(line.startswith("    ") for line in others)


def test_the_secret_of_a_speech_file_is_hidden() -> None:
    path = "/v1/audio//speech/files//c2VjcmV0LW9mLWEtZmlsZQ.mp3"  # is served as well
    record = logging.LogRecord(
        "uvicorn.access",
        logging.INFO,
        "x.py",
        1,
        '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1", "GET", path, "1.1", 200),
        None,
    )
    assert "c2VjcmV0" not in formatted(record)
    assert "c2VjcmV0" not in one_line(f"GET {path}?x=1")
