"""Links that fall silent, break, crawl and move while a run is followed: nothing is lost, doubled or taken for dead."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, Patience
from studio.remote.errors import LinkError
from studio.session import following
from studio.session.following import Following
from studio.store.library import Library
from studio.store.rows import RunRow
from tests.reliability.conftest import Desktop, assert_nothing_lost_or_doubled, ssh_to, steps_of
from tests.supervisor.conftest import Node, Run, wait_until
from tests.support import follow_run
from tests.support.faulty_link import DOWN, UP, FaultyLink
from tests.support.sshd import logins, running_sshd

MakeDesktop = Callable[..., Desktop]


@pytest.mark.parametrize("ways", [(UP, DOWN), (DOWN,)])
def test_that_a_link_that_carries_nothing_is_given_up_and_made_good(
    ways: tuple[str, ...], node: Node, server: PrivateSshd, desktop: MakeDesktop
) -> None:
    run = node.start(ranks=1, steps=100_000)
    with FaultyLink(server.port) as link, desktop(server, run, link.port) as desk:
        wait_until(lambda: desk.step > 5)
        link.hold(*ways)
        held = time.monotonic()
        wait_until(lambda: desk.notes)
        assert time.monotonic() - held < 5.0
        before = steps_of(run)
        wait_until(lambda: steps_of(run) > before + 10)  # the run does not notice
        link.release()
        run.command("stop", save=False)
        assert desk.wait_for_the_end() == "stopped"
    assert Patience().dead_after_s <= 15.0
    assert_nothing_lost_or_doubled(run, Library(desk.library.path), steps_of(run))


def test_that_a_link_that_is_reset_within_frames_costs_nothing(
    node: Node, server: PrivateSshd, desktop: MakeDesktop
) -> None:
    run = node.start(ranks=1, steps=100_000, step_s=0.005)
    chance = random.Random(20261124)
    with FaultyLink(server.port) as link, desktop(server, run, link.port) as desk:
        for number in range(5):
            desk.wait_for_news()
            link.reset_after(chance.randrange(1, 3000))
            desk.wait_for_notes(number + 1)
        run.command("stop", save=False)
        assert desk.wait_for_the_end() == "stopped"
    assert_nothing_lost_or_doubled(run, Library(desk.library.path), steps_of(run))


def test_that_a_slow_and_lossy_line_is_not_taken_for_a_dead_one(
    node: Node, server: PrivateSshd, desktop: MakeDesktop
) -> None:
    run = node.start(ranks=1, steps=150)
    with FaultyLink(server.port, 0.15, 125_000, stall_chance=0.3, stall_s=0.25, seed=4) as link:
        direct = ssh_to(server, node.folder)
        Agent(direct, str(node.home)).browse(str(node.home))  # the agent is there already
        direct.close()
        with desktop(server, run, link.port, Patience()) as desk:
            assert desk.wait_for_the_end() == "finished"
            assert desk.notes == []
    assert_nothing_lost_or_doubled(run, Library(desk.library.path), 150)


def test_that_a_server_away_for_an_hour_is_asked_seventy_times_at_most(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    tries: list[float] = []

    class Nobody:
        def attach(self, *_: Any, **__: Any) -> Any:
            tries.append(sum(waits))
            raise LinkError(f"nobody listens on {port}")

    class HourOver(Exception):
        pass

    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if sum(waits) > 3600:
            raise HourOver

    library = Library(tmp_path / "desktop.db")
    follower = Following(RunRow("r-261124-044500-abcdef", "t", "n", "{}", "running"), library, Nobody())  # type: ignore[arg-type]
    with pytest.raises(HourOver):
        follower.follow(lambda row, batch: None, sleep)
    library.close()
    assert 55 <= len(tries) <= 70 and max(waits) <= following.LONGEST_DELAY_S
    assert len(set(waits[-20:])) > 10, "many desktops would ask at the same moment"


def test_that_an_agent_that_is_killed_on_its_node_is_started_again(
    node: Node, server: PrivateSshd, desktop: MakeDesktop
) -> None:
    run = node.start(ranks=1, steps=100_000)
    with desktop(server, run) as desk:
        desk.wait_for_news()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            words = path.read_bytes().split(b"\0")
            if words[-2:-1] == [b"attach"] and str(node.home).encode() in b" ".join(words):
                os.kill(int(path.parent.name), signal.SIGKILL)
        desk.wait_for_notes(1)
        assert "was killed (signal 9)" in desk.notes[0]
        desk.wait_for_news()
        run.command("stop", save=False)
        assert desk.wait_for_the_end() == "stopped"
    assert_nothing_lost_or_doubled(run, Library(desk.library.path), steps_of(run))


def test_that_a_server_that_was_restarted_is_found_again(node: Node, desktop: MakeDesktop, tmp_path: Path) -> None:
    with running_sshd(tmp_path / "own") as own:
        run = node.start(ranks=1, steps=100_000)
        with desktop(own, run) as desk:
            wait_until(lambda: desk.step > 5)
            own.stop()
            wait_until(lambda: len(desk.waits) >= 3)
            own.start()
            desk.wait_for_news()
            run.command("stop", save=False)
            assert desk.wait_for_the_end() == "stopped"
            assert logins(own) <= 3
    assert_nothing_lost_or_doubled(run, Library(desk.library.path), steps_of(run))


def test_that_a_server_which_takes_no_more_logins_says_so(node: Node, tmp_path: Path) -> None:
    with running_sshd(tmp_path / "own", options=["MaxStartups 1:100:1"]) as own:
        wait_until(lambda: not own.sessions())
        with socket.create_connection((own.host, own.port)) as waiting:
            assert waiting.recv(4) == b"SSH-"
            transport = ssh_to(own, tmp_path)
            with pytest.raises(LinkError, match="MaxStartups"):
                Agent(transport, str(node.home)).probe()
        wait_until(lambda: not own.sessions())
        assert Agent(transport, str(node.home)).browse(str(node.home)).path
        transport.close()


class Elsewhere:
    """A desktop in a process of its own, which the test stops, moves and kills."""

    def __init__(self, server: PrivateSshd, run: Run, folder: Path, host: str, prefix: tuple[str, ...] = ()) -> None:
        kind, key = (server.folder / "host_key.pub").read_text(encoding="ascii").split()[:2]
        known = folder / "known_hosts"
        known.write_text(f"[{host}]:{server.port} {kind} {key}\n", encoding="ascii")
        self.library = folder / "desktop.db"
        told = {
            "host": host, "port": server.port, "user": server.user, "key": str(server.identity_file),
            "known_hosts": str(known), "ssh_config": str(folder / "ssh_config"), "home": str(run.node.home),
            "run": run.folder.name, "library": str(self.library), "dead_after_s": 2.0,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", follow_run.__name__, json.dumps(told)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert self.process.stdout is not None
        self._out = self.process.stdout
        self.lines: list[dict[str, Any]] = []

    def read_until(self, key: str) -> Any:
        """Return the value of the next line that has this key."""
        while line := self._out.readline():
            self.lines.append(json.loads(line))
            if key in self.lines[-1]:
                return self.lines[-1][key]
        raise AssertionError(f"it ended without {key}: {self.lines[-3:]}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._out.close()


def test_that_a_laptop_that_slept_goes_on_where_it_was(node: Node, tmp_path: Path) -> None:
    with running_sshd(tmp_path / "own") as own:
        run = node.start(ranks=1, steps=100_000)
        away = Elsewhere(own, run, tmp_path, own.host)
        try:
            away.read_until("step")
            subprocess.run(["kill", "-STOP", str(away.process.pid)], check=True)
            own.kill_sessions()  # the server gives the sleeper up
            before = steps_of(run)
            wait_until(lambda: steps_of(run) > before + 100)
            subprocess.run(["kill", "-CONT", str(away.process.pid)], check=True)
            woke = time.monotonic()
            away.read_until("note")
            away.read_until("step")
            assert time.monotonic() - woke < 10.0
            run.command("stop", save=False)
            assert away.read_until("state") == "stopped"
        finally:
            away.close()
        assert logins(own) == 2
    assert_nothing_lost_or_doubled(run, Library(tmp_path / "desktop.db"), steps_of(run))


NET, HERE, ADDRESSES = "luthier-test", "10.254.77.1", ("10.254.77.2", "10.254.77.3")


@pytest.fixture
def other_net() -> Iterator[Callable[..., None]]:
    """Give a network of its own, joined to this one by a cable; skipped where one may not be made."""

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    try:
        ip("netns", "add", NET)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("making a network needs Linux and root")
    try:
        ip("link", "add", "luthier0", "type", "veth", "peer", "name", "luthier1", "netns", NET)
        ip("addr", "add", f"{HERE}/24", "dev", "luthier0")
        ip("link", "set", "luthier0", "up")
        ip("-n", NET, "addr", "add", f"{ADDRESSES[0]}/24", "dev", "luthier1")
        ip("-n", NET, "link", "set", "luthier1", "up")
        yield ip
    finally:
        ip("netns", "del", NET)


def test_that_a_desktop_that_moves_to_another_network_goes_on(
    node: Node, tmp_path: Path, other_net: Callable[..., None]
) -> None:
    with running_sshd(tmp_path / "own", options=[f"ListenAddress {HERE}"]) as own:
        run = node.start(ranks=1, steps=100_000)
        away = Elsewhere(own, run, tmp_path, HERE, ("ip", "netns", "exec", NET))
        try:
            away.read_until("step")
            other_net("-n", NET, "link", "set", "luthier1", "down")
            away.read_until("note")
            other_net("-n", NET, "addr", "flush", "dev", "luthier1")
            other_net("-n", NET, "addr", "add", f"{ADDRESSES[1]}/24", "dev", "luthier1")
            other_net("-n", NET, "link", "set", "luthier1", "up")
            away.read_until("step")
            run.command("stop", save=False)
            assert away.read_until("state") == "stopped"
        finally:
            away.close()
        for address in ADDRESSES:
            assert f"Accepted publickey for {own.user} from {address} " in own.log
    assert_nothing_lost_or_doubled(run, Library(tmp_path / "desktop.db"), steps_of(run))
