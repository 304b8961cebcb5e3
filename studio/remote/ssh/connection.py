"""One SSH connection: methods agreed, the server's key judged, then the login; channels and forwards run over it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

import paramiko
from paramiko.ssh_exception import ChannelException, IncompatiblePeer

from studio.remote.asking import Asker
from studio.remote.channel import Channel
from studio.remote.errors import HostKeyUnknown, LinkError, NeedsPerson
from studio.remote.known_hosts import (
    HostCertificate,
    HostKey,
    KnownKey,
    accept_host_key,
    check_host_key,
    known_as,
    known_keys,
    known_without_port,
)
from studio.remote.link_socket import LinkSocket, Stream
from studio.remote.ssh.authentication import Authentication
from studio.remote.ssh.certificate import SUFFIX, CertificateError, judge_host_certificate
from studio.remote.ssh.channel import BROKEN, SshChannel
from studio.remote.ssh.client_transport import ClientTransport
from studio.remote.ssh_config import ACCEPT_NEW, STRICT, SshTarget
from studio.remote.terminal_only import no_command_sentence

HANDSHAKE_S = 20.0
OPEN_S = 10.0
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
# Its thread logs what our exceptions tell already, at ERROR and with tracebacks.
_LOG = "luthier.paramiko"
logging.getLogger(_LOG).setLevel(logging.CRITICAL + 1)

Tell = Callable[[str], None]
"""Takes a sentence for every step that went well."""


class Connection:
    """A connection to one host; ``below`` is the one that leads through a jump host to it."""

    def __init__(self, target: SshTarget, stream: Stream, below: Connection | None, tell: Tell) -> None:
        self._target = target
        self._below = below
        self._tell = tell
        self._where = f"{target.host} (port {target.port})"
        self.link = LinkSocket(stream)
        self._transport = ClientTransport(self.link)  # type: ignore[arg-type]
        self._transport.wanted_keys = KEY_TYPES
        self._transport.set_log_channel(_LOG)
        self._transport.banner_timeout = HANDSHAKE_S
        self._transport.handshake_timeout = HANDSHAKE_S
        options = self._transport.get_security_options()
        options.ciphers = CIPHERS
        options.digests = MACS

    @property
    def alive(self) -> bool:
        """Say whether it still stands."""
        return self._transport.is_active()

    def quiet_s(self) -> float:
        """Return for how long nothing arrived over it."""
        return self.link.quiet_s()

    def close(self) -> None:
        """End it at once, and what lies below it."""
        self.link.close()
        self._transport.close()
        if self._below is not None:
            self._below.close()

    def shake_hands(self, ours: Path) -> None:
        """Agree on keys and judge the server's; nothing of ours is sent before.

        ``ours`` is the file of the keys that a person accepted here. Raises HostKeyUnknown, HostKeyChanged, LinkError,
        NeedsPerson.
        """
        target = self._target
        name = known_as(target.host, target.port, target.alias)
        files = (*target.known_hosts, ours)
        known, portless = known_keys(files, name), known_without_port(files, name)
        self._transport.wanted_keys = _wanted([*known, *portless])
        try:
            with self.link.within(HANDSHAKE_S + 1):
                self._transport.start_client(timeout=HANDSHAKE_S)
            key = self._transport.get_remote_server_key()
        except IncompatiblePeer as error:
            raise NeedsPerson(
                f"{self._where} offers only methods that are no longer safe: {error}. Its SSH server is too old; the "
                "system's ssh may still reach it."
            ) from None
        except BROKEN as error:
            raise LinkError(
                f"{self._where} did not answer as an SSH server within {HANDSHAKE_S:.0f} s "
                f"({str(error) or 'it closed the connection'}). It may be busy, take no more logins "
                "at a time (MaxStartups of its configuration), or refuse this address."
            ) from None
        self._tell(f"{self._where} is an SSH server: {_printable(self._transport.remote_version)}.")
        offered = HostKey(key.get_name(), key.asbytes())
        certificate = _certificate(key, target.alias or target.host)
        self._judge(known, portless, offered, certificate, ours)

    def _judge(
        self,
        known: list[KnownKey],
        portless: list[KnownKey],
        offered: HostKey,
        certificate: HostCertificate | None,
        ours: Path,
    ) -> None:
        target = self._target
        name = known_as(target.host, target.port, target.alias)
        shown = f"Its {offered.type} host key {offered.fingerprint}"
        try:
            entry = check_host_key(known, offered, target.host, target.port, name, certificate, portless)
        except HostKeyUnknown as question:
            if target.strict == ACCEPT_NEW:
                accept_host_key(ours, question)
                self._tell(f"{shown} is new and was taken, as StrictHostKeyChecking in the ssh configuration says.")
                return
            if target.strict == STRICT:
                file = target.known_hosts[0] if target.known_hosts else ours
                raise NeedsPerson(
                    f"{question.sentence} StrictHostKeyChecking is yes in the ssh configuration, so that it is not "
                    f"asked about here: add the key to {file} yourself."
                ) from None
            raise
        vouched = "is vouched for by the authority in" if entry.authority else "is the one in"
        self._tell(f"{shown} {vouched} {entry.place}.")

    def authenticate(self, asker: Asker, node: str) -> None:
        """Log in. Raises AuthenticationFailed, NeedsPerson, LinkError."""
        how = Authentication(self._transport, self.link, self._target, asker, node).run()
        self._tell(f"It lets {self._target.user} in with {how}.")

    def run(self, command: str) -> Channel:
        """Return a channel that runs a command. Raises ChannelException where the server allows no further session."""
        try:
            with self.link.within(OPEN_S + 1):
                channel = self._transport.open_session(timeout=OPEN_S)
        except ChannelException:
            raise
        except BROKEN as error:
            self.close()
            raise LinkError(f"{self._where} no longer answers ({error}).") from None
        try:
            with self.link.within(OPEN_S + 1):
                channel.exec_command(command)
        except BROKEN as error:
            if self.alive:  # the connection stands, and only this was refused
                with contextlib.suppress(*BROKEN):
                    channel.close()
                raise NeedsPerson(no_command_sentence(self._where)) from None
            self.close()
            raise LinkError(f"{self._where} no longer answers ({error}).") from None
        return SshChannel(channel, self, self._where)

    def forward(self, host: str, port: int) -> Stream:
        """Return a stream to a host as the server reaches it."""
        try:
            with self.link.within(OPEN_S + 1):
                return self._transport.open_channel("direct-tcpip", (host, port), ("127.0.0.1", 0), timeout=OPEN_S)
        except ChannelException as error:
            raise LinkError(f"{self._where} cannot reach {host} (port {port}) for us: {error.text}.") from None
        except BROKEN as error:
            raise LinkError(f"{self._where} no longer answers ({error}).") from None


def _wanted(known: list[KnownKey]) -> tuple[str, ...]:
    """Return the kinds of keys to agree on, first those on file, so that any known key recognises its server."""
    filed = {entry.key.type for entry in known if not entry.revoked and not entry.authority}
    filed |= {"rsa-sha2-512", "rsa-sha2-256"} if "ssh-rsa" in filed else set()
    plain = sorted(KEY_TYPES, key=lambda name: name not in filed)
    certified = [name + SUFFIX for name in KEY_TYPES] if any(entry.authority for entry in known) else []
    return (*certified, *plain)


def _certificate(key: paramiko.PKey, name: str) -> HostCertificate | None:
    blob = getattr(key.public_blob, "key_blob", None)
    if blob is None:
        return None
    try:
        return judge_host_certificate(blob, name)
    except CertificateError as error:
        raise NeedsPerson(f"The certificate of {name} cannot be read: {error}.") from None


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:100]
