"""Install extras: the table agrees with the package, and a server without any of them works and says what it lacks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest

from vivavoce.extras import MODULES, Extra, installed

TESTS = Path(__file__).parent
KNOWLEDGE = "pip install 'vivavoce[knowledge]'"


def plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def declared_by(extra: str) -> set[str]:
    """What an extra installs."""
    lines = [line for line in requires("vivavoce") or () if f"extra == '{extra}'" in line.replace('"', "'")]
    return {plain(re.split(r"[^\w.-]", line)[0]) for line in lines}


APART: frozenset[Extra] = frozenset({"token2wav"})
"""Not part of ``all``: PyTorch is large, and where it is wanted at all, often a build of one's own."""


@pytest.mark.parametrize("extra", sorted(MODULES))
def test_the_table_agrees_with_the_package(extra: Extra) -> None:
    declared = declared_by(extra)
    distributions = packages_distributions()
    if extra in APART and not installed(extra):
        pytest.skip(f"its libraries are not installed: {', '.join(sorted(declared))}")
    provided = [{plain(name) for name in distributions[module]} for module in MODULES[extra]]
    assert all(names & declared for names in provided)
    assert declared <= set().union(*provided)


def test_everything_is_installed_here() -> None:
    assert all(installed(extra) for extra in MODULES.keys() - APART)


def test_all_is_every_extra_but_the_large_ones() -> None:
    assert declared_by("all") == set().union(*(declared_by(extra) for extra in MODULES.keys() - APART))


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """Of a server in a process without the libraries."""
    run = subprocess.run(
        [sys.executable, TESTS / "plain_server.py"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    answers: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return answers


def test_a_plain_server_talks(answers: dict[str, Any]) -> None:
    assert answers["chat"]
    assert answers["speech"] == 200
    assert answers["transcription"]["text"]
    assert answers["realtime"]["spoken"]
    assert answers["file deleted"]["deleted"] is True
    assert answers["imported"] == []


@pytest.mark.parametrize(
    ("asked", "extra"),
    [
        ("vector stores", "knowledge"),
        ("new vector store", "knowledge"),
        ("text of a document", "knowledge"),
        ("chat with retrieval", "knowledge"),
        ("chat with MCP", "mcp"),
        ("search", "search"),
        ("refinement", "cloning"),
    ],
)
def test_a_client_is_told_what_a_server_lacks(answers: dict[str, Any], asked: str, extra: str) -> None:
    status, code, message = answers[asked]
    assert (status, code) == (501, "not_installed")
    assert message.endswith(f": pip install 'vivavoce[{extra}]'.")


def test_a_conversation_is_told(answers: dict[str, Any]) -> None:
    code, message = answers["realtime"]["retrieval"]
    assert code == "not_installed"
    assert KNOWLEDGE in message


def test_an_operator_is_told(answers: dict[str, Any]) -> None:
    told = {line.partition(":")[0]: line for line in answers["configured"]}
    assert "pip install 'vivavoce[postgres]'" in told["storage.url"]
    assert "pip install 'vivavoce[mcp]'" in told["mcp.servers"]
    assert "pip install 'vivavoce[search]'" in told["web_search.provider"]
    assert "pip install 'vivavoce[cloning]'" in told["zipvoice"]
    assert len(told) == 4
    assert "pip install 'vivavoce[postgres]'" in answers["database"]
