"""The child process that inspects and prepares data for the agent: one request frame in, frames out, no greeting."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from types import FrameType
from typing import Any, NoReturn

from remote_agent.contract.wire import to_wire
from remote_agent.dataset.answers import Answer, failure_of
from remote_agent.dataset.child_process import (
    Request,
    Work,
    answered,
    data_inputs,
    first_request,
    path_argument,
    respond,
    send_file,
)
from remote_agent.dataset.data_error import DataError
from remote_agent.dataset.sources import Cancelled

MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
"""The small files of a model that travel to the desktop on request."""

_OF_A_SESSION = ("scan", "search", "step")
_SCAN_NICENESS = 10  # the scan takes what the window and the answers leave


def main() -> int:
    """Answer the request on standard input; return the exit code."""
    request = first_request()
    if request is None:
        return 2
    if request.what == "session":
        return _serve(request)
    return answered(request, _WORK.get(request.what), ends_with_input=request.what in _OF_A_SESSION)


def _serve(request: Request) -> int:
    """Look at data until the client ends it. A mistake in any thread ends the session with a word.

    Without a job it waits, with everything imported, for the first question: a "job" that names the inputs too.
    """
    from remote_agent.dataset.data_session import DataSession

    def in_thread(told: threading.ExceptHookArgs) -> None:
        try:
            if told.exc_value is not None and not isinstance(told.exc_value, BrokenPipeError):
                sys.excepthook(told.exc_type, told.exc_value, told.exc_traceback)
        finally:
            os._exit(1)

    def look(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
        cache_root = path_argument(arguments, "cache_root")
        named = arguments if "job" in arguments else _first_job(request)
        if named is None:
            os._exit(0)
        session = DataSession(data_inputs(named), cache_root, answer)

        def end(number: int = 0, frame: FrameType | None = None) -> NoReturn:
            session.finish()
            os._exit(128 + number if number else 0)

        signal.signal(signal.SIGTERM, end)
        session.serve(request.frames)
        end()

    threading.excepthook = in_thread
    return respond(look, request.arguments, request.answer, lambda: False)


def _first_job(request: Request) -> Mapping[str, Any] | None:
    """Wait for the inputs of a session that began without any; None where the client ends it before."""
    import tokenizers  # noqa: F401  the thread that loads the tokenizer finds it there

    for frame in request.frames:
        if frame.kind == "cancel":
            return None
        if frame.kind != "ask":
            continue
        number, arguments = frame.head.get("id"), frame.head.get("arguments")
        if frame.head.get("what") == "job" and isinstance(arguments, dict):
            request.answer.send({"frame": "answer", "id": number, "value": {}})
            return arguments
        nothing = DataError("There is no data to ask about yet; the first question has to be a job with its inputs.")
        request.answer.send({"frame": "failed", "id": number, **failure_of(nothing)._asdict()})
    return None


def _model(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
    from remote_agent.dataset.model_inspection import inspect_model

    path = path_argument(arguments, "path")
    report = inspect_model(
        path, bool(arguments.get("hashes")), bool(arguments.get("trust_remote_code")), answer.progress, cancelled
    )
    if arguments.get("with_files"):
        for name in MODEL_FILES:
            if (path / name).is_file():
                send_file(path / name, name, answer)
    return {"model": to_wire(report)}


def _data(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
    from remote_agent.dataset.data_inspection import inspect_data

    root = path_argument(arguments, "cache_root") if arguments.get("cache_root") else None
    return {"report": to_wire(inspect_data(data_inputs(arguments), root, answer.progress, cancelled))}


def _scan(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
    from remote_agent.dataset.inspection_cache import InspectionCache
    from remote_agent.dataset.scan import scan

    os.nice(_SCAN_NICENESS)
    inputs = data_inputs(arguments)
    cache = InspectionCache(path_argument(arguments, "cache_root"), inputs.paths)
    scan(inputs, cache, answer.send, answer.progress, cancelled)
    return {}


def _search(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
    from remote_agent.dataset.inspection_cache import InspectionCache
    from remote_agent.dataset.row_search import search

    os.nice(_SCAN_NICENESS)
    inputs = data_inputs(arguments)
    cache = InspectionCache(path_argument(arguments, "cache_root"), inputs.paths)
    corpus = inputs.corpus(inputs.tokenizer(), cache.folder, cache.made(inputs))
    return {"rows": search(corpus, str(arguments.get("text", "")), answer.send, answer.progress, cancelled)}


def _step(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
    from remote_agent.dataset.step_preview import step_preview

    root = path_argument(arguments, "cache_root")
    return dict(to_wire(step_preview(data_inputs(arguments), root, arguments.get("step"), answer.progress, cancelled)))


def _prepare(arguments: Mapping[str, Any], answer: Answer, cancelled: Cancelled) -> dict[str, Any]:
    from remote_agent.dataset.prepare import prepare

    inputs, root = data_inputs(arguments), path_argument(arguments, "data_root")
    augmented = inputs.augmented(root.parent, cancelled)
    prepared, folder = prepare(inputs.job, inputs.model_path, inputs.paths, root, answer.progress, cancelled, augmented)
    return {"prepared": to_wire(prepared), "data_folder": str(folder)}


_WORK: dict[str, Work] = {
    "model": _model,
    "data": _data,
    "scan": _scan,
    "search": _search,
    "step": _step,
    "prepare": _prepare,
}


if __name__ == "__main__":
    sys.exit(main())
