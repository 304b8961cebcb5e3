"""The child process that inspects and prepares data for the agent: one request frame in, frames out, no greeting."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from remote_agent.contract.frames import Frame, FrameError, FrameReader
from remote_agent.contract.spec_json import SpecError, spec_from_dict
from remote_agent.contract.wire import to_wire
from remote_agent.dataset.answers import Answer, Failure, failure_of
from remote_agent.dataset.data_error import CancelledError, DataError

if TYPE_CHECKING:
    from remote_agent.dataset.corpus import DataPaths
    from remote_agent.dataset.inspection_inputs import Inputs

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
_OF_A_SESSION = ("scan", "search", "step")
_SCAN_NICENESS = 10  # the scan takes what the window and the answers leave
Work = Callable[[Mapping[str, Any], Answer, Callable[[], bool]], dict[str, Any]]


def main() -> int:
    """Answer the request on standard input; return the exit code. Whatever else prints goes to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answer = Answer(output)
    sys.excepthook = _excepthook(answer)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    frames = _frames(FrameReader())
    try:
        request = next((frame for frame in frames if frame.kind == "request"), None)
    except FrameError as error:
        answer.error(Failure(f"The request is no frame: {error}.", "bad_request"))
        return 2
    if request is None:
        return 2
    arguments = request.head.get("arguments", {})
    what = arguments.get("what", "") if isinstance(arguments, dict) else ""
    if what == "session":
        return _serve(arguments, answer, frames)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, _on_terminate(stopped))
    watch = _end_with if what in _OF_A_SESSION else _watch
    threading.Thread(target=watch, args=(frames, stopped), name="requests", daemon=True).start()
    return respond(_WORK.get(what), arguments, answer, stopped.is_set)


def respond(work: Work | None, arguments: Any, answer: Answer, cancelled: Callable[[], bool]) -> int:
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


def _serve(arguments: Mapping[str, Any], answer: Answer, frames: Iterator[Frame]) -> int:
    """Look at data until the client ends it. A mistake in any thread ends the session with a word."""
    from remote_agent.dataset.data_session import DataSession

    def in_thread(told: threading.ExceptHookArgs) -> None:
        try:
            if told.exc_value is not None and not isinstance(told.exc_value, BrokenPipeError):
                sys.excepthook(told.exc_type, told.exc_value, told.exc_traceback)
        finally:
            os._exit(1)

    def look(arguments: Mapping[str, Any], answer: Answer, cancelled: Callable[[], bool]) -> dict[str, Any]:
        session = DataSession(_inputs(arguments), _path(arguments, "cache_root"), answer)

        def end(number: int = 0, frame: FrameType | None = None) -> NoReturn:
            session.finish()
            os._exit(128 + number if number else 0)

        signal.signal(signal.SIGTERM, end)
        session.serve(frames)
        end()

    threading.excepthook = in_thread
    return respond(look, arguments, answer, lambda: False)


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

    root = _path(arguments, "cache_root") if arguments.get("cache_root") else None
    return {"report": to_wire(inspect_data(_inputs(arguments), root, answer.progress, cancelled))}


def _scan(arguments: Mapping[str, Any], answer: Answer, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from remote_agent.dataset.inspection_cache import InspectionCache
    from remote_agent.dataset.scan import scan

    os.nice(_SCAN_NICENESS)
    inputs = _inputs(arguments)
    cache = InspectionCache(_path(arguments, "cache_root"), inputs.paths)
    scan(inputs, cache, answer.send, answer.progress, cancelled)
    return {}


def _search(arguments: Mapping[str, Any], answer: Answer, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from remote_agent.dataset.inspection_cache import InspectionCache
    from remote_agent.dataset.row_search import search

    os.nice(_SCAN_NICENESS)
    inputs = _inputs(arguments)
    folder = InspectionCache(_path(arguments, "cache_root"), inputs.paths).folder
    corpus = inputs.corpus(inputs.tokenizer(), folder)
    return {"rows": search(corpus, str(arguments.get("text", "")), answer.send, answer.progress, cancelled)}


def _step(arguments: Mapping[str, Any], answer: Answer, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from remote_agent.dataset.step_preview import step_preview

    root = _path(arguments, "cache_root")
    return dict(to_wire(step_preview(_inputs(arguments), root, arguments.get("step"), answer.progress, cancelled)))


def _prepare(arguments: Mapping[str, Any], answer: Answer, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from remote_agent.dataset.prepare import prepare

    inputs = _inputs(arguments)
    prepared, folder = prepare(
        inputs.job, inputs.model_path, inputs.paths, _path(arguments, "data_root"), answer.progress, cancelled
    )
    return {"prepared": to_wire(prepared), "data_folder": str(folder)}


_WORK: dict[str, Work] = {
    "model": _model,
    "data": _data,
    "scan": _scan,
    "search": _search,
    "step": _step,
    "prepare": _prepare,
}


def _inputs(arguments: Mapping[str, Any]) -> Inputs:
    from remote_agent.dataset.inspection_inputs import Inputs

    return Inputs(spec_from_dict(arguments.get("job", {})), _path(arguments, "model_path"), _data_paths(arguments))


def _data_paths(arguments: Mapping[str, Any]) -> DataPaths:
    from remote_agent.dataset.corpus import DataPaths

    given = arguments.get("data_paths")
    paths = given if isinstance(given, list) and given else [arguments.get("data_path")]
    held_out = _path(arguments, "held_out_path") if arguments.get("held_out_path") else None
    return DataPaths(tuple(_path({"data_path": path}, "data_path") for path in paths), held_out)


def _path(arguments: Mapping[str, Any], name: str) -> Path:
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        what = {"data_path": "training data", "data_root": "data folder", "cache_root": "folder to keep things in"}
        raise DataError(f"No {what.get(name, 'model')} is chosen.")
    if "\0" in value:
        raise DataError(f"{value!r} is no path.")
    return Path(value).expanduser().absolute()


def _frames(reader: FrameReader) -> Iterator[Frame]:
    """Yield what comes on standard input, to its end. Raises FrameError."""
    while data := os.read(0, 1 << 16):
        yield from reader.feed(data)


def _watch(frames: Iterator[Frame], stopped: threading.Event) -> None:
    """Wait for a cancel. The end of input is none: a parent may close it once the request is sent."""
    try:
        for frame in frames:
            if frame.kind == "cancel":
                stopped.set()
    except (FrameError, OSError):
        stopped.set()


def _end_with(frames: Iterator[Frame], stopped: threading.Event) -> None:
    """End this process at once when its input ends: whoever wanted it is gone."""
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


if __name__ == "__main__":
    sys.exit(main())
