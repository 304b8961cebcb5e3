"""A session that looks at data: answers what is asked of rows at once, while a scan of its own reads everything."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from remote_agent.contract.data_report import TableQuery
from remote_agent.contract.frames import Frame
from remote_agent.contract.spec_json import spec_from_dict, spec_to_dict
from remote_agent.contract.wire import from_wire, to_wire
from remote_agent.dataset.answers import Answer, Failure, WorkFailedError, failure_of
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.inspection_inputs import Inputs
from remote_agent.dataset.look import Look
from remote_agent.dataset.reporting import Reporting
from remote_agent.dataset.row_losses import RowLosses
from remote_agent.dataset.row_views import Place, fitted, is_among, row_view
from remote_agent.dataset.table import Table
from remote_agent.dataset.worker_process import End, WorkerProcess

LONGEST_LENGTH = 1 << 24
"""The longest sequence that batches are worked out for."""

_SWITCH_S = 0.0005  # the thread that makes reports gives way to those that answer ten times sooner than usual
_SUPERSEDED = Failure("A later question took the place of this one.", "interrupted")
Arguments = Mapping[str, Any]


class _Preview(NamedTuple):
    """A step that is tried out in a process of its own."""

    worker: WorkerProcess
    end: Future[End]


class DataSession:
    """Serves one client. A lane is a thread that answers its questions in order, so that a slow one holds up its like.

    Only one step is tried out at a time: a later question ends the one before.
    """

    def __init__(self, inputs: Inputs, cache_root: Path, answer: Answer) -> None:
        """Look at the state of the files. Raises DataError, OSError."""
        self._answer = answer
        self._cache_root = cache_root
        self._reporting = Reporting(Look(inputs, cache_root, 0), answer)
        self._table = Table()
        self._preview: _Preview | None = None
        self._guard = threading.Lock()
        self._lanes = {
            name: ThreadPoolExecutor(1, thread_name_prefix=name) for name in ("table", "row", "batching", "step", "job")
        }
        self._work: dict[str, tuple[str, Callable[[Arguments], dict[str, Any]]]] = {
            "table": ("table", self._page),
            "losses": ("table", self._losses),
            "row": ("row", self._row),
            "batching": ("batching", self._batching),
            "step": ("step", self._step),
            "job": ("job", self._job),
        }

    def serve(self, frames: Iterator[Frame]) -> None:
        """Report, and answer every ``ask``, until a cancel or the end of the frames. Raises DataError, OSError."""
        sys.setswitchinterval(_SWITCH_S)
        self._reporting.begin()
        for frame in frames:
            if frame.kind == "cancel":
                break
            if frame.kind == "ask":
                self._ask(frame.head)

    def finish(self) -> None:
        """Finish what is being written down. This process has to end then; what it has started ends with it."""
        self._reporting.finish()

    def _ask(self, head: Mapping[str, Any]) -> None:
        number, what, arguments = head.get("id"), head.get("what"), head.get("arguments")
        if what == "step":
            self._end_preview()
        lane, work = self._work.get(str(what), ("job", _unknown))

        def answered(done: Future[dict[str, Any]]) -> None:
            error = done.exception()
            if error is not None:
                self._answer.send({"frame": "failed", "id": number, **failure_of(error)._asdict()})
            else:
                self._answer.send({"frame": "answer", "id": number, "value": done.result()})

        self._lanes[lane].submit(work, arguments if isinstance(arguments, dict) else {}).add_done_callback(answered)

    def _page(self, arguments: Arguments) -> dict[str, Any]:
        try:
            query = from_wire(TableQuery, arguments.get("query", {}))
        except ValueError as error:
            raise DataError(f"The question cannot be read: {error}.") from None
        start, count = _whole(arguments, "start"), _whole(arguments, "count")
        return dict(to_wire(self._table.page(self._reporting.look, query, start, count)))

    def _losses(self, arguments: Arguments) -> dict[str, Any]:
        path = str(arguments.get("path", ""))
        losses = RowLosses.open(Path(path).expanduser()) if path else None
        self._table.losses = losses
        return {"rows": len(losses) if losses is not None else 0}

    def _row(self, arguments: Arguments) -> dict[str, Any]:
        look, index = self._reporting.look, _whole(arguments, "index")
        row = look.encoded(index)
        packed, losses = look.packed(), self._table.losses
        sequence, others = packed.of(index) if packed is not None else (-1, ())
        place = Place(
            look.part_of(index),
            tuple(found.kind for found in look.findings() if is_among(index, found.rows)),
            sequence,
            others,
            losses.mean_of(index) if losses is not None else None,
            losses.tokens_of(index) if losses is not None else None,
        )
        return fitted(to_wire(row_view(row, look.model, look.inputs.job.data, place)))

    def _batching(self, arguments: Arguments) -> dict[str, Any]:
        length = _whole(arguments, "length")
        if not 0 < length <= LONGEST_LENGTH:
            raise DataError(f"{length} is no sequence length; 1 to {LONGEST_LENGTH:,} tokens are.")
        return {"batching": to_wire(self._reporting.look.batching(length))}

    def _job(self, arguments: Arguments) -> dict[str, Any]:
        before = self._reporting.look
        inputs = before.inputs._replace(job=spec_from_dict(arguments.get("job", {})))
        look = Look(inputs, self._cache_root, _whole(arguments, "version"), before)
        look.open()
        self._reporting.change(look)
        return {}

    def _step(self, arguments: Arguments) -> dict[str, Any]:
        look, step = self._reporting.look, arguments.get("step")
        job = spec_to_dict(look.inputs.job)
        spec_from_dict({**job, "data": {**job["data"], "steps": [step]}})  # says what is wrong with it
        end: Future[End] = Future()
        with self._guard:
            worker = WorkerProcess(look.request("step", step=step), lambda frame: None, end.set_result)
            self._preview = _Preview(worker, end)
        ended = end.result()
        if ended.failure is not None:
            raise WorkFailedError(ended.failure)
        return ended.value

    def _end_preview(self) -> None:
        with self._guard:
            preview, self._preview = self._preview, None
        if preview is not None:
            preview.worker.stop()
            if not preview.end.done():
                preview.end.set_result(End({}, _SUPERSEDED))


def _unknown(arguments: Arguments) -> dict[str, Any]:
    raise DataError("That cannot be asked of the data here; update Luthier on both sides.")


def _whole(arguments: Arguments, name: str) -> int:
    value = arguments.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DataError(f"{name} is {value!r}; a whole number is needed.")
    return value
