"""``GET /openapi.json`` and, as a page to read, ``GET /docs``. The page needs no script and nothing of another server.

Both are made once, when somebody asks first: it takes half a second of computing, so others go on meanwhile, in turn with it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

router = APIRouter()

_T = TypeVar("_T")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vivavoce: HTTP endpoints</title>
<link rel="icon" href="data:,">
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }}
summary {{ cursor: pointer; padding: 0.2rem 0; }}
details > :not(summary) {{ margin-left: 1.5rem; }}
pre {{ overflow-x: auto; font-size: 0.85em; }}
table {{ border-spacing: 1rem 0.2rem; }}
td {{ vertical-align: top; }}
</style>
</head>
<body>
<h1>HTTP endpoints</h1>
<p>The same for programs: <a href="openapi.json">OpenAPI</a>. Conversations (WebSocket) are described in
<code>docs/realtime.md</code> of the source. A key is sent as <code>Authorization: Bearer …</code>.</p>
{operations}
<h2>Schemas</h2>
{schemas}
</body>
</html>
"""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@router.api_route("/openapi.json", methods=["GET", "HEAD"], include_in_schema=False)
async def api_description(request: Request) -> Response:
    """The OpenAPI description."""
    return Response(await _described(request.app), media_type="application/json")


@router.api_route("/docs", methods=["GET", "HEAD"], include_in_schema=False)
async def api_page(request: Request) -> HTMLResponse:
    """Every operation with its parameters, bodies and answers."""
    return HTMLResponse(await _once(request.app, "api_page", _written, await _described(request.app)), headers=_HEADERS)


async def _described(app: FastAPI) -> str:
    return await _once(app, "api_description", _as_json, app)


async def _once(app: FastAPI, name: str, make: Callable[[_T], str], of: _T) -> str:
    """What is made of this, in a thread and once: everybody who asks meanwhile waits for the same."""
    making: asyncio.Task[str] | None = getattr(app.state, name, None)
    if making is None:
        making = asyncio.create_task(asyncio.to_thread(make, of))
        setattr(app.state, name, making)
    return await asyncio.shield(making)


def _as_json(app: FastAPI) -> str:
    return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":"))


def _written(description: str) -> str:
    """The page of a description (JSON)."""
    api = json.loads(description)
    by_tag: dict[str, list[str]] = {}
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["server"])[0]
            by_tag.setdefault(tag, []).append("".join(_operation(method, path, operation)))
    operations = "".join(f"<h2>{escape(tag)}</h2>{''.join(sections)}" for tag, sections in by_tag.items())
    schemas = api.get("components", {}).get("schemas", {})
    schema_details = (_folded(f"<code>{escape(name)}</code>", _json(schema)) for name, schema in schemas.items())
    return _PAGE.format(operations=operations, schemas="".join(schema_details))


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<details><summary><strong>{escape(method.upper())}</strong> <code>{escape(path)}</code></summary>"
    yield f"<p>{escape(operation.get('description') or operation.get('summary') or '')}</p>"
    if parameters := operation.get("parameters"):
        yield "<table>"
        for parameter in parameters:
            needed = ", required" if parameter.get("required") else ""
            schema = escape(json.dumps(parameter.get("schema", {}), ensure_ascii=False))
            yield f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}{needed}</td>"
            yield f"<td><code>{schema}</code></td></tr>"
        yield "</table>"
    for type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield _folded(f"Body: <code>{escape(type)}</code>", _json(content.get("schema", {})))
    for status, answer in operation.get("responses", {}).items():
        label = f"<code>{escape(status)}</code> {escape(answer.get('description', ''))}"
        contents = [
            _folded(f"<code>{escape(type)}</code>", _json(parameter))
            for type, parameter in answer.get("content", {}).items()
        ]
        yield _folded(label, "".join(contents)) if contents else f"<p>{label}</p>"
    yield "</details>"


def _folded(summary: str, inner: str) -> str:
    return f"<details><summary>{summary}</summary>{inner}</details>"


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
