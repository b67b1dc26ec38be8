"""Certificates for HTTPS and WSS: the configured files, or one made for this machine.

Browsers give a page the microphone only in a secure context: on this machine, or over TLS. A self-signed certificate is
enough for the second, once the client has been told to trust it, for which its path and fingerprint are shown.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from filelock import FileLock

from vivavoce.config import Config
from vivavoce.errors import VivavoceError
from vivavoce.net.machine import EVERY_INTERFACE, own_addresses, own_names
from vivavoce.store.relocation import CERTIFICATE

LIFETIME = timedelta(days=365)
"""Apple's systems refuse certificates of more than 825 days, and browsers keep lowering their limit."""

RENEW_BEFORE = timedelta(days=7)

MAX_NAMES = 64
"""Of a certificate, those of the machine now and before."""


class TlsError(VivavoceError):
    """A certificate or key cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of a certificate (with its chain) and its key. ``fingerprint`` is SHA-256 in hex pairs with colons.

    ``names`` are those of a configured certificate, without patterns.
    """

    cert: Path
    key: Path
    fingerprint: str
    names: tuple[str, ...] = ()


def tls_files(config: Config) -> TlsFiles | None:
    """The files to serve with, made first if need be; ``None`` without TLS. Raises ``TlsError``."""
    tls = config.tls
    if tls.self_signed:
        return self_signed(config.data_folder / CERTIFICATE, config.host)
    if tls.cert is None or tls.key is None:
        return None
    _require_pair(tls.cert, tls.key)
    certificate = x509.load_pem_x509_certificate(tls.cert.read_bytes())
    return TlsFiles(tls.cert, tls.key, fingerprint(certificate), _dns_names(certificate))


def _dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(name for name in covered.get_values_for_type(x509.DNSName) if "*" not in name and name != "localhost")


def self_signed(folder: Path, host: str, *, now: datetime | None = None) -> TlsFiles:
    """A certificate for localhost, 127.0.0.1, ::1 and ``host`` (on every interface: all this machine is called), in ``folder``.

    The one that is there is kept until a week before it expires, as long as it covers these, so that clients have to be
    told to trust it only once; a new one covers what the old one did, too, for a machine that comes back to an address.
    (IPv6 addresses are left out of the question: many systems change theirs every day.) Raises ``TlsError`` when the folder
    cannot be written.
    """
    now = now or datetime.now(UTC)
    names = _names(host)
    cert, key = folder / "cert.pem", folder / "key.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(folder / "lock"):
            certificate, covered = _existing(cert, key, now)
            needed = {name for name in names if not _may_change(name)}
            if certificate is None or not covered >= needed:
                before = sorted(covered - set(names), key=str)[: MAX_NAMES - len(names)]
                certificate = _make(cert, key, [*names, *before], now)
    except OSError as error:
        raise TlsError(f"Cannot write a certificate to {folder}: {error}.") from error
    return TlsFiles(cert, key, fingerprint(certificate))


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate as browsers and ``openssl x509 -fingerprint -sha256`` show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _names(host: str) -> list[x509.GeneralName]:
    """What a client may call this server. Raises ``TlsError`` for a host that is no name."""
    called = [*own_names(), *map(str, own_addresses())] if host in EVERY_INTERFACE else [host]
    names = ["localhost", "127.0.0.1", "::1", *called]
    return [_general_name(name) for name in dict.fromkeys(names)]


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name.encode("idna").decode("ascii"))
    except UnicodeError as error:
        raise TlsError(f"No certificate can be made for '{name}', which is no name of a machine.") from error


def _may_change(name: x509.GeneralName) -> bool:
    return isinstance(name.value, IPv6Address) and not name.value.is_loopback


def _existing(cert: Path, key: Path, now: datetime) -> tuple[x509.Certificate | None, set[x509.GeneralName]]:
    """The certificate that is there, if it can still be used, and what it covers."""
    if not cert.is_file() or not key.is_file():
        return None, set()
    try:
        _require_pair(cert, key)
        certificate = x509.load_pem_x509_certificate(cert.read_bytes())
        covered = set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (TlsError, ValueError, x509.ExtensionNotFound):
        return None, set()  # half written, or of another make
    lasts = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE
    return certificate if lasts else None, covered


def _make(cert: Path, key: Path, names: list[x509.GeneralName], now: datetime) -> x509.Certificate:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Vivavoce on this machine")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # a client's clock may be a little late
        .not_valid_after(now + LIFETIME)
    )
    for extension, critical in _extensions(private.public_key(), names):
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(private, hashes.SHA256())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key, pem, 0o600)
    _write(cert, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate


def _extensions(
    public: ec.EllipticCurvePublicKey, names: list[x509.GeneralName]
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """A server's certificate and nothing more: it can sign no other, should its key be lost."""
    yield x509.SubjectAlternativeName(names), False
    yield x509.BasicConstraints(ca=False, path_length=None), True
    yield x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    yield identifier, False
    yield x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False


def _write(file: Path, pem: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by others in between."""
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        out.write(pem)
    draft.replace(file)


def _require_pair(cert: Path, key: Path) -> None:
    try:
        # Without a password of our own OpenSSL would ask for one on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=lambda: "")
    except FileNotFoundError as error:
        raise TlsError(f"There is no {cert if not cert.is_file() else key}.") from error
    except (OSError, ValueError) as error:
        raise TlsError(f"{cert} and {key} are no certificate and its unencrypted key in PEM: {error}.") from error
