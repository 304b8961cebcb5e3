"""What holds for every test: no window system, no network names, no warning that nobody expected, no thread left."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # the person's own is none of a test's business

if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell starts its background jobs deaf to Ctrl+C, and every child would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)

# pytest-qt, hypothesis and Qt keep threads of their own for the whole session.
_KEPT_FOR_THE_SESSION = ("pytest", "pydevd", "QDBus", "ThreadPoolExecutor-session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files with slow tests first, so that several processes end together.

    Of the files that look at the same launches only the first one; the others would wait beside it.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    sharing = dict.fromkeys(item.path for item in items if "launches" in getattr(item, "fixturenames", ()))
    waiting = set(list(sharing)[1:])
    items.sort(key=lambda item: 2 if item.path in waiting else 0 if item.path in slow else 1)


@pytest.fixture(autouse=True)
def luthier_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give every test a Luthier home of its own, so that none reads or writes the user's."""
    home = tmp_path_factory.mktemp("luthier-home")
    monkeypatch.setenv("LUTHIER_HOME", str(home))
    yield home


@pytest.fixture(autouse=True)
def no_unexpected_log_record(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test that logs a WARNING or worse which it did not clear through ``caplog.clear()``."""
    yield
    records = [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    assert not records, "unexpected log records: " + "; ".join(record.getMessage() for record in records)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test whose threads outlive it by more than five seconds."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 5.0
    left = _new_threads(before)
    while left and time.monotonic() < deadline:
        left[0].join(0.05)
        left = _new_threads(before)
    assert not left, f"threads outlived the test: {[thread.name for thread in left]}"


def _new_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    return [
        thread
        for thread in threading.enumerate()
        # a thread that Qt made shows up as a dummy where Python code ran in it; Qt ends it, and it cannot be joined
        if thread not in before
        and thread.is_alive()
        and not isinstance(thread, threading._DummyThread)
        and not thread.name.startswith(_KEPT_FOR_THE_SESSION)
    ]
