"""The bounded socket: whatever the other side does, nobody waits for ever."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from studio.remote.errors import LinkError
from studio.remote.link_socket import LinkSocket, connect_tcp


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pair() -> Iterator[tuple[LinkSocket, socket.socket, Clock]]:
    ours, theirs = socket.socketpair()
    clock = Clock()
    link = LinkSocket(ours, clock, stall_s=5.0)
    link.settimeout(0.01)
    yield link, theirs, clock
    link.close()
    theirs.close()


def test_that_a_deadline_that_passed_fails_the_link(pair: tuple[LinkSocket, socket.socket, Clock]) -> None:
    link, _, clock = pair
    with link.within(3.0):
        clock.now += 2.9
        with pytest.raises(TimeoutError):
            link.recv(10)
        clock.now += 0.2
        with pytest.raises(ConnectionAbortedError):
            link.recv(10)
    with pytest.raises(TimeoutError):
        link.recv(10)


def test_that_the_earliest_of_several_deadlines_counts(pair: tuple[LinkSocket, socket.socket, Clock]) -> None:
    link, _, clock = pair
    with link.within(10.0), link.within(1.0):
        clock.now += 2.0
        with pytest.raises(ConnectionAbortedError):
            link.recv(10)


def test_that_sending_without_progress_fails_and_progress_resets_it(
    pair: tuple[LinkSocket, socket.socket, Clock],
) -> None:
    link, theirs, clock = pair
    _fill(link)
    clock.now += 4.0
    with pytest.raises(TimeoutError):
        link.send(b"x")
    while theirs.recv(1 << 20):
        try:
            link.send(b"x")
            break
        except TimeoutError:
            continue
    _fill(link)
    clock.now += 4.0
    with pytest.raises(TimeoutError):
        link.send(b"x")
    clock.now += 2.0
    with pytest.raises(ConnectionAbortedError):
        link.send(b"x")


def _fill(link: LinkSocket) -> None:
    with pytest.raises(TimeoutError):
        while True:
            link.send(bytes(1 << 16))


def test_that_it_tells_for_how_long_nothing_arrived(pair: tuple[LinkSocket, socket.socket, Clock]) -> None:
    link, theirs, clock = pair
    clock.now += 7.0
    assert link.quiet_s() == 7.0
    theirs.sendall(b"x")
    assert link.recv(1) == b"x"
    assert link.quiet_s() == 0.0


def test_that_a_closed_link_fails_at_once(pair: tuple[LinkSocket, socket.socket, Clock]) -> None:
    link, _, _ = pair
    link.close()
    with pytest.raises(ConnectionAbortedError):
        link.recv(1)
    with pytest.raises(ConnectionAbortedError):
        link.send(b"x")


def test_that_a_vanished_peer_is_looked_for_by_the_system() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with connect_tcp("127.0.0.1", server.getsockname()[1]) as connection:
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15000


def test_that_a_name_that_is_none_carries_the_hint() -> None:
    with pytest.raises(LinkError, match=r"offline\. A hint\."):
        connect_tcp("no-such-machine.invalid", 22, " A hint.")
