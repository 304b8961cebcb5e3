"""What the faults happen to: a node with a run and a server before it, and a desktop that follows the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import pytest

from remote_agent.contract.events import StepCompleted
from remote_agent.contract.run_dir import JOURNAL
from studio.demo.private_sshd import PrivateSshd
from studio.remote.agent import Agent, Patience
from studio.remote.errors import RemoteError
from studio.remote.ssh import SshTransport
from studio.remote.transport import NodeAddress
from studio.session import following
from studio.session.following import Following
from studio.store.journal_decoder import decode_lines
from studio.store.library import Library
from studio.store.live import RunBatch
from studio.store.rows import RunRow
from tests.supervisor.conftest import Run, node, wait_until
from tests.support.small_disk import small_disk
from tests.support.sshd import running_sshd

__all__ = ["node", "small_disk"]

QUICK = Patience(ping_every_s=0.3, dead_after_s=1.5)


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateSshd]:
    """Run one server with noisy logins for all of these tests."""
    with running_sshd(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(autouse=True)
def no_configuration_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ssh_config").write_text("", encoding="ascii")
    monkeypatch.setenv("LUTHIER_SSH_CONFIG", str(tmp_path / "ssh_config"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


class Desktop:
    """A desktop that follows one run in a thread of its own, and keeps it in its library; use it as a context."""

    def __init__(self, transport: SshTransport, run: Run, folder: Path, patience: Patience = QUICK) -> None:
        self.library = Library(folder / "desktop.db")
        self.notes: list[str] = []
        self.waits: list[float] = []
        self.step = 0
        self.failure: RemoteError | None = None
        self._run = run
        self._transport = transport
        row = RunRow(run.folder.name, "try", "node", "{}", "running")
        self._following = Following(row, self.library, Agent(transport, str(run.node.home), None, patience))
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="desktop", daemon=True)

    def __enter__(self) -> Desktop:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join(0.1 if kind is not None else 30.0)
        self._transport.close()
        self.library.close()

    def wait_for_news(self, timeout_s: float = 30.0) -> None:
        """Return once an update has come that was not there before."""
        step = self.step
        wait_until(lambda: self.step > step, timeout_s)

    def wait_for_notes(self, count: int) -> None:
        """Return once so many breaks of the link were told."""
        wait_until(lambda: len(self.notes) >= count)

    def wait_for_the_end(self, seconds: float = 60.0) -> str:
        """Return the run's state once it was followed to its end."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the run was not followed to its end"
        if self.failure is not None:
            raise self.failure
        return self._following.row.state

    def _follow(self) -> None:
        try:
            self._following.follow(self._show, self._sleep)
        except RemoteError as error:
            self.failure = error

    def _show(self, row: RunRow, batch: RunBatch) -> None:
        self.notes += batch.notes
        self.step = row.step

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._leaving.wait(seconds)


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Desktop]:
    """Return what makes a desktop that follows a run through a server, or through a port before it."""
    monkeypatch.setattr(following, "FIRST_DELAY_S", 0.1)

    def make(server: PrivateSshd, run: Run, port: int = 0, patience: Patience = QUICK) -> Desktop:
        return Desktop(ssh_to(server, tmp_path, port), run, tmp_path, patience)

    return make


def ssh_to(server: PrivateSshd, folder: Path, port: int = 0) -> SshTransport:
    """Return a way to the server, by a port of a relay where one is given; it is known under either."""
    kind, key = (server.folder / "host_key.pub").read_text(encoding="ascii").split()[:2]
    known = folder / "known_hosts"
    known.write_text(f"[{server.host}]:{port or server.port} {kind} {key}\n", encoding="ascii")
    address = NodeAddress("node", "ssh", server.host, port or server.port, server.user, str(server.identity_file))
    return SshTransport(address, known, folder / "ssh_config")


def steps_of(run: Run) -> int:
    """Return how many updates the node's journal holds."""
    return len(run.of(StepCompleted, "rank0"))


def assert_nothing_lost_or_doubled(run: Run, library: Library, steps: int) -> None:
    """Compare what the library keeps with the node's journals: byte for byte, and each update once, in order."""
    kept: dict[str, bytearray] = {}
    for block in library.blocks(run.folder.name):
        kept.setdefault(block.writer, bytearray()).extend(block.body)
    for writer in ("rank0", "supervisor"):
        files = sorted((run.folder / JOURNAL).glob(f"{writer}.*"))
        assert kept[writer] == b"".join(path.read_bytes() for path in files), writer
    batch = RunBatch()
    decode_lines(bytes(kept["rank0"]), batch)
    assert [int(step) for step in batch.steps.column("step")] == list(range(1, steps + 1))
    assert batch.damaged == 0
