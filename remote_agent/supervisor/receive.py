"""The command `receive`: model, data or wheels from the client, resumed where an upload broke off, hash-verified."""

from __future__ import annotations

import os
import re
import shutil
from typing import Any, Dict, List, NamedTuple, Set

from remote_agent.contract.frames import Frame
from remote_agent.contract.run_dir import DATA, ENVIRONMENTS, MODELS, UPLOADS
from remote_agent.run_files.atomic_write import sync_folder, write_all
from remote_agent.run_files.manifest import file_sha256
from remote_agent.supervisor.node_facts import disk_free_bytes
from remote_agent.supervisor.talk import CommandError, Talk, text_argument

FRAME_TIMEOUT_S = 120.0
SENT_WHEELS = ".sent-"
"""How the names of folders begin, among the environments, that hold the files of one; they go when it is built."""

_FINGERPRINT = re.compile(r"[0-9a-f]{16,128}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_MOST_FILES = 100_000


class _Expected(NamedTuple):
    name: str
    size_bytes: int
    sha256: str


def receive(talk: Talk, home: str, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Answer ``{path}``: tell what is there, take ``chunk`` frames until ``end``, verify, and rename into place.

    Raises:
        CommandError: a name leads out of the folder, a hash differs, the disk is too small, or the client is gone.
    """
    kind = text_argument(arguments, "kind")
    fingerprint = text_argument(arguments, "fingerprint")
    if kind not in ("models", "data", "wheels") or not _FINGERPRINT.match(fingerprint):
        raise CommandError("What is sent has to be models, data or wheels, with a fingerprint in hex.", "bad_request")
    expected = _manifest(arguments.get("manifest"))
    final = _final_folder(home, kind, fingerprint[:16])
    if os.path.isdir(final):
        talk.send("have", offsets={item.name: item.size_bytes for item in expected})
        return {"path": final}
    aside = os.path.join(home, UPLOADS, fingerprint[:16])
    os.makedirs(aside, mode=0o700, exist_ok=True)
    offsets = {item.name: _size_here(aside, item) for item in expected}
    _check_room(home, sum(item.size_bytes - offsets[item.name] for item in expected))
    talk.send("have", offsets=offsets)
    _take_chunks(talk, aside, {item.name: item for item in expected}, offsets)
    _verify(talk, aside, expected)
    try:
        os.rename(aside, final)
    except OSError:
        if not os.path.isdir(final):  # else another upload of the same was first
            raise
        shutil.rmtree(aside)
    sync_folder(os.path.dirname(final))
    return {"path": final}


def _final_folder(home: str, kind: str, key: str) -> str:
    if kind == "wheels":
        return os.path.join(home, ENVIRONMENTS, SENT_WHEELS + key)
    return os.path.join(home, MODELS, key) if kind == "models" else os.path.join(home, DATA, "source-" + key)


def _manifest(given: Any) -> List[_Expected]:
    if not isinstance(given, list) or not given or len(given) > _MOST_FILES:
        raise CommandError("The manifest has to be a list of files.", "bad_request")
    found = []
    for item in given:
        name = item.get("name") if isinstance(item, dict) else None
        size, sha256 = (item.get("size_bytes"), item.get("sha256")) if isinstance(item, dict) else (None, None)
        if not isinstance(name, str) or not is_safe_name(name):
            raise CommandError("{!r} may not be the name of a file that is sent.".format(name), "bad_request")
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise CommandError("The manifest gives no size for {}.".format(name), "bad_request")
        if not isinstance(sha256, str) or not _SHA256.match(sha256):
            raise CommandError("The manifest gives no SHA-256 for {}.".format(name), "bad_request")
        found.append(_Expected(name, size, sha256))
    if len({item.name for item in found}) != len(found):
        raise CommandError("The manifest names a file twice.", "bad_request")
    return found


def is_safe_name(name: str) -> bool:
    """Say whether a relative name stays inside its folder on every system."""
    parts = name.split("/")
    return (
        0 < len(name.encode("utf-8", "surrogatepass")) <= 1024
        and not any(character in name for character in "\0\\\n")
        and all(part not in ("", ".", "..") and len(part.encode("utf-8", "surrogatepass")) <= 255 for part in parts)
    )


def _size_here(aside: str, item: _Expected) -> int:
    """Return how much of a file an earlier upload left; what is longer than the file is thrown away."""
    path = os.path.join(aside, item.name)
    try:
        size = os.lstat(path).st_size
    except OSError:
        return 0
    if size > item.size_bytes or os.path.islink(path):
        os.unlink(path)
        return 0
    return size


def _check_room(home: str, needed: int) -> None:
    free = disk_free_bytes(home)
    if needed > free:
        raise CommandError(
            "{} has {} MiB left and {} MiB are to be sent; free some space or use another home folder.".format(
                home, free >> 20, needed >> 20
            ),
            "disk_full",
        )


def _take_chunks(talk: Talk, aside: str, expected: Dict[str, _Expected], offsets: Dict[str, int]) -> None:
    total = sum(item.size_bytes for item in expected.values())
    done = sum(offsets.values())
    open_name, descriptor = "", -1
    try:
        while True:
            frame = talk.receive(FRAME_TIMEOUT_S)
            talk.check()
            if frame is None:
                raise CommandError("Nothing was received for two minutes.", "interrupted")
            if frame.kind == "end":
                return
            name = _check_chunk(frame, expected, offsets)
            if name != open_name:
                _close(descriptor)
                descriptor, open_name = _open(aside, name), name
            write_all(descriptor, frame.body)
            offsets[name] += len(frame.body)
            done += len(frame.body)
            talk.progress("upload", done, total, "bytes")
    finally:
        _close(descriptor)


def _check_chunk(frame: Frame, expected: Dict[str, _Expected], offsets: Dict[str, int]) -> str:
    name = frame.head.get("name")
    if frame.kind != "chunk" or not isinstance(name, str) or name not in expected:
        raise CommandError("A chunk came for a file that the manifest does not name.", "bad_request")
    if frame.head.get("offset") != offsets[name]:
        raise CommandError(
            "A chunk of {} came for byte {}, not {}.".format(name, frame.head.get("offset"), offsets[name]),
            "bad_request",
        )
    if offsets[name] + len(frame.body) > expected[name].size_bytes:
        raise CommandError("More bytes came for {} than the manifest says.".format(name), "bad_request")
    return name


def _open(aside: str, name: str) -> int:
    path = os.path.join(aside, name)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)


def _verify(talk: Talk, aside: str, expected: List[_Expected]) -> None:
    """Hash and sync everything; a file that differs is removed, so that the next upload sends it again."""
    wrong = []
    for index, item in enumerate(expected):
        talk.check()
        talk.progress("verify", index, len(expected), "files")
        path = os.path.join(aside, item.name)
        if item.size_bytes == 0 and not os.path.lexists(path):
            os.close(_open(aside, item.name))
        if not os.path.isfile(path) or os.path.getsize(path) < item.size_bytes:
            raise CommandError("{} is not complete; send it again.".format(item.name), "failed")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        os.fsync(descriptor)
        os.close(descriptor)
        if file_sha256(path) != item.sha256:
            os.unlink(path)
            wrong.append(item.name)
    if wrong:
        raise CommandError("{} arrived damaged; send it again.".format(", ".join(wrong[:3])), "failed")
    for parent, _, _ in os.walk(aside):
        sync_folder(parent)
    _remove_strangers(aside, {item.name for item in expected})


def _remove_strangers(aside: str, names: Set[str]) -> None:
    """Remove what an earlier manifest of the same key left; the folder then holds just what was hashed."""
    for parent, _, files in os.walk(aside):
        for name in files:
            path = os.path.join(parent, name)
            if os.path.relpath(path, aside) not in names:
                os.unlink(path)
