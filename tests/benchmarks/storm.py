"""A run that is trained, supervised, followed and kept for real, and the faults that strike it, by a seed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from remote_agent.contract.events import ENDED
from remote_agent.contract.run_dir import CHECKPOINTS, JOURNAL, segment_file
from remote_agent.run_files.journal_segments import segment_numbers
from remote_agent.run_files.manifest import committed_checkpoints, verify
from remote_agent.supervisor.lease import read_lease
from studio.demo.private_sshd import PrivateSshd
from studio.store.library import Library
from tests.supervisor.conftest import Node, Run, wait_until
from tests.support.faulty_link import FaultyLink

_SEEN_WITHIN_S = 120.0
_LONGEST_HOLE_S = 1.0
_DISK_FULL_S = 0.3
_TAKES_LONG = ("trainer killed", "run stopped", "torn tail", "black hole", "sshd stopped")
_DESKTOP = Path(__file__).with_name("storm_desktop.py")


class Storm:
    """A run on a disk of its own, a desktop in a process of its own, and a bad line between them; use as a context.

    Args:
        disk: the mounted folder that is filled now and then; the node lives there. folder: where the desktop lives.
        seed: of the order, the moments and the places of the faults.
        step_s: what the rank waits between two updates.
    """

    def __init__(self, server: PrivateSshd, disk: Path, folder: Path, seed: int, step_s: float) -> None:
        self.server, self.folder = server, folder
        self.chance = random.Random(seed)
        self.node = Node(disk)
        self.link = FaultyLink(server.port, seed=seed)
        self._step_s = step_s
        self._desktop: subprocess.Popen[bytes] | None = None
        self.faults: dict[str, Callable[[], None]] = {
            "supervisor killed": self.kill_supervisor,
            "trainer killed": self.kill_trainer,
            "sshd killed": self.server.kill_sessions,
            "sshd stopped": self.stop_server,
            "desktop killed": self.kill_desktop,
            "link cut": self.link.reset,
            "cut within a frame": lambda: self.link.reset_after(self.chance.randrange(1, 20_000)),
            "black hole": self.open_hole,
            "run stopped": self.stop_run,
            "torn tail": self.tear,
            "disk full": self.fill_disk,
        }
        self.told: list[str] = []
        self.counts = dict.fromkeys(self.faults, 0)

    def __enter__(self) -> Storm:
        self.link.__enter__()
        self.run: Run = self.node.start(ranks=1, steps=1 << 30, step_s=self._step_s, state_every=5000)
        self.run.wait_for("running")
        self.library = Library(self.folder / "desktop.db")
        self.start_desktop()
        wait_until(lambda: self.seen() > (0, 0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._desktop is not None:
            self._desktop.kill()
            self._desktop.wait()
        self.link.__exit__(kind, error, trace)
        self.node.end()
        self.library.close()

    def strike(self) -> None:
        """Let one fault happen; in a third of all cases wait until what was written after it is in the library."""
        time.sleep(self.chance.random() * 0.1)
        if self.run.states()[-1] in ENDED:
            self.resume()
        names = sorted(self.faults)
        name = self.chance.choices(names, [1 if name in _TAKES_LONG else 3 for name in names])[0]
        self.counts[name] += 1
        self.told.append(name)
        self.faults[name]()
        assert self._desktop is not None and self._desktop.poll() is None, f"the desktop ended by itself after: {name}"
        if self.chance.random() < 0.3:
            before = self.written()
            assert self._reaches(before), (
                f"nothing new came after {self.told[-5:]}: kept {self.seen()}, written {before} and then "
                f"{self.written()}; the run: {self.run.states()[-5:]}"
            )

    def _reaches(self, before: tuple[int, int]) -> bool:
        until = time.monotonic() + _SEEN_WITHIN_S
        assert self._desktop is not None
        while self.seen() <= before and time.monotonic() < until and self._desktop.poll() is None:
            if self.run.states()[-1] in ENDED:
                self.resume()  # a rank whose checkpoint met a full disk dies a moment later
            time.sleep(0.02)
        return self.seen() > before

    def written(self) -> tuple[int, int]:
        """Return segment and size of the end of the rank's journal."""
        folder = str(self.run.folder / JOURNAL)
        last = segment_numbers(folder, "rank0")[-1]
        return last, (self.run.folder / JOURNAL / segment_file("rank0", last)).stat().st_size

    def seen(self) -> tuple[int, int]:
        """Return segment and offset up to which the desktop keeps it."""
        cursor = self.library.cursors(self.run.folder.name).get("rank0")
        return (cursor.segment, cursor.offset) if cursor else (0, 0)

    def train_until(self, records: int) -> None:
        """Let the run go on until its rank has written so many updates in all its attempts."""
        if self.run.states()[-1] in ENDED:
            self.resume()
        wait_until(lambda: self.records() >= records, 3600.0)

    def records(self) -> int:
        """Return how many lines the rank's journal has."""
        return sum(path.read_bytes().count(b"\n") for path in (self.run.folder / JOURNAL).glob("rank0.*"))

    def finish(self) -> None:
        """Stop the run and wait until the desktop has read it to its end and left."""
        assert self._desktop is not None
        if self.run.states()[-1] not in ENDED:
            self.stop_run()
        (self.folder / "over").touch()
        assert self._desktop.wait(_SEEN_WITHIN_S) == 0

    # the faults

    def kill_supervisor(self) -> None:
        lease = read_lease(str(self.run.folder))
        if lease is not None:
            _kill(lease.pid)

    def kill_trainer(self) -> None:
        for pid in self.run.ranks():
            _kill(pid)
        self._wait_for_an_end()

    def stop_server(self) -> None:
        self.server.pause()
        time.sleep(self.chance.random() * _LONGEST_HOLE_S)
        self.server.resume()

    def kill_desktop(self) -> None:
        assert self._desktop is not None
        self._desktop.kill()
        self._desktop.wait()
        self.start_desktop()

    def open_hole(self) -> None:
        self.link.hold("up", "down")
        time.sleep(self.chance.random() * _LONGEST_HOLE_S)
        self.link.release()

    def stop_run(self) -> None:
        self.run.command("stop", save=False)
        self._wait_for_an_end()

    def tear(self) -> None:
        """Leave half a line behind, as a rank that the power left."""
        self.kill_trainer()
        path = self.run.folder / JOURNAL / segment_file("rank0", self.written()[0])
        with path.open("ab") as file:
            file.write(b'0123abcd 77 {"k":"step'[: self.chance.randrange(1, 22)])

    def fill_disk(self) -> None:
        ballast = self.node.folder / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file:
                free = os.statvfs(self.node.folder)
                os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)
                while file.write(b"x" * 512):
                    continue
        except OSError:
            time.sleep(_DISK_FULL_S)
        finally:
            ballast.unlink()

    # what follows on them

    def start_desktop(self) -> None:
        server, folder = self.server, self.folder
        kind, key = (server.folder / "host_key.pub").read_text(encoding="ascii").split()[:2]
        (folder / "known_hosts").write_text(f"[{server.host}]:{self.link.port} {kind} {key}\n", encoding="ascii")
        told = {
            "host": server.host, "port": str(self.link.port), "user": server.user,
            "identity_file": str(server.identity_file), "known_hosts": str(folder / "known_hosts"),
            "ssh_config": str(folder / "ssh_config"), "library": str(folder / "desktop.db"),
            "home": str(self.node.home), "run_id": self.run.folder.name, "over": str(folder / "over"),
        }  # fmt: skip
        self._desktop = subprocess.Popen([sys.executable, str(_DESKTOP), json.dumps(told)])

    def resume(self) -> None:
        attempts = len(self.run.states())
        asked = {"run_id": self.run.folder.name, "command_id": self.chance.randbytes(8).hex()}
        with self.node.talk("resume", asked) as agent:
            assert agent.answer(_SEEN_WITHIN_S).result
        wait_until(lambda: "running" in self.run.states()[attempts:], _SEEN_WITHIN_S)

    def _wait_for_an_end(self) -> None:
        wait_until(lambda: self.run.states()[-1] in ENDED, _SEEN_WITHIN_S)


def lines_of(body: bytes) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield number and content of every line, each checked against its sum; header lines have number 0."""
    for line in body.splitlines():
        checksum, rest = line.split(b" ", 1)
        assert int(checksum, 16) == zlib.crc32(rest), line
        number, content = rest.split(b" ", 1)
        yield int(number), json.loads(content)


def judge(storm: Storm) -> tuple[int, int, int]:
    """Return how many records there are, how many are lost and how many doubled; nothing of it may be damaged."""
    run = storm.run
    kept: dict[str, bytearray] = {}
    for block in storm.library.blocks(run.folder.name):
        kept.setdefault(block.writer, bytearray()).extend(block.body)
    records = lost = doubled = 0
    for writer in ("rank0", "supervisor"):
        written = [number for path in sorted((run.folder / JOURNAL).glob(f"{writer}.*"))
                   for number, _ in lines_of(path.read_bytes()) if number]  # fmt: skip
        arrived = [number for number, _ in lines_of(bytes(kept[writer])) if number]
        assert written == list(range(1, len(written) + 1)), f"{writer}: the journal itself has a gap"
        records += len(written)
        lost += len(set(written) - set(arrived))
        doubled += len(arrived) - len(set(arrived))
    for _, folder, _ in committed_checkpoints(str(run.folder / CHECKPOINTS)):
        assert verify(folder) == [], folder
    return records, lost, doubled


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
