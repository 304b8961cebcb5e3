"""Reads known_hosts files as OpenSSH does and keeps our own one; the user's files are never written.

Plain, hashed, wildcard, negated and ``[host]:port`` patterns and ``@revoked`` are honoured, damaged lines skipped.
``@cert-authority`` lines are skipped too: host certificates are not checked here, so they vouch for nothing.
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

from studio.remote.errors import HostKeyChanged, HostKeyUnknown


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


@dataclasses.dataclass(frozen=True)
class KnownKey:
    """A key on file; ``place`` is "file:line"."""

    key: HostKey
    place: str
    revoked: bool = False


def known_as(host: str, port: int, alias: str = "") -> str:
    """Return the name under which a host is filed; an alias stands alone, whatever the port."""
    if alias:
        return alias.lower()
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


def known_keys(files: Iterable[Path], name: str) -> list[KnownKey]:
    """Return the keys that the files hold for a name; files that cannot be read hold none."""
    return [known for file in files for known in _matching(file, name)]


def check_host_key(known: Iterable[KnownKey], offered: HostKey, host: str, port: int, name: str) -> None:
    """Return where the offered key is on file and not revoked.

    Raises:
        HostKeyChanged: it is revoked, or the files hold other keys for this name.
        HostKeyUnknown: the files hold none.
    """
    known = list(known)
    for entry in known:
        if entry.revoked and entry.key == offered:
            raise HostKeyChanged(
                host, port, offered.type, offered.fingerprint, offered.type, offered.fingerprint, entry.place, True
            )
    valid = [entry for entry in known if not entry.revoked]
    if any(entry.key == offered for entry in valid):
        return
    # A name with a key of another type only is treated as changed too: the server was offered our known types first.
    for entry in sorted(valid, key=lambda entry: entry.key.type != offered.type):
        key = entry.key
        raise HostKeyChanged(host, port, offered.type, offered.fingerprint, key.type, key.fingerprint, entry.place)
    raise HostKeyUnknown(host, port, offered.type, offered.fingerprint, offered.base64, name)


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
        if len(fields) < 3 or marker not in ("", "@revoked"):
            continue
        try:
            blob = base64.b64decode(fields[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        if _names(fields[0], name):
            yield KnownKey(HostKey(fields[1], blob), f"{file}:{number}", marker == "@revoked")


def _names(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _hash_names(patterns, name)
    found = False
    for pattern in patterns.lower().split(","):
        negated = pattern.startswith("!")
        # Brackets are literal in known_hosts, * and ? are the only wildcards.
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
