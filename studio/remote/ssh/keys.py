"""The keys to offer a server: files with or without a passphrase, an ssh-agent's, each with its certificates."""

from __future__ import annotations

import base64
import contextlib
import copy
import dataclasses
import io
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from paramiko.agent import AgentSSH

from studio.remote.ssh.certificate import CertificateError, parse_certificate
from studio.remote.ssh.channel import BROKEN
from studio.remote.ssh_config import SshTarget

_AGENT_S = 10.0
TOUCH_S = 120.0  # a key on a hardware token waits for a finger
_PPK = b"PuTTY-User-Key-File-"


class NeedsPassphrase(Exception):
    """The file is a private key under a passphrase, and none or a wrong one was given."""


class UnusableKey(Exception):
    """The file cannot be used; the text says why, to be read after the file's name."""


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A key to offer and what it is called."""

    label: str
    key: paramiko.PKey


Ask = Callable[[Path, bool], str | None]
"""Asks for a file's passphrase; the flag says that the last one was wrong. None where nobody answers."""


def candidates(
    target: SshTarget, agent_keys: tuple[paramiko.PKey, ...], ask: Ask, notes: list[str]
) -> Iterator[Candidate]:
    """Yield what to offer: named files (by the agent where it holds them), the agent's other keys, default files.

    Whatever needs a passphrase comes last, so that nobody is asked where another key opens the door. ``notes`` takes
    what is wrong with a file that was named.
    """
    used: set[bytes] = set()
    locked: list[Path] = []
    for named, files in ((True, target.identity_files), (False, target.default_files)):
        for file in files:
            held = _of_agent(file, agent_keys)
            if held is not None:
                yield from _with_certificates(str(file), held, file, target, used)
                continue
            try:
                found = _from_file(file, named, notes)
            except NeedsPassphrase:
                locked.append(file)
                continue
            if found is not None:
                yield from _with_certificates(str(file), found, file, target, used)
        if named and not target.identities_only:
            for key in agent_keys:
                label = f"{getattr(key, 'comment', '') or key.get_name()} of the ssh-agent"
                yield from _with_certificates(label, key, None, target, used)
    for file in locked:
        opened = _unlocked(file, ask, notes)
        if opened is not None:
            yield from _with_certificates(str(file), opened, file, target, used)


def _from_file(file: Path, named: bool, notes: list[str]) -> paramiko.PKey | None:
    try:
        return load_key(file)
    except FileNotFoundError:
        if named:
            notes.append(f"there is no key file {file}")
    except UnusableKey as error:
        notes.append(f"{file} {error}")
    except OSError as error:
        notes.append(f"{file} cannot be read: {error.strerror}")
    return None


def load_key(file: Path, passphrase: str = "") -> paramiko.PKey:
    """Return a private key. Raises NeedsPassphrase, UnusableKey, OSError."""
    path = file.with_name(file.name.removesuffix("-cert.pub")) if file.name.endswith("-cert.pub") else file
    data = path.expanduser().read_bytes()
    if data.startswith(_PPK):
        raise UnusableKey(
            "is a key of PuTTY (.ppk), which OpenSSH and Luthier do not read. Write it as an OpenSSH key, with "
            "PuTTYgen (Conversions, Export OpenSSH key) or with: "
            f"puttygen {path.name} -O private-openssh -o {path.stem}"
        )
    if b"PRIVATE KEY" not in data[:200]:
        what = "is the public half of a key; choose the file without .pub" if data[:4] in (b"ssh-", b"ecds") else ""
        raise UnusableKey(what or "holds no private key that can be used here")
    try:
        return _as_paramiko(_loaded(data, passphrase.encode() or None))
    except TypeError:
        if passphrase:
            raise UnusableKey("holds no private key that can be used here") from None
        raise NeedsPassphrase from None
    except (ValueError, InvalidTag):
        if passphrase:
            raise NeedsPassphrase from None
        raise UnusableKey("holds no private key that can be used here") from None
    except UnsupportedAlgorithm as error:
        raise UnusableKey(
            f"is of a kind or under a cipher that is not supported here ({error}); load it with ssh-add, or choose the "
            "system's ssh for this node"
        ) from None


_Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def _loaded(data: bytes, passphrase: bytes | None) -> _Private:
    if b"OPENSSH PRIVATE KEY" in data[:200]:
        key: object = serialization.load_ssh_private_key(data, passphrase)
    else:
        key = serialization.load_pem_private_key(data, passphrase)
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)):
        raise UnsupportedAlgorithm(type(key).__name__)
    return key


def _as_paramiko(key: _Private) -> paramiko.PKey:
    # through OpenSSH's own form, in memory: paramiko reads that of each kind, but not under every cipher
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode("ascii")
    if isinstance(key, rsa.RSAPrivateKey):
        return paramiko.RSAKey.from_private_key(io.StringIO(text))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return paramiko.ECDSAKey.from_private_key(io.StringIO(text))
    return paramiko.Ed25519Key.from_private_key(io.StringIO(text))


def make_key(file: Path, comment: str) -> str:
    """Make an ed25519 key pair without a passphrase and return the public half as one line.

    The private half is written for this user alone, and never over a file that is there.
    Raises FileExistsError, OSError.
    """
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    line = public.decode("ascii") + " " + " ".join(comment.split())
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path, data, mode in ((file, private, 0o600), (file.with_name(file.name + ".pub"), f"{line}\n".encode(), 0o644)):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(data)
    return line


def _unlocked(file: Path, ask: Ask, notes: list[str]) -> paramiko.PKey | None:
    for attempt in range(3):
        passphrase = ask(file, attempt > 0)
        if passphrase is None:
            notes.append(f"{file} is protected by a passphrase: unlock it with ssh-add {file}")
            return None
        try:
            return load_key(file, passphrase)
        except NeedsPassphrase:
            continue
        except (UnusableKey, OSError) as error:
            notes.append(f"{file} {error}")
            return None
    notes.append(f"the passphrase of {file} was wrong three times")
    return None


def _with_certificates(
    label: str, key: paramiko.PKey, file: Path | None, target: SshTarget, used: set[bytes]
) -> Iterator[Candidate]:
    """Yield a key with each certificate that belongs to it, and then by itself, as OpenSSH does."""
    files = [*target.certificate_files, *([file.with_name(file.name + "-cert.pub")] if file is not None else [])]
    for certificate in files:
        with contextlib.suppress(OSError, CertificateError, ValueError, IndexError, paramiko.SSHException):
            words = certificate.read_text(encoding="utf-8", errors="replace").split()
            blob = base64.b64decode(words[1])
            if parse_certificate(blob).key.blob != key.asbytes() or blob in used:
                continue
            used.add(blob)
            certified = copy.copy(key)
            certified.load_certificate(str(certificate))
            yield Candidate(f"{label} with the certificate {certificate}", certified)
    blob = key.asbytes()
    if blob not in used:
        used.add(blob)
        yield Candidate(label, key)


def _of_agent(file: Path, agent_keys: tuple[paramiko.PKey, ...]) -> paramiko.PKey | None:
    public = file if file.suffix == ".pub" else file.with_name(file.name + ".pub")
    try:
        words = public.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return None
    return next((key for key in agent_keys if len(words) > 1 and key.get_base64() == words[1]), None)


class _UnixAgent(AgentSSH):
    """An ssh-agent behind a socket of our choice, with bounded waits."""

    def __init__(self, path: str) -> None:
        super().__init__()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_AGENT_S)
            connection.connect(path)
            self._connect(connection)  # type: ignore[attr-defined]
            connection.settimeout(TOUCH_S)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        self._close()  # type: ignore[attr-defined]


@contextlib.contextmanager
def agent_keys(target: SshTarget, notes: list[str]) -> Iterator[tuple[paramiko.PKey, ...]]:
    """Yield the keys of the ssh-agent, none where there is none."""
    path = target.agent or os.environ.get("SSH_AUTH_SOCK", "")
    if target.agent == "none" or (os.name != "nt" and not path):
        yield ()
        return
    try:
        agent = paramiko.Agent() if os.name == "nt" and not target.agent else _UnixAgent(path)
    except BROKEN as error:
        notes.append(f"the ssh-agent cannot be asked: {error}")
        yield ()
        return
    try:
        yield agent.get_keys()
    finally:
        agent.close()
