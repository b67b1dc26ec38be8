"""Fetching from a server of this machine, and never from it when that is not allowed."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from httpcore._backends.auto import AutoBackend
from hypothesis import given
from hypothesis import strategies as st

from net.certificates import certificate
from net.pages import Door, Pages, served
from vivavoce.errors import ClientError
from vivavoce.net.fetching import MAX_REDIRECTS, Fetcher

OUTSIDE = "203.0.114.1"
TLS = ssl.create_default_context()


@pytest.fixture(scope="module")
def door() -> Iterator[tuple[Door, str]]:
    door = Door()
    with served(door) as port:
        yield door, f"http://127.0.0.1:{port}"


@pytest.fixture
def pages(door: tuple[Door, str]) -> Pages:
    pages = door[0].app = Pages()
    return pages


@pytest.fixture
def base(door: tuple[Door, str], pages: Pages) -> str:
    return door[1]


@pytest.fixture
def inside() -> Iterator[Fetcher]:
    fetcher = Fetcher(allow_private=True, tls=TLS)
    yield fetcher
    fetcher.close()


class Names:
    """A resolver that answers what it is told, each answer once, the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def refusal(fetcher: Fetcher, url: str, *, most_bytes: int = 1000, timeout_s: float = 10.0) -> ClientError:
    with pytest.raises(ClientError) as refused:
        await fetcher.fetch(url, max_bytes=most_bytes, timeout_s=timeout_s, param="url")
    assert refused.value.param == "url"
    return refused.value


async def test_content_comes_with_its_type_and_without_anything_of_ours(
    pages: Pages, base: str, inside: Fetcher
) -> None:
    pages.put("/a", b"hello", content_type="Text/HTML; charset=utf-8", set_cookie="who=me; Path=/")
    for _ in range(2):
        fetched = await inside.fetch(f"{base}/a?b=c#d", max_bytes=5, timeout_s=10)
        assert (fetched.content, fetched.content_type) == (b"hello", "text/html; charset=utf-8")
        assert fetched.url == f"{base}/a?b=c"
    for headers in pages.asked:
        assert not {"cookie", "authorization", "referer"} & headers.keys()
        assert headers["host"] == base.removeprefix("http://")


async def test_redirects_are_followed_so_far(pages: Pages, base: str, inside: Fetcher) -> None:
    pages.put("/0", b"there", content_type="text/plain")
    for step in range(1, MAX_REDIRECTS + 2):
        pages.put(f"/{step}", status=302, location=f"/{step - 1}")
    fetched = await inside.fetch(f"{base}/{MAX_REDIRECTS}", max_bytes=100, timeout_s=10)
    assert (fetched.content, fetched.url) == (b"there", f"{base}/0")
    assert (await refusal(inside, f"{base}/{MAX_REDIRECTS + 1}")).code == "url_unreachable"


@pytest.mark.parametrize("accept", ["text/html", "text/*", "*/*"])
async def test_types_that_are_wanted(pages: Pages, base: str, inside: Fetcher, accept: str) -> None:
    pages.put("/page", b"x", content_type="text/html;charset=utf-8")
    await inside.fetch(f"{base}/page", max_bytes=1, timeout_s=10, accept=("audio/wav", accept))
    assert pages.asked[-1]["accept"] == f"audio/wav, {accept}"


async def test_types_that_are_not(pages: Pages, base: str, inside: Fetcher) -> None:
    pages.put("/page", b"x", content_type="text/htmlx")
    pages.put("/none", b"x")
    for path in ("/page", "/none"):
        with pytest.raises(ClientError) as refused:
            await inside.fetch(base + path, max_bytes=1, timeout_s=10, accept=("text/html", "audio/*"))
        assert refused.value.code == "unsupported_format"


async def test_too_much_is_refused_however_it_comes(pages: Pages, base: str, inside: Fetcher) -> None:
    pages.put("/announced", bytes(1001), content_length="1001")
    pages.put("/chunked", bytes(1001))
    pages.put("/bomb", gzip.compress(bytes(30_000_000)), content_encoding="gzip")
    pages.places["/endless"] = "endless"
    for path in ("/announced", "/chunked", "/bomb", "/endless"):
        assert (await refusal(inside, base + path)).code == "url_too_large", path
    pages.put("/fits", gzip.compress(bytes(1000)), content_encoding="gzip")
    assert len((await inside.fetch(f"{base}/fits", max_bytes=1000, timeout_s=10)).content) == 1000


async def test_a_server_that_says_nothing_is_left(pages: Pages, base: str, inside: Fetcher) -> None:
    pages.places["/hangs"] = "hangs"
    assert (await refusal(inside, f"{base}/hangs", timeout_s=0.2)).code == "url_unreachable"
    assert await asyncio.to_thread(pages.disconnected.wait, 5)


async def test_a_stream_that_does_not_end_is_left(pages: Pages, base: str, inside: Fetcher) -> None:
    pages.places["/endless"] = "endless"
    assert (await refusal(inside, f"{base}/endless", most_bytes=1 << 40, timeout_s=0.3)).code == "url_unreachable"
    assert await asyncio.to_thread(pages.disconnected.wait, 5)


async def test_cancelling_leaves_the_server(pages: Pages, base: str, inside: Fetcher) -> None:
    pages.places["/hangs"] = "hangs"
    fetching = asyncio.create_task(inside.fetch(f"{base}/hangs", max_bytes=1, timeout_s=60))
    assert await asyncio.to_thread(pages.was_asked.wait, 10)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert await asyncio.to_thread(pages.disconnected.wait, 5)


async def test_a_stream_is_read_in_pieces(pages: Pages, base: str, inside: Fetcher) -> None:
    pages.put("/large", bytes(3_000_000), content_type="audio/wav")
    async with inside.stream(f"{base}/large", max_bytes=3_000_000, timeout_s=10) as download:
        sizes = [len(chunk) async for chunk in download.chunks]
    assert sum(sizes) == 3_000_000
    assert max(sizes) <= 1 << 16
    assert download.content_type == "audio/wav"


@pytest.mark.parametrize("status", [204 + 200, 500, 403])
async def test_a_page_that_is_not_there(pages: Pages, base: str, inside: Fetcher, status: int) -> None:
    pages.put("/gone", b"x", status=status)
    error = await refusal(inside, f"{base}/gone")
    assert (error.code, error.message) == ("url_unreachable", f"The URL answers {status}.")


async def test_nobody_listens(inside: Fetcher) -> None:
    assert (await refusal(inside, "http://127.0.0.1:1024/")).code == "url_unreachable"


@pytest.mark.parametrize(
    "url",
    ["", "x", "//x/y", "/etc/passwd", "file:///etc/passwd", "ftp://example.org/", "gopher://x:70/", "data:,x", "http://",
     "http://user:pass@example.org/", "http://user@example.org/", "http://example.org:22/", "http://example.org:99999/",
     "http://exa mple.org/", "http://example.org/\r\nX: y", "http://[::1", "http://" + "a" * 5000, "javascript:alert(1)",
     "http://example.org:6667/", "http://\u0000/"],
)  # fmt: skip
async def test_what_is_no_web_address_is_refused_before_anything_is_asked(url: str) -> None:
    names = Names(["93.184.216.34"])
    fetcher = Fetcher(tls=TLS, resolve=names)
    assert (await refusal(fetcher, url)).code == "url_not_allowed"
    assert not names.asked


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "LocalHost.", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0.0.0.0", "[::1]", "[::]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "169.254.169.254", "[fe80::1]", "10.0.0.1",
     "192.168.1.1", "100.100.100.200", "224.0.0.1", "app.internal", "１２７.0.0.1", "127。0。0。1"],
)  # fmt: skip
async def test_this_machine_and_its_network_are_not_fetched(pages: Pages, base: str, host: str) -> None:
    pages.put("/secret", b"secret")
    fetcher = Fetcher(tls=TLS)
    error = await refusal(fetcher, f"http://{host}:{base.rpartition(':')[2]}/secret")
    assert error.code in ("url_not_allowed", "url_unreachable")  # a resolver may not know the odd spellings
    assert not pages.asked
    fetcher.close()


@given(
    st.sampled_from(["10.1.2.3", "127.0.0.1", "::1", "::ffff:10.0.0.1", "169.254.169.254", "fd00::1"]), st.booleans()
)
async def test_one_private_address_among_public_ones_is_enough(private: str, first: bool) -> None:
    both = [private, "93.184.216.34"] if first else ["93.184.216.34", private]
    fetcher = Fetcher(tls=TLS, resolve=Names(both))
    assert (await refusal(fetcher, "http://example.org/")).code == "url_not_allowed"
    fetcher.close()


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A public address behind which the local server stands; holds the addresses that were connected to."""
    connected: list[str] = []
    connect = AutoBackend.connect_tcp

    async def reach(self: AutoBackend, host: str, **more: Any) -> Any:
        connected.append(host)
        return await connect(self, "127.0.0.1" if host == OUTSIDE else host, **more)

    monkeypatch.setattr(AutoBackend, "connect_tcp", reach)
    return connected


async def test_a_name_that_changes_its_mind_leads_nowhere(pages: Pages, base: str, internet: list[str]) -> None:
    """The address that is connected to is the one that was checked, though the name means this machine by then."""
    pages.put("/a", b"public")
    names = Names([OUTSIDE], ["127.0.0.1"])
    fetcher = Fetcher(tls=TLS, resolve=names)
    url = f"http://rebind.example.org:{base.rpartition(':')[2]}/a"
    assert (await fetcher.fetch(url, max_bytes=100, timeout_s=10)).content == b"public"
    assert (names.asked, internet) == (["rebind.example.org"], [OUTSIDE])
    assert (await refusal(fetcher, url)).code == "url_not_allowed"
    assert (len(pages.asked), internet) == (1, [OUTSIDE])


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:{port}/", "http://inside.example.org:{port}/", "file:///x", "//[::1]/"]
)
async def test_a_redirect_to_the_inside_is_not_followed(pages: Pages, base: str, internet: list[str], to: str) -> None:
    port = base.rpartition(":")[2]
    pages.put("/out", status=302, location=to.format(port=port))

    async def names(host: str, at: int) -> list[str]:
        return [{"outside.example.org": OUTSIDE, "inside.example.org": "10.0.0.1"}.get(host, host.strip("[]"))]

    error = await refusal(Fetcher(tls=TLS, resolve=names), f"http://outside.example.org:{port}/out")
    assert error.code == "url_not_allowed"
    assert (len(pages.asked), internet) == (1, [OUTSIDE])


async def test_certificates_are_checked_against_the_name_and_not_the_address(pages: Pages, tmp_path: Path) -> None:
    files = certificate(tmp_path, "pages.example.org")
    pages.put("/a", b"safe")
    trusting = ssl.create_default_context(cafile=str(files[0]))
    with served(pages, certificate=files) as port:
        fetcher = Fetcher(allow_private=True, resolve=Names(["127.0.0.1"]), tls=trusting)
        fetched = await fetcher.fetch(f"https://pages.example.org:{port}/a", max_bytes=10, timeout_s=10)
        assert fetched.content == b"safe"
        assert (await refusal(fetcher, f"https://other.example.org:{port}/a")).code == "url_unreachable"
        strict = Fetcher(allow_private=True, resolve=Names(["127.0.0.1"]))
        assert (await refusal(strict, f"https://pages.example.org:{port}/a")).code == "url_unreachable"
    assert len(pages.asked) == 1


async def test_the_next_address_is_tried_when_one_does_not_answer(pages: Pages, base: str) -> None:
    pages.put("/a", b"here")
    port = base.rpartition(":")[2]
    fetcher = Fetcher(allow_private=True, tls=TLS, resolve=Names(["::1", "127.0.0.1"]))
    assert (await fetcher.fetch(f"http://two.example.org:{port}/a", max_bytes=4, timeout_s=10)).content == b"here"
