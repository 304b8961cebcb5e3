"""What every child process of the agent does around its work: one request in, frames out, ended by a cancel."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from remote_agent.contract.frames import Frame, FrameError, FrameReader
from remote_agent.contract.spec_json import SpecError, spec_from_dict
from remote_agent.dataset.answers import Answer, Failure, failure_of
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.sources import Cancelled

if TYPE_CHECKING:
    from remote_agent.dataset.inspection_inputs import Inputs

Work = Callable[[Mapping[str, Any], Answer, Cancelled], dict[str, Any]]
"""Does what the arguments ask, tells its progress, and returns the result's value."""

_BODY_BYTES = 512 << 10
_NAMES = {"data_path": "training data", "data_root": "data folder", "cache_root": "folder to keep things in"}


class Request(NamedTuple):
    """What this process was started for: the arguments, where answers go, and the frames that follow."""

    arguments: Any
    answer: Answer
    frames: Iterator[Frame]

    @property
    def what(self) -> str:
        """Return the name of the work, empty where the arguments are none."""
        return str(self.arguments.get("what", "")) if isinstance(self.arguments, dict) else ""


def first_request() -> Request | None:
    """Return the request on standard input, None where none comes. Whatever else prints goes to standard error."""
    answer = Answer(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    sys.excepthook = _excepthook(answer)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    frames = _frames(FrameReader())
    try:
        request = next((frame for frame in frames if frame.kind == "request"), None)
    except FrameError as error:
        answer.error(Failure(f"The request is no frame: {error}.", "bad_request"))
        return None
    return Request(request.head.get("arguments", {}), answer, frames) if request is not None else None


def answered(request: Request, work: Work | None, ends_with_input: bool = False) -> int:
    """Do a request's work, ended by a cancel or SIGTERM, and return the exit code.

    ``ends_with_input``: whoever asked keeps the input open, and its end ends this process at once. Else the end of the
    input is none: a parent may close it once the request is sent.
    """
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, _on_terminate(stopped))
    watch = _end_with if ends_with_input else _watch
    threading.Thread(target=watch, args=(request.frames, stopped), name="requests", daemon=True).start()
    return respond(work, request.arguments, request.answer, stopped.is_set)


def run_child(work: Work) -> int:
    """Answer the one request on standard input with this work; return the exit code."""
    request = first_request()
    return 2 if request is None else answered(request, work)


def respond(work: Work | None, arguments: Any, answer: Answer, cancelled: Cancelled) -> int:
    """Do what the arguments ask, send progress and exactly one result or error; return the exit code."""
    try:
        if work is None:
            raise DataError("The request names nothing that can be inspected or prepared; update Luthier.")
        answer.result(work(arguments, answer, cancelled))
    except BrokenPipeError:
        return 1
    except (DataError, SpecError, CancelledError, OSError) as error:
        answer.error(failure_of(error))
        return 1
    return 0


def data_inputs(arguments: Mapping[str, Any]) -> Inputs:
    """Return job, model folder and data of a request. Raises SpecError, and DataError where one is not named."""
    from remote_agent.dataset.corpus import DataPaths
    from remote_agent.dataset.inspection_inputs import Inputs

    given = arguments.get("data_paths")
    paths = given if isinstance(given, list) and given else [None]
    held_out = path_argument(arguments, "held_out_path") if arguments.get("held_out_path") else None
    data = DataPaths(tuple(path_argument({"data_path": path}, "data_path") for path in paths), held_out)
    return Inputs(spec_from_dict(arguments.get("job", {})), path_argument(arguments, "model_path"), data)


def path_argument(arguments: Mapping[str, Any], name: str) -> Path:
    """Return an absolute path of a request. Raises DataError where there is none."""
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"No {_NAMES.get(name, 'model')} is chosen.")
    if "\0" in value:
        raise DataError(f"{value!r} is no path.")
    return Path(value).expanduser().absolute()


def send_file(path: Path, name: str, answer: Answer) -> None:
    """Send a file in pieces under a name; one without bytes is sent as one empty piece."""
    with path.open("rb") as file:
        offset, size = 0, path.stat().st_size
        while True:
            body = file.read(_BODY_BYTES)
            if body or not offset:
                answer.send({"frame": "file", "name": name, "offset": offset, "size": size}, body)
            offset += len(body)
            if len(body) < _BODY_BYTES:
                return


def _frames(reader: FrameReader) -> Iterator[Frame]:
    """Yield what comes on standard input, to its end. Raises FrameError."""
    while data := os.read(0, 1 << 16):
        yield from reader.feed(data)


def _watch(frames: Iterator[Frame], stopped: threading.Event) -> None:
    try:
        for frame in frames:
            if frame.kind == "cancel":
                stopped.set()
    except (FrameError, OSError):
        stopped.set()


def _end_with(frames: Iterator[Frame], stopped: threading.Event) -> None:
    _watch(frames, stopped)
    os._exit(1)


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
        answer.error(failure_of(error))

    return hook
