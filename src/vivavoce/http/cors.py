"""Cross-origin requests: which web pages may read this server's answers (WHATWG Fetch, section 3.3).

A browser asks before it lets a page of another origin send a key (a preflight), and shows the page an answer only if that names
the page's origin. That holds for answers of every kind, refusals and streams included, so the layer lies around all others.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

NOT_APPLIED_HEADER = "X-Vivavoce-Not-Applied"
"""Names what was asked for and could not be done, such as ``language`` for a text read by the rules of another."""

EXPOSED = ("X-Trace-Id", "Retry-After", "WWW-Authenticate", "Content-Disposition", NOT_APPLIED_HEADER)
"""Headers of answers that a page may read, beside those that every page may."""

ANYWHERE = "*"
"""The origin that stands for every page."""


def cross_origin(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """``app``, for pages of these origins, too; nothing is added for none.

    A page may send every header, ``Authorization`` and those of client libraries included. Cookies mean nothing here, so
    requests "with credentials" are not allowed. Browsers ask once more before a page of the internet talks to a local network;
    whose origin is listed may.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("*",),
        allow_headers=("*",),
        expose_headers=EXPOSED,
        allow_private_network=True,
    )
