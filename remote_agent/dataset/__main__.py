"""The child process that inspects and prepares data for the agent: one request frame in, frames out, no greeting."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, BinaryIO

from remote_agent.contract.frames import MAX_HEAD_BYTES, Frame, FrameError, FrameReader, encode_frame
from remote_agent.contract.job_spec import JobSpec
from remote_agent.contract.spec_json import SpecError, spec_from_dict
from remote_agent.contract.wire import to_wire
from remote_agent.dataset.data_error import CancelledError, DataError, NotThereError

MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
"""The small files of a model that travel to the desktop on request."""

_BODY_BYTES = 512 << 10
_PROGRESS_EVERY_S = 0.1
_ROOM_FOR_ROWS = MAX_HEAD_BYTES - (64 << 10)


class Answer:
    """The frames that go back. One lock, so that a thread and the worker never mix their bytes."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._lock = threading.Lock()
        self._next_s = 0.0
        self._phase = ""

    def send(self, head: dict[str, Any], body: bytes = b"") -> None:
        """Write one frame. Raises OSError where nobody listens any more."""
        raw = encode_frame(Frame(head, body))
        with self._lock:
            self._output.write(raw)
            self._output.flush()

    def progress(self, phase: str, done: float, total: float, unit: str) -> None:
        """Tell how far it is, at most ten times a second but for the first and last of a phase."""
        now = time.monotonic()
        if phase == self._phase and now < self._next_s and done < total:
            return
        self._phase, self._next_s = phase, now + _PROGRESS_EVERY_S
        self.send({"frame": "progress", "phase": phase, "done": done, "total": total, "unit": unit})

    def result(self, value: dict[str, Any]) -> None:
        """Send the last frame of a success."""
        self.send({"frame": "result", "value": value})

    def error(self, sentence: str, kind: str) -> None:
        """Send the last frame of a failure."""
        self.send({"frame": "error", "sentence": sentence, "kind": kind})


def main() -> int:
    """Answer the request on standard input; return the exit code. Whatever else prints goes to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answer = Answer(output)
    sys.excepthook = _excepthook(answer)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    reader = FrameReader()
    try:
        request = _first_request(reader)
    except FrameError as error:
        answer.error(f"The request is no frame: {error}.", "bad_request")
        return 2
    if request is None:
        return 2
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, _on_terminate(stopped))
    threading.Thread(target=_watch, args=(reader, stopped), name="requests", daemon=True).start()
    return respond(request.head.get("arguments", {}), answer, stopped.is_set)


def respond(arguments: Any, answer: Answer, cancelled: Callable[[], bool]) -> int:
    """Do what the arguments ask, send progress and exactly one result or error; return the exit code."""
    try:
        work = _WORK.get(arguments.get("what", "")) if isinstance(arguments, dict) else None
        if work is None:
            raise DataError("The request names nothing that can be inspected or prepared; update Luthier.")
        answer.result(work(arguments, answer, cancelled))
    except NotThereError as error:
        answer.error(str(error), "not_found")
    except (DataError, SpecError) as error:
        answer.error(str(error), "bad_request")
    except CancelledError:
        answer.error("Cancelled.", "interrupted")
    except BrokenPipeError:
        return 1
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "Free some space on it." if full else "Check that it is there and may be read and written."
        answer.error(f"{error.filename or 'The disk'}: {error.strerror or error}. {advice}",
                     "disk_full" if full else "failed")  # fmt: skip
    else:
        return 0
    return 1


def _model(arguments: Mapping[str, Any], answer: Answer, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from remote_agent.dataset.model_inspection import inspect_model

    path = _path(arguments, "path")
    report = inspect_model(
        path, bool(arguments.get("hashes")), bool(arguments.get("trust_remote_code")), answer.progress, cancelled
    )
    if arguments.get("with_files"):
        for name in MODEL_FILES:
            if (path / name).is_file():
                _send_file(path / name, name, answer)
    return {"model": to_wire(report)}


def _send_file(path: Path, name: str, answer: Answer) -> None:
    with path.open("rb") as file:
        offset, size = 0, path.stat().st_size
        while True:
            body = file.read(_BODY_BYTES)
            if body or not offset:
                answer.send({"frame": "file", "name": name, "offset": offset, "size": size}, body)
            offset += len(body)
            if len(body) < _BODY_BYTES:
                return


def _data(arguments: Mapping[str, Any], answer: Answer, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from remote_agent.dataset.data_inspection import inspect_data

    report = inspect_data(
        _job(arguments), _path(arguments, "model_path"), _path(arguments, "data_path"), _held_out(arguments),
        answer.progress, cancelled,
    )  # fmt: skip
    return {"report": to_wire(report)}


def _rows(arguments: Mapping[str, Any], answer: Answer, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from remote_agent.dataset.row_views import row_views

    start, count = (_number(arguments, name) for name in ("start", "count"))
    rows: list[dict[str, Any]] = []
    used = 0
    for view in row_views(
        _job(arguments), _path(arguments, "model_path"), _path(arguments, "data_path"), start, count, cancelled
    ):
        row = _fitted(to_wire(view))
        used += _size(row)
        if rows and used > _ROOM_FOR_ROWS:
            break
        rows.append(row)
    return {"rows": rows}


def _fitted(row: dict[str, Any]) -> dict[str, Any]:
    """Cut a row that no frame holds, and say so; its fingerprint stays that of the whole."""
    if _size(row) <= _ROOM_FOR_ROWS:
        return row
    tokens = row["tokens"]
    cut = {**row, "turns": [], "text": row["text"][:20_000], "tokens": tokens[:4_000]}
    note = f"Too long to show whole: 4,000 of {len(tokens):,} tokens."
    return {**cut, "problem": f"{row['problem']} {note}".strip()}


def _size(row: dict[str, Any]) -> int:
    """Return the bytes a row takes in a frame's head."""
    return len(json.dumps(row, separators=(",", ":")))


def _prepare(arguments: Mapping[str, Any], answer: Answer, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from remote_agent.dataset.prepare import prepare

    prepared, folder = prepare(
        _job(arguments), _path(arguments, "model_path"), _path(arguments, "data_path"), _held_out(arguments),
        _path(arguments, "data_root"), answer.progress, cancelled,
    )  # fmt: skip
    return {"prepared": to_wire(prepared), "data_folder": str(folder)}


_WORK: dict[str, Callable[[Mapping[str, Any], Answer, Callable[[], bool]], dict[str, Any]]] = {
    "model": _model,
    "data": _data,
    "rows": _rows,
    "prepare": _prepare,
}


def _job(arguments: Mapping[str, Any]) -> JobSpec:
    return spec_from_dict(arguments.get("job", {}))


def _path(arguments: Mapping[str, Any], name: str) -> Path:
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        what = {"data_path": "training data", "data_root": "data folder"}.get(name, "model")
        raise DataError(f"No {what} is chosen.")
    if "\0" in value:
        raise DataError(f"{value!r} is no path.")
    return Path(value).expanduser().absolute()


def _held_out(arguments: Mapping[str, Any]) -> Path | None:
    return _path(arguments, "held_out_path") if arguments.get("held_out_path") else None


def _number(arguments: Mapping[str, Any], name: str) -> int:
    value = arguments.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DataError(f"{name} is {value!r}; a whole number is needed.")
    return value


def _first_request(reader: FrameReader) -> Frame | None:
    while data := os.read(0, 1 << 16):
        for frame in reader.feed(data):
            if frame.kind == "request":
                return frame
    return None


def _watch(reader: FrameReader, stopped: threading.Event) -> None:
    """Wait for a cancel. The end of input is none: a parent may close it once the request is sent."""
    try:
        while data := os.read(0, 1 << 16):
            if any(frame.kind == "cancel" for frame in reader.feed(data)):
                stopped.set()
    except (FrameError, OSError):
        stopped.set()


def _on_terminate(stopped: threading.Event) -> Callable[[int, FrameType | None], None]:
    def handler(number: int, frame: FrameType | None) -> None:
        if stopped.is_set():
            os._exit(128 + number)
        stopped.set()

    return handler


def _excepthook(answer: Answer) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Turn a mistake of ours into an error frame; the traceback goes to standard error for whoever mends it."""

    def hook(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        traceback.print_exception(kind, error, where)
        last = traceback.extract_tb(where)[-1:]
        place = f" in {Path(last[0].filename).name}, line {last[0].lineno}" if last else ""
        answer.error(f"Luthier made a mistake{place}: {kind.__name__}: {error}. Please report it.", "failed")

    return hook


if __name__ == "__main__":
    sys.exit(main())
