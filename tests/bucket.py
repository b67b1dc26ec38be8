"""An S3-compatible store for tests: one bucket in memory, spoken to by S3's REST protocol, multipart uploads included."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qs, unquote
from xml.etree import ElementTree

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

ACCESS_KEY, SECRET_KEY, BUCKET = "AKIDFORTESTS", "a-secret-of-the-bucket", "recordings"
MIN_PART_BYTES = 5 * 1024 * 1024
"""Of every part but the last."""


@dataclass
class Bucket:
    """An ASGI application. ``objects`` are those that are whole, ``uploads`` the parts of those that are not."""

    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Method and key of every request."""

    closed: bool = False
    """Whether nobody may do anything."""

    _ids: count[int] = field(default_factory=lambda: count(1))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = self._answer(request, await request.body())
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        signature = request.headers.get("authorization", "")
        if not re.match(rf"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/\d{{8}}/moon-1/s3/aws4_request, ", signature):
            return _error(403, "InvalidAccessKeyId")
        if self.closed:
            return _error(403, "AccessDenied")
        _, bucket, key = f"{unquote(scope_path(request))}/".split("/", 2)
        key = key.removesuffix("/")
        if bucket != BUCKET:
            return _error(404, "NoSuchBucket")
        self.asked.append(f"{request.method} {key}")
        query = {name: values[0] for name, values in parse_qs(request.url.query, keep_blank_values=True).items()}
        if "uploads" in query or "uploadId" in query:
            return self._of_parts(request.method, key, query, body)
        if "delete" in query:
            gone = _texts(body, "Key")
            for one in gone:  # that is not there is no mistake
                self.objects.pop(one, None)
            told = "".join(f"<Deleted><Key>{one}</Key></Deleted>" for one in gone)
            return _xml(f"<DeleteResult>{told}</DeleteResult>")
        if request.method == "PUT":
            self.objects[key] = body
            return Response(headers={"ETag": _tag(body)})
        if key not in self.objects:
            return _error(404, "NoSuchKey")
        content = self.objects[key]
        headers = {"ETag": _tag(content), "Last-Modified": "Thu, 26 Nov 2026 10:00:00 GMT"}
        return Response(content, headers=headers)

    def _of_parts(self, method: str, key: str, query: dict[str, str], body: bytes) -> Response:
        if "uploads" in query:
            upload = str(next(self._ids))
            self.uploads[upload] = {}
            told = f"<Bucket>{BUCKET}</Bucket><Key>{key}</Key><UploadId>{upload}</UploadId>"
            return _xml(f"<InitiateMultipartUploadResult>{told}</InitiateMultipartUploadResult>")
        parts = self.uploads.get(query["uploadId"])
        if parts is None:
            return _error(404, "NoSuchUpload")
        if method == "PUT":
            parts[int(query["partNumber"])] = body
            return Response(headers={"ETag": _tag(body)})
        del self.uploads[query["uploadId"]]
        if method == "DELETE":
            return Response(status_code=204)
        listed = [int(number) for number in _texts(body, "PartNumber")]
        if any(len(parts[number]) < MIN_PART_BYTES for number in listed[:-1]):
            return _error(400, "EntityTooSmall")
        self.objects[key] = b"".join(parts[number] for number in listed)
        tag = _tag(self.objects[key])
        return _xml(f"<CompleteMultipartUploadResult><ETag>{tag}</ETag></CompleteMultipartUploadResult>")


def scope_path(request: Request) -> str:
    """The path as it was sent."""
    return bytes(request.scope["raw_path"]).decode("ascii")


def _texts(xml: bytes, tag: str) -> list[str]:
    """What the elements of this name hold, in whatever namespace."""
    return [one.text or "" for one in ElementTree.fromstring(xml).iter() if one.tag.rpartition("}")[2] == tag]


def _tag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _xml(text: str, status: int = 200) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{text}', status, media_type="application/xml")


def _error(status: int, code: str) -> Response:
    return _xml(f"<Error><Code>{code}</Code><Message>no</Message></Error>", status)


def storage(port: int, prefix: str = "") -> dict[str, object]:
    """The configuration of a server that keeps its blobs in it."""
    s3 = {
        "endpoint": f"http://127.0.0.1:{port}",
        "region": "moon-1",
        "access_key_id": ACCESS_KEY,
        "secret_access_key": SECRET_KEY,
    }
    return {"blobs": f"s3://{BUCKET}{prefix}", "s3": s3}
