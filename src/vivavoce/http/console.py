"""The console: a page at ``/`` for whoever opens the address in a browser, and the files it is made of.

It is built from ``console/`` when the package is (``console/build.py``), and asks for no key: it is a client of the public API
like any other, with the key its user enters. Where the build or the configuration left it out, ``front_page`` answers.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request
from starlette.responses import Response

from vivavoce.errors import ClientError

router = APIRouter()

PAGE = "index.html"
FOLDER = "console_files"

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "media-src 'self' blob:; font-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
"""Scripts and styles are files of this origin; what a model or a document says can become neither. Sockets of the own origin
count as ``'self'``."""

_IMMUTABLE = "public, max-age=31536000, immutable"
"""Files in ``assets`` have a digest of their content in their names."""


@dataclass(frozen=True, slots=True)
class ConsoleFile:
    """One file of the console: its bytes, the same packed, and how it is announced."""

    body: bytes
    packed: bytes | None
    media_type: str
    etag: str
    cache_control: str


@cache
def console_files() -> dict[str, ConsoleFile]:
    """Path below ``/`` → file; empty where the console was not built. A few hundred kilobytes, read once."""
    return dict(_found(files("vivavoce.http").joinpath(FOLDER), ""))


def _found(folder: Traversable, prefix: str) -> list[tuple[str, ConsoleFile]]:
    if not folder.is_dir():
        return []
    found: list[tuple[str, ConsoleFile]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _found(entry, f"{prefix}{entry.name}/")
        elif not entry.name.endswith(".gz") and not entry.name.startswith("."):
            packed = folder.joinpath(f"{entry.name}.gz")
            found.append((prefix + entry.name, _loaded(entry, packed if packed.is_file() else None, prefix)))
    return found


def _loaded(entry: Traversable, packed: Traversable | None, prefix: str) -> ConsoleFile:
    body = entry.read_bytes()
    return ConsoleFile(
        body=body,
        packed=packed.read_bytes() if packed else None,
        media_type=mimetypes.guess_type(entry.name)[0] or "application/octet-stream",
        etag=f'"{sha256(body).hexdigest()[:32]}"',
        cache_control=_IMMUTABLE if prefix == "assets/" else "no-cache",
    )


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def console_page(request: Request) -> Response:
    """The page itself, also while the models are loading: it says how far they are."""
    return _answer(request, PAGE)


@router.api_route("/favicon.svg", methods=["GET", "HEAD"], include_in_schema=False)
async def console_icon(request: Request) -> Response:
    """The page's icon."""
    return _answer(request, "favicon.svg")


@router.api_route("/assets/{name}", methods=["GET", "HEAD"], include_in_schema=False)
async def console_asset(request: Request, name: str) -> Response:
    """A script or a style sheet of the page."""
    return _answer(request, f"assets/{name}")


def _answer(request: Request, path: str) -> Response:
    file = console_files().get(path)
    if file is None:
        raise ClientError("There is no such file of the console.", code="not_found")
    headers = {**_HEADERS, "Cache-Control": file.cache_control, "ETag": file.etag, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    body = file.body
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body = file.packed
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=file.media_type, headers=headers)
