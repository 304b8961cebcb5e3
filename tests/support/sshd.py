"""A real OpenSSH server as the tests' node, with a login banner and rc noise, and its address as the studio sees it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from studio.demo.private_sshd import PrivateSshd
from studio.remote.asking import NOBODY, Asker
from studio.remote.ssh import SshTransport
from studio.remote.transport import NodeAddress

BANNER = (
    b"Welcome to the machine.\n\x1b[31mLast login: never\x1b[0m\n"
    b"LUTHIER-BOOT 00000000000000000000000000000000 have\nLUTHIER 1 00000000000000000000000000000000\n"
)
"""What a login prints: a greeting, a colour, and lines that imitate the bootstrap's and the agent's marks."""


@contextlib.contextmanager
def running_sshd(
    folder: Path, noise: bytes = BANNER, options: Iterable[str] = (), environment: Mapping[str, str] | None = None
) -> Iterator[PrivateSshd]:
    """Run a server whose logins see a home of their own, ``folder/home``, a banner before them and noise after."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    banner = folder / "banner"
    banner.write_text("Authorised use only.\n", encoding="utf-8")
    with PrivateSshd(folder / "sshd", noise, home, [*options, f"Banner {banner.absolute()}"], environment) as server:
        yield server


def node_address(server: PrivateSshd, home: str = "~/.luthier", name: str = "loopback") -> NodeAddress:
    """Return the server as a node that is logged in to with its own key."""
    return NodeAddress(
        name=name,
        kind="ssh",
        host=server.host,
        port=server.port,
        user=server.user,
        identity_file=str(server.identity_file),
        home=home,
    )


def make_known(server: PrivateSshd, known_hosts: Path) -> Path:
    """Write the server's host key into a file of known hosts and return the file."""
    known_hosts.parent.mkdir(parents=True, exist_ok=True)
    known_hosts.write_text(server.known_hosts_line, encoding="ascii")
    return known_hosts


def open_ssh(
    server: PrivateSshd, known_hosts: Path, identity_file: str | None = None, asker: Asker = NOBODY
) -> SshTransport:
    """Return a way to the server with a key file, its own by default; the ssh configuration lies by ``known_hosts``."""
    address = node_address(server)
    if identity_file is not None:
        address = replace(address, identity_file=identity_file)
    return SshTransport(address, known_hosts, known_hosts.parents[1] / "ssh_config", asker)


def logins(server: PrivateSshd) -> int:
    """Return how many logins with a key the server counted."""
    return server.log.count("Accepted publickey")


def wait_until(holds: Callable[[], object], seconds: float = 5.0) -> None:
    """Return once a condition holds. Raises AssertionError where it does not come true in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the condition did not come true"
        threading.Event().wait(0.02)
