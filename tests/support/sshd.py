"""A real OpenSSH server as the tests' node, with a login banner and rc noise, and its address as the studio sees it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from studio.demo.private_sshd import PrivateSshd
from studio.remote.transport import NodeAddress

BANNER = (
    b"Welcome to the machine.\n\x1b[31mLast login: never\x1b[0m\n"
    b"LUTHIER-BOOT 00000000000000000000000000000000 have\nLUTHIER 1 00000000000000000000000000000000\n"
)
"""What a login prints: a greeting, a colour, and lines that imitate the bootstrap's and the agent's marks."""


@contextlib.contextmanager
def running_sshd(folder: Path, noise: bytes = BANNER, options: Iterable[str] = ()) -> Iterator[PrivateSshd]:
    """Run a server whose logins see a home of their own, ``folder/home``, a banner before them and noise after."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    banner = folder / "banner"
    banner.write_text("Authorised use only.\n", encoding="utf-8")
    with PrivateSshd(folder / "sshd", noise, home, [*options, f"Banner {banner.absolute()}"]) as server:
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
