"""Links and their references: reconnecting after a cut, uploading beside OpenSSH's sftp, deploying beside `ssh true`.

Also a soak under 100 ms of delay and stalls as of lost packets, ``LUTHIER_BENCH_SOAK_S`` seconds long (20; 1,800 for a
release). ``LUTHIER_BENCH_UPLOAD_MIB`` is what is uploaded (1,024).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, Patience, Progress
from studio.remote.errors import LinkError
from studio.session import following
from studio.store.library import Library
from tests.reliability.conftest import QUICK, Desktop, assert_nothing_lost_or_doubled, ssh_to, steps_of
from tests.supervisor.conftest import Node, node, wait_until
from tests.support.faulty_link import FaultyLink
from tests.support.sshd import running_sshd

__all__ = ["node"]
pytestmark = pytest.mark.benchmark

CUTS = 20
UPLOADS = 3
SOAK_S = float(os.environ.get("LUTHIER_BENCH_SOAK_S", "20"))
UPLOAD_MIB = int(os.environ.get("LUTHIER_BENCH_UPLOAD_MIB", "1024"))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateSshd]:
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    monkeypatch.setenv("LUTHIER_SSH_CONFIG", str(tmp_path / "ssh_config"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with running_sshd(tmp_path / "server", noise=b"") as running:
        yield running


def test_that_a_cut_link_shows_a_new_point_soon(node: Node, server: PrivateSshd, tmp_path: Path) -> None:
    run = node.start(ranks=1, steps=1_000_000, step_s=0.02)
    taken = []
    with FaultyLink(server.port) as link, Desktop(ssh_to(server, tmp_path, link.port), run, tmp_path, QUICK) as desk:
        wait_until(lambda: desk.step > 5)
        for number in range(CUTS):
            link.reset()
            cut = time.monotonic()
            desk.wait_for_notes(number + 1)
            desk.wait_for_news()
            taken.append(time.monotonic() - cut)
        run.command("stop", save=False)
        desk.wait_for_the_end()
    taken.sort()
    print(
        f"\nreconnect after a cut to the first new point, {CUTS} cuts: median {statistics.median(taken):.2f} s, "
        f"p95 {taken[int(0.95 * CUTS)]:.2f} s (goal 3 s), of which {following.FIRST_DELAY_S / 2:g} to "
        f"{following.FIRST_DELAY_S:g} s are the wait before the first try"
    )


def test_that_an_upload_keeps_up_with_sftp(server: PrivateSshd, tmp_path: Path) -> None:
    source, block = tmp_path / "model.bin", os.urandom(1 << 20)
    with source.open("wb") as file:
        for number in range(UPLOAD_MIB):
            file.write(number.to_bytes(8, "big") + block[8:])
    transport = ssh_to(server, tmp_path)
    agent = Agent(transport, str(tmp_path / "home"))
    agent.browse("/")
    words = [
        "sftp", "-q", "-P", str(server.port), "-i", str(server.identity_file), "-o", "StrictHostKeyChecking=no",
        "-o", "UserKnownHostsFile=/dev/null", "-F", str(tmp_path / "ssh_config"), "-b", "-",
        f"{server.user}@{server.host}",
    ]  # fmt: skip
    sftp, ours = [], []
    for _ in range(UPLOADS):  # in turns, since the machine is faster at one moment than at another
        began = time.monotonic()
        put = f"put {source} {tmp_path / 'copy.bin'}\n"
        subprocess.run(words, input=put, text=True, check=True, capture_output=True)
        sftp.append(time.monotonic() - began)
        (tmp_path / "copy.bin").unlink()
        began = time.monotonic()
        sent = Path(agent.send_file("models", source))
        ours.append(time.monotonic() - began)
        sent.unlink()
        sent.parent.rmdir()
    sftp_s, ours_s = statistics.median(sftp), statistics.median(ours)
    cuts = 0

    def cut(progress: Progress) -> None:
        nonlocal cuts
        if progress.phase == "sending" and progress.done > progress.total / 2 and not cuts:
            cuts += 1
            server.kill_sessions()

    with pytest.raises(LinkError):
        agent.send_file("models", source, on_progress=cut)
    began = time.monotonic()
    agent.send_file("models", source)
    rest_s = time.monotonic() - began
    transport.close()
    print(
        f"\nupload of {UPLOAD_MIB} MiB, hashed on both sides: {ours_s:.1f} s, {UPLOAD_MIB / ours_s:.0f} MiB/s; sftp "
        f"without hashing {sftp_s:.1f} s, {UPLOAD_MIB / sftp_s:.0f} MiB/s: {sftp_s / ours_s:.2f}x (goal 1x); after a "
        f"cut in the middle {rest_s:.1f} s"
    )


def test_that_deploying_costs_few_round_trips(server: PrivateSshd, tmp_path: Path) -> None:
    delay_s = 0.05
    with FaultyLink(server.port, delay_s) as link:
        known = f"-oUserKnownHostsFile={tmp_path / 'known_hosts'}"
        transport = ssh_to(server, tmp_path, link.port)
        words = ["ssh", "-F", str(tmp_path / "ssh_config"), known, "-i", str(server.identity_file), "-p",
                 str(link.port), f"{server.user}@{server.host}", "true"]  # fmt: skip
        began = time.monotonic()
        subprocess.run(words, check=True, capture_output=True)
        true_s = time.monotonic() - began
        figures = []
        for _ in ("without", "with"):
            began = time.monotonic()
            Agent(transport, str(tmp_path / "home")).browse("/")
            figures.append(time.monotonic() - began)
            transport.close()
    without_s, with_s = figures
    trip_s = 2 * delay_s
    print(
        f"\nbrowse at a round trip of {trip_s * 1e3:.0f} ms, login included: agent there {with_s:.2f} s, not there "
        f"{without_s:.2f} s; ssh true {true_s:.2f} s: {(with_s - true_s) / trip_s:+.1f} and "
        f"{(without_s - true_s) / trip_s:+.1f} round trips (goal +2 where the agent is there)"
    )


def test_that_a_run_is_followed_through_a_bad_line_for_long(node: Node, server: PrivateSshd, tmp_path: Path) -> None:
    run = node.start(ranks=1, steps=10_000_000, step_s=0.01)
    with (
        FaultyLink(server.port, 0.05, stall_chance=0.02, stall_s=0.3, seed=7) as link,
        Desktop(ssh_to(server, tmp_path, link.port), run, tmp_path, Patience()) as desk,
    ):
        end = time.monotonic() + SOAK_S
        longest = 0.0
        while time.monotonic() < end:
            since = time.monotonic()
            desk.wait_for_news()
            longest = max(longest, time.monotonic() - since)
        run.command("stop", save=False)
        desk.wait_for_the_end(120.0)
        lost = len(desk.notes)
    steps = steps_of(run)
    assert_nothing_lost_or_doubled(run, Library(desk.library.path), steps)
    print(
        f"\nsoak of {SOAK_S:.0f} s at 100 ms and 2 % stalls: {steps} updates, none lost or doubled; link given up "
        f"{lost} times, longest wait for a point {longest:.1f} s"
    )
