"""OpenSSH's certificates, as PROTOCOL.certkeys of OpenSSH describes them: whose key, by whom, for whom, until when."""

from __future__ import annotations

import dataclasses
import struct
import time

import paramiko

from studio.remote.known_hosts import HostCertificate, HostKey, matches

SUFFIX = "-cert-v01@openssh.com"
_KEY_FIELDS = {"ssh-ed25519": 1, "ssh-rsa": 2, "ecdsa-sha2-nistp256": 2, "ecdsa-sha2-nistp384": 2}
_KEY_FIELDS |= {"ecdsa-sha2-nistp521": 2}
_HOST_CERTIFICATE = 2
_FOREVER = 0xFFFFFFFFFFFFFFFF


class CertificateError(ValueError):
    """The bytes are no certificate."""


@dataclasses.dataclass(frozen=True)
class Certificate:
    """What a certificate says. Times are seconds since 1970; ``signed`` is what the signature covers."""

    key: HostKey
    kind: int
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    has_critical_options: bool
    authority: HostKey
    signature: bytes
    signed: bytes


class _Reader:
    """Takes fields off the front of a blob."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def string(self) -> bytes:
        size = self.number(4)
        if self.at + size > len(self.data):
            raise CertificateError("it is cut off")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        if self.at + size > len(self.data):
            raise CertificateError("it is cut off")
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big")


def parse_certificate(blob: bytes) -> Certificate:
    """Take a certificate apart. Raises CertificateError where it is none, or one of a kind that is unknown here."""
    reader = _Reader(blob)
    name = reader.string().decode("ascii", "replace")
    plain = name.removesuffix(SUFFIX)
    if plain == name or plain not in _KEY_FIELDS:
        raise CertificateError(f"{name[:60]} is no kind of certificate that is known here")
    reader.string()  # the nonce
    begin = reader.at
    for _ in range(_KEY_FIELDS[plain]):
        reader.string()
    word = plain.encode("ascii")
    key = HostKey(plain, struct.pack(">I", len(word)) + word + blob[begin : reader.at])
    reader.number(8)  # the serial number
    kind = reader.number(4)
    reader.string()  # the certificate's own name
    principals = _strings(reader.string())
    after, before = reader.number(8), reader.number(8)
    critical = reader.string()
    reader.string()  # extensions
    reader.string()  # reserved
    authority = reader.string()
    signed = blob[: reader.at]
    authority_kind = _Reader(authority).string().decode("ascii", "replace")
    by = HostKey(authority_kind, authority)
    return Certificate(key, kind, principals, after, before, bool(critical), by, reader.string(), signed)


def judge_host_certificate(blob: bytes, name: str, now_s: float | None = None) -> HostCertificate:
    """Return who vouches for a host's certificate and why it does not hold for a name, where it does not.

    Raises CertificateError where it cannot be read.
    """
    certificate = parse_certificate(blob)
    return HostCertificate(certificate.authority, _problem(certificate, name, time.time() if now_s is None else now_s))


def _problem(certificate: Certificate, name: str, now_s: float) -> str:
    if not _is_signed(certificate):
        return "its signature is wrong"
    if certificate.kind != _HOST_CERTIFICATE:
        return "it is one for users, not for hosts"
    if now_s < certificate.valid_after:
        return f"it is valid only from {_date(certificate.valid_after)}"
    if certificate.valid_before != _FOREVER and now_s >= certificate.valid_before:
        return f"it expired on {_date(certificate.valid_before)}"
    if certificate.has_critical_options:
        return "it carries conditions that are unknown here"
    if not certificate.principals or not matches([one.lower() for one in certificate.principals], name.lower()):
        return f"it is not for {name} but for {', '.join(certificate.principals)[:200] or 'nobody'}"
    return ""


def _is_signed(certificate: Certificate) -> bool:
    try:
        authority = paramiko.PKey.from_type_string(certificate.authority.type, certificate.authority.blob)
        return bool(authority.verify_ssh_sig(certificate.signed, paramiko.Message(certificate.signature)))
    except (paramiko.SSHException, paramiko.pkey.UnknownKeyType, ValueError, TypeError):
        return False


def _strings(data: bytes) -> tuple[str, ...]:
    reader = _Reader(data)
    found: list[str] = []
    while reader.at < len(data):
        found.append(reader.string().decode("utf-8", "replace"))
    return tuple(found)


def _date(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(min(seconds, 253402300799)))
