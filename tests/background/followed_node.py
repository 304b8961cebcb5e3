"""A node whose runs grow, with followers of it, and what stands where a session would take their signals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Slot

from remote_agent.contract.run_dir import segment_file
from studio.background.follower import Follower, FollowerBatch
from studio.store.library import Library
from studio.store.live import LinkState, RunBatch
from tests.background.folder_agent import FolderAgent
from tests.support.journals import header_line, step_line

RUN, OTHER = "r-261124-044500-abcdef", "r-261124-044501-abcdef"


class Screen(QObject):
    """Stands where a session stands: takes the signals on the GUI thread."""

    def __init__(self, follower: Follower) -> None:
        super().__init__()
        self.batches: list[FollowerBatch] = []
        self.links: list[LinkState] = []
        self.troubles: list[str] = []
        self.before_batch: Callable[[], None] = lambda: None
        follower.batch.connect(self.on_batch)
        follower.link_changed.connect(self.on_link)
        follower.trouble.connect(self.on_trouble)

    @Slot(object)
    def on_batch(self, batch: FollowerBatch) -> None:
        assert QThread.currentThread() is self.thread()
        self.before_batch()
        self.batches.append(batch)

    @Slot(object)
    def on_link(self, link: LinkState) -> None:
        self.links.append(link)

    @Slot(str)
    def on_trouble(self, sentence: str) -> None:
        self.troubles.append(sentence)

    def of(self, run_id: str = RUN) -> list[RunBatch]:
        return [batch[run_id] for batch in self.batches if run_id in batch]

    def steps(self, run_id: str = RUN) -> list[int]:
        return [int(step) for batch in self.of(run_id) for step in batch.steps.column("step")]

    def has_steps(self, count: int) -> bool:
        return len(self.steps()) == count

    def has_more_than(self, batches: int) -> bool:
        return len(self.batches) > batches

    def has_waited(self, times: int) -> bool:
        return len([link for link in self.links if link.next_try_s]) == times

    def log(self, run_id: str = RUN) -> list[tuple[int, str]]:
        return [line for batch in self.of(run_id) for line in batch.log]

    def has_caught_up(self, run_id: str = RUN) -> bool:
        return any(batch.caught_up for batch in self.of(run_id))


class Node:
    """A folder of runs that grows, its agent, and the follower of it."""

    def __init__(self, folder: Path, library: Library) -> None:
        self.folder, self.library = folder, library
        self.agent = FolderAgent(folder)
        self.made: list[Follower] = []

    def follower(self) -> tuple[Follower, Screen]:
        follower = Follower(self.agent, self.library, lambda: 0.0)
        self.made.append(follower)
        return follower, Screen(follower)

    def write(self, first: int, last: int, run_id: str = RUN, segment: int = 0) -> None:
        journal = self.folder / run_id / "journal"
        journal.mkdir(parents=True, exist_ok=True)
        (self.folder / run_id / "log").mkdir(exist_ok=True)
        with (journal / segment_file("rank0", segment)).open("ab") as file:
            head = header_line(run_id) if file.tell() == 0 else b""
            file.write(head + b"".join(step_line(step, step) for step in range(first, last + 1)))

    def kept(self, run_id: str = RUN) -> bytes:
        return b"".join(block.body for block in self.library.blocks(run_id) if block.writer == "rank0")

    def written(self, run_id: str = RUN) -> bytes:
        return b"".join(path.read_bytes() for path in sorted((self.folder / run_id / "journal").glob("rank0.*")))
