"""Reads known_hosts files as OpenSSH does and keeps our own one; the user's files are never written.

Plain, hashed, wildcard, negated and ``[host]:port`` patterns, ``@revoked`` and ``@cert-authority`` are honoured,
damaged lines skipped.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import fnmatch
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from studio.remote.errors import HostKeyChanged, HostKeyUnknown, NeedsPerson
from studio.remote.randomart import key_title, randomart


@dataclasses.dataclass(frozen=True)
class HostKey:
    """A public host key as it travels: the type's name and the blob."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """Return ``SHA256:...`` as ``ssh-keygen -l`` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode("ascii").rstrip("=")

    @property
    def base64(self) -> str:
        """Return the blob as a known_hosts line holds it."""
        return base64.b64encode(self.blob).decode("ascii")

    @property
    def art(self) -> str:
        """Return the picture that ``ssh-keygen -lv`` draws."""
        return randomart(self.blob, key_title(self.type, self.blob))


@dataclasses.dataclass(frozen=True)
class HostCertificate:
    """What a server's certificate says: who vouches for the key, and why it does not hold here ("" where it does)."""

    authority: HostKey
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class KnownKey:
    """A key on file; ``place`` is "file:line". ``authority`` marks one that vouches for other keys by certificate."""

    key: HostKey
    place: str
    revoked: bool = False
    authority: bool = False


def known_as(host: str, port: int, alias: str = "") -> str:
    """Return the name under which a host is filed; an alias stands alone, whatever the port."""
    if alias:
        return alias.lower()
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def known_keys(files: Iterable[Path], name: str) -> list[KnownKey]:
    """Return the keys that the files hold for a name; files that cannot be read hold none.

    A key that is filed under a host without a port is good for every port of it, as OpenSSH has it, but makes no key
    of another port a changed one.
    """
    files = tuple(files)
    return [known for file in files for known in _matching(file, name)]


def known_without_port(files: Iterable[Path], name: str) -> list[KnownKey]:
    """Return the keys that the files hold for the host of a ``[host]:port`` name, whatever its port."""
    if not name.startswith("["):
        return []
    return known_keys(files, name[1:].partition("]")[0])


def check_host_key(
    known: Iterable[KnownKey],
    offered: HostKey,
    host: str,
    port: int,
    name: str,
    certificate: HostCertificate | None = None,
    portless: Iterable[KnownKey] = (),
) -> KnownKey:
    """Return the line that vouches for the offered key: the key itself, or the authority of its certificate.

    Raises:
        HostKeyChanged: it is revoked, or the files hold other keys for this name.
        HostKeyUnknown: the files hold none.
        NeedsPerson: a known authority's certificate does not hold, and the key itself is not on file.
    """
    known = list(known)
    both = [*known, *portless]
    for entry in both:
        if entry.revoked and (entry.key == offered or (certificate and entry.key == certificate.authority)):
            raise _changed(host, port, offered, offered, entry.place, True)
    vouching = [e for e in both if e.authority and certificate is not None and e.key == certificate.authority]
    if vouching and certificate is not None and not certificate.problem:
        return vouching[0]
    for entry in both:
        if not entry.revoked and not entry.authority and entry.key == offered:
            return entry
    # A name with a key of another type only is treated as changed too: the server was offered our known types first.
    valid = [entry for entry in known if not entry.revoked and not entry.authority]
    for entry in sorted(valid, key=lambda entry: entry.key.type != offered.type):
        raise _changed(host, port, offered, entry.key, entry.place, False)
    if vouching and certificate is not None:
        raise NeedsPerson(
            f"{host} (port {port}) showed a certificate of the authority in {vouching[0].place}, but "
            f"{certificate.problem}. Ask whoever runs the authority for a new one. Nothing was sent."
        )
    raise HostKeyUnknown(host, port, offered.type, offered.fingerprint, offered.base64, name, offered.art)


def _changed(host: str, port: int, offered: HostKey, known: HostKey, place: str, revoked: bool) -> HostKeyChanged:
    return HostKeyChanged(
        host, port, offered.type, offered.fingerprint, known.type, known.fingerprint, place, revoked,
        offered.art, known.art,
    )  # fmt: skip


def accept_host_key(known_hosts: Path, question: HostKeyUnknown) -> None:
    """File the key of a question that a person has answered with yes, in our own file, written aside and renamed."""
    known_hosts.parent.mkdir(parents=True, exist_ok=True)
    before = known_hosts.read_bytes() if known_hosts.exists() else b""
    if before and not before.endswith(b"\n"):
        before += b"\n"
    line = f"{question.known_as} {question.key_type} {question.key_base64}\n".encode()
    aside = known_hosts.with_name(f".{known_hosts.name}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(before + line)
            out.flush()
            os.fsync(out.fileno())
        aside.replace(known_hosts)
    finally:
        aside.unlink(missing_ok=True)


def _matching(file: Path, name: str) -> Iterator[KnownKey]:
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return
    for number, raw in enumerate(lines, 1):
        fields = raw.decode("utf-8", "replace").split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = fields.pop(0) if fields[0].startswith("@") else ""
        if len(fields) < 3 or marker not in ("", "@revoked", "@cert-authority"):
            continue
        try:
            blob = base64.b64decode(fields[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        kind = fields[1].encode("utf-8")
        if blob.startswith(len(kind).to_bytes(4, "big") + kind) and _names(fields[0], name):
            key = HostKey(fields[1], blob)
            yield KnownKey(key, f"{file}:{number}", marker == "@revoked", marker == "@cert-authority")


def _names(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _hash_names(patterns, name)
    return matches(patterns.lower().split(","), name)


def matches(patterns: Iterable[str], name: str) -> bool:
    """Say whether a name fits a list of OpenSSH's patterns: ``*`` and ``?`` are wildcards, ``!`` forbids."""
    found = False
    for pattern in patterns:
        negated = pattern.startswith("!")
        # Brackets are literal in these patterns.
        if fnmatch.fnmatchcase(name, pattern.removeprefix("!").replace("[", "[[]")):
            if negated:
                return False
            found = True
    return found


def _hash_names(pattern: str, name: str) -> bool:
    try:
        salt, digest = (base64.b64decode(part) for part in pattern[3:].split("|"))
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)
