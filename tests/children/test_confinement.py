"""Child processes have no network, start nothing, and see no files but Python's and those they are given."""

from __future__ import annotations

import json
import logging
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from vivavoce.children.command import child_command, child_environment, report_confinement
from vivavoce.children.confinement import FILES, NETWORK
from vivavoce.children.seccomp import DENIED

NETWORK_ATTEMPTS = {"socket", "udp", "unix", "connect", "pair", "fork", "exec", "kill", "ptrace"}
FILE_ATTEMPTS = {"secret", "environment", "passwd", "list", "write", "tmp"}
ALLOWED = {"given", "null", "thread", "library"}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("probed")
    (folder / "secret").write_text("a key")
    (folder / "given").mkdir()
    (folder / "given" / "file").write_text("a model")
    environment = child_environment()
    environment["PYTHONPATH"] += os.pathsep + str(Path(__file__).parent)
    ended = subprocess.run(
        child_command("probing", [folder / "given"]),
        env={**environment, "PROBED": str(folder)},
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    found: dict[str, str] = json.loads(ended.stdout)
    return found


def test_what_it_needs_it_has(outcomes: dict[str, str]) -> None:
    assert {name for name in ALLOWED if outcomes[name] != "done"} == set()


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in DENIED, reason="no seccomp filter for this system"
)
def test_no_network_and_no_other_programs(outcomes: dict[str, str]) -> None:
    if NETWORK in outcomes["refused"]:
        pytest.skip("this kernel keeps no seccomp filter, and the child says so")
    assert {name: outcomes[name] for name in NETWORK_ATTEMPTS} == dict.fromkeys(NETWORK_ATTEMPTS, "EPERM")


@pytest.mark.skipif(sys.platform != "linux", reason="landlock is Linux's")
def test_no_files(outcomes: dict[str, str]) -> None:
    if FILES in outcomes["refused"]:
        pytest.skip("this kernel has no landlock, and the child says so")
    assert {name: outcomes[name] for name in FILE_ATTEMPTS} == dict.fromkeys(FILE_ATTEMPTS, "EACCES")


def test_what_the_system_cannot_keep_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        report_confinement([NETWORK])
        report_confinement([])
    first, second = caplog.records
    assert (first.levelname, NETWORK in first.message) == ("WARNING", True)
    assert (second.levelname, "kept from" in second.message) == ("INFO", True)
