"""HTTPS and WSS over real sockets, and the certificates for them."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from websockets.asyncio.client import connect

from vivavoce.cli.serve import make_server
from vivavoce.config import load_config
from vivavoce.http.tls import LIFETIME, RENEW_BEFORE, TlsError, TlsFiles, self_signed, tls_files
from vivavoce.net.machine import own_addresses

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@contextmanager
def serving(config_flags: dict[str, object]) -> Iterator[tuple[int, TlsFiles]]:
    """The server `vivavoce serve` would run, in a thread."""
    config = load_config({"port": 0, "log_level": "warning", **config_flags}, profile="fake")
    files = tls_files(config)
    assert files is not None
    server = make_server(config, files)
    listener = server.config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], files
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def trusting(cert: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=cert)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # what Python 3.13 checks by itself
    return context


async def opened(url: str, context: ssl.SSLContext) -> str:
    for _ in range(200):
        try:
            async with connect(f"{url}/v1/realtime?model=step-audio-2", ssl=context) as socket:
                return str(await socket.recv())
        except Exception as error:
            if "503" not in str(error) and not isinstance(error, ConnectionRefusedError):
                raise
            await asyncio.sleep(0.02)
    raise AssertionError("the engines did not load")


async def test_wss_with_a_self_signed_certificate(tmp_path: Path) -> None:
    with serving({"tls": {"self_signed": True}, "home": tmp_path}) as (port, files):
        for name in ("localhost", "127.0.0.1"):
            assert "session.created" in await opened(f"wss://{name}:{port}", trusting(files.cert))
        with pytest.raises(ssl.SSLCertVerificationError):
            await opened(f"wss://localhost:{port}", ssl.create_default_context())


async def test_wss_with_given_files(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "localhost")
    with serving({"tls": {"cert": made.cert, "key": made.key}}) as (port, files):
        assert files == made
        assert "session.created" in await opened(f"wss://localhost:{port}", trusting(made.cert))


def test_a_certificate_is_kept_until_it_nearly_expires(tmp_path: Path) -> None:
    first = self_signed(tmp_path, "127.0.0.1", now=NOW)
    assert self_signed(tmp_path, "127.0.0.1", now=NOW + LIFETIME - RENEW_BEFORE - timedelta(seconds=1)) == first
    second = self_signed(tmp_path, "127.0.0.1", now=NOW + LIFETIME - RENEW_BEFORE)
    assert second.fingerprint != first.fingerprint


def test_a_certificate_covers_the_host_it_serves(tmp_path: Path) -> None:
    first = self_signed(tmp_path, "127.0.0.1", now=NOW)
    second = self_signed(tmp_path, "voice.internal", now=NOW)
    assert first.fingerprint != second.fingerprint
    assert self_signed(tmp_path, "127.0.0.1", now=NOW) == second  # it covers localhost in any case
    assert self_signed(tmp_path, "0.0.0.0", now=NOW).fingerprint != second.fingerprint


def test_on_every_interface_a_certificate_covers_all_the_machine_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = ["192.168.1.5", "2001:db8::5"]
    monkeypatch.setattr("vivavoce.http.tls.own_addresses", lambda: [ip_address(one) for one in addresses])
    monkeypatch.setattr("vivavoce.http.tls.own_names", lambda: ["desk", "desk.local"])

    def covered(files: TlsFiles) -> set[str]:
        certificate = x509.load_pem_x509_certificate(files.cert.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return {str(name.value) for name in names}

    first = self_signed(tmp_path, "0.0.0.0", now=NOW)
    assert covered(first) == {"localhost", "127.0.0.1", "::1", "desk", "desk.local", *addresses}
    addresses[1] = "2001:db8::6"  # changes every day, and is no reason for a new certificate
    assert self_signed(tmp_path, "::", now=NOW) == first
    addresses[0] = "10.0.0.5"
    second = self_signed(tmp_path, "0.0.0.0", now=NOW)
    assert second != first
    assert covered(second) == covered(first) | set(addresses)  # back at the old address it still holds
    addresses[0] = "192.168.1.5"
    assert self_signed(tmp_path, "0.0.0.0", now=NOW) == second


async def test_it_is_trusted_under_every_address_of_this_machine(tmp_path: Path) -> None:
    addresses = [one for one in own_addresses() if one.version == 4]
    flags = {"tls": {"self_signed": True}, "home": tmp_path, "host": "0.0.0.0", "auth": {"open": True}}
    with serving(flags) as (port, files):
        for address in addresses:
            assert "session.created" in await opened(f"wss://{address}:{port}", trusting(files.cert))


def test_a_host_no_certificate_can_name_is_said(tmp_path: Path) -> None:
    with pytest.raises(TlsError, match="no name of a machine"):
        self_signed(tmp_path, "x" * 70)


@pytest.mark.parametrize("damage", ["cert.pem", "key.pem"])
def test_a_damaged_certificate_is_made_anew(tmp_path: Path, damage: str) -> None:
    first = self_signed(tmp_path, "localhost", now=NOW)
    (tmp_path / damage).write_text("-----BEGIN CERTIFICATE-----\nhalf")
    again = self_signed(tmp_path, "localhost", now=NOW)
    assert again.fingerprint != first.fingerprint
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(again.cert, again.key)


def test_the_key_is_readable_by_nobody_else(tmp_path: Path) -> None:
    made = self_signed(tmp_path / "tls", "localhost")
    assert made.key.stat().st_mode & 0o777 == 0o600
    assert made.key.parent.stat().st_mode & 0o777 == 0o700


def test_the_fingerprint_is_the_one_tools_show(tmp_path: Path) -> None:
    made = self_signed(tmp_path, "localhost")
    der = ssl.PEM_cert_to_DER_cert(made.cert.read_text())
    assert made.fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()


def test_unusable_files_are_named(tmp_path: Path) -> None:
    made = self_signed(tmp_path / "one", "localhost")
    other = self_signed(tmp_path / "two", "localhost")
    missing = tmp_path / "missing.pem"
    for cert, key, words in (
        (missing, made.key, "There is no"),
        (made.cert, missing, "There is no"),
        (made.cert, other.key, "no certificate and its unencrypted key"),
        (made.key, made.key, "no certificate and its unencrypted key"),
    ):
        with pytest.raises(TlsError, match=words):
            tls_files(load_config({"tls": {"cert": cert, "key": key}}, profile="fake"))


def test_without_tls_there_are_no_files() -> None:
    assert tls_files(load_config(profile="fake")) is None
