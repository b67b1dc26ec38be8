"""The public search engines for tests: a proxy of this machine that answers in their place, behind TLS."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ddgs.ddgs import DDGS

DUCKDUCKGO = """<html><body><div class="result__body links_main"><h2><a href="https://example.org/river">The river</a></h2>
<a class="result__snippet" href="https://example.org/river">It rose by <b>two</b> metres.</a></div></body></html>"""


class Engines(socketserver.ThreadingTCPServer):
    """Every engine answers with ``status`` and a result page of DuckDuckGo's; ``asked`` holds hosts and the words for them."""

    daemon_threads = True

    def __init__(self, certificate: tuple[Path, Path]) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.status = 200
        self.asked: list[tuple[str, str]] = []
        self.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.tls.load_cert_chain(*certificate)

    def reached(self) -> type[DDGS]:
        """The library, led here."""
        proxy = f"http://127.0.0.1:{self.server_address[1]}"

        class Led(DDGS):
            def __init__(self, timeout: int) -> None:
                super().__init__(proxy=proxy, timeout=timeout, verify=False)

        return Led


class _Tunnel(socketserver.BaseRequestHandler):
    server: Engines

    def handle(self) -> None:
        host = self._head(self.request)[0].split()[1].partition(":")[0]
        self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self.server.tls.wrap_socket(self.request, server_side=True) as inside:
            while head := self._head(inside):
                lengths = [line.partition(":")[2] for line in head if line.lower().startswith("content-length:")]
                body = inside.recv(int(lengths[0])) if lengths else b""
                words = parse_qs(urlsplit(head[0].split()[1]).query or body.decode())
                self.server.asked.append((host, words.get("q", words.get("p", [""]))[0]))
                page = DUCKDUCKGO.encode()
                inside.sendall(
                    f"HTTP/1.1 {self.server.status} -\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n"
                    f"{DUCKDUCKGO}".encode()
                )

    def _head(self, connection: ssl.SSLSocket) -> list[str]:
        read = b""
        while not read.endswith(b"\r\n\r\n"):
            more = connection.recv(1)
            if not more:
                return []
            read += more
        return read.decode().splitlines()


@contextmanager
def engines(certificate: tuple[Path, Path]) -> Iterator[Engines]:
    """Run them."""
    with Engines(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(10)
