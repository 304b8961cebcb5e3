"""A client of a session that looks at data: the dataset zone's process, asked as the agent asks it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from remote_agent.contract.data_report import DataReport, RowView, TablePage, TableQuery
from remote_agent.contract.frames import Frame, FrameReader, encode_frame
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import spec_to_dict
from remote_agent.contract.wire import from_wire, to_wire

ROOT = Path(__file__).parents[2]
ENTRY = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from remote_agent.dataset.__main__ import main; sys.exit(main())"
)
PATIENCE_S = 60.0


class SessionClient:
    """A session that runs; use it as a context, which ends it by the end of its input.

    Attributes:
        frames: everything that came, in its order. began_s: when the process was started, as `time.monotonic`.
        inputs: what the request said of job, model and data; one that ``waits`` has to be told them as a "job".
    """

    def __init__(
        self,
        job: JobSpec,
        model: Path,
        data: Sequence[Path],
        cache: Path,
        held_out: Path | None = None,
        waits: bool = False,
    ) -> None:
        self.frames: list[Frame] = []
        self._reader = FrameReader()
        self._asked = 0
        self.began_s = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", ENTRY],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.inputs = {
            "job": spec_to_dict(job), "model_path": str(model), "data_paths": [str(path) for path in data],
            "held_out_path": str(held_out or ""),
        }  # fmt: skip
        arguments = {"what": "session", "cache_root": str(cache), **({} if waits else self.inputs)}
        self.send({"frame": "request", "arguments": arguments})

    def send(self, head: dict[str, Any]) -> None:
        """Send a frame."""
        assert self.process.stdin is not None
        self.process.stdin.write(encode_frame(Frame(head)))
        self.process.stdin.flush()

    def until(self, holds: Callable[[Frame], bool], patience_s: float = PATIENCE_S) -> Frame:
        """Return the first frame that came, or comes, of which something holds. Fails where the session ends."""
        at = 0
        deadline = time.monotonic() + patience_s
        while True:
            for frame in self.frames[at:]:
                if holds(frame):
                    return frame
            at = len(self.frames)
            assert self._receive(deadline - time.monotonic()), f"the session ended: {self.last_words()}"

    def _receive(self, seconds: float) -> bool:
        assert self.process.stdout is not None
        ready = select.select([self.process.stdout], [], [], max(0.0, seconds))[0]
        assert ready, f"nothing came in time after {[frame.kind for frame in self.frames][-5:]}"
        data = os.read(self.process.stdout.fileno(), 1 << 18)
        self.frames += self._reader.feed(data)
        return bool(data)

    def to_end(self) -> Frame:
        """Return the last frame of a session that ends by itself."""
        while self._receive(PATIENCE_S):
            pass
        return self.frames[-1]

    def begin(self, what: str, **arguments: Any) -> int:
        """Ask, and return the id of the answer."""
        self._asked += 1
        self.send({"frame": "ask", "id": self._asked, "what": what, "arguments": arguments})
        return self._asked

    def answer_to(self, number: int) -> Frame:
        """Return the frame that answers a question."""
        return self.until(lambda frame: frame.kind in ("answer", "failed") and frame.head["id"] == number)

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        """Ask, and return the value of the answer; fails with its sentence where it has none."""
        frame = self.answer_to(self.begin(what, **arguments))
        assert frame.kind == "answer", frame.head
        value = frame.head["value"]
        assert isinstance(value, dict)
        return value

    def page(self, query: TableQuery = TableQuery(), start: int = 0, count: int = 50) -> TablePage:  # noqa: B008
        """Return a page of the table."""
        return from_wire(TablePage, self.ask("table", query=to_wire(query), start=start, count=count))

    def whole_page(self, query: TableQuery, count: int = 50) -> TablePage:
        """Return the first page of a view once all of its rows are found."""
        deadline = time.monotonic() + PATIENCE_S
        while not (page := self.page(query, 0, count)).complete:
            assert time.monotonic() < deadline, "the view was never complete"
        return page

    def row(self, index: int) -> RowView:
        """Return a row."""
        return from_wire(RowView, self.ask("row", index=index))

    def report(self, version: int = 0, complete: bool = True) -> DataReport:
        """Return the first report on a job that is complete, or that is not."""

        def is_it(frame: Frame) -> bool:
            assert not (frame.kind == "failed" and frame.head["id"] == 0), frame.head
            return (
                frame.kind == "report"
                and frame.head["version"] == version
                and frame.head["value"]["complete"] is complete
            )

        return from_wire(DataReport, self.until(is_it).head["value"])

    def processes(self) -> list[int]:
        """Return the ids of the session's child processes."""
        found = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
        return found

    def last_words(self) -> str:
        """Return what the session printed on standard error, once it has ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode("utf-8", "replace")

    def close(self) -> None:
        """End the session by the end of its input, and wait for its end."""
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.process.stderr.close()

    def __enter__(self) -> SessionClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_running(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
