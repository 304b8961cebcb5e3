"""The child process that fetches rows of a Hub data set for the agent: one request frame in, frames out."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from remote_agent.contract.frames import FrameReader
from remote_agent.contract.hub_errors import Refusal, refusal
from remote_agent.dataset.answers import Answer, Failure, failure_of
from remote_agent.dataset.data_error import CancelledError, DataError
from remote_agent.dataset.hub_rows import HubData, fetch_hub_data

_TOKEN = "HF_TOKEN"  # noqa: S105 the name of a variable


def main() -> int:
    """Answer the request on standard input; return the exit code. Whatever else prints goes to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answer = Answer(output)
    reader = FrameReader()
    while not (frames := reader.feed(data := os.read(0, 1 << 16))):
        if not data:
            return 1
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
    asked = frames[0].head["arguments"]
    try:
        answer.result(_fetched(asked, answer, stopped))
    except (DataError, CancelledError) as error:
        answer.error(failure_of(error))
    except Exception as error:  # noqa: BLE001 the Hub's libraries raise their own and those of what they are built on
        answer.error(Failure(*refusal(error, _asked_for(asked))))
    else:
        return 0
    return 1


def _fetched(asked: dict[str, Any], answer: Answer, stopped: threading.Event) -> dict[str, Any]:
    wanted = HubData(asked["repo"], asked["revision"], asked["subset"], asked["split"], asked["max_rows"])
    found = fetch_hub_data(wanted, Path(asked["home"]), os.environ.get(_TOKEN, ""), answer.progress, stopped.is_set)
    return {"repo": wanted.repo, "revision": found.revision, "path": str(found.path), "rows": found.rows}


def _asked_for(asked: dict[str, Any]) -> Refusal:
    endpoint = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    return Refusal(
        asked["repo"], asked["revision"], endpoint, bool(os.environ.get(_TOKEN)), asked["python"], "data set"
    )


if __name__ == "__main__":
    sys.exit(main())
