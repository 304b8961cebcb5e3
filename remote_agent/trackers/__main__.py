"""The process that feeds one tracker: told what to do on standard input, patient with servers, polite to the ranks."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    # under -I a file's own folder is not on the path; the package lies two levels above it
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from remote_agent.contract.events import Complained, TrainingStarted, event_from_body
from remote_agent.contract.tracker_spec import TRACKER_NAMES, TRACKER_PACKAGES, Tracker
from remote_agent.run_files.journal import JournalWriter
from remote_agent.run_files.masking import Mask, masked_text
from remote_agent.trackers.feed import JournalSource, LineSource, feed
from remote_agent.trackers.sink import Told, sink_for

DONE, FAILED, NO_LIBRARY, AGAIN = 0, 1, 3, 75
"""Exit codes. AGAIN: the run went back a stretch, and all of it has to be told anew."""
WAITS_S = (5.0, 30.0, 120.0, 600.0)
GIVE_UP_S = 6 * 3600.0
CLOSE_S = 300.0
"""How long a library may take to send what is left."""

Say = Callable[[str], object]


def main() -> int:
    """Read the request, a JSON object on one line, and feed the tracker; return the exit code.

    ``tracker`` … ``recipe`` are those of `Told`. ``journal`` is the journal's folder on a node; without it the lines of
    the journal follow the request, and ``starts`` are the begins of its attempts. ``secrets`` get into this process's
    environment alone, which no list of processes shows.
    """
    request = json.loads(sys.stdin.buffer.readline())
    secrets: dict[str, str] = request.get("secrets", {})
    mask = Mask(secrets.values())
    answers = masked_text(1, mask)
    # what a library prints is no answer
    sys.stdout = sys.stderr = masked_text(2, mask)
    os.environ.update(secrets)
    if hasattr(os, "nice"):
        os.nice(10)
    told = Told(Tracker(**request["tracker"]), request["run_id"], Path(request["folder"]), request["recipe"])
    if not request.get("journal"):
        return _feed_lines(told, request, lambda sentence: print(sentence, file=answers))
    journal = Path(request["journal"])
    lock = _lock(told.folder, bool(request.get("waits")))
    if lock is None:
        return DONE
    writer = JournalWriter(str(journal), f"tracker-{told.tracker.kind}", told.run_id, time.time, mask=mask)
    try:
        waits = tuple(request.get("retry_s", WAITS_S))
        return _feed_journal(told, journal, lambda text: writer.write(Complained("warning", text)), waits)
    finally:
        writer.close()
        os.close(lock)


def _feed_lines(told: Told, request: dict[str, Any], say: Say) -> int:
    events = [event_from_body(body).event for body in request.get("starts", [])]
    source = LineSource(sys.stdin.buffer, [event for event in events if isinstance(event, TrainingStarted)])
    try:
        return AGAIN if _feed_once(told, source, say) else DONE
    except ModuleNotFoundError as error:
        say(_no_library(told, error))
        return NO_LIBRARY
    except Exception as error:
        say(f"{_name(told)} was not fed: {_words(error)}.")
        raise


def _feed_journal(told: Told, journal: Path, say: Say, waits: tuple[float, ...]) -> int:
    failures, since = 0, time.monotonic()
    while journal.is_dir():
        try:
            if not _feed_once(told, JournalSource(journal), say):
                return DONE
            failures, since = 0, time.monotonic()
        except ModuleNotFoundError as error:
            say(_no_library(told, error))
            return NO_LIBRARY
        except Exception as error:  # noqa: BLE001 a tracker's library raises what it likes, and the run goes on
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            wait = waits[min(failures, len(waits) - 1)]
            gives_up = time.monotonic() - since > GIVE_UP_S
            if not failures or gives_up:
                further = "It is given up" if gives_up else f"It is tried again in {wait:.0f} s and later"
                say(f"{_name(told)} was not fed: {_words(error)}. {further}; the run itself goes on.")
            if gives_up:
                return FAILED
            failures += 1
            time.sleep(wait)
    return DONE


def _feed_once(told: Told, source: JournalSource | LineSource, say: Say) -> bool:
    """Feed what there is; say whether the run went back, so that it has to be told anew."""
    sink = sink_for(told)
    ending = feed(source, sink)

    def give_up() -> None:
        say(f"{_name(told)} did not take the rest within {CLOSE_S:.0f} s. What it lacks lies in {told.folder}.")
        os._exit(FAILED)

    watch = threading.Timer(CLOSE_S, give_up)
    watch.daemon = True
    watch.start()
    try:
        sink.close(ending.state)
    finally:
        watch.cancel()
    return ending.goes_back


def _lock(folder: Path, waits: bool) -> int | None:
    """Return a descriptor that holds the tracker of this run; None where another process does and nobody waits."""
    import fcntl

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _name(told: Told) -> str:
    return TRACKER_NAMES[told.tracker.kind]


def _no_library(told: Told, error: ModuleNotFoundError) -> str:
    package = TRACKER_PACKAGES.get(told.tracker.kind, error.name or "")
    return (
        f"{_name(told)} was not fed: {sys.executable} lacks {error.name}. Install it there (pip install {package}); "
        f"`luthier track {told.run_id} --to {told.tracker.kind}` feeds it afterwards."
    )


def _words(error: Exception) -> str:
    """Return an error's first line, not too long."""
    lines = str(error).strip().splitlines()
    return (lines[0][:200] if lines else type(error).__name__).rstrip(".")


if __name__ == "__main__":
    sys.exit(main())
