"""Asking a package index, served on loopback, where the files of a lock are."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from remote_agent.contract.environment_lock import EnvironmentLock
from studio.remote.errors import Cancelled
from studio.session.environment_locks import shipped_locks
from studio.session.lock_addresses import NoAddress, addressed
from tests.support.small_lock import SmallLock, serve_small_lock


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallLock]:
    served = serve_small_lock(tmp_path / "files")
    for name in ("UV_FIND_LINKS", "UV_INDEX", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{served.server.server_port}/simple/")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    try:
        yield served
    finally:
        served.server.shutdown()
        served.server.server_close()


def hostless(lock: EnvironmentLock) -> EnvironmentLock:
    return dataclasses.replace(lock, files=tuple(dataclasses.replace(file, url="") for file in lock.files))


def test_that_the_index_says_where_each_file_lies(small: SmallLock) -> None:
    asked = hostless(small.lock)
    found = addressed(asked)
    assert found == small.lock
    assert found.key == asked.key
    assert addressed(found) is found


@pytest.mark.parametrize("setting", ["UV_DEFAULT_INDEX", "PIP_INDEX_URL"])
def test_that_the_index_of_this_computers_settings_is_asked(
    small: SmallLock, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    monkeypatch.setenv(setting, f"http://127.0.0.1:{small.server.server_port}/simple/")
    assert addressed(hostless(small.lock)) == small.lock


def test_that_another_file_under_the_same_name_is_not_taken(small: SmallLock) -> None:
    changed = dataclasses.replace(small.lock.files[0], url="", sha256="0" * 64)
    lock = dataclasses.replace(small.lock, files=(changed, *small.lock.files[1:]))
    with pytest.raises(NoAddress, match=rf"has no {changed.name} as the list of packages pins it\. Use an index"):
        addressed(lock)


def test_that_an_index_without_the_package_or_without_an_answer_is_told(
    small: SmallLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = dataclasses.replace(small.lock.files[0], package="nobody-has-it", url="")
    with pytest.raises(NoAddress, match=r"package index cannot be asked.*Check this"):
        addressed(dataclasses.replace(small.lock, files=(unknown,)))
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(NoAddress, match="package index cannot be asked"):
        addressed(hostless(small.lock))


def test_that_asking_ends_where_it_is_cancelled(small: SmallLock) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(Cancelled):
        addressed(hostless(small.lock), cancelled)


def test_that_a_shipped_lock_names_files_and_no_host() -> None:
    for lock in shipped_locks():
        assert all(file.url == "" and "/" not in file.name for file in lock.files), lock.name
