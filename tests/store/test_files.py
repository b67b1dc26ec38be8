"""Files of owners, on both databases: what is taken, what is refused, and that nobody sees another's."""

from __future__ import annotations

import asyncio
import io
import wave
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from vivavoce.config import Config
from vivavoce.errors import ClientError
from vivavoce.store.file_types import PURPOSES
from vivavoce.store.files import MAX_FILES, Files, plain_name
from vivavoce.store.store import Store
from vivavoce.store.tables import FileRow


async def extract(path: Path, extension: str, owner: str) -> str:
    text = await asyncio.to_thread(path.read_text)
    if text == "broken":
        raise ClientError("It cannot be read.", code="unreadable_file", param="file")
    return f"{extension}: {text}"


@pytest.fixture
def files(store: Store) -> Files:
    return Files(store, extract)


async def whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def read(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in chunks])


def blobs_in(config: Config) -> int:
    assert config.storage.blobs is not None
    return sum(path.is_file() for path in Path(config.storage.blobs).rglob("*"))


def wav() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setparams((1, 2, 16_000, 0, "NONE", ""))
        recording.writeframes(bytes(3200))
    return file.getvalue()


def office(part: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "<x/>")
    return file.getvalue()


CONTENTS = {
    "txt": b"plain",
    "md": b"# head",
    "csv": "名,值\n".encode("gb18030"),
    "html": b"<!doctype html><p>x",
    "xml": b"<?xml version='1.0'?><a/>",
    "pdf": b"%PDF-1.7\n%\xe2\xe3",
    "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "docx": office("word/document.xml"),
    "xlsx": office("xl/workbook.xml"),
    "pptx": office("ppt/presentation.xml"),
    "json": b'{"a": 1}',
    "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(20),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "webp": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(20),
    "gif": b"GIF89a\1\0\1\0" + bytes(20),
    "mp4": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2" + bytes(20),
    "mp3": b"\xff\xf3\x90\x64" + bytes(400),
    "wav": wav(),
    "flac": b"fLaC" + bytes(40),
    "ogg": b"OggS" + bytes(24) + b"OpusHead" + bytes(20),
}


TAKEN = [
    (purpose.name, extension)
    for purpose in PURPOSES.values()
    for extension in CONTENTS
    if extension in purpose.types
    and not purpose.extracts  # those are read by the parsers, which have tests of their own
]


@pytest.mark.parametrize(("purpose", "extension"), TAKEN)
async def test_each_purpose_takes_its_types(files: Files, purpose: str, extension: str) -> None:
    file = await files.create("alice", f"a.{extension.upper()}", purpose, whole(CONTENTS[extension]))
    assert (file.bytes, file.purpose, file.status) == (len(CONTENTS[extension]), purpose, PURPOSES[purpose].done)
    assert await read(await files.read(file)) == CONTENTS[extension]
    await files.delete("alice", file.id)


@pytest.mark.parametrize(
    ("name", "content", "purpose", "code", "param"),
    [
        ("a.txt", b"x", "fine-tune", "invalid_value", "purpose"),
        ("a.exe", b"MZ\x90\0", "storage", "unsupported_file_type", "file"),
        ("noending", b"x", "retrieval-text", "unsupported_file_type", "file"),
        ("renamed.wav", b"only text", "storage", "unsupported_file_type", "file"),
        ("renamed.txt", b"MZ\x90\0\3\0\0\0", "retrieval-text", "unsupported_file_type", "file"),
        ("renamed.png", CONTENTS["jpg"], "storage", "unsupported_file_type", "file"),
        ("renamed.docx", CONTENTS["pdf"], "retrieval-text", "unsupported_file_type", "file"),
        ("a.wav", b"", "storage", "empty_file", "file"),
        ("a.txt", b"", "retrieval-text", "empty_file", "file"),
        ("", b"x", "retrieval-text", "invalid_value", "file"),
        ("a.txt", b"broken", "file-extract", "unreadable_file", "file"),
    ],
)
async def test_what_is_refused_leaves_nothing(
    files: Files, config: Config, name: str, content: bytes, purpose: str, code: str, param: str
) -> None:
    with pytest.raises(ClientError) as refused:
        await files.create("mallory", name, purpose, whole(content))
    assert (refused.value.code, refused.value.param) == (code, param)
    assert blobs_in(config) == 0
    assert await files.list("mallory") == []


async def test_owners_do_not_see_each_others_files(files: Files) -> None:
    file = await files.create("alice", "a.txt", "assistants", whole(b"hers"))
    assert [one.id for one in await files.list("alice")] == [file.id]
    assert await files.list("bob") == []
    for attempt in (files.get, files.delete):
        with pytest.raises(ClientError) as refused:
            await attempt("bob", file.id)
        assert refused.value.code == "file_not_found"
    assert await read(await files.read(await files.get("alice", file.id))) == b"hers"
    await files.delete("alice", file.id)


async def test_what_is_deleted_is_gone_with_its_bytes(files: Files, config: Config) -> None:
    file = await files.create("alice", "a.txt", "file-extract", whole(b"words"))
    assert await read(await files.text(file)) == b"txt: words"
    assert blobs_in(config) == 2
    await files.delete("alice", file.id)
    assert blobs_in(config) == 0
    with pytest.raises(ClientError):
        await files.get("alice", file.id)


async def test_one_that_expires_is_gone(files: Files, store: Store, config: Config) -> None:
    file = await files.create("eve", "a.txt", "assistants", whole(b"x"), expires_after_s=3600)
    assert file.expires_at == file.created_at + 3600
    async with store.rows.begin() as session:
        await session.execute(update(FileRow).where(FileRow.id == file.id).values(expires_at=1))
    assert await files.list("eve") == []
    with pytest.raises(ClientError):
        await files.get("eve", file.id)
    assert await files.sweep() == 1
    assert blobs_in(config) == 0


async def test_an_owner_has_so_many_files_and_no_more(files: Files, store: Store) -> None:
    row = {
        "owner": "packrat", "filename": "a.txt", "purpose": "assistants", "content_type": "text/plain", "bytes": 1,
        "sha256": "0" * 64, "blob": "none", "status": "processed", "created_at": 1,
    }  # fmt: skip
    async with store.rows.begin() as session:
        await session.execute(insert(FileRow), [{"id": f"file-{n}", **row} for n in range(MAX_FILES)])
    with pytest.raises(ClientError) as refused:
        await files.create("packrat", "a.txt", "assistants", whole(b"x"))
    assert refused.value.code == "too_many_files"


async def test_lists_are_ordered_and_of_one_purpose(files: Files, store: Store) -> None:
    made = [await files.create("lena", f"{n}.txt", "assistants", whole(b"x")) for n in range(3)]
    async with store.rows.begin() as session:
        for n, file in enumerate(made):
            await session.execute(update(FileRow).where(FileRow.id == file.id).values(created_at=100 + n))
    other = await files.create("lena", "n.txt", "user_data", whole(b"x"))
    assert [file.filename for file in await files.list("lena", purpose="assistants")] == ["2.txt", "1.txt", "0.txt"]
    assert [file.id for file in await files.list("lena", newest_first=False)][:1] == [made[0].id]
    assert [file.id for file in await files.list("lena", purpose="user_data")] == [other.id]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("new\nline\0.txt", "newline.txt"),
        ("报告.pdf", "报告.pdf"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_names_are_plain(given: str, kept: str) -> None:
    assert plain_name(given) == kept
