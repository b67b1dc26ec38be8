"""What is left of temporary folders, and what is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from vivavoce.engines.llama.private_folder import PrivateFolder

KILLED = """
import os, signal, sys
from pathlib import Path
from vivavoce.engines.llama.private_folder import PrivateFolder
folder = PrivateFolder(Path(sys.argv[1]))
(folder.path / "7.slot").write_bytes(b"read")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_is_gone_with_its_owner_and_no_other_removes_it(tmp_path: Path) -> None:
    first = PrivateFolder(tmp_path)
    (first.path / "7.slot").write_bytes(b"read")
    second = PrivateFolder(tmp_path)
    assert (first.path / "7.slot").is_file()
    assert first.path.stat().st_mode & 0o077 == 0
    for folder in (first, second):
        folder.remove()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    [left] = tmp_path.iterdir()
    assert (left / "7.slot").is_file()
    folder = PrivateFolder(tmp_path)
    assert list(tmp_path.iterdir()) == [folder.path]
    folder.remove()
