"""Keeps the client's report up to date: from the cache, and from a scan in a process of its own as it comes on."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

from remote_agent.contract.data_report import DataReport
from remote_agent.contract.frames import Frame
from remote_agent.contract.wire import to_wire
from remote_agent.dataset.answers import Answer, failure_of
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.look import Look
from remote_agent.dataset.worker_process import End, WorkerProcess

SCAN_ID = 0
"""The id of a ``failed`` frame that answers no question: the scan ended before it was done."""

_EVERY_S, _KEEPING_S = 1.0, 1.0
_REST = 9.0  # times what a report takes; the answers' threads have the rest of the time


class Reporting:
    """Sends reports of one look after the other. A thread of its own makes them.

    Attributes:
        look: the newest one.
    """

    def __init__(self, look: Look, answer: Answer) -> None:
        self.look = look
        self._answer = answer
        self._reported: Look | None = None
        self._sent: Look | None = None
        self._scan: WorkerProcess | None = None
        self._scanned = ""
        self._news, self._keeping = threading.Condition(), threading.Lock()
        self._is_new = self._is_urgent = False
        self._written: dict[str, str] = {}
        self._end: End | None = None

    def begin(self) -> None:
        """Send what is known at once, and go on from there. Raises DataError, OSError."""
        look = self.look
        kept = look.cache.report(look.keys)
        if kept is not None:
            self._send(look, kept)
            look.open()
            self._reported = look
        else:
            look.open()
            self._send(look, look.report(complete=False, with_findings=False))
            self._tell()
        look.load()
        threading.Thread(target=self._run, name="report", daemon=True).start()

    def finish(self) -> None:
        """Wait a moment for a report that was sent and is being written down; no more are."""
        self._keeping.acquire(timeout=_KEEPING_S)

    def change(self, look: Look) -> None:
        """Report on another look from now on."""
        look.adopt(self.look)
        self.look = look
        self._tell()

    def _end_scan(self) -> None:
        scan, self._scan = self._scan, None
        if scan is not None:
            scan.stop()

    def _tell(self) -> None:
        with self._news:
            self._is_new = self._is_urgent = True
            self._news.notify()

    def _on_scan(self, frame: Frame) -> None:
        if frame.kind == "progress":
            self._answer.send(frame.head)
            return
        with self._news:
            self._written[frame.kind] = str(frame.head.get("folder", ""))
            self._is_new = True
            self._news.notify()

    def _on_scan_end(self, end: End) -> None:
        with self._news:
            self._end = end
            self._is_new = self._is_urgent = True
            self._news.notify()

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._is_new)
                self._is_new = self._is_urgent = False
                written, self._written = self._written, {}
                end, self._end = self._end, None
            began = time.monotonic()
            look = self.look
            is_other, self._reported = look is not self._reported, look
            try:
                self._take(look, written, end)
                self._report(look, is_other)
            except (DataError, OSError) as error:
                self._answer.send({"frame": "failed", "id": SCAN_ID, **failure_of(error)._asdict()})
            with self._news:
                rest = max(_EVERY_S, _REST * (time.monotonic() - began))
                self._news.wait_for(lambda: self._is_urgent, rest)

    def _take(self, look: Look, written: dict[str, str], end: End | None) -> None:
        """Take in what the scan wrote, if it is about this look."""
        if look.keys.plan != self._scanned:
            return
        if end is not None:
            self._scan = None
            if end.failure is not None:
                self._answer.send({"frame": "failed", "id": SCAN_ID, **end.failure._asdict()})
            look.open()
            if end.failure is None and not look.is_known:
                folder = look.cache.folder
                raise DataError(f"{folder}: what was found could not be kept there. Free some space and look again.")
            return
        if "planned" in written:
            look.take_plan()
        # What is just being replaced by something newer cannot be read; the newer is on its way.
        with contextlib.suppress(DataError, OSError, ValueError):
            if "rows" in written:
                look.take_arrays(Path(written["rows"]))
            if "found" in written:
                look.take_found(Path(written["found"]))

    def _report(self, look: Look, is_other: bool) -> None:
        if is_other:
            if not look.is_settled:
                look.settle()
            kept = look.cache.report(look.keys)
            if kept is not None or look.is_known:
                self._end_scan()
            elif self._scan is None or self._scanned != look.keys.plan:
                self._end_scan()
                self._scanned = look.keys.plan
                self._scan = WorkerProcess(look.request("scan"), self._on_scan, self._on_scan_end)
            if kept is not None:
                self._send(look, kept)
                return
        if look is self._sent and look.plan is None and not look.arrays.rows:
            return  # there is nothing to add to the first report yet
        report = look.report(complete=look.is_known)
        with self._keeping:
            self._send(look, report)
            if look.is_known:
                look.cache.keep_report(look.keys, report)

    def _send(self, look: Look, report: DataReport) -> None:
        self._sent = look
        self._answer.send({"frame": "report", "version": look.version, "value": to_wire(report)})
