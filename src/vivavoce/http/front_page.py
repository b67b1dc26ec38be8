"""``GET /``: a page for whoever opens the address in a browser. It asks for no key and tells no more than ``/health``."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from vivavoce import __version__
from vivavoce.http.health import Health, health_of
from vivavoce.http.lifecycle import app_state_of, lifecycle_of

router = APIRouter()

_STATUS: dict[Health, str] = {
    "ok": "The server is <strong>ready</strong>.",
    "loading": "The server is <strong>loading its models</strong>. This page looks again by itself.",
    "failed": "The server <strong>could not load its models</strong>; its log says why.",
}

_REFRESH_S = 3

_DESCRIBED = '<li><a href="docs">All HTTP endpoints</a>, also as <a href="openapi.json">OpenAPI</a></li>\n'

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">{refresh}
<title>Vivavoce</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; color-scheme: light dark; }}
code {{ font-size: 0.95em; }}
</style>
</head>
<body>
<h1>Vivavoce</h1>
<p>A self-hosted voice dialogue server, wire-compatible with OpenAI's and StepFun's APIs.</p>
<p id="status" data-status="{status}">{sentence}</p>
<h2>Use it</h2>
<p>Give applications this address as their base URL, with <code>/v1</code> behind it: <code>{base}v1</code>.
Conversations are at <code>{socket}v1/realtime</code>.</p>
<h2>Documentation</h2>
<ul>
{described}<li>Guides: <code>README.md</code> and the folder <code>docs/</code> of the source</li>
<li><a href="health">Health</a> for monitors</li>
</ul>
{version}</body>
</html>
"""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def front_page(request: Request) -> HTMLResponse:
    """What this is, whether it is ready (503 until then, as ``/health``), and where to read on."""
    state = app_state_of(request)
    status = health_of(lifecycle_of(request).stage)
    base = escape(str(request.base_url))
    page = _PAGE.format(
        status=status,
        sentence=_STATUS[status],
        refresh=f'\n<meta http-equiv="refresh" content="{_REFRESH_S}">' if status == "loading" else "",
        base=base,
        socket=base.replace("http", "ws", 1),
        described=_DESCRIBED if state.config.http.docs else "",
        version=f"<p><small>Version {__version__}</small></p>\n" if await state.auth.knows(request) else "",
    )
    return HTMLResponse(page, status_code=200 if status == "ok" else 503, headers=_HEADERS)
