"""What imports may be, beyond the layers that ``lint-imports`` keeps (``pyproject.toml``): no frameworks in the middle."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vivavoce

SOURCE = Path(vivavoce.__file__).parent
PURE = ("protocol", "session", "audio", "turns", "observe", "voices")
FRAMEWORKS = {
    "asyncio",
    "fastapi",
    "starlette",
    "typer",
    "uvicorn",
    "websockets",
    "ctranslate2",
    "onnxruntime",
    "xllamacpp",
}


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_wire_knows_formats_of_audio_but_does_nothing_with_audio() -> None:
    """``protocol`` is words; what reads and keeps samples is in ``audio``, which knows no wire."""
    for file in (SOURCE / "protocol").rglob("*.py"):
        audio = {name for name in imports_of(file) if name.startswith("vivavoce.audio")}
        assert all(name.startswith("vivavoce.audio.audio_format.") for name in audio), file


@pytest.mark.parametrize("room", PURE)
def test_the_middle_imports_no_framework(room: str) -> None:
    files = list((SOURCE / room).rglob("*.py"))
    assert files
    for file in files:
        assert not {name.split(".")[0] for name in imports_of(file)} & FRAMEWORKS, file


def test_only_the_configuration_reads_the_environment() -> None:
    """``openmp.py`` writes what native libraries read."""
    for file in SOURCE.rglob("*.py"):
        if SOURCE / "config" not in file.parents and file.name != "openmp.py":
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"os\.environ[.\[]", text), file
            assert "getenv" not in text, file


def test_the_command_line_starts_without_what_only_some_commands_need() -> None:
    heavy = "fastapi", "mcp", "onnxruntime", "ctranslate2", "sqlalchemy", "tokenizers", "trafilatura"
    program = f"import sys, vivavoce.cli; print(*({set(heavy)} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert loaded.stdout.split() == []
